package store

import (
	"context"
	"slices"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Product is what a brand sells: one SKU with its barcode number.
type Product struct {
	ID             loyalty.ID    `db:"id"`
	CPG            loyalty.ID    `db:"cpg_id"`
	Brand          loyalty.ID    `db:"brand_id"`
	GTIN           loyalty.GTIN  `db:"gtin"`
	Name           string        `db:"name"`
	Nicknames      []string      `db:"nicknames"` // what people call it: "coca", "cocas"
	ReferencePrice loyalty.Cents `db:"reference_price_cents"`
	Active         bool          `db:"active"`
	Picture        string        `db:"picture"` // names its picture; "" where it has none
	CreatedAt      time.Time     `db:"created_at"`
	UpdatedAt      time.Time     `db:"updated_at"`
}

// ProductInput is what a product is made of. Its CPG is its brand's.
type ProductInput struct {
	Brand          loyalty.ID
	GTIN           string
	Name           string
	Nicknames      []string
	ReferencePrice loyalty.Cents
}

// ProductPatch changes what is not nil. Brand and GTIN stay: another barcode is
// another product.
type ProductPatch struct {
	Name           *string
	Nicknames      *[]string
	ReferencePrice *loyalty.Cents
	Active         *bool
}

// ProductFilter narrows a list; what is zero asks for nothing.
type ProductFilter struct {
	CPG    loyalty.ID
	Brand  loyalty.ID
	GTIN   loyalty.GTIN
	Search string // words of the name, or digits of the GTIN
	Active *bool
}

const (
	productFields  = `SELECT id, cpg_id, brand_id, gtin, name, nicknames, reference_price_cents, active, picture, created_at, updated_at FROM products`
	productColumns = productFields + ` WHERE ($1 OR cpg_id = $2 OR ($3 AND active))`
)

func errNoProduct() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos ese producto.")
}

// CreateProduct makes a product of a brand (admin, or the CPG's own team). Errors:
// VALIDATION_FAILED, ALREADY_EXISTS, BRAND_INACTIVE, which is also that of an
// inactive CPG.
func (tx *Tx) CreateProduct(ctx context.Context, scope loyalty.Scope, in ProductInput) (Product, error) {
	if err := tenantOnly(scope); err != nil {
		return Product{}, err
	}
	v := Product{
		ID: tx.newID(), Brand: in.Brand, Name: in.Name, Nicknames: in.Nicknames, ReferencePrice: in.ReferencePrice,
		Active: true, CreatedAt: tx.now, UpdatedAt: tx.now,
	}
	var c check
	gtin, err := loyalty.ParseGTIN(in.GTIN)
	if err != nil {
		c.Fields = append(c.Fields, fieldsOf(err)...)
	}
	v.GTIN = gtin
	c.id("brand_id", &v.Brand)
	v.checkTexts(&c)
	if err := c.err(); err != nil {
		return Product{}, err
	}
	tx.lockPlaces()
	w := viewOf(scope)
	brand, err := fetch[Brand](ctx, tx, errNoBrand(), brandColumns+` AND id = $3 FOR SHARE`, w.all, w.cpg, v.Brand) // who deactivates it waits, or we do
	if loyalty.CodeOf(err) == loyalty.CodeNotFound {
		return Product{}, loyalty.Invalid("brand_id", "la marca no existe o no es de esa empresa")
	}
	if err != nil {
		return Product{}, err
	}
	v.CPG = brand.CPG
	cpg, err := tx.CPG(ctx, scope, v.CPG)
	if err != nil {
		return Product{}, err
	}
	if !brand.Active || !cpg.Active {
		return Product{}, loyalty.Fail(loyalty.KindConflict, loyalty.CodeBrandInactive, "Esa marca, o su empresa, está desactivada: no recibe productos.")
	}
	_, err = tx.tx.Exec(ctx, `
		INSERT INTO products (id, cpg_id, brand_id, gtin, name, nicknames, reference_price_cents, active, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
		v.ID, v.CPG, v.Brand, v.GTIN, v.Name, v.Nicknames, v.ReferencePrice, v.Active, tx.now)
	if err != nil {
		return Product{}, err
	}
	tx.audit(scope, Created, "product", v.ID, v.Name, made(v)...)
	return v, tx.placeProduct(ctx, &v)
}

// UpdateProduct changes a product.
func (tx *Tx) UpdateProduct(ctx context.Context, scope loyalty.Scope, id loyalty.ID, p ProductPatch) (Product, error) {
	if err := tenantOnly(scope); err != nil {
		return Product{}, err
	}
	w := viewOf(scope)
	v, err := fetch[Product](ctx, tx, errNoProduct(), productColumns+` AND id = $4 FOR UPDATE`, w.all, w.cpg, w.public, id)
	if err != nil {
		return Product{}, err
	}
	was := v
	set(&v.Name, p.Name)
	set(&v.Nicknames, p.Nicknames)
	set(&v.ReferencePrice, p.ReferencePrice)
	set(&v.Active, p.Active)
	v.UpdatedAt = tx.now
	var c check
	v.checkTexts(&c)
	if err := c.err(); err != nil {
		return Product{}, err
	}
	_, err = tx.tx.Exec(ctx, `
		UPDATE products SET name = $2, nicknames = $3, reference_price_cents = $4, active = $5, updated_at = $6 WHERE id = $1`,
		v.ID, v.Name, v.Nicknames, v.ReferencePrice, v.Active, tx.now)
	tx.audit(scope, Updated, "product", v.ID, v.Name, changed(was, v)...)
	return v, err
}

// Products lists products: all to an admin, its own to a brand team, what is
// active to everybody else.
func (tx *Tx) Products(ctx context.Context, scope loyalty.Scope, f ProductFilter, page Page) ([]Product, loyalty.ID, error) {
	w := viewOf(scope)
	return list(ctx, tx, page, func(v Product) loyalty.ID { return v.ID }, productColumns+`
		AND ($4::uuid IS NULL OR cpg_id = $4) AND ($5::uuid IS NULL OR brand_id = $5)
		AND ($6 = '' OR gtin = $6) AND ($7::boolean IS NULL OR active = $7) AND `+wordsIn("(name || ' ' || gtin)", "$8")+`
		AND id > $9 ORDER BY id LIMIT $10`,
		w.all, w.cpg, w.public, optional(f.CPG), optional(f.Brand), string(f.GTIN), f.Active, searchWords(f.Search))
}

// Product gives one product.
func (tx *Tx) Product(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Product, error) {
	w := viewOf(scope)
	return fetch[Product](ctx, tx, errNoProduct(), productColumns+` AND id = $4`, w.all, w.cpg, w.public, id)
}

// ProductName is how people call a product.
type ProductName struct {
	GTIN      loyalty.GTIN `db:"gtin"`
	Name      string       `db:"name"`
	Nicknames []string     `db:"nicknames"`
}

// ProductNames gives the names of all active products, for understanding
// messages. Names are on every shelf: no scope.
func (tx *Tx) ProductNames(ctx context.Context) ([]ProductName, error) {
	return collect[ProductName](ctx, tx, `SELECT gtin, name, nicknames FROM products WHERE active ORDER BY id`)
}

const mostNicknames = 40

func (v *Product) checkTexts(c *check) {
	c.text("name", &v.Name, 1, 120)
	c.between("reference_price_cents", int64(v.ReferencePrice), 0, int64(loyalty.MaxPrice))
	names := make([]string, 0, len(v.Nicknames))
	for _, n := range v.Nicknames {
		c.text("nicknames", &n, 1, 60)
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
		if len(names) > mostNicknames {
			c.want(false, "nicknames", "son demasiados")
			break
		}
	}
	v.Nicknames = names
}
