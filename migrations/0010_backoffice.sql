-- +goose Up
-- The backoffice: who changed what, staff who choose their own password, and
-- tenderos who are invited.

-- Every administrative change, noted by the transaction that makes it. It names
-- no phone and holds no secret, and outlives what it is about: no foreign keys.
CREATE TABLE audit (
  id         uuid PRIMARY KEY,
  actor      text NOT NULL,            -- as Scope.Actor says it
  verb       text NOT NULL CHECK (verb ~ '^[a-z_]+$'),
  noun       text NOT NULL CHECK (noun ~ '^[a-z_]+$'),
  subject    uuid,                     -- what was changed; NULL: many, or nothing with an ID
  label      text NOT NULL DEFAULT '', -- what people call it
  changes    jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL
);
-- Pages of it, by who and by what.
CREATE INDEX audit_actor_idx ON audit (actor, id);
CREATE INDEX audit_noun_idx ON audit (noun, id);
CREATE INDEX audit_subject_idx ON audit (subject, id) WHERE subject IS NOT NULL;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A link by which staff choose a password, once; and when a key was used last, to
-- the hour.
ALTER TABLE tokens
  DROP CONSTRAINT tokens_kind_check,
  ADD CONSTRAINT tokens_kind_check CHECK (kind IN ('access', 'refresh', 'page', 'link', 'api_key', 'password')),
  ADD COLUMN used_at timestamptz;
CREATE INDEX tokens_staff_idx ON tokens (staff_id) WHERE staff_id IS NOT NULL;

-- When a tendero was last invited, and by a message of the bot or by hand.
ALTER TABLE tenderos
  ADD COLUMN invited_at timestamptz,
  ADD COLUMN invited_by text NOT NULL DEFAULT '' CHECK (invited_by IN ('', 'bot', 'hand'));

-- +goose Down
ALTER TABLE tenderos DROP COLUMN invited_at, DROP COLUMN invited_by;
DELETE FROM tokens WHERE kind = 'password';
DROP INDEX tokens_staff_idx;
ALTER TABLE tokens
  DROP COLUMN used_at,
  DROP CONSTRAINT tokens_kind_check,
  ADD CONSTRAINT tokens_kind_check CHECK (kind IN ('access', 'refresh', 'page', 'link', 'api_key'));
DROP TABLE audit;
