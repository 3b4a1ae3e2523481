-- +goose Up
-- The schema of DESIGN.md's glossary. Keys are UUIDv7, so big tables
-- (purchases, purchase_items, ledger, inbox, outbox) can later be partitioned
-- by ranges of their ID, which are ranges of time, without touching a caller.

CREATE TABLE cpgs (
  id          uuid PRIMARY KEY,
  name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  active      boolean NOT NULL DEFAULT true,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  CONSTRAINT cpgs_name_key UNIQUE (name)
);

CREATE TABLE brands (
  id          uuid PRIMARY KEY,
  cpg_id      uuid NOT NULL REFERENCES cpgs,
  name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  active      boolean NOT NULL DEFAULT true,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  CONSTRAINT brands_name_key UNIQUE (cpg_id, name),
  CONSTRAINT brands_of_cpg_key UNIQUE (id, cpg_id)
);

CREATE TABLE products (
  id          uuid PRIMARY KEY,
  cpg_id      uuid NOT NULL REFERENCES cpgs,
  brand_id    uuid NOT NULL,
  gtin        text NOT NULL CHECK (gtin ~ '^[0-9]{8}([0-9]{4,6})?$'),
  name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  nicknames   text[] NOT NULL DEFAULT '{}',
  reference_price_cents bigint NOT NULL CHECK (reference_price_cents BETWEEN 0 AND 100000000),
  active      boolean NOT NULL DEFAULT true,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  CONSTRAINT products_gtin_key UNIQUE (gtin),
  -- A product's CPG is its brand's: the pair is one fact, kept twice for scope.
  CONSTRAINT products_brand_fkey FOREIGN KEY (brand_id, cpg_id) REFERENCES brands (id, cpg_id),
  CONSTRAINT products_of_cpg_key UNIQUE (id, cpg_id)
);

CREATE TABLE shops (
  id          uuid PRIMARY KEY,
  code        text NOT NULL CHECK (code ~ '^[0-9A-HJKMNP-TV-Z]{6}$'),
  name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  search_name text NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('tiendita', 'minisuper', 'chain')),
  street      text NOT NULL DEFAULT '',
  city        text NOT NULL,
  state       text NOT NULL,
  time_zone   text NOT NULL DEFAULT 'America/Mexico_City',
  active      boolean NOT NULL DEFAULT true,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  CONSTRAINT shops_code_key UNIQUE (code)
);
-- "Abarrotes Lupita" typed without a code.
CREATE INDEX shops_search_name_idx ON shops (search_name) WHERE active;

-- Opened counter QRs, one row a shop and day.
CREATE TABLE shop_visits (
  shop_id uuid NOT NULL REFERENCES shops,
  day     date NOT NULL,
  visits  bigint NOT NULL CHECK (visits > 0),
  PRIMARY KEY (shop_id, day)
);

CREATE TABLE persons (
  id              uuid PRIMARY KEY,
  name            text CHECK (length(name) BETWEEN 1 AND 80),
  birthday        text CHECK (birthday ~ '^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$'),  -- the year is optional
  -- Service messages (reminders of a card asked for) until BAJA; all else that
  -- the bot starts needs promotions_at as well.
  opted_out_at    timestamptz,
  promotions_at   timestamptz,
  -- The bot writes first to nobody who never wrote.
  first_wrote_at  timestamptz,
  last_wrote_at   timestamptz,
  erased_at       timestamptz,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL
);

-- The one table that holds phones: erasing a person is one delete here.
-- Messages point to it by ID.
CREATE TABLE addresses (
  id          uuid PRIMARY KEY,
  address     text NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('phone', 'lid')),
  person_id   uuid NOT NULL REFERENCES persons,
  created_at  timestamptz NOT NULL,
  CONSTRAINT addresses_address_key UNIQUE (address)
);
CREATE INDEX addresses_person_idx ON addresses (person_id);

-- What was agreed to or withdrawn, with the proof. Append-only in practice.
CREATE TABLE consents (
  id           uuid PRIMARY KEY,
  person_id    uuid NOT NULL REFERENCES persons,
  kind         text NOT NULL CHECK (kind IN ('privacy_notice', 'promotions', 'opt_out', 'opt_in', 'erasure')),
  text_version text NOT NULL,
  message_id   text NOT NULL,
  at           timestamptz NOT NULL
);
CREATE INDEX consents_person_idx ON consents (person_id, at);

-- The universal card: a consumer's one code. link_version is part of the chat
-- link's secret; raising it revokes every link given out before.
CREATE TABLE consumers (
  person_id    uuid PRIMARY KEY REFERENCES persons,
  card_code    text NOT NULL CHECK (card_code ~ '^[0-9A-DF-HJKMNPQS-TV-Z][0-9A-HJKMNP-TV-Z]{7}$'),
  link_version integer NOT NULL DEFAULT 1,
  created_at   timestamptz NOT NULL,
  CONSTRAINT consumers_card_code_key UNIQUE (card_code)
);

CREATE TABLE tenderos (
  id         uuid PRIMARY KEY,
  person_id  uuid NOT NULL REFERENCES persons,
  shop_id    uuid NOT NULL REFERENCES shops,
  active     boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT tenderos_key UNIQUE (person_id, shop_id)
);
CREATE INDEX tenderos_shop_idx ON tenderos (shop_id);

-- Membership with one shop or brand; the wallet is all of a consumer's cards.
CREATE TABLE cards (
  id         uuid PRIMARY KEY,
  person_id  uuid NOT NULL REFERENCES consumers,
  shop_id    uuid REFERENCES shops,
  brand_id   uuid REFERENCES brands,
  created_at timestamptz NOT NULL,
  CONSTRAINT cards_issuer_check CHECK (num_nonnulls(shop_id, brand_id) = 1),
  CONSTRAINT cards_person_issuer_key UNIQUE NULLS NOT DISTINCT (person_id, shop_id, brand_id)
);
CREATE INDEX cards_shop_idx ON cards (shop_id, created_at);

CREATE TABLE staff (
  id            uuid PRIMARY KEY,
  email         text NOT NULL CHECK (email = lower(email) AND length(email) <= 254),
  password_hash text NOT NULL,
  name          text NOT NULL,
  role          text NOT NULL CHECK (role IN ('admin', 'cpg')),
  cpg_id        uuid REFERENCES cpgs,
  person_id     uuid REFERENCES persons,  -- where the ROI summary goes
  active        boolean NOT NULL DEFAULT true,
  created_at    timestamptz NOT NULL,
  updated_at    timestamptz NOT NULL,
  CONSTRAINT staff_email_key UNIQUE (email),
  CONSTRAINT staff_cpg_check CHECK ((role = 'cpg') = (cpg_id IS NOT NULL))
);

-- Every bearer secret that we give out, by its SHA-256: nothing in here opens a
-- door.
CREATE TABLE tokens (
  hash       bytea PRIMARY KEY,
  id         uuid NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('access', 'refresh', 'page', 'link', 'api_key')),
  family     uuid NOT NULL,          -- revoked together: a login, with all it was refreshed to
  staff_id   uuid REFERENCES staff,
  person_id  uuid REFERENCES persons,
  label      text NOT NULL DEFAULT '',
  issued_at  timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  CONSTRAINT tokens_id_key UNIQUE (id)
);
CREATE INDEX tokens_family_idx ON tokens (family);
CREATE INDEX tokens_person_idx ON tokens (person_id) WHERE person_id IS NOT NULL;

-- One-time passwords over WhatsApp; one open code a phone.
CREATE TABLE otps (
  person_id  uuid PRIMARY KEY REFERENCES persons,
  code_hash  bytea NOT NULL,
  attempts   smallint NOT NULL DEFAULT 0,
  issued_at  timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);

CREATE TABLE campaigns (
  id            uuid PRIMARY KEY,
  cpg_id        uuid NOT NULL REFERENCES cpgs,
  name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  scheme        text NOT NULL CHECK (scheme IN ('stamps', 'points')),
  status        text NOT NULL CHECK (status IN ('draft', 'active', 'paused', 'ended')),
  enrolment     text NOT NULL CHECK (enrolment IN ('automatic', 'on_request')),
  -- What a qualifying unit (stamps) or peso (points) earns.
  per_unit      bigint NOT NULL CHECK (per_unit BETWEEN 0 AND 1000),
  per_peso      bigint NOT NULL CHECK (per_peso BETWEEN 0 AND 1000),
  goal          bigint NOT NULL CHECK (goal BETWEEN 1 AND 1000000),
  max_per_purchase bigint CHECK (max_per_purchase > 0),
  max_per_day   bigint CHECK (max_per_day > 0),
  all_shops     boolean NOT NULL,
  starts_at     timestamptz NOT NULL,
  ends_at       timestamptz,
  ended_at      timestamptz,      -- when somebody ended it, whatever its dates say
  margin_bps    integer NOT NULL CHECK (margin_bps BETWEEN 0 AND 10000),
  fee_cents     bigint NOT NULL CHECK (fee_cents >= 0),  -- programme fee for a week
  nudge_quiet_days integer NOT NULL CHECK (nudge_quiet_days BETWEEN 1 AND 365),
  nudge_gap_days   integer NOT NULL CHECK (nudge_gap_days BETWEEN 1 AND 365),
  version       integer NOT NULL DEFAULT 1,
  created_at    timestamptz NOT NULL,
  updated_at    timestamptz NOT NULL,
  CONSTRAINT campaigns_dates_check CHECK (ends_at > starts_at),
  CONSTRAINT campaigns_ended_check CHECK ((status = 'ended') = (ended_at IS NOT NULL)),
  CONSTRAINT campaigns_earning_check CHECK (CASE scheme WHEN 'stamps' THEN per_unit > 0 AND per_peso = 0 ELSE per_unit + per_peso > 0 END),
  CONSTRAINT campaigns_of_cpg_key UNIQUE (id, cpg_id)
);
CREATE INDEX campaigns_cpg_idx ON campaigns (cpg_id);

-- The PLIs. The composite keys make it impossible for one CPG's product to
-- participate in another CPG's campaign.
CREATE TABLE campaign_products (
  campaign_id uuid NOT NULL,
  product_id  uuid NOT NULL,
  cpg_id      uuid NOT NULL,
  PRIMARY KEY (campaign_id, product_id),
  FOREIGN KEY (campaign_id, cpg_id) REFERENCES campaigns (id, cpg_id),
  CONSTRAINT campaign_products_own_fkey FOREIGN KEY (product_id, cpg_id) REFERENCES products (id, cpg_id)
);
CREATE INDEX campaign_products_product_idx ON campaign_products (product_id);

CREATE TABLE campaign_shops (
  campaign_id uuid NOT NULL REFERENCES campaigns,
  shop_id     uuid NOT NULL REFERENCES shops,
  PRIMARY KEY (campaign_id, shop_id)
);
CREATE INDEX campaign_shops_shop_idx ON campaign_shops (shop_id);

CREATE TABLE rewards (
  id          uuid PRIMARY KEY,
  campaign_id uuid NOT NULL REFERENCES campaigns,
  name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  threshold   bigint NOT NULL CHECK (threshold BETWEEN 1 AND 1000000),
  cost_cents  bigint NOT NULL CHECK (cost_cents BETWEEN 0 AND 100000000),
  -- Units ever made available; NULL is unlimited. taken counts the requests
  -- that were not given back, so taken <= stock is the law itself.
  stock       bigint CHECK (stock >= 0),
  taken       bigint NOT NULL DEFAULT 0 CHECK (taken >= 0),
  active      boolean NOT NULL DEFAULT true,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  CONSTRAINT rewards_never_overspent CHECK (taken <= stock),
  CONSTRAINT rewards_of_campaign_key UNIQUE (id, campaign_id)
);
CREATE INDEX rewards_campaign_idx ON rewards (campaign_id);

-- A consumer's part in a campaign. The balances are cached sums of the ledger.
CREATE TABLE enrollments (
  id             uuid PRIMARY KEY,
  person_id      uuid NOT NULL REFERENCES consumers,
  campaign_id    uuid NOT NULL REFERENCES campaigns,
  shop_id        uuid REFERENCES shops,  -- only where the campaign counts per shop
  stamps         bigint NOT NULL DEFAULT 0,
  points         bigint NOT NULL DEFAULT 0,
  last_shop_id   uuid REFERENCES shops,
  last_earned_at timestamptz,
  nudged_at      timestamptz,
  created_at     timestamptz NOT NULL,
  CONSTRAINT enrollments_key UNIQUE NULLS NOT DISTINCT (person_id, campaign_id, shop_id)
);
-- Nudges: who has been quiet in this campaign for so long.
CREATE INDEX enrollments_quiet_idx ON enrollments (campaign_id, last_earned_at);

-- What an enrollment earned in a period that a limit counts, so that no limit
-- ever scans history. Only campaigns with such a limit have rows.
CREATE TABLE earning_counters (
  enrollment_id uuid NOT NULL REFERENCES enrollments,
  period        text NOT NULL,    -- "day:2026-11-21", the shop's day
  earned        bigint NOT NULL CHECK (earned >= 0),
  PRIMARY KEY (enrollment_id, period)
);

-- Every cause that may have an effect, once (law 2). scope is the caller or the
-- kind of cause, key its natural key; result is what it brought about.
CREATE TABLE causes (
  scope      text NOT NULL,
  key        text NOT NULL CHECK (length(key) BETWEEN 1 AND 128),
  digest     bytea,               -- of the request, to notice a reused key
  result_id  uuid,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (scope, key)
);

CREATE TABLE purchases (
  id          uuid PRIMARY KEY,
  shop_id     uuid NOT NULL REFERENCES shops,
  person_id   uuid NOT NULL REFERENCES consumers,
  channel     text NOT NULL CHECK (channel IN ('scan', 'evidence', 'tconecta', 'api', 'backoffice')),
  captured    text NOT NULL CHECK (captured IN ('scan', 'typed')),
  status      text NOT NULL CHECK (status IN ('recorded', 'pending', 'reversed')),
  total_cents bigint NOT NULL CHECK (total_cents >= 0),
  actor       text NOT NULL,      -- who recorded it: "staff:…", "person:…", "key:…"
  receipt     jsonb NOT NULL,     -- what the first answer said, so that a repeat says the same
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL
);
-- The card page's history, and a shop's day.
CREATE INDEX purchases_person_idx ON purchases (person_id, occurred_at DESC);
CREATE INDEX purchases_shop_idx ON purchases (shop_id, occurred_at DESC);
-- Reports read by week.
CREATE INDEX purchases_occurred_idx ON purchases (occurred_at);

CREATE TABLE purchase_items (
  purchase_id      uuid NOT NULL REFERENCES purchases,
  line             smallint NOT NULL,
  product_id       uuid NOT NULL REFERENCES products,
  quantity         integer NOT NULL CHECK (quantity BETWEEN 1 AND 999),
  unit_price_cents bigint NOT NULL CHECK (unit_price_cents BETWEEN 0 AND 100000000),
  price_estimated  boolean NOT NULL,
  PRIMARY KEY (purchase_id, line)
);
CREATE INDEX purchase_items_product_idx ON purchase_items (product_id);

CREATE TABLE redemptions (
  id           uuid PRIMARY KEY,
  code         text NOT NULL CHECK (code ~ '^R[0-9A-HJKMNP-TV-Z]{7}$'),
  reward_id    uuid NOT NULL REFERENCES rewards,
  campaign_id  uuid NOT NULL REFERENCES campaigns,
  person_id    uuid NOT NULL REFERENCES consumers,
  status       text NOT NULL CHECK (status IN ('requested', 'delivered', 'cancelled', 'expired')),
  amount       bigint NOT NULL CHECK (amount > 0),
  unit         text NOT NULL CHECK (unit IN ('stamp', 'point')),
  cost_cents   bigint NOT NULL CHECK (cost_cents >= 0),  -- the reward's cost when it was requested
  requested_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  settled_at   timestamptz,
  shop_id      uuid REFERENCES shops,  -- where it was delivered
  CONSTRAINT redemptions_code_key UNIQUE (code),
  CONSTRAINT redemptions_delivery_check CHECK ((status = 'delivered') = (shop_id IS NOT NULL)),
  CONSTRAINT redemptions_settled_check CHECK ((status = 'requested') = (settled_at IS NULL)),
  FOREIGN KEY (reward_id, campaign_id) REFERENCES rewards (id, campaign_id)
);
CREATE INDEX redemptions_person_idx ON redemptions (person_id, requested_at DESC);
CREATE INDEX redemptions_campaign_idx ON redemptions (campaign_id, settled_at);
-- A shop's day: what it handed out.
CREATE INDEX redemptions_shop_idx ON redemptions (shop_id, settled_at) WHERE status = 'delivered';
-- The sweep that gives back what nobody fetched.
CREATE INDEX redemptions_open_idx ON redemptions (expires_at) WHERE status = 'requested';

-- Append-only: the truth about every balance (law 1).
CREATE TABLE ledger (
  id            uuid PRIMARY KEY,
  enrollment_id uuid NOT NULL REFERENCES enrollments,
  campaign_id   uuid NOT NULL REFERENCES campaigns,
  campaign_version integer NOT NULL,
  kind          text NOT NULL CHECK (kind IN ('earn', 'redeem', 'expire', 'reverse', 'adjust')),
  unit          text NOT NULL CHECK (unit IN ('stamp', 'point')),
  amount        bigint NOT NULL CHECK (amount <> 0),
  balance       bigint NOT NULL,  -- running, after this entry
  purchase_id   uuid REFERENCES purchases,
  redemption_id uuid REFERENCES redemptions,
  at            timestamptz NOT NULL,
  CONSTRAINT ledger_cause_check CHECK (num_nonnulls(purchase_id, redemption_id) = 1 OR kind IN ('expire', 'adjust')),
  CONSTRAINT ledger_redemption_once UNIQUE (redemption_id, kind),
  -- One earning of a purchase in a campaign.
  CONSTRAINT ledger_purchase_once UNIQUE (purchase_id, enrollment_id, kind, unit)
);
CREATE INDEX ledger_enrollment_idx ON ledger (enrollment_id, id);
CREATE INDEX ledger_campaign_idx ON ledger (campaign_id, at);

-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE evidence_codes (
  code        text PRIMARY KEY CHECK (code ~ '^E[0-9A-HJKMNP-TV-Z]{7}$'),
  person_id   uuid NOT NULL REFERENCES consumers,
  issued_at   timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  used_at     timestamptz,
  purchase_id uuid REFERENCES purchases,
  CONSTRAINT evidence_codes_use_check CHECK ((used_at IS NULL) = (purchase_id IS NULL))
);
CREATE INDEX evidence_codes_person_idx ON evidence_codes (person_id, issued_at DESC);

-- What a tendero wants to buy again; the brand sees it, no money moves.
CREATE TABLE reorders (
  id         uuid PRIMARY KEY,
  shop_id    uuid NOT NULL REFERENCES shops,
  person_id  uuid NOT NULL REFERENCES persons,
  product_id uuid REFERENCES products,  -- NULL: all that Qoa sold there lately
  quantity   integer CHECK (quantity BETWEEN 1 AND 9999),
  note       text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
  created_at timestamptz NOT NULL
);
CREATE INDEX reorders_created_idx ON reorders (created_at);

-- A person's request that needs a human: a missing stamp, a complaint.
CREATE TABLE cases (
  id         uuid PRIMARY KEY,
  person_id  uuid NOT NULL REFERENCES persons,
  kind       text NOT NULL CHECK (kind IN ('missing_stamp', 'human')),
  note       text NOT NULL DEFAULT '' CHECK (length(note) <= 2000),
  created_at timestamptz NOT NULL,
  closed_at  timestamptz
);
CREATE INDEX cases_open_idx ON cases (created_at) WHERE closed_at IS NULL;

-- One phone's dialogue. The row is the lock of a turn.
CREATE TABLE conversations (
  person_id  uuid PRIMARY KEY REFERENCES persons,
  session    jsonb,
  updated_at timestamptz NOT NULL
);

CREATE TABLE inbox (
  id          uuid PRIMARY KEY,
  seq         bigint GENERATED ALWAYS AS IDENTITY,
  channel     text NOT NULL CHECK (channel IN ('sim', 'whatsapp', 'cloud')),
  address_id  uuid REFERENCES addresses ON DELETE SET NULL,  -- the chat; NULL once erased
  message_id  text NOT NULL CHECK (length(message_id) BETWEEN 1 AND 128),
  person_id   uuid NOT NULL REFERENCES persons,
  kind        text NOT NULL CHECK (kind IN ('text', 'image', 'audio', 'video', 'sticker', 'document', 'location', 'contact', 'unsupported')),
  text        text NOT NULL DEFAULT '',
  status      text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'done', 'parked')),
  attempts    smallint NOT NULL DEFAULT 0,
  problem     text NOT NULL DEFAULT '',
  trace_id    text NOT NULL DEFAULT '',
  received_at timestamptz NOT NULL,
  done_at     timestamptz,
  -- The same message is the same message forever (law 2).
  CONSTRAINT inbox_message_key UNIQUE (channel, address_id, message_id)
);
-- A turn takes a person's oldest; the sweep finds all that wait.
CREATE INDEX inbox_pending_idx ON inbox (person_id, seq) WHERE status = 'pending';
-- What an admin looks after.
CREATE INDEX inbox_parked_idx ON inbox (received_at) WHERE status = 'parked';
CREATE INDEX inbox_person_idx ON inbox (person_id, seq);
CREATE INDEX inbox_address_idx ON inbox (address_id);

CREATE TABLE outbox (
  id            uuid PRIMARY KEY,
  seq           bigint GENERATED ALWAYS AS IDENTITY,
  person_id     uuid NOT NULL REFERENCES persons,
  -- Where to; NULL for a notice: the chat that the person last wrote in.
  channel       text,
  address_id    uuid REFERENCES addresses ON DELETE SET NULL,
  message_id    text NOT NULL,
  lane          text NOT NULL CHECK (lane IN ('reply', 'receipt', 'service', 'promotion')),
  -- Either a rendered text, or a template with its variables.
  body          text,
  template      text,
  vars          jsonb,
  media         text NOT NULL DEFAULT '' CHECK (media IN ('', 'card_qr', 'shop_qr')),
  media_ref     text NOT NULL DEFAULT '',
  status        text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sent', 'failed', 'dropped')),
  attempts      smallint NOT NULL DEFAULT 0,
  problem       text NOT NULL DEFAULT '',
  cause         text,               -- natural key of what the bot starts by itself
  inbox_id      uuid REFERENCES inbox,
  trace_id      text NOT NULL DEFAULT '',
  created_at    timestamptz NOT NULL,
  due_at        timestamptz NOT NULL,
  -- NULL: any hour. Else only by day in this time zone (law 8).
  zone          text,
  claimed_until timestamptz,
  sent_at       timestamptz,
  CONSTRAINT outbox_content_check CHECK (num_nonnulls(body, template) >= 1),
  CONSTRAINT outbox_message_key UNIQUE (message_id),
  CONSTRAINT outbox_cause_key UNIQUE (cause),
  CONSTRAINT outbox_one_answer UNIQUE (inbox_id)
);
-- Delivery takes a person's oldest; the sweep finds all that wait.
CREATE INDEX outbox_queued_idx ON outbox (person_id, seq) WHERE status = 'queued';
CREATE INDEX outbox_due_idx ON outbox (due_at) WHERE status = 'queued';
-- Dead letters.
CREATE INDEX outbox_failed_idx ON outbox (created_at) WHERE status = 'failed';
CREATE INDEX outbox_person_idx ON outbox (person_id, seq);
CREATE INDEX outbox_address_idx ON outbox (address_id);

-- The simulator's wire: what a phone would show. The key makes a repeated
-- delivery invisible, as WhatsApp does with a repeated message ID.
CREATE TABLE sim_messages (
  seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  chat       text NOT NULL,
  direction  text NOT NULL CHECK (direction IN ('in', 'out')),
  message_id text NOT NULL,
  text       text NOT NULL,
  media_type text NOT NULL DEFAULT '',
  media      text NOT NULL DEFAULT '',
  media_ref  text NOT NULL DEFAULT '',
  at         timestamptz NOT NULL,
  CONSTRAINT sim_messages_key UNIQUE (chat, direction, message_id)
);

-- Which run of which job has been done: many schedulers, one run (law 4).
CREATE TABLE job_runs (
  job        text NOT NULL,
  slot       text NOT NULL,
  created_at timestamptz NOT NULL,
  messages   integer NOT NULL,
  PRIMARY KEY (job, slot)
);

-- The rollup that reports read: a day of a campaign's product in a shop.
CREATE TABLE sales_daily (
  campaign_id   uuid NOT NULL REFERENCES campaigns,
  day           date NOT NULL,    -- of the shop's time zone
  shop_id       uuid NOT NULL REFERENCES shops,
  product_id    uuid NOT NULL REFERENCES products,
  purchases     bigint NOT NULL,
  units         bigint NOT NULL,
  revenue_cents bigint NOT NULL,
  estimated_cents bigint NOT NULL,  -- of the revenue, at reference prices
  PRIMARY KEY (campaign_id, day, shop_id, product_id)
);

-- The rollup that counts people: a day of a consumer in a campaign at a shop.
CREATE TABLE activity_daily (
  campaign_id uuid NOT NULL REFERENCES campaigns,
  day         date NOT NULL,      -- of the shop's time zone
  shop_id     uuid NOT NULL REFERENCES shops,
  person_id   uuid NOT NULL REFERENCES consumers,
  purchases   bigint NOT NULL,    -- with at least one PLI
  given       bigint NOT NULL,    -- stamps or points
  PRIMARY KEY (campaign_id, day, shop_id, person_id)
);

-- Up to which purchase the rollups were made.
CREATE TABLE rollups (
  name text PRIMARY KEY,
  upto uuid NOT NULL,          -- the newest purchase then
  seen bigint NOT NULL,        -- how many there were of its last minute, itself included
  at   timestamptz NOT NULL
);

-- Campaigns that changed since their rollups were made: all their days are made
-- anew. Rows are only added and taken away, so that who changes a campaign and
-- who rolls up never wait for each other; no foreign key, for the same reason.
CREATE TABLE rollup_changes (
  seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign_id uuid NOT NULL
);

-- +goose Down
DROP TABLE rollup_changes, rollups, activity_daily, sales_daily, job_runs, sim_messages, outbox, inbox, conversations, cases, reorders,
  evidence_codes, ledger, redemptions, purchase_items, purchases, causes, earning_counters, enrollments, rewards,
  campaign_shops, campaign_products, campaigns, otps, tokens, staff, cards, tenderos, consumers,
  consents, addresses, persons, shop_visits, shops, products, brands, cpgs;
DROP FUNCTION refuse_change;
