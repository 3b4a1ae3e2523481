package api

import (
	"strings"

	"github.com/qoa-conectados/qoa/templates"
)

// backoffice is the menu of /admin: a page is found by what one works with. A
// group without pages is not shown.
var backoffice = []struct {
	name, icon string
	pages      [][2]string // name and address below /admin
}{
	{"", "", [][2]string{{"Inicio", ""}}},
	{"Operación", "gift", [][2]string{{"Campañas", "/campanas"}, {"Segmentos", "/segmentos"}, {"Devoluciones", "/ventas"}, {"Ajustes", "/ajustes"}}},
	{"Catálogo", "bag", [][2]string{{"Tiendas", "/catalogo/tiendas"}, {"Productos", "/catalogo/productos"}, {"Marcas", "/catalogo/marcas"}, {"Empresas", "/catalogo/empresas"}, {"Importar", "/catalogo/importar"}}},
	{"Personas", "people", [][2]string{{"Tenderos", "/tenderos"}, {"Usuarios", "/usuarios"}, {"Llaves de la API", "/llaves"}}},
	{"Mensajes", "chat", [][2]string{{"Conversaciones", "/conversaciones"}, {"Casos", "/casos"}, {"Mensajes", "/mensajes"}, {"Números de WhatsApp", "/whatsapp"}}},
	{"Sistema", "shield", [][2]string{{"Salud", "/salud"}, {"Trabajos", "/trabajos"}, {"Auditoría", "/auditoria"}}},
}

// backofficeMenu is the menu, with the page shown marked.
func backofficeMenu(path string) (menu []templates.DeskGroup) {
	for _, group := range backoffice {
		if len(group.pages) == 0 {
			continue
		}
		menu = append(menu, templates.DeskGroup{Name: group.name, Icon: group.icon, Links: links("/admin", path, group.pages)})
	}
	return menu
}

// links are pages below a root; path is the one shown.
func links(root, path string, pages [][2]string) []templates.DeskLink {
	all := make([]templates.DeskLink, len(pages))
	for i, p := range pages {
		at := root + p[1]
		all[i] = templates.DeskLink{Name: p[0], URL: at, Here: path == at || p[1] != "" && strings.HasPrefix(path, at+"/")}
	}
	return all
}
