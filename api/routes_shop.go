package api

// shopRoutes are the pages of the counter.
func shopRoutes() []Route {
	return []Route{
		screen(get, "/t/:token", Secret, nil, (*server).openLink),
		screen(get, "/tienda", Cookie, roles{tendero}, (*server).scanPage),
		screen(post, "/tienda", Cookie, roles{tendero}, (*server).scanPurchase),
		screen(post, "/tienda/entrega", Cookie, roles{tendero}, (*server).scanDelivery),
		screen(get, "/tienda/app.webmanifest", Open, nil, (*server).scanManifest),
		screen(get, "/tienda/sw.js", Open, nil, (*server).scanWorker),
		screen(post, "/tienda/ventas/:id/deshacer", Cookie, roles{tendero}, (*server).scanUndo),
		screen(post, "/tienda/logout", Open, nil, (*server).scanLogout),
		screen(get, "/tienda/invitaciones", Cookie, roles{tendero}, (*server).invitationsPage),
		screen(post, "/tienda/invitaciones", Cookie, roles{tendero}, (*server).answerForm),
		screen(get, "/tienda/ventas", Cookie, roles{tendero}, (*server).salesPage),
		screen(get, "/tienda/ventas/:id", Cookie, roles{tendero}, (*server).salePage),
		screen(post, "/tienda/ventas/:id/devolucion", Cookie, roles{tendero}, (*server).reverseForm),
	}
}
