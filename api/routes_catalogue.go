package api

import (
	"slices"

	"github.com/qoa-conectados/qoa/store"
)

// catalogueRoutes are the pages of companies, brands, products and shops in the
// backoffice.
func catalogueRoutes() []Route {
	admin := func(method, path string, h handle) Route {
		return screen(method, catalogueURL+path, Cookie, admins, h)
	}
	return slices.Concat([]Route{
		admin(get, "/empresas", (*server).cpgsPage),
		admin(post, "/empresas", (*server).createCPGForm),
		admin(get, "/empresas/nueva", (*server).newCPGPage),
		admin(get, "/empresas/:id", (*server).cpgPage),
		admin(post, "/empresas/:id", (*server).editCPGForm),
		admin(get, "/empresas/:id/editar", (*server).editCPGPage),
		admin(post, "/empresas/:id/estado", (*server).switchCPG),
		admin(get, "/marcas", (*server).brandsPage),
		admin(post, "/marcas", (*server).createBrandForm),
		admin(get, "/marcas/nueva", (*server).newBrandPage),
		admin(get, "/marcas/:id", (*server).brandAdminPage),
		admin(post, "/marcas/:id", (*server).editBrandForm),
		admin(get, "/marcas/:id/editar", (*server).editBrandPage),
		admin(post, "/marcas/:id/estado", (*server).switchBrand),
		admin(get, "/productos", (*server).productsPage),
		admin(post, "/productos", (*server).createProductForm),
		admin(get, "/productos/nuevo", (*server).newProductPage),
		admin(get, "/productos/:id", (*server).productPage),
		admin(post, "/productos/:id", (*server).editProductForm),
		admin(get, "/productos/:id/editar", (*server).editProductPage),
		admin(post, "/productos/:id/estado", (*server).switchProduct),
		admin(post, "/productos/:id/foto", (*server).pictureForm),
		open(get, "/fotos/:name", (*server).picture),
		admin(get, "/tiendas", (*server).shopsPage),
		admin(post, "/tiendas", (*server).createShopForm),
		admin(get, "/tiendas/nueva", (*server).newShopPage),
		admin(post, "/tiendas/posteres", (*server).postersForm),
		admin(get, "/tiendas/:id", (*server).shopPage),
		admin(post, "/tiendas/:id", (*server).editShopForm),
		admin(get, "/tiendas/:id/editar", (*server).editShopPage),
		admin(post, "/tiendas/:id/estado", (*server).switchShop),
	}, exports(importsURL+"/plantilla-tiendas", admins, importTemplate(store.ImportShops)),
		exports(importsURL+"/plantilla-productos", admins, importTemplate(store.ImportProducts)),
		exports(importsURL+"/:id/errores", admins, (*server).importWrongs),
		exports(cpgsURL, admins, (*server).cpgsFile),
		exports(brandsURL, admins, (*server).brandsFile),
		exports(productsURL, admins, (*server).productsFile),
		exports(shopsURL, admins, (*server).shopsFile),
		[]Route{
			admin(get, "/importar", (*server).importsPage),
			admin(post, "/importar", (*server).importForm),
			admin(get, "/importar/:id", (*server).importPage),
			admin(get, "/importar/:id/vivo", (*server).importLive),
			admin(post, "/importar/:id/aplicar", (*server).applyImport),
			admin(post, "/importar/:id/descartar", (*server).discardImport),
		})
}
