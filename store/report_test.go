package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// sale is a purchase as this test remembers it, to add it up in its own way.
type sale struct {
	shop     store.Shop
	person   loyalty.ID
	at       time.Time
	lines    []store.ReceiptItem
	earned   map[loyalty.ID]int64
	reversed bool
}

// day is the sale's date where it was made.
func (s sale) day(t *testing.T) time.Time { return dayIn(t, s.at, s.shop.TimeZone) }

func dayIn(t *testing.T, at time.Time, zone string) time.Time {
	l, err := time.LoadLocation(zone)
	require.NoError(t, err)
	y, m, d := at.In(l).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func monday(day time.Time) time.Time { return day.AddDate(0, 0, -int(day.Weekday()+6)%7) }

func (w *world) report(fn func(*store.Tx) error) {
	w.t.Helper()
	require.NoError(w.t, w.db.Report(w.t.Context(), fn))
}

// P12: reports say what a naive recomputation says: no sale counts twice for
// having two lines or two campaigns, and only PLIs count.
func TestPitfallP12ReportsAddUp(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	r := rand.New(rand.NewPCG(12, 2026)) //nolint:gosec // repeatable on purpose
	// Shops at both ends of the country, where a day begins at other hours.
	shops := []store.Shop{w.shop, w.otherShop}
	gtins := []string{w.gtin, w.otherGTIN}
	var plis []loyalty.ID
	var campaigns []store.Campaign
	w.do(func(tx *store.Tx) error {
		for _, zone := range []string{"America/Tijuana", "America/Cancun"} {
			s, err := tx.CreateShop(ctx, w.admin, store.ShopInput{Name: "Tienda de " + zone, City: "X", State: "Y", TimeZone: zone})
			require.NoError(t, err)
			shops = append(shops, s)
		}
		brands, _, err := tx.Brands(ctx, w.team(w.cpg), store.BrandFilter{}, everything)
		require.NoError(t, err)
		for i := range 3 {
			p, err := tx.CreateProduct(ctx, w.admin, store.ProductInput{
				Brand: brands[0].ID, GTIN: validGTIN(fmt.Sprintf("75012345000%d", i)), Name: fmt.Sprintf("Más %d", i), ReferencePrice: 1333,
			})
			require.NoError(t, err)
			gtins = append(gtins, string(p.GTIN))
		}
		products, _, err := tx.Products(ctx, w.team(w.cpg), store.ProductFilter{}, everything)
		require.NoError(t, err)
		for _, p := range products[:3] { // one product is in both campaigns, one in none
			plis = append(plis, p.ID)
		}
		return nil
	})
	points := loyalty.Terms{
		Name: "Puntos", Scheme: loyalty.Points, Goal: 50, Products: plis, AllShops: true,
		Earn:     []loyalty.Earn{{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 2}, {Unit: loyalty.Point, Per: loyalty.PerUnit, Amount: 1}},
		StartsAt: w.now().AddDate(0, 0, -25), EndsAt: w.now().AddDate(0, 0, -4), MarginBPS: 3333, Fee: 12_345,
	}
	w.clock.Advance(-25 * aDay) // it began, and ended, before now
	campaigns = append(campaigns, w.made(func(in *store.CampaignInput) {
		in.Terms, in.Rewards = points, []store.RewardInput{{Name: "Algo", Unit: loyalty.Point, Threshold: 10, Cost: 777}}
	}))
	w.clock.Advance(25 * aDay)
	w.do(func(tx *store.Tx) error {
		starts, chosen := w.now().AddDate(0, 0, -20), []loyalty.ID{shops[0].ID, shops[2].ID, shops[3].ID}
		stamps, err := tx.ChangeCampaign(ctx, w.admin, w.stamps, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.StartsAt, t.Shops = starts, chosen }})
		campaigns = append(campaigns, stamps)
		return err
	})
	ids := map[string]loyalty.ID{}
	w.do(func(tx *store.Tx) error {
		products, _, err := tx.Products(ctx, w.admin, store.ProductFilter{}, everything)
		for _, p := range products {
			ids[string(p.GTIN)] = p.ID
		}
		return err
	})
	people := []loyalty.ID{w.person}
	for i := range 4 {
		people = append(people, w.consumer(fmt.Sprintf("+52551234000%d", i)))
	}
	cards := map[loyalty.ID]string{}
	w.do(func(tx *store.Tx) error {
		for _, p := range people {
			_, code, err := tx.ChatLink(ctx, p)
			require.NoError(t, err)
			cards[p] = code
		}
		return nil
	})

	var sales []sale
	for i := range 150 {
		s := sale{
			shop: shops[r.IntN(len(shops))], person: people[r.IntN(len(people))], earned: map[loyalty.ID]int64{},
			at: w.now().Add(-time.Duration(r.IntN(28*24*60)) * time.Minute),
		}
		in := store.PurchaseInput{Key: fmt.Sprint(i), ShopCode: s.shop.Code, Code: cards[s.person], Channel: store.ChannelScan, OccurredAt: &s.at}
		for range 1 + r.IntN(4) { // the same product on two lines, too
			item := store.ItemInput{GTIN: gtins[r.IntN(len(gtins))], Quantity: 1 + r.Int64N(5)}
			if r.IntN(2) == 0 {
				price := r.Int64N(9999)
				item.UnitPriceCents = &price
			}
			in.Items = append(in.Items, item)
		}
		receipt, _, err := w.buyAs(w.admin, in)
		require.NoError(t, err)
		s.lines = receipt.Items
		for _, e := range receipt.Earned {
			s.earned[e.CampaignID] = e.Amount
		}
		// Some come back: whole, or one unit of a product.
		var back []store.ReversalItem
		if i%11 == 1 {
			back = []store.ReversalItem{{GTIN: s.lines[0].GTIN, Quantity: 1}}
			for n := range slices.Backward(s.lines) {
				if s.lines[n].GTIN == s.lines[0].GTIN {
					s.lines[n].Quantity--
					break
				}
			}
		}
		if i%11 < 2 {
			reversal, _, err := w.reverse(w.admin, receipt.ID, "", back...)
			require.NoError(t, err)
			s.reversed = reversal.Status == "reversed"
			for _, taken := range reversal.Taken {
				s.earned[taken.CampaignID] -= taken.Amount
			}
		}
		sales = append(sales, s)
	}
	// Rewards, delivered at one moment at both ends of the country.
	w.clock.Set(time.Date(2026, 3, 9, 6, 30, 0, 0, time.UTC)) // Sunday in Tijuana, Monday elsewhere
	type handing struct {
		campaign loyalty.ID
		shop     store.Shop
		cost     loyalty.Cents
	}
	var handed []handing
	for i, p := range people {
		for _, c := range campaigns {
			shop := shops[2+i%2]
			err := w.db.InTx(ctx, func(tx *store.Tx) error {
				d, err := tx.RequestRedemption(ctx, p, c.Rewards[0].ID)
				if err != nil || i == 0 { // one waits
					return err
				}
				if i == 1 && c.ID == w.stamps { // one thinks better of it
					_, err = tx.CancelRedemption(ctx, w.admin, d.Code)
					return err
				}
				_, err = tx.DeliverRedemption(ctx, w.admin, d.Code, shop.Code)
				return err
			})
			if code := loyalty.CodeOf(err); code == loyalty.CodeRewardNotReady || code == loyalty.CodeNotFound { // not enough, or no part in it
				continue
			}
			require.NoError(t, err)
			if i > 1 || i == 1 && c.ID != w.stamps {
				handed = append(handed, handing{c.ID, shop, c.Rewards[0].Cost})
			}
		}
	}
	require.NotEmpty(t, handed)
	for range 2 { // again is harmless, also for a part
		w.do(func(tx *store.Tx) error { return tx.RollupSales(ctx, time.Time{}) })
		w.do(func(tx *store.Tx) error { return tx.RollupSales(ctx, w.now().AddDate(0, 0, -r.IntN(9))) })
	}

	for _, c := range campaigns {
		for range 6 {
			from := dayIn(t, w.now(), "UTC").AddDate(0, 0, -r.IntN(30))
			to := from.AddDate(0, 0, r.IntN(30))
			var got store.ROIReport
			w.report(func(tx *store.Tx) (err error) {
				got, err = tx.ROI(ctx, w.team(w.cpg), c.ID, from, to)
				return err
			})
			within := func(day time.Time) bool { return !day.Before(from) && !day.After(to) }
			w.requireResults(c, from, to)

			want := store.ROIReport{Campaign: got.Campaign, From: from, To: to}
			consumers := map[loyalty.ID]bool{}
			weeks, shopUnits, productUnits := map[time.Time]store.ROIWeek{}, map[loyalty.ID]int64{}, map[loyalty.ID]int64{}
			week := func(day time.Time, add func(*store.ROIWeek)) {
				v := weeks[monday(day)]
				add(&v)
				weeks[monday(day)] = v
			}
			for _, s := range sales {
				day := s.day(t)
				takesPart := c.AllShops || slices.Contains(c.Terms.Shops, s.shop.ID)
				runs := !s.at.Before(c.StartsAt) && (c.EndsAt.IsZero() || s.at.Before(c.EndsAt))
				if s.reversed || !takesPart || !runs || !within(day) {
					continue
				}
				bought := false
				for _, l := range s.lines {
					if !slices.Contains(c.Products, ids[l.GTIN]) || l.Quantity == 0 {
						continue
					}
					bought = true
					revenue := l.UnitPriceCents * loyalty.Cents(l.Quantity)
					want.Revenue += revenue
					want.Units += l.Quantity
					if l.PriceEstimated {
						want.Estimated += revenue
					}
					shopUnits[s.shop.ID] += l.Quantity
					productUnits[ids[l.GTIN]] += l.Quantity
					week(day, func(v *store.ROIWeek) { v.Revenue += revenue; v.Units += l.Quantity })
				}
				if bought {
					want.Purchases++
					want.Given += s.earned[c.ID]
					consumers[s.person] = true
					week(day, func(v *store.ROIWeek) { v.Purchases++; v.Given += s.earned[c.ID] })
				}
			}
			for _, h := range handed {
				if day := dayIn(t, w.now(), h.shop.TimeZone); h.campaign == c.ID && within(day) {
					want.Redemptions++
					want.RewardsCost += h.cost
					week(day, func(v *store.ROIWeek) { v.Redemptions++; v.RewardsCost += h.cost })
				}
			}
			want.Consumers = int64(len(consumers))

			require.Equal(t, want.Revenue, got.Revenue)
			require.Equal(t, want.Estimated, got.Estimated)
			require.Equal(t, want.Units, got.Units)
			require.Equal(t, want.Purchases, got.Purchases)
			require.Equal(t, want.Given, got.Given)
			require.Equal(t, want.Consumers, got.Consumers)
			require.Equal(t, want.Redemptions, got.Redemptions)
			require.Equal(t, want.RewardsCost, got.RewardsCost)
			require.Len(t, got.ByWeek, int(monday(to).Sub(monday(from)).Hours()/24/7)+1)
			for _, v := range got.ByWeek {
				expected := weeks[dayIn(t, v.Monday, "UTC")]
				expected.Monday, expected.Consumers = v.Monday, v.Consumers
				require.Equal(t, expected, v)
			}
			for _, v := range got.ByShop {
				require.Equal(t, shopUnits[v.ID], v.Units)
				delete(shopUnits, v.ID)
			}
			require.Empty(t, shopUnits)
			for _, v := range got.ByProduct {
				require.Equal(t, productUnits[v.ID], v.Units)
				delete(productUnits, v.ID)
			}
			require.Empty(t, productUnits)

			// The formula, in floating point.
			fee := float64(c.Fee) * float64(got.FeeDays) / 7
			margin := float64(want.Revenue) * float64(c.MarginBPS) / 10_000
			require.InDelta(t, margin, float64(got.Margin), 0.5)
			require.InDelta(t, fee, float64(got.Fee), 0.5)
			if spent := got.RewardsCost + got.Fee; spent == 0 {
				require.Nil(t, got.ROI)
			} else {
				require.InDelta(t, float64(got.Margin-spent)/float64(spent)*10_000, float64(*got.ROI), 0.5)
			}
		}
	}

	w.verify()

	// The shop's digest counts whole tickets, without what came back.
	for _, shop := range shops {
		from, to := dayIn(t, w.now(), "UTC").AddDate(0, 0, -14), dayIn(t, w.now(), "UTC").AddDate(0, 0, -7)
		var got store.ShopDigest
		w.do(func(tx *store.Tx) (err error) {
			got, err = tx.ShopDigest(ctx, w.admin, shop.ID, from, to)
			return err
		})
		var total loyalty.Cents
		var purchases, units, stamps, points int64
		for _, s := range sales {
			if day := s.day(t); s.shop.ID != shop.ID || s.reversed || day.Before(from) || day.After(to) {
				continue
			}
			purchases++
			stamps += s.earned[w.stamps]
			points += s.earned[campaigns[0].ID]
			for _, l := range s.lines {
				units += l.Quantity
				total += l.UnitPriceCents * loyalty.Cents(l.Quantity)
			}
		}
		require.Equal(t, []int64{purchases, units, int64(total), stamps, points}, []int64{got.Purchases, got.Units, int64(got.Total), got.Stamps, got.Points})
	}
}

func TestTheFeeIsOfTheDaysOnWhichTheCampaignRan(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	now := time.Date(2026, 3, 30, 18, 0, 0, 0, time.UTC)
	day := func(d int) time.Time { return time.Date(2026, 3, d, 0, 0, 0, 0, time.UTC) }
	// The world's campaign runs from 4 March; dates are Mexico City's.
	report := func(from, to int) (r store.ROIReport) {
		w.do(func(tx *store.Tx) (err error) {
			r, err = tx.ROI(ctx, w.admin, w.stamps, day(from), day(to))
			return err
		})
		return r
	}
	w.clock.Set(now)
	require.Equal(t, 7, report(9, 15).FeeDays)
	require.EqualValues(t, 50000, report(9, 15).Fee)
	require.Equal(t, 4, report(1, 7).FeeDays, "from its first day")
	require.Equal(t, 2, report(29, 31).FeeDays, "until today")
	require.Zero(t, report(1, 3).FeeDays)
	require.Nil(t, report(1, 3).ROI, "nothing was spent")
	require.EqualValues(t, -10_000, *report(9, 9).ROI, "all of it lost")
	require.EqualValues(t, 7143, report(9, 9).Fee)

	// Ended on the 12th, whatever its dates had said.
	w.clock.Set(day(12).Add(18 * time.Hour))
	w.move(w.stamps, loyalty.Ended)
	w.clock.Set(now)
	require.Equal(t, 4, report(9, 15).FeeDays)

	err := w.db.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.ROI(ctx, w.admin, w.stamps, day(9), day(8))
		return err
	})
	require.Equal(t, []string{"to"}, fieldsOf(t, err))
}

func TestShopTodayIsTheShopsDay(t *testing.T) {
	w := newWorld(t, 4)
	tendero := loyalty.Scope{Role: loyalty.RoleTendero, Person: w.person, Shops: []loyalty.ID{w.shop.ID}}
	today := func() (d store.ShopDigest) {
		w.do(func(tx *store.Tx) (err error) {
			d, err = tx.ShopToday(t.Context(), tendero, w.shop.ID)
			return err
		})
		return d
	}
	w.clock.Set(time.Date(2026, 3, 7, 5, 59, 0, 0, time.UTC)) // 23:59 of the sixth
	_, _, err := w.buy("late", w.card, 3)
	require.NoError(t, err)
	d := today()
	require.EqualValues(t, []int64{1, 3, 3, 1}, []int64{d.Purchases, d.Units, d.Stamps, d.Consumers})
	require.EqualValues(t, 5550, d.Total)
	require.Equal(t, d.Total, d.Estimated)
	require.EqualValues(t, w.gtin, d.Products[0].GTIN)
	w.clock.Advance(time.Minute)
	require.Zero(t, today().Purchases)
}

// A report knows the purchase of a moment ago, and one that came late with its
// own day, without anybody having rolled up.
func TestAReportIsFreshWhenItIsRead(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	w.clock.Set(w.now().Add(20 * 24 * time.Hour))
	revenue := func() (cents loyalty.Cents) {
		w.clock.Advance(time.Second)
		w.report(func(tx *store.Tx) error {
			r, err := tx.ROI(ctx, w.admin, w.stamps, w.now().AddDate(0, 0, -30), w.now())
			cents = r.Revenue
			return err
		})
		return cents
	}
	require.Zero(t, revenue())
	_, _, err := w.buy("fresh-1", w.card, 2)
	require.NoError(t, err)
	require.Equal(t, loyalty.Cents(2*1850), revenue())
	_, _, err = w.buyAs(w.admin, w.purchaseOf("fresh-2", w.shop, w.gtin, w.now().AddDate(0, 0, -15)))
	require.NoError(t, err)
	require.Equal(t, loyalty.Cents(3*1850), revenue(), "a late purchase")
	require.NoError(t, w.db.CatchUpSales(ctx))
	require.Equal(t, loyalty.Cents(3*1850), revenue(), "catching up again changes nothing")
}
