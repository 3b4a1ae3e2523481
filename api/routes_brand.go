package api

import "slices"

// brandRoutes are the pages of a CPG's people.
func brandRoutes() []Route {
	return slices.Concat([]Route{
		screen(get, "/marca", Cookie, roles{cpg}, (*server).brandPage),
		screen(get, "/marca/login", Open, nil, (*server).brandLoginForm),
		screen(post, "/marca/login", Open, nil, (*server).brandLogin),
		screen(post, "/marca/logout", Open, nil, (*server).brandLogout),
	}, exports("/marca/pedidos", brands, (*server).reorderFile))
}
