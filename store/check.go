package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// check collects what is wrong with an input, as all of the domain does, with
// what only the store can look at.
type check struct{ loyalty.Checker }

func (c *check) want(ok bool, field, reason string)            { c.Want(ok, field, reason) }
func (c *check) text(field string, s *string, least, most int) { c.Text(field, s, least, most) }
func (c *check) id(field string, id *loyalty.ID)               { c.ID(field, id) }
func (c *check) ids(field string, ids *[]loyalty.ID, most int) { c.IDs(field, ids, most) }
func (c *check) between(field string, n, least, most int64)    { c.Between(field, n, least, most) }

// zone wants the name of a time zone that both Go and Postgres know. Machines
// have the zones under right/ and posix/ or have them not.
func (c *check) zone(ctx context.Context, tx *Tx, field, name string) error {
	at, _, named := strings.Cut(name, "/")
	_, err := time.LoadLocation(name)
	ok := err == nil && named && at != "right" && at != "posix"
	if ok && name != loyalty.DefaultTimeZone { // asking takes Postgres a while, for one that no shop has: it looks through its files
		const known = `SELECT CASE WHEN EXISTS (SELECT FROM shops WHERE time_zone = $1) THEN true ELSE EXISTS (SELECT FROM pg_timezone_names WHERE name = $1) END`
		if err := tx.tx.QueryRow(ctx, known, name).Scan(&ok); err != nil {
			return err
		}
	}
	c.want(ok, field, "no es una zona horaria; por ejemplo America/Mexico_City")
	return nil
}

// err is nil where nothing is wrong.
func (c *check) err() error {
	if len(c.Fields) == 0 {
		return nil
	}
	e := loyalty.Invalid("", "")
	e.Fields = c.Fields
	return e
}

// view says what a caller sees of the nouns that belong to a CPG: all of them,
// those of one CPG, or what is public because it is active.
type view struct {
	all    bool
	cpg    *loyalty.ID
	public bool
}

func viewOf(s loyalty.Scope) view {
	switch s.Role {
	case loyalty.RoleAdmin, loyalty.RoleSystem:
		return view{all: true}
	case loyalty.RoleCPG:
		return view{cpg: &s.CPG}
	case loyalty.RoleTendero, loyalty.RoleConsumer, loyalty.RoleIntegration:
		return view{public: true}
	}
	return view{}
}

// ownCPG is the CPG for which a caller makes something: its own where it names
// none. Another tenant's is answered like one that does not exist.
func ownCPG(s loyalty.Scope, wanted loyalty.ID) (loyalty.ID, error) {
	switch {
	case s.All():
		return wanted, nil
	case s.Role != loyalty.RoleCPG:
		return "", loyalty.Forbidden()
	case wanted != "" && wanted != s.CPG:
		return "", loyalty.Invalid("cpg_id", "la empresa no existe")
	}
	return s.CPG, nil
}

// adminOnly refuses everybody else.
func adminOnly(s loyalty.Scope) error {
	if !s.All() {
		return loyalty.Forbidden()
	}
	return nil
}

// tenantOnly refuses who may write nothing of any CPG.
func tenantOnly(s loyalty.Scope) error {
	if !s.All() && s.Role != loyalty.RoleCPG {
		return loyalty.Forbidden()
	}
	return nil
}

// optional is nil for the empty ID: "not asked for" in a filter.
func optional(id loyalty.ID) *loyalty.ID {
	if id == "" {
		return nil
	}
	return &id
}

// set changes dst where the patch says so.
func set[T any](dst *T, patch *T) {
	if patch != nil {
		*dst = *patch
	}
}

// fetch reads the one row whose columns are the fields of T, or says what is
// missing.
func fetch[T any](ctx context.Context, tx *Tx, missing *loyalty.Error, sql string, args ...any) (T, error) {
	var zero T
	rows, err := tx.tx.Query(ctx, sql, args...)
	if err != nil {
		return zero, err
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	if none(err) {
		return zero, missing
	}
	return v, err
}

// collect reads all rows whose columns are the fields of T.
func collect[T any](ctx context.Context, tx *Tx, sql string, args ...any) ([]T, error) {
	rows, err := tx.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}

// fieldsOf gives what an Error says about fields.
func fieldsOf(err error) []loyalty.FieldError {
	var e *loyalty.Error
	if errors.As(err, &e) {
		return e.Fields
	}
	return nil
}
