package forms

import (
	"bytes"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// listed is a source whose search finds all that has the letters in its name.
func listed(all []templates.FormOption) Source {
	pick := func(want func(templates.FormOption) bool) (some []templates.FormItem) {
		for _, o := range all {
			if want(o) {
				some = append(some, templates.FormItem{Value: o.Value, Label: o.Label})
			}
		}
		return some
	}
	return Source{
		URL: "/buscar", Filters: []templates.FormFilter{{Name: "tipo", Label: "Tipo", Any: "Todos"}},
		Find: func(by map[string]string, _ int) ([]templates.FormItem, int64) {
			found := pick(func(o templates.FormOption) bool { return strings.Contains(o.Label, by["q"]) })
			return found, int64(len(found))
		},
		Named: func(values []string) []templates.FormItem {
			return pick(func(o templates.FormOption) bool { return slices.Contains(values, o.Value) })
		},
	}
}

var catalogue = Catalogue{
	Products: listed(options("p1", "Cola 600 ml", "p2", `Cola "zero" <1 L>`, "p3", "Agua 1 L")),
	Brands:   group("b1", "Cola", "b2", "Agua"),
	Shops:    listed(options("s1", "Lupita", "s2", "La Esperanza")),
	States:   group("Puebla", "Puebla", "Jalisco", "Jalisco"),
	Cities:   group("Cholula", "Cholula"),
	Segments: group("g1", "Frecuentes"),
	Tiered:   options("c1", "La otra"),
}

// complete has a value in every field there is.
func complete() loyalty.Terms {
	moment := func(day int) time.Time { return time.Date(2026, 11, day, 15, 30, 0, 0, time.UTC) }
	return loyalty.Terms{
		Name: `Junta "10" y <gana>`, Scheme: loyalty.Both, Enrolment: loyalty.OnRequest, PerShop: true, Goal: 10, PointsGoal: 1500,
		StartsAt: moment(1), EndsAt: moment(30),
		AllProducts: true, Brands: []loyalty.ID{"b1", "b2"}, Products: []loyalty.ID{"p1", "p3"}, ExcludedProducts: []loyalty.ID{"p2"},
		AllShops: true, ShopKinds: []string{"chain", "tiendita"}, States: []string{"Jalisco", "Puebla"}, Cities: []string{"Cholula"},
		Shops: []loyalty.ID{"s1"}, ExcludedShops: []loyalty.ID{"s2"}, Joining: loyalty.JoinByInvitation,
		Earn: []loyalty.Earn{
			{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1, Each: 2},
			{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 3, Each: 10},
		},
		Rounding: loyalty.RoundUp,
		Boosts: []loyalty.Boost{{
			Name: "Lunes & martes", Percent: 250, Bonus: 5, Unit: loyalty.Point,
			When: loyalty.When{
				Products: []loyalty.ID{"p1"}, Brands: []loyalty.ID{"b2"}, Weekdays: []time.Weekday{time.Sunday, time.Monday}, From: "09:00", To: "11:30",
				First: true, Birthday: true, MinTier: "Oro",
			},
		}},
		Stacking: loyalty.StackAll, Priority: -7, Exclusive: true, MinSpend: 12_345, MinQuantity: 2, CooldownMinutes: 45,
		Limits: []loyalty.Limit{
			{ID: "diario", Counts: loyalty.CountPurchases, Unit: loyalty.Point, Max: 3, Period: loyalty.EachHour, PerShop: true, AllCards: true, Products: []loyalty.ID{"p1"}, Brands: []loyalty.ID{"b1"}},
		},
		Budget:   &loyalty.Budget{Stamps: 1000, Points: 2_000_000, Rewards: 30, Exhausted: loyalty.PauseCampaign},
		Audience: loyalty.Audience{Segments: []loyalty.ID{"g1"}, TierOf: "c1", MinTier: "Plata"},
		Pending:  &loyalty.Pending{Hours: 24},
		Expiry:   &loyalty.Expiry{On: moment(29), Days: 90, InactiveDays: 60, WarnDays: 5},
		Tiers: &loyalty.Tiers{
			Keep: loyalty.TierPerPeriod, Period: loyalty.EachMonth, GraceDays: 10,
			Levels: []loyalty.Level{{Name: "Plata", Purchases: 5, Spend: 50_050, Earned: 100, Percent: 120, Discount: "5 % en tienda"}},
		},
		MarginBPS: 3505, Fee: 50_000, NudgeQuietDays: 4, NudgeGapDays: 7,
	}
}

// everyField fails for a field that the sample leaves empty.
func everyField(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	require.False(t, v.IsZero(), "%s: the sample must state it, so that the form is tested with it", path)
	switch v.Kind() {
	case reflect.Pointer:
		everyField(t, v.Elem(), path)
	case reflect.Slice:
		everyField(t, v.Index(v.Len()-1), path+"[]") // the first weekday is 0
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			everyField(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	}
}

// draw renders a form as a page.
func draw(t *testing.T, f *Form) string {
	t.Helper()
	pages, err := templates.New()
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, pages.Form(&out, templates.FormView{Title: "Prueba", Sections: f.Sections}))
	return out.String()
}

// send gives what a browser sends of a page's form.
func send(t *testing.T, page string) url.Values {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	values := url.Values{}
	for n := range root.Descendants() {
		attrs := map[string]string{}
		for _, a := range n.Attr {
			attrs[a.Key] = a.Val
		}
		_, checked := attrs["checked"]
		switch {
		case n.Type != html.ElementNode || attrs["name"] == "":
		case n.Data == "input" && (attrs["type"] != "checkbox" || checked):
			values.Add(attrs["name"], attrs["value"])
		case n.Data == "textarea" && n.FirstChild != nil:
			values.Add(attrs["name"], n.FirstChild.Data)
		case n.Data == "select":
			chosen, first := "", true
			for o := range n.ChildNodes() {
				for _, a := range o.Attr {
					if a.Key == "value" && first {
						chosen, first = a.Val, false
					}
				}
				for _, a := range o.Attr {
					if a.Key == "selected" {
						for _, b := range o.Attr {
							if b.Key == "value" {
								chosen = b.Val
							}
						}
					}
				}
			}
			values.Add(attrs["name"], chosen)
		}
	}
	return values
}

func read(t *testing.T, typed url.Values, into loyalty.Terms) (loyalty.Terms, *Form) {
	t.Helper()
	f := New(typed)
	f.Terms(&into, catalogue)
	return into, f
}

// A form that is drawn and sent back unchanged is the same terms: no field can
// be forgotten, whether it is written over what is stored or from nothing.
func TestTermsSurviveTheForm(t *testing.T) {
	want := complete()
	everyField(t, reflect.ValueOf(want), "Terms")
	drawn := New(nil)
	shown := complete()
	drawn.Terms(&shown, catalogue)
	require.Equal(t, want, shown, "drawing changes nothing")
	typed := send(t, draw(t, drawn))
	for name, base := range map[string]loyalty.Terms{"from nothing": {}, "over itself": complete()} {
		got, f := read(t, typed, base)
		require.NoError(t, f.Err(), name)
		require.Equal(t, want, got, name)
		require.Equal(t, typed, send(t, draw(t, f)), "%s: what was typed is what is drawn again", name)
	}
}

// An empty form is no terms beyond its choices: what nobody filled in is absent,
// not empty.
func TestAnEmptyFormIsNoTerms(t *testing.T) {
	drawn := New(nil)
	drawn.Terms(new(loyalty.Terms), catalogue)
	got, f := read(t, send(t, draw(t, drawn)), loyalty.Terms{})
	require.NoError(t, f.Err())
	require.Equal(t, loyalty.Terms{Scheme: loyalty.Stamps, Enrolment: loyalty.Automatic}, got)
}

// What a person empties is gone, and the rows after it move up.
func TestARowThatIsEmptiedIsRemoved(t *testing.T) {
	base := complete()
	base.Limits = []loyalty.Limit{{ID: "a", Max: 1, Period: loyalty.EachDay}, {ID: "b", Max: 2, Period: loyalty.EachWeek}}
	drawn := New(nil)
	drawn.Terms(&base, catalogue)
	typed := send(t, draw(t, drawn))
	typed.Set("limits[0].max", "")
	for _, name := range []string{"budget.stamps", "budget.points", "budget.rewards", "pending.hours"} {
		typed.Set(name, "")
	}
	typed.Del("pending")
	typed.Set("limits[9].max", "5") // a row that a script added
	typed.Set("limits[9].period", "month")
	got, f := read(t, typed, base)
	require.NoError(t, f.Err())
	require.Equal(t, []loyalty.Limit{{ID: "b", Max: 2, Period: loyalty.EachWeek}, {Max: 5, Period: loyalty.EachMonth}}, got.Limits)
	require.Nil(t, got.Budget)
	require.Nil(t, got.Pending)
	require.Equal(t, "2", send(t, draw(t, f)).Get("limits[0].max"))
}

// What does not change stays exactly what it was, finer than a form can show.
func TestWhatIsNotTouchedStaysExact(t *testing.T) {
	base := complete()
	base.StartsAt = base.StartsAt.Add(12*time.Second + 345*time.Microsecond)
	base.Products = []loyalty.ID{"p9", "p1"} // one that is not sold any more
	drawn := New(nil)
	drawn.Terms(&base, catalogue)
	typed := send(t, draw(t, drawn))
	typed.Set("name", "Otro")
	got, f := read(t, typed, base)
	require.NoError(t, f.Err())
	base.Name = "Otro"
	require.Equal(t, base, got)
}

func TestWhatCannotBeReadIsSaidAndKept(t *testing.T) {
	for field, text := range map[string]string{
		"goal": "diez", "margin_bps": "mucho", "fee_cents": "1.234", "starts_at": "mañana", "scheme": "nada", "limits[0].max": "3.5",
		"limits[0].period": "siglo", "tiers.levels[0].spend_cents": "-1", "boosts[0].when.weekdays": "lunes", "expiry.on": "2026-02-30T00:00",
		"priority": "9999999999999",
	} {
		base := complete()
		drawn := New(nil)
		drawn.Terms(&base, catalogue)
		typed := send(t, draw(t, drawn))
		typed.Set(field, text)
		_, f := read(t, typed, complete())
		var wrong *loyalty.Error
		require.ErrorAs(t, f.Err(), &wrong, field)
		require.Len(t, wrong.Fields, 1, field)
		require.Equal(t, field, wrong.Fields[0].Field)
		v := templates.FormView{Sections: f.Sections}
		Explain(&v, wrong.Detail, wrong.Fields)
		found := false
		for _, s := range v.Sections {
			if at := fieldOf(s.Fields, field); at != nil {
				found = true
				require.NotEmpty(t, at.Error)
				require.Equal(t, []templates.FormError{{At: at.ID(), Text: at.Label + ": " + wrong.Fields[0].Reason}}, v.Errors)
				require.True(t, s.Wrong())
			}
		}
		require.True(t, found, field)
		if field != "scheme" && field != "limits[0].period" && field != "boosts[0].when.weekdays" { // not typed
			require.Equal(t, text, send(t, draw(t, f)).Get(field), fmt.Sprint(field, ": what was typed"))
		}
	}
}

// What the store finds about a list or a part without a field of its own is said
// at the list, or above the form.
func TestErrorsFindTheirPlace(t *testing.T) {
	base := complete()
	f := New(nil)
	f.Terms(&base, catalogue)
	v := templates.FormView{Sections: f.Sections}
	Explain(&v, "", []loyalty.FieldError{
		{Field: "earn[1]", Reason: "repetida"}, {Field: "states[0]", Reason: "rara"}, {Field: "tiers.levels[0].name", Reason: "ya se usa"}, {Field: "nada.de.esto", Reason: "falta"},
		{Field: "brand_ids", Reason: "no va junto con all_products"},
	})
	require.Equal(t, []templates.FormError{
		{At: "f-earn", Text: "Formas de ganar: repetida"}, {At: "f-states", Text: "De estos estados: rara"},
		{At: "f-tiers-levels-0-name", Text: "Nombre del nivel: ya se usa"}, {Text: "falta"},
		{At: "f-brand_ids", Text: "Marcas enteras: no va junto con «todos los productos»"},
	}, v.Errors)
}
