package api

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Door says how a caller of a route is known.
type Door string

// The doors.
const (
	Open   Door = "open"   // anyone
	Bearer Door = "bearer" // an access token or API key in Authorization
	Cookie Door = "cookie" // a page's session
	Secret Door = "secret" // an unguessable address
)

// Route is one line of the route table. The tests walk it: a route without a
// rule, or a REST route without documentation, fails.
type Route struct {
	Method string
	Path   string
	Door   Door
	Roles  []loyalty.Role // who may call, beside admins, where Door knows the caller
	Page   bool           // read by people: errors are pages too
	Hot    bool           // the use case itself proves the caller, where it is known who that seems to be
	handle func(*server, *fiber.Ctx) error
}

func (r Route) handler(s *server) fiber.Handler {
	return func(c *fiber.Ctx) error { return r.handle(s, c) }
}

// allows says whether a role may call the route.
func (r Route) allows(role loyalty.Role) bool {
	return role == loyalty.RoleAdmin || slices.Contains(r.Roles, role)
}

// Routes is the route table; sim opens the simulator's doors.
func Routes(sim bool) []Route {
	type roles = []loyalty.Role
	const (
		cpg, tendero, consumer, integration = loyalty.RoleCPG, loyalty.RoleTendero, loyalty.RoleConsumer, loyalty.RoleIntegration
		get, post, put, patch, del          = fiber.MethodGet, fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete
	)
	admins, brands, sellers := roles{}, roles{cpg}, roles{tendero, integration}
	known, owners, consumers := roles{cpg, tendero, consumer, integration}, roles{cpg, tendero}, roles{consumer}
	rest := func(method, path string, who roles, h func(*server, *fiber.Ctx) error) Route {
		return Route{Method: method, Path: path, Door: Bearer, Roles: who, handle: h}
	}
	open := func(method, path string, h func(*server, *fiber.Ctx) error) Route {
		return Route{Method: method, Path: path, Door: Open, handle: h}
	}
	page := func(method, path string, door Door, who roles, h func(*server, *fiber.Ctx) error) Route {
		return Route{Method: method, Path: path, Door: door, Roles: who, Page: true, handle: h}
	}
	hot := func(r Route) Route {
		r.Hot = true
		return r
	}
	table := []Route{
		open(post, "/v1/auth/login", (*server).login),
		open(post, "/v1/auth/refresh", (*server).refresh),
		open(post, "/v1/auth/otp", (*server).requestOTP),
		open(post, "/v1/auth/otp/verify", (*server).verifyOTP),
		rest(post, "/v1/auth/logout", roles{cpg, tendero, consumer}, (*server).logout),
		rest(get, "/v1/cpgs", brands, (*server).listCPGs),
		rest(post, "/v1/cpgs", admins, (*server).createCPG),
		rest(get, "/v1/cpgs/:id", brands, (*server).getCPG),
		rest(patch, "/v1/cpgs/:id", brands, (*server).updateCPG),
		rest(get, "/v1/cpgs/:id/shops", brands, (*server).listCPGShops),
		rest(put, "/v1/cpgs/:id/shops/:shop_id", brands, (*server).setCPGShop),
		rest(get, "/v1/brands", brands, (*server).listBrands),
		rest(post, "/v1/brands", brands, (*server).createBrand),
		rest(get, "/v1/brands/:id", brands, (*server).getBrand),
		rest(patch, "/v1/brands/:id", brands, (*server).updateBrand),
		rest(get, "/v1/products", known, (*server).listProducts),
		rest(post, "/v1/products", brands, (*server).createProduct),
		rest(get, "/v1/products/:id", known, (*server).getProduct),
		rest(patch, "/v1/products/:id", brands, (*server).updateProduct),
		rest(get, "/v1/shops", known, (*server).listShops),
		rest(post, "/v1/shops", admins, (*server).createShop),
		rest(get, "/v1/shops/:id", known, (*server).getShop),
		rest(patch, "/v1/shops/:id", admins, (*server).updateShop),
		open(get, "/v1/shops/:code/qr.png", (*server).shopQR),
		open(get, "/v1/shops/:code/poster.pdf", (*server).shopPoster),
		rest(get, "/v1/tenderos", admins, (*server).listTenderos),
		rest(post, "/v1/tenderos", admins, (*server).createTendero),
		rest(get, "/v1/tenderos/:id", admins, (*server).getTendero),
		rest(patch, "/v1/tenderos/:id", admins, (*server).updateTendero),
		rest(get, "/v1/campaigns", known, (*server).listCampaigns),
		rest(post, "/v1/campaigns", owners, (*server).createCampaign),
		rest(get, "/v1/campaigns/:id", known, (*server).getCampaign),
		rest(patch, "/v1/campaigns/:id", owners, (*server).updateCampaign),
		rest(post, "/v1/campaigns/:id/transitions", owners, (*server).moveCampaign),
		rest(get, "/v1/campaigns/:id/versions", owners, (*server).listVersions),
		rest(del, "/v1/campaigns/:id/versions/:version", owners, (*server).cancelVersion),
		rest(get, "/v1/campaigns/:id/validation", owners, (*server).validateCampaign),
		rest(post, "/v1/campaigns/:id/simulations", owners, (*server).simulateCampaign),
		rest(get, "/v1/campaigns/:id/participants", owners, (*server).listParticipants),
		rest(put, "/v1/campaigns/:id/participants/:shop_id", owners, (*server).setParticipant),
		rest(post, "/v1/campaigns/:id/enrollments", consumers, (*server).enroll),
		rest(get, "/v1/campaigns/:id/rewards", known, (*server).listRewards),
		rest(post, "/v1/campaigns/:id/rewards", owners, (*server).createReward),
		rest(patch, "/v1/rewards/:id", owners, (*server).updateReward),
		rest(post, "/v1/rewards/:id/redemptions", consumers, (*server).requestRedemption),
		rest(get, "/v1/segments", owners, (*server).listSegments),
		rest(post, "/v1/segments", owners, (*server).createSegment),
		rest(get, "/v1/segments/:id", owners, (*server).getSegment),
		rest(patch, "/v1/segments/:id", owners, (*server).updateSegment),
		rest(post, "/v1/segments/:id/members", owners, (*server).addMembers),
		rest(del, "/v1/segments/:id/members", owners, (*server).removeMembers),
		rest(get, "/v1/staff", admins, (*server).listStaff),
		rest(post, "/v1/staff", admins, (*server).createStaff),
		rest(patch, "/v1/staff/:id", admins, (*server).updateStaff),
		rest(get, "/v1/api-keys", admins, (*server).listAPIKeys),
		rest(post, "/v1/api-keys", admins, (*server).createAPIKey),
		rest(del, "/v1/api-keys/:id", admins, (*server).revokeAPIKey),
		hot(rest(post, "/v1/purchases", sellers, (*server).recordPurchase)),
		rest(get, "/v1/purchases/:id", roles{tendero, integration, consumer}, (*server).getPurchase),
		rest(post, "/v1/purchases/:id/reversal", sellers, (*server).reversePurchase),
		rest(post, "/v1/purchases/:id/confirmation", consumers, (*server).confirmPurchase),
		rest(post, "/v1/adjustments", admins, (*server).adjust),
		rest(get, "/v1/cards/:code", roles{tendero, integration, consumer}, (*server).getCard),
		open(get, "/v1/cards/:code/qr.png", (*server).cardQR),
		rest(get, "/v1/redemptions", roles{cpg, tendero, consumer}, (*server).listRedemptions),
		rest(post, "/v1/redemptions/:code/cancellation", consumers, (*server).cancelRedemption),
		rest(post, "/v1/redemptions/:code/delivery", sellers, (*server).deliverRedemption),
		rest(post, "/v1/jobs/:job/runs", admins, (*server).runJob),
		rest(get, "/v1/reports/roi", brands, (*server).reportROI),
		rest(get, "/v1/reorders", brands, (*server).listReorders),
		rest(get, "/v1/whatsapp/numbers", admins, (*server).listNumbers),
		rest(post, "/v1/whatsapp/numbers", admins, (*server).createNumber),
		rest(get, "/v1/whatsapp/numbers/:id", admins, (*server).getNumber),
		rest(patch, "/v1/whatsapp/numbers/:id", admins, (*server).updateNumber),
		rest(del, "/v1/whatsapp/numbers/:id", admins, (*server).deleteNumber),
		rest(post, "/v1/whatsapp/numbers/:id/pairing", admins, (*server).resumeNumber),
		rest(get, "/v1/whatsapp/numbers/:id/qr.png", admins, (*server).numberQR),
		rest(get, "/v1/outbox", admins, (*server).listOutbox),
		rest(post, "/v1/outbox/:id/redrive", admins, (*server).redriveOutbox),
		rest(get, "/v1/inbox", admins, (*server).listInbox),
		rest(post, "/v1/inbox/:id/redrive", admins, (*server).redriveInbox),
		rest(get, "/v1/cases", admins, (*server).listCases),
		rest(post, "/v1/cases/:id/close", admins, (*server).closeCase),

		open(get, webhookPath, (*server).answerChallenge),
		open(post, webhookPath, (*server).takeNotification),
		open(get, "/health/live", (*server).live),
		open(get, "/health/ready", (*server).ready),
		open(get, "/metrics", (*server).serveMetrics),
		open(get, "/openapi.json", (*server).serveSpec),
		open(get, "/static/:name", (*server).static),

		page(get, "/", Open, nil, (*server).home),
		page(get, "/docs", Open, nil, (*server).docs),
		page(get, "/privacidad", Open, nil, (*server).privacy),
		page(get, "/q/:code", Open, nil, (*server).visit),
		page(get, "/pausa", Open, nil, (*server).paused),
		page(get, "/c/:card", Open, nil, (*server).publicCard),
		page(get, "/c/:secret/:card", Secret, nil, (*server).cardPage),
		page(get, "/c/:secret/:card/fragment", Secret, nil, (*server).cardFragment),
		page(get, "/c/:secret/:card/events", Secret, nil, (*server).cardEvents),
		page(post, "/c/:secret/:card/evidence", Secret, nil, (*server).cardEvidence),
		page(post, "/c/:secret/:card/redemptions", Secret, nil, (*server).cardRedeem),
		page(post, "/c/:secret/:card/cancellations", Secret, nil, (*server).cardCancel),
		page(post, "/c/:secret/:card/confirmations", Secret, nil, (*server).cardConfirm),
		page(post, "/c/:secret/:card/enrollments", Secret, nil, (*server).cardEnroll),
		page(get, "/t/:token", Secret, nil, (*server).openLink),
		page(get, "/tienda", Cookie, roles{tendero}, (*server).scanPage),
		page(post, "/tienda", Cookie, roles{tendero}, (*server).scanPurchase),
		page(post, "/tienda/entrega", Cookie, roles{tendero}, (*server).scanDelivery),
		page(get, "/tienda/app.webmanifest", Open, nil, (*server).scanManifest),
		page(get, "/tienda/sw.js", Open, nil, (*server).scanWorker),
		page(post, "/tienda/ventas/:id/deshacer", Cookie, roles{tendero}, (*server).scanUndo),
		page(post, "/tienda/logout", Open, nil, (*server).scanLogout),
		page(get, "/marca", Cookie, roles{cpg}, (*server).brandPage),
		page(get, "/marca/login", Open, nil, (*server).brandLoginForm),
		page(post, "/marca/login", Open, nil, (*server).brandLogin),
		page(post, "/marca/logout", Open, nil, (*server).brandLogout),
		page(get, "/admin", Cookie, admins, (*server).adminPage),
		page(get, "/admin/login", Open, nil, (*server).adminLoginForm),
		page(post, "/admin/login", Open, nil, (*server).adminLogin),
		page(post, "/admin/logout", Open, nil, (*server).adminLogout),
		page(post, "/admin/jobs/:job/runs", Cookie, admins, (*server).adminRunJob),
		page(post, "/admin/cases/:id/close", Cookie, admins, (*server).adminCloseCase),
		page(get, "/admin/whatsapp", Cookie, admins, (*server).numbersPage),
		page(post, "/admin/whatsapp", Cookie, admins, (*server).addNumberForm),
		page(get, "/admin/whatsapp/vivo", Cookie, admins, (*server).numbersLive),
		page(get, "/admin/whatsapp/:id", Cookie, admins, (*server).numberPage),
		page(get, "/admin/whatsapp/:id/vivo", Cookie, admins, (*server).numberLive),
		page(post, "/admin/whatsapp/:id/nombre", Cookie, admins, (*server).renameNumberForm),
		page(post, "/admin/whatsapp/:id/vincular", Cookie, admins, (*server).resumeNumberForm),
		page(post, "/admin/whatsapp/:id/quitar", Cookie, admins, (*server).deleteNumberForm),
		page(get, "/admin/mensajes", Cookie, admins, (*server).outboxPage),
		page(post, "/admin/mensajes/:id/reenvio", Cookie, admins, (*server).redriveOutboxForm),
		page(post, "/admin/mensajes/recibidos/:id/reintento", Cookie, admins, (*server).redriveInboxForm),
		page(get, "/admin/ajustes", Cookie, admins, (*server).adjustmentPage),
		page(post, "/admin/ajustes", Cookie, admins, (*server).adjustForm),
		page(get, "/admin/ventas", Cookie, admins, (*server).findSalePage),
		page(get, "/admin/ventas/:id", Cookie, admins, (*server).salePage),
		page(post, "/admin/ventas/:id/devolucion", Cookie, admins, (*server).reverseForm),
		page(get, "/tienda/invitaciones", Cookie, roles{tendero}, (*server).invitationsPage),
		page(post, "/tienda/invitaciones", Cookie, roles{tendero}, (*server).answerForm),
		page(get, "/tienda/ventas", Cookie, roles{tendero}, (*server).salesPage),
		page(get, "/tienda/ventas/:id", Cookie, roles{tendero}, (*server).salePage),
		page(post, "/tienda/ventas/:id/devolucion", Cookie, roles{tendero}, (*server).reverseForm),
	}
	for _, d := range []struct {
		root string
		who  roles
	}{{"/marca", roles{cpg}}, {"/tienda", roles{tendero}}, {"/admin", admins}} {
		table = append(table,
			page(get, d.root+"/campanas", Cookie, d.who, (*server).campaignsPage),
			page(post, d.root+"/campanas", Cookie, d.who, (*server).createCampaignForm),
			page(get, d.root+"/campanas/nueva", Cookie, d.who, (*server).newCampaignPage),
			page(get, d.root+"/campanas/:id", Cookie, d.who, (*server).campaignPage),
			page(post, d.root+"/campanas/:id", Cookie, d.who, (*server).editCampaignForm),
			page(get, d.root+"/campanas/:id/editar", Cookie, d.who, (*server).editCampaignPage),
			page(get, d.root+"/campanas/:id/simular", Cookie, d.who, (*server).simulationPage),
			page(post, d.root+"/campanas/:id/estado", Cookie, d.who, (*server).moveCampaignForm),
			page(post, d.root+"/campanas/:id/versiones/:version/cancelar", Cookie, d.who, (*server).cancelVersionForm),
			page(post, d.root+"/campanas/:id/premios", Cookie, d.who, (*server).createRewardForm),
			page(get, d.root+"/campanas/:id/premios/nuevo", Cookie, d.who, (*server).newRewardPage),
			page(get, d.root+"/campanas/:id/tiendas", Cookie, d.who, (*server).participantsPage),
			page(post, d.root+"/campanas/:id/tiendas", Cookie, d.who, (*server).inviteForm),
			page(get, d.root+"/segmentos", Cookie, d.who, (*server).segmentsPage),
			page(post, d.root+"/segmentos", Cookie, d.who, (*server).createSegmentForm),
			page(get, d.root+"/segmentos/nuevo", Cookie, d.who, (*server).newSegmentPage),
			page(get, d.root+"/segmentos/:id", Cookie, d.who, (*server).editSegmentPage),
			page(post, d.root+"/segmentos/:id", Cookie, d.who, (*server).editSegmentForm),
			page(get, d.root+"/campanas/:id/premios/:reward", Cookie, d.who, (*server).newRewardPage),
			page(post, d.root+"/campanas/:id/premios/:reward", Cookie, d.who, (*server).createRewardForm),
		)
	}
	if sim {
		table = append(table,
			page(get, "/sim", Open, nil, (*server).simPage),
			open(post, "/sim/messages", (*server).simSend),
			open(get, "/sim/messages", (*server).simChat),
			open(get, "/sim/media/:id", (*server).simMedia),
		)
	}
	return table
}
