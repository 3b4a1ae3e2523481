package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// onboards is a person with a card at the shop, by one of its names.
func (w *world) onboards(form string) (person loyalty.ID, card string) {
	w.t.Helper()
	person, _ = w.writes(ana[form], "hola-"+form, "hola")
	w.do(func(tx *store.Tx) error {
		_, err := tx.Onboard(w.t.Context(), person, w.shop.Code, "hola-"+form)
		return err
	})
	w.clock.Advance(time.Minute)
	return person, w.cardOf(person)
}

// stamps of a person in a campaign.
func (w *world) balanceOf(person, campaign loyalty.ID) (balance int64) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		wallet, err := tx.Wallet(w.t.Context(), person)
		balance = -1
		for _, b := range wallet.Balances {
			if b.ID == campaign && b.Enrolled {
				balance = b.Balance
			}
		}
		return err
	})
	return balance
}

func (w *world) buys(card string, quantity int64) store.Receipt {
	w.t.Helper()
	w.clock.Advance(time.Second)
	r, _, err := w.buy(fmt.Sprint("k", w.now().UnixNano()), card, quantity)
	require.NoError(w.t, err)
	return r
}

// merges is the message that says that both names are one person's.
func (w *world) merges() loyalty.ID {
	w.t.Helper()
	w.clock.Advance(time.Minute)
	person, _ := w.writes(ana["LID and phone"], fmt.Sprint("merge", w.now().UnixNano()), "soy la misma")
	return person
}

// Two consumers who turn out to be one have together what they had apart, and
// everything that either was given goes on working.
func TestMergingConsumersLosesNothing(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	other := w.made(func(in *store.CampaignInput) { in.Terms.Name = "Solo suya" })
	w.move(other.ID, loyalty.Paused)
	byPhone, phoneCard := w.onboards("phone")
	w.buys(phoneCard, 4)
	w.move(other.ID, loyalty.Active)
	byLID, lidCard := w.onboards("LID")
	w.buys(lidCard, 9)
	var evidence store.Evidence
	var redemption store.Redemption
	w.do(func(tx *store.Tx) (err error) {
		require.NoError(t, tx.SaveName(ctx, byLID, "Ana"))
		_, err = tx.OpenCase(ctx, byLID, "human", "ayuda")
		require.NoError(t, err)
		evidence, err = tx.IssueEvidence(ctx, byLID)
		require.NoError(t, err)
		redemption, err = tx.RequestRedemption(ctx, byLID, other.Rewards[0].ID)
		require.NoError(t, err)
		_, err = tx.Onboard(ctx, byLID, w.otherShop.Code, "x")
		return err
	})
	one := w.merges()
	require.Equal(t, byPhone, one, "the older card's")
	require.Equal(t, phoneCard, w.cardOf(one))
	require.EqualValues(t, 13, w.balanceOf(one, w.stamps))
	require.EqualValues(t, 4, w.balanceOf(one, other.ID), "an enrollment that only one had")
	w.verify()

	w.buys(lidCard, 2)
	require.EqualValues(t, 15, w.balanceOf(one, w.stamps), "the other card still earns")
	w.do(func(tx *store.Tx) error {
		wallet, err := tx.Wallet(ctx, one)
		require.NoError(t, err)
		require.Len(t, wallet.Cards, 2)
		require.Equal(t, "Ana", wallet.Name)
		_, _, err = tx.Adjust(ctx, w.admin, store.AdjustmentInput{Campaign: w.stamps, CardCode: lidCard, Unit: loyalty.Stamp, Amount: 1, Reason: "cortesía"})
		return err
	})
	require.EqualValues(t, 16, w.balanceOf(one, w.stamps))
	r, _, err := w.buy("ev", evidence.Code, 1)
	require.NoError(t, err)
	require.Equal(t, phoneCard, r.CardCode)
	require.NoError(t, w.deliver(redemption.Code))
	w.do(func(tx *store.Tx) error {
		history, err := tx.History(ctx, one, 20)
		require.NoError(t, err)
		require.Len(t, history, 4, "the purchases of both, and since")
		return nil
	})
	for _, table := range []string{"addresses", "cards", "consents", "purchases", "redemptions", "evidence_codes", "cases", "inbox", "outbox", "tokens"} {
		require.Zero(t, w.count(`SELECT count(*) FROM `+table+` WHERE person_id = $1`, byLID), table)
	}
	w.verify()
	require.EqualValues(t, 16, w.units(w.stamps), "reports count each sale once")
	require.EqualValues(t, 1, w.count(`SELECT count(DISTINCT person_id) FROM activity_daily`))
}

// What comes back of a purchase or a reward from before comes back to the one that
// there is now.
func TestWhatComesBackAfterAMergeFindsTheOther(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	_, phoneCard := w.onboards("phone")
	w.buys(phoneCard, 3)
	lid, lidCard := w.onboards("LID")
	p := w.buys(lidCard, 6)
	whole := w.buys(lidCard, 8)
	taken, err := w.redeem(lid)
	require.NoError(t, err)
	one := w.merges()
	require.EqualValues(t, 7, w.balanceOf(one, w.stamps))
	w.verify()

	r, _, err := w.reverse(w.admin, p.ID, "a", store.ReversalItem{GTIN: w.gtin, Quantity: 2})
	require.NoError(t, err)
	require.EqualValues(t, 5, r.Taken[0].Balance)
	require.EqualValues(t, 5, w.balanceOf(one, w.stamps))
	w.verify()
	w.do(func(tx *store.Tx) error {
		_, err := tx.CancelRedemption(ctx, loyalty.Scope{Role: loyalty.RoleConsumer, Person: one}, taken.Code)
		return err
	})
	require.EqualValues(t, 15, w.balanceOf(one, w.stamps))
	w.verify()
	_, _, err = w.reverse(w.admin, whole.ID, "b")
	require.NoError(t, err)
	_, _, err = w.reverse(w.admin, p.ID, "c")
	require.NoError(t, err)
	require.EqualValues(t, 3, w.balanceOf(one, w.stamps))
	w.verify()
	require.EqualValues(t, 1, w.count(`SELECT (standing->>'purchases')::int FROM enrollments WHERE person_id = $1`, one))
	again, err := w.redeem(one)
	require.Error(t, err, again.Code)
	w.buys(phoneCard, 7)
	taken, err = w.redeem(one)
	require.NoError(t, err)
	w.clock.Advance(8 * aDay)
	require.Equal(t, 1, w.expire())
	require.EqualValues(t, 10, w.balanceOf(one, w.stamps))
	w.verify()
}

// Parts of a balance end when they would have; what had ended before is not
// brought along.
func TestMergedBalancesEndWhenTheyWould(t *testing.T) {
	w := newWorld(t, 4)
	w.change(w.stamps, func(terms *loyalty.Terms) { terms.Expiry = &loyalty.Expiry{Days: 10} })
	_, phoneCard := w.onboards("phone")
	_, lidCard := w.onboards("LID")
	w.buys(lidCard, 1)
	w.clock.Advance(5 * aDay)
	w.buys(phoneCard, 2)
	w.clock.Advance(4 * aDay)
	w.buys(lidCard, 4)
	w.clock.Advance(2 * aDay) // the first one's has ended, and nobody has taken it yet
	one := w.merges()
	w.verify()
	require.EqualValues(t, 6, w.balanceOf(one, w.stamps))
	ends := func(after time.Duration, left int64) {
		t.Helper()
		w.clock.Advance(after)
		w.do(func(tx *store.Tx) error {
			_, err := tx.ExpireBalances(t.Context(), 10)
			return err
		})
		require.Equal(t, left, w.balanceOf(one, w.stamps))
		w.verify()
	}
	ends(0, 6)
	ends(4*aDay, 4)
	ends(4*aDay, 0)
}

// Whoever said BAJA by either name hears nothing more that the bot starts.
func TestAnOptOutSurvivesAMerge(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	phone, _ := w.onboards("phone")
	lid, _ := w.onboards("LID")
	w.do(func(tx *store.Tx) error {
		require.NoError(t, tx.OptOut(ctx, lid, "baja"))
		require.NoError(t, tx.OptIn(ctx, phone, "alta"))
		_, err := tx.Notify(ctx, store.Notice{Person: phone, Lane: store.LanePromotion, Template: "x"})
		return err
	})
	one := w.merges()
	w.do(func(tx *store.Tx) error {
		for _, id := range []loyalty.ID{one, phone, lid} {
			queued, err := tx.Notify(ctx, store.Notice{Person: id, Lane: store.LaneService, Template: "x"})
			require.NoError(t, err)
			require.False(t, queued)
			queued, err = tx.Notify(ctx, store.Notice{Person: id, Lane: store.LaneReply, Template: "y"})
			require.NoError(t, err)
			require.True(t, queued, "also by an ID that somebody still has in hand")
		}
		return nil
	})
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM outbox WHERE status = 'dropped' AND person_id = $1`, one))
	require.EqualValues(t, 3, w.count(`SELECT count(*) FROM outbox WHERE status = 'queued' AND person_id = $1`, one))
	require.EqualValues(t, 4, w.count(`SELECT count(*) FROM consents WHERE person_id = $1`, one), "two notices, BAJA and ALTA")
}

// Shops, keys and logins of a tendero go on, and what was sold once stays once.
func TestATenderoStaysOneThroughAMerge(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	phone, _ := w.writes(ana["phone"], "m1", "hola")
	w.clock.Advance(time.Second)
	lid, _ := w.writes(ana["LID"], "m2", "hola")
	for _, k := range []struct {
		person loyalty.ID
		shop   store.Shop
		active bool
	}{{phone, w.shop, false}, {lid, w.shop, true}, {lid, w.otherShop, true}} {
		require.NoError(t, w.exec(`INSERT INTO tenderos (id, person_id, shop_id, active, created_at, updated_at) VALUES (gen_random_uuid(), $1, $2, $3, now(), now())`,
			string(k.person), string(k.shop.ID), k.active))
	}
	scope := loyalty.Scope{Role: loyalty.RoleTendero, Person: lid, Shops: []loyalty.ID{w.shop.ID}}
	first, _, err := w.buyAs(scope, w.purchase("retry", w.card, 2))
	require.NoError(t, err)
	var link string
	w.do(func(tx *store.Tx) (err error) {
		link, err = tx.IssueLink(ctx, lid)
		return err
	})
	one := w.merges()
	require.Equal(t, phone, one)
	scope.Person = one
	second, replayed, err := w.buyAs(scope, w.purchase("retry", w.card, 2))
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, first.ID, second.ID)
	w.do(func(tx *store.Tx) error {
		shops, err := tx.TenderoShops(ctx, one)
		require.NoError(t, err)
		require.Len(t, shops, 2)
		got, _, err := tx.Authenticate(ctx, store.LinkToken, link)
		require.NoError(t, err)
		require.Equal(t, one, got.Person)
		return nil
	})
}

// The conversation goes on where the person wrote last, and what waits is answered
// in the order in which it was written.
func TestAConversationGoesOnAfterAMerge(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	turn := func(person loyalty.ID, session, reply string) (text, before string, ok bool) {
		w.do(func(tx *store.Tx) error {
			turn, more, err := tx.NextTurn(ctx, person)
			if ok = more; err != nil || !ok {
				return err
			}
			text, before = turn.Message.Text, string(turn.Session)
			return tx.EndTurn(ctx, turn.Message, json.RawMessage(session), store.Reply{Body: reply})
		})
		w.clock.Advance(time.Second)
		return text, before, ok
	}
	phone, _ := w.writes(ana["phone"], "m1", "uno")
	w.clock.Advance(time.Second)
	lid, _ := w.writes(ana["LID"], "m2", "dos")
	turn(lid, `{"at": "lid"}`, "r2")
	turn(phone, `{"at": "phone"}`, "r1")
	w.writes(ana["LID"], "m3", "tres")
	w.writes(ana["phone"], "m4", "cuatro")
	w.writes(ana["LID"], "m5", "cinco")
	one := w.merges()
	require.Equal(t, phone, one)
	_, _, ok := turn(lid, "{}", "")
	require.False(t, ok)
	for i, want := range []string{"tres", "cuatro", "cinco", "soy la misma"} {
		text, before, ok := turn(one, `{"at": "one"}`, "r-"+want)
		require.True(t, ok)
		require.Equal(t, want, text)
		if i == 0 {
			require.JSONEq(t, `{"at": "phone"}`, before, "the one that was spoken to last")
		}
	}
	var said []string
	for {
		out, ok := w.claim(one, "")
		if !ok {
			break
		}
		said = append(said, out.Body)
		w.do(func(tx *store.Tx) error { return tx.Sent(ctx, out.ID, out.Body) })
	}
	require.Equal(t, []string{"r2", "r1", "r-tres", "r-cuatro", "r-cinco", "r-soy la misma"}, said)
}

// A turn that is under way comes to its end before its person becomes another, and
// nothing of it is lost.
func TestAMergeWaitsForTheTurn(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	phone, _ := w.writes(ana["phone"], "m1", "uno")
	w.clock.Advance(time.Second)
	lid, _ := w.writes(ana["LID"], "m0", "cero")
	w.reply(lid, "hola")
	w.writes(ana["LID"], "m2", "dos")
	w.clock.Advance(time.Second)
	merged := make(chan loyalty.ID)
	w.do(func(tx *store.Tx) error {
		turn, ok, err := tx.NextTurn(ctx, lid)
		require.NoError(t, err)
		require.True(t, ok)
		go func() { merged <- w.merges() }()
		w.waiting(1)
		require.NoError(t, tx.SaveName(ctx, lid, "Ana"))
		_, err = tx.Onboard(ctx, lid, w.shop.Code, "m2")
		require.NoError(t, err)
		return tx.EndTurn(ctx, turn.Message, json.RawMessage(`{"at": "lid"}`), store.Reply{Body: "hola, Ana"})
	})
	one := <-merged
	require.Equal(t, lid, one, "who became a consumer just then")
	require.NotEqual(t, phone, one)
	w.do(func(tx *store.Tx) error {
		turn, ok, err := tx.NextTurn(ctx, one)
		require.NoError(t, err)
		require.True(t, ok)
		require.JSONEq(t, `{"at": "lid"}`, string(turn.Session))
		require.Equal(t, "Ana", *turn.Person.Name)
		require.Equal(t, "uno", turn.Message.Text)
		return nil
	})
	for _, said := range []string{"hola", "hola, Ana"} {
		out, ok := w.claim(one, "")
		require.True(t, ok)
		require.Equal(t, said, out.Body)
		w.do(func(tx *store.Tx) error { return tx.Sent(ctx, out.ID, out.Body) })
	}
	require.Zero(t, w.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
}

// Three names, two merges: nothing is left behind on the way.
func TestMergesOfMerges(t *testing.T) {
	w := newWorld(t, 4)
	w.clock.Advance(time.Minute)
	_, lidCard := w.onboards("LID")
	w.buys(lidCard, 1)
	_, phoneCard := w.onboards("phone")
	w.buys(phoneCard, 2)
	w.merges()
	// Older than both is the one that comes last.
	other := w.person
	w.buys(w.card, 4)
	both := ana["LID and phone"]
	both.Other = "MX.5"
	w.do(func(tx *store.Tx) error {
		_, err := tx.AddressOfSender(t.Context(), store.Sender{Phone: "+525512345678", Other: "MX.5"})
		return err
	})
	w.clock.Advance(time.Second)
	one, _ := w.writes(both, "all", "soy yo")
	require.Equal(t, other, one)
	require.EqualValues(t, 7, w.balanceOf(one, w.stamps))
	for i, card := range []string{lidCard, phoneCard, w.card} {
		w.buys(card, 1)
		require.EqualValues(t, 8+i, w.balanceOf(one, w.stamps))
	}
	require.EqualValues(t, 2, w.count(`SELECT count(*) FROM persons WHERE merged_into = $1`, one))
	require.EqualValues(t, 2, w.count(`SELECT count(*) FROM consumers WHERE merged_into = $1`, one))
	require.EqualValues(t, 2, w.count(`SELECT count(*) FROM enrollments e JOIN enrollments m ON m.id = e.merged_into WHERE m.person_id = $1`, one))
	w.verify()
	w.do(func(tx *store.Tx) error { return tx.Erase(t.Context(), one, "borrar") })
	for _, card := range []string{lidCard, phoneCard, w.card} {
		_, _, err := w.buy("after-"+card, card, 1)
		require.Equal(t, loyalty.CodeCardNotFound, loyalty.CodeOf(err))
	}
	require.Zero(t, w.count(`SELECT count(*) FROM inbox WHERE text <> ''`))
}

// Whatever happens at once, nothing is lost, nobody waits in a circle, and there is
// one person in the end.
func TestMergesAmidEverythingElse(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, 12)
			ctx := context.Background()
			chance := rand.New(rand.NewPCG(seed, 9))
			const names = 4
			sender := func(i int) store.Sender {
				if i%2 == 0 {
					return store.Sender{LID: fmt.Sprintf("50%d@lid", i)}
				}
				return store.Sender{Phone: loyalty.Phone(fmt.Sprintf("+52556000100%d", i))}
			}
			people, cards := make([]loyalty.ID, names), make([]string, names)
			for i := range names {
				w.do(func(tx *store.Tx) error {
					_, err := tx.Receive(ctx, store.Inbound{Channel: "whatsapp", Sender: sender(i), MessageID: fmt.Sprint("hola", i), Kind: store.KindText})
					require.NoError(t, err)
					a, err := tx.AddressOfSender(ctx, sender(i))
					require.NoError(t, err)
					people[i] = a.Person
					_, err = tx.Onboard(ctx, a.Person, w.shop.Code, "x")
					return err
				})
				cards[i] = w.cardOf(people[i])
				w.clock.Advance(time.Second)
			}
			var mu sync.Mutex
			var want int64
			var bought []loyalty.ID
			add := func(n int64) {
				mu.Lock()
				defer mu.Unlock()
				want += n
			}
			var wg sync.WaitGroup
			for n := range 60 {
				kind, i, j, units := chance.IntN(6), chance.IntN(names), chance.IntN(names), int64(1+chance.IntN(3))
				if n < 8 {
					kind = 0
				}
				wg.Go(func() {
					switch kind {
					case 0, 1, 2:
						r, _, err := w.buy(fmt.Sprint("k", n), cards[i], units)
						if err != nil {
							t.Errorf("purchase: %v", err)
							return
						}
						add(units)
						mu.Lock()
						bought = append(bought, r.ID)
						mu.Unlock()
					case 3:
						mu.Lock()
						var id loyalty.ID
						if len(bought) > 0 {
							id, bought = bought[0], bought[1:]
						}
						mu.Unlock()
						if id == "" {
							return
						}
						r, _, err := w.reverse(w.admin, id, "")
						if err != nil {
							t.Errorf("reversal: %v", err)
							return
						}
						add(-r.Taken[0].Amount)
					case 4:
						both := sender(i)
						if o := sender(j); o.LID != "" {
							both.LID = o.LID
						} else {
							both.Phone = o.Phone
						}
						err := w.db.InTx(ctx, func(tx *store.Tx) error {
							_, err := tx.Receive(ctx, store.Inbound{Channel: "whatsapp", Sender: both, MessageID: fmt.Sprint("m", n), Kind: store.KindText, Text: "x"})
							return err
						})
						if err != nil {
							t.Errorf("message: %v", err)
						}
					case 5:
						err := w.db.InTx(ctx, func(tx *store.Tx) error {
							turn, ok, err := tx.NextTurn(ctx, people[i])
							if err != nil || !ok {
								return err
							}
							if _, err := tx.Onboard(ctx, turn.Person.ID, w.shop.Code, "y"); err != nil {
								return err
							}
							return tx.EndTurn(ctx, turn.Message, json.RawMessage("{}"), store.Reply{Body: "hola"})
						})
						if err != nil {
							t.Errorf("turn: %v", err)
						}
					}
				})
			}
			wg.Wait()
			// All of them, in the end. Two phones need an ID that names both.
			for i := range names {
				all := sender(i)
				all.Other = "MX.all"
				w.do(func(tx *store.Tx) error {
					_, err := tx.AddressOfSender(ctx, all)
					return err
				})
			}
			w.verify()
			var one loyalty.ID
			w.do(func(tx *store.Tx) error {
				a, err := tx.AddressOfSender(ctx, store.Sender{Other: "MX.all"})
				one = a.Person
				return err
			})
			require.Equal(t, want, w.balanceOf(one, w.stamps))
			require.Zero(t, w.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
			require.EqualValues(t, names-1, w.count(`SELECT count(*) FROM persons WHERE merged_into = $1`, one))
			for _, table := range []string{"addresses", "cards", "purchases", "inbox", "outbox"} {
				require.Zero(t, w.count(`SELECT count(*) FROM `+table+` t JOIN persons p ON p.id = t.person_id WHERE p.merged_into IS NOT NULL`), table)
			}
		})
	}
}
