package store_test

import (
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// world is the smallest world in which a purchase means something: two CPGs,
// two shops of which one takes part, a stamp campaign with a reward, and a
// consumer with a card.
type world struct {
	t      *testing.T
	db     *store.DB
	url    string
	clock  *storetest.Clock
	admin  loyalty.Scope
	random io.Reader

	cpg, otherCPG   loyalty.ID
	shop, otherShop store.Shop
	gtin, otherGTIN string
	product         loyalty.ID // of gtin
	stamps          loyalty.ID // the campaign: one stamp a unit, goal 10
	reward          loyalty.ID // for 10 stamps
	started         time.Time
	person          loyalty.ID
	card            string
}

func newWorld(t *testing.T, conns int32) *world {
	t.Helper()
	w := &world{
		t: t, url: storetest.Database(t), gtin: "7501055300075",
		// Not a round hour: midnight bugs hide at noon.
		clock: storetest.NewClock(time.Date(2026, 3, 5, 17, 42, 11, 0, time.UTC)),
		admin: loyalty.System(), random: storetest.Rand(7),
	}
	w.otherGTIN = validGTIN("750123456789")
	db, err := store.Open(t.Context(), store.Options{
		URL: w.url, MaxConns: conns, Now: w.clock.Now, Random: w.random,
		Secret: []byte("a secret for tests, long enough!"), PublicURL: "http://localhost:3000",
	})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	w.db = db
	w.started = w.now().Add(-24 * time.Hour)
	w.do(func(tx *store.Tx) error {
		ctx := t.Context()
		var products []loyalty.ID
		for i, name := range []string{"Refrescos del Valle", "Botanas del Sur"} {
			cpg, err := tx.CreateCPG(ctx, w.admin, store.CPGInput{Name: name})
			require.NoError(t, err)
			brand, err := tx.CreateBrand(ctx, w.admin, store.BrandInput{CPG: cpg.ID, Name: "Marca de " + name})
			require.NoError(t, err)
			gtin := []string{w.gtin, w.otherGTIN}[i]
			product, err := tx.CreateProduct(ctx, w.admin, store.ProductInput{Brand: brand.ID, GTIN: gtin, Name: "Producto " + name, ReferencePrice: 1850})
			require.NoError(t, err)
			products = append(products, product.ID)
			if i == 0 {
				w.cpg = cpg.ID
			} else {
				w.otherCPG = cpg.ID
			}
		}
		w.shop, err = tx.CreateShop(ctx, w.admin, store.ShopInput{Name: "Abarrotes Lupita", Kind: "tiendita", City: "Ciudad de México", State: "CDMX"})
		require.NoError(t, err)
		w.otherShop, err = tx.CreateShop(ctx, w.admin, store.ShopInput{Name: "La Esquina", Kind: "tiendita", City: "Guadalajara", State: "Jalisco"})
		require.NoError(t, err)
		c, err := tx.CreateCampaign(ctx, w.admin, store.CampaignInput{
			CPG: w.cpg, Status: loyalty.Active, Terms: loyalty.Terms{
				Name: "Junta 10", Scheme: loyalty.Stamps, Goal: 10, Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}},
				Products: products[:1], Shops: []loyalty.ID{w.shop.ID}, StartsAt: w.started, EndsAt: w.now().Add(90 * 24 * time.Hour),
				MarginBPS: 3000, Fee: 50000, NudgeQuietDays: 3, NudgeGapDays: 7,
			},
			Rewards: []store.RewardInput{{Name: "Un refresco gratis", Unit: loyalty.Stamp, Threshold: 10, Cost: 1200}},
		})
		require.NoError(t, err)
		w.product, w.stamps, w.reward = products[0], c.ID, c.Rewards[0].ID
		return nil
	})
	w.person = w.consumer("+525512345678")
	w.card = w.cardOf(w.person)
	return w
}

// validGTIN adds the check digit to 12 digits.
func validGTIN(body string) string {
	for d := byte('0'); d <= '9'; d++ {
		if g, err := loyalty.ParseGTIN(body + string(d)); err == nil {
			return string(g)
		}
	}
	return ""
}

func (w *world) now() time.Time { return w.clock.Now() }

func (w *world) do(fn func(*store.Tx) error) {
	w.t.Helper()
	require.NoError(w.t, w.db.InTx(w.t.Context(), fn))
}

// consumer onboards whoever has the phone, with a message as in life.
func (w *world) consumer(phone string) loyalty.ID {
	w.t.Helper()
	p, err := loyalty.ParsePhone(phone)
	require.NoError(w.t, err)
	var person loyalty.ID
	w.do(func(tx *store.Tx) error {
		if _, err := tx.Receive(w.t.Context(), store.Inbound{Channel: store.Sim, From: p, MessageID: "hola-" + phone, Kind: "text", Text: "hola"}); err != nil {
			return err
		}
		var err error
		if person, err = tx.FindPhone(w.t.Context(), p); err != nil {
			return err
		}
		_, err = tx.Onboard(w.t.Context(), person, w.shop.Code, "hola-"+phone)
		return err
	})
	return person
}

func (w *world) cardOf(person loyalty.ID) (code string) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		_, code, err = tx.ChatLink(w.t.Context(), person)
		return err
	})
	return code
}

func (w *world) evidence() (code string) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		e, err := tx.IssueEvidence(w.t.Context(), w.person)
		code = e.Code
		return err
	})
	return code
}

func (w *world) purchase(key, code string, quantity int64) store.PurchaseInput {
	return store.PurchaseInput{
		Key: key, ShopCode: w.shop.Code, Code: code, Channel: store.ChannelScan,
		Items: []store.ItemInput{{GTIN: w.gtin, Quantity: quantity}},
	}
}

func (w *world) purchaseOf(key string, shop store.Shop, gtin string, at time.Time) store.PurchaseInput {
	return store.PurchaseInput{
		Key: key, ShopCode: shop.Code, Code: w.card, Channel: store.ChannelScan, OccurredAt: &at,
		Items: []store.ItemInput{{GTIN: gtin, Quantity: 1}},
	}
}

func (w *world) buy(key, code string, quantity int64) (store.Receipt, bool, error) {
	return w.buyAs(w.admin, w.purchase(key, code, quantity))
}

func (w *world) buyAs(scope loyalty.Scope, in store.PurchaseInput) (r store.Receipt, replayed bool, err error) {
	return w.db.RecordPurchase(w.t.Context(), scope, nil, in)
}

func (w *world) redeem(person loyalty.ID) (r store.Redemption, err error) {
	err = w.db.InTx(w.t.Context(), func(tx *store.Tx) (err error) {
		r, err = tx.RequestRedemption(w.t.Context(), person, w.reward)
		return err
	})
	return r, err
}

func (w *world) deliver(code string) error {
	return w.db.InTx(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.DeliverRedemption(w.t.Context(), w.admin, code, w.shop.Code)
		return err
	})
}

func (w *world) expire() (n int) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		n, err = tx.ExpireRedemptions(w.t.Context(), 100)
		return err
	})
	return n
}

// balance of the consumer in a campaign.
func (w *world) balance(campaign loyalty.ID) int64 { return w.part(campaign).Balance }

// made is a campaign of the CPG that runs at the shop with its product: one stamp
// a unit, goal 10, a reward for 5. How may change it.
func (w *world) made(how func(*store.CampaignInput)) (c store.Campaign) {
	w.t.Helper()
	in := store.CampaignInput{
		CPG: w.cpg, Status: loyalty.Active, Terms: loyalty.Terms{
			Name: "Otra", Scheme: loyalty.Stamps, Goal: 10, Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}},
			Products: []loyalty.ID{w.product}, Shops: []loyalty.ID{w.shop.ID}, StartsAt: w.started,
		},
		Rewards: []store.RewardInput{{Name: "Algo", Unit: loyalty.Stamp, Threshold: 5, Cost: 700}},
	}
	how(&in)
	w.do(func(tx *store.Tx) (err error) {
		c, err = tx.CreateCampaign(w.t.Context(), w.admin, in)
		return err
	})
	return c
}

// move gives a campaign another status.
func (w *world) move(campaign loyalty.ID, to loyalty.Status) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		_, err := tx.MoveCampaign(w.t.Context(), w.admin, campaign, to, "prueba")
		return err
	})
}

func (w *world) limitPerDay(n int64) {
	w.t.Helper()
	w.change(w.stamps, func(t *loyalty.Terms) { t.Limits = []loyalty.Limit{{Max: n, Period: loyalty.EachDay}} })
}

// part of the consumer in a campaign, in its first unit.
func (w *world) part(campaign loyalty.ID) (b store.Balance) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		wallet, err := tx.Wallet(w.t.Context(), w.person)
		for i := len(wallet.Balances) - 1; i >= 0; i-- {
			if wallet.Balances[i].ID == campaign {
				b = wallet.Balances[i]
			}
		}
		return err
	})
	require.NotEmpty(w.t, b.ID)
	return b
}

// reverse takes back a purchase, whole where no items are named.
func (w *world) reverse(scope loyalty.Scope, id loyalty.ID, key string, items ...store.ReversalItem) (r store.Reversal, replayed bool, err error) {
	err = w.db.InTx(w.t.Context(), func(tx *store.Tx) (err error) {
		r, replayed, err = tx.ReversePurchase(w.t.Context(), scope, id, store.ReversalInput{Reason: "devolución", Items: items, Key: key})
		return err
	})
	return r, replayed, err
}

// notices gives how many messages of a template are queued.
func (w *world) notices(template string) int64 {
	w.t.Helper()
	return w.count(`SELECT count(*) FROM outbox WHERE template = $1`, template)
}

func (w *world) stock(reward loyalty.ID, n int64) {
	w.t.Helper()
	require.NoError(w.t, w.exec(`UPDATE rewards SET stock = $1 WHERE id = $2`, n, reward))
}

// exec changes the database behind the store's back, as an operator could.
func (w *world) exec(sql string, args ...any) error {
	w.t.Helper()
	c, err := pgx.Connect(w.t.Context(), w.url)
	require.NoError(w.t, err)
	defer c.Close(w.t.Context())
	_, err = c.Exec(w.t.Context(), sql, args...)
	return err
}

// execAll is exec for several statements.
func (w *world) execAll(sql string) error {
	w.t.Helper()
	c, err := pgx.Connect(w.t.Context(), w.url)
	require.NoError(w.t, err)
	defer c.Close(w.t.Context())
	_, err = c.PgConn().Exec(w.t.Context(), sql).ReadAll()
	return err
}

// count asks the database for a number.
func (w *world) count(sql string, args ...any) (n int64) {
	w.t.Helper()
	c, err := pgx.Connect(w.t.Context(), w.url)
	require.NoError(w.t, err)
	defer c.Close(w.t.Context())
	require.NoError(w.t, c.QueryRow(w.t.Context(), sql, args...).Scan(&n))
	return n
}

func (w *world) verify() {
	w.t.Helper()
	found, err := w.db.Verify(w.t.Context())
	require.NoError(w.t, err)
	require.Empty(w.t, found)
}
