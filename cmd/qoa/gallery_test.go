package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/api/browsertest"
	"github.com/qoa-conectados/qoa/store/demo"
)

// The people of the pictures.
const (
	nobody   = ""
	tendero  = "tendero"
	brandly  = "brand"
	operator = "admin"

	anaPhone = "+525587651234"
)

// picture is one page in the gallery: who opens what, and what they do there
// before it is looked at. A click that leads on is waited for.
type picture struct {
	name, caption string
	who, path     string
	do            func(g *gallery)
}

// chapter is a step of the story, as docs/screenshots.md tells it.
type chapter struct {
	title    string
	before   func(g *gallery)
	pictures []picture
}

// chapters are all pages, in the order of the story: a new page gets a line here,
// and TestEveryPageIsInTheGallery says when one has none.
var chapters = []chapter{
	{title: "1. A brand starts a campaign", pictures: []picture{
		{"brand-login", "The way in of a brand's people", nobody, "/marca/login", nil},
		{"campaigns", "A brand's campaigns, and what is to be done", brandly, "/marca/campanas", nil},
		{"campaign-start", "Where a campaign begins", brandly, "/marca/campanas/nueva", nil},
		{"campaign-assistant", "The assistant, with the card as it will look", brandly, "/marca/campanas/nueva", func(g *gallery) {
			g.clicks(`main form button`, `/asistente/.test(location.pathname)`)
		}},
		{"campaign-form", "The whole form, for who knows what they want", brandly, "/marca/campanas/nueva/completa", nil},
		{"campaign-wrong", "What is wrong is said beside the field", brandly, "/marca/campanas/nueva/completa", func(g *gallery) {
			g.types(`#f-name`, "Noviembre dulce")
			g.types(`#f-goal`, "cinco")
			g.clicks(`.formal .send button`, `!!document.querySelector('#f-goal[aria-invalid]')`)
		}},
		{"campaign", "One campaign: its terms, its rewards, its life", brandly, "/marca/campanas/{campaign}", nil},
		{"campaign-edit", "Changing one that runs: what will hold, and from when", brandly, "/marca/campanas/{campaign}/editar", nil},
		{"campaign-reward", "A reward", brandly, "/marca/campanas/{campaign}/premios/nuevo", nil},
		{"campaign-shops", "Shops that take part", brandly, "/marca/campanas/{campaign}/tiendas", nil},
		{"campaign-simulation", "What it would have given on past sales", brandly, "/marca/campanas/{campaign}/simular?weeks=4", nil},
		{"segments", "Segments", brandly, "/marca/segmentos", nil},
		{"reward-edit", "Changing a reward", brandly, "/marca/campanas/{campaign}", func(g *gallery) {
			g.clicks(`main a[href*="/premios/"]:not([href$="/nuevo"])`, `/premios/.test(location.pathname)`)
		}},
		{"segment", "One of them", brandly, "/marca/segmentos/nuevo", func(g *gallery) {
			g.types(`#f-name`, "De la colonia")
			g.clicks(`.formal .send button, main form button.wide, main form .send button`, `/hecho=segmento/.test(location.search)`)
			g.clicks(`main a[href*="/marca/segmentos/"]:not([href$="/nuevo"])`, `/segmentos\/[0-9a-f]/.test(location.pathname)`)
		}},
		{"segment-new", "A segment", brandly, "/marca/segmentos/nuevo", nil},
	}},
	{title: "2. The QR on the counter", pictures: []picture{
		{"home", "What Qoa is", nobody, "/", nil},
		{"card-stranger", "Who scans somebody's card learns nothing", nobody, "/c/{code}", nil},
		{"paused", "While no number of the bot works", nobody, "/pausa", nil},
	}},
	{title: "3. One message on WhatsApp", pictures: []picture{
		{"chat", "One message, one answer, and there is a card", nobody, "/sim?phone=%2B525587651234", func(g *gallery) {
			g.waits(`!!document.querySelector('#messages a[href*="/c/"]')`)
		}},
		{"privacy", "What is kept of whom, and how to end it", nobody, "/privacidad", nil},
	}},
	{title: "4. The card", pictures: []picture{
		{"card-new", "A card without stamps", nobody, "/c/{secret}/{code}", nil},
		{"card-evidence", "Where scanning fails, a code to be told", nobody, "/c/{secret}/{code}", func(g *gallery) {
			g.clicks(`form[action$="/evidence"] button`, `/E[0-9A-Z]{3}-[0-9A-Z]{4}/.test(document.querySelector('main').innerText)`)
		}},
	}},
	{title: "5. A sale at the counter", pictures: []picture{
		{"shop-login", "A tendero without a session", nobody, "/tienda", nil},
		{"scan", "The scan page", tendero, "/tienda", nil},
		{"scan-sold", "A sale, within a second", tendero, "/tienda", func(g *gallery) {
			g.types(`#code`, g.vars["code"])
			g.types(`.product input[type=number]`, "7")
			g.clicks(`#save`, `!!document.querySelector('.result.good')`)
		}},
		{"sales", "The day's sales", tendero, "/tienda/ventas", nil},
		{"sale", "A sale, to be returned whole or in part", tendero, "/tienda/ventas", func(g *gallery) {
			g.clicks(`.sales a`, `!!document.querySelector('#reason')`)
			g.vars["sale"] = browsertest.Eval[string](g.t, g.ctx, `location.pathname.split('/').pop()`)
		}},
		{"sale-return", "Asked before it happens", tendero, "/tienda/ventas", func(g *gallery) {
			g.clicks(`.sales a`, `!!document.querySelector('#reason')`)
			g.types(`#reason`, "Venía abierta")
			g.clicks(`form.panel button.wide`, `/¿Devolver/.test(document.querySelector('h1').innerText)`)
		}},
		{"card-stamped", "The card, a moment later", nobody, "/c/{secret}/{code}", nil},
		{"card-complete", "A full card", nobody, "/c/{secret}/{code}", func(g *gallery) {
			g.says(demo.Tendero1Phone, g.read(`E[0-9A-Z]{3}-[0-9A-Z]{4}`)+" 3 cocas")
			g.opens("/c/{secret}/{code}")
		}},
		{"card-reward", "Its reward, asked for", nobody, "/c/{secret}/{code}", func(g *gallery) {
			g.clicks(`form[action$="/redemptions"] button`, `/R[0-9A-Z]{3}-[0-9A-Z]{4}/.test(document.querySelector('main').innerText)`)
			g.vars["reward"] = g.read(`R[0-9A-Z]{3}-[0-9A-Z]{4}`)
		}},
		{"scan-delivered", "The reward, delivered by its code", tendero, "/tienda", func(g *gallery) {
			g.types(`#rcode`, g.vars["reward"])
			g.clicks(`#deliver-form button`, `!!document.querySelector('#say .result.good')`)
		}},
		{"card-month", "A month of purchases", nobody, "/c/{secret}/{code}/historial", nil},
		{"card-data", "Messages, consent, and deleting everything", nobody, "/c/{secret}/{code}/datos", nil},
		{"card-deleted", "After that", nobody, "/c/adios", nil},
		{"shop-campaigns", "A shop's campaigns", tendero, "/tienda/campanas", nil},
		{"shop-invitations", "Invitations", tendero, "/tienda/invitaciones", nil},
	}},
	{title: "6. A reminder", before: func(g *gallery) {
		g.says(anaPhone, "código")
		g.says(demo.Tendero1Phone, g.heard(anaPhone, `E[0-9A-Z]{3}-[0-9A-Z]{4}`)+" 4 cocas")
		g.runs("nudges", g.clock.Now().AddDate(0, 0, 20), anaPhone)
	}, pictures: []picture{
		{"chat-reminder", "Who stays away is reminded, once, by day", nobody, "/sim?phone=%2B525587651234", func(g *gallery) {
			g.waits(`/BAJA/.test([...document.querySelectorAll('#messages > *')].pop().innerText)`)
		}},
	}},
	{title: "7. The shop's week", before: func(g *gallery) {
		g.runs("digests", g.clock.Now(), demo.Tendero1Phone)
		g.says(demo.Tendero1Phone, "PEDIR")
	}, pictures: []picture{
		{"chat-digest", "A digest, and PEDIR orders again", nobody, "/sim?phone=%2B525500000001", func(g *gallery) {
			g.waits(`/PEDIR/.test(document.querySelector('#messages').innerText)`)
		}},
	}},
	{title: "8. What a brand gets back", pictures: []picture{
		{"brand-account", "One's own account", brandly, "/marca/cuenta", nil},
		{"campaign-results", "One campaign: by day, by product, by shop", brandly, "/marca/campanas/{campaign}/resultados", nil},
		{"orders", "What shops want to order again", brandly, "/marca/pedidos", nil},
		{"brand", "The return, with its parts", brandly, "/marca", nil},
	}},
	{title: "The desk of Qoa", pictures: []picture{
		{"admin-login", "The way in", nobody, "/admin/login", nil},
		{"password", "A link to choose a password, which has been used", nobody, "/clave/usado", nil},
		{"admin", "How everything is", operator, "/admin", nil},
		{"health", "Every dependency", operator, "/admin/salud", nil},
		{"jobs", "Jobs and queues", operator, "/admin/trabajos", nil},
		{"queue", "One queue", operator, "/admin/trabajos", func(g *gallery) {
			g.clicks(`main a[href*="/trabajos/filas/"]`, `/filas/.test(location.pathname)`)
		}},
		{"numbers", "WhatsApp numbers", operator, "/admin/whatsapp", nil},
		{"number", "One number, being paired", operator, "/admin/whatsapp/{number}", nil},
		{"messages", "Messages and dead letters", operator, "/admin/mensajes", nil},
		{"adjustments", "An adjustment, with its reason", operator, "/admin/ajustes", nil},
		{"find-sale", "Finding a sale", operator, "/admin/ventas", nil},
		{"companies", "Companies", operator, "/admin/catalogo/empresas", nil},
		{"company", "One of them", operator, "/admin/catalogo/empresas/{cpg}", nil},
		{"company-edit", "Changing it", operator, "/admin/catalogo/empresas/{cpg}/editar", nil},
		{"company-new", "A new one", operator, "/admin/catalogo/empresas/nueva", nil},
		{"brands", "Their brands", operator, "/admin/catalogo/marcas", nil},
		{"brand-item", "A brand", operator, "/admin/catalogo/marcas/{brand}", nil},
		{"brand-item-edit", "Changing it", operator, "/admin/catalogo/marcas/{brand}/editar", nil},
		{"brand-item-new", "A new one", operator, "/admin/catalogo/marcas/nueva", nil},
		{"products", "Products", operator, "/admin/catalogo/productos", nil},
		{"product", "A product", operator, "/admin/catalogo/productos/{product}", nil},
		{"product-edit", "Changing it", operator, "/admin/catalogo/productos/{product}/editar", nil},
		{"product-new", "A new one", operator, "/admin/catalogo/productos/nuevo", nil},
		{"shops", "Shops", operator, "/admin/catalogo/tiendas", nil},
		{"shop", "A shop", operator, "/admin/catalogo/tiendas/{shop}", nil},
		{"shop-edit", "Changing it", operator, "/admin/catalogo/tiendas/{shop}/editar", nil},
		{"shop-new", "A new one", operator, "/admin/catalogo/tiendas/nueva", nil},
		{"users", "Users", operator, "/admin/usuarios", nil},
		{"user-rename", "What one is called", operator, "/admin/usuarios", func(g *gallery) {
			g.clicks(`main a[href$="/nombre"]`, `/nombre$/.test(location.pathname)`)
		}},
		{"user-new", "Inviting one", operator, "/admin/usuarios/nuevo", nil},
		{"keys", "API keys", operator, "/admin/llaves", nil},
		{"key-new", "A new key", operator, "/admin/llaves/nueva", nil},
		{"audit", "Who changed what", operator, "/admin/auditoria", nil},
		{"account", "One's own account", operator, "/admin/cuenta", nil},
		{"cases", "Who waits for somebody", operator, "/admin/casos", nil},
		{"chats", "Conversations, found by card or last digits", operator, "/admin/conversaciones", func(g *gallery) {
			g.types(`[name=buscar]`, "1234")
			g.clicks(`main form button`, `!!document.querySelector('main a[href*="/admin/conversaciones/"]')`)
		}},
		{"chat-read", "One of them, whole", operator, "/admin/conversaciones", func(g *gallery) {
			g.types(`[name=buscar]`, "1234")
			g.clicks(`main form button`, `!!document.querySelector('main a[href*="/admin/conversaciones/"]')`)
			g.clicks(`main a[href*="/admin/conversaciones/"]`, `/conversaciones\/./.test(location.pathname)`)
		}},
		{"admin-sale", "A sale, for who may return any", operator, "/admin/ventas/{sale}", nil},
		{"imports", "Shops and products from a file", operator, "/admin/catalogo/importar", nil},
		{"import", "What each line would do, before it does", operator, "/admin/catalogo/importar", func(g *gallery) {
			file := filepath.Join(g.t.TempDir(), "tiendas.csv")
			require.NoError(g.t, os.WriteFile(file, []byte("Código,Nombre,Calle,Ciudad,Estado\n,La Güera,Juárez 1,Mérida,Yucatán\nABC,La Mala,,Mérida,Yucatán\n"), 0o600))
			browsertest.Do(g.t, g.ctx, chromedp.SetUploadFiles(`#file`, []string{file}))
			g.clicks(`#kind-shops`, `document.querySelector('#kind-shops').checked`)
			g.clicks(`main form[enctype] button`, `/importar\/./.test(location.pathname)`)
		}},
		{"tenderos", "Tenderos", operator, "/admin/tenderos", nil},
		{"tendero-rename", "What one is called", operator, "/admin/tenderos", func(g *gallery) {
			g.clicks(`main a[href$="/nombre"]`, `/nombre$/.test(location.pathname)`)
		}},
		{"tendero-new", "Inviting one", operator, "/admin/tenderos/nuevo", nil},
		{"docs", "The API, operation by operation", nobody, "/docs", func(g *gallery) { g.waits(`document.querySelectorAll('.op').length > 10`) }},
	}},
}

func (g *gallery) waits(expression string) {
	g.t.Helper()
	browsertest.Until(g.t, g.ctx, expression, expression, 20*time.Second)
}

func (g *gallery) types(selector, text string) {
	g.t.Helper()
	g.waits(`!!document.querySelector('` + selector + `')`)
	browsertest.Do(g.t, g.ctx, chromedp.Evaluate[chromedp.Void](`(() => { const field = document.querySelector('`+selector+`'); field.value = '`+text+`';
		field.dispatchEvent(new Event('input', {bubbles: true})) })()`))
}

func (g *gallery) clicks(selector, then string) {
	g.t.Helper()
	g.waits(`!!document.querySelector('` + selector + `')`)
	browsertest.Do(g.t, g.ctx, chromedp.Evaluate[chromedp.Void](`document.querySelector('`+selector+`').click()`))
	g.waits(then)
}

// read is what the page says first that looks like something.
func (g *gallery) read(pattern string) string {
	g.t.Helper()
	return browsertest.Eval[string](g.t, g.ctx, `document.querySelector('main').innerText.match(/`+pattern+`/)[0]`)
}

// Every page of the four fronts with the demo data, on a phone and on a desk, in
// light and in dark: each fits and axe-core has no serious finding. `make
// screenshots` keeps the pictures.
func TestEveryPageIsInTheGallery(t *testing.T) {
	g := newGallery(t)
	g.says(anaPhone, "Quiero crear mi tarjeta de puntos de Abarrotes Lupita ("+demo.Shop1Code+")")
	card := g.heard(anaPhone, `/c/[0-9A-Za-z_-]+/[0-9A-Z]{8}`)
	g.vars["secret"], g.vars["code"], _ = strings.Cut(strings.TrimPrefix(card, "/c/"), "/")
	g.says(demo.Tendero1Phone, "hola")
	g.pairs()
	var campaigns []struct{ ID, Name string }
	g.asked("/v1/campaigns", &campaigns)
	for name, path := range map[string]string{"cpg": "cpgs", "brand": "brands", "product": "products", "shop": "shops"} {
		var all []struct{ ID string }
		g.asked("/v1/"+path, &all)
		g.vars[name] = all[0].ID
	}
	g.vars["campaign"] = campaigns[slices.IndexFunc(campaigns, func(v struct{ ID, Name string }) bool { return v.Name == "Junta 10 Cocas" })].ID
	sessions := map[string]string{
		nobody: "", tendero: g.session(http.MethodGet, g.heard(demo.Tendero1Phone, `/t/\S+`), nil),
		brandly: g.enters("/marca/login", demo.Brand1Email), operator: g.enters("/admin/login", demo.AdminEmail),
	}
	seen := map[string]bool{}
	for _, c := range chapters {
		if c.before != nil {
			c.before(g)
		}
		for _, p := range c.pictures {
			g.wears(sessions[p.who])
			g.opens(p.path)
			if p.do != nil {
				p.do(g)
			}
			seen[g.route()] = true
			browsertest.Whole(t, g.ctx, p.name)
		}
	}
	for _, r := range api.Routes(true) {
		if r.Page && r.Method == http.MethodGet && !seen[r.Path] && !seen[otherDesk.ReplaceAllString(r.Path, "/marca$1")] && !noPage.MatchString(r.Path) {
			t.Errorf("%s is in no picture", r.Path)
		}
	}
}

// otherDesk are pages that brands, shops and admins each find below their own
// root: a brand's stand for all.
var otherDesk = regexp.MustCompile(`^/(?:tienda|admin)(/campanas.*|/segmentos.*|/cuenta)$`)

// noPage are answers that nobody looks at: files, what a script fetches, streams,
// and what only leads on.
var noPage = regexp.MustCompile(`\.(csv|xlsx|js|webmanifest)$|/(vivo|fragment|events)$|/archivos/|/buscar/|^/[qt]/`)

// route is the line of the route table that the browser is at.
func (g *gallery) route() string {
	g.t.Helper()
	at, err := url.Parse(browsertest.Eval[string](g.t, g.ctx, `location.href`))
	require.NoError(g.t, err)
	here := strings.Split(at.Path, "/")
	best, exact := "", -1
	for _, r := range api.Routes(true) {
		parts := strings.Split(r.Path, "/")
		if len(parts) != len(here) || r.Method != http.MethodGet {
			continue
		}
		same := 0
		for i := range parts {
			if parts[i] == here[i] {
				same++
			} else if !strings.HasPrefix(parts[i], ":") {
				same = -1
				break
			}
		}
		if same > exact {
			best, exact = r.Path, same
		}
	}
	return best
}
