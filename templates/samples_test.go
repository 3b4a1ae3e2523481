package templates

import (
	"html/template"
	"maps"
	"testing"
	"time"
)

// Views as full as they get, in the words of the demo data.

func sampleTime() time.Time {
	return time.Date(2026, 11, 21, 10, 42, 0, 0, time.FixedZone("CST", -6*3600))
}

func sampleQR(t testing.TB) template.HTML {
	t.Helper()
	svg, err := QRSVG("https://qoa.example/c/7H2KQ9M4")
	if err != nil {
		t.Fatal(err)
	}
	return svg
}

func sampleCard(t testing.TB) CardView {
	now := sampleTime()
	return CardView{
		Name: "Ana", CardCode: "7H2KQ9M4", QR: sampleQR(t), WhatsAppURL: "https://wa.me/525500000000?text=hola", PrivacyURL: "/privacidad",
		At: now, SiteURL: "https://qoa.example", OwnURL: "/c/s3cr3t/7H2KQ9M4", ManifestURL: "/c/s3cr3t/7H2KQ9M4/app.webmanifest", HistoryURL: "/c/s3cr3t/7H2KQ9M4/historial", DataURL: "/c/s3cr3t/7H2KQ9M4/datos", EventsURL: "/c/s3cr3t/7H2KQ9M4/events", FragmentURL: "/c/s3cr3t/7H2KQ9M4/fragment",
		EvidenceAction: "/c/s3cr3t/7H2KQ9M4/evidence", RedeemAction: "/c/s3cr3t/7H2KQ9M4/redeem", CancelAction: "/c/s3cr3t/7H2KQ9M4/cancellations", ConfirmAction: "/c/s3cr3t/7H2KQ9M4/confirmations", EnrollAction: "/c/s3cr3t/7H2KQ9M4/enrollments",
		Wallet: []CardShop{
			{Name: "Abarrotes Lupita", Place: "Narvarte, Ciudad de México", ShareURL: "/q/K7M2QX", Campaigns: []CardCampaign{
				{
					ID: "c1", Name: "Junta 10 y gana", Brand: "Bebidas del Valle", Earn: "1 sello por cada pieza", Products: []string{"Refresco Cola 600 ml"},
					Where: []string{"Abarrotes Lupita"}, Until: now.AddDate(0, 2, 0),
					Balances: []CardBalance{{ID: "b1", Campaign: "Junta 10 y gana", Stamps: true, Balance: 7, Goal: 10, Rewards: []CardReward{{ID: "r1", Name: "Un refresco gratis", Cost: 10, Locked: true}}}},
				},
				{
					ID: "c2", Name: "Puntos del Valle", Brand: "Bebidas del Valle", Shop: "Abarrotes Lupita", Earn: "10 puntos por cada $10",
					Products: []string{"Agua 1 L", "Jugo de naranja 500 ml", "Té helado 600 ml"}, Where: []string{"Abarrotes Lupita", "La Esperanza"},
					Tier: &CardTier{Name: "Plata", Discount: "Hielo gratis", AtRisk: "10 de diciembre de 2026", Next: "Oro", Missing: "Te falta 1 compra o $50.00 de compra"},
					Balances: []CardBalance{
						{ID: "b2", Campaign: "Puntos del Valle", Enrollment: "e2", Stamps: true, Balance: 6, Goal: 6, Pending: 1, Rewards: []CardReward{{ID: "r6", Name: "Un té", Cost: 6}}},
						{ID: "b3", Campaign: "Puntos del Valle", Enrollment: "e2", Balance: 340, Goal: 500, Expiring: 40, ExpiresAt: now.AddDate(0, 0, 5),
							Rewards: []CardReward{{ID: "r2", Name: "Vaso Qoa", Cost: 300, Locked: true, Why: "Se agotó"}, {ID: "r3", Name: "Six de agua", Cost: 500, Locked: true}}},
					},
				},
			}},
			{Name: "Miscelánea Ñandú", Place: "Centro, Guadalajara", Campaigns: []CardCampaign{
				{
					ID: "c3", Name: "Botanas de la semana", Brand: "Botanas Sol", Earn: "1 sello por pieza", Products: []string{"Papas con limón", "Iguanitas"}, Where: []string{"Miscelánea Ñandú"},
					Balances: []CardBalance{{ID: "b4", Campaign: "Botanas de la semana", Stamps: true, Balance: 9, Goal: 8, Rewards: []CardReward{{ID: "r4", Name: "Bolsa grande de papas", Cost: 8}}}},
				},
				{ID: "c4", Name: "Club del café", Join: true, Balances: []CardBalance{{ID: "b5", Campaign: "Club del café", Stamps: true, Balance: -1, Goal: 30, Rewards: []CardReward{{ID: "r5", Name: "Taza", Cost: 30, Locked: true}}}}},
			}},
		},
		Also: []CardShop{{Name: "La Esperanza", Place: "Portales, Ciudad de México", ShareURL: "/q/K7M2QR"}},
		History: []CardPurchase{
			{At: now, Shop: "Abarrotes Lupita", Items: []string{"2 × Refresco Cola 600 ml", "1 × Agua 1 L"}, Earned: []string{"+2 sellos", "+18 puntos"}},
			{At: now.AddDate(0, 0, -2), Shop: "Miscelánea Ñandú", Items: []string{"1 × Papas con limón"}, Earned: []string{"+1 sello"}, Pending: true},
			{At: now.AddDate(0, 0, -9), Shop: "Abarrotes Lupita", Items: []string{"1 × Refresco Cola 600 ml"}, Reversed: true},
		},
	}
}

// sampleCardBusy shows what sampleCard does not: codes on display and a flash.
func sampleCardBusy(t testing.TB) CardView {
	v := sampleCard(t)
	v.Flash = "Ese premio se acabó. Elige otro."
	v.Waiting = []CardPending{{ID: "p1", At: sampleTime(), Shop: "Miscelánea Ñandú", Items: []string{"1 × Papas con limón"}, Gives: []string{"1 sello en Botanas de la semana"}}}
	v.Evidence = &CardEvidence{Code: "EK7M2QXS", Expires: sampleTime().Add(24 * time.Hour)}
	v.Redemptions = []CardRedemption{{Code: "RT4W9K2B", QR: sampleQR(t), Reward: "Bolsa grande de papas", Campaign: "Botanas de la semana", Where: []string{"Miscelánea Ñandú"}, Expires: sampleTime().AddDate(0, 0, 7)}}
	return v
}

func sampleCardMonth() CardMonthView {
	now := sampleTime()
	return CardMonthView{
		BackURL: "/c/s3cr3t/7H2KQ9M4", Month: now, Full: true, Older: now.AddDate(0, -2, 0), OlderURL: "/c/s3cr3t/7H2KQ9M4/historial?mes=2026-09",
		Newer: now.AddDate(0, 1, 0), NewerURL: "/c/s3cr3t/7H2KQ9M4/historial?mes=2026-12",
		Totals: []CardTotal{{Name: "Ganaste", Much: []string{"+3 sellos", "+18 puntos"}}, {Name: "Gastaste", Much: []string{"−10 sellos"}, Minus: true}},
		Lines: []CardPurchase{
			{At: now, Shop: "Abarrotes Lupita", Items: []string{"2 × Refresco Cola 600 ml"}, Earned: []string{"+2 sellos", "+18 puntos"}, Note: "devuelta"},
			{At: now.AddDate(0, 0, -1), Reward: true, Items: []string{"Un refresco gratis"}, Earned: []string{"−10 sellos"}, Less: true, Note: "por recoger"},
			{At: now.AddDate(0, 0, -2), What: "Devolución en Abarrotes Lupita", Items: []string{"Junta 10 y gana"}, Earned: []string{"−1 sello"}, Less: true},
		},
	}
}

func sampleCardData() CardDataView {
	return CardDataView{
		BackURL: "/c/s3cr3t/7H2KQ9M4", PrivacyURL: "/privacidad", MessagesAction: "/c/s3cr3t/7H2KQ9M4/messages", EraseAction: "/c/s3cr3t/7H2KQ9M4/erasure",
		Messages: true, Flash: "Listo: ya no te escribimos.", Wrong: true,
		Log: []CardConsent{{At: sampleTime(), Text: "Pediste no recibir mensajes (BAJA)"}, {At: sampleTime().AddDate(0, -1, 0), Text: "Te dimos el aviso de privacidad"}},
	}
}

func sampleScan() ScanView {
	shop := ScanShop{Code: "K7M2QR", Name: "Abarrotes Lupita", Place: "Narvarte, Ciudad de México"}
	return ScanView{
		Tendero: "Lupita", Shop: shop, Shops: []ScanShop{shop, {Code: "B2N4T8", Name: "La Esperanza", Place: "Roma"}},
		PageURL: "/tienda", Action: "/tienda/ventas", Key: "key1", LogoutAction: "/salir",
		Products: []ScanProduct{
			{GTIN: "7501055300075", Name: "Refresco Cola 600 ml", Earn: "1 sello", PriceCents: 1800, Quantity: 2},
			{GTIN: "7501000000012", Picture: "/fotos/0123456789abcdef01234567-160.jpg", Name: "Agua 1 L", Earn: "14 puntos", PriceCents: 1400},
			{GTIN: "7501000000029", Name: "Jugo de naranja 500 ml", Earn: "22 puntos", PriceCents: 2200, Price: "23.50"},
			{GTIN: "7501000000036", Name: "Papas con limón", Earn: "1 sello", PriceCents: 1900},
		},
		OtherGTIN: "7501000000043", OtherQty: 1,
		Scanned: "7H2KQ9M4", Links: sampleDesk().Links, Owner: "p1", Now: sampleTime(),
		Result: &ScanResult{OK: true, Undo: &ScanUndo{Action: "/tienda/ventas/1/deshacer", Shop: "K7M2QR", Seconds: 600}, Waits: []string{"1 sello en Antojo Consentido"}, Notes: []string{"En Puntos del Valle ya se llegó al límite."}, Title: "Venta guardada", Detail: "2 × Refresco Cola 600 ml en la tarjeta 7H2K-Q9M4.", Earned: []ScanEarned{
			{Campaign: "Junta 10 y gana", Stamps: true, Amount: 2, Balance: 10, Goal: 10, Ready: true},
			{Campaign: "Puntos del Valle", Amount: 36, Balance: 376, Goal: 500},
		}},
		Today: ScanToday{Sales: 14, Stamps: 23, Points: 410, Redemptions: 1, AllURL: "/tienda/ventas", Last: []ScanSale{
			{URL: "/tienda/ventas/1", At: sampleTime(), Items: "2 × Refresco Cola 600 ml", Earned: "+2 sellos", Pending: true},
			{URL: "/tienda/ventas/2", At: sampleTime().Add(-20 * time.Minute), Items: "1 × Agua 1 L", Earned: "+14 puntos", Undone: true},
		}},
		DeliverAction: "/tienda/premios", DeliverKey: "key2",
		Delivered: &ScanResult{Title: "Ese premio ya se entregó", Detail: "Se entregó hoy a las 10:12."},
		QRURL:     "/v1/shops/K7M2QR/qr.png", PosterURL: "/v1/shops/K7M2QR/poster.pdf",
	}
}

func sampleWeeks() []WeekPoint {
	start := time.Date(2026, 9, 28, 0, 0, 0, 0, time.UTC)
	var weeks []WeekPoint
	for i, revenue := range []int64{412000, 530500, 498000, 610000, 745000, 702000, 811000, 934550} {
		weeks = append(weeks, WeekPoint{Start: start.AddDate(0, 0, 7*i), RevenueCents: revenue, ContributionCents: revenue * 32 / 100, CostCents: 50000 + int64(i)*14300})
	}
	return weeks
}

func sampleReorders() []BrandReorder {
	return []BrandReorder{{sampleTime(), "Abarrotes Lupita", "Ciudad de México", "Refresco Cola 600 ml", "quiero 2 cajas de refresco", 24}, {sampleTime(), "La Esperanza", "Guadalajara", "Refresco Cola 600 ml", "", 0}}
}

func sampleROI() BrandROI {
	return BrandROI{RevenueCents: 5243050, EstimatedCents: 41200, MarginBP: 3200, ContributionCents: 1677776, RewardsCents: 412400, FeeCents: 400000, Ratio: 1.0653, Defined: true}
}

func sampleBrand() BrandView {
	was := int64(231)
	return BrandView{
		Desk: sampleDesk(), NewURL: "/marca/campanas/nueva", Files: Files{"las campañas", "/marca/resultados.csv", "/marca/resultados.xlsx"}, NextURL: "/marca?cursor=1",
		Campaigns: []BrandGlance{
			{
				Name: "Junta 10 y gana", URL: "/marca/campanas/1/resultados", Owner: "Bebidas del Valle", Status: CampaignStatus{"activa", "ok"}, Dates: "Del 1 de noviembre al 31 de diciembre de 2026",
				Figures: []Figure{Count("personas", 1284, nil), Count("compras", 2911, &was), Count("sellos dados", 4107, nil)}, ROI: sampleROI(),
				ByDay: []int64{3, 5, 2, 8, 13, 9}, Trend: "40 compras en 28 días", Change: Compared(40, 31),
			},
			{Name: "Lunes al doble", URL: "/marca/campanas/2/resultados", Status: CampaignStatus{"borrador", ""}, Dates: "Permanente", Act: "Es un borrador.", ActURL: "/marca/campanas/2", ActName: "Continuar"},
		},
		Reorders: sampleReorders(), ReorderURL: "/marca/pedidos",
	}
}

func sampleTable(title string) ResultTable {
	return ResultTable{
		ID: "por-" + title, Title: "Por " + title, Icon: "store", Help: "Se ven las primeras 200.", Columns: []string{"Tienda", "Compras"}, Files: Files{"esta tabla", "/x.csv", "/x.xlsx"},
		Ranking: Ranking{Rows: []RankRow{{"Abarrotes Lupita", "Ciudad de México", 912, "912"}, {"Miscelánea Ñandú", "", 0, "0"}}},
		Rows:    []ResultRow{{"Abarrotes Lupita", "Ciudad de México", []string{"912"}}, {"Miscelánea Ñandú", "", []string{"0"}}}, Empty: "Nada.",
	}
}

func sampleResults() ResultsView {
	was := int64(900)
	days := Chart{ID: "compras", Title: "Compras y personas por día", Kind: ChartLine, Series: []ChartSeries{{Name: "Compras"}, {Name: "Personas"}}}
	given := Chart{ID: "premios", Title: "Premios por día", Series: []ChartSeries{{Name: "Pedidos"}, {Name: "Entregados"}}}
	for i := range 20 {
		for _, c := range []*Chart{&days, &given} {
			c.Points = append(c.Points, sampleTime().AddDate(0, 0, i-20))
			c.Series[0].Values, c.Series[1].Values = append(c.Series[0].Values, int64(i*i%17)), append(c.Series[1].Values, int64(i%5))
		}
	}
	roi := sampleROI()
	tiers := sampleTable("nivel")
	tiers.Rows[0].Name = "Plata"
	return ResultsView{
		Desk: sampleDesk(), PageURL: "/marca/campanas/1/resultados", ListURL: "/marca", CampaignURL: "/marca/campanas/1", Campaign: "Junta 10 y gana", Owner: "Bebidas del Valle",
		Status: CampaignStatus{"activa", "ok"}, Dates: "Del 1 de noviembre al 31 de diciembre de 2026",
		Presets: []DeskLink{{"7 días", "?periodo=7", false}, {"30 días", "?periodo=30", true}}, From: "2026-11-30", To: "2026-11-01", Wrong: FormError{"to", "El último día va antes que el primero."},
		Period: "Del 1 al 30 de noviembre de 2026", Compared: "comparado con los 30 días anteriores", Empty: "Revisa que tus tiendas tengan su cartel.", ROI: &roi, Before: "85 %",
		People: []Figure{Count("compraron", 1284, &was)}, Buying: []Figure{Amount("en ventas", 5243050, &was)}, Rewards: []Figure{Count("pedidos", 229, nil)},
		Activity: days, Redeemed: given, Weeks: sampleWeeks(), Products: sampleTable("producto"), Shops: sampleTable("tienda"), ByReward: ResultTable{ID: "por-premio", Title: "Por premio", Icon: "gift", Empty: "Sin premios."},
		ByTier: tiers, Files: Files{"todo", "/y.csv", "/y.xlsx"},
	}
}

func sampleReorderList() ReordersView {
	return ReordersView{
		Desk: sampleDesk(), PageURL: "/marca/pedidos", Shops: []FormOption{{"", "Todas las tiendas", true}, {"s1", "Abarrotes Lupita", false}}, Products: []FormOption{{"", "Todos", true}},
		From: "ayer", Wrong: FormError{"from", "Escribe una fecha."}, Filtered: true, Figures: []Figure{Count("pedidos", 2, nil)}, ByShop: sampleTable("tienda"), ByProd: sampleTable("producto"),
		Reorders: sampleReorders(), Files: Files{"los pedidos", "/marca/pedidos.csv", "/marca/pedidos.xlsx"}, NextURL: "/marca/pedidos?cursor=1",
	}
}

func sampleSim() SimView {
	return SimView{
		BotName: "Qoa", MessagesURL: "/sim/messages",
		People: []SimPerson{
			{"+525500000001", "Lupita", "tendera", "Abarrotes Lupita"}, {"+525500000002", "Don Pepe", "tendero", "La Esperanza"},
			{"+525500000101", "Marta", "marca", "Bebidas del Valle"}, {"+525512345678", "Ana", "consumidora", ""},
		},
		Shops: []SimShop{
			{"Abarrotes Lupita", "K7M2QR", "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)"},
			{"Miscelánea Ñandú", "B2N4T8", "Quiero crear mi tarjeta de puntos de Miscelánea Ñandú (B2N4T8)"},
		},
	}
}

func sampleHome() HomeView {
	return HomeView{
		WhatsAppURL: "https://wa.me/525500000000?text=hola", PrivacyURL: "/privacidad",
		Doors: []HomeDoor{
			{"chat", "Simulador", "Un WhatsApp de mentiras: empieza aquí.", "/sim"},
			{"store", "Tienda", "Registra ventas y entrega premios.", "/tienda"},
			{"chart", "Marca", "Qué regresa de cada peso.", "/marca"},
			{"shield", "Operación", "Salud, trabajos, tiendas y pósters.", "/admin"},
			{"code", "API", "El contrato para integrarse.", "/docs"},
		},
		Demo: []HomeLogin{{"Administración", "admin@demo.qoa", "demo-qoa-2026"}, {"Marca 1", "marca1@demo.qoa", "demo-qoa-2026"}, {"Tendera de Abarrotes Lupita", "+52 55 0000 0001", ""}},
	}
}

// sampleViews are all pages with full views, some with a second one, by name.
func sampleViews(t testing.TB) map[string][]any {
	views := map[string][]any{
		"board":    {sampleBoard()},
		"chat":     {sampleChat()},
		"password": {PasswordView{Title: "Elige tu contraseña", Action: "/clave/x", Submit: "Guardar"}, PasswordView{Desk: sampleBackoffice(), Title: "Mi cuenta", Intro: "Ada", Flash: "Listo.", Action: "/admin/cuenta", Submit: "Cambiar", AskOld: true, Old: "No es.", New: "Muy corta.", Again: "No es la misma."}},
		"brand":    {sampleBrand()}, "brand_results": {sampleResults(), ResultsView{Empty: "Es un borrador."}}, "brand_reorders": {sampleReorderList(), ReordersView{Filtered: true, Wrong: FormError{"from", "Escribe una fecha."}}},
		"card":        {sampleCard(t), sampleCardBusy(t)},
		"card_data":   {sampleCardData(), CardDataView{}},
		"card_month":  {sampleCardMonth(), CardMonthView{Month: sampleTime()}},
		"card_public": {CardPublicView{CardCode: "7H2KQ9M4", WhatsAppURL: "https://wa.me/525500000000?text=hola", ShopURL: "/tienda", PrivacyURL: "/privacidad"}},
		"docs":        {DocsView{SpecURL: "/openapi.json"}},
		"home":        {sampleHome()},
		"login":       {LoginView{Action: "/entrar", Next: "/marca", Email: "marca1@demo.qoa", Error: "El correo o la contraseña no coinciden.", Hint: "Demo: marca1@demo.qoa / demo-qoa-2026"}},
		"notice": {
			CardGone("https://wa.me/525500000000?text=mi%20tarjeta"), CardErased(), NotFound(), ServerError("0af7651916cd43dd"),
			Forbidden(), SessionExpired("/entrar"), LinkExpired("https://wa.me/525500000000?text=hola"), TooMany(),
		},
		"privacy":    {PrivacyView{Responsible: "Qoa Demo, S.A.P.I. de C.V.", Address: "Av. Siempre Viva 742, Ciudad de México", Contact: "privacidad@qoa.example", WhatsAppURL: "https://wa.me/525500000000", Version: "1.0", Date: sampleTime()}},
		"scan":       {sampleScan()},
		"scan_login": {ScanLoginView{WhatsAppURL: "https://wa.me/525500000000?text=hola", Number: "+52 55 0000 0000"}},
		"sim":        {sampleSim()},
	}
	maps.Copy(views, sampleDesks(t))
	maps.Copy(views, sampleCatalogue(t))
	return views
}
