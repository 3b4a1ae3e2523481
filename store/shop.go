package store

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Shop is a point of sale.
type Shop struct {
	ID        loyalty.ID `db:"id"`
	Code      string     `db:"code"`
	Name      string     `db:"name"`
	Kind      string     `db:"kind"` // tiendita, minisuper, chain
	Street    string     `db:"street"`
	City      string     `db:"city"`
	State     string     `db:"state"`
	TimeZone  string     `db:"time_zone"` // IANA name
	Active    bool       `db:"active"`
	CreatedAt time.Time  `db:"created_at"`
	UpdatedAt time.Time  `db:"updated_at"`
}

// ShopInput is what a shop is made of. Code is drawn where none is given, Kind
// is a tiendita and TimeZone Mexico City's where they are empty.
type ShopInput struct {
	Code     string
	Name     string
	Kind     string
	Street   string
	City     string
	State    string
	TimeZone string
}

// ShopPatch changes what is not nil. The code stays: it is on a printed poster.
type ShopPatch struct {
	Name     *string
	Kind     *string
	Street   *string
	City     *string
	State    *string
	TimeZone *string
	Active   *bool
}

// ShopFilter narrows a list; what is zero asks for nothing.
type ShopFilter struct {
	City   string
	Kind   string
	Search string     // words of the name, as ShopsByName reads them, or a code
	CPG    loyalty.ID // that sells there
	Active *bool
	IDs    []loyalty.ID // one of these; nil: any
}

const (
	shopColumns = `id, code, name, kind, street, city, state, time_zone, active, created_at, updated_at`
	shopFields  = `SELECT ` + shopColumns + ` FROM shops`
	// An admin sees all, a tendero its own, everybody else what is active.
	shopsInView = shopFields + ` WHERE ($1 OR id = ANY($2) OR ($3 AND active))`
	// Each word begins a word of the name.
	shopWords = `NOT EXISTS (SELECT FROM unnest($1::text[]) w WHERE strpos(' ' || search_name, ' ' || w) = 0)`
)

func errNoShop() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeShopNotFound, "No encontramos esa tienda.")
}

func shopView(s loyalty.Scope) (all bool, own []loyalty.ID, public bool) {
	return s.All(), s.Shops, s.Role == loyalty.RoleCPG || s.Role == loyalty.RoleConsumer || s.Role == loyalty.RoleIntegration
}

// CreateShop makes a shop (admin).
func (tx *Tx) CreateShop(ctx context.Context, scope loyalty.Scope, in ShopInput) (Shop, error) {
	if err := adminOnly(scope); err != nil {
		return Shop{}, err
	}
	v := Shop{
		ID: tx.newID(), Name: in.Name, Kind: in.Kind, Street: in.Street, City: in.City, State: in.State, TimeZone: in.TimeZone,
		Active: true, CreatedAt: tx.now, UpdatedAt: tx.now,
	}
	if v.Kind == "" {
		v.Kind = "tiendita"
	}
	if v.TimeZone == "" {
		v.TimeZone = loyalty.DefaultTimeZone
	}
	var c check
	if in.Code != "" {
		code, kind := loyalty.ParseCode(in.Code)
		c.want(kind == loyalty.ShopCode, "code", "debe tener 6 símbolos, el último de verificación")
		v.Code = code
	}
	if err := v.check(ctx, tx, &c); err != nil {
		return Shop{}, err
	}
	if err := c.err(); err != nil {
		return Shop{}, err
	}
	tx.lockPlaces()
	if err := tx.insertShop(ctx, &v); err != nil {
		return Shop{}, err
	}
	tx.audit(scope, Created, "shop", v.ID, v.Name, made(v)...)
	return v, tx.placeShop(ctx, &v)
}

// codeTries bounds the search for a free code. 2^25 codes and fewer than a
// million shops: one try in thirty clashes, ten in a row never do.
const codeTries = 10

func (tx *Tx) insertShop(ctx context.Context, v *Shop) error {
	const sql = `
		INSERT INTO shops (id, code, name, search_name, kind, street, city, state, time_zone, active, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)`
	args := func() []any {
		return []any{v.ID, v.Code, v.Name, loyalty.SearchName(v.Name), v.Kind, v.Street, v.City, v.State, v.TimeZone, v.Active, tx.now}
	}
	if v.Code != "" {
		_, err := tx.tx.Exec(ctx, sql, args()...)
		return err
	}
	for range codeTries {
		v.Code = loyalty.NewCode(loyalty.ShopCode, tx.db.opt.Random)
		tag, err := tx.tx.Exec(ctx, sql+` ON CONFLICT (code) DO NOTHING`, args()...)
		if err != nil || tag.RowsAffected() == 1 {
			return err
		}
	}
	return loyalty.Fail(loyalty.KindUnavailable, loyalty.CodeUnavailable, "No hubo un código libre para la tienda. Intenta de nuevo.")
}

// UpdateShop changes a shop (admin).
func (tx *Tx) UpdateShop(ctx context.Context, scope loyalty.Scope, id loyalty.ID, p ShopPatch) (Shop, error) {
	if err := adminOnly(scope); err != nil {
		return Shop{}, err
	}
	tx.lockPlaces()
	v, err := fetch[Shop](ctx, tx, errNoShop(), shopFields+` WHERE id = $1 FOR UPDATE`, id)
	if err != nil {
		return Shop{}, err
	}
	was := v
	set(&v.Name, p.Name)
	set(&v.Kind, p.Kind)
	set(&v.Street, p.Street)
	set(&v.City, p.City)
	set(&v.State, p.State)
	set(&v.TimeZone, p.TimeZone)
	set(&v.Active, p.Active)
	v.UpdatedAt = tx.now
	var c check
	if err := v.check(ctx, tx, &c); err != nil {
		return Shop{}, err
	}
	if err := c.err(); err != nil {
		return Shop{}, err
	}
	_, err = tx.tx.Exec(ctx, `
		UPDATE shops SET name = $2, search_name = $3, kind = $4, street = $5, city = $6, state = $7, time_zone = $8, active = $9, updated_at = $10
		WHERE id = $1`,
		v.ID, v.Name, loyalty.SearchName(v.Name), v.Kind, v.Street, v.City, v.State, v.TimeZone, v.Active, tx.now)
	if err != nil {
		return Shop{}, err
	}
	tx.audit(scope, Updated, "shop", v.ID, v.Name, changed(was, v)...)
	if v.place() != was.place() {
		if err := tx.placeShop(ctx, &v); err != nil {
			return Shop{}, err
		}
	}
	if v.TimeZone == was.TimeZone {
		return v, nil
	}
	return v, tx.rollupMoved(ctx, v.ID)
}

// Shops lists shops: all to an admin, its own to a tendero, what is active to
// everybody else.
func (tx *Tx) Shops(ctx context.Context, scope loyalty.Scope, f ShopFilter, page Page) ([]Shop, loyalty.ID, error) {
	return list(ctx, tx, page, func(v Shop) loyalty.ID { return v.ID }, shopsInView+shopsWanted+` AND id > $11 ORDER BY id LIMIT $12`,
		f.args(scope)...)
}

// shopsWanted are those of a filter, whose args begin with the caller's view.
var shopsWanted = `
	AND ($4 = '' OR city = $4) AND ($5 = '' OR kind = $5) AND ($6::boolean IS NULL OR active = $6)
	AND (` + strings.ReplaceAll(shopWords, "$1", "$7") + ` OR code = $8)
	AND ($9::uuid IS NULL OR id IN (SELECT r.shop_id FROM cpg_shops r WHERE r.cpg_id = $9 AND r.active))
	AND ($10::uuid[] IS NULL OR id = ANY($10))`

func (f ShopFilter) args(scope loyalty.Scope) []any {
	all, own, public := shopView(scope)
	code, kind := loyalty.ParseCode(f.Search)
	if kind != loyalty.ShopCode {
		code = ""
	}
	return []any{all, own, public, clean(f.City), clean(f.Kind), f.Active, strings.Fields(loyalty.SearchName(f.Search)), code, optional(f.CPG), f.IDs}
}

// CountShops says how many shops a list has in all.
func (tx *Tx) CountShops(ctx context.Context, scope loyalty.Scope, f ShopFilter) (n int, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT count(*) FROM (`+shopsInView+shopsWanted+`) s`, f.args(scope)...).Scan(&n)
	return n, err
}

// ShopCities gives the cities where there are shops (an admin), for choosing.
func (tx *Tx) ShopCities(ctx context.Context, scope loyalty.Scope) ([]string, error) {
	rows, err := tx.tx.Query(ctx, `SELECT DISTINCT city FROM shops WHERE $1 ORDER BY city LIMIT 500`, scope.All())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Shop gives one shop.
func (tx *Tx) Shop(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Shop, error) {
	all, own, public := shopView(scope)
	return fetch[Shop](ctx, tx, errNoShop(), shopsInView+` AND id = $4`, all, own, public, id)
}

// ShopByCode finds the shop of a code that a person typed or scanned. The code
// is on a poster in the street: no scope. A closed shop is SHOP_INACTIVE.
func (tx *Tx) ShopByCode(ctx context.Context, code string) (Shop, error) {
	canonical, kind := loyalty.ParseCode(code)
	if kind != loyalty.ShopCode {
		return Shop{}, errNoShop()
	}
	v, err := fetch[Shop](ctx, tx, errNoShop(), shopFields+` WHERE code = $1`, canonical)
	if err == nil && !v.Active {
		return Shop{}, loyalty.Fail(loyalty.KindConflict, loyalty.CodeShopInactive, "Esa tienda ya no participa.")
	}
	return v, err
}

// mostShopsByName is how many a person can choose from in a chat.
const mostShopsByName = 6

// ShopsByName finds active shops by a name as a person types it: those with
// exactly that name, else those in whose name each word begins a word, so that
// "lupita" finds "Abarrotes Lupita". At most 6.
func (tx *Tx) ShopsByName(ctx context.Context, text string) ([]Shop, error) {
	name := loyalty.SearchName(text)
	if name == "" {
		return nil, nil
	}
	exact, err := collect[Shop](ctx, tx, shopFields+` WHERE active AND search_name = $1 ORDER BY id LIMIT $2`, name, mostShopsByName)
	if err != nil || len(exact) > 0 {
		return exact, err
	}
	return collect[Shop](ctx, tx, shopFields+` WHERE active AND `+shopWords+` ORDER BY search_name, id LIMIT $2`,
		strings.Fields(name), mostShopsByName)
}

func (v *Shop) check(ctx context.Context, tx *Tx, c *check) error {
	v.checkTexts(c)
	return c.zone(ctx, tx, "time_zone", v.TimeZone)
}

func (v *Shop) checkTexts(c *check) {
	c.text("name", &v.Name, 1, 120)
	c.want(loyalty.SearchName(v.Name) != "" || v.Name == "", "name", "debe llevar letras o números")
	c.want(v.Kind == "tiendita" || v.Kind == "minisuper" || v.Kind == "chain", "kind", "debe ser tiendita, minisuper o chain")
	c.text("street", &v.Street, 0, 200)
	c.text("city", &v.City, 1, 80)
	c.text("state", &v.State, 1, 80)
}

// clean makes a filter's text one that Postgres can compare with: what cannot
// be stored matches nothing.
func clean(s string) string {
	if !loyalty.Printable(s) {
		return "\uFFFD"
	}
	return s
}
