package store

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// ImportKind is what a file fills.
type ImportKind string

// The kinds of imports.
const (
	ImportProducts ImportKind = "products" // and their brands
	ImportShops    ImportKind = "shops"
)

// ImportStatus is how far an import is.
type ImportStatus string

// The states of an import.
const (
	ImportReady     ImportStatus = "ready" // it was read, and nothing done
	ImportApplying  ImportStatus = "applying"
	ImportDone      ImportStatus = "done"
	ImportDiscarded ImportStatus = "discarded"
)

// ImportPlan is what a row would do.
type ImportPlan string

// The plans of rows.
const (
	RowNew     ImportPlan = "new"
	RowChanged ImportPlan = "changed"
	RowSame    ImportPlan = "same"
	RowWrong   ImportPlan = "wrong"
)

// The columns of files. Those of products are cpg, brand, gtin, name, price,
// nicknames and active; those of shops code, name, street, city, state, kind,
// time_zone and active. An empty cell leaves what there is.
const (
	ColumnCPG       = "cpg"
	ColumnBrand     = "brand"
	ColumnGTIN      = "gtin"
	ColumnName      = "name"
	ColumnPrice     = "price"
	ColumnNicknames = "nicknames"
	ColumnActive    = "active"
	ColumnCode      = "code"
	ColumnStreet    = "street"
	ColumnCity      = "city"
	ColumnState     = "state"
	ColumnKind      = "kind"
	ColumnTimeZone  = "time_zone"
)

// MostImportRows is how many rows a file may have.
const MostImportRows = 20_000

// Import is a file that fills the catalogue.
type Import struct {
	ID        loyalty.ID   `db:"id"`
	Kind      ImportKind   `db:"kind"`
	File      string       `db:"file"`
	Author    string       `db:"author"`
	Staff     *loyalty.ID  `db:"staff_id"`
	Status    ImportStatus `db:"status"`
	Ignored   []string     `db:"ignored"`
	New       int          `db:"fresh"`
	Changed   int          `db:"changed"`
	Same      int          `db:"same"`
	Wrong     int          `db:"wrong"`
	Applied   int          `db:"applied"`
	Failed    int          `db:"failed"`
	CreatedAt time.Time    `db:"created_at"`
	UpdatedAt time.Time    `db:"updated_at"`
}

// ToDo is how many rows do something.
func (v Import) ToDo() int { return v.New + v.Changed }

// ImportInput is a file as it was read. Rows may be gone through more than once;
// an error among them ends the import.
type ImportInput struct {
	Kind    ImportKind
	File    string
	Author  string
	Ignored []string
	Rows    iter.Seq2[ImportLine, error]
}

// ImportLine is one row of a file: its line, and its cells by column.
type ImportLine struct {
	Line  int
	Cells map[string]string
}

// ImportRow is a row with what it would do, or did.
type ImportRow struct {
	Line    int               `db:"line"`
	Cells   map[string]string `db:"cells"`
	Plan    ImportPlan        `db:"plan"`
	Wrongs  []ImportWrong     `db:"wrongs"`
	Notes   []string          `db:"notes"`
	Applied *bool             `db:"applied"`
}

// ImportWrong is what is wrong with a cell; Column is "" where it is the row.
type ImportWrong struct {
	Column string `json:"column"`
	Reason string `json:"reason"`
}

func (r *ImportRow) fail(column, reason string) {
	r.Plan = RowWrong
	r.Wrongs = append(r.Wrongs, ImportWrong{column, reason})
}

const importFields = `SELECT id, kind, file, author, staff_id, status, ignored, fresh, changed, same, wrong, applied, failed, created_at, updated_at FROM imports`

func errNoImport() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa importación.")
}

// importBatch is how many rows are looked up and written together when a file is
// read.
const importBatch = 500

// CreateImport keeps a file's rows with what each would do, and does nothing of it
// yet (admin).
func (tx *Tx) CreateImport(ctx context.Context, scope loyalty.Scope, in ImportInput) (Import, error) {
	if err := adminOnly(scope); err != nil {
		return Import{}, err
	}
	v := Import{ID: tx.newID(), Kind: in.Kind, File: cut(storable(in.File), 200), Author: in.Author, Staff: optional(scope.Staff), Status: ImportReady, Ignored: nonNil(in.Ignored), CreatedAt: tx.now, UpdatedAt: tx.now}
	_, err := tx.tx.Exec(ctx, `INSERT INTO imports (id, kind, file, author, staff_id, status, ignored, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
		v.ID, v.Kind, v.File, v.Author, v.Staff, v.Status, v.Ignored, tx.now)
	if err != nil {
		return v, err
	}
	tx.audit(scope, Created, "import", v.ID, v.File)
	shelf := newShelf(tx, scope, in.Kind)
	seen := map[string]int{}
	var rows []ImportRow
	n := 0
	flush := func() error {
		if err := shelf.load(ctx, rows); err != nil {
			return err
		}
		for i := range rows {
			r := &rows[i]
			key, _, err := shelf.plan(ctx, r)
			if err != nil {
				return err
			}
			if first := seen[key]; r.Plan != RowWrong && first > 0 {
				r.fail("", "está repetido: es lo mismo que el renglón "+loyalty.Thousands(int64(first)))
			} else if r.Plan != RowWrong {
				seen[key] = r.Line
			}
			v.count(r.Plan)
		}
		err := tx.insertRows(ctx, v.ID, rows)
		rows = rows[:0]
		return err
	}
	for line, err := range in.Rows {
		if err != nil {
			return v, err
		}
		if n++; n > MostImportRows {
			return v, loyalty.Invalid("file", "trae más de "+loyalty.Thousands(MostImportRows)+" renglones; divídelo en varios archivos")
		}
		for column, text := range line.Cells {
			line.Cells[column] = strings.TrimSpace(storable(text))
		}
		rows = append(rows, ImportRow{Line: line.Line, Cells: line.Cells})
		if len(rows) == importBatch {
			if err := flush(); err != nil {
				return v, err
			}
		}
	}
	if n == 0 {
		return v, loyalty.Invalid("file", "no trae ningún renglón debajo de los títulos")
	}
	if err := flush(); err != nil {
		return v, err
	}
	_, err = tx.tx.Exec(ctx, `UPDATE imports SET fresh = $2, changed = $3, same = $4, wrong = $5 WHERE id = $1`, v.ID, v.New, v.Changed, v.Same, v.Wrong)
	return v, err
}

func (v *Import) count(p ImportPlan) {
	switch p {
	case RowNew:
		v.New++
	case RowChanged:
		v.Changed++
	case RowSame:
		v.Same++
	case RowWrong:
		v.Wrong++
	}
}

func (tx *Tx) insertRows(ctx context.Context, id loyalty.ID, rows []ImportRow) error {
	n := len(rows)
	lines, cells, plans, wrongs, notes := make([]int, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, r := range rows {
		lines[i], plans[i] = r.Line, string(r.Plan)
		for _, part := range []struct {
			to *string
			v  any
		}{{&cells[i], r.Cells}, {&wrongs[i], nonNil(r.Wrongs)}, {&notes[i], nonNil(r.Notes)}} {
			raw, err := json.Marshal(part.v)
			if err != nil {
				return err
			}
			*part.to = string(raw)
		}
	}
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO import_rows (import_id, line, cells, plan, wrongs, notes)
		SELECT $1, r.line, r.cells::jsonb, r.plan, r.wrongs::jsonb, ARRAY(SELECT jsonb_array_elements_text(r.notes::jsonb))
		FROM unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[]) AS r (line, cells, plan, wrongs, notes)`, id, lines, cells, plans, wrongs, notes)
	return err
}

// Imports lists files, the latest first (admin).
func (tx *Tx) Imports(ctx context.Context, scope loyalty.Scope, limit int) ([]Import, error) {
	if err := adminOnly(scope); err != nil {
		return nil, err
	}
	return collect[Import](ctx, tx, importFields+` ORDER BY id DESC LIMIT $1`, limit)
}

// Import gives one file (admin).
func (tx *Tx) Import(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Import, error) {
	if err := adminOnly(scope); err != nil {
		return Import{}, err
	}
	return fetch[Import](ctx, tx, errNoImport(), importFields+` WHERE id = $1`, id)
}

// ImportRows gives rows of a file after a line: of one plan, or of all where plan
// is ""; those of RowWrong are also those that failed (admin).
func (tx *Tx) ImportRows(ctx context.Context, scope loyalty.Scope, id loyalty.ID, plan ImportPlan, after, limit int) ([]ImportRow, error) {
	if err := adminOnly(scope); err != nil {
		return nil, err
	}
	return collect[ImportRow](ctx, tx, `
		SELECT line, cells, plan, wrongs, notes, applied FROM import_rows
		WHERE import_id = $1 AND line > $2 AND ($3 = '' OR plan = $3 OR $3 = 'wrong' AND NOT applied) ORDER BY line LIMIT $4`, id, after, plan, limit)
}

// StartImport lets a file that was read be applied; again is harmless (admin).
func (tx *Tx) StartImport(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Import, error) {
	return tx.moveImport(ctx, scope, id, ImportApplying, Ran)
}

// DiscardImport gives a file up that was read and not applied (admin).
func (tx *Tx) DiscardImport(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Import, error) {
	return tx.moveImport(ctx, scope, id, ImportDiscarded, Cancelled)
}

func (tx *Tx) moveImport(ctx context.Context, scope loyalty.Scope, id loyalty.ID, to ImportStatus, verb Verb) (Import, error) {
	if err := adminOnly(scope); err != nil {
		return Import{}, err
	}
	tag, err := tx.tx.Exec(ctx, `UPDATE imports SET status = $2, updated_at = $3 WHERE id = $1 AND status = 'ready'`, id, to, tx.now)
	if err != nil {
		return Import{}, err
	}
	v, err := tx.Import(ctx, scope, id)
	if err == nil && tag.RowsAffected() > 0 {
		tx.audit(scope, verb, "import", id, v.File)
	}
	return v, err
}

// ApplyImports does some of what imports have to do, and gives how much it took;
// 0 where nothing is left. A batch is one commit, so that each row is done once,
// whoever dies meanwhile; an import that another process is at is left to it.
func (tx *Tx) ApplyImports(ctx context.Context, limit int) (int, error) {
	rows, err := tx.tx.Query(ctx, importFields+` WHERE status = 'applying' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`)
	if err != nil {
		return 0, err
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Import])
	if err != nil {
		return 0, ignoreNone(err)
	}
	due, err := collect[ImportRow](ctx, tx, `
		SELECT line, cells, plan, wrongs, notes, applied FROM import_rows
		WHERE import_id = $1 AND applied IS NULL AND plan IN ('new', 'changed') ORDER BY line LIMIT $2`, v.ID, limit)
	if err != nil {
		return 0, err
	}
	if len(due) == 0 {
		_, err = tx.tx.Exec(ctx, `UPDATE imports SET status = 'done', updated_at = $2 WHERE id = $1`, v.ID, tx.now)
		return 1, err
	}
	tx.lockPlaces()
	scope := loyalty.System()
	if v.Staff != nil {
		scope = loyalty.Scope{Role: loyalty.RoleAdmin, Staff: *v.Staff}
	}
	shelf := newShelf(tx, scope, v.Kind)
	if err := shelf.load(ctx, due); err != nil {
		return 0, err
	}
	failed := 0
	for i := range due {
		r := &due[i]
		r.Plan, r.Wrongs, r.Notes = "", nil, nil // the catalogue may have changed since the file was read
		if err := shelf.apply(ctx, r); err != nil {
			return 0, err
		}
		ok := r.Plan != RowWrong
		if !ok {
			failed++
		}
		wrongs, err := json.Marshal(nonNil(r.Wrongs))
		if err != nil {
			return 0, err
		}
		tx.later(`UPDATE import_rows SET applied = $3, wrongs = $4::text::jsonb WHERE import_id = $1 AND line = $2`, v.ID, r.Line, ok, string(wrongs))
	}
	_, err = tx.tx.Exec(ctx, `UPDATE imports SET applied = applied + $2, failed = failed + $3, updated_at = $4 WHERE id = $1`, v.ID, len(due)-failed, failed, tx.now)
	return len(due), err
}

// apply does what a row asks for. What keeps a row from it is noted in it; an
// error is what keeps all of them.
func (s *shelf) apply(ctx context.Context, r *ImportRow) error {
	_, do, err := s.plan(ctx, r)
	if err != nil || do == nil {
		return err
	}
	err = s.tx.Savepoint(ctx, func(inner *Tx) error { return do(ctx, inner) })
	var known *loyalty.Error
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return s.reload(ctx)
	case errors.As(err, &known) && known.Kind != loyalty.KindUnavailable && known.Kind != loyalty.KindInternal:
		r.explain(known)
		return nil
	case !retryable(err) && errors.As(err, &pg) && (pg.Code[:2] == "22" || pg.Code[:2] == "23"): // no row of a file may hold up the rest
		r.fail("", "no se pudo guardar")
		return nil
	}
	return err
}

// explain notes what an error says of fields at their columns.
func (r *ImportRow) explain(err error) {
	wrong := fieldsOf(err)
	if known := new(loyalty.Error); len(wrong) == 0 && errors.As(err, &known) {
		r.fail("", known.Detail)
	}
	for _, w := range wrong {
		column := w.Field
		switch w.Field {
		case "reference_price_cents":
			column = ColumnPrice
		case "brand_id":
			column = ColumnBrand
		case "cpg_id":
			column = ColumnCPG
		}
		r.fail(column, w.Reason)
	}
}
