package templates

import "testing"

func sampleCatalogueItem() CatalogueItemView {
	return CatalogueItemView{
		Desk: sampleDesk(), List: "Tiendas", ListURL: "/admin/catalogo/tiendas", Name: "Abarrotes Lupita", Sub: "Av. Juárez 12, Puebla",
		Flash: "Listo.", Error: "No se pudo.", Active: true, State: "activa", EditURL: "/e", Switch: "/s", Inactive: "Su QR dice que ya no participa.",
		Facts: []CatalogueFact{{Name: "Código", Text: "K7M2QR", Code: true}, {Name: "Empresa", Text: "Bebidas del Valle", URL: "/x"}, {Name: "Tipo", Text: "Tiendita"}},
		Links: []DeskLink{{"Sus marcas", "/m", false}},
	}
}

// sampleCatalogue are the pages of the catalogue.
func sampleCatalogue(t testing.TB) map[string][]any {
	qr, err := QRSVG("https://qoa.example/q/K7M2QR")
	if err != nil {
		t.Fatal(err)
	}
	list := CatalogueView{
		Desk: sampleDesk(), Title: "Tiendas", Intro: "Donde se compra.", Flash: "Listo.", Error: "No.", NewURL: "/n", NewLabel: "Nueva tienda", Import: "/i",
		Action: "/admin/catalogo/tiendas", Filtered: true, Total: "512 tiendas", NextURL: "/s", FirstURL: "/p",
		Filters: []FormField{{Kind: FormText, Name: "buscar", Label: "Buscar", Value: "lupita"}, {Kind: FormChoice, Name: "ciudad", Label: "Ciudad", Options: []FormOption{{"", "Todas", false}, {"Puebla", "Puebla", true}}}},
		Items: []CatalogueLine{
			{ID: "1", URL: "/1", Name: "Abarrotes Lupita", Sub: "Puebla", Facts: []string{"K7M2QR", "Tiendita"}},
			{ID: "2", URL: "/2", Name: "La Esperanza", Off: "desactivada", Picture: "/fotos/abc-160.jpg"},
		},
		Posters: &CataloguePosters{Action: "/admin/catalogo/tiendas/posteres", All: 512, Most: 1000, Filter: []ConfirmField{{"ciudad", "Puebla"}}},
	}
	product, shop := sampleCatalogueItem(), sampleCatalogueItem()
	product.Picture = &CataloguePicture{Action: "/foto", URL: "/fotos/abc-480.jpg", Error: "No es una imagen."}
	scan := sampleScan()
	shop.Shop = &CatalogueShop{
		QR: qr, QRURL: "/qr", PosterURL: "/poster", Counts: []AdminCount{{"compras", 12}}, Tenderos: []CatalogueTendero{{"Lupita", "/c", "…5678", true}, {"Beto", "/c", "", false}},
		MoreURL: "/tenderos", Sales: scan.Today.Last,
	}
	files := Files{What: "la plantilla", CSV: "/p.csv", XLSX: "/p.xlsx"}
	imports := ImportsView{
		Desk: sampleDesk(), Flash: "Listo.", Error: "Falta la columna «Marca».", Action: "/importar", Limits: "Hasta 8 MB.",
		Kinds:   []ImportKind{{Value: "shops", Name: "Tiendas", Explain: "Por código.", Chosen: true, Columns: []ImportColumn{{"Código", true, "El de su póster"}, {"Calle", false, ""}}, Template: files}},
		Imports: []ImportPast{{URL: "/i", File: "tiendas.xlsx", What: "Tiendas", When: "21 de noviembre", Status: CampaignStatus{"aplicado", "ok"}}},
	}
	read := ImportView{
		Desk: sampleDesk(), ListURL: "/importar", File: "tiendas.xlsx", What: "Tiendas", By: "Ada", Status: CampaignStatus{"por aplicar", "degraded"}, Live: "/vivo",
		Counts: []AdminCount{{"nuevos", 12}, {"están mal", 1}}, Ignored: []string{"Notas", "Ruta"}, Ready: true, ToDo: 12, ApplyAction: "/a", ApplyLabel: "Aplicar 12 renglones", DiscardAction: "/d",
		Tabs: []OutboxFilter{{Name: "Todos", URL: "/i#renglones", Here: true}}, Columns: []string{"Código", "Nombre"}, More: 40, Wrongs: files,
		Rows: []ImportLine{{2, CampaignStatus{"nuevo", "ok"}, []string{"", "Abarrotes Lupita"}, nil, []string{"Marca nueva: Sol"}}, {3, CampaignStatus{"está mal", "down"}, []string{"ABC", "X"}, []ImportWrong{{"Código", "No es un código."}, {"", "Está repetido."}}, nil}},
	}
	working, done := read, read
	working.Ready, working.Working, working.Every, working.Done, working.Rows = false, true, 2, 7, nil
	done.Ready, done.Done, done.Failed = false, 11, 1
	return map[string][]any{
		"import":         {read, working, done},
		"imports":        {imports},
		"catalogue":      {list, CatalogueView{Desk: sampleDesk(), Title: "Marcas", Action: "/m", Empty: "Todavía no hay.", Filters: list.Filters}, CatalogueView{Desk: sampleDesk(), Title: "Marcas", Action: "/m", Items: list.Items}},
		"catalogue_item": {product, shop},
	}
}
