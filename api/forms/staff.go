package forms

import (
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/templates"
)

// Roles are those of who enters with a password.
var Roles = options("cpg", "Equipo de marca", "admin", "Administrador")

// Staff is the form of a staff member, who chooses a password by itself.
func (f *Form) Staff(in *store.StaffInput, cpgs []templates.FormOption) {
	f.Section("", "", true)
	line(f, templates.FormText, "name", "Nombre", &in.Name, required())
	line(f, templates.FormText, "email", "Correo", &in.Email, required())
	choice(f, "role", "Rol", &in.Role, Roles, help("Un administrador ve y cambia todo; el equipo de una marca, lo de su empresa."))
	choice(f, "cpg_id", "Empresa", &in.CPG, append(options("", "Ninguna"), cpgs...), help("Solo para el equipo de una marca."))
	line(f, templates.FormText, "phone", "WhatsApp", &in.Phone, help("Opcional: ahí llega el resumen semanal de la marca."))
}

// Tendero is the form of who keeps a shop.
func (f *Form) Tendero(in *store.TenderoInput, shop *string) {
	f.Section("", "", true)
	line(f, templates.FormText, "shop_id", "Código de la tienda", shop, required(), help("El de su póster, de seis símbolos."))
	line(f, templates.FormText, "name", "Nombre", &in.Name, required())
	line(f, templates.FormText, "phone", "WhatsApp", &in.Phone, required(), help("Diez dígitos."))
}

// Rename is the form of what somebody is called.
func (f *Form) Rename(name *string) {
	f.Section("", "", true)
	line(f, templates.FormText, "name", "Nombre", name, required())
}

// Key is the form of an integration's key.
func (f *Form) Key(label *string) {
	f.Section("", "", true)
	line(f, templates.FormText, "label", "Para quién es", label, required(), help("Por ejemplo, el nombre del punto de venta que la usará."))
}
