package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/migrations"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// The size of the world, which history does not change.
const (
	cards     = 10_000
	shops     = 50
	products  = 20 // of which the first is sold
	campaigns = 3  // that it earns in
	mostUnits = 3  // of a purchase
	price     = 1850
	gtin      = "7501055300075"
)

var campaignNames = [campaigns]string{"Sellos de medición", "Puntos entre semana", "Puntos con niveles"}

// zone is that of all shops.
var zone = loyalty.Zone(loyalty.DefaultTimeZone)

// world is who buys what where: the same in every database of a run.
type world struct {
	key       string // of the API
	keyID     loyalty.ID
	secret    string // of the server
	cpg       loyalty.ID
	brand     loyalty.ID
	product   loyalty.ID
	campaigns [campaigns]loyalty.Campaign
	shopCodes [shops]string
	cardCodes [cards]string
	pagePaths [cards]string // of the consumers' own pages
	fullPages int           // purchases that histories have more, for the pages that are viewed
}

// Rows that pgbench has to name have IDs that it can write down: a prefix and
// twelve digits.
const (
	idPrefix    = "00000000-0000-7000-8000-"
	firstPerson = 100_000_000_000
	firstShop   = 200_000_000_000
	firstOther  = 300_000_000_000
)

func plainID(n int) loyalty.ID { return loyalty.ID(fmt.Sprintf("%s%012d", idPrefix, n)) }

func (w *world) person(n int) loyalty.ID { return plainID(firstPerson + n) }
func (w *world) shop(n int) loyalty.ID   { return plainID(firstShop + n) }

// shopOf is where a card was made, and mostly buys.
func (w *world) shopOf(card int) int { return card % shops }

// makeWorld fills an empty database with all but history.
func makeWorld(ctx context.Context, url string, o options) (*world, error) {
	if err := migrations.Up(ctx, url); err != nil {
		return nil, err
	}
	w := &world{secret: rand.Text() + rand.Text()}
	db, err := store.Open(ctx, store.Options{URL: url, Now: time.Now, Random: rand.Reader, Secret: []byte(w.secret), PublicURL: publicURL})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	err = connected(ctx, url, func(conn *pgx.Conn) error { return w.people(ctx, conn) })
	if err != nil {
		return nil, err
	}
	return w, db.InTx(ctx, func(tx *store.Tx) error {
		if err := w.trade(ctx, tx, o); err != nil {
			return err
		}
		var k store.APIKey
		if w.key, k, err = tx.CreateAPIKey(ctx, loyalty.System(), "Medición"); err != nil {
			return err
		}
		w.keyID = k.ID
		for n := range cards {
			link, _, err := tx.ChatLink(ctx, w.person(n))
			if err != nil {
				return err
			}
			w.pagePaths[n] = strings.TrimPrefix(link, publicURL)
		}
		return nil
	})
}

// people makes the shops, and the consumers with their cards. All have written
// before, so that the bot may write to them.
func (w *world) people(ctx context.Context, conn *pgx.Conn) error {
	born := time.Now().Add(-historySpan).UTC()
	var shopRows, persons, addresses, consumers, members [][]any
	for n, code := range codes(loyalty.ShopCode, shops) {
		w.shopCodes[n] = code
		name := fmt.Sprintf("Abarrotes %03d", n)
		shopRows = append(shopRows, []any{w.shop(n), code, name, strings.ToLower(name), "tiendita", "Puebla", "Puebla", born, born})
	}
	for n, code := range codes(loyalty.CardCode, cards) {
		w.cardCodes[n] = code
		persons = append(persons, []any{w.person(n), fmt.Sprintf("Cliente %05d", n), born, born, born, born})
		addresses = append(addresses, []any{plainID(firstOther + n), fmt.Sprintf("+52551%07d", n), "phone", w.person(n), born})
		consumers = append(consumers, []any{w.person(n), code, born})
		members = append(members, []any{plainID(firstOther + n), w.person(n), w.shop(w.shopOf(n)), born})
	}
	for _, t := range []table{
		{"shops", []string{"id", "code", "name", "search_name", "kind", "city", "state", "created_at", "updated_at"}, shopRows},
		{"persons", []string{"id", "name", "first_wrote_at", "last_wrote_at", "created_at", "updated_at"}, persons},
		{"addresses", []string{"id", "address", "kind", "person_id", "created_at"}, addresses},
		{"consumers", []string{"person_id", "card_code", "created_at"}, consumers},
		{"cards", []string{"id", "person_id", "shop_id", "created_at"}, members},
	} {
		if err := t.copyTo(ctx, conn); err != nil {
			return err
		}
	}
	return nil
}

// codes draws so many different ones.
func codes(kind loyalty.CodeKind, n int) []string {
	all, drawn := make([]string, 0, n), make(map[string]bool, n)
	for len(all) < n {
		if code := loyalty.NewCode(kind, rand.Reader); !drawn[code] {
			drawn[code], all = true, append(all, code)
		}
	}
	return all
}

// trade makes what is sold, and the campaigns in which it earns.
func (w *world) trade(ctx context.Context, tx *store.Tx, o options) error {
	admin := loyalty.System()
	cpg, err := tx.CreateCPG(ctx, admin, store.CPGInput{Name: "Bebidas de Medición"})
	if err != nil {
		return err
	}
	brand, err := tx.CreateBrand(ctx, admin, store.BrandInput{CPG: cpg.ID, Name: "Medición"})
	if err != nil {
		return err
	}
	var all []loyalty.ID
	for n := range products {
		code := gtin
		if n > 0 {
			code = withCheckDigit(fmt.Sprintf("750999%06d", n))
		}
		p, err := tx.CreateProduct(ctx, admin, store.ProductInput{Brand: brand.ID, GTIN: code, Name: fmt.Sprintf("Refresco %02d de 600 ml", n), ReferencePrice: price})
		if err != nil {
			return err
		}
		all = append(all, p.ID)
	}
	w.cpg, w.brand, w.product = cpg.ID, brand.ID, all[0]
	for i, terms := range w.terms(all, o) {
		terms.Enrolment, terms.AllShops, terms.Products = loyalty.Automatic, true, all
		terms.StartsAt = tx.Now().Add(-2 * historySpan)
		terms.MarginBPS, terms.Fee, terms.NudgeQuietDays, terms.NudgeGapDays = 3500, 50_000, 5, 7
		c, err := tx.CreateCampaign(ctx, admin, store.CampaignInput{
			CPG: cpg.ID, Status: loyalty.Active, Terms: terms, Reason: "Medición",
			Rewards: []store.RewardInput{{Name: "Un refresco gratis", Unit: terms.Scheme.Unit(), Threshold: terms.Goal, Cost: 1200}},
		})
		if err != nil {
			return err
		}
		w.campaigns[i] = c.Campaign
	}
	return nil
}

// terms are three campaigns whose limits are counted and never reached, so that
// every purchase of a run earns in each.
func (w *world) terms(products []loyalty.ID, o options) [campaigns]loyalty.Terms {
	const plenty = 100_000_000
	limits := func(u loyalty.Unit) []loyalty.Limit {
		return []loyalty.Limit{
			{ID: "purchase", Unit: u, Max: 1000, Period: loyalty.EachPurchase},
			{ID: "day", Unit: u, Max: plenty, Period: loyalty.EachDay},
			{ID: "life", Unit: u, Max: plenty, Period: loyalty.Lifetime},
		}
	}
	stamps := loyalty.Terms{
		Name: campaignNames[0], Scheme: loyalty.Stamps, Goal: 10, Limits: limits(loyalty.Stamp),
		Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}},
	}
	perPeso := []loyalty.Earn{{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1}}
	points := loyalty.Terms{
		Name: campaignNames[1], Scheme: loyalty.Points, Goal: 300, Limits: limits(loyalty.Point), Earn: perPeso,
		// Between them they are open all week: the day of a run makes no difference.
		Boosts: []loyalty.Boost{
			{Name: "Entre semana", Percent: 150, When: loyalty.When{Weekdays: []time.Weekday{1, 2, 3, 4, 5}}},
			{Name: "Fin de semana", Percent: 150, When: loyalty.When{Weekdays: []time.Weekday{0, 6}, Products: products[:1]}},
		},
	}
	tiers := loyalty.Terms{
		Name: campaignNames[2], Scheme: loyalty.Points, Goal: 500, Limits: limits(loyalty.Point), Earn: perPeso,
		Tiers: &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{
			{Name: "Plata", Earned: 600, Discount: "Hielo gratis"},
			{Name: "Oro", Earned: 1500, Percent: 150, Discount: "Hielo gratis"},
		}},
	}
	if o.budget {
		points.Budget = &loyalty.Budget{Points: 1_000_000_000}
	}
	return [campaigns]loyalty.Terms{stamps, points, tiers}
}

// withCheckDigit completes twelve digits to a GTIN-13.
func withCheckDigit(digits string) string {
	sum := 0
	for i, d := range []byte(digits) {
		n := int(d - '0')
		if i%2 == 1 {
			n *= 3
		}
		sum += n
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}
