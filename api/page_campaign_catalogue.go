package api

import (
	"cmp"
	"context"
	"slices"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// catalogueOf reads what a campaign's form offers: what is its owner's, and the
// shops that the caller sees.
func catalogueOf(ctx context.Context, t *store.Tx, scope loyalty.Scope, v loyalty.Campaign) (forms.Catalogue, error) {
	from := forms.Catalogue{Own: v.Owner != ""}
	brands := naming{}
	var named []templates.FormOption
	err := everyPage(func(p store.Page) (loyalty.ID, error) {
		all, next, err := t.Brands(ctx, scope, store.BrandFilter{CPG: v.CPG}, p)
		for _, b := range all {
			brands[b.ID] = b.Name
			named = append(named, templates.FormOption{Value: string(b.ID), Label: b.Name})
		}
		return next, err
	})
	if err != nil {
		return from, err
	}
	from.Brands = oneGroup("", named)
	products := map[string][]templates.FormOption{}
	err = everyPage(func(p store.Page) (loyalty.ID, error) {
		active := true
		all, next, err := t.Products(ctx, scope, store.ProductFilter{CPG: v.CPG, Active: &active}, p)
		for _, pr := range all {
			brand := cmp.Or(brands[pr.Brand], "Productos")
			products[brand] = append(products[brand], templates.FormOption{Value: string(pr.ID), Label: pr.Name})
		}
		return next, err
	})
	if err != nil {
		return from, err
	}
	from.Products = grouped(products)
	if err := readShops(ctx, t, scope, &from); err != nil {
		return from, err
	}
	if from.Segments, err = segmentChoices(ctx, t, scope, v); err != nil {
		return from, err
	}
	from.Tiered, err = tieredCampaigns(ctx, t, scope, v)
	return from, err
}

func readShops(ctx context.Context, t *store.Tx, scope loyalty.Scope, from *forms.Catalogue) error {
	shops, states, cities := map[string][]templates.FormOption{}, map[string]bool{}, map[string]bool{}
	err := everyPage(func(p store.Page) (loyalty.ID, error) {
		active := true
		all, next, err := t.Shops(ctx, scope, store.ShopFilter{Active: &active}, p)
		for _, v := range all {
			at := listNonEmpty(" · ", v.State, v.City)
			shops[at] = append(shops[at], templates.FormOption{Value: string(v.ID), Label: v.Name})
			states[v.State], cities[v.City] = true, true
		}
		return next, err
	})
	from.Shops, from.States, from.Cities = grouped(shops), named(states), named(cities)
	return err
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

// grouped sorts groups and what is in them by name.
func grouped(all map[string][]templates.FormOption) []templates.FormGroup {
	var groups []templates.FormGroup
	for label, options := range all {
		slices.SortFunc(options, func(a, b templates.FormOption) int {
			return cmp.Or(cmp.Compare(loyalty.SearchName(a.Label), loyalty.SearchName(b.Label)), cmp.Compare(a.Value, b.Value))
		})
		groups = append(groups, templates.FormGroup{Label: label, Options: options})
	}
	slices.SortFunc(groups, func(a, b templates.FormGroup) int {
		return cmp.Compare(loyalty.SearchName(a.Label), loyalty.SearchName(b.Label))
	})
	return groups
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
