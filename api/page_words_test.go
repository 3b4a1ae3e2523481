package api

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// What a brand team reads of each part of the terms.
func TestTermsInPlainWords(t *testing.T) {
	names := naming{"p1": "Cola", "p2": "Agua", "s1": "Lupita", "g1": "Frecuentes", "c1": "La otra"}
	day := time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)
	base := loyalty.Terms{Scheme: loyalty.Stamps, Goal: 10}
	for name, c := range map[string]struct {
		change func(*loyalty.Terms)
		part   string
		lines  []string
	}{
		"a stamp card":     {func(*loyalty.Terms) {}, "Tarjeta", []string{"Se juntan sellos; la meta es 10.", "El cliente entra solo, con su primera compra."}},
		"permanent":        {func(t *loyalty.Terms) { t.StartsAt = day }, "Fechas", []string{"Desde el 1 de noviembre de 2026, permanente."}},
		"dated":            {func(t *loyalty.Terms) { t.StartsAt, t.EndsAt = day, day.Add(34*time.Hour) }, "Fechas", []string{"Del 1 de noviembre de 2026 al 2 de noviembre de 2026 a las 10:00."}},
		"products":         {func(t *loyalty.Terms) { t.Products = []loyalty.ID{"p1", "p2", "px"} }, "Productos", []string{"Cola, Agua y 1 más."}},
		"all less one":     {func(t *loyalty.Terms) { t.AllProducts, t.ExcludedProducts = true, []loyalty.ID{"p2"} }, "Productos", []string{"Todos los productos de la empresa.", "Menos Agua."}},
		"kinds in a state": {func(t *loyalty.Terms) { t.ShopKinds, t.States = []string{"chain", "tiendita"}, []string{"Puebla"} }, "Tiendas", []string{"Cadenas y tienditas de Puebla."}},
		"by invitation":    {func(t *loyalty.Terms) { t.Shops, t.Joining = []loyalty.ID{"s1"}, loyalty.JoinByInvitation }, "Tiendas", []string{"Lupita.", "Cada tienda participa cuando acepta una invitación."}},
		"for ten pesos": {func(t *loyalty.Terms) {
			t.Earn = []loyalty.Earn{{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1, Each: 10}}
		}, "Cómo se gana", []string{"1 punto por cada 10 pesos."}},
		"Monday mornings": {func(t *loyalty.Terms) {
			t.Boosts = []loyalty.Boost{{Percent: 200, When: loyalty.When{Weekdays: []time.Weekday{1, 2}, To: "11:00"}}}
		}, "Aceleradores", []string{"El doble los lunes y martes, de 00:00 a 11:00."}},
		"a bonus": {func(t *loyalty.Terms) {
			t.Boosts = []loyalty.Boost{{Name: "Bienvenida", Bonus: 2, When: loyalty.When{First: true}}}
		}, "Aceleradores", []string{"Bienvenida: 2 sellos más en la primera compra."}},
		"a limit": {func(t *loyalty.Terms) {
			t.Limits = []loyalty.Limit{{Max: 3, Period: loyalty.EachDay, Products: []loyalty.ID{"p1"}}}
		}, "Límites", []string{"Máximo 3 sellos al día por cliente, de Cola."}},
		"all cards": {func(t *loyalty.Terms) {
			t.Limits = []loyalty.Limit{{Max: 1, Counts: loyalty.CountPurchases, Period: loyalty.EachHour, PerShop: true, AllCards: true}}
		}, "Límites", []string{"Máximo 1 compra que gana por hora, entre todos los clientes de la tienda."}},
		"no budget": {func(*loyalty.Terms) {}, "Presupuesto", []string{"Sin límite."}},
		"a budget": {func(t *loyalty.Terms) {
			t.Budget = &loyalty.Budget{Stamps: 1000, Rewards: 1, Exhausted: loyalty.PauseCampaign}
		}, "Presupuesto", []string{"Hasta 1,000 sellos y 1 premio en total.", "Cuando se acabe, la campaña se pausa."}},
		"tiers by month": {func(t *loyalty.Terms) {
			t.Tiers = &loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachMonth, GraceDays: 1, Levels: []loyalty.Level{{Name: "Oro", Purchases: 5, Spend: 5000, Percent: 150}}}
		}, "Niveles", []string{"Oro: con 5 compras o $50.00 gastados; gana 150 % de lo normal.", "El nivel se gana de nuevo cada mes, con 1 día de gracia."}},
		"nothing ends":     {func(*loyalty.Terms) {}, "Vencimiento", []string{"Lo que se junta no vence."}},
		"the oldest first": {func(t *loyalty.Terms) { t.Expiry = &loyalty.Expiry{Days: 90} }, "Vencimiento", []string{"Cada sello o punto vence 90 días después de ganarse; se avisa 7 días antes."}},
		"for some": {func(t *loyalty.Terms) {
			t.Audience = loyalty.Audience{Segments: []loyalty.ID{"g1"}, TierOf: "c1", MinTier: "Oro"}
		}, "Público", []string{"Solo clientes de Frecuentes.", "Solo quien tenga al menos el nivel Oro en La otra."}},
		"after some hours":  {func(t *loyalty.Terms) { t.Pending = &loyalty.Pending{Hours: 24} }, "Compras por confirmar", []string{"Si el código de la tarjeta se escribió, se gana cuando el cliente responde SÍ, o después de 24 horas."}},
		"margin and fee":    {func(t *loyalty.Terms) { t.MarginBPS, t.Fee = 3550, 90_000 }, "Economía", []string{"Margen declarado de 35.5 %; cuota de $900.00 por semana."}},
		"once in two weeks": {func(t *loyalty.Terms) { t.NudgeQuietDays, t.NudgeGapDays = 1, 14 }, "Recordatorios", []string{"A quien lleva 1 día sin comprar, cuando mucho cada 14 días."}},
	} {
		terms := base
		c.change(&terms)
		found := false
		for _, part := range termsWords(&terms, names) {
			if part.Title == c.part {
				found = true
				require.Equal(t, c.lines, part.Lines, name)
			}
		}
		require.True(t, found, name)
	}
}
