package apitest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
	"github.com/qoa-conectados/qoa/templates"
)

// Password is that of all staff of a World.
const Password = "una-frase-de-prueba"

// Tenant is one CPG with all that is its own.
type Tenant struct {
	CPG, Brand, Product, Campaign, Reward, Segment loyalty.ID
	GTIN                                           string
	Email                                          string
	Token                                          string // of its brand user
	Page                                           string // the same user's page session
}

// Keeper is one shop with its tendero.
type Keeper struct {
	Shop    store.Shop
	Tendero loyalty.ID
	Person  loyalty.ID
	Phone   loyalty.Phone
	Token   string
	Page    string
	Link    string // opens /t/<link>
}

// Shopper is a consumer with a card at the first shop.
type Shopper struct {
	Person loyalty.ID
	Phone  loyalty.Phone
	Card   string
	URL    string // the chat link, without the address
	Token  string
}

// World is the API over a database with two tenants, two shops that take part
// in the first tenant's stamp campaign (the second tenant's is at shop 2 only),
// and two consumers.
type World struct {
	*Client
	API   *api.API
	DB    *store.DB
	Base  string
	Clock *storetest.Clock
	Log   *SyncBuffer
	Jobs  *Jobs
	Meta  *Meta
	Cards *Cards

	Admin, AdminPage string
	Tenants          [2]Tenant
	Keepers          [2]Keeper
	Shoppers         [2]Shopper
	Key              string // an integration's
	KeyID            loyalty.ID
	Purchase         loyalty.ID // of the first consumer at shop 1, recorded by its tendero
	Redemption       string     // code, requested by the first consumer
	Case             loyalty.ID // open, of the first consumer
	Number           loyalty.ID // of the bot, being paired: it shows QR
}

// Start is when a World begins. Not a round hour: midnight bugs hide at noon.
var start = time.Date(2026, 11, 20, 18, 42, 11, 0, time.UTC)

// What nothing changes is read once for all Worlds.
var (
	readPages = sync.OnceValues(templates.New)
	readTexts = sync.OnceValues(templates.LoadMessages)
)

// New makes a World. change may alter the dependencies before the start.
func New(t testing.TB, change ...func(*api.Deps)) *World {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &World{
		Base: "http://" + listener.Addr().String(), Clock: storetest.NewClock(start), Log: &SyncBuffer{},
		Jobs: &Jobs{}, Meta: &Meta{}, Cards: &Cards{hubs: map[loyalty.ID]map[chan struct{}]bool{}},
	}
	random := storetest.Rand(11)
	w.DB, err = store.Open(t.Context(), store.Options{
		URL: storetest.Database(t), MaxConns: 4, Now: w.Clock.Now, Random: random,
		Secret: []byte("a secret for tests, long enough!"), PublicURL: w.Base, Bell: w.Cards,
	})
	require.NoError(t, err)
	w.Jobs.db = w.DB
	pages, err := readPages()
	require.NoError(t, err)
	texts, err := readTexts()
	require.NoError(t, err)
	deps := api.Deps{
		DB: w.DB, Pages: pages, Texts: texts, Log: slog.New(store.TraceHandler{Handler: slog.NewJSONHandler(w.Log, nil)}), Random: random,
		Dev: true, Sim: true, Jobs: w.Jobs, Health: healthy{}, Cards: w.Cards, Version: "test",
		WhatsApp: w.Meta, BotNumber: func() string { return "+525599999999" },
		Operator: api.Operator{Name: "Qoa Pruebas", Address: "CDMX", Contact: "datos@qoa.test"},
	}
	for _, c := range change {
		c(&deps)
	}
	w.API, err = api.New(deps)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- w.API.App.Listener(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		// A connection that was dialled and never used would keep the server
		// from draining.
		w.http.CloseIdleConnections()
		require.NoError(t, w.API.Shutdown(ctx))
		require.NoError(t, <-served)
		w.DB.Close()
	})
	w.Client = NewClient(t, w.Base)
	w.fill(t)
	return w
}

// Tx runs fn in a transaction.
func (w *World) Tx(t testing.TB, fn func(context.Context, *store.Tx)) {
	t.Helper()
	require.NoError(t, w.DB.InTx(t.Context(), func(tx *store.Tx) error {
		fn(t.Context(), tx)
		return nil
	}))
}

func (w *World) fill(t testing.TB) {
	t.Helper()
	system := loyalty.System()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		admin, err := tx.CreateStaff(ctx, system, store.StaffInput{Email: "admin@qoa.test", Password: Password, Name: "Ada", Role: loyalty.RoleAdmin})
		require.NoError(t, err)
		w.Admin, w.AdminPage = w.enter(t, ctx, tx, admin.Scope())
		for i := range w.Keepers {
			w.Keepers[i] = w.keeper(t, ctx, tx, i)
		}
		for i := range w.Tenants {
			w.Tenants[i] = w.tenant(t, ctx, tx, i)
		}
		var key store.APIKey
		w.Key, key, err = tx.CreateAPIKey(ctx, system, "T-Conecta")
		require.NoError(t, err)
		w.KeyID = key.ID
		for i := range w.Shoppers {
			w.Shoppers[i] = w.shopper(t, ctx, tx, i)
		}
		r, _, err := tx.RecordPurchase(ctx, loyalty.Scope{Role: loyalty.RoleTendero, Person: w.Keepers[0].Person, Shops: []loyalty.ID{w.Keepers[0].Shop.ID}},
			store.PurchaseInput{
				Key: "first", ShopCode: w.Keepers[0].Shop.Code, Code: w.Shoppers[0].Card, Channel: store.ChannelScan,
				Items: []store.ItemInput{{GTIN: w.Tenants[0].GTIN, Quantity: 12}},
			})
		require.NoError(t, err)
		w.Purchase = r.ID
		redemption, err := tx.RequestRedemption(ctx, w.Shoppers[0].Person, w.Tenants[0].Reward)
		require.NoError(t, err)
		w.Redemption = redemption.Code
		waits, err := tx.OpenCase(ctx, w.Shoppers[0].Person, store.CaseMissingStamp, "No me dieron mi <sello>")
		require.NoError(t, err)
		w.Case = waits.ID
		n, err := tx.CreateNumber(ctx, system, "Qoa Centro")
		require.NoError(t, err)
		w.Number = n.ID
	})
	w.BotSays(t, w.Number, store.NumberState{QR: Ref(QR)})
}

// enter gives an access token and a page session.
func (w *World) enter(t testing.TB, ctx context.Context, tx *store.Tx, scope loyalty.Scope) (token, page string) {
	t.Helper()
	tokens, err := tx.IssueTokens(ctx, scope)
	require.NoError(t, err)
	page, err = tx.IssuePageSession(ctx, scope)
	require.NoError(t, err)
	return tokens.Access, page
}

func (w *World) keeper(t testing.TB, ctx context.Context, tx *store.Tx, i int) Keeper {
	t.Helper()
	system := loyalty.System()
	k := Keeper{Phone: loyalty.Phone(fmt.Sprintf("+52550000000%d", i+1))}
	var err error
	k.Shop, err = tx.CreateShop(ctx, system, store.ShopInput{
		Name: []string{"Abarrotes Lupita", "La Esquina"}[i], Street: "Av. Juárez 12", City: "Ciudad de México", State: "CDMX",
	})
	require.NoError(t, err)
	d, err := tx.CreateTendero(ctx, system, store.TenderoInput{Shop: k.Shop.ID, Phone: string(k.Phone), Name: []string{"Lupita Pérez", "Beto Ruiz"}[i]})
	require.NoError(t, err)
	k.Tendero, k.Person = d.ID, d.Person
	_, err = tx.SimReceive(ctx, k.Phone, fmt.Sprintf("hola-%d", i), "hola", "text", "")
	require.NoError(t, err)
	k.Token, k.Page = w.enter(t, ctx, tx, loyalty.Scope{Role: loyalty.RoleTendero, Person: d.Person, Shops: []loyalty.ID{k.Shop.ID}})
	k.Link, err = tx.IssueLink(ctx, d.Person)
	require.NoError(t, err)
	return k
}

func (w *World) tenant(t testing.TB, ctx context.Context, tx *store.Tx, i int) Tenant {
	t.Helper()
	system := loyalty.System()
	cpg, err := tx.CreateCPG(ctx, system, store.CPGInput{Name: []string{"Bebidas del Valle", "Botanas del Sur"}[i]})
	require.NoError(t, err)
	brand, err := tx.CreateBrand(ctx, system, store.BrandInput{CPG: cpg.ID, Name: []string{"Sol", "Crujis"}[i]})
	require.NoError(t, err)
	v := Tenant{CPG: cpg.ID, Brand: brand.ID, GTIN: []string{"7501055300075", "7501011131118"}[i], Email: fmt.Sprintf("marca%d@qoa.test", i+1)}
	product, err := tx.CreateProduct(ctx, system, store.ProductInput{
		Brand: brand.ID, GTIN: v.GTIN, Name: []string{"Refresco de cola 600 ml", "Papas con sal 45 g"}[i], ReferencePrice: 1850,
	})
	require.NoError(t, err)
	v.Product = product.ID
	campaign := store.CampaignInput{
		CPG: cpg.ID, Status: loyalty.Active,
		Terms: loyalty.Terms{
			Name: []string{"Junta 10", "Puntos crujientes"}[i], Scheme: loyalty.Stamps, Goal: 10, Products: []loyalty.ID{product.ID},
			Earn:  []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}},
			Shops: []loyalty.ID{w.Keepers[0].Shop.ID, w.Keepers[1].Shop.ID}, StartsAt: start.AddDate(0, 0, -20), MarginBPS: 3500, Fee: 50_000,
		},
		Rewards: []store.RewardInput{{Name: "Un refresco gratis", Threshold: 10, Cost: 900}},
	}
	if i == 1 {
		campaign.Terms.Scheme, campaign.Terms.Shops = loyalty.Points, campaign.Terms.Shops[1:]
		campaign.Terms.Earn = []loyalty.Earn{{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 2}}
	}
	made, err := tx.CreateCampaign(ctx, system, campaign)
	require.NoError(t, err)
	v.Campaign, v.Reward = made.ID, made.Rewards[0].ID
	segment, err := tx.CreateSegment(ctx, system, store.SegmentInput{CPG: cpg.ID, Name: "De la casa"})
	require.NoError(t, err)
	v.Segment = segment.ID
	staff, err := tx.CreateStaff(ctx, system, store.StaffInput{Email: v.Email, Password: Password, Name: "Equipo " + cpg.Name, Role: loyalty.RoleCPG, CPG: cpg.ID})
	require.NoError(t, err)
	v.Token, v.Page = w.enter(t, ctx, tx, staff.Scope())
	return v
}

// Shopper onboards the consumer of a number, 2 to 9,999, with a card at the first
// shop; below 2 are those of Shoppers.
func (w *World) Shopper(t testing.TB, i int) (v Shopper) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) { v = w.shopper(t, ctx, tx, i) })
	return v
}

func (w *World) shopper(t testing.TB, ctx context.Context, tx *store.Tx, i int) Shopper {
	t.Helper()
	v := Shopper{Phone: loyalty.Phone(fmt.Sprintf("+52551234%04d", 5670+i))}
	_, err := tx.SimReceive(ctx, v.Phone, fmt.Sprintf("quiero-%d", i), "quiero mi tarjeta", "text", "")
	require.NoError(t, err)
	v.Person, err = tx.PersonByPhone(ctx, v.Phone)
	require.NoError(t, err)
	o, err := tx.Onboard(ctx, v.Person, w.Keepers[0].Shop.Code, "m")
	require.NoError(t, err)
	require.NoError(t, tx.SaveName(ctx, v.Person, []string{"Ana López", "Luis Gómez"}[i%2]))
	v.Card, v.URL = o.CardCode, strings.TrimPrefix(o.CardURL, w.Base)
	v.Token, _ = w.enter(t, ctx, tx, loyalty.Scope{Role: loyalty.RoleConsumer, Person: v.Person})
	return v
}

// Jobs notes which jobs were run, and says that each sends three messages.
type Jobs struct {
	mu   sync.Mutex
	Runs []string
	Slow bool      // leaves imports to whoever else is at them
	db   *store.DB // for imports, which are really applied
}

// RunJob implements api.JobRunner.
func (j *Jobs) RunJob(ctx context.Context, name string, asOf *time.Time) (int, error) {
	if name == "imports" {
		return 0, j.apply(ctx)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if asOf != nil {
		name += "@" + asOf.Format(time.RFC3339)
	}
	j.Runs = append(j.Runs, name)
	return 3, nil
}

func (j *Jobs) apply(ctx context.Context) error {
	for n := 1; n > 0 && !j.Slow; {
		err := j.db.InTx(ctx, func(tx *store.Tx) (err error) {
			n, err = tx.ApplyImports(ctx, 100)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

type healthy struct{}

// Health implements api.Health.
func (healthy) Health(context.Context) []api.Dependency {
	return []api.Dependency{{Name: "redis", State: "ok"}, {Name: "whatsapp", State: "degraded", Detail: "simulador"}}
}

// Cards carries the bell's rings to the pages, within the process.
type Cards struct {
	mu   sync.Mutex
	hubs map[loyalty.ID]map[chan struct{}]bool
}

// Ring implements store.Bell.
func (h *Cards) Ring(_ context.Context, events []store.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range events {
		if e.Kind != store.CardChanged {
			continue
		}
		for c := range h.hubs[e.ID] {
			select {
			case c <- struct{}{}:
			default:
			}
		}
	}
}

// Subscribe implements api.CardEvents.
func (h *Cards) Subscribe(_ context.Context, person loyalty.ID) (<-chan struct{}, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := make(chan struct{}, 1)
	if h.hubs[person] == nil {
		h.hubs[person] = map[chan struct{}]bool{}
	}
	h.hubs[person][c] = true
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.hubs[person], c)
	}
}

// Open says how many subscriptions there are.
func (h *Cards) Open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, hub := range h.hubs {
		n += len(hub)
	}
	return n
}

// SyncBuffer is a log that several goroutines may write.
type SyncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (s *SyncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// String is what was written so far.
func (s *SyncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
