-- +goose Up
-- Files that fill the catalogue, and pictures of products.

-- A file that was read: first it says what it would do, then it does it.
CREATE TABLE imports (
  id         uuid PRIMARY KEY,
  kind       text NOT NULL CHECK (kind IN ('products', 'shops')),
  file       text NOT NULL,              -- its name
  author     text NOT NULL,
  staff_id   uuid REFERENCES staff,      -- who did it; NULL: not staff
  status     text NOT NULL CHECK (status IN ('ready', 'applying', 'done', 'discarded')),
  ignored    text[] NOT NULL DEFAULT '{}', -- columns that we do not know
  fresh      integer NOT NULL DEFAULT 0,  -- rows by what they would do, when the file was read
  changed    integer NOT NULL DEFAULT 0,
  same       integer NOT NULL DEFAULT 0,
  wrong      integer NOT NULL DEFAULT 0,
  applied    integer NOT NULL DEFAULT 0,  -- of fresh and changed
  failed     integer NOT NULL DEFAULT 0,  -- of them too: what changed since kept them from it
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
-- What is to be done (ApplyImports).
CREATE INDEX imports_applying_idx ON imports (id) WHERE status = 'applying';

CREATE TABLE import_rows (
  import_id uuid NOT NULL REFERENCES imports ON DELETE CASCADE,
  line      integer NOT NULL,             -- in the file, as a spreadsheet counts
  cells     jsonb NOT NULL,               -- as they were written, by column
  plan      text NOT NULL CHECK (plan IN ('new', 'changed', 'same', 'wrong')),
  wrongs    jsonb NOT NULL DEFAULT '[]',  -- column and reason
  notes     text[] NOT NULL DEFAULT '{}', -- what would change
  applied   boolean,                      -- NULL: not yet; false: it could not be
  PRIMARY KEY (import_id, line)
);
-- What of an import is still to be done.
CREATE INDEX import_rows_due_idx ON import_rows (import_id, line) WHERE applied IS NULL AND plan IN ('new', 'changed');

-- A picture is called by its content, so that it may be kept forever.
ALTER TABLE products ADD COLUMN picture text NOT NULL DEFAULT '' CHECK (picture ~ '^([0-9a-f]{24})?$');
CREATE INDEX products_picture_idx ON products (picture) WHERE picture <> '';
CREATE TABLE product_pictures (
  product_id uuid NOT NULL REFERENCES products,
  px         smallint NOT NULL,           -- of its sides
  content    bytea NOT NULL,              -- a JPEG
  PRIMARY KEY (product_id, px)
);
ALTER TABLE product_pictures ALTER COLUMN content SET STORAGE EXTERNAL;  -- it is compressed already

-- +goose Down
DROP TABLE product_pictures;
DROP INDEX products_picture_idx;
ALTER TABLE products DROP COLUMN picture;
DROP TABLE import_rows, imports;
