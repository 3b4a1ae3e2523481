// Package bottest is a kit for conversations with the real store: somebody
// writes, and what arrives on the simulated phone is read. For tests only.
package bottest

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/sim"
	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
	"github.com/qoa-conectados/qoa/templates"
)

// World is a small town: one CPG with four products, a stamp card at Abarrotes
// Lupita, shops with and without campaigns, and two tenderos.
type World struct {
	T       testing.TB
	DB      *store.DB
	URL     string // of the database, for what only a test asks
	Clock   *storetest.Clock
	Runner  *bot.Runner
	Channel *sim.Channel
	Texts   *templates.Messages
	Log     *strings.Builder // of the runner, for tests of what must not be in it

	Lupita, DonPepe, Norte, Sur store.Shop // Don Pepe has no campaign; Norte and Sur are both "La Esquina"
	CPG, Campaign, Reward       loyalty.ID // 10 stamps for a free drink
	Products                    []loyalty.ID
}

// PublicURL is where the world's links begin.
const PublicURL = "https://qoa.test"

// The phones of Lupita's tendero, and of the one who keeps both La Esquina.
const (
	TenderoPhone = "+525500000001"
	EsquinaPhone = "+525500000002"
)

// The GTINs of the products: two of them are called coca.
const (
	Coca600 = "7501055300075"
	Coca2L  = "7501055303786"
	Papas   = "7501011115606"
	Galleta = "7501000612222" // takes part in no campaign
)

// New makes a world of its own for a test.
func New(t testing.TB) *World {
	t.Helper()
	w := &World{T: t, Clock: storetest.NewClock(time.Date(2026, 3, 5, 17, 42, 11, 0, time.UTC)), Log: &strings.Builder{}}
	w.URL = storetest.Database(t)
	w.DB = w.open("")
	w.Channel = sim.New(w.DB)
	var err error
	w.Texts, err = templates.LoadMessages()
	require.NoError(t, err)
	w.Runner = w.runner(w.DB)
	w.settle()
	return w
}

func (w *World) open(run string) *store.DB {
	w.T.Helper()
	db, err := store.Open(context.Background(), store.Options{
		URL: w.URL, MaxConns: 8, Now: w.Clock.Now, Random: storetest.Rand(11), Run: run,
		Secret: []byte("a secret for tests, long enough!"), PublicURL: PublicURL,
	})
	require.NoError(w.T, err)
	w.T.Cleanup(db.Close)
	return db
}

func (w *World) runner(db *store.DB) *bot.Runner {
	w.T.Helper()
	words, err := flows.NewUnderstander(nil)
	require.NoError(w.T, err)
	engine, err := flows.NewLibraryEngine(words)
	require.NoError(w.T, err)
	return bot.New(bot.Options{
		DB: db, Engine: engine, Words: words, Texts: w.Texts,
		Log: slog.New(store.TraceHandler{Handler: slog.NewTextHandler(io.Writer(w.Log), &slog.HandlerOptions{Level: slog.LevelDebug})}),
	})
}

// Process is the runner of another process: one run of it.
func (w *World) Process(run string) *bot.Runner {
	w.T.Helper()
	return w.runner(w.open(run))
}

// settle fills the catalogue, as an admin would.
func (w *World) settle() {
	w.T.Helper()
	ctx, admin := context.Background(), loyalty.System()
	w.Do(func(tx *store.Tx) error {
		cpg, err := tx.CreateCPG(ctx, admin, store.CPGInput{Name: "Refrescos del Valle"})
		require.NoError(w.T, err)
		brand, err := tx.CreateBrand(ctx, admin, store.BrandInput{CPG: cpg.ID, Name: "Del Valle"})
		require.NoError(w.T, err)
		w.CPG, w.Products = cpg.ID, nil
		for _, p := range []store.ProductInput{
			{GTIN: Coca600, Name: "Coca-Cola 600 ml", Nicknames: []string{"coca", "coca chica"}, ReferencePrice: 1850},
			{GTIN: Coca2L, Name: "Coca-Cola 2 L", Nicknames: []string{"coca", "coca grande"}, ReferencePrice: 3600},
			{GTIN: Papas, Name: "Sabritas Sal 45 g", Nicknames: []string{"sabritas", "papas"}, ReferencePrice: 1700},
			{GTIN: Galleta, Name: "Galletas Marías 170 g", Nicknames: []string{"marías"}, ReferencePrice: 2100},
		} {
			p.Brand = brand.ID
			made, err := tx.CreateProduct(ctx, admin, p)
			require.NoError(w.T, err)
			w.Products = append(w.Products, made.ID)
		}
		for _, s := range []struct {
			shop *store.Shop
			in   store.ShopInput
		}{
			{&w.Lupita, store.ShopInput{Code: "K7M2QR", Name: "Abarrotes Lupita", City: "Ciudad de México", State: "CDMX"}},
			{&w.DonPepe, store.ShopInput{Name: "Miscelánea Don Pepe", City: "Ciudad de México", State: "CDMX"}},
			{&w.Norte, store.ShopInput{Name: "La Esquina", Street: "Norte 10", City: "Guadalajara", State: "Jalisco"}},
			{&w.Sur, store.ShopInput{Name: "La Esquina", Street: "Sur 20", City: "Guadalajara", State: "Jalisco"}},
		} {
			*s.shop, err = tx.CreateShop(ctx, admin, s.in)
			require.NoError(w.T, err)
		}
		for _, keeper := range []store.TenderoInput{
			{Shop: w.Lupita.ID, Phone: TenderoPhone, Name: "Lupita"},
			{Shop: w.Norte.ID, Phone: EsquinaPhone, Name: "Chava"},
			{Shop: w.Sur.ID, Phone: EsquinaPhone, Name: "Chava"},
		} {
			_, err := tx.CreateTendero(ctx, admin, keeper)
			require.NoError(w.T, err)
		}
		c, err := tx.CreateCampaign(ctx, admin, store.CampaignInput{
			CPG: cpg.ID, Status: loyalty.Active,
			Terms: loyalty.Terms{
				Name: "Junta 10", Scheme: loyalty.Stamps, Goal: 10, Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}},
				Products: w.Products[:3], Shops: []loyalty.ID{w.Lupita.ID, w.Norte.ID},
				StartsAt: w.Clock.Now().Add(-24 * time.Hour), NudgeQuietDays: 3, NudgeGapDays: 7,
			},
			Rewards: []store.RewardInput{{Name: "Un refresco gratis", Unit: loyalty.Stamp, Threshold: 10, Cost: 1200}},
		})
		require.NoError(w.T, err)
		w.Campaign, w.Reward = c.ID, c.Rewards[0].ID
		return nil
	})
}

// AddCampaign starts one more campaign of the CPG at every shop.
func (w *World) AddCampaign(terms loyalty.Terms, rewards ...store.RewardInput) (id loyalty.ID) {
	w.T.Helper()
	terms.AllShops, terms.StartsAt = true, w.Clock.Now().Add(-24*time.Hour)
	w.Do(func(tx *store.Tx) error {
		c, err := tx.CreateCampaign(context.Background(), loyalty.System(), store.CampaignInput{
			CPG: w.CPG, Status: loyalty.Active, Terms: terms, Rewards: rewards,
		})
		id = c.ID
		return err
	})
	return id
}

// Change changes the campaign's terms as of now.
func (w *World) Change(apply func(*loyalty.Terms)) {
	w.T.Helper()
	w.Do(func(tx *store.Tx) error {
		_, err := tx.ChangeCampaign(context.Background(), loyalty.System(), w.Campaign, store.CampaignChange{Reason: "prueba", Apply: apply})
		return err
	})
}

// AddReward adds a reward to the campaign, in stamps.
func (w *World) AddReward(in store.RewardInput) (id loyalty.ID) {
	w.T.Helper()
	in.Unit = loyalty.Stamp
	w.Do(func(tx *store.Tx) error {
		r, err := tx.CreateReward(context.Background(), loyalty.System(), w.Campaign, in)
		id = r.ID
		return err
	})
	return id
}

// Do runs a transaction that must succeed.
func (w *World) Do(fn func(*store.Tx) error) {
	w.T.Helper()
	require.NoError(w.T, w.DB.InTx(context.Background(), fn))
}

// Phone is somebody's simulated phone.
type Phone struct {
	w      *World
	number loyalty.Phone
	seen   int
}

// Phone of a number.
func (w *World) Phone(number string) *Phone {
	w.T.Helper()
	n, err := loyalty.ParsePhone(number)
	require.NoError(w.T, err)
	return &Phone{w: w, number: n}
}

// Ana is a consumer who has her card at Lupita's, and has said her name.
func (w *World) Ana() *Phone {
	w.T.Helper()
	p := w.Phone("+525512345678")
	p.Says("Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)")
	p.Says("Ana")
	p.Says("no")
	return p
}

// Person who has the phone; "" before the first message.
func (p *Phone) Person() (id loyalty.ID) {
	p.w.T.Helper()
	p.w.Do(func(tx *store.Tx) (err error) {
		id, err = tx.FindPhone(context.Background(), p.number)
		return err
	})
	return id
}

// Writes leaves a message in the inbox, and nobody answers yet.
func (p *Phone) Writes(kind, text string) {
	p.w.T.Helper()
	p.w.Clock.Advance(time.Second)
	p.w.Do(func(tx *store.Tx) error {
		_, err := tx.SimReceive(context.Background(), p.number, "", text, kind, "trace-of-a-test")
		return err
	})
}

// Says writes a text and gives the answer that arrives: exactly one message.
func (p *Phone) Says(text string) string {
	p.w.T.Helper()
	return p.Sends("text", text)
}

// Sends is Says for other kinds of messages.
func (p *Phone) Sends(kind, text string) string {
	p.w.T.Helper()
	p.Writes(kind, text)
	require.NoError(p.w.T, p.w.Runner.HandleTurns(context.Background(), p.Person()))
	got := p.Receives()
	require.Len(p.w.T, got, 1, "one message, one answer")
	return got[0].Text
}

// Receives delivers what waits and gives what is new on the phone.
func (p *Phone) Receives() []store.SimMessage {
	p.w.T.Helper()
	if person := p.Person(); person != "" {
		p.w.deliver(person)
	}
	var fresh []store.SimMessage
	p.w.Do(func(tx *store.Tx) error {
		chat, err := tx.SimChat(context.Background(), p.number, "")
		fresh = nil
		n := 0
		for _, m := range chat {
			if m.Direction == "out" {
				if n++; n > p.seen {
					fresh = append(fresh, m)
				}
			}
		}
		return err
	})
	p.seen += len(fresh)
	return fresh
}

// deliver is what the worker does, without the queue.
func (w *World) deliver(person loyalty.ID) {
	w.T.Helper()
	ctx := context.Background()
	for {
		var m store.Outbound
		var ok bool
		w.Do(func(tx *store.Tx) (err error) {
			m, ok, err = tx.Claim(ctx, person, "", time.Minute)
			return err
		})
		if !ok {
			return
		}
		if m.Body == "" {
			var err error
			m.Body, err = w.Texts.Render(m.Template, m.Vars)
			require.NoError(w.T, err)
		}
		require.NoError(w.T, w.Channel.Send(ctx, m))
		w.Do(func(tx *store.Tx) error { return tx.Sent(ctx, m.ID, m.Body) })
	}
}

// Code asks for an evidence code as a consumer does, and gives it as it is
// shown: XXXX-XXXX.
func (p *Phone) Code() (code string) {
	p.w.T.Helper()
	answer := p.Says("código")
	for _, word := range strings.Fields(strings.ReplaceAll(answer, "*", " ")) {
		if c, kind := loyalty.ParseCode(word); kind == loyalty.EvidenceCode {
			code = loyalty.FormatCode(c)
		}
	}
	require.NotEmpty(p.w.T, code, "no evidence code in: %s", answer)
	return code
}

// Card is the code of the person's card, as it is shown: XXXX-XXXX.
func (p *Phone) Card() (code string) {
	p.w.T.Helper()
	p.w.Do(func(tx *store.Tx) error {
		wallet, err := tx.Wallet(context.Background(), p.Person())
		code = loyalty.FormatCode(wallet.CardCode)
		return err
	})
	return code
}

// Stamps are what the person has in the campaign.
func (p *Phone) Stamps() (n int64) {
	p.w.T.Helper()
	p.w.Do(func(tx *store.Tx) error {
		wallet, err := tx.Wallet(context.Background(), p.Person())
		for _, b := range wallet.Balances {
			if b.ID == p.w.Campaign {
				n = b.Balance
			}
		}
		return err
	})
	return n
}
