package api

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
	"github.com/qoa-conectados/qoa/templates/export"
)

// usualWeeks is over how many weeks a simulation goes that says nothing else.
const usualWeeks = "8"

// simulationPage runs a campaign over past weeks and shows what it would have
// cost. Without weeks it only asks for them.
func (s *server) simulationPage(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	scope, self := scopeOf(c), campaignURL(c, id)
	asked := c.Query("weeks") != ""
	v := templates.SimulationView{
		Back: self, Action: self + "/simular", Weeks: cmp.Or(queryText(c, "weeks"), usualWeeks), Take: cmp.Or(queryText(c, "take"), "100"),
	}
	in := store.SimulationInput{TakePercent: new(int64)}
	var wrong error
	in.Weeks, *in.TakePercent = wholeNumber(v.Weeks), wholeNumber(v.Take)
	v.Files = filesAt(v.Action, url.Values{"weeks": {v.Weeks}, "take": {v.Take}}, "la simulación")
	_, err = report(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		campaign, err := ownCampaign(ctx, t, scope, id)
		if err != nil {
			return struct{}{}, err
		}
		v.Campaign = campaign.Name
		if v.Desk, err = s.desk(ctx, c, t); err != nil || !asked {
			return struct{}{}, err
		}
		r, err := t.SimulateCampaign(ctx, scope, id, in)
		if _, ok := refused(err); err != nil && ok {
			wrong = err
			return struct{}{}, nil
		}
		simulationView(&v, campaign, r)
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	status := http.StatusOK
	if wrong != nil {
		status, v.Error = problemOf(wrong).Status, "Escribe de 1 a 26 semanas, y de 0 a 100 clientes de cada 100."
	}
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Simulation(w, v) })
}

// wholeNumber reads one; what is none is out of every range.
func wholeNumber(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil {
		return -1
	}
	return n
}

// shareWords is the cost of a peso of sales.
func shareWords(bps *int64) string {
	if bps == nil {
		return "—"
	}
	return loyalty.Cents((*bps + 50) / 100).String()
}

func givenWords(f *loyalty.Figures, scheme loyalty.Scheme) string {
	var parts []string
	for _, u := range scheme.Units() {
		if n := map[loyalty.Unit]int64{loyalty.Stamp: f.Stamps, loyalty.Point: f.Points}[u]; n > 0 || len(scheme.Units()) == 1 {
			parts = append(parts, unitWords(u, n))
		}
	}
	return strings.Join(parts, " y ")
}

func simulationView(v *templates.SimulationView, campaign store.Campaign, r loyalty.Simulation) {
	v.Ran = true
	v.Sentence = "En esas semanas nadie compró lo que participa."
	if r.CostBPS != nil {
		v.Sentence = "Cada peso de venta habría costado " + shareWords(r.CostBPS) + "."
	}
	if r.Approximate {
		v.Approximate = "Algo se habría acabado (presupuesto, existencias o un límite de la tienda): los totales son buenos, el reparto es aproximado."
	}
	v.Counters = []templates.BrandCounter{
		{Label: "compras", Value: r.Purchases}, {Label: "que ganan", Value: r.Earning}, {Label: "personas", Value: r.Consumers},
	}
	if campaign.Scheme.Has(loyalty.Stamp) {
		v.Counters = append(v.Counters, templates.BrandCounter{Label: "sellos", Value: r.Stamps})
	}
	if campaign.Scheme.Has(loyalty.Point) {
		v.Counters = append(v.Counters, templates.BrandCounter{Label: "puntos", Value: r.Points})
	}
	v.Counters = append(v.Counters, templates.BrandCounter{Label: "premios", Value: r.Rewards})
	v.Money = []templates.SimulationMoney{
		{Label: "ventas", Cents: int64(r.Revenue)}, {Label: "premios", Cents: int64(r.RewardCost)}, {Label: "cuota", Cents: int64(r.Fee)}, {Label: "costo", Cents: int64(r.Cost)},
	}
	for _, w := range r.ByWeek {
		monday, err := time.Parse(time.DateOnly, w.Monday)
		if err != nil {
			continue
		}
		cost := w.RewardCost + w.Fee
		v.Points = append(v.Points, templates.WeekPoint{
			Start: monday, RevenueCents: int64(w.Revenue), ContributionCents: (int64(w.Revenue)*campaign.MarginBPS + 5_000) / 10_000, CostCents: int64(cost),
		})
		v.ByWeek = append(v.ByWeek, templates.SimulationRow{
			Name: loyalty.DayInWords(monday), Purchases: w.Purchases, Revenue: int64(w.Revenue), Given: givenWords(&w.Figures, campaign.Scheme),
			Rewards: w.Rewards, Cost: int64(cost), Share: shareWords(w.CostBPS),
		})
	}
	for _, shop := range r.ByShop {
		row := templates.SimulationRow{
			Name: shop.Name, Purchases: shop.Purchases, Revenue: int64(shop.Revenue), Given: givenWords(&shop.Figures, campaign.Scheme),
			Rewards: shop.Rewards, Cost: int64(shop.RewardCost), Share: "—",
		}
		if shop.Revenue > 0 {
			bps := int64(shop.RewardCost*10_000) / int64(shop.Revenue)
			row.Share = shareWords(&bps)
		}
		v.ByShop = append(v.ByShop, row)
	}
	for _, w := range r.ByReward {
		v.Rewards = append(v.Rewards, templates.SimulationReward{Name: w.Name, Taken: w.Taken, Cost: int64(w.Cost), OutOfStock: w.OutOfStock})
	}
}

// simulationFile is what a simulation shows, as tables.
func (s *server) simulationFile(c *fiber.Ctx) (download, error) {
	id, err := pathID(c)
	if err != nil {
		return download{}, err
	}
	scope, take := scopeOf(c), wholeNumber(cmp.Or(queryText(c, "take"), "100"))
	in := store.SimulationInput{Weeks: wholeNumber(cmp.Or(queryText(c, "weeks"), usualWeeks)), TakePercent: &take}
	var name string
	r, err := report(s, c, func(ctx context.Context, t *store.Tx) (r loyalty.Simulation, err error) {
		campaign, err := ownCampaign(ctx, t, scope, id)
		if err != nil {
			return r, err
		}
		name = campaign.Name
		return t.SimulateCampaign(ctx, scope, id, in)
	})
	if err != nil {
		return download{}, err
	}
	columns := func(first string) []string {
		return []string{first, "Compras", "Ventas", "Sellos", "Puntos", "Premios", "Costo"}
	}
	row := func(first any, f *loyalty.Figures, cost loyalty.Cents) []any {
		return []any{first, f.Purchases, export.Money(f.Revenue), f.Stamps, f.Points, f.Rewards, export.Money(cost)}
	}
	return download{name: []string{"simulacion", name, s.DB.Now().In(loyalty.Zone("")).Format(time.DateOnly)}, sheets: []export.Sheet{
		{Title: "Por semana", Columns: columns("Semana del lunes"), Rows: export.Of(r.ByWeek, func(w loyalty.SimulatedWeek) []any {
			return row(w.Monday, &w.Figures, w.RewardCost+w.Fee)
		})},
		{Title: "Por tienda", Columns: columns("Tienda"), Rows: export.Of(r.ByShop, func(v loyalty.SimulatedShop) []any {
			return row(v.Name, &v.Figures, v.RewardCost)
		})},
		{Title: "Por premio", Columns: []string{"Premio", "Pedidos", "Costo", "Se acaba"}, Rows: export.Of(r.ByReward, func(v loyalty.SimulatedTaking) []any {
			return []any{v.Name, v.Taken, export.Money(v.Cost), v.OutOfStock}
		})},
	}}, nil
}
