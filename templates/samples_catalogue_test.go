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
		QR: qr, QRURL: "/qr", PosterURL: "/poster", Talk: "/talk", Counts: []AdminCount{{"compras", 12}}, Tenderos: []CatalogueTendero{{"Lupita", "+52 55 1234 5678", true}, {"Beto", "", false}},
		MoreURL: "/tenderos", Numbers: []CatalogueFact{{Name: "Qoa Sur", Text: "+52 55 1234 5678", URL: "/w"}}, Sales: scan.Today.Last,
	}
	return map[string][]any{
		"catalogue":      {list, CatalogueView{Desk: sampleDesk(), Title: "Marcas", Action: "/m", Empty: "Todavía no hay.", Filters: list.Filters}, CatalogueView{Desk: sampleDesk(), Title: "Marcas", Action: "/m", Items: list.Items}},
		"catalogue_item": {product, shop},
	}
}
