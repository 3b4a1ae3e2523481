package api

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/templates/export"
)

// resultsFile is a campaign's life as tables.
func (s *server) resultsFile(c *fiber.Ctx) (download, error) {
	r, err := s.readResults(c)
	if err != nil {
		return download{}, err
	}
	from, to := r.span.from.Format(time.DateOnly), r.span.to.Format(time.DateOnly)
	return download{name: []string{"resultados", r.results.Campaign.Name, from, to}, sheets: resultSheets(&r.results)}, nil
}

func resultSheets(r *store.Results) []export.Sheet {
	given := upperFirst(givenUnit(r.Campaign)) + " dados"
	sheets := []export.Sheet{
		{Title: "Resumen", Columns: []string{"Dato", "En estos días", "Antes"}, Rows: export.Of(resultSummary(r, given), func(row []any) []any { return row })},
		{Title: "Por día", Columns: []string{
			"Día", "Personas que compraron", "Compras", "Piezas", given, "Ventas", "Tarjetas llenas", "Se unieron", "Premios pedidos", "Premios entregados",
			"Premios vencidos", "Costo de premios",
		}, Rows: export.Of(r.ByDay, func(d store.ResultDay) []any {
			return []any{
				export.Day(d.Day), d.Consumers, d.Purchases, d.Units, d.Given, export.Money(d.Revenue), d.Completed, d.Joined, d.Requested, d.Redemptions,
				d.Expired, export.Money(d.RewardsCost),
			}
		})},
		{Title: "Por semana", Columns: []string{"Semana del", "Personas que compraron", "Compras", "Piezas", given, "Ventas", "Premios entregados", "Costo de premios"},
			Rows: export.Of(r.ByWeek, func(w store.ROIWeek) []any {
				return []any{export.Day(w.Monday), w.Consumers, w.Purchases, w.Units, w.Given, export.Money(w.Revenue), w.Redemptions, export.Money(w.RewardsCost)}
			})},
		{Title: "Por producto", Columns: []string{"Producto", "Código de barras", "Piezas", "Compras", "Ventas", "De ellas a precio de referencia"},
			Rows: export.Of(r.ByProduct, func(p store.ROIProduct) []any {
				return []any{p.Name, string(p.GTIN), p.Units, p.Purchases, export.Money(p.Revenue), export.Money(p.Estimated)}
			})},
		{Title: "Por tienda", Columns: []string{"Tienda", "Clave", "Ciudad", "Personas que compraron", "Compras", "Piezas", given, "Premios entregados", "Ventas"},
			Rows: export.Of(r.ByShop, func(p store.ROIShop) []any {
				return []any{p.Name, p.Code, p.City, p.Consumers, p.Purchases, p.Units, p.Given, p.Redemptions, export.Money(p.Revenue)}
			})},
		{Title: "Por premio", Columns: []string{"Premio", "Cuesta", "Pedidos", "Entregados", "Vencidos", "Devueltos", "Por entregar hoy", "Costo", "Existencia", "Tomados"},
			Rows: export.Of(r.ByReward, func(p store.ResultReward) []any {
				var stock any
				if p.Stock != nil {
					stock = *p.Stock
				}
				return []any{p.Name, unitWords(p.Unit, p.Threshold), p.Requested, p.Delivered, p.Expired, p.Cancelled, p.Waiting, export.Money(p.Cost), stock, p.Taken}
			})},
	}
	if len(r.ByTier) > 0 {
		sheets = append(sheets, export.Sheet{Title: "Por nivel", Columns: []string{"Nivel", "Personas hoy"}, Rows: export.Of(r.ByTier, func(t store.ResultTier) []any {
			return []any{tierName(t), t.Consumers}
		})})
	}
	return sheets
}

// resultSummary is what the whole period comes to, beside the period before.
func resultSummary(r *store.Results, given string) [][]any {
	line := func(label string, of func(*store.Results) any) []any {
		row := []any{label, of(r), nil}
		if r.Before != nil {
			row[2] = of(r.Before)
		}
		return row
	}
	return [][]any{
		{"Campaña", r.Campaign.Name, nil},
		line("Desde", func(r *store.Results) any { return export.Day(r.From) }),
		line("Hasta", func(r *store.Results) any { return export.Day(r.To) }),
		line("Personas que compraron", func(r *store.Results) any { return r.Consumers }),
		line("Personas que se unieron", func(r *store.Results) any { return r.Joined }),
		{"Personas inscritas hasta hoy", r.Members, nil},
		line("Tarjetas llenas", func(r *store.Results) any { return r.Completed }),
		line("Compras", func(r *store.Results) any { return r.Purchases }),
		line("Piezas", func(r *store.Results) any { return r.Units }),
		line(given, func(r *store.Results) any { return r.Given }),
		line("Premios pedidos", func(r *store.Results) any { return r.Requested }),
		line("Premios entregados", func(r *store.Results) any { return r.Redemptions }),
		line("Premios vencidos", func(r *store.Results) any { return r.Expired }),
		line("Premios devueltos", func(r *store.Results) any { return r.Cancelled }),
		line("Ventas", func(r *store.Results) any { return export.Money(r.Revenue) }),
		line("De ellas a precio de referencia", func(r *store.Results) any { return export.Money(r.Estimated) }),
		line("Margen declarado", func(r *store.Results) any { return export.Ratio(r.Campaign.MarginBPS) }),
		line("Contribución (ventas × margen)", func(r *store.Results) any { return export.Money(r.Margin) }),
		line("Costo de premios", func(r *store.Results) any { return export.Money(r.RewardsCost) }),
		line("Cuota del programa", func(r *store.Results) any { return export.Money(r.Fee) }),
		line("Retorno ("+noControl+")", func(r *store.Results) any { return ratio(r.ROI) }),
	}
}
