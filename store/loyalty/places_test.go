package loyalty

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTermsAimAtShops(t *testing.T) {
	lupita := Place{ID: "b", Kind: "tiendita", State: "Ciudad de México", City: "Coyoacán"}
	for name, tc := range map[string]struct {
		terms Terms
		want  bool
	}{
		"nowhere":                             {Terms{}, false},
		"everywhere":                          {Terms{AllShops: true}, true},
		"everywhere but there":                {Terms{AllShops: true, ExcludedShops: []ID{"a", "b"}}, false},
		"listed":                              {Terms{Shops: []ID{"a", "b"}}, true},
		"not listed":                          {Terms{Shops: []ID{"a", "c"}}, false},
		"listed and excluded":                 {Terms{Shops: []ID{"b"}, ExcludedShops: []ID{"b"}}, false},
		"its kind":                            {Terms{ShopKinds: []string{"chain", "tiendita"}}, true},
		"another kind":                        {Terms{ShopKinds: []string{"chain"}}, false},
		"its state, written otherwise":        {Terms{States: []string{"CIUDAD DE MEXICO"}}, true},
		"another state":                       {Terms{States: []string{"Jalisco"}}, false},
		"its city, written otherwise":         {Terms{Cities: []string{" coyoacan "}}, true},
		"its kind in its city":                {Terms{ShopKinds: []string{"tiendita"}, Cities: []string{"Coyoacán"}}, true},
		"its kind in another city":            {Terms{ShopKinds: []string{"tiendita"}, Cities: []string{"Tlalpan"}}, false},
		"its city in another state":           {Terms{States: []string{"Jalisco"}, Cities: []string{"Coyoacán"}}, false},
		"its kind, but excluded":              {Terms{ShopKinds: []string{"tiendita"}, ExcludedShops: []ID{"b"}}, false},
		"listed, beside a kind that it isn't": {Terms{Shops: []ID{"b"}, ShopKinds: []string{"chain"}}, true},
	} {
		require.Equal(t, tc.want, tc.terms.Aims(lupita), name)
	}
}
