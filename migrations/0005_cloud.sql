-- +goose Up
-- WhatsApp through Meta's Cloud API, which gives messages IDs of its own.

-- The channel's own ID of a sent message, by which its statuses may name it.
ALTER TABLE outbox ADD COLUMN wire_id text;
CREATE INDEX outbox_wire_idx ON outbox (wire_id) WHERE wire_id IS NOT NULL;

-- Pictures that Meta keeps for us: a card's QR is uploaded once, not with each
-- message.
CREATE TABLE cloud_media (
  phone_id   text NOT NULL,             -- Meta's ID of the number that it was uploaded for
  media      text NOT NULL,             -- card_qr or shop_qr
  media_ref  text NOT NULL,             -- the code
  media_id   text NOT NULL,
  uploaded_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (phone_id, media, media_ref)
);

-- How a number is, for every process: one sends, another shows it.
CREATE TABLE cloud_numbers (
  phone_id   text PRIMARY KEY,
  phone      text NOT NULL DEFAULT '',  -- as Meta shows it, in E.164
  problem    text NOT NULL DEFAULT '',  -- "" while all is well
  since      timestamptz NOT NULL,      -- that it is so
  updated_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE cloud_numbers, cloud_media;
DROP INDEX outbox_wire_idx;
ALTER TABLE outbox DROP COLUMN wire_id;
