package demo

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// seedCampaigns: a product earns in one active campaign only, so that a receipt
// of the demo is easy to follow. Two more are on their way: one in review, and a
// draft of a shop's own.
func seedCampaigns(ctx context.Context, tx *store.Tx, starts time.Time, cpgs []loyalty.ID, c catalogue) ([]store.Campaign, error) {
	var made []store.Campaign
	for _, in := range demoCampaigns(cpgs, c) {
		in.Terms.Enrolment, in.Terms.StartsAt = loyalty.Automatic, starts
		in.Reason = "Datos de demostración"
		tx = tx.Bulk().At(tx.Now().Add(time.Millisecond))
		goal := in.Status
		if goal != loyalty.Active {
			in.Status = loyalty.Draft
		}
		campaign, err := tx.CreateCampaign(ctx, loyalty.System(), in)
		if err == nil && goal != campaign.Status {
			campaign, err = tx.MoveCampaign(ctx, loyalty.System(), campaign.ID, goal, in.Reason)
		}
		if err != nil {
			return nil, err
		}
		made = append(made, campaign)
	}
	return made, nil
}

func demoCampaigns(cpgs []loyalty.ID, c catalogue) []store.CampaignInput {
	plis := func(from, to int) (ids []loyalty.ID) {
		for _, p := range c.products[from:to] {
			ids = append(ids, p.ID)
		}
		return ids
	}
	var some []loyalty.ID // the second company is not in every shop, but in the first
	for i, s := range c.shops {
		if i%3 != 2 {
			some = append(some, s.ID)
		}
	}
	stock, once := int64(500), 1
	stampAUnit := []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}}
	return []store.CampaignInput{
		{
			CPG: cpgs[0], Status: loyalty.Active,
			Terms: loyalty.Terms{
				Name: "Junta 10 Cocas", Scheme: loyalty.Stamps, Goal: 10, Earn: stampAUnit, Products: plis(0, 1), AllShops: true,
				MarginBPS: 3800, Fee: 50_000, NudgeQuietDays: 4, NudgeGapDays: 7,
			},
			Rewards: []store.RewardInput{{Name: "Una Coca-Cola 600 ml gratis", Unit: loyalty.Stamp, Threshold: 10, Cost: 1200}},
		},
		{
			CPG: cpgs[0], Status: loyalty.Active,
			Terms: loyalty.Terms{
				Name: "Puntos que Refrescan", Scheme: loyalty.Points, Goal: 300, Products: plis(1, 7), AllShops: true,
				Earn:   []loyalty.Earn{{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1}},
				Expiry: &loyalty.Expiry{Days: 180, WarnDays: 10},
				Tiers: &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{
					{Name: "Plata", Earned: 600, Discount: "Hielo gratis en la compra de un garrafón"},
					{Name: "Oro", Earned: 1500, Percent: 150, Discount: "Hielo gratis en la compra de un garrafón"},
				}},
				MarginBPS: 3500, Fee: 90_000, NudgeQuietDays: 5, NudgeGapDays: 7,
			},
			Rewards: []store.RewardInput{
				{Name: "Un jugo Del Valle gratis", Unit: loyalty.Point, Threshold: 300, Cost: 1100},
				{Name: "Termo Ciel de acero", Unit: loyalty.Point, Threshold: 1200, Cost: 9500, Stock: &stock, PerConsumer: &once},
				{Name: "Hielera edición Oro", Unit: loyalty.Point, Threshold: 1500, Cost: 18_000, Stock: &stock, PerConsumer: &once, MinTier: "Oro"},
			},
		},
		{
			CPG: cpgs[1], Status: loyalty.Active,
			Terms: loyalty.Terms{
				Name: "Antojo Consentido", Scheme: loyalty.Stamps, Goal: 8, Earn: stampAUnit, Products: plis(7, 12), Shops: some,
				Budget:    &loyalty.Budget{Stamps: 100_000, Rewards: 10_000},
				Pending:   &loyalty.Pending{Hours: 24},
				MarginBPS: 4000, Fee: 55_000, NudgeQuietDays: 4, NudgeGapDays: 7,
			},
			Rewards: []store.RewardInput{{Name: "Un Gansito gratis", Unit: loyalty.Stamp, Threshold: 8, Cost: 1150}},
		},
		{
			CPG: cpgs[0], Status: loyalty.InReview,
			Terms: loyalty.Terms{
				Name: "Lunes al doble", Scheme: loyalty.Both, Goal: 6, PointsGoal: 500, AllProducts: true, States: []string{c.shops[0].State},
				Earn: []loyalty.Earn{
					{Unit: loyalty.Stamp, Per: loyalty.PerVisit, Amount: 1},
					{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1, Each: 2},
				},
				Boosts: []loyalty.Boost{
					{Name: "Lunes al doble", Percent: 200, When: loyalty.When{Weekdays: []time.Weekday{time.Monday}}},
					{Name: "Bienvenida", Bonus: 1, Unit: loyalty.Stamp, When: loyalty.When{First: true}},
					{Name: "Cumpleaños", Bonus: 50, Unit: loyalty.Point, When: loyalty.When{Birthday: true}},
				},
				MinSpend:  2000,
				Limits:    []loyalty.Limit{{ID: "diario", Unit: loyalty.Point, Max: 200, Period: loyalty.EachDay}},
				Budget:    &loyalty.Budget{Points: 250_000, Exhausted: loyalty.PauseCampaign},
				MarginBPS: 3600, Fee: 60_000, NudgeQuietDays: 7, NudgeGapDays: 7,
			},
			Rewards: []store.RewardInput{
				{Name: "Una Ciel 1 l gratis", Unit: loyalty.Stamp, Threshold: 6, Cost: 900},
				{Name: "Vale de 50 pesos en productos", Unit: loyalty.Point, Threshold: 500, Cost: 5000, PerConsumer: &once},
			},
		},
		{
			Owner: c.shops[0].ID, Status: loyalty.Draft,
			Terms: loyalty.Terms{
				Name: "Vuelve con Lupita", Scheme: loyalty.Stamps, Goal: 5, Products: plis(0, len(c.products)),
				Earn:           []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerVisit, Amount: 1}},
				NudgeQuietDays: 7, NudgeGapDays: 7,
			},
			Rewards: []store.RewardInput{{Name: "Un café de olla", Unit: loyalty.Stamp, Threshold: 5, Cost: 800}},
		},
	}
}
