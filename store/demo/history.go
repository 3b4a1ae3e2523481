package demo

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// people is how many consumers the demo has. They have no phones and never
// wrote: nothing is ever sent to them.
const people = 240

// table is rows on their way into the database.
type table struct {
	name    string
	columns []string
	rows    [][]any
}

func newTable(name string, columns ...string) table { return table{name: name, columns: columns} }

func (t *table) add(values ...any) { t.rows = append(t.rows, values) }

// history is eight weeks of life in the shops. What a purchase brings is judged
// by the domain's own rules, so that the ledger of the demo is a true one.
type history struct {
	catalogue
	*random
	start, now time.Time
	zone       *time.Location

	neighbours [][]int             // by shop: the shops of its city
	running    [][]*store.Campaign // by shop
	codes      map[string]bool

	persons, consumers, cards, relations, purchases, items, enrollments, redemptions, ledger, reorders, visits table

	related map[[2]loyalty.ID]bool // CPG and shop
}

// part is a consumer's part in a campaign.
type part struct {
	id, lastShop         loyalty.ID
	balance              map[loyalty.Unit]int64
	standing             loyalty.Standing
	createdAt, lastEarnt time.Time
	nextExpiry           *time.Time
}

// consumer is one of the people, and where they are in their story.
type consumer struct {
	id     loyalty.ID
	code   string
	home   int // shop
	cards  map[int]bool
	parts  map[loyalty.ID]*part
	habits []int // weight of each product
}

func newHistory(c catalogue, r *random, start, now time.Time, zone *time.Location) *history {
	h := &history{
		catalogue: c, random: r, start: start, now: now, zone: zone, codes: map[string]bool{}, related: map[[2]loyalty.ID]bool{},
		persons:   newTable("persons", "id", "name", "created_at", "updated_at"),
		consumers: newTable("consumers", "person_id", "card_code", "created_at"),
		relations: newTable("cpg_shops", "cpg_id", "shop_id", "source", "created_at", "updated_at"),
		cards:     newTable("cards", "id", "person_id", "shop_id", "created_at"),
		purchases: newTable("purchases", "id", "shop_id", "person_id", "channel", "captured", "status", "total_cents", "actor", "receipt", "basis", "occurred_at", "recorded_at"),
		items:     newTable("purchase_items", "purchase_id", "line", "product_id", "quantity", "unit_price_cents", "price_estimated"),
		enrollments: newTable("enrollments", "id", "person_id", "campaign_id", "stamps", "points",
			"standing", "last_shop_id", "last_earned_at", "last_earned_on", "next_expiry_at", "created_at"),
		redemptions: newTable("redemptions", "id", "code", "reward_id", "campaign_id", "enrollment_id", "person_id", "status", "amount", "unit",
			"cost_cents", "requested_at", "expires_at", "settled_at", "shop_id"),
		ledger: newTable("ledger", "id", "enrollment_id", "campaign_id", "campaign_version", "kind", "unit", "amount", "balance",
			"purchase_id", "redemption_id", "expires_at", "at"),
		reorders: newTable("reorders", "id", "shop_id", "person_id", "product_id", "quantity", "note", "created_at"),
		visits:   newTable("shop_visits", "shop_id", "day", "visits"),
	}
	for i, s := range c.shops {
		var near []int
		for j, other := range c.shops {
			if other.City == s.City && i != j {
				near = append(near, j)
			}
		}
		h.neighbours = append(h.neighbours, near)
		var runs []*store.Campaign
		for i := range c.campaigns {
			if v := &c.campaigns[i]; v.Status == loyalty.Active && (v.EveryShop || slices.Contains(v.Places, s.ID)) {
				runs = append(runs, v)
			}
		}
		h.running = append(h.running, runs)
	}
	return h
}

// save writes all of it, what is referred to first.
func (h *history) save(ctx context.Context, b store.Bulk) error {
	for _, t := range []table{
		h.persons, h.consumers, h.cards, h.relations, h.purchases, h.items, h.enrollments, h.redemptions, h.ledger, h.reorders, h.visits,
	} {
		if err := b.Copy(ctx, t.name, t.columns, t.rows); err != nil {
			return err
		}
	}
	return b.CountUsed(ctx)
}

// When people shop: by weekday, from Sunday, and by hour, from seven.
var (
	weekdays = [7]int{95, 80, 85, 85, 95, 130, 130}
	hours    = []int{5, 9, 9, 6, 5, 5, 7, 10, 9, 6, 7, 10, 13, 12, 7}
)

const firstHour = 7

// live lets everybody live. More and more people join as the weeks go by, and
// some are not seen again: the nudges are for them.
func (h *history) live() {
	const days = 7 * Weeks
	joins := make([]int, days)
	for d := range joins {
		joins[d] = 12 + d
	}
	joins[0] = 5 * days // who heard of it on the first day
	for range people {
		c, joined := h.join(), h.weighted(joins)
		last := days
		if h.chance(30) {
			last = joined + 3 + h.IntN(days)
		}
		eagerness := 12 + h.IntN(38) // chance of a purchase a day, in percent
		for day := joined; day <= min(last, days); day++ {
			date := h.start.In(h.zone).AddDate(0, 0, day)
			if day != joined && h.IntN(10_000) >= eagerness*weekdays[date.Weekday()] {
				continue
			}
			h.shop(c, date.Add(h.clock()))
		}
		h.leave(c)
	}
	h.tenderosOrder()
	h.countVisits()
}

// clock draws a time of day.
func (h *history) clock() time.Duration {
	hour := firstHour + h.weighted(hours)
	return time.Duration(hour)*time.Hour + time.Duration(h.IntN(3600_000))*time.Millisecond
}

func (h *history) id(at time.Time) loyalty.ID { return loyalty.NewID(at, h) }

// code draws a code that was not drawn before.
func (h *history) code(kind loyalty.CodeKind) string {
	for {
		if c := loyalty.NewCode(kind, h); !h.codes[c] {
			h.codes[c] = true
			return c
		}
	}
}

func (h *history) join() *consumer {
	custom := make([]int, len(shops))
	for i, s := range shops {
		custom[i] = s.custom
	}
	c := &consumer{
		home: h.weighted(custom), code: h.code(loyalty.CardCode),
		cards: map[int]bool{}, parts: map[loyalty.ID]*part{},
	}
	for _, p := range products {
		c.habits = append(c.habits, p.popularity*(1+h.IntN(4)))
	}
	return c
}

// shop is a visit to a shop with a purchase.
func (h *history) shop(c *consumer, at time.Time) {
	at = at.UTC()
	recorded := at.Add(time.Duration(500+h.IntN(2500)) * time.Millisecond)
	if !recorded.Before(h.now.Add(-10 * time.Minute)) {
		return // still to come
	}
	where := c.home
	if near := h.neighbours[where]; h.chance(12) {
		where = near[h.IntN(len(near))]
	}
	h.hold(c, where, at)

	receipt := store.Receipt{
		ID: h.id(recorded), Status: "recorded", ShopCode: h.shops[where].Code, CardCode: c.code, Channel: store.ChannelScan,
		Captured: "scan", Items: []store.ReceiptItem{}, Earned: []store.Earned{}, OccurredAt: at,
	}
	if h.chance(8) {
		receipt.Captured = "typed"
	}
	lines := h.basket(c, &receipt)
	for i, l := range lines {
		h.items.add(receipt.ID, i, l.Product, l.Quantity, l.UnitPrice, receipt.Items[i].PriceEstimated)
		if pair := [2]loyalty.ID{l.CPG, h.shops[where].ID}; !h.related[pair] {
			h.related[pair] = true
			h.relations.add(l.CPG, h.shops[where].ID, "sale", recorded, recorded)
		}
	}
	basis := h.earn(c, where, lines, &receipt, recorded)
	raw, err := json.Marshal(receipt)
	if err != nil {
		panic(err) // numbers and strings always marshal
	}
	h.purchases.add(receipt.ID, h.shops[where].ID, c.id, receipt.Channel, receipt.Captured, receipt.Status, receipt.TotalCents,
		"person:"+string(h.tenderos[where]), raw, basis, at, recorded)
	h.redeem(c, where, recorded.Add(2*time.Minute))
}

// hold sees to the consumer, the card and their beginning.
func (h *history) hold(c *consumer, where int, at time.Time) {
	if c.id == "" {
		c.id = h.id(at)
		name := firstNames[h.IntN(len(firstNames))] + " " + lastNames[h.IntN(len(lastNames))]
		h.persons.add(c.id, name, at, at)
		h.consumers.add(c.id, c.code, at)
	}
	if !c.cards[where] {
		c.cards[where] = true
		h.cards.add(h.id(at), c.id, h.shops[where].ID, at)
	}
}

// basket draws what is bought: one to three products, some of one twice.
func (h *history) basket(c *consumer, receipt *store.Receipt) []loyalty.Line {
	var lines []loyalty.Line
	bought := map[int]bool{}
	for range 1 + h.weighted([]int{62, 28, 10}) {
		n := h.weighted(c.habits)
		if bought[n] {
			continue
		}
		bought[n] = true
		p := h.products[n]
		quantity := int64(1 + h.weighted([]int{74, 18, 8}))
		price, estimated := p.ReferencePrice, h.chance(15)
		if !estimated { // shops differ by a peso or two
			price += loyalty.Cents(50 * (h.IntN(7) - 2))
		}
		lines = append(lines, loyalty.Line{Product: p.ID, Brand: p.Brand, CPG: p.CPG, Quantity: quantity, UnitPrice: price})
		receipt.TotalCents += price * loyalty.Cents(quantity)
		receipt.Items = append(receipt.Items, store.ReceiptItem{
			GTIN: string(p.GTIN), Name: p.Name, Quantity: quantity, UnitPriceCents: price, PriceEstimated: estimated,
		})
	}
	return lines
}

// earn lets the rules judge the purchase, and gives what they judged it on. A
// code that was typed has been confirmed since.
func (h *history) earn(c *consumer, where int, lines []loyalty.Line, receipt *store.Receipt, at time.Time) map[loyalty.ID]loyalty.Basis {
	sale := &loyalty.Sale{At: receipt.OccurredAt, Zone: h.zone, Shop: h.shops[where].ID, Lines: lines}
	candidates := make([]loyalty.Candidate, len(h.running[where]))
	for i, v := range h.running[where] {
		candidates[i].Campaign = &v.Campaign
		if p := c.parts[v.ID]; p != nil {
			candidates[i].Enrolled, candidates[i].Standing, candidates[i].LastEarned = true, p.standing, p.lastEarnt
		}
	}
	basis := map[loyalty.ID]loyalty.Basis{}
	for _, j := range loyalty.Evaluate(candidates, sale) {
		if !j.Earned() {
			continue
		}
		v := j.Campaign
		of := slices.IndexFunc(candidates, func(c loyalty.Candidate) bool { return c.Campaign == v })
		basis[v.ID] = loyalty.NewBasis(&candidates[of], sale, &j)
		p := c.parts[v.ID]
		if p == nil {
			p = &part{id: h.id(at), createdAt: at, balance: map[loyalty.Unit]int64{}}
			c.parts[v.ID] = p
		}
		p.standing, p.lastShop, p.lastEarnt = j.Standing, sale.Shop, receipt.OccurredAt
		var ends *time.Time
		if v.Expiry != nil {
			end := receipt.OccurredAt.AddDate(0, 0, int(v.Expiry.Days))
			if ends = &end; p.nextExpiry == nil {
				p.nextExpiry = ends
			}
		}
		for _, u := range v.Scheme.Units() {
			amount := j.Amount(u)
			if amount == 0 {
				continue
			}
			p.balance[u] += amount
			h.ledger.add(h.id(at), p.id, v.ID, v.Version, "earn", u, amount, p.balance[u], receipt.ID, nil, ends, at)
			receipt.Earned = append(receipt.Earned, store.Earned{
				CampaignID: v.ID, Campaign: v.Name, Unit: u, Amount: amount, Balance: p.balance[u],
				Goal: v.GoalOf(u), RewardReady: p.balance[u] >= h.campaign(v.ID).Rewards[0].Threshold,
			})
		}
	}
	return basis
}

func (h *history) campaign(id loyalty.ID) store.Campaign {
	return h.campaigns[slices.IndexFunc(h.campaigns, func(v store.Campaign) bool { return v.ID == id })]
}

// redeem takes a reward where there is one, and not everybody at once.
func (h *history) redeem(c *consumer, where int, at time.Time) {
	for _, v := range h.running[where] {
		p := c.parts[v.ID]
		if p == nil || at.Sub(p.lastEarnt) > time.Hour {
			continue
		}
		for i, reward := range slices.Backward(v.Rewards) {
			settled := at.Add(time.Duration(30+h.IntN(90)) * time.Second)
			if p.balance[reward.Unit] < reward.Threshold || i == 0 && !h.chance(60) || !settled.Before(h.now) ||
				v.Tiers.Rank(p.standing.Tier.Level) < v.Tiers.Rank(reward.MinTier) {
				continue
			}
			p.balance[reward.Unit] -= reward.Threshold
			id := h.id(at)
			h.redemptions.add(id, h.code(loyalty.RedemptionCode), reward.ID, v.ID, p.id, c.id, "delivered", reward.Threshold, reward.Unit,
				reward.Cost, at, at.AddDate(0, 0, reward.CodeDays), settled, h.shops[where].ID)
			h.ledger.add(h.id(at), p.id, v.ID, v.Version, "redeem", reward.Unit, -reward.Threshold, p.balance[reward.Unit], nil, id, nil, at)
			break
		}
	}
}

// leave writes down where the consumer stands at the end.
func (h *history) leave(c *consumer) {
	for _, v := range h.campaigns { // in order, for a map has none
		p := c.parts[v.ID]
		if p == nil {
			continue
		}
		standing, err := json.Marshal(p.standing)
		if err != nil {
			panic(err) // numbers and texts always marshal
		}
		h.enrollments.add(p.id, c.id, v.ID, p.balance[loyalty.Stamp], p.balance[loyalty.Point], standing,
			p.lastShop, p.lastEarnt, p.lastEarnt, p.nextExpiry, p.createdAt)
	}
}

// tenderosOrder: who sold well asks for more.
func (h *history) tenderosOrder() {
	const orders = 16
	for i := range orders {
		ago := time.Duration(orders-i) * 36 * time.Hour
		at := h.now.Add(-ago - time.Duration(h.IntN(6*3600))*time.Second)
		where := i * 5 % len(h.shops)
		var product, quantity any // nil: all that was sold lately
		if i%4 != 0 {
			product, quantity = h.products[h.IntN(len(h.products))].ID, 6*(1+h.IntN(6))
		}
		h.reorders.add(h.id(at), h.shops[where].ID, h.tenderos[where], product, quantity, "", at)
	}
}

// countVisits: more counter QRs are opened as word gets around.
func (h *history) countVisits() {
	today := h.now.In(h.zone)
	for i, s := range h.shops {
		for day := range 7*Weeks + 1 {
			date := h.start.In(h.zone).AddDate(0, 0, day)
			n := (shops[i].custom*(30+day)*weekdays[date.Weekday()]/100 + h.IntN(400)) / 300
			if n > 0 && !date.After(today) {
				h.visits.add(s.ID, time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, time.UTC), n)
			}
		}
	}
}
