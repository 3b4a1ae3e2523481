package bot

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
)

// catalogLife is how long the catalogue is taken for what it was: a product
// that was just added is understood a moment later.
const catalogLife = time.Second

// catalog is the engine that knows the products of the database by name.
type catalog struct {
	words *flows.Understander

	mu       sync.Mutex
	engine   *flows.Engine
	products map[string]string // names by GTIN
	names    []flows.Product
	read     time.Time
}

// at gives the engine and the products' names as of the transaction's time.
func (c *catalog) at(ctx context.Context, tx *store.Tx) (*flows.Engine, map[string]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := tx.Now().Sub(c.read)
	if c.products != nil && age < catalogLife && age > -catalogLife {
		return c.engine, c.products, nil
	}
	rows, err := tx.ProductNames(ctx)
	if err != nil {
		return nil, nil, err
	}
	names := make([]flows.Product, len(rows))
	for i, p := range rows {
		names[i] = flows.Product{GTIN: string(p.GTIN), Name: p.Name, Nicknames: p.Nicknames}
	}
	if c.products == nil || !slices.EqualFunc(names, c.names, same) {
		c.names, c.products = names, make(map[string]string, len(names))
		for _, p := range names {
			c.products[p.GTIN] = p.Name
		}
		c.engine = c.engine.WithWords(c.words.WithCatalog(names))
	}
	c.read = tx.Now()
	return c.engine, c.products, nil
}

func same(a, b flows.Product) bool {
	return a.GTIN == b.GTIN && a.Name == b.Name && slices.Equal(a.Nicknames, b.Nicknames)
}
