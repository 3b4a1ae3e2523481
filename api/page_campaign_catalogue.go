package api

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// catalogueOf reads what a campaign's form offers: what is its owner's, and the
// shops that the caller sees. Products and shops are searched when they are asked
// for.
func catalogueOf(ctx context.Context, t *store.Tx, scope loyalty.Scope, root string, v loyalty.Campaign) (forms.Catalogue, error) {
	from := forms.Catalogue{Own: v.Owner != "", Failed: new(error)}
	var brands []templates.FormOption
	err := everyPage(func(p store.Page) (loyalty.ID, error) {
		all, next, err := t.Brands(ctx, scope, store.BrandFilter{CPG: v.CPG}, p)
		for _, b := range all {
			brands = append(brands, templates.FormOption{Value: string(b.ID), Label: b.Name})
		}
		return next, err
	})
	if err != nil {
		return from, err
	}
	from.Brands = oneGroup("", brands)
	search := root + "/campanas/buscar/"
	from.Products = productSource(ctx, t, scope, v.CPG, brands, from.Failed)
	from.Products.URL = search + "productos?owner=" + url.QueryEscape(ownerText(v.CPG, v.Owner))
	if err := readShops(ctx, t, scope, root, &from); err != nil {
		return from, err
	}
	if from.Segments, err = segmentChoices(ctx, t, scope, v); err != nil {
		return from, err
	}
	from.Tiered, err = tieredCampaigns(ctx, t, scope, v)
	return from, err
}

// productSource is the products of an owner; a shop names those of all.
func productSource(ctx context.Context, t *store.Tx, scope loyalty.Scope, cpg loyalty.ID, brands []templates.FormOption, failed *error) forms.Source {
	choices := func(f store.ProductChoice, most int) ([]templates.FormItem, int64) {
		all, total, err := t.ChooseProducts(ctx, scope, f, most)
		*failed = cmp.Or(*failed, err)
		return mapped(all, func(p store.Product) templates.FormItem {
			return templates.FormItem{Value: string(p.ID), Label: p.Name, Detail: "EAN " + string(p.GTIN)}
		}), total
	}
	v := forms.Source{
		Hint: "por nombre, marca o EAN",
		Find: func(by map[string]string, most int) ([]templates.FormItem, int64) {
			f := store.ProductChoice{CPG: cpg, Words: by["q"]}
			if brand := by["marca"]; brand != "" {
				var err error
				if f.Brand, err = loyalty.ParseID(brand); err != nil {
					return nil, 0
				}
			}
			return choices(f, most)
		},
		Named: func(values []string) []templates.FormItem {
			named, _ := choices(store.ProductChoice{IDs: parsedIDs(values)}, len(values))
			return named
		},
	}
	if len(brands) > 1 {
		v.Filters = []templates.FormFilter{{Name: "marca", Label: "Marca", Any: "Todas", Options: brands}}
	}
	return v
}

// parsedIDs are those of what was sent that are IDs; never nil.
func parsedIDs(values []string) []loyalty.ID {
	ids := make([]loyalty.ID, 0, len(values))
	for _, value := range values {
		if id, err := loyalty.ParseID(value); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

func readShops(ctx context.Context, t *store.Tx, scope loyalty.Scope, root string, from *forms.Catalogue) error {
	places, err := t.ShopPlaces(ctx, scope)
	if err != nil {
		return err
	}
	states, cities := map[string]bool{}, map[string]bool{}
	for _, p := range places {
		states[p.State], cities[p.City] = true, true
	}
	from.States, from.Cities = named(states), named(cities)
	from.Shops = shopSource(ctx, t, scope, from, from.Failed)
	from.Shops.URL = root + "/campanas/buscar/tiendas"
	return nil
}

func shopSource(ctx context.Context, t *store.Tx, scope loyalty.Scope, from *forms.Catalogue, failed *error) forms.Source {
	choices := func(f store.ShopChoice, most int) ([]templates.FormItem, int64) {
		all, total, err := t.ChooseShops(ctx, scope, f, most)
		*failed = cmp.Or(*failed, err)
		return mapped(all, func(v store.Shop) templates.FormItem {
			return templates.FormItem{Value: string(v.ID), Label: v.Name, Detail: listNonEmpty(", ", v.Street, v.City)}
		}), total
	}
	only := func(groups []templates.FormGroup) []templates.FormOption {
		if len(groups) == 0 {
			return nil
		}
		return groups[0].Options
	}
	return forms.Source{
		Hint: "por nombre, calle o código",
		Filters: []templates.FormFilter{
			{Name: "estado", Label: "Estado", Any: "Todos", Options: only(from.States)}, {Name: "ciudad", Label: "Ciudad", Any: "Todas", Options: only(from.Cities)},
			{Name: "tipo", Label: "Tipo", Any: "Todos", Options: forms.ShopKinds},
		},
		Find: func(by map[string]string, most int) ([]templates.FormItem, int64) {
			return choices(store.ShopChoice{Words: by["q"], State: by["estado"], City: by["ciudad"], Kind: by["tipo"]}, most)
		},
		Named: func(values []string) []templates.FormItem {
			named, _ := choices(store.ShopChoice{IDs: parsedIDs(values)}, len(values))
			return named
		},
	}
}

// findChoices answers what a search in a field of a form finds, while it is typed.
func (s *server) findChoices(c *fiber.Ctx) error {
	scope, root := scopeOf(c), deskRoot(c)
	by := map[string]string{}
	for _, name := range []string{"q", "marca", "estado", "ciudad", "tipo"} {
		if value := queryText(c, name); value != "" {
			by[name] = value
		}
	}
	field := templates.FormField{Kind: templates.FormFind, Name: queryText(c, "name")}
	_, err := report(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		from := forms.Catalogue{Failed: new(error)}
		var source forms.Source
		switch c.Params("what") {
		case "productos":
			cpg, _, ok := ownerIn(scope, queryText(c, "owner"))
			if !ok {
				return struct{}{}, fiber.ErrNotFound
			}
			source = productSource(ctx, t, scope, cpg, nil, from.Failed)
		case "tiendas":
			if err := readShops(ctx, t, scope, root, &from); err != nil {
				return struct{}{}, err
			}
			source = from.Shops
		default:
			return struct{}{}, fiber.ErrNotFound
		}
		field.Finder = forms.Found(source, by)
		return struct{}{}, *from.Failed
	})
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.FormResults(w, field) })
}

func listNonEmpty(between string, parts ...string) string {
	text := ""
	for _, p := range parts {
		if p != "" && text != "" {
			text += between
		}
		text += p
	}
	return text
}

// tieredCampaigns are the owner's other campaigns in which one can have a tier.
func tieredCampaigns(ctx context.Context, t *store.Tx, scope loyalty.Scope, v loyalty.Campaign) ([]templates.FormOption, error) {
	var out []templates.FormOption
	err := everyPage(func(p store.Page) (loyalty.ID, error) {
		all, next, err := t.Campaigns(ctx, scope, store.CampaignFilter{CPG: v.CPG, Owner: v.Owner}, p)
		for _, other := range all {
			if other.ID != v.ID && other.Tiers != nil {
				out = append(out, templates.FormOption{Value: string(other.ID), Label: other.Name})
			}
		}
		return next, err
	})
	return out, err
}

func oneGroup(label string, options []templates.FormOption) []templates.FormGroup {
	if len(options) == 0 {
		return nil
	}
	return []templates.FormGroup{{Label: label, Options: options}}
}

// named offers names as they are.
func named(all map[string]bool) []templates.FormGroup {
	var options []templates.FormOption
	for name := range all {
		if name != "" {
			options = append(options, templates.FormOption{Value: name, Label: name})
		}
	}
	slices.SortFunc(options, func(a, b templates.FormOption) int {
		return cmp.Compare(loyalty.SearchName(a.Label), loyalty.SearchName(b.Label))
	})
	return oneGroup("", options)
}
