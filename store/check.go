package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// check collects what is wrong with an input, so that its author hears of
// everything at once. Its methods also tidy what they look at.
type check struct{ fields []loyalty.FieldError }

func (c *check) want(ok bool, field, reason string) {
	if !ok {
		c.fields = append(c.fields, loyalty.FieldError{Field: field, Reason: reason})
	}
}

// text trims s and bounds its length in characters. Control characters are
// refused: Postgres cannot store one of them, people can read none.
func (c *check) text(field string, s *string, least, most int) {
	*s = strings.TrimSpace(*s)
	n := utf8.RuneCountInString(*s)
	switch {
	case !printable(*s):
		c.want(false, field, "tiene caracteres que no se pueden leer")
	case n < least && n == 0:
		c.want(false, field, "es obligatorio")
	default:
		c.want(n >= least, field, "es demasiado corto")
		c.want(n <= most, field, "es demasiado largo")
	}
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// id wants a well-formed identifier.
func (c *check) id(field string, id *loyalty.ID) {
	if *id == "" {
		c.want(false, field, "es obligatorio")
		return
	}
	parsed, err := loyalty.ParseID(string(*id))
	c.want(err == nil, field, "no es un identificador válido")
	*id = parsed
}

// ids wants well-formed identifiers, and leaves out repeated ones.
func (c *check) ids(field string, ids *[]loyalty.ID, most int) {
	unique := make([]loyalty.ID, 0, len(*ids))
	for _, raw := range *ids {
		id, err := loyalty.ParseID(string(raw))
		if err != nil {
			c.want(false, field, "tiene un identificador que no es válido")
			return
		}
		unique = append(unique, id)
	}
	slices.Sort(unique)
	*ids = slices.Compact(unique)
	c.want(len(*ids) <= most, field, "son demasiados")
}

func (c *check) between(field string, n, least, most int64) {
	c.want(n >= least && n <= most, field, "debe estar entre "+loyalty.Thousands(least)+" y "+loyalty.Thousands(most))
}

// zone wants the name of a time zone that both Go and Postgres know. Machines
// have the zones under right/ and posix/ or have them not.
func (c *check) zone(ctx context.Context, tx *Tx, field, name string) error {
	at, _, named := strings.Cut(name, "/")
	_, err := time.LoadLocation(name)
	ok := err == nil && named && at != "right" && at != "posix"
	if ok && name != loyalty.DefaultTimeZone { // asking takes Postgres a while: it looks through its files
		if err := tx.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)`, name).Scan(&ok); err != nil {
			return err
		}
	}
	c.want(ok, field, "no es una zona horaria; por ejemplo America/Mexico_City")
	return nil
}

// err is nil where nothing is wrong.
func (c *check) err() error {
	if len(c.fields) == 0 {
		return nil
	}
	e := loyalty.Invalid("", "")
	e.Fields = c.fields
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
