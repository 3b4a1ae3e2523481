package store_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// bought is what came of a purchase.
type bought struct {
	store.Receipt
	replayed bool
	err      error
}

// together records purchases in one round: the till's rounds are held up until all
// of them wait. meanwhile is done while they do.
func (w *world) together(meanwhile func(), all ...store.PurchaseInput) []bought {
	w.t.Helper()
	came := make([]bought, len(all))
	w.db.LetRoundsLast(time.Minute)
	var wg sync.WaitGroup
	w.do(func(tx *store.Tx) error {
		require.NoError(w.t, tx.HoldBudgets(w.t.Context())) // every round stops at it, holding nothing that others need
		for n := range store.MostRounds {
			card := w.cardOf(w.consumer(fmt.Sprintf("+52557777%04d", n)))
			wg.Go(func() { _, _, _ = w.buy(fmt.Sprintf("holds-up-%d", n), card, 1) })
			require.Eventually(w.t, func() bool {
				return w.count(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`) == int64(n+1)
			}, 10*time.Second, time.Millisecond)
		}
		for i, in := range all {
			wg.Go(func() { came[i].Receipt, came[i].replayed, came[i].err = w.buyAs(w.admin, in) })
		}
		require.Eventually(w.t, func() bool { return w.db.Queued() == len(all) }, 10*time.Second, time.Millisecond)
		if meanwhile != nil {
			meanwhile()
		}
		return nil
	})
	wg.Wait()
	return came
}

// cards makes so many consumers, and gives their cards.
func (w *world) cards(n int) []string {
	w.t.Helper()
	cards := make([]string, n)
	for i := range cards {
		cards[i] = w.cardOf(w.consumer(fmt.Sprintf("+52556666%04d", i)))
	}
	return cards
}

func TestPurchasesOfTheSameMomentShareTheirRoundTrips(t *testing.T) {
	w := newWorld(t, 8)
	var all []store.PurchaseInput
	for i, card := range w.cards(20) {
		all = append(all, w.purchase(fmt.Sprintf("together-%d", i), card, int64(i%3+1)))
	}
	_, _, err := w.buy("learns-the-rules", w.card, 1)
	require.NoError(t, err)
	var before int64
	for i, b := range w.together(func() { before = w.db.RoundTrips() }, all...) {
		require.NoError(t, b.err)
		require.False(t, b.replayed)
		require.Equal(t, all[i].Code, b.CardCode)
		require.Len(t, b.Earned, 1)
		require.EqualValues(t, i%3+1, b.Earned[0].Amount)
		require.EqualValues(t, i%3+1, b.Earned[0].Balance)
	}
	// The two that held up the till read before it was counted and write after; what
	// holds them up commits once.
	require.LessOrEqual(t, w.db.RoundTrips()-before, int64(store.MostRounds*2+1+2))
	require.EqualValues(t, 20, w.count(`SELECT count(*) FROM outbox WHERE template = 'receipt.earned' AND vars ->> 'purchase_id' IN
		(SELECT result_id::text FROM causes WHERE key LIKE 'together-%')`))
	w.verify()
}

// What is wrong with one purchase of a round is nobody else's matter.
func TestARoundAnswersEachAsIfItWereAlone(t *testing.T) {
	w := newWorld(t, 8)
	cards := w.cards(8)
	first, _, err := w.buy("repeated", cards[0], 2)
	require.NoError(t, err)
	change := func(in store.PurchaseInput, how func(*store.PurchaseInput)) store.PurchaseInput {
		how(&in)
		return in
	}
	came := w.together(nil,
		w.purchase("repeated", cards[0], 2),
		w.purchase("good-1", cards[1], 1),
		change(w.purchase("no-shop", cards[2], 1), func(in *store.PurchaseInput) { in.ShopCode = "ZZZZZZ" }),
		change(w.purchase("no-product", cards[3], 1), func(in *store.PurchaseInput) { in.Items[0].GTIN = validGTIN("750999999999") }),
		change(w.purchase("no-card", cards[4], 1), func(in *store.PurchaseInput) { in.Code = loyalty.NewCode(loyalty.CardCode, w.random) }),
		change(w.purchase("elsewhere", cards[5], 1), func(in *store.PurchaseInput) { in.ShopCode = w.otherShop.Code }),
		w.purchase("good-2", cards[6], 3),
	)
	require.NoError(t, came[0].err)
	require.True(t, came[0].replayed)
	require.Equal(t, first, came[0].Receipt)
	for n, code := range map[int]loyalty.Code{2: loyalty.CodeShopNotFound, 3: loyalty.CodeProductUnknown, 4: loyalty.CodeCardNotFound} {
		require.Equal(t, code, loyalty.CodeOf(came[n].err), "purchase %d", n)
	}
	for n, stamps := range map[int]int64{1: 1, 6: 3} {
		require.NoError(t, came[n].err)
		require.EqualValues(t, stamps, came[n].Earned[0].Balance)
	}
	require.NoError(t, came[5].err)
	require.Empty(t, came[5].Earned)
	require.EqualValues(t, 1+3+store.MostRounds, w.count(`SELECT count(*) FROM purchases`))
	w.verify()
}

// A failure of the database's takes the whole round back; tried one by one, only
// what caused it fails.
func TestARoundThatFailsIsTriedOneByOne(t *testing.T) {
	w := newWorld(t, 8)
	require.NoError(t, w.execAll(`
		CREATE FUNCTION boom() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'boom'; END $$;
		CREATE TRIGGER boom BEFORE INSERT ON causes FOR EACH ROW WHEN (NEW.key = 'boom') EXECUTE FUNCTION boom()`))
	cards := w.cards(6)
	all := []store.PurchaseInput{w.purchase("boom", cards[0], 1)}
	for i, card := range cards[1:] {
		all = append(all, w.purchase(fmt.Sprintf("fine-%d", i), card, 1))
	}
	came := w.together(nil, all...)
	require.ErrorContains(t, came[0].err, "boom")
	for _, b := range came[1:] {
		require.NoError(t, b.err)
		require.False(t, b.replayed)
		require.EqualValues(t, 1, b.Earned[0].Balance)
	}
	w.verify()
}

// Who holds a consumer holds up that consumer's purchases, and no others.
func TestABusyConsumerHoldsUpNobodyElse(t *testing.T) {
	w := newWorld(t, 8)
	cards := w.cards(6)
	_, _, err := w.buy("relates-cpg-and-shop", w.card, 1)
	require.NoError(t, err)
	var waited bought
	var wg sync.WaitGroup
	w.do(func(tx *store.Tx) error {
		_, _, err := tx.RecordPurchase(t.Context(), w.admin, w.purchase("holds", w.card, 1))
		require.NoError(t, err)
		require.NoError(t, tx.Flush(t.Context()))
		wg.Go(func() { waited.Receipt, waited.replayed, waited.err = w.buy("waits", w.card, 1) })
		for round := range 5 {
			for i, card := range cards {
				r, _, err := w.buy(fmt.Sprintf("passes-%d-%d", round, i), card, 1)
				require.NoError(t, err)
				require.EqualValues(t, round+1, r.Earned[0].Balance)
			}
		}
		return nil
	})
	wg.Wait()
	require.NoError(t, waited.err)
	require.EqualValues(t, 3, waited.Earned[0].Balance)
	w.verify()
}

// A budget is not overspent by those who are judged together, and all of it is
// given.
func TestARoundSharesWhatIsLeftOfABudget(t *testing.T) {
	w := newWorld(t, 8)
	budget := w.made(func(in *store.CampaignInput) { in.Terms.Budget = &loyalty.Budget{Stamps: 5 + store.MostRounds} })
	limit := w.made(func(in *store.CampaignInput) {
		in.Terms.Limits = []loyalty.Limit{{Counts: loyalty.CountPurchases, Max: 3 + store.MostRounds, Period: loyalty.EachDay, PerShop: true, AllCards: true}}
	})
	var all []store.PurchaseInput
	for i, card := range w.cards(10) {
		all = append(all, w.purchase(fmt.Sprintf("share-%d", i), card, 2))
	}
	for _, b := range w.together(nil, all...) {
		require.NoError(t, b.err)
	}
	require.EqualValues(t, 5+store.MostRounds, w.count(`SELECT sum(amount) FROM ledger WHERE campaign_id = $1`, budget.ID))
	require.EqualValues(t, 5+store.MostRounds, w.count(`SELECT used FROM quotas WHERE campaign_id = $1 AND name = 'stamp'`, budget.ID))
	require.EqualValues(t, 3+store.MostRounds, w.count(`SELECT count(*) FROM ledger WHERE campaign_id = $1`, limit.ID))
	w.verify()
}

// Whatever comes at once (the same card, the same key, nonsense), each key has one
// purchase, everybody who used it the same receipt, and each card what its
// purchases gave.
func TestAnyPurchasesAtOnceAreEachRecordedOnce(t *testing.T) {
	w := newWorld(t, 4)
	cards := append(w.cards(12), w.card)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var mu sync.Mutex
	receipts, stamps := map[string]store.Receipt{}, map[string]int64{}
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			for range 20 {
				n := r.IntN(300)
				key, card, units := fmt.Sprintf("any-%d", n), cards[n%len(cards)], int64(n%4+1)
				in := w.purchase(key, card, units)
				if n%10 == 0 {
					in.ShopCode = "ZZZZZZ"
				}
				got, _, err := w.buyAs(w.admin, in)
				if n%10 == 0 {
					assert.Equal(t, loyalty.CodeShopNotFound, loyalty.CodeOf(err))
					continue
				}
				if !assert.NoError(t, err) {
					continue
				}
				mu.Lock()
				if known, ok := receipts[key]; ok {
					assert.Equal(t, known, got)
				} else {
					receipts[key], stamps[card] = got, stamps[card]+units
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, len(receipts), w.count(`SELECT count(*) FROM purchases`))
	for card, n := range stamps {
		require.EqualValues(t, n, w.count(`SELECT e.stamps FROM enrollments e JOIN consumers c ON c.person_id = e.person_id WHERE c.card_code = $1 AND e.campaign_id = $2`, card, w.stamps))
	}
	w.verify()
	require.Zero(t, w.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
}

// However many purchases wait for one consumer, the others have connections.
func TestManyPurchasesOfABusyConsumerHoldUpNobodyElse(t *testing.T) {
	w := newWorld(t, 4)
	cards := w.cards(6)
	_, _, err := w.buy("relates-cpg-and-shop", w.card, 1)
	require.NoError(t, err)
	var wg sync.WaitGroup
	w.do(func(tx *store.Tx) error {
		_, _, err := tx.RecordPurchase(t.Context(), w.admin, w.purchase("holds", w.card, 1))
		require.NoError(t, err)
		require.NoError(t, tx.Flush(t.Context()))
		for n := range 12 {
			wg.Go(func() {
				_, _, err := w.buy(fmt.Sprintf("waits-%d", n), w.card, 1)
				assert.NoError(t, err)
			})
		}
		for round := range 5 {
			for i, card := range cards {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				_, _, err := w.db.RecordPurchase(ctx, w.admin, nil, w.purchase(fmt.Sprintf("passes-%d-%d", round, i), card, 1))
				cancel()
				require.NoError(t, err)
			}
		}
		return nil
	})
	wg.Wait()
	require.EqualValues(t, 14, w.balance(w.stamps))
	w.verify()
}

// Purchases of one card wait for each other here, not in the database.
func TestPurchasesOfOneCardCostNoMoreThanApart(t *testing.T) {
	w := newWorld(t, 8)
	_, _, err := w.buy("learns-the-rules", w.card, 1)
	require.NoError(t, err)
	before := w.db.RoundTrips()
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			_, _, err := w.buy(fmt.Sprintf("same-card-%d", n), w.card, 1)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	require.LessOrEqual(t, w.db.RoundTrips()-before, int64(2*40))
	require.EqualValues(t, 41, w.balance(w.stamps))
}

// What one purchase of a round had to ask for, the others need not ask again.
func TestARoundAsksForWhatIsNewOnce(t *testing.T) {
	w := newWorld(t, 8)
	var all []store.PurchaseInput
	for i, card := range w.cards(20) {
		in := w.purchase(fmt.Sprintf("asks-%d", i), card, 1)
		in.Items[0].GTIN = w.otherGTIN // which nobody bought before
		all = append(all, in)
	}
	_, _, err := w.buy("learns-the-rules", w.card, 1)
	require.NoError(t, err)
	var before int64
	for _, b := range w.together(func() { before = w.db.RoundTrips() }, all...) {
		require.NoError(t, b.err)
	}
	// Two more for the product, and one to read again with it.
	require.LessOrEqual(t, w.db.RoundTrips()-before, int64(store.MostRounds*2+1+2+3))
}

// Whose caller has left is not recorded, and many who left take no place from those
// who wait.
func TestWhoLeftTheQueueIsForgotten(t *testing.T) {
	w := newWorld(t, 8)
	left, leave := context.WithCancel(t.Context())
	leave()
	try := func(ctx context.Context, key string) error {
		_, _, err := w.db.RecordPurchase(ctx, w.admin, nil, w.purchase(key, w.card, 1))
		return err
	}
	card := w.cards(1)[0]
	came := w.together(func() {
		for n := range store.MostQueued - 1 { // one waits already
			require.ErrorIs(t, try(left, fmt.Sprintf("left-%d", n)), context.Canceled)
		}
		require.Equal(t, loyalty.CodeUnavailable, loyalty.CodeOf(try(t.Context(), "too-many")))
	}, w.purchase("stays", card, 1))
	require.NoError(t, came[0].err)
	require.NoError(t, try(t.Context(), "afterwards"))
	require.EqualValues(t, store.MostRounds+2, w.count(`SELECT count(*) FROM purchases`))
}

// A caller who turned out to be another person gets the first answer to a key from
// before, though it is remembered by the old name.
func TestACallersKeysOutliveAMerge(t *testing.T) {
	w := newWorld(t, 8)
	older, _ := w.onboards("LID")
	keeper, _ := w.onboards("phone")
	credential := store.Credential{Kind: store.AccessToken}
	w.do(func(tx *store.Tx) error {
		_, err := tx.CreateTendero(t.Context(), w.admin, store.TenderoInput{Shop: w.shop.ID, Phone: string(anaPhone), Name: "Ana"})
		require.NoError(t, err)
		tokens, err := tx.IssueTokens(t.Context(), loyalty.Scope{Role: loyalty.RoleTendero, Person: keeper})
		require.NoError(t, err)
		credential.Token = tokens.Access
		_, _, err = tx.Authenticate(t.Context(), credential.Kind, credential.Token)
		return err
	})
	sell := func() (store.Receipt, bool) {
		scope, known := w.db.Recognize(credential)
		require.True(t, known)
		r, replayed, err := w.db.RecordPurchase(t.Context(), scope, &credential, w.purchase("before and after", w.card, 1))
		require.NoError(t, err)
		return r, replayed
	}
	first, replayed := sell()
	require.False(t, replayed)
	require.Equal(t, older, w.merges())
	again, replayed := sell()
	require.True(t, replayed)
	require.Equal(t, first, again)
	require.EqualValues(t, 1, w.balance(w.stamps))
}

// Two clocks have two tills.
func TestAPurchaseHappensByItsOwnClock(t *testing.T) {
	w := newWorld(t, 8)
	later := w.db.At(w.now().Add(time.Hour))
	cards := w.cards(2)
	var wg sync.WaitGroup
	w.together(func() {
		wg.Go(func() {
			_, _, err := later.RecordPurchase(t.Context(), w.admin, nil, w.purchase("later", cards[1], 1))
			assert.NoError(t, err)
		})
		require.Eventually(t, func() bool {
			return w.db.Queued() == 2 || w.count(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`) == store.MostRounds+1
		}, 10*time.Second, time.Millisecond)
	}, w.purchase("now", cards[0], 1))
	wg.Wait()
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM purchases WHERE recorded_at = $1`, later.Now()))
}

// Connections that go silent, as those to a server that lost its power do, cost those
// whose purchases they carry their patience, and nobody else anything.
func TestSilentConnectionsStopOnlyWhoUsesThem(t *testing.T) {
	w := newWorld(t, 8)
	wire := newWire(t, w.url)
	db, err := store.Open(t.Context(), store.Options{
		URL: wire.url, MaxConns: 8, Now: w.clock.Now, Random: w.random, Secret: []byte("a secret for tests, long enough!"), PublicURL: w.db.PublicURL(),
	})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	cards := w.cards(store.MostRounds)
	buy := func(patience time.Duration, key, card string) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, _, err := db.RecordPurchase(ctx, w.admin, nil, w.purchase(key, card, 1))
		return err
	}
	require.NoError(t, db.InTx(t.Context(), func(*store.Tx) error { return buy(time.Minute, "before", w.card) })) // two connections are there
	t.Cleanup(wire.end)
	db.LetRoundsLast(100 * time.Millisecond)
	wire.cut()
	var wg sync.WaitGroup
	for n, card := range cards {
		wg.Go(func() { _ = buy(300*time.Millisecond, fmt.Sprintf("silent-%d", n), card) })
	}
	wg.Wait()
	n := 0
	require.Eventually(t, func() bool {
		n++
		return buy(2*time.Second, fmt.Sprintf("after-%d", n), w.card) == nil
	}, 20*time.Second, time.Millisecond)
}

// wire is a way to a server whose connections can go silent.
type wire struct {
	url string

	mu  sync.Mutex
	all []*thread
}

// thread is one connection of it.
type thread struct {
	near, far net.Conn
	silent    atomic.Bool
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	server, err := pgconn.ParseConfig(to)
	require.NoError(t, err)
	network, address := pgconn.NetworkAddress(server.Host, server.Port)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	u := url.URL{Scheme: "postgres", User: url.UserPassword(server.User, server.Password), Host: l.Addr().String(), Path: server.Database, RawQuery: "sslmode=disable"}
	w := &wire{url: u.String()}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).DialContext(t.Context(), network, address)
			if err != nil {
				_ = near.Close()
				continue
			}
			th := &thread{near: near, far: far}
			w.mu.Lock()
			w.all = append(w.all, th)
			w.mu.Unlock()
			go th.carry(near, far)
			go th.carry(far, near)
		}
	}()
	return w
}

// cut makes all connections that there are silent.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, th := range w.all {
		th.silent.Store(true)
	}
}

// end ends all connections.
func (w *wire) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, th := range w.all {
		_ = th.near.Close()
		_ = th.far.Close()
	}
}

// carry passes on what comes. What comes after the silence nobody hears.
func (th *thread) carry(from io.ReadCloser, to io.WriteCloser) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if th.silent.Load() {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
