package demo

// shop is one of the demo's. custom is how many people go there, relative to the
// others.
type shop struct {
	name, tendero, kind, street, city, state string
	custom                                   int
}

const (
	cdmx    = "Ciudad de México"
	gdl     = "Guadalajara"
	jalisco = "Jalisco"
)

// The first is the contract's. Tenderos' phones count on from Tendero1Phone.
var shops = []shop{
	{"Abarrotes Lupita", "Lupita Hernández", "tiendita", "Av. Revolución 128, Escandón", cdmx, cdmx, 20},
	{"Miscelánea La Güera", "Graciela Torres", "tiendita", "Calle 5 de Mayo 44, Tacubaya", cdmx, cdmx, 12},
	{"Abarrotes Don Beto", "Roberto Jiménez", "tiendita", "Norte 17 No. 210, Moctezuma", cdmx, cdmx, 11},
	{"La Esquinita", "Martha Salgado", "tiendita", "Dr. Vértiz 903, Narvarte", cdmx, cdmx, 9},
	{"Súper Mary", "María Elena Cruz", "minisuper", "Calz. de Tlalpan 1550, Portales", cdmx, cdmx, 10},
	{"Tienda El Progreso", "Julián Ortega", "tiendita", "Av. Hidalgo 73, Coyoacán", cdmx, cdmx, 7},
	{"Abarrotes San Judas", "Tomás Rangel", "tiendita", "Eje 3 Oriente 415, Iztapalapa", cdmx, cdmx, 8},
	{"Abarrotes Chuy", "Jesús Navarro", "tiendita", "Av. Federalismo 620, Centro", gdl, jalisco, 10},
	{"La Tapatía", "Rosa Íñiguez", "tiendita", "Calle Mezquitán 301, Santa Tere", gdl, jalisco, 9},
	{"Minisúper Chapalita", "Héctor Villaseñor", "minisuper", "Av. Guadalupe 1180, Chapalita", gdl, jalisco, 8},
	{"Abarrotes Los Altos", "Socorro Gutiérrez", "tiendita", "Calz. Independencia 2040, Oblatos", gdl, jalisco, 6},
	{"Estanquillo Doña Tere", "Teresa Plascencia", "tiendita", "Calle Juan Manuel 512, Centro", gdl, jalisco, 5},
}

// What consumers are called.
var (
	firstNames = []string{
		"Ana", "José", "Guadalupe", "Juan", "María", "Luis", "Rosa", "Carlos", "Verónica", "Miguel", "Leticia", "Jorge", "Patricia",
		"Francisco", "Alejandra", "Pedro", "Daniela", "Arturo", "Karla", "Raúl", "Yolanda", "Fernando", "Brenda", "Ricardo", "Silvia",
		"Eduardo", "Mónica", "Iván", "Gabriela", "Óscar",
	}
	lastNames = []string{
		"Hernández", "García", "Martínez", "López", "González", "Pérez", "Rodríguez", "Sánchez", "Ramírez", "Cruz", "Flores", "Gómez",
		"Morales", "Vázquez", "Reyes", "Jiménez", "Torres", "Díaz", "Gutiérrez", "Ruiz",
	}
)
