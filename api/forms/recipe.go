package forms

import (
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Recipe is a campaign that is nearly ready: where most brands begin.
type Recipe struct {
	Key    string
	Name   string
	Text   string
	terms  loyalty.Terms
	reward string
}

// Recipes are all there are; the last is of one's own.
func Recipes() []Recipe {
	day := func(most int64) []loyalty.Limit { return []loyalty.Limit{{Max: most, Period: loyalty.EachDay}} }
	stamps := func(goal int64, each int64, limits []loyalty.Limit) loyalty.Terms {
		return loyalty.Terms{Scheme: loyalty.Stamps, Goal: goal, Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1, Each: each}}, Limits: limits}
	}
	return []Recipe{
		{"junta10", "Junta 10 y gana", "Un sello por cada pieza. Con 10 sellos, un premio. La de toda la vida.", stamps(10, 0, day(5)), "Un producto gratis"},
		{"puntos", "Puntos por peso", "Un punto por cada 10 pesos. Con 100 puntos, un premio. Para marcas con muchos productos.", loyalty.Terms{
			Scheme: loyalty.Points, Goal: 100, Earn: []loyalty.Earn{usualEarn(loyalty.Point)}, Limits: day(100),
		}, "Un producto a elegir"},
		{"lleva3", "Lleva 3 y gana", "Un sello cada vez que lleva 3 piezas juntas. Con 4 sellos, un premio. Para que compre más cada vez.", stamps(4, 3, day(4)), "Un producto gratis"},
		{"propia", "Desde cero", "Tú decides todo, paso por paso.", stamps(10, 0, nil), ""},
	}
}

// Campaign is the draft that a recipe makes for an owner.
func (r Recipe) Campaign(in store.CampaignInput) store.CampaignInput {
	brand := in.Owner == "" // a shop names products, and is at home
	in.Terms = r.terms
	in.Terms.Name, in.Terms.Enrolment, in.Terms.AllProducts, in.Terms.AllShops = r.Name, loyalty.Automatic, brand, brand
	if in.Terms.Name = r.Name; r.reward == "" {
		in.Terms.Name = "Campaña nueva"
	} else {
		in.Rewards = []store.RewardInput{{Name: r.reward, Threshold: r.terms.Goal}}
	}
	return in
}
