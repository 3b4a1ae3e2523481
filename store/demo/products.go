package demo

import "github.com/qoa-conectados/qoa/store/loyalty"

// The companies, and their brands.
var companies = []struct {
	name   string
	brands []string
}{
	{"Bebidas de México", []string{"Coca-Cola", "Sprite", "Ciel", "Del Valle"}},
	{"Botanas y Pan del Centro", []string{"Sabritas", "Marinela", "Bimbo"}},
}

// product is one of the demo's. popularity is how often it is bought, relative
// to the others.
type product struct {
	brand      string
	gtin       string
	name       string
	price      loyalty.Cents
	popularity int
	nicknames  []string
}

// Real names, so that people recognise their shop; but for the first, the
// numbers are made up.
var products = []product{
	{"Coca-Cola", "7501055300075", "Coca-Cola 600 ml", 1900, 26, []string{
		"coca", "cocas", "coca cola", "cocas colas", "cocacola", "coca 600", "coca de 600", "coca chica", "cocas chicas", "coquita", "coquitas", "chesco", "chescos"}},
	{"Coca-Cola", "7501055304011", "Coca-Cola 2.5 L", 4200, 12, []string{
		"coca grande", "cocas grandes", "coca familiar", "cocas familiares", "coca de 2.5", "coca de dos y medio", "coca 2.5 litros"}},
	{"Coca-Cola", "7501055307036", "Coca-Cola Sin Azúcar 600 ml", 1900, 6, []string{
		"coca sin azúcar", "cocas sin azúcar", "coca zero", "cocas zero", "coca light", "cocas light", "coca de dieta"}},
	{"Sprite", "7501055313020", "Sprite 600 ml", 1800, 6, []string{"sprite", "sprites", "esprite", "refresco de limón"}},
	{"Ciel", "7501055361045", "Agua Ciel 1 L", 1400, 10, []string{
		"agua", "aguas", "ciel", "agua ciel", "aguas ciel", "botella de agua", "botellas de agua", "agüita", "agua de litro"}},
	{"Del Valle", "7501055392056", "Jugo Del Valle Mango 413 ml", 1700, 5, []string{
		"jugo de mango", "jugos de mango", "del valle mango", "mango"}},
	{"Del Valle", "7501055393060", "Jugo Del Valle Durazno 413 ml", 1700, 4, []string{
		"jugo de durazno", "jugos de durazno", "del valle durazno", "durazno"}},
	{"Sabritas", "7501011101074", "Sabritas Sal 42 g", 1900, 9, []string{
		"sabritas", "papas", "papitas", "papas sabritas", "bolsa de papas", "bolsas de papas", "papas con sal"}},
	{"Sabritas", "7501011102088", "Doritos Nacho 58 g", 2000, 8, []string{"doritos", "dorito", "doritos nacho", "doritos rojos"}},
	{"Sabritas", "7501011104136", "Cheetos Torciditos 52 g", 1700, 5, []string{"cheetos", "chetos", "cheto", "torciditos"}},
	{"Marinela", "7501000103096", "Gansito 50 g", 2000, 9, []string{"gansito", "gansitos", "ganso", "gancito"}},
	{"Marinela", "7501000104109", "Pingüinos 80 g", 2600, 5, []string{"pingüinos", "pingüino", "pinguinos marinela"}},
	{"Bimbo", "7501000112111", "Pan Blanco Bimbo 620 g", 5100, 6, []string{
		"pan bimbo", "pan", "pan blanco", "pan de caja", "bimbo", "barra de pan"}},
	{"Bimbo", "7501000113125", "Roles de Canela 120 g", 2400, 4, []string{"roles", "rol de canela", "roles de canela", "rollos de canela"}},
}
