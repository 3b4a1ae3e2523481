package api

import "slices"

// brandRoutes are the pages of a CPG's people.
func brandRoutes() []Route {
	const results = "/marca/campanas/:id/resultados"
	return slices.Concat([]Route{
		screen(get, "/marca", Cookie, brands, (*server).brandPage),
		screen(get, "/marca/login", Open, nil, (*server).brandLoginForm),
		screen(post, "/marca/login", Open, nil, (*server).brandLogin),
		screen(post, "/marca/logout", Open, nil, (*server).brandLogout),
		screen(get, results, Cookie, brands, (*server).resultsPage),
		screen(get, "/marca/pedidos", Cookie, brands, (*server).reordersPage),
	},
		exports("/marca/resultados", brands, (*server).brandFile),
		exports(results, brands, (*server).resultsFile),
		exports("/marca/pedidos", brands, (*server).reorderFile))
}
