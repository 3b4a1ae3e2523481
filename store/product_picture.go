package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// The sizes of pictures: squares of so many pixels, for a button and for a page.
const (
	SmallPicture = 160
	LargePicture = 480
)

// SetPicture gives a product a picture, as JPEGs by their sizes; none takes it
// away (admin, or the CPG's own team).
func (tx *Tx) SetPicture(ctx context.Context, scope loyalty.Scope, id loyalty.ID, sizes map[int][]byte) (Product, error) {
	if err := tenantOnly(scope); err != nil {
		return Product{}, err
	}
	w := viewOf(scope)
	v, err := fetch[Product](ctx, tx, errNoProduct(), productColumns+` AND id = $4 FOR UPDATE`, w.all, w.cpg, w.public, id)
	if err != nil {
		return v, err
	}
	was := v
	v.Picture = ""
	if _, err := tx.tx.Exec(ctx, `DELETE FROM product_pictures WHERE product_id = $1`, id); err != nil {
		return v, err
	}
	if len(sizes) > 0 {
		sum := sha256.New()
		sum.Write([]byte(id)) // or who replaces the picture of one takes it from another
		for _, px := range slices.Sorted(maps.Keys(sizes)) {
			sum.Write(sizes[px])
			tx.later(`INSERT INTO product_pictures (product_id, px, content) VALUES ($1, $2, $3)`, id, px, sizes[px])
		}
		v.Picture = hex.EncodeToString(sum.Sum(nil)[:12])
	}
	_, err = tx.tx.Exec(ctx, `UPDATE products SET picture = $2 WHERE id = $1`, id, v.Picture)
	tx.audit(scope, Updated, "product", v.ID, v.Name, changed(was, v)...)
	return v, err
}

// Picture gives a picture by its name. It is on a product that everybody sees: no
// scope.
func (tx *Tx) Picture(ctx context.Context, name string, px int) (content []byte, err error) {
	err = tx.tx.QueryRow(ctx, `
		SELECT f.content FROM products p JOIN product_pictures f ON f.product_id = p.id WHERE p.picture = $1 AND p.picture <> '' AND f.px = $2`, name, px).Scan(&content)
	if none(err) {
		return nil, loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa foto.")
	}
	return content, err
}
