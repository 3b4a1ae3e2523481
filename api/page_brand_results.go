package api

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// campaignResults is what the page of one campaign's life is drawn from.
type campaignResults struct {
	desk    templates.DeskView
	owners  naming
	span    span
	results store.Results
}

// readResults reads the campaign that the path names, over the span that the
// query asks for.
func (s *server) readResults(c *fiber.Ctx) (campaignResults, error) {
	id, err := pathID(c)
	if err != nil {
		return campaignResults{}, err
	}
	scope := scopeOf(c)
	return report(s, c, func(ctx context.Context, t *store.Tx) (r campaignResults, err error) {
		campaign, err := t.Campaign(ctx, scope, id)
		if err != nil {
			return r, err
		}
		if r.desk, err = s.desk(ctx, c, t); err != nil {
			return r, err
		}
		r.desk.Links = deskLinks("/marca", "/marca") // it is a part of the front, whatever its address
		if scope.All() {
			if r.owners, err = ownerNames(ctx, t, scope, owner{campaign.CPG, campaign.Owner}); err != nil {
				return r, err
			}
		}
		r.span = spanOf(c, campaign, t.Now())
		r.results, err = t.Results(ctx, scope, id, r.span.from, r.span.to)
		return r, err
	})
}

// resultsPage shows one campaign's life.
func (s *server) resultsPage(c *fiber.Ctx) error {
	r, err := s.readResults(c)
	if err != nil {
		return err
	}
	v := resultsView(r, s.DB.Now())
	status := http.StatusOK
	if v.Wrong.Text != "" {
		status = http.StatusBadRequest
		v.From, v.To = queryText(c, "from"), queryText(c, "to")
	}
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Results(w, v) })
}

func resultsView(r campaignResults, now time.Time) templates.ResultsView {
	c, at := r.results.Campaign, resultsURL(r.results.Campaign.ID)
	v := templates.ResultsView{
		Desk: r.desk, PageURL: at, ListURL: "/marca", CampaignURL: "/marca/campanas/" + string(c.ID), Campaign: c.Name, Owner: ownerOf(c, r.owners),
		Status: statusOfCampaign(c.Status), Dates: upperFirst(datesWords(&c.Terms)), Presets: r.span.presets(at),
		From: r.span.from.Format(time.DateOnly), To: r.span.to.Format(time.DateOnly), Wrong: r.span.wrong, Period: daysWords(r.span.from, r.span.to),
	}
	if r.results.Purchases == 0 {
		if v.Empty, _ = nextStep(c, r.results.Members, now); v.Empty == "" {
			v.Empty = "Elige otros días, o toda la campaña."
		}
	}
	if !began(c.Status) {
		return v
	}
	roi := roiView(r.results.ROIReport)
	v.ROI = &roi
	if b := r.results.Before; b != nil {
		v.Compared = "comparado con los " + countWords(int64(b.Days()), "día anterior", "días anteriores") + " (" + loyalty.PeriodInWords(b.From, b.To) + ")"
		if b.Days() == 1 {
			v.Compared = "comparado con el día anterior"
		}
		v.Before = roiView(b.ROIReport).Percent()
	}
	countResults(&v, &r.results)
	v.Files = filesAt(at, r.span.query, "todas las tablas")
	v.Activity, v.Redeemed = resultCharts(&r.results)
	v.Weeks = weekPoints(r.results.ROIReport)
	files := func(table string) templates.Files {
		query := url.Values{"tabla": {table}}
		for k, values := range r.span.query {
			query[k] = values
		}
		return filesAt(at, query, "esta tabla")
	}
	v.Products, v.Shops = productTable(&r.results, files("por-producto")), shopTable(&r.results, files("por-tienda"))
	v.ByReward, v.ByTier = rewardTable(&r.results, files("por-premio")), tierTable(&r.results, files("por-nivel"))
	return v
}

// countResults fills in the big numbers.
func countResults(v *templates.ResultsView, r *store.Results) {
	was := func(of func(*store.Results) int64) *int64 {
		if r.Before == nil {
			return nil
		}
		n := of(r.Before)
		return &n
	}
	count := func(label string, of func(*store.Results) int64) templates.Figure {
		return templates.Count(label, of(r), was(of))
	}
	amount := func(label string, of func(*store.Results) int64) templates.Figure {
		return templates.Amount(label, of(r), was(of))
	}
	var waiting int64
	for _, w := range r.ByReward {
		waiting += w.Waiting
	}
	v.People = []templates.Figure{
		count("compraron", func(r *store.Results) int64 { return r.Consumers }),
		count("se unieron", func(r *store.Results) int64 { return r.Joined }),
		count("tarjetas llenas", func(r *store.Results) int64 { return r.Completed }),
		templates.Count("inscritas hasta hoy", r.Members, nil),
	}
	v.Buying = []templates.Figure{
		count("compras", func(r *store.Results) int64 { return r.Purchases }),
		count("piezas", func(r *store.Results) int64 { return r.Units }),
		count(givenUnit(r.Campaign)+" dados", func(r *store.Results) int64 { return r.Given }),
		amount("en ventas", func(r *store.Results) int64 { return int64(r.Revenue) }),
	}
	v.Rewards = []templates.Figure{
		count("pedidos", func(r *store.Results) int64 { return r.Requested }),
		count("entregados", func(r *store.Results) int64 { return r.Redemptions }),
		count("vencidos", func(r *store.Results) int64 { return r.Expired }),
		templates.Count("por entregar hoy", waiting, nil),
	}
}

// daysDrawn is how many days a chart has room for; longer spans are drawn by week.
const daysDrawn = 62

func resultCharts(r *store.Results) (activity, redeemed templates.Chart) {
	activity = templates.Chart{ID: "compras", Title: "Compras y personas por día", Kind: templates.ChartLine, Series: []templates.ChartSeries{{Name: "Compras"}, {Name: "Personas que compraron"}}}
	redeemed = templates.Chart{ID: "premios", Title: "Premios pedidos y entregados por día", Series: []templates.ChartSeries{{Name: "Pedidos"}, {Name: "Entregados"}}}
	put := func(c *templates.Chart, at time.Time, values ...int64) {
		c.Points = append(c.Points, at)
		for i, n := range values {
			c.Series[i].Values = append(c.Series[i].Values, n)
		}
	}
	if len(r.ByDay) <= daysDrawn {
		for _, d := range r.ByDay {
			put(&activity, d.Day, d.Purchases, d.Consumers)
			put(&redeemed, d.Day, d.Requested, d.Redemptions)
		}
		return activity, redeemed
	}
	activity.Title, redeemed.Title = "Compras y personas por semana", "Premios pedidos y entregados por semana"
	activity.Weeks, redeemed.Weeks = true, true
	requested := map[time.Time]int64{}
	for _, d := range r.ByDay {
		requested[d.Day.AddDate(0, 0, -int(d.Day.Weekday()+6)%7).UTC()] += d.Requested
	}
	for _, w := range r.ByWeek {
		put(&activity, w.Monday, w.Purchases, w.Consumers)
		put(&redeemed, w.Monday, requested[w.Monday.UTC()], w.Redemptions)
	}
	return activity, redeemed
}

const (
	mostRanked = 8   // of a ranking are drawn
	mostRows   = 200 // of a table are shown; its file has them all
)

// table is a part of the results as the page shows it.
func table[T any](v templates.ResultTable, all []T, rank func(T) templates.RankRow, row func(T) templates.ResultRow) templates.ResultTable {
	if len(all) > mostRows {
		v.Help = "Se ven las primeras 200 de " + loyalty.Thousands(int64(len(all))) + "; el archivo las trae todas."
		all = all[:mostRows]
	}
	v.Rows = mapped(all, row)
	if rank != nil {
		ranked := mapped(all, rank)
		slices.SortStableFunc(ranked, func(a, b templates.RankRow) int { return cmp.Compare(b.Value, a.Value) })
		v.Ranking = templates.Ranking{Rows: ranked, Most: mostRanked}
	}
	return v
}

func productTable(r *store.Results, files templates.Files) templates.ResultTable {
	v := templates.ResultTable{
		ID: "por-producto", Title: "Por producto", Icon: "bag", Files: files, Columns: []string{"Producto", "Piezas", "Compras", "Ventas"},
		Empty: "La campaña no tiene productos todavía.",
	}
	return table(v, r.ByProduct, func(p store.ROIProduct) templates.RankRow {
		return templates.RankRow{Name: p.Name, Note: countWords(p.Units, "pieza", "piezas"), Value: int64(p.Revenue), Text: templates.Cents(int64(p.Revenue))}
	}, func(p store.ROIProduct) templates.ResultRow {
		return templates.ResultRow{Name: p.Name, Note: string(p.GTIN), Cells: []string{templates.Number(p.Units), templates.Number(p.Purchases), templates.Cents(int64(p.Revenue))}}
	})
}

func shopTable(r *store.Results, files templates.Files) templates.ResultTable {
	v := templates.ResultTable{
		ID: "por-tienda", Title: "Por tienda", Icon: "store", Files: files,
		Columns: []string{"Tienda", "Ventas", "Personas", "Compras", "Piezas", upperFirst(givenUnit(r.Campaign)), "Premios"},
		Empty:   "Ninguna tienda ha vendido en estos días.",
	}
	return table(v, r.ByShop, func(p store.ROIShop) templates.RankRow {
		return templates.RankRow{Name: p.Name, Note: p.City, Value: int64(p.Revenue), Text: templates.Cents(int64(p.Revenue))}
	}, func(p store.ROIShop) templates.ResultRow {
		return templates.ResultRow{Name: p.Name, Note: p.City, Cells: []string{
			templates.Cents(int64(p.Revenue)), templates.Number(p.Consumers), templates.Number(p.Purchases), templates.Number(p.Units),
			templates.Number(p.Given), templates.Number(p.Redemptions),
		}}
	})
}

func rewardTable(r *store.Results, files templates.Files) templates.ResultTable {
	v := templates.ResultTable{
		ID: "por-premio", Title: "Por premio", Icon: "gift", Files: files,
		Columns: []string{"Premio", "Pedidos", "Entregados", "Vencidos", "Devueltos", "Por entregar hoy", "Costo", "Quedan"},
		Empty:   "La campaña no tiene premios todavía.",
	}
	return table(v, r.ByReward, nil, func(p store.ResultReward) templates.ResultRow {
		left := "sin tope"
		if p.Stock != nil {
			left = templates.Number(*p.Stock - p.Taken)
		}
		return templates.ResultRow{Name: p.Name, Note: unitWords(p.Unit, p.Threshold), Cells: []string{
			templates.Number(p.Requested), templates.Number(p.Delivered), templates.Number(p.Expired), templates.Number(p.Cancelled),
			templates.Number(p.Waiting), templates.Cents(int64(p.Cost)), left,
		}}
	})
}

// tierName calls those who are below the first tier.
func tierName(t store.ResultTier) string {
	return cmp.Or(t.Name, "Sin nivel todavía")
}

func tierTable(r *store.Results, files templates.Files) templates.ResultTable {
	v := templates.ResultTable{ID: "por-nivel", Title: "Personas por nivel, hoy", Icon: "people", Files: files, Columns: []string{"Nivel", "Personas"}}
	return table(v, r.ByTier, func(t store.ResultTier) templates.RankRow {
		return templates.RankRow{Name: tierName(t), Value: t.Consumers, Text: templates.Number(t.Consumers)}
	}, func(t store.ResultTier) templates.ResultRow {
		return templates.ResultRow{Name: tierName(t), Cells: []string{templates.Number(t.Consumers)}}
	})
}

// weekPoints spreads the programme's fee over the weeks, by the days of each on
// which it was owed. Sums are rounded and weeks are their differences, so that
// the weeks add up to the report to the centavo.
func weekPoints(r store.ROIReport) []templates.WeekPoint {
	owedFrom := r.From
	start := r.Campaign.StartsAt.In(loyalty.Zone(""))
	if day := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, time.UTC); day.After(owedFrom) {
		owedFrom = day
	}
	var revenue, contributed, owed int64
	points := make([]templates.WeekPoint, len(r.ByWeek))
	for i, w := range r.ByWeek {
		next := w.Monday.AddDate(0, 0, 7)
		days := min(max(int64(next.Sub(owedFrom).Hours()/24), 0), int64(r.FeeDays)) // owed until then
		revenue += int64(w.Revenue)
		contribution := (revenue*r.Campaign.MarginBPS + 5_000) / 10_000
		fee := (int64(r.Campaign.Fee)*days + 3) / 7
		points[i] = templates.WeekPoint{
			Start: w.Monday, RevenueCents: int64(w.Revenue), ContributionCents: contribution - contributed,
			CostCents: int64(w.RewardsCost) + fee - owed,
		}
		contributed, owed = contribution, fee
	}
	return points
}
