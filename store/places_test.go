package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// rows are the PLIs and the shops of a campaign as SQL asks for them, named.
func (w *world) rows(campaign loyalty.ID) (plis, shops []string) {
	w.t.Helper()
	c := w.read(campaign)
	w.do(func(tx *store.Tx) error {
		for _, id := range c.PLIs {
			p, err := tx.Product(w.t.Context(), w.admin, id)
			require.NoError(w.t, err)
			plis = append(plis, p.Name)
		}
		for _, id := range c.Places {
			s, err := tx.Shop(w.t.Context(), w.admin, id)
			require.NoError(w.t, err)
			shops = append(shops, s.Name)
		}
		return nil
	})
	slices.Sort(plis)
	slices.Sort(shops)
	if c.EveryShop {
		require.Empty(w.t, shops)
		shops = []string{"todas"}
	}
	return plis, shops
}

func (w *world) newShop(name, kind, city, state string) (s store.Shop) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		s, err = tx.CreateShop(w.t.Context(), w.admin, store.ShopInput{Name: name, Kind: kind, City: city, State: state})
		return err
	})
	return s
}

func (w *world) newProduct(brand loyalty.ID, name, gtin string) (p store.Product) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		p, err = tx.CreateProduct(w.t.Context(), w.admin, store.ProductInput{Brand: brand, GTIN: validGTIN(gtin), Name: name, ReferencePrice: 1000})
		return err
	})
	return p
}

func (w *world) brandOf(product loyalty.ID) (brand loyalty.ID) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		p, err := tx.Product(w.t.Context(), w.admin, product)
		brand = p.Brand
		return err
	})
	return brand
}

// foreign is a product of the other CPG.
func (w *world) foreign() (id loyalty.ID) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		products, _, err := tx.Products(w.t.Context(), w.team(w.otherCPG), store.ProductFilter{}, everything)
		id = products[0].ID
		return err
	})
	return id
}

// However a campaign names its products, the rows are those that the engine would
// let earn; a product that comes later is in at once.
func TestPLIsAreMadeFromTheTerms(t *testing.T) {
	w := newWorld(t, 4)
	brand := w.brandOf(w.product)
	second := w.newProduct(brand, "Segundo", "750100000001")
	later := map[loyalty.ID][]string{}
	for name, c := range map[string]struct {
		terms        func(*loyalty.Terms)
		before, then []string
	}{
		"listed":         {func(*loyalty.Terms) {}, []string{"Producto Refrescos del Valle"}, []string{"Producto Refrescos del Valle"}},
		"a brand's":      {func(t *loyalty.Terms) { t.Products, t.Brands = nil, []loyalty.ID{brand} }, []string{"Producto Refrescos del Valle", "Segundo"}, []string{"Producto Refrescos del Valle", "Segundo", "Tercero"}},
		"all of the CPG": {func(t *loyalty.Terms) { t.Products, t.AllProducts = nil, true }, []string{"Producto Refrescos del Valle", "Segundo"}, []string{"Producto Refrescos del Valle", "Segundo", "Tercero"}},
		"a brand's but one": {func(t *loyalty.Terms) {
			t.Products, t.Brands, t.ExcludedProducts = nil, []loyalty.ID{brand}, []loyalty.ID{second.ID}
		}, []string{"Producto Refrescos del Valle"}, []string{"Producto Refrescos del Valle", "Tercero"}},
		"a brand's, and one more": {func(t *loyalty.Terms) { t.Brands = []loyalty.ID{brand} }, []string{"Producto Refrescos del Valle", "Segundo"}, []string{"Producto Refrescos del Valle", "Segundo", "Tercero"}},
	} {
		made := w.made(func(in *store.CampaignInput) { c.terms(&in.Terms) })
		plis, _ := w.rows(made.ID)
		require.Equal(t, c.before, plis, name)
		later[made.ID] = c.then
	}
	w.newProduct(brand, "Tercero", "750100000002")
	w.newProduct(w.brandOf(w.foreign()), "De otra", "750100000003")
	for campaign, want := range later {
		plis, _ := w.rows(campaign)
		require.Equal(t, want, plis)
	}
}

// However a campaign names its shops, the rows are those that the engine would
// let earn.
func TestShopsAreMadeFromTheTerms(t *testing.T) {
	w := newWorld(t, 4)
	paty := w.newShop("Mini Súper Paty", "minisuper", "Guadalajara", "Jalisco")
	ana := w.newShop("Doña Ana", "tiendita", "Zapopan", "JALISCO")
	for name, c := range map[string]struct {
		terms func(*loyalty.Terms)
		want  []string
	}{
		"all":                {func(t *loyalty.Terms) { t.AllShops = true }, []string{"todas"}},
		"all but one":        {func(t *loyalty.Terms) { t.AllShops, t.ExcludedShops = true, []loyalty.ID{w.shop.ID} }, []string{"Doña Ana", "La Esquina", "Mini Súper Paty"}},
		"listed":             {func(t *loyalty.Terms) { t.Shops = []loyalty.ID{paty.ID, w.shop.ID} }, []string{"Abarrotes Lupita", "Mini Súper Paty"}},
		"of a kind":          {func(t *loyalty.Terms) { t.ShopKinds = []string{"tiendita"} }, []string{"Abarrotes Lupita", "Doña Ana", "La Esquina"}},
		"of a state":         {func(t *loyalty.Terms) { t.States = []string{"jalisco"} }, []string{"Doña Ana", "La Esquina", "Mini Súper Paty"}},
		"of a city":          {func(t *loyalty.Terms) { t.Cities = []string{"ciudad de mexico"} }, []string{"Abarrotes Lupita"}},
		"of a kind there":    {func(t *loyalty.Terms) { t.ShopKinds, t.Cities = []string{"tiendita"}, []string{"Guadalajara"} }, []string{"La Esquina"}},
		"of a state but one": {func(t *loyalty.Terms) { t.States, t.ExcludedShops = []string{"Jalisco"}, []loyalty.ID{ana.ID} }, []string{"La Esquina", "Mini Súper Paty"}},
	} {
		made := w.made(func(in *store.CampaignInput) { in.Terms.Shops = nil; c.terms(&in.Terms) })
		_, shops := w.rows(made.ID)
		require.Equal(t, c.want, shops, name)
	}
}

// A shop that comes, or moves to another city, is in and out of campaigns at once,
// for the rules and for the reports alike.
func TestAShopThatComesOrMovesTakesPartElsewhere(t *testing.T) {
	w := newWorld(t, 4)
	c := w.made(func(in *store.CampaignInput) {
		in.Terms.Shops, in.Terms.Cities = []loyalty.ID{w.otherShop.ID}, []string{"Puebla"}
	})
	moving := w.newShop("La que se muda", "tiendita", "Puebla", "Puebla")
	_, shops := w.rows(c.ID)
	require.Equal(t, []string{"La Esquina", "La que se muda"}, shops)
	earns := func(key string) bool {
		r, _, err := w.buyAs(w.admin, w.purchaseOf(key, moving, w.gtin, w.now()))
		require.NoError(t, err)
		return len(r.Earned) == 1
	}
	require.True(t, earns("in Puebla"))
	city := "Cholula"
	w.do(func(tx *store.Tx) error {
		_, err := tx.UpdateShop(t.Context(), w.admin, moving.ID, store.ShopPatch{City: &city})
		return err
	})
	_, shops = w.rows(c.ID)
	require.Equal(t, []string{"La Esquina"}, shops)
	require.False(t, earns("in Cholula"))
}

// A relation that was ended keeps the shop out of all the CPG's campaigns, also of
// those for all shops, and of no other's.
func TestAnEndedRelationKeepsTheShopOut(t *testing.T) {
	w := newWorld(t, 4)
	all := w.made(func(in *store.CampaignInput) { in.Terms.Shops, in.Terms.AllShops = nil, true })
	relate := func(active bool) {
		w.do(func(tx *store.Tx) error {
			r, err := tx.RelateShop(t.Context(), w.team(w.cpg), w.cpg, w.shop.ID, active)
			require.Equal(t, active, r.Active)
			return err
		})
	}
	relate(false)
	_, shops := w.rows(all.ID)
	require.Equal(t, []string{"La Esquina"}, shops)
	_, shops = w.rows(w.stamps)
	require.Empty(t, shops)
	r, _, err := w.buy("without", w.card, 1)
	require.NoError(t, err)
	require.Empty(t, r.Earned)
	w.do(func(tx *store.Tx) error {
		mine, _, err := tx.CPGShops(t.Context(), w.team(w.cpg), w.cpg, everything)
		require.NoError(t, err)
		require.Len(t, mine, 1, "a sale does not make it anew")
		require.False(t, mine[0].Active)
		return nil
	})
	relate(true)
	_, shops = w.rows(all.ID)
	require.Equal(t, []string{"todas"}, shops)
	r, _, err = w.buy("with", w.card, 1)
	require.NoError(t, err)
	require.Len(t, r.Earned, 2)
	require.Equal(t, loyalty.CodeInvalid, w.fails(func(tx *store.Tx) error {
		_, err := tx.RelateShop(t.Context(), w.admin, w.cpg, w.person, true)
		return err
	}))
}

// Even if the code were wrong, the database lets no other CPG's product into a
// campaign.
func TestTheDatabaseKeepsForeignProductsOut(t *testing.T) {
	w := newWorld(t, 4)
	require.NotEmpty(t, w.foreign())
	for name, owner := range map[string]loyalty.ID{"as the campaign's": w.cpg, "as its own": w.otherCPG} {
		err := w.exec(`INSERT INTO campaign_products (campaign_id, cpg_id, product_id) SELECT $1, $2, id FROM products WHERE cpg_id = $3`, w.stamps, owner, w.otherCPG)
		require.ErrorContains(t, err, "foreign key", name)
	}
	err := w.exec(`INSERT INTO campaign_products (campaign_id, shop_id, product_id) SELECT $1, $2, id FROM products WHERE cpg_id = $3`, w.stamps, w.shop.ID, w.otherCPG)
	require.ErrorContains(t, err, "foreign key", "nor as if a shop owned it")
}

// By invitation: who is aimed at takes part once the shop accepted, and no more
// when it left.
func TestAnInvitedShopTakesPartOnceItAccepted(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	c := w.made(func(in *store.CampaignInput) {
		in.Terms.Joining, in.Terms.Shops = loyalty.JoinByInvitation, nil
		in.Terms.States = []string{"CDMX"}
	})
	own, keeper, stranger := w.team(w.cpg), w.keeper(w.shop.ID), w.keeper(w.otherShop.ID)
	do := func(what func(*store.Tx) (store.Participant, error)) (status store.ParticipantStatus, code loyalty.Code) {
		code = w.fails(func(tx *store.Tx) error {
			p, err := what(tx)
			status = p.Status
			return err
		})
		return status, code
	}
	invite := func(scope loyalty.Scope, shop loyalty.ID) (store.ParticipantStatus, loyalty.Code) {
		return do(func(tx *store.Tx) (store.Participant, error) { return tx.InviteShop(ctx, scope, c.ID, shop) })
	}
	answer := func(scope loyalty.Scope, yes bool) (store.ParticipantStatus, loyalty.Code) {
		return do(func(tx *store.Tx) (store.Participant, error) {
			return tx.AnswerInvitation(ctx, scope, c.ID, w.shop.ID, yes)
		})
	}
	leave := func(scope loyalty.Scope) (store.ParticipantStatus, loyalty.Code) {
		return do(func(tx *store.Tx) (store.Participant, error) { return tx.LeaveCampaign(ctx, scope, c.ID, w.shop.ID) })
	}
	is := func(status store.ParticipantStatus, code loyalty.Code) func(store.ParticipantStatus, loyalty.Code) {
		return func(gotStatus store.ParticipantStatus, gotCode loyalty.Code) {
			t.Helper()
			require.Equal(t, status, gotStatus)
			require.Equal(t, code, gotCode)
		}
	}
	earns := func() bool {
		r, _, err := w.buy("at "+w.clock.Advance(time.Minute).String(), w.card, 1)
		require.NoError(t, err)
		return len(r.Earned) == 2
	}
	_, shops := w.rows(c.ID)
	require.Empty(t, shops)
	require.False(t, earns())

	is("", loyalty.CodeCampaignNotFound)(answer(keeper, true)) // nobody invited it
	is("", loyalty.CodeInvalid)(invite(own, w.otherShop.ID))   // not aimed at
	is("", loyalty.CodeForbidden)(invite(keeper, w.shop.ID))   // by itself
	is(store.Invited, "")(invite(own, w.shop.ID))
	is(store.Invited, "")(invite(w.admin, w.shop.ID))
	require.False(t, earns())
	w.do(func(tx *store.Tx) error {
		mine, err := tx.CampaignsToJoin(ctx, keeper)
		require.NoError(t, err)
		require.Len(t, mine, 1)
		require.Equal(t, store.Invited, mine[0].Status)
		require.Equal(t, "Otra", mine[0].Campaign.Name)
		require.Zero(t, mine[0].Campaign.Rewards[0].Cost)
		none, err := tx.CampaignsToJoin(ctx, stranger)
		require.NoError(t, err)
		require.Empty(t, none)
		listed, _, err := tx.Participants(ctx, stranger, c.ID, "", everything)
		require.NoError(t, err)
		require.Empty(t, listed)
		listed, _, err = tx.Participants(ctx, keeper, c.ID, store.Invited, everything)
		require.NoError(t, err)
		require.Len(t, listed, 1)
		require.Equal(t, w.shop.Code, listed[0].ShopCode)
		return nil
	})
	is("", loyalty.CodeForbidden)(answer(stranger, true))
	is("", loyalty.CodeForbidden)(answer(own, true)) // a brand does not answer for shops
	is(store.Declined, "")(answer(keeper, false))
	require.False(t, earns())
	is(store.Joined, "")(answer(keeper, true))
	is(store.Joined, "")(answer(keeper, true))
	require.True(t, earns())
	_, shops = w.rows(c.ID)
	require.Equal(t, []string{"Abarrotes Lupita"}, shops)

	w.move(c.ID, loyalty.Paused)
	is(store.Left, "")(leave(keeper))
	is(store.Left, "")(leave(keeper))
	w.move(c.ID, loyalty.Active)
	require.False(t, earns())
	is("", loyalty.CodeCampaignNotFound)(answer(keeper, true)) // it has to be invited again
	is(store.Invited, "")(invite(own, w.shop.ID))
	w.verify()
}

// By itself: a shop that is aimed at joins and leaves as it likes.
func TestAShopJoinsByItself(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	c := w.made(func(in *store.CampaignInput) { in.Terms.Joining = loyalty.JoinBySelf })
	join := func(scope loyalty.Scope, campaign, shop loyalty.ID) loyalty.Code {
		return w.fails(func(tx *store.Tx) error { _, err := tx.JoinCampaign(ctx, scope, campaign, shop); return err })
	}
	keeper := w.keeper(w.shop.ID)
	w.do(func(tx *store.Tx) error {
		open, err := tx.CampaignsToJoin(ctx, keeper)
		require.NoError(t, err)
		require.Len(t, open, 1)
		require.Empty(t, open[0].Status)
		return nil
	})
	require.Equal(t, loyalty.CodeInvalid, join(w.keeper(w.otherShop.ID), c.ID, w.otherShop.ID), "not aimed at")
	require.Equal(t, loyalty.CodeForbidden, join(keeper, c.ID, w.otherShop.ID))
	require.Equal(t, loyalty.CodeConflict, join(keeper, w.stamps, w.shop.ID), "there all take part at once")
	require.Equal(t, loyalty.CodeCampaignNotFound, join(keeper, w.draft().ID, w.shop.ID))
	require.Equal(t, loyalty.CodeConflict, w.fails(func(tx *store.Tx) error {
		_, err := tx.LeaveCampaign(ctx, keeper, c.ID, w.shop.ID)
		return err
	}))
	require.Empty(t, join(keeper, c.ID, w.shop.ID))
	r, _, err := w.buy("joined", w.card, 1)
	require.NoError(t, err)
	require.Len(t, r.Earned, 2)
	w.do(func(tx *store.Tx) error {
		_, err := tx.LeaveCampaign(ctx, keeper, c.ID, w.shop.ID)
		require.NoError(t, err)
		open, err := tx.CampaignsToJoin(ctx, keeper)
		require.NoError(t, err)
		require.Len(t, open, 1, "it may come back")
		return nil
	})
	r, _, err = w.buy("left", w.card, 1)
	require.NoError(t, err)
	require.Len(t, r.Earned, 1)
}

// Whatever of products, shops, relations and terms changes at once, the rows are
// in the end those of the terms, and nobody waits for another for ever.
func TestRowsFollowTheTermsWhateverChangesAtOnce(t *testing.T) {
	w := newWorld(t, 8)
	brand := w.brandOf(w.product)
	w.newShop("La primera", "tiendita", "Puebla", "Puebla")
	all := func(in *store.CampaignInput) {
		in.Terms.Products, in.Terms.Brands, in.Terms.Shops, in.Terms.Cities = nil, []loyalty.ID{brand}, nil, []string{"Puebla"}
	}
	c, puebla := w.made(all), w.made(all)
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for n := range 5 {
				err := w.db.InTx(t.Context(), func(tx *store.Tx) (err error) {
					name := fmt.Sprintf("%d-%d", g, n)
					switch g {
					case 0, 1:
						_, err = tx.CreateProduct(t.Context(), w.admin, store.ProductInput{Brand: brand, GTIN: validGTIN(fmt.Sprintf("75020000%d%03d", g, n)), Name: name})
					case 2, 3:
						_, err = tx.CreateShop(t.Context(), w.admin, store.ShopInput{Name: name, City: "Puebla", State: "Puebla"})
					case 4:
						_, err = tx.RelateShop(t.Context(), w.admin, w.cpg, w.otherShop.ID, n%2 == 0)
					default:
						_, err = tx.ChangeCampaign(t.Context(), w.admin, c.ID, store.CampaignChange{Apply: func(t *loyalty.Terms) {
							t.AllShops, t.Cities = n%2 == 0, nil
							if !t.AllShops {
								t.Cities = []string{"PUEBLA"}
							}
						}})
					}
					return err
				})
				if err != nil {
					t.Errorf("%d, %d: %v", g, n, err)
				}
				if _, _, err := w.buy(fmt.Sprintf("buy-%d-%d", g, n), w.card, 1); err != nil {
					t.Errorf("purchase: %v", err)
				}
			}
		})
	}
	wg.Wait()
	made := w.read(c.ID)
	require.Len(t, made.PLIs, 11)
	require.True(t, made.EveryShop, "the last change said so, and so did the last relation")
	require.EqualValues(t, 11, w.count(`SELECT count(*) FROM campaign_shops WHERE campaign_id = $1`, puebla.ID))
	require.Zero(t, w.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
	w.verify()
}
