package api

// adminRoutes are the backoffice.
func adminRoutes() []Route {
	return []Route{
		screen(get, "/admin", Cookie, admins, (*server).adminPage),
		screen(get, "/admin/login", Open, nil, (*server).adminLoginForm),
		screen(post, "/admin/login", Open, nil, (*server).adminLogin),
		screen(post, "/admin/logout", Open, nil, (*server).adminLogout),
		screen(post, "/admin/jobs/:job/runs", Cookie, admins, (*server).adminRunJob),
		screen(post, "/admin/cases/:id/close", Cookie, admins, (*server).adminCloseCase),
		screen(get, "/admin/whatsapp", Cookie, admins, (*server).numbersPage),
		screen(post, "/admin/whatsapp", Cookie, admins, (*server).addNumberForm),
		screen(get, "/admin/whatsapp/vivo", Cookie, admins, (*server).numbersLive),
		screen(get, "/admin/whatsapp/:id", Cookie, admins, (*server).numberPage),
		screen(get, "/admin/whatsapp/:id/vivo", Cookie, admins, (*server).numberLive),
		screen(post, "/admin/whatsapp/:id/nombre", Cookie, admins, (*server).renameNumberForm),
		screen(post, "/admin/whatsapp/:id/vincular", Cookie, admins, (*server).resumeNumberForm),
		screen(post, "/admin/whatsapp/:id/quitar", Cookie, admins, (*server).deleteNumberForm),
		screen(get, "/admin/mensajes", Cookie, admins, (*server).outboxPage),
		screen(post, "/admin/mensajes/:id/reenvio", Cookie, admins, (*server).redriveOutboxForm),
		screen(post, "/admin/mensajes/recibidos/:id/reintento", Cookie, admins, (*server).redriveInboxForm),
		screen(get, "/admin/ajustes", Cookie, admins, (*server).adjustmentPage),
		screen(post, "/admin/ajustes", Cookie, admins, (*server).adjustForm),
		screen(get, "/admin/ventas", Cookie, admins, (*server).findSalePage),
		screen(get, "/admin/ventas/:id", Cookie, admins, (*server).salePage),
		screen(post, "/admin/ventas/:id/devolucion", Cookie, admins, (*server).reverseForm),
	}
}
