package forms

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// A list is searched by the form itself, where there is no script: nothing that
// was typed or chosen is lost, and nothing is saved meanwhile.
func TestAListIsSearchedInItsForm(t *testing.T) {
	typed := send(t, draw(t, drawn(loyalty.Terms{Name: "Junta 10", Products: []loyalty.ID{"p3"}})))
	assert.Equal(t, []string{"p3"}, typed["product_ids"])
	_, f := read(t, typed, loyalty.Terms{})
	assert.False(t, f.Searching())

	typed.Set("name", "Otra")
	typed.Set("product_ids~q", "Cola")
	typed.Set("buscar", "product_ids")
	v, f := read(t, typed, loyalty.Terms{})
	assert.True(t, f.Searching())
	page := draw(t, f)
	typed = send(t, page)
	assert.Equal(t, "Otra", typed.Get("name"))
	assert.Equal(t, []string{"p3"}, typed["product_ids"], "found is not chosen")
	assert.Equal(t, "Cola", typed.Get("product_ids~q"))
	assert.Contains(t, page, `value="p1"`)
	assert.Contains(t, page, "Hay 2. Elige:")
	assert.Equal(t, []loyalty.ID{"p3"}, v.Products)

	// What is ticked is chosen; the search stands and is no new one.
	typed.Add("product_ids", "p1")
	v, f = read(t, typed, loyalty.Terms{})
	assert.False(t, f.Searching())
	assert.Equal(t, []loyalty.ID{"p1", "p3"}, v.Products)

	// All that was found.
	typed.Set("agregar", "product_ids")
	v, f = read(t, typed, loyalty.Terms{})
	assert.True(t, f.Searching())
	assert.ElementsMatch(t, []loyalty.ID{"p1", "p2", "p3"}, v.Products)
	assert.Empty(t, send(t, draw(t, f)).Get("product_ids~q"))

	// Words that are in the box when one presses Enter are a search too, also in a
	// row in which there is nothing else yet.
	typed = send(t, draw(t, drawn(loyalty.Terms{})))
	typed.Set("limits[1].product_ids~q", "Agua")
	_, f = read(t, typed, loyalty.Terms{})
	require.True(t, f.Searching())
	page = draw(t, f)
	assert.Contains(t, page, `name="limits[0].product_ids" value="p3"`)

	// What is no longer sold is still there.
	assert.Contains(t, draw(t, drawn(loyalty.Terms{Products: []loyalty.ID{"p9"}})), "Ya no está en la lista")
}

func drawn(v loyalty.Terms) *Form {
	f := New(nil)
	f.Terms(&v, catalogue)
	return f
}
