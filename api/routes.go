package api

import (
	"slices"
	"strings"

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
	File   bool           // answers with a file
	handle func(*server, *fiber.Ctx) error
}

func (r Route) handler(s *server) fiber.Handler {
	return func(c *fiber.Ctx) error { return r.handle(s, c) }
}

// allows says whether a role may call the route.
func (r Route) allows(role loyalty.Role) bool {
	return role == loyalty.RoleAdmin || slices.Contains(r.Roles, role)
}

type roles = []loyalty.Role

const (
	get   = fiber.MethodGet
	post  = fiber.MethodPost
	put   = fiber.MethodPut
	patch = fiber.MethodPatch
	del   = fiber.MethodDelete

	cpg         = loyalty.RoleCPG
	tendero     = loyalty.RoleTendero
	consumer    = loyalty.RoleConsumer
	integration = loyalty.RoleIntegration
)

// Who may call, beside admins.
var (
	admins    = roles{}
	brands    = roles{cpg}
	sellers   = roles{tendero, integration}
	known     = roles{cpg, tendero, consumer, integration}
	owners    = roles{cpg, tendero}
	consumers = roles{consumer}
)

type handle = func(*server, *fiber.Ctx) error

func rest(method, path string, who roles, h handle) Route {
	return Route{Method: method, Path: path, Door: Bearer, Roles: who, handle: h}
}

func open(method, path string, h handle) Route {
	return Route{Method: method, Path: path, Door: Open, handle: h}
}

func screen(method, path string, door Door, who roles, h handle) Route {
	return Route{Method: method, Path: path, Door: door, Roles: who, Page: true, handle: h}
}

func hot(r Route) Route {
	r.Hot = true
	return r
}

// Routes is the route table, a file for each part of it; sim opens the
// simulator's doors.
func Routes(sim bool) []Route {
	parts := [][]Route{restRoutes(), systemRoutes(), cardRoutes(), shopRoutes(), brandRoutes(), adminRoutes(), catalogueRoutes(),
		deskRoutes("/marca", brands), deskRoutes("/tienda", roles{tendero}), deskRoutes("/admin", admins)}
	if sim {
		parts = append(parts, simRoutes())
	}
	return slices.Concat(parts...)
}

// systemRoutes are what machines ask, and the pages of nobody in particular.
func systemRoutes() []Route {
	return []Route{
		open(get, webhookPath, (*server).answerChallenge),
		open(post, webhookPath, (*server).takeNotification),
		open(get, "/health/live", (*server).live),
		open(get, "/health/ready", (*server).ready),
		open(get, "/metrics", (*server).serveMetrics),
		open(get, "/openapi.json", (*server).serveSpec),
		open(get, "/static/:name", (*server).static),
		screen(get, "/", Open, nil, (*server).home),
		screen(get, "/docs", Open, nil, (*server).docs),
		screen(get, "/privacidad", Open, nil, (*server).privacy),
	}
}

// simRoutes are the simulator's.
func simRoutes() []Route {
	return []Route{
		screen(get, "/sim", Open, nil, (*server).simPage),
		open(post, "/sim/messages", (*server).simSend),
		open(get, "/sim/messages", (*server).simChat),
		open(get, "/sim/media/:id", (*server).simMedia),
	}
}

// monitoring are the routes that an operator's machines ask.
func monitoring() []Route {
	return slices.DeleteFunc(Routes(false), func(r Route) bool {
		return r.Path != "/metrics" && !strings.HasPrefix(r.Path, "/health/")
	})
}
