-- +goose Up
-- Every part of a campaign becomes configurable: its terms are one document
-- (loyalty.Terms), versioned. The columns that SQL asks for stay, as the
-- projection of the version that holds.

-- ── Campaigns ──────────────────────────────────────────────────────────────
ALTER TABLE campaigns
  ALTER COLUMN cpg_id DROP NOT NULL,
  ADD COLUMN shop_id uuid REFERENCES shops,   -- the owner, where no CPG is
  ADD COLUMN terms jsonb,
  DROP CONSTRAINT campaigns_earning_check,
  DROP CONSTRAINT campaigns_scheme_check,
  DROP CONSTRAINT campaigns_status_check;
UPDATE campaigns c SET terms = jsonb_strip_nulls(jsonb_build_object(
  'name', name, 'scheme', scheme, 'enrolment', enrolment, 'per_shop', false, 'goal', goal,
  'starts_at', starts_at, 'ends_at', ends_at, 'all_shops', all_shops,
  'product_ids', (SELECT jsonb_agg(p.product_id ORDER BY p.product_id) FROM campaign_products p WHERE p.campaign_id = c.id),
  'shop_ids', (SELECT jsonb_agg(s.shop_id ORDER BY s.shop_id) FROM campaign_shops s WHERE s.campaign_id = c.id),
  'earn', CASE WHEN per_unit > 0 THEN jsonb_build_array(jsonb_build_object('unit', rtrim(scheme, 's'), 'per', 'unit', 'amount', per_unit)) ELSE '[]' END
       || CASE WHEN per_peso > 0 THEN jsonb_build_array(jsonb_build_object('unit', 'point', 'per', 'peso', 'amount', per_peso)) ELSE '[]' END,
  'limits', CASE WHEN max_per_purchase > 0 THEN jsonb_build_array(jsonb_build_object('id', 'purchase', 'max', max_per_purchase, 'period', 'purchase')) ELSE '[]' END
         || CASE WHEN max_per_day > 0 THEN jsonb_build_array(jsonb_build_object('id', 'day', 'max', max_per_day, 'period', 'day')) ELSE '[]' END,
  'margin_bps', margin_bps, 'fee_cents', fee_cents, 'nudge_quiet_days', nudge_quiet_days, 'nudge_gap_days', nudge_gap_days));
ALTER TABLE campaigns
  ALTER COLUMN terms SET NOT NULL,
  DROP COLUMN per_unit, DROP COLUMN per_peso, DROP COLUMN max_per_purchase, DROP COLUMN max_per_day,
  ADD CONSTRAINT campaigns_scheme_check CHECK (scheme IN ('stamps', 'points', 'both')),
  ADD CONSTRAINT campaigns_status_check CHECK (status IN ('draft', 'in_review', 'rejected', 'approved', 'active', 'paused', 'ended')),
  ADD CONSTRAINT campaigns_owner_check CHECK (num_nonnulls(cpg_id, shop_id) = 1),
  ADD CONSTRAINT campaigns_of_shop_key UNIQUE (id, shop_id);
CREATE INDEX campaigns_shop_idx ON campaigns (shop_id) WHERE shop_id IS NOT NULL;

-- Every change, with its author and what it changed. Terms hold from a moment;
-- in force is, of those that hold, the one that began to hold last.
CREATE TABLE campaign_versions (
  campaign_id uuid NOT NULL REFERENCES campaigns,
  version     integer NOT NULL,
  action      text NOT NULL CHECK (action IN ('created', 'terms', 'status', 'reward')),
  holds_from  timestamptz NOT NULL,
  terms       jsonb NOT NULL,
  status      text NOT NULL,           -- after it
  diff        jsonb NOT NULL,          -- [{"field", "from", "to"}]
  author      text NOT NULL,           -- "staff:…", "person:…", "system"
  reason      text NOT NULL DEFAULT '' CHECK (length(reason) <= 500),
  created_at  timestamptz NOT NULL,
  cancelled_at timestamptz,            -- of a version that was withdrawn before it held
  PRIMARY KEY (campaign_id, version)
);
INSERT INTO campaign_versions (campaign_id, version, action, holds_from, terms, status, diff, author, created_at)
SELECT id, version, 'created', least(created_at, starts_at), terms, status, '[]', 'system', created_at FROM campaigns;

-- The PLIs, the shops that take part: made from the terms by the store, for SQL.
-- A row names the owner of its campaign, so that the keys let only a CPG's own
-- products into its campaigns; a shop's may have any.
ALTER TABLE campaign_products
  ALTER COLUMN cpg_id DROP NOT NULL,
  ADD COLUMN shop_id uuid,
  ADD CONSTRAINT campaign_products_owner_check CHECK (num_nonnulls(cpg_id, shop_id) = 1),
  ADD CONSTRAINT campaign_products_shop_fkey FOREIGN KEY (campaign_id, shop_id) REFERENCES campaigns (id, shop_id),
  ADD CONSTRAINT campaign_products_product_fkey FOREIGN KEY (product_id) REFERENCES products;

-- Shops that were invited to a campaign or joined it by themselves.
CREATE TABLE campaign_participants (
  campaign_id uuid NOT NULL REFERENCES campaigns,
  shop_id     uuid NOT NULL REFERENCES shops,
  status      text NOT NULL CHECK (status IN ('invited', 'joined', 'declined', 'left')),
  actor       text NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  PRIMARY KEY (campaign_id, shop_id)
);
CREATE INDEX campaign_participants_shop_idx ON campaign_participants (shop_id);

-- Which CPG sells in which shop: made by the first sale, or by hand. One that was
-- ended keeps the shop out of all the CPG's campaigns.
CREATE TABLE cpg_shops (
  cpg_id     uuid NOT NULL REFERENCES cpgs,
  shop_id    uuid NOT NULL REFERENCES shops,
  source     text NOT NULL CHECK (source IN ('sale', 'hand')),
  active     boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (cpg_id, shop_id)
);
CREATE INDEX cpg_shops_shop_idx ON cpg_shops (shop_id);
INSERT INTO cpg_shops (cpg_id, shop_id, source, created_at, updated_at)
SELECT pr.cpg_id, p.shop_id, 'sale', min(p.recorded_at), min(p.recorded_at)
FROM purchases p JOIN purchase_items i ON i.purchase_id = p.id JOIN products pr ON pr.id = i.product_id GROUP BY 1, 2;

-- The CPG's money: what its rewards may cost in all, and what is promised of it.
ALTER TABLE cpgs
  ADD COLUMN budget_cents bigint CHECK (budget_cents >= 0),  -- NULL: no bound
  ADD COLUMN reserved_cents bigint NOT NULL DEFAULT 0 CHECK (reserved_cents >= 0);
UPDATE cpgs g SET reserved_cents = d.cost FROM (
  SELECT c.cpg_id, sum(d.cost_cents) AS cost FROM redemptions d JOIN campaigns c ON c.id = d.campaign_id
  WHERE d.status IN ('requested', 'delivered') GROUP BY 1) d WHERE d.cpg_id = g.id;
ALTER TABLE cpgs ADD CONSTRAINT cpgs_never_overspent CHECK (reserved_cents <= budget_cents);

-- What a campaign may give in all ("stamp", "point", "reward"), and limits that
-- count all cards of a shop ("limit:shop:hour"). used <= cap is the law itself.
CREATE TABLE quotas (
  campaign_id uuid NOT NULL REFERENCES campaigns,
  name        text NOT NULL,
  cap         bigint NOT NULL CHECK (cap >= 0),
  used        bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
  announced   smallint NOT NULL DEFAULT 0 CHECK (announced IN (0, 80, 100)),  -- percent, to the owner
  PRIMARY KEY (campaign_id, name),
  CONSTRAINT quotas_never_overspent CHECK (used <= cap)
);

-- Groups of consumers that a campaign or a reward may be limited to: named by
-- hand, or made of criteria by a job.
CREATE TABLE segments (
  id         uuid PRIMARY KEY,
  cpg_id     uuid REFERENCES cpgs,
  shop_id    uuid REFERENCES shops,
  name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  criteria   jsonb,                    -- NULL: members are named by hand
  made_at    timestamptz,              -- when the members were last made of the criteria
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT segments_owner_check CHECK (num_nonnulls(cpg_id, shop_id) = 1),
  CONSTRAINT segments_name_key UNIQUE NULLS NOT DISTINCT (cpg_id, shop_id, name)
);
CREATE TABLE segment_members (
  segment_id uuid NOT NULL REFERENCES segments,
  person_id  uuid NOT NULL REFERENCES consumers,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (person_id, segment_id)  -- a purchase asks which segments a person is in
);
CREATE INDEX segment_members_segment_idx ON segment_members (segment_id);

-- ── Rewards ────────────────────────────────────────────────────────────────
ALTER TABLE rewards
  ADD COLUMN unit text CHECK (unit IN ('stamp', 'point')),
  ADD COLUMN per_consumer integer CHECK (per_consumer > 0),   -- NULL: as many as the balance pays
  ADD COLUMN starts_at timestamptz,
  ADD COLUMN ends_at timestamptz,
  ADD COLUMN code_days integer NOT NULL DEFAULT 7 CHECK (code_days BETWEEN 1 AND 90),  -- how long a request waits
  ADD COLUMN min_tier text NOT NULL DEFAULT '',
  ADD COLUMN segment_id uuid REFERENCES segments,
  ADD COLUMN shop_ids uuid[] NOT NULL DEFAULT '{}',           -- where it is handed out; empty: at the campaign's shops
  ADD CONSTRAINT rewards_dates_check CHECK (ends_at > starts_at);
UPDATE rewards r SET unit = rtrim(c.scheme, 's') FROM campaigns c WHERE c.id = r.campaign_id;
ALTER TABLE rewards ALTER COLUMN unit SET NOT NULL;

-- ── Enrollments ────────────────────────────────────────────────────────────
ALTER TABLE enrollments
  ADD COLUMN standing jsonb,             -- loyalty.Standing; NULL: nothing yet
  -- The UTC day of last_earned_at, or an earlier one: nudges catch up with it, so
  -- that most purchases touch no index of the enrollment (HOT).
  ADD COLUMN last_earned_on date,
  ADD COLUMN next_expiry_at timestamptz, -- when some of it ends next; NULL: never
  ADD COLUMN expiry_warned_for timestamptz;
UPDATE enrollments e SET last_earned_on = (last_earned_at AT TIME ZONE 'UTC')::date,
  standing = jsonb_strip_nulls(jsonb_build_object(
    'purchases', (SELECT count(DISTINCT l.purchase_id) FROM ledger l WHERE l.enrollment_id = e.id AND l.kind = 'earn'),
    'counters', (SELECT jsonb_object_agg(n.period, n.earned) FROM earning_counters n WHERE n.enrollment_id = e.id)));
DROP TABLE earning_counters;
DROP INDEX enrollments_quiet_idx;
CREATE INDEX enrollments_quiet_idx ON enrollments (campaign_id, last_earned_on);
CREATE INDEX enrollments_expiry_idx ON enrollments (next_expiry_at) WHERE next_expiry_at IS NOT NULL;
ALTER TABLE enrollments SET (fillfactor = 80);
ALTER TABLE enrollments ADD CONSTRAINT enrollments_of_campaign_key UNIQUE (id, campaign_id);

-- ── Purchases ──────────────────────────────────────────────────────────────
ALTER TABLE purchases
  ADD COLUMN basis jsonb,                -- what each campaign judged it on: {campaign: loyalty.Basis}
  ADD COLUMN pending_campaigns uuid[],   -- that wait for the consumer's yes
  ADD COLUMN matures_at timestamptz,     -- when they do without it; NULL: never
  ADD COLUMN settled jsonb,              -- the receipt after that; the first answer stays what it was
  ADD CONSTRAINT purchases_pending_check CHECK ((status = 'pending') = (pending_campaigns IS NOT NULL));
-- What was bought before is taken back by the version that is there.
UPDATE purchases p SET basis = b.basis FROM (
  SELECT l.purchase_id, jsonb_object_agg(l.campaign_id::text, jsonb_build_object('v', c.version)) AS basis
  FROM ledger l JOIN campaigns c ON c.id = l.campaign_id WHERE l.kind = 'earn' AND l.purchase_id IS NOT NULL GROUP BY 1) b
WHERE b.purchase_id = p.id;
CREATE INDEX purchases_pending_idx ON purchases (person_id, id) WHERE status = 'pending';
CREATE INDEX purchases_maturing_idx ON purchases (matures_at) WHERE status = 'pending';
ALTER TABLE purchase_items
  ADD COLUMN returned integer NOT NULL DEFAULT 0,
  ADD CONSTRAINT purchase_items_returned_check CHECK (returned BETWEEN 0 AND quantity);

CREATE TABLE reversals (
  id          uuid PRIMARY KEY,
  purchase_id uuid NOT NULL REFERENCES purchases,
  reason      text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
  items       jsonb NOT NULL,            -- [{"line", "quantity"}]
  answer      jsonb NOT NULL,            -- so that a repeat says the same
  actor       text NOT NULL,
  created_at  timestamptz NOT NULL
);
CREATE INDEX reversals_purchase_idx ON reversals (purchase_id, id);

CREATE TABLE adjustments (
  id            uuid PRIMARY KEY,
  enrollment_id uuid NOT NULL REFERENCES enrollments,
  unit          text NOT NULL CHECK (unit IN ('stamp', 'point')),
  amount        bigint NOT NULL CHECK (amount <> 0),
  reason        text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
  actor         text NOT NULL,
  created_at    timestamptz NOT NULL
);
CREATE INDEX adjustments_enrollment_idx ON adjustments (enrollment_id, id);

-- ── Redemptions ────────────────────────────────────────────────────────────
ALTER TABLE redemptions
  ADD COLUMN enrollment_id uuid,
  ADD COLUMN tier_before jsonb;          -- what a tier lost by it, where it begins anew with each reward
UPDATE redemptions d SET enrollment_id = e.id FROM enrollments e
  WHERE e.campaign_id = d.campaign_id AND e.person_id = d.person_id AND e.shop_id IS NULL;
ALTER TABLE redemptions
  ALTER COLUMN enrollment_id SET NOT NULL,
  ADD CONSTRAINT redemptions_enrollment_fkey FOREIGN KEY (enrollment_id, campaign_id) REFERENCES enrollments (id, campaign_id);

-- An enrollment's, for verifying it.
CREATE INDEX redemptions_enrollment_idx ON redemptions (enrollment_id);

-- ── The ledger ─────────────────────────────────────────────────────────────
-- The enrollment says which campaign: one key for both, on a row that nobody
-- else's purchase touches.
ALTER TABLE ledger
  DROP CONSTRAINT ledger_enrollment_id_fkey,
  DROP CONSTRAINT ledger_campaign_id_fkey,
  DROP CONSTRAINT ledger_cause_check,
  DROP CONSTRAINT ledger_redemption_once,
  DROP CONSTRAINT ledger_purchase_once,
  ADD COLUMN reversal_id uuid REFERENCES reversals,      -- beside the purchase that it takes back
  ADD COLUMN adjustment_id uuid REFERENCES adjustments,
  ADD COLUMN expires_at timestamptz,                     -- when what it gave ends; NULL: never
  ADD CONSTRAINT ledger_enrollment_fkey FOREIGN KEY (enrollment_id, campaign_id) REFERENCES enrollments (id, campaign_id),
  -- Every entry says what caused it; expiry is caused by time.
  ADD CONSTRAINT ledger_cause_check CHECK (CASE kind
    WHEN 'earn' THEN purchase_id IS NOT NULL AND num_nonnulls(redemption_id, reversal_id, adjustment_id) = 0
    WHEN 'redeem' THEN redemption_id IS NOT NULL AND num_nonnulls(purchase_id, reversal_id, adjustment_id) = 0
    WHEN 'reverse' THEN adjustment_id IS NULL AND (redemption_id IS NULL) = (purchase_id IS NOT NULL AND reversal_id IS NOT NULL)
    WHEN 'adjust' THEN adjustment_id IS NOT NULL AND num_nonnulls(purchase_id, redemption_id, reversal_id) = 0
    ELSE num_nonnulls(purchase_id, redemption_id, reversal_id, adjustment_id) = 0 END);
DROP INDEX ledger_campaign_idx;
-- A purchase earns once in an enrollment, and each reversal takes back once.
CREATE UNIQUE INDEX ledger_purchase_once ON ledger (purchase_id, enrollment_id, unit, reversal_id) NULLS NOT DISTINCT WHERE purchase_id IS NOT NULL;
CREATE UNIQUE INDEX ledger_redemption_once ON ledger (redemption_id, kind) WHERE redemption_id IS NOT NULL;
CREATE UNIQUE INDEX ledger_adjustment_once ON ledger (adjustment_id) WHERE adjustment_id IS NOT NULL;

-- ── Messages ───────────────────────────────────────────────────────────────
-- A receipt has its purchase as its cause: only what the bot starts by itself
-- needs a key here. A message's ID is made of the row's.
ALTER TABLE outbox
  DROP CONSTRAINT outbox_cause_key,
  DROP CONSTRAINT outbox_one_answer,
  DROP CONSTRAINT outbox_message_key;
CREATE UNIQUE INDEX outbox_cause_key ON outbox (cause) WHERE cause IS NOT NULL;
CREATE UNIQUE INDEX outbox_one_answer ON outbox (inbox_id) WHERE inbox_id IS NOT NULL;
DROP INDEX outbox_address_idx;
CREATE INDEX outbox_address_idx ON outbox (address_id) WHERE address_id IS NOT NULL;

-- ── Rollups ────────────────────────────────────────────────────────────────
-- A reversal, or a purchase that was confirmed, changes one day of all campaigns.
ALTER TABLE rollup_changes
  ALTER COLUMN campaign_id DROP NOT NULL,
  ADD COLUMN day date,
  ADD CONSTRAINT rollup_changes_check CHECK (num_nonnulls(campaign_id, day) = 1);

-- ── Generations ────────────────────────────────────────────────────────────
-- Processes keep rules in memory. A purchase reads these numbers in its own
-- transaction, and so knows whether what it has in memory is what is committed.
CREATE TABLE generations (
  name       text PRIMARY KEY,
  generation bigint NOT NULL,
  bumped_by  xid8            -- the transaction that raised it: once is enough
);
INSERT INTO generations (name, generation) VALUES ('catalogue', 1), ('rules', 1), ('shops', 1);

-- +goose StatementBegin
-- Runs when the transaction commits, after all its other work: so nobody holds
-- these rows for long, nor waits for another lock while holding them.
CREATE FUNCTION bump_generation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE generations SET generation = generation + 1, bumped_by = pg_current_xact_id()
  WHERE name = TG_ARGV[0] AND bumped_by IS DISTINCT FROM pg_current_xact_id();
  IF FOUND THEN
    PERFORM pg_notify('qoa_generations', TG_ARGV[0]);
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER campaigns_generation AFTER INSERT OR UPDATE OR DELETE ON campaigns
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_generation('rules');
CREATE CONSTRAINT TRIGGER campaign_versions_generation AFTER INSERT OR UPDATE OR DELETE ON campaign_versions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_generation('rules');
CREATE CONSTRAINT TRIGGER campaign_shops_generation AFTER INSERT OR UPDATE OR DELETE ON campaign_shops
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_generation('rules');
CREATE CONSTRAINT TRIGGER campaign_participants_generation AFTER INSERT OR UPDATE OR DELETE ON campaign_participants
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_generation('rules');
CREATE CONSTRAINT TRIGGER cpg_shops_generation AFTER UPDATE OR DELETE ON cpg_shops
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_generation('rules');
CREATE CONSTRAINT TRIGGER cpgs_generation AFTER UPDATE OF active ON cpgs
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_generation('rules');
-- Not when a reward is taken: that happens all the time and changes no rule.
CREATE CONSTRAINT TRIGGER rewards_generation AFTER INSERT OR DELETE OR UPDATE OF name, threshold, unit, active ON rewards
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_generation('rules');
CREATE CONSTRAINT TRIGGER products_generation AFTER INSERT OR UPDATE OR DELETE ON products
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_generation('catalogue');
CREATE CONSTRAINT TRIGGER shops_generation AFTER INSERT OR UPDATE OR DELETE ON shops
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bump_generation('shops');

-- +goose Down
DROP TRIGGER campaigns_generation ON campaigns;
DROP TRIGGER campaign_versions_generation ON campaign_versions;
DROP TRIGGER campaign_shops_generation ON campaign_shops;
DROP TRIGGER campaign_participants_generation ON campaign_participants;
DROP TRIGGER cpg_shops_generation ON cpg_shops;
DROP TRIGGER cpgs_generation ON cpgs;
DROP TRIGGER rewards_generation ON rewards;
DROP TRIGGER products_generation ON products;
DROP TRIGGER shops_generation ON shops;
DROP FUNCTION bump_generation;
DROP TABLE generations;

DELETE FROM rollup_changes WHERE campaign_id IS NULL;
ALTER TABLE rollup_changes DROP CONSTRAINT rollup_changes_check, DROP COLUMN day, ALTER COLUMN campaign_id SET NOT NULL;

DROP INDEX outbox_cause_key, outbox_one_answer, outbox_address_idx;
CREATE INDEX outbox_address_idx ON outbox (address_id);
ALTER TABLE outbox
  ADD CONSTRAINT outbox_message_key UNIQUE (message_id),
  ADD CONSTRAINT outbox_cause_key UNIQUE (cause),
  ADD CONSTRAINT outbox_one_answer UNIQUE (inbox_id);

-- The older schema knows no reversals and no adjustments: it keeps its ledger
-- only where there were none.
-- +goose StatementBegin
DO $$ BEGIN
  IF EXISTS (SELECT FROM ledger WHERE reversal_id IS NOT NULL OR adjustment_id IS NOT NULL)
    OR EXISTS (SELECT FROM campaigns WHERE shop_id IS NOT NULL OR scheme = 'both') THEN
    RAISE EXCEPTION 'the older schema cannot hold reversals, adjustments, campaigns of shops, or of both schemes';
  END IF;
END $$;
-- +goose StatementEnd
DROP INDEX ledger_purchase_once, ledger_redemption_once, ledger_adjustment_once;
ALTER TABLE ledger
  DROP CONSTRAINT ledger_enrollment_fkey, DROP CONSTRAINT ledger_cause_check,
  DROP COLUMN reversal_id, DROP COLUMN adjustment_id, DROP COLUMN expires_at,
  ADD CONSTRAINT ledger_enrollment_id_fkey FOREIGN KEY (enrollment_id) REFERENCES enrollments,
  ADD CONSTRAINT ledger_campaign_id_fkey FOREIGN KEY (campaign_id) REFERENCES campaigns,
  ADD CONSTRAINT ledger_cause_check CHECK (num_nonnulls(purchase_id, redemption_id) = 1 OR kind IN ('expire', 'adjust')),
  ADD CONSTRAINT ledger_redemption_once UNIQUE (redemption_id, kind),
  ADD CONSTRAINT ledger_purchase_once UNIQUE (purchase_id, enrollment_id, kind, unit);
CREATE INDEX ledger_campaign_idx ON ledger (campaign_id, at);
DROP INDEX redemptions_enrollment_idx;
ALTER TABLE redemptions DROP CONSTRAINT redemptions_enrollment_fkey, DROP COLUMN enrollment_id, DROP COLUMN tier_before;
DROP TABLE adjustments, reversals;
ALTER TABLE purchase_items DROP CONSTRAINT purchase_items_returned_check, DROP COLUMN returned;
DROP INDEX purchases_pending_idx, purchases_maturing_idx;
ALTER TABLE purchases DROP CONSTRAINT purchases_pending_check, DROP COLUMN basis, DROP COLUMN pending_campaigns, DROP COLUMN matures_at, DROP COLUMN settled;
DROP INDEX enrollments_quiet_idx, enrollments_expiry_idx;
CREATE INDEX enrollments_quiet_idx ON enrollments (campaign_id, last_earned_at);
CREATE TABLE earning_counters (
  enrollment_id uuid NOT NULL REFERENCES enrollments,
  period        text NOT NULL,
  earned        bigint NOT NULL CHECK (earned >= 0),
  PRIMARY KEY (enrollment_id, period)
);
INSERT INTO earning_counters (enrollment_id, period, earned)
SELECT e.id, c.key, c.value::bigint FROM enrollments e, jsonb_each_text(e.standing->'counters') c WHERE c.key LIKE 'day:%';
ALTER TABLE enrollments DROP CONSTRAINT enrollments_of_campaign_key, DROP COLUMN standing, DROP COLUMN last_earned_on,
  DROP COLUMN next_expiry_at, DROP COLUMN expiry_warned_for;
ALTER TABLE enrollments RESET (fillfactor);
ALTER TABLE rewards DROP CONSTRAINT rewards_dates_check, DROP COLUMN unit, DROP COLUMN per_consumer, DROP COLUMN starts_at, DROP COLUMN ends_at,
  DROP COLUMN code_days, DROP COLUMN min_tier, DROP COLUMN segment_id, DROP COLUMN shop_ids;
DROP TABLE segment_members, segments, quotas;
ALTER TABLE cpgs DROP CONSTRAINT cpgs_never_overspent, DROP COLUMN budget_cents, DROP COLUMN reserved_cents;
DROP TABLE cpg_shops, campaign_participants, campaign_versions;
ALTER TABLE campaign_products
  DROP CONSTRAINT campaign_products_owner_check, DROP CONSTRAINT campaign_products_shop_fkey, DROP CONSTRAINT campaign_products_product_fkey,
  DROP COLUMN shop_id, ALTER COLUMN cpg_id SET NOT NULL;
DROP INDEX campaigns_shop_idx;
ALTER TABLE campaigns
  DROP CONSTRAINT campaigns_scheme_check, DROP CONSTRAINT campaigns_status_check, DROP CONSTRAINT campaigns_owner_check, DROP CONSTRAINT campaigns_of_shop_key,
  ADD COLUMN per_unit bigint, ADD COLUMN per_peso bigint, ADD COLUMN max_per_purchase bigint CHECK (max_per_purchase > 0), ADD COLUMN max_per_day bigint CHECK (max_per_day > 0);
UPDATE campaigns SET
  status = CASE WHEN status IN ('in_review', 'rejected', 'approved') THEN 'draft' ELSE status END,
  per_unit = coalesce((SELECT max((w->>'amount')::bigint) FROM jsonb_array_elements(terms->'earn') w WHERE w->>'per' <> 'peso'), CASE scheme WHEN 'stamps' THEN 1 ELSE 0 END),
  per_peso = coalesce((SELECT max((w->>'amount')::bigint) FROM jsonb_array_elements(terms->'earn') w WHERE w->>'per' = 'peso'), 0),
  max_per_purchase = (SELECT min((l->>'max')::bigint) FROM jsonb_array_elements(coalesce(terms->'limits', '[]')) l WHERE l->>'period' = 'purchase'),
  max_per_day = (SELECT min((l->>'max')::bigint) FROM jsonb_array_elements(coalesce(terms->'limits', '[]')) l WHERE l->>'period' = 'day');
ALTER TABLE campaigns
  ALTER COLUMN per_unit SET NOT NULL, ALTER COLUMN per_peso SET NOT NULL, ALTER COLUMN cpg_id SET NOT NULL,
  DROP COLUMN shop_id, DROP COLUMN terms,
  ADD CONSTRAINT campaigns_scheme_check CHECK (scheme IN ('stamps', 'points')),
  ADD CONSTRAINT campaigns_status_check CHECK (status IN ('draft', 'active', 'paused', 'ended')),
  ADD CONSTRAINT campaigns_earning_check CHECK (CASE scheme WHEN 'stamps' THEN per_unit > 0 AND per_peso = 0 ELSE per_unit + per_peso > 0 END);
