package loyalty

import "slices"

// Place is what campaigns aim at in a shop.
type Place struct {
	ID    ID
	Kind  string // tiendita, minisuper, chain
	State string
	City  string
}

// Aims says whether the terms aim at a shop: at all shops, at those listed, or
// at those that are of all the named types, states and cities; never at those
// excluded. Names of states and cities are compared as they are searched,
// without case and accents. Lists of IDs are sorted.
func (t *Terms) Aims(p Place) bool {
	if contains(t.ExcludedShops, p.ID) {
		return false
	}
	return t.AllShops || contains(t.Shops, p.ID) || t.aimsByNames() && t.aimsAt(p)
}

// aimsByNames says whether shops are aimed at by what they are.
func (t *Terms) aimsByNames() bool { return len(t.ShopKinds)+len(t.States)+len(t.Cities) > 0 }

func (t *Terms) aimsAt(p Place) bool {
	return (len(t.ShopKinds) == 0 || slices.Contains(t.ShopKinds, p.Kind)) && namesPlace(t.States, p.State) && namesPlace(t.Cities, p.City)
}

// namesPlace says whether a name is among those wanted; none wanted is any.
func namesPlace(wanted []string, name string) bool {
	if len(wanted) == 0 {
		return true
	}
	name = SearchName(name)
	return slices.ContainsFunc(wanted, func(w string) bool { return SearchName(w) == name })
}
