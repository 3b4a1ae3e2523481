package templates

import (
	"testing"
	"time"
)

// Views of the desks, as full as they get.

func sampleDesk() DeskView {
	return DeskView{
		Place: "Bebidas del Valle", User: "marca1@demo.qoa", HomeURL: "/marca", LogoutAction: "/marca/logout",
		Links: []DeskLink{{"Resultados", "/marca", false}, {"Campañas", "/marca/campanas", true}},
	}
}

func sampleBackoffice() DeskView {
	return DeskView{
		Place: "Operación", User: "Ada", HomeURL: "/admin", LogoutAction: "/admin/logout",
		Menu: []DeskGroup{{Links: []DeskLink{{"Inicio", "/admin", true}}}, {"Personas", "people", []DeskLink{{"Tenderos", "/admin/tenderos", false}, {"Usuarios", "/admin/usuarios", false}}}},
	}
}

func sampleBoard() BoardView {
	return BoardView{
		Desk: sampleBackoffice(), Title: "Usuarios", Intro: "Quien entra.", Back: &DeskLink{"Sistema", "/admin/salud", false}, Flash: "Listo.", Error: "No.", NewURL: "/admin/usuarios/nuevo", NewLabel: "Nuevo",
		Secret: &BoardSecret{Title: "Enlace", Body: "Una vez.", Text: "https://x/clave/y", QR: `<svg class="qr" role="img" aria-label="QR"></svg>`, URL: "https://wa.me/52", Label: "Mandar"},
		Counts: []AdminCount{{"en fila", 3}}, Tabs: []OutboxFilter{{"Todos", "/admin/usuarios", true}}, TabsName: "Cuáles",
		Filters: []FormField{{Kind: FormText, Name: "buscar", Label: "Buscar"}, {Kind: FormDay, Name: "desde", Label: "Desde", Value: "2026-11-21"}}, Action: "/admin/usuarios", Post: true, Filtered: true,
		Bulk: &BoardAct{Label: "Enviar todos", Action: "/admin/x", Fields: []ConfirmField{{"a", "b"}}}, Files: Files{What: "x", CSV: "/x.csv", XLSX: "/x.xlsx"}, NextURL: "/n", FirstURL: "/f", NextName: "Siguientes", Live: "/vivo", Every: 5,
		Parts: []BoardPart{{Title: "Uno", Icon: "people", Intro: "De esto.", More: &DeskLink{"Ver todo", "/todo", false}, Rows: []BoardRow{
			{Name: "Ada <b>", URL: "/u", Sub: "ada@qoa", At: sampleTime(), State: OutboxStatus{"activo", "ok"}, Facts: []BoardFact{{"Rol", "admin", false, time.Time{}}, {"Código", "x", true, time.Time{}}, {"Entró", "", false, sampleTime()}}, Diff: []BoardDiff{{"Nombre", "a", "b"}, {"Meta", "", "5"}}, Note: "no me <dieron>", Wrong: "Falló.", Advice: "Haz esto.", Rename: "/n", Acts: []BoardAct{{Label: "Quitar", About: "Ada", Action: "/q", Fields: []ConfirmField{{"x", "1"}}, Danger: true}}},
		}}, {Empty: "Nada."}},
	}
}

func sampleChat() ChatView {
	return ChatView{
		Desk: sampleBackoffice(), Back: "/admin/conversaciones", Flash: "Listo.", Error: "No.", Name: "Ana <b>", Card: "7H2KQ9M4", Phone: "…1234", Facts: sampleBoard().Parts[0].Rows[0].Facts,
		Cases: sampleBoard().Parts[0].Rows, Older: "/o", Newest: "/n", Lines: []ChatLine{
			{Day: true, At: sampleTime(), Kind: "Imagen", Text: "mi <ticket>", Picture: "/admin/conversaciones/1/archivos/2", Status: OutboxStatus{Word: "apartado"}, Problem: "Falló.", AgainAction: "/a", Again: "Volver a intentar"},
			{At: sampleTime(), Audio: "/a"}, {At: sampleTime(), Video: "/v"}, {At: sampleTime(), File: "/f"}, {At: sampleTime(), Note: "No se guardó."},
			{At: sampleTime(), Ours: true, Text: "Hola\nAna", Status: OutboxStatus{"leído", "ok"}},
		},
	}
}

func sampleForm() FormView {
	brands := []FormGroup{{Label: "Cola", Options: []FormOption{{"p1", "Cola 600 ml", true}, {"p2", "Cola 2 l", false}}}, {Label: "Agua", Options: []FormOption{{"p3", "Agua 1 l", false}}}}
	return FormView{
		Desk: sampleDesk(), Title: "Nueva campaña", Intro: "Queda como borrador.", Back: "/marca/campanas", Action: "/marca/campanas", Submit: "Guardar borrador",
		Errors: []FormError{{At: "f-goal", Text: "Meta: escribe un número entero"}, {Text: "Alguien la cambió."}},
		Sections: []FormSection{
			{Title: "Lo básico", Help: "Lo que se ve.", Open: true, Fields: []FormField{
				{Kind: FormText, Name: "name", Label: "Nombre", Value: "Junta 10", Help: "Así se lee.", Required: true},
				{Kind: FormNumber, Name: "goal", Label: "Meta", Value: "diez", Error: "escribe un número entero", Suffix: "sellos"},
				{Kind: FormMoney, Name: "fee", Label: "Cuota", Value: "12.50"}, {Kind: FormRate, Name: "rate", Label: "Margen", Value: "35"},
				{Kind: FormMoment, Name: "at", Label: "Empieza", Value: "2026-11-21T10:42"},
				{Kind: FormClock, Name: "hour", Label: "Hora", Value: "10:42"}, {Kind: FormCheck, Name: "per_shop", Label: "Por tienda", Checked: true, Help: "Aparte."},
				{Kind: FormChoice, Name: "scheme", Label: "Qué", Value: "stamps", Options: []FormOption{{"stamps", "Sellos", true}, {"points", "Puntos", false}}},
				{Kind: FormArea, Name: "reason", Label: "Motivo", Value: "Porque <sí>"}, {Kind: FormHidden, Name: "id", Value: "x"},
			}},
			{Fields: []FormField{
				{Kind: FormPick, Name: "product_ids", Label: "Productos", Groups: brands, Error: "uno no existe"},
				{Kind: FormFind, Name: "shop_ids", Label: "Tiendas", When: "all=", Finder: &FormFinder{
					Chosen: []FormItem{{"s1", "Lupita", "Centro"}},
					URL:    "/marca/campanas/buscar/tiendas", Hint: "por nombre", Words: "esp", Was: "q=esp", Asked: true, Total: 40, Most: 1000, Results: []FormItem{{"s2", "La <Esperanza>", "Puebla"}},
					Filters: []FormFilter{{Name: "tipo", Label: "Tipo", Any: "Todos", Options: []FormOption{{Value: "chain", Label: "Cadena", Chosen: true}}}},
				}},
				{Kind: FormPick, Name: "kinds", Label: "Tipos", Groups: brands[:1]}, {Kind: FormPick, Name: "none", Label: "Segmentos"},
				{Kind: FormRows, Name: "limits", Label: "Límites", Add: "Agregar límite", Most: 20, Rows: []FormRow{
					{Title: "Límite 1", Fields: []FormField{{Kind: FormNumber, Name: "limits[0].max", Label: "Máximo", Value: "3"}, {Kind: FormPick, Name: "limits[0].product_ids", Label: "De", Groups: brands}}},
					{Title: "Límite 2", Blank: true, Fields: []FormField{{Kind: FormNumber, Name: "limits[1].max", Label: "Máximo"}, {Kind: FormPick, Name: "limits[1].product_ids", Label: "De", Groups: brands}}},
				}},
			}},
		},
	}
}

func sampleCampaigns() CampaignsView {
	return CampaignsView{
		Desk: sampleDesk(), Flash: "Listo.", NewURL: "/marca/campanas/nueva", Action: "/marca/campanas", Words: "junta <10>", Status: "active", Filtered: true, PreviousURL: "/marca/campanas?pagina=1", NextURL: "/marca/campanas?pagina=3", Admin: true,
		Tabs: []CampaignTab{{"Todas", 12, "/marca/campanas", false}, {"Activas", 2, "/marca/campanas?estado=active", true}}, Orders: []FormOption{{"", "Lo que te toca, primero", true}, {"name", "Nombre", false}},
		Files: Files{What: "las campañas", CSV: "/marca/campanas.csv", XLSX: "/marca/campanas.xlsx"},
		Campaigns: []CampaignLine{
			{URL: "/marca/campanas/1", Name: "Junta 10 y gana", Owner: "Bebidas del Valle", Status: CampaignStatus{"activa", "ok"}, Dates: "Del 1 de noviembre al 31 de diciembre de 2026", Earn: "1 sello por pieza", Reach: "12 productos en todas las tiendas", Budgets: []CampaignBudget{{"Sellos", 820, 1000}}},
			{URL: "/marca/campanas/2", Name: "Lunes al doble", Owner: "Abarrotes Lupita", Status: CampaignStatus{"en revisión", "degraded"}, Dates: "Permanente", Act: "Te toca revisarla.", Yours: true},
		},
	}
}

func sampleCampaign() CampaignView {
	change := CampaignVersion{
		Number: 3, What: "Cambiaron las reglas", When: "20 de noviembre de 2026", HoldsFrom: "1 de diciembre de 2026", Author: "Marta", Reason: "Fin de año",
		State: "programada", Removed: []string{"Límites: Máximo 3 sellos al día por cliente."}, Added: []string{"Límites: Máximo 5 sellos al día por cliente."},
	}
	return CampaignView{
		Desk: sampleDesk(), ListURL: "/marca/campanas", Name: "Junta 10 y gana", Owner: "Bebidas del Valle", Status: CampaignStatus{"activa", "ok"}, Act: "Falta activarla.",
		Flash: "Listo.", Error: "La campaña no se puede activar así.", Version: 2, EditURL: "/e", SimulateURL: "/s", ResultsURL: "/r", ShopsURL: "/t",
		Gist: []CampaignFact{{"Da", "1 sello por pieza"}, {"En", "todas las tiendas"}}, AssistantURL: "/a", DiscardURL: "/d",
		Steps:     []CampaignStep{{Label: "Aprobar", Says: "Su dueño la podrá activar.", To: "approved", Action: "/estado"}, {Label: "Rechazar", To: "rejected", Action: "/estado", Reason: true, Quiet: true}},
		Findings:  []CampaignFinding{{true, "Ningún premio se alcanza.", "/marca/campanas/1/asistente/premio#f-goal"}, {false, "El premio cuesta más que la meta.", ""}},
		Parts:     []CampaignPart{{"Cómo se gana", []string{"1 sello por pieza."}, "/g"}, {"Límites", []string{"Máximo 3 sellos al día por cliente."}, ""}},
		Rewards:   []CampaignReward{{"Un refresco gratis", "10 sellos", "quedan 88 de 100", []string{"te cuesta $12.00"}, false, "/p/1"}, {"Otro", "1 sello", "sin límite", nil, true, ""}},
		NewReward: "/p/nuevo", Budgets: []CampaignBudget{{"Sellos", 820, 1000}, {"Premios", 0, 0}}, Scheduled: &change, CancelURL: "/c",
		Versions: []CampaignVersion{change, {Number: 1, What: "Se creó", When: "1 de noviembre", State: "en vigor"}},
	}
}

func samplePreview(t testing.TB) CampaignPreview {
	card, err := newTestSet(t).CardPreview(sampleCard(t).Wallet[:1]...)
	if err != nil {
		t.Fatal(err)
	}
	return CampaignPreview{
		Card: card, Sale: "Quien compra 2 piezas de Cola 600 ml ($18.00 cada una) gana 2 sellos.", Chat: "🎉 ¡Gracias por tu compra en *La <Esperanza>*!\n⭐ +2 sellos",
		Findings: sampleCampaign().Findings,
	}
}

// sampleAssistant is a step of the assistant.
func sampleAssistant(t testing.TB) FormView {
	v, preview := sampleForm(), samplePreview(t)
	v.Preview, v.PreviewURL, v.ExpertURL, v.Keep = &preview, "/marca/campanas/vista", "/marca/campanas/1/editar", "1.2.gana"
	v.Steps = []AssistantStep{{Name: "Qué se gana", Path: "gana", Done: true}, {Name: "Productos", Path: "productos", Here: true, Note: "falta algo"}, {Name: "Revisar", Path: "revisar"}}
	v.Sections[0].Fields[1].When = "scheme=stamps,both"
	return v
}

func sampleStart() CampaignStartView {
	return CampaignStartView{
		Desk: sampleDesk(), ListURL: "/marca/campanas", Owner: "cpg:1", Action: "/marca/campanas/nueva", ExpertURL: "/marca/campanas/nueva/completa",
		Recipes: []CampaignRecipe{{"junta10", "Junta 10 y gana", "Un sello por cada pieza."}, {"propia", "Desde cero", "Tú decides todo."}},
	}
}

func sampleReview(t testing.TB) CampaignReviewView {
	of := sampleCampaign()
	return CampaignReviewView{
		Desk: sampleDesk(), ListURL: "/marca/campanas", Name: of.Name, Parts: of.Parts, Rewards: of.Rewards, Preview: samplePreview(t), Error: "Se contradice.",
		Steps: []AssistantStep{{Name: "Qué se gana", URL: "/1", Done: true, Note: "falta algo"}, {Name: "Revisar", URL: "/2", Here: true}}, Send: &of.Steps[0],
		SimulateURL: "/s", CampaignURL: "/c", ExpertURL: "/e", DiscardURL: "/d",
	}
}

func sampleConfirm() ConfirmView {
	return ConfirmView{Desk: sampleDesk(), Title: "¿Terminar?", Body: "No se puede deshacer.", Action: "/estado", Fields: []ConfirmField{{"to", "ended"}}, Yes: "Sí, terminarla", Back: "/atras"}
}

func sampleSales() SalesView {
	scan := sampleScan()
	return SalesView{Desk: sampleDesk(), Shop: scan.Shop, Shops: scan.Shops, PageURL: "/tienda/ventas", Sales: scan.Today.Last}
}

func sampleSale() SaleView {
	return SaleView{
		Desk: sampleDesk(), Back: "/tienda/ventas", Shop: "Abarrotes Lupita", At: sampleTime(), Total: 3600, Pending: true,
		Items: []SaleItem{{"7501055300075", "Refresco Cola 600 ml", 3, 2, "2"}, {"7501000000012", "Agua 1 L", 1, 0, "0"}}, Earned: []string{"+2 sellos"},
		Returns: []SaleReturn{{"1 × Agua 1 L", "−14 puntos en Puntos del Valle", "Venía abierta"}}, Action: "/tienda/ventas/1/devolucion", Key: "k1", Reason: "Rota",
		Result: &ScanResult{Title: "No se devolvió", Detail: "Queda una."},
	}
}

func sampleSimulation() SimulationView {
	rows := []SimulationRow{{"Semana del 9 de noviembre", 120, 4120000, "310 sellos", 12, 64000, "$0.02"}}
	return SimulationView{
		Files: Files{"la simulación", "/s.csv", "/s.xlsx"},
		Desk:  sampleDesk(), Campaign: "Junta 10 y gana", Back: "/marca/campanas/1", Action: "/marca/campanas/1/simular", Weeks: "8", Take: "100", Error: "Escribe de 1 a 26.",
		Ran: true, Sentence: "Cada peso de venta habría costado $0.02.", Approximate: "Algo se habría acabado.", Counters: []BrandCounter{{"compras", 1284}},
		Money: []SimulationMoney{{"ventas", 4120000}}, Points: sampleWeeks(), ByWeek: rows, ByShop: rows, Rewards: []SimulationReward{{"Un refresco gratis", 12, 14400, true}},
	}
}

func sampleSegments() SegmentsView {
	return SegmentsView{Files: Files{"los segmentos", "/s.csv", "/s.xlsx"}, Desk: sampleDesk(), Flash: "Listo.", NewURL: "/marca/segmentos/nuevo", Segments: []SegmentLine{{"/marca/segmentos/1", "Frecuentes", "Bebidas del Valle", 1284, "Por lo que compran"}}}
}

func sampleParticipants() ParticipantsView {
	return ParticipantsView{
		Files: Files{"las tiendas", "/t.csv", "/t.xlsx"},
		Desk:  sampleDesk(), Campaign: "Junta 10 y gana", Back: "/marca/campanas/1", Flash: "Listo.", Errors: []FormError{{Text: "La campaña no es para esa tienda."}}, How: "Por invitación.",
		Shops: []ParticipantLine{{"Abarrotes Lupita", "Ciudad de México", CampaignStatus{"invitada", "degraded"}, "20 de noviembre"}}, Action: "/marca/campanas/1/tiendas",
		Fields: []FormField{{Kind: FormPick, Name: "shop_ids", Label: "Invitar", Groups: []FormGroup{{Label: "Puebla", Options: []FormOption{{"s1", "La Esperanza", true}}}}}},
	}
}

func sampleInvitations() InvitationsView {
	return InvitationsView{Desk: sampleDesk(), Flash: "Listo.", Error: "Ya terminó.", Action: "/tienda/invitaciones", Invitations: []InvitationLine{
		{"c1", "s1", "Abarrotes Lupita", "Junta 10 y gana", "1 sello por pieza.", "Permanente", []string{"Un refresco"}, true}, {"c2", "s1", "", "Otra", "1 punto por peso.", "", nil, false},
	}}
}

func sampleNumbers() NumbersView {
	at := sampleTime()
	return NumbersView{Desk: sampleDesk(), Flash: "Listo.", Error: "Ya existe.", Action: "/admin/whatsapp", Label: "Qoa Centro", Live: "/admin/whatsapp/fragment", Numbers: []NumberLine{
		{"/admin/whatsapp/1", "Qoa Centro", "+52 55 1234 5678", NumberWords{"conectado", "ok", "El número está conectado.", "No hay nada que hacer."}, false, at, "hace 4 s", NumberDay{1284, 1279, 0, 3}},
		{"/admin/whatsapp/2", "Qoa Sur", "+52 22 1234 5678", NumberWords{"bloqueado", "down", "WhatsApp bloqueó este número.", "Agrega otro."}, false, at, "hace 2 h", NumberDay{812, 640, 12, 40}},
		{"/admin/whatsapp/3", "Nuevo", "", NumberWords{"por vincular", "degraded", "El código está listo.", "Escanéalo."}, true, time.Time{}, "", NumberDay{}},
	}}
}

func sampleNumber(t testing.TB) NumberView {
	qr, err := QRSVG("2@x,y,z")
	if err != nil {
		t.Fatal(err)
	}
	return NumberView{
		Desk: sampleDesk(), Flash: "Listo.", Error: "Ya existe.", ListURL: "/admin/whatsapp", Live: "/admin/whatsapp/1/fragment", Every: 2, Number: sampleNumbers().Numbers[1], QR: qr,
		QRSeconds: 12, QRLife: 20, PairedAt: sampleTime(), RenameAction: "/r", DeleteAction: "/d",
	}
}

func sampleOutbox() OutboxView {
	at := sampleTime()
	return OutboxView{
		Desk: sampleDesk(), Flash: "Listo.", Error: "Ya no existe.", Counts: []AdminCount{{"en fila", 3}}, Sieve: []FormField{{Kind: FormText, Name: "plantilla", Label: "Texto"}}, Action: "/admin/mensajes", Filtered: true, Reasons: []OutboxReason{{"463 <b>", 2, sampleTime(), "/u", "/r"}, {"", 1, sampleTime(), "/u", "/r"}}, Filters: []OutboxFilter{{"Todos", "/admin/mensajes", true}, {"Fallidos", "/admin/mensajes?estado=failed", false}},
		NextURL: "/n", FirstURL: "/f", Letters: []OutboxLetter{
			{"Respuesta", "balance.show", "…5678", "Qoa Centro", OutboxStatus{"leído", "ok"}, []OutboxStep{{"en fila", at, true}, {"enviado", at, true}, {"entregado", at, true}, {"leído", at, true}}, time.Time{}, 1, "", ""},
			{"Recordatorio", "", "", "", OutboxStatus{"falló", "down"}, []OutboxStep{{"en fila", at, true}, {"enviado", time.Time{}, false}}, at, 3, "WhatsApp no conoce el número", "/a"},
		},
	}
}

// sampleDesks are the desks' pages by name.
func sampleDesks(t testing.TB) map[string][]any {
	waits, closed, parked := sampleNumber(t), sampleNumbers(), sampleOutbox()
	waits.QR, waits.PairAction, waits.PairLabel = "", "/p", "Vincular otra vez"
	closed.Closed, closed.Numbers = "El canal es el simulador.", nil
	parked.Inbox, parked.Parked = true, []OutboxParked{{"Texto", "…5678", sampleTime(), 3, "no template", "/a"}}
	get, calm := sampleForm(), sampleReview(t)
	calm.Preview, calm.Rewards = CampaignPreview{}, nil
	get.Get, get.Errors = true, get.Errors[:1]
	return map[string][]any{
		"form": {sampleForm(), get, sampleAssistant(t)}, "campaign_start": {sampleStart()}, "campaign_review": {sampleReview(t), calm}, "campaigns": {sampleCampaigns(), CampaignsView{Desk: sampleDesk(), Filtered: true, Action: "/marca/campanas"}}, "campaign": {sampleCampaign()}, "confirm": {sampleConfirm()}, "sales": {sampleSales()}, "sale": {sampleSale()}, "simulation": {sampleSimulation()},
		"segments": {sampleSegments()}, "participants": {sampleParticipants()}, "invitations": {sampleInvitations()},
		"numbers": {sampleNumbers(), closed}, "number": {sampleNumber(t), waits}, "outbox": {sampleOutbox(), parked},
	}
}
