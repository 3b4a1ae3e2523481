package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// historySpan is over how long purchases of the past are spread.
const historySpan = 60 * 24 * time.Hour

// chunk is how many purchases are copied at once.
const chunk = 20_000

// table is rows on their way into the database.
type table struct {
	name    string
	columns []string
	rows    [][]any
}

func (t *table) add(values ...any) { t.rows = append(t.rows, values) }

func (t *table) copyTo(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromRows(t.rows)); err != nil {
		return fmt.Errorf("copy into %s: %w", t.name, err)
	}
	t.rows = t.rows[:0]
	return nil
}

// A card page lists so many purchases, and pages are viewed of so many cards. In
// every history each of these has at least as many as its page lists, so that the
// same page is compared.
const (
	listed = 20
	viewed = 100
)

// viewedCard is one of those whose pages are viewed; they are of all shops.
func viewedCard(i int) int { return i * 97 }

// history is the past of the cards. What a purchase brought is judged by the
// domain's own rules, so that its ledger is a true one; the cards take turns, so
// that all of them have as much of it. Where pages are measured, those that are
// viewed have some more, spread over the whole time.
type history struct {
	*world
	random *mathrand.ChaCha8
	actor  string
	parts  [cards][campaigns]enrollment

	purchases, items, ledger, causes, enrollments table
}

// enrollment is a card's part in a campaign so far.
type enrollment struct {
	id       loyalty.ID
	balance  int64
	standing loyalty.Standing
	last     time.Time
}

// fill gives a database so many ledger rows, and an enrollment to every card in
// every campaign, whether it has bought or not. COPY trusts what it gets: keys
// are checked when it is measured, not here.
func (w *world) fill(ctx context.Context, url string, ledgerRows int, say func(string, ...any)) error {
	return connected(ctx, url, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, `SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '256MB'`); err != nil {
			return err
		}
		indexes, err := dropIndexes(ctx, conn)
		if err != nil {
			return err
		}
		h := newHistory(w)
		if err := h.write(ctx, conn, ledgerRows/campaigns, say); err != nil {
			return err
		}
		for _, sql := range append(indexes, countBudgets, `RESET session_replication_role`, `VACUUM (ANALYZE)`) {
			if _, err := conn.Exec(ctx, sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return nil
	})
}

// countBudgets makes what is used of budgets what the ledger says.
const countBudgets = `
	UPDATE quotas q SET used = (SELECT coalesce(sum(l.amount), 0) FROM ledger l WHERE l.campaign_id = q.campaign_id AND l.unit = q.name)
	WHERE q.name IN ('stamp', 'point')`

// dropIndexes takes those away that no constraint needs, and gives what makes
// them again: all at once at the end is several times faster.
func dropIndexes(ctx context.Context, conn *pgx.Conn) (again []string, err error) {
	rows, err := conn.Query(ctx, `
		SELECT indexname, indexdef FROM pg_indexes
		WHERE schemaname = 'public' AND tablename IN ('ledger', 'purchases', 'purchase_items', 'enrollments')
		  AND indexname NOT IN (SELECT conname FROM pg_constraint)`)
	if err != nil {
		return nil, err
	}
	var names []string
	var name, definition string
	_, err = pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		names, again = append(names, name), append(again, definition)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if _, err := conn.Exec(ctx, `DROP INDEX `+pgx.Identifier{name}.Sanitize()); err != nil {
			return nil, err
		}
	}
	return again, nil
}

func newHistory(w *world) *history {
	scope := loyalty.Scope{Role: loyalty.RoleIntegration, Key: w.keyID}
	h := &history{
		world: w, random: mathrand.NewChaCha8([32]byte([]byte(rand.Text() + rand.Text())[:32])), actor: scope.Actor(),
		purchases: table{name: "purchases", columns: []string{"id", "shop_id", "person_id", "channel", "captured", "status", "total_cents", "actor", "receipt", "basis", "occurred_at", "recorded_at"}},
		items:     table{name: "purchase_items", columns: []string{"purchase_id", "line", "product_id", "quantity", "unit_price_cents", "price_estimated"}},
		ledger:    table{name: "ledger", columns: []string{"id", "enrollment_id", "campaign_id", "campaign_version", "kind", "unit", "amount", "balance", "purchase_id", "at"}},
		causes:    table{name: "causes", columns: []string{"scope", "key", "digest", "result_id", "created_at"}},
		enrollments: table{name: "enrollments", columns: []string{"id", "person_id", "campaign_id", "stamps", "points", "standing",
			"last_shop_id", "last_earned_at", "last_earned_on", "created_at"}},
	}
	return h
}

func (h *history) write(ctx context.Context, conn *pgx.Conn, purchases int, say func(string, ...any)) error {
	end := time.Now().UTC().Add(-time.Minute)
	begin := end.Add(-historySpan)
	for n := range cards {
		for i := range h.parts[n] {
			h.parts[n][i].id = loyalty.NewID(begin, h.random)
		}
	}
	for k := range purchases {
		at := begin.Add(time.Duration(float64(historySpan) * float64(k) / float64(purchases))).Truncate(time.Microsecond)
		if err := h.purchase(k, purchases, at); err != nil {
			return err
		}
		if (k+1)%chunk == 0 {
			if err := h.flush(ctx, conn); err != nil {
				return err
			}
			if (k+1)%(25*chunk) == 0 {
				say("  %d of %d purchases", k+1, purchases)
			}
		}
	}
	h.closeBooks(begin)
	return h.flush(ctx, conn)
}

func (h *history) flush(ctx context.Context, conn *pgx.Conn) error {
	for _, t := range []*table{&h.purchases, &h.items, &h.causes, &h.ledger, &h.enrollments} {
		if err := t.copyTo(ctx, conn); err != nil {
			return err
		}
	}
	return nil
}

// cardOf says which card makes a purchase, of so many in all.
func (h *history) cardOf(k, all int) int {
	if turn := k * h.fullPages / all; turn < (k+1)*h.fullPages/all {
		return viewedCard(turn % viewed)
	}
	return k * 7919 % cards // a prime: neighbours in time are not neighbours in the tables
}

// purchase adds one and what follows from it.
func (h *history) purchase(k, all int, at time.Time) error {
	n := h.cardOf(k, all)
	shop := h.shopOf(n)
	units := int64(1 + k%mostUnits)
	id := loyalty.NewID(at, h.random)
	sale := loyalty.Sale{
		At: at, Zone: zone, Shop: h.shop(shop),
		Lines: []loyalty.Line{{Product: h.product, Brand: h.brand, CPG: h.cpg, Quantity: units, UnitPrice: price}},
	}
	receipt := store.Receipt{
		ID: id, Status: "recorded", ShopCode: h.shopCodes[shop], CardCode: h.cardCodes[n], Channel: store.ChannelAPI, Captured: "scan",
		Items:      []store.ReceiptItem{{GTIN: gtin, Name: "Refresco 00 de 600 ml", Quantity: units, UnitPriceCents: price}},
		TotalCents: price * loyalty.Cents(units), OccurredAt: at,
	}
	basis, earned := h.judge(n, id, &sale)
	if len(earned) != campaigns {
		return fmt.Errorf("a purchase of the past earned in %d campaigns, not %d", len(earned), campaigns)
	}
	receipt.Earned = earned
	said, err := json.Marshal(receipt)
	if err != nil {
		return err
	}
	based, err := json.Marshal(basis)
	if err != nil {
		return err
	}
	h.purchases.add(id, sale.Shop, h.person(n), "api", "scan", "recorded", price*units, h.actor, said, based, at, at)
	h.items.add(id, 0, h.product, units, price, false)
	digest := sha256.Sum256(said)
	h.causes.add("purchase:"+h.actor, fmt.Sprintf("past-%032d", k), digest[:], id, at)
	return nil
}

// judge lets the rules say what it brought.
func (h *history) judge(n int, purchase loyalty.ID, sale *loyalty.Sale) (map[loyalty.ID]loyalty.Basis, []store.Earned) {
	candidates := make([]loyalty.Candidate, campaigns)
	for i := range candidates {
		p := &h.parts[n][i]
		candidates[i] = loyalty.Candidate{Campaign: &h.campaigns[i], Enrolled: true, Standing: p.standing, LastEarned: p.last}
	}
	basis := make(map[loyalty.ID]loyalty.Basis, campaigns)
	var earned []store.Earned
	for _, j := range loyalty.Evaluate(candidates, sale) {
		i := 0
		for h.campaigns[i].ID != j.Campaign.ID {
			i++
		}
		p, unit := &h.parts[n][i], j.Campaign.Scheme.Unit()
		basis[j.Campaign.ID] = loyalty.NewBasis(&candidates[i], sale, &j)
		p.balance += j.Amount(unit)
		p.standing, p.last = j.Standing, sale.At
		h.ledger.add(loyalty.NewID(sale.At, h.random), p.id, j.Campaign.ID, j.Campaign.Version, "earn", unit, j.Amount(unit), p.balance, purchase, sale.At)
		earned = append(earned, store.Earned{
			CampaignID: j.Campaign.ID, Campaign: j.Campaign.Name, Unit: unit, Amount: j.Amount(unit),
			Balance: p.balance, Goal: j.Campaign.Goal, RewardReady: p.balance >= j.Campaign.Goal,
		})
	}
	return basis, earned
}

// closeBooks writes down how every enrollment stands.
func (h *history) closeBooks(begin time.Time) {
	for n := range cards {
		for i := range h.parts[n] {
			p, c := &h.parts[n][i], &h.campaigns[i]
			var stamps, points int64
			if c.Scheme.Unit() == loyalty.Stamp {
				stamps = p.balance
			} else {
				points = p.balance
			}
			var standing, shop, last any
			if !p.last.IsZero() {
				standing, shop, last = p.standing, h.shop(h.shopOf(n)), p.last
			}
			h.enrollments.add(p.id, h.person(n), c.ID, stamps, points, standing, shop, last, last, begin)
		}
	}
}
