-- +goose Up
-- WhatsApp: numbers that processes lease, persons with many addresses who may
-- turn out to be one, messages of all kinds, and what becomes of those sent.

-- ── Numbers ────────────────────────────────────────────────────────────────
CREATE TABLE whatsapp_numbers (
  id          uuid PRIMARY KEY,
  label       text NOT NULL CHECK (length(label) BETWEEN 1 AND 80),
  phone       text,                      -- the bot's own, known once it is paired
  jid         text NOT NULL DEFAULT '',  -- the device: its keys are whatsmeow's; '' before pairing, and after logging out
  status      text NOT NULL CHECK (status IN ('pairing', 'connected', 'disconnected', 'logged_out', 'banned', 'restricted', 'outdated', 'replaced')),
  reason      text NOT NULL DEFAULT '' CHECK (length(reason) <= 100),  -- a code, "101"
  qr          text NOT NULL DEFAULT '',
  qr_until    timestamptz,
  until_at    timestamptz,               -- the end of a ban or of a restriction
  -- Who runs it, and until when. Each owner has a higher fence than the one before.
  owner       text NOT NULL DEFAULT '',
  fence       bigint NOT NULL DEFAULT 0,
  lease_until timestamptz,
  paired_at   timestamptz,
  alive_at    timestamptz,               -- the last round trip
  shop_id     uuid REFERENCES shops,     -- whose it is; NULL: Qoa's
  cpg_id      uuid REFERENCES cpgs,
  next_start_at timestamptz,             -- the bot starts nothing before
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  deleted_at  timestamptz,               -- kept: messages point to it
  CONSTRAINT whatsapp_numbers_owner_check CHECK ((owner = '') = (lease_until IS NULL)),
  CONSTRAINT whatsapp_numbers_tenant_check CHECK (num_nonnulls(shop_id, cpg_id) <= 1)
);
-- One device is one number.
CREATE UNIQUE INDEX whatsapp_numbers_jid_key ON whatsapp_numbers (jid) WHERE jid <> '';

-- ── Identity ───────────────────────────────────────────────────────────────
ALTER TABLE addresses
  DROP CONSTRAINT addresses_kind_check,
  ADD CONSTRAINT addresses_kind_check CHECK (kind IN ('phone', 'lid', 'scoped')),
  ADD COLUMN wire text;                  -- the chat as it was written from last, "5215512345678@s.whatsapp.net"

-- A person who turned out to be another, and stays for what refers to it.
ALTER TABLE persons
  ADD COLUMN merged_into uuid REFERENCES persons,
  ADD COLUMN number_id uuid REFERENCES whatsapp_numbers;  -- written to last; NULL where the channel has none
CREATE INDEX persons_merged_idx ON persons (merged_into) WHERE merged_into IS NOT NULL;
-- Its card goes on being read: as that of the other.
ALTER TABLE consumers ADD COLUMN merged_into uuid REFERENCES consumers;
CREATE INDEX consumers_merged_idx ON consumers (merged_into) WHERE merged_into IS NOT NULL;
-- Its part in a campaign in which the other had one, too: the balance went there,
-- and whatever comes back to it follows.
ALTER TABLE enrollments ADD COLUMN merged_into uuid REFERENCES enrollments;
CREATE INDEX enrollments_merged_idx ON enrollments (merged_into) WHERE merged_into IS NOT NULL;

-- ── Inbox ──────────────────────────────────────────────────────────────────
ALTER TABLE inbox
  DROP CONSTRAINT inbox_kind_check,
  ADD CONSTRAINT inbox_kind_check CHECK (kind IN ('text', 'image', 'audio', 'video', 'sticker', 'document', 'location', 'contact',
    'poll', 'poll_vote', 'reaction', 'edit', 'delete', 'unsupported', 'undecryptable')),
  DROP CONSTRAINT inbox_message_key,
  ADD COLUMN number_id uuid REFERENCES whatsapp_numbers,
  ADD COLUMN of_id text CHECK (length(of_id) BETWEEN 1 AND 128),  -- the message that an edit, a deletion, a reaction is about
  ADD COLUMN sent_at timestamptz,        -- by the sender's clock
  ADD COLUMN due_at timestamptz,         -- has no turn before; NULL: at once
  ADD COLUMN begun_by text;              -- the run of a process that began its turn last
-- The same message is the same message forever (law 2), whichever of the
-- person's addresses it comes from. One that could not be read is none yet.
CREATE UNIQUE INDEX inbox_message_key ON inbox (channel, person_id, message_id) WHERE kind <> 'undecryptable';
CREATE UNIQUE INDEX inbox_unread_key ON inbox (channel, person_id, message_id) WHERE kind = 'undecryptable';

CREATE TABLE media (
  inbox_id   uuid PRIMARY KEY REFERENCES inbox,
  number_id  uuid REFERENCES whatsapp_numbers,  -- through which it can be fetched
  status     text NOT NULL CHECK (status IN ('waiting', 'stored', 'refused')),
  mime       text NOT NULL,            -- as the sender says; of what is stored, what it is
  size       bigint NOT NULL CHECK (size >= 0),
  ref        bytea,                    -- what fetching it takes, its key included: gone with the fetching
  sha256     bytea,
  content    bytea,
  problem    text NOT NULL DEFAULT '',
  attempts   smallint NOT NULL DEFAULT 0,
  due_at     timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT media_content_check CHECK ((status = 'stored') = (content IS NOT NULL))
);
ALTER TABLE media ALTER COLUMN content SET STORAGE EXTERNAL;  -- it is compressed already
CREATE INDEX media_waiting_idx ON media (number_id, due_at) WHERE status = 'waiting';

-- ── Outbox ─────────────────────────────────────────────────────────────────
ALTER TABLE outbox
  DROP CONSTRAINT outbox_status_check,
  ADD CONSTRAINT outbox_status_check CHECK (status IN ('queued', 'sent', 'delivered', 'read', 'failed', 'dropped')),
  ADD COLUMN number_id uuid REFERENCES whatsapp_numbers,  -- NULL in a notice: the person's
  ADD COLUMN started_at timestamptz,     -- of what the bot starts by itself: its last attempt
  ADD COLUMN delivered_at timestamptz,
  ADD COLUMN read_at timestamptz;
-- For the sweep alone: who looks for one person's messages must not take it for
-- smaller than that person's, and it does not say that due_at is never null.
DROP INDEX outbox_due_idx;
CREATE INDEX outbox_due_idx ON outbox (due_at) WHERE status = 'queued' AND due_at IS NOT NULL;
-- Receipts name messages. The simulator has none.
CREATE INDEX outbox_message_idx ON outbox (message_id) WHERE channel IN ('whatsapp', 'cloud');
-- How much a number started lately.
CREATE INDEX outbox_started_idx ON outbox (number_id, started_at) WHERE started_at IS NOT NULL;
-- What an admin looks through and is rare.
CREATE INDEX outbox_dropped_idx ON outbox (id) WHERE status = 'dropped';
-- What a number could start.
CREATE INDEX outbox_starts_idx ON outbox (number_id, due_at) WHERE status = 'queued' AND lane IN ('service', 'promotion');

-- +goose Down
-- +goose StatementBegin
DO $$ BEGIN
  IF EXISTS (SELECT FROM persons WHERE merged_into IS NOT NULL) THEN
    RAISE EXCEPTION 'the older schema cannot hold persons who turned out to be one';
  END IF;
END $$;
-- +goose StatementEnd
DROP INDEX outbox_due_idx;
CREATE INDEX outbox_due_idx ON outbox (due_at) WHERE status = 'queued';
DROP INDEX outbox_message_idx, outbox_started_idx, outbox_starts_idx, outbox_dropped_idx;
UPDATE outbox SET status = 'sent' WHERE status IN ('delivered', 'read');
ALTER TABLE outbox
  DROP CONSTRAINT outbox_status_check,
  ADD CONSTRAINT outbox_status_check CHECK (status IN ('queued', 'sent', 'failed', 'dropped')),
  DROP COLUMN number_id, DROP COLUMN started_at, DROP COLUMN delivered_at, DROP COLUMN read_at;
DROP TABLE media;
UPDATE outbox SET inbox_id = NULL WHERE inbox_id IN (SELECT id FROM inbox WHERE kind = 'undecryptable');
DELETE FROM inbox WHERE kind = 'undecryptable';
UPDATE inbox SET kind = 'unsupported' WHERE kind IN ('poll', 'poll_vote', 'reaction', 'edit', 'delete');
DROP INDEX inbox_message_key, inbox_unread_key;
ALTER TABLE inbox
  DROP CONSTRAINT inbox_kind_check,
  ADD CONSTRAINT inbox_kind_check CHECK (kind IN ('text', 'image', 'audio', 'video', 'sticker', 'document', 'location', 'contact', 'unsupported')),
  ADD CONSTRAINT inbox_message_key UNIQUE (channel, address_id, message_id),
  DROP COLUMN number_id, DROP COLUMN of_id, DROP COLUMN sent_at, DROP COLUMN due_at, DROP COLUMN begun_by;
ALTER TABLE enrollments DROP COLUMN merged_into;
ALTER TABLE consumers DROP COLUMN merged_into;
ALTER TABLE persons DROP COLUMN merged_into, DROP COLUMN number_id;
UPDATE addresses SET kind = 'lid' WHERE kind = 'scoped';
ALTER TABLE addresses
  DROP CONSTRAINT addresses_kind_check,
  ADD CONSTRAINT addresses_kind_check CHECK (kind IN ('phone', 'lid')),
  DROP COLUMN wire;
DROP TABLE whatsapp_numbers;
