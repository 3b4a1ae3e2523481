package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

var everything = store.Page{Limit: 100}

// fails runs fn in a transaction of its own and gives its error's code.
func (w *world) fails(fn func(*store.Tx) error) loyalty.Code {
	w.t.Helper()
	return loyalty.CodeOf(w.db.InTx(w.t.Context(), fn))
}

// fieldsOf gives the fields that an error names, in order.
func fieldsOf(t *testing.T, err error) []string {
	t.Helper()
	var e *loyalty.Error
	require.ErrorAs(t, err, &e)
	var names []string
	for _, f := range e.Fields {
		names = append(names, f.Field)
	}
	return names
}

func (w *world) team(cpg loyalty.ID) loyalty.Scope {
	return loyalty.Scope{Role: loyalty.RoleCPG, CPG: cpg}
}

// Law 7: a brand team can neither see nor touch what is another's, and is not
// told that it exists.
func TestATenantSeesAndTouchesItsOwnOnly(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	own, other := w.team(w.cpg), w.team(w.otherCPG)
	var brand store.Brand
	var product store.Product
	w.do(func(tx *store.Tx) error {
		brands, _, err := tx.Brands(ctx, own, store.BrandFilter{}, everything)
		require.NoError(t, err)
		require.Len(t, brands, 1)
		brand = brands[0]
		products, _, err := tx.Products(ctx, own, store.ProductFilter{}, everything)
		require.NoError(t, err)
		require.Len(t, products, 1)
		product = products[0]
		cpgs, _, err := tx.CPGs(ctx, own, everything)
		require.NoError(t, err)
		require.Len(t, cpgs, 1)

		// The other's lists hold none of it, also when asked for by filter.
		for _, f := range []store.CampaignFilter{{}, {CPG: w.cpg}, {Shop: w.shop.ID}} {
			campaigns, _, err := tx.Campaigns(ctx, other, f, everything)
			require.NoError(t, err)
			require.Empty(t, campaigns)
		}
		others, _, err := tx.Products(ctx, other, store.ProductFilter{CPG: w.cpg}, everything)
		require.NoError(t, err)
		require.Empty(t, others)
		others, _, err = tx.Products(ctx, other, store.ProductFilter{GTIN: product.GTIN}, everything)
		require.NoError(t, err)
		require.Empty(t, others)
		return nil
	})
	name, price, active := "Robado", loyalty.Cents(1), false
	for what, touch := range map[string]func(*store.Tx) error{
		"read cpg": func(tx *store.Tx) error { _, err := tx.CPG(ctx, other, w.cpg); return err },
		"edit cpg": func(tx *store.Tx) error {
			_, err := tx.UpdateCPG(ctx, other, w.cpg, store.CPGPatch{Name: &name})
			return err
		},
		"read brand": func(tx *store.Tx) error { _, err := tx.Brand(ctx, other, brand.ID); return err },
		"edit brand": func(tx *store.Tx) error {
			_, err := tx.UpdateBrand(ctx, other, brand.ID, store.BrandPatch{Active: &active})
			return err
		},
		"read product": func(tx *store.Tx) error { _, err := tx.Product(ctx, other, product.ID); return err },
		"edit product": func(tx *store.Tx) error {
			_, err := tx.UpdateProduct(ctx, other, product.ID, store.ProductPatch{ReferencePrice: &price})
			return err
		},
		"read campaign": func(tx *store.Tx) error { _, err := tx.Campaign(ctx, other, w.stamps); return err },
		"edit campaign": func(tx *store.Tx) error {
			_, err := tx.ChangeCampaign(ctx, other, w.stamps, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Name = name }})
			return err
		},
		"move campaign": func(tx *store.Tx) error {
			_, err := tx.MoveCampaign(ctx, other, w.stamps, loyalty.Paused, "")
			return err
		},
		"read versions":  func(tx *store.Tx) error { _, err := tx.CampaignVersions(ctx, other, w.stamps); return err },
		"cancel version": func(tx *store.Tx) error { _, err := tx.CancelVersion(ctx, other, w.stamps, 1); return err },
		"review":         func(tx *store.Tx) error { _, err := tx.ReviewCampaign(ctx, other, w.stamps); return err },
		"list participants": func(tx *store.Tx) error {
			_, _, err := tx.Participants(ctx, other, w.stamps, "", everything)
			return err
		},
		"invite": func(tx *store.Tx) error { _, err := tx.InviteShop(ctx, other, w.stamps, w.shop.ID); return err },
		"list shops of the cpg": func(tx *store.Tx) error {
			_, _, err := tx.CPGShops(ctx, other, w.cpg, everything)
			return err
		},
		"relate": func(tx *store.Tx) error {
			_, err := tx.RelateShop(ctx, other, w.cpg, w.shop.ID, false)
			return err
		},
		"add reward": func(tx *store.Tx) error {
			_, err := tx.CreateReward(ctx, other, w.stamps, store.RewardInput{Name: name, Threshold: 1})
			return err
		},
		"edit reward": func(tx *store.Tx) error {
			_, err := tx.UpdateReward(ctx, other, w.reward, store.RewardPatch{Cost: &price})
			return err
		},
		"roi": func(tx *store.Tx) error { _, err := tx.ROI(ctx, other, w.stamps, w.now(), w.now()); return err },
	} {
		code := w.fails(touch)
		require.Contains(t, []loyalty.Code{loyalty.CodeNotFound, loyalty.CodeCampaignNotFound}, code, what)
	}
	// Making something for the other, or with its things, fails as if they did
	// not exist.
	err := w.db.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.CreateBrand(ctx, other, store.BrandInput{CPG: w.cpg, Name: name})
		return err
	})
	require.Equal(t, []string{"cpg_id"}, fieldsOf(t, err))
	err = w.db.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.CreateProduct(ctx, other, store.ProductInput{Brand: brand.ID, GTIN: validGTIN("750199999999"), Name: name})
		return err
	})
	require.Equal(t, []string{"brand_id"}, fieldsOf(t, err))
	err = w.db.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.CreateCampaign(ctx, other, store.CampaignInput{Terms: loyalty.Terms{
			Name: name, Scheme: loyalty.Stamps, Goal: 5, Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}},
			Products: []loyalty.ID{product.ID}, AllShops: true,
		}})
		return err
	})
	require.Equal(t, []string{"product_ids"}, fieldsOf(t, err))
}

// Who may write nothing is told so; what the public may not see is taken away.
func TestRolesWithoutWritingAndTheirView(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	tendero := loyalty.Scope{Role: loyalty.RoleTendero, Person: w.person, Shops: []loyalty.ID{w.shop.ID}}
	elsewhere := loyalty.Scope{Role: loyalty.RoleTendero, Person: w.person, Shops: []loyalty.ID{w.otherShop.ID}}
	name := "X"
	for _, scope := range []loyalty.Scope{
		tendero, {Role: loyalty.RoleConsumer, Person: w.person}, {Role: loyalty.RoleIntegration, Key: w.person}, {},
	} {
		for what, touch := range map[string]func(*store.Tx) error{
			"cpg": func(tx *store.Tx) error { _, err := tx.CreateCPG(ctx, scope, store.CPGInput{Name: name}); return err },
			"edit cpg": func(tx *store.Tx) error {
				_, err := tx.UpdateCPG(ctx, scope, w.cpg, store.CPGPatch{Name: &name})
				return err
			},
			"brand": func(tx *store.Tx) error {
				_, err := tx.CreateBrand(ctx, scope, store.BrandInput{CPG: w.cpg, Name: name})
				return err
			},
			"product": func(tx *store.Tx) error {
				_, err := tx.CreateProduct(ctx, scope, store.ProductInput{Name: name})
				return err
			},
			"edit campaign": func(tx *store.Tx) error {
				_, err := tx.ChangeCampaign(ctx, scope, w.stamps, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Name = name }})
				return err
			},
			"pause campaign": func(tx *store.Tx) error {
				_, err := tx.MoveCampaign(ctx, scope, w.stamps, loyalty.Paused, "")
				return err
			},
			"invite":  func(tx *store.Tx) error { _, err := tx.InviteShop(ctx, scope, w.stamps, w.shop.ID); return err },
			"relate":  func(tx *store.Tx) error { _, err := tx.RelateShop(ctx, scope, w.cpg, w.shop.ID, false); return err },
			"related": func(tx *store.Tx) error { _, _, err := tx.CPGShops(ctx, scope, w.cpg, everything); return err },
			"shop":    func(tx *store.Tx) error { _, err := tx.CreateShop(ctx, scope, store.ShopInput{Name: name}); return err },
			"tendero": func(tx *store.Tx) error {
				_, err := tx.CreateTendero(ctx, scope, store.TenderoInput{Name: name})
				return err
			},
			"staff": func(tx *store.Tx) error {
				_, err := tx.CreateStaff(ctx, scope, store.StaffInput{Name: name})
				return err
			},
			"key":  func(tx *store.Tx) error { _, _, err := tx.CreateAPIKey(ctx, scope, name); return err },
			"case": func(tx *store.Tx) error { _, err := tx.CloseCase(ctx, scope, w.person); return err },
		} {
			require.Equal(t, loyalty.CodeForbidden, w.fails(touch), "%s as %s", what, scope.Role)
		}
		w.do(func(tx *store.Tx) error {
			tenderos, _, err := tx.Tenderos(ctx, scope, store.TenderoFilter{}, everything)
			require.NoError(t, err)
			require.Empty(t, tenderos)
			staff, _, err := tx.StaffMembers(ctx, scope, everything)
			require.NoError(t, err)
			require.Empty(t, staff)
			return nil
		})
	}
	require.Equal(t, loyalty.CodeForbidden, w.fails(func(tx *store.Tx) error {
		_, err := tx.CreateShop(ctx, w.team(w.cpg), store.ShopInput{Name: name})
		return err
	}))
	w.do(func(tx *store.Tx) error {
		c, err := tx.Campaign(ctx, tendero, w.stamps)
		require.NoError(t, err)
		_, err = tx.CampaignVersions(ctx, tendero, w.stamps)
		require.Equal(t, loyalty.CodeForbidden, loyalty.CodeOf(err))
		require.Zero(t, c.MarginBPS)
		require.Zero(t, c.Fee)
		require.Zero(t, c.Rewards[0].Cost)
		_, err = tx.Campaign(ctx, elsewhere, w.stamps)
		require.Equal(t, loyalty.CodeCampaignNotFound, loyalty.CodeOf(err))
		_, err = tx.ROI(ctx, tendero, w.stamps, w.now(), w.now())
		require.Equal(t, loyalty.CodeCampaignNotFound, loyalty.CodeOf(err))
		shops, _, err := tx.Shops(ctx, tendero, store.ShopFilter{}, everything)
		require.NoError(t, err)
		require.Len(t, shops, 1)
		_, err = tx.ShopToday(ctx, elsewhere, w.shop.ID)
		require.Equal(t, loyalty.CodeShopNotFound, loyalty.CodeOf(err))
		_, err = tx.ShopToday(ctx, w.team(w.cpg), w.shop.ID)
		require.Equal(t, loyalty.CodeShopNotFound, loyalty.CodeOf(err))
		return nil
	})
}

func TestEveryMistakeOfAnInputIsNamed(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	try := func(fn func(*store.Tx) error) []string {
		t.Helper()
		return fieldsOf(t, w.db.InTx(ctx, fn))
	}
	require.Equal(t, []string{"code", "name", "kind", "city", "state", "time_zone"}, try(func(tx *store.Tx) error {
		_, err := tx.CreateShop(ctx, w.admin, store.ShopInput{Code: "SALDO", Kind: "kiosko", TimeZone: "Marte"})
		return err
	}))
	// Zones that one machine has and another one has not.
	for _, zone := range []string{"right/America/Mexico_City", "posix/America/Mexico_City", "Local", "UTC", "America/Atlantis"} {
		require.Equal(t, []string{"time_zone"}, try(func(tx *store.Tx) error {
			_, err := tx.UpdateShop(ctx, w.admin, w.shop.ID, store.ShopPatch{TimeZone: &zone})
			return err
		}), zone)
	}
	require.Equal(t, []string{"gtin", "brand_id", "name", "reference_price_cents", "nicknames"}, try(func(tx *store.Tx) error {
		_, err := tx.CreateProduct(ctx, w.admin, store.ProductInput{
			GTIN: "7501055300076", Brand: "coca", Name: strings.Repeat("ñ", 121), ReferencePrice: -1, Nicknames: []string{"a\x00"},
		})
		return err
	}))
	require.Equal(t, []string{"phone", "shop_id", "name"}, try(func(tx *store.Tx) error {
		_, err := tx.CreateTendero(ctx, w.admin, store.TenderoInput{Phone: "123"})
		return err
	}))
	require.Equal(t, []string{"password", "email", "name", "role", "cpg_id", "cpg_id", "phone"}, try(func(tx *store.Tx) error {
		_, err := tx.CreateStaff(ctx, w.admin, store.StaffInput{Email: "Ana <ana@x.mx>", Password: "corta", CPG: "x", Phone: "x"})
		return err
	}))
	stock := int64(-1)
	require.Equal(t, []string{
		"status", "rewards[0].name", "rewards[0].threshold", "rewards[0].stock", "name", "enrolment", "goal",
		"ends_at", "product_ids", "shop_ids", "shop_ids", "earn", "margin_bps", "fee_cents", "nudge_quiet_days",
	}, try(func(tx *store.Tx) error {
		_, err := tx.CreateCampaign(ctx, w.admin, store.CampaignInput{
			CPG: w.cpg, Status: loyalty.Ended, Rewards: []store.RewardInput{{Stock: &stock}}, Terms: loyalty.Terms{
				Scheme: loyalty.Stamps, Enrolment: "maybe", Products: []loyalty.ID{"nada"}, AllShops: true, Shops: []loyalty.ID{"nada", w.shop.ID},
				StartsAt: w.now(), EndsAt: w.now(), MarginBPS: 10_001, Fee: -1, NudgeQuietDays: -3,
			},
		})
		return err
	}))
	require.Equal(t, []string{"shop_ids"}, try(func(tx *store.Tx) error {
		_, err := tx.ChangeCampaign(ctx, w.admin, w.stamps, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Shops = []loyalty.ID{w.person} }})
		return err
	}))
}

func TestDuplicatesSaySo(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	tendero := store.TenderoInput{Shop: w.shop.ID, Phone: "5587654321", Name: "Lupita"}
	w.do(func(tx *store.Tx) error { _, err := tx.CreateTendero(ctx, w.admin, tendero); return err })
	for what, make := range map[string]func(*store.Tx) error{
		"cpg": func(tx *store.Tx) error {
			_, err := tx.CreateCPG(ctx, w.admin, store.CPGInput{Name: " Botanas del Sur "})
			return err
		},
		"shop": func(tx *store.Tx) error {
			_, err := tx.CreateShop(ctx, w.admin, store.ShopInput{Code: w.shop.Code, Name: "Otra", City: "X", State: "Y"})
			return err
		},
		"tendero": func(tx *store.Tx) error { _, err := tx.CreateTendero(ctx, w.admin, tendero); return err },
	} {
		require.Equal(t, loyalty.CodeDuplicate, w.fails(make), what)
	}
}

// A brand takes products as long as it and its company are active.
func TestAnInactiveBrandTakesNoProducts(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	off, on := false, true
	var brand store.Brand
	w.do(func(tx *store.Tx) (err error) {
		brand, err = tx.CreateBrand(ctx, w.admin, store.BrandInput{CPG: w.cpg, Name: "Agua Clara"})
		return err
	})
	adds := func(scope loyalty.Scope) loyalty.Code {
		return w.fails(func(tx *store.Tx) error {
			_, err := tx.CreateProduct(ctx, scope, store.ProductInput{Brand: brand.ID, GTIN: "7501020513127", Name: "Agua Clara 600 ml"})
			return err
		})
	}
	of := func(active *bool) func(*store.Tx) error {
		return func(tx *store.Tx) error {
			_, err := tx.UpdateBrand(ctx, w.admin, brand.ID, store.BrandPatch{Active: active})
			return err
		}
	}
	company := func(active *bool) func(*store.Tx) error {
		return func(tx *store.Tx) error {
			_, err := tx.UpdateCPG(ctx, w.admin, w.cpg, store.CPGPatch{Active: active})
			return err
		}
	}
	w.do(of(&off))
	require.Equal(t, loyalty.CodeBrandInactive, adds(w.admin))
	require.Equal(t, loyalty.CodeBrandInactive, adds(w.team(w.cpg)))
	w.do(of(&on))
	w.do(company(&off))
	require.Equal(t, loyalty.CodeBrandInactive, adds(w.admin))
	w.do(company(&on))
	require.Empty(t, adds(w.admin))
}

func TestStockNeverGoesBelowWhatWasTaken(t *testing.T) {
	w := newWorld(t, 4)
	_, _, err := w.buy("k", w.card, 20)
	require.NoError(t, err)
	_, err = w.redeem(w.person)
	require.NoError(t, err)
	for n, want := range map[int64]loyalty.Code{0: loyalty.CodeInvalid, 1: ""} {
		stock := &n
		require.Equal(t, want, w.fails(func(tx *store.Tx) error {
			_, err := tx.UpdateReward(t.Context(), w.admin, w.reward, store.RewardPatch{Stock: &stock})
			return err
		}))
	}
}

func TestShopsAreFoundAsPeopleNameThem(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	w.do(func(tx *store.Tx) error {
		for _, name := range []string{"Abarrotes Lupita II", "Miscelánea La Güera", "Don Lupe", "Cerrada"} {
			s, err := tx.CreateShop(ctx, w.admin, store.ShopInput{Name: name, City: "Puebla", State: "Puebla"})
			require.NoError(t, err)
			_, kind := loyalty.ParseCode(s.Code)
			require.Equal(t, loyalty.ShopCode, kind)
			if name == "Cerrada" {
				closed := false
				_, err := tx.UpdateShop(ctx, w.admin, s.ID, store.ShopPatch{Active: &closed})
				require.NoError(t, err)
				_, err = tx.ShopByCode(ctx, s.Code)
				require.Equal(t, loyalty.CodeShopInactive, loyalty.CodeOf(err))
			}
		}
		return nil
	})
	for text, want := range map[string][]string{
		"abarrotes LUPITA":    {"Abarrotes Lupita"}, // exactly that name, not the other that begins so
		"lupita":              {"Abarrotes Lupita", "Abarrotes Lupita II"},
		"lup":                 {"Abarrotes Lupita", "Abarrotes Lupita II", "Don Lupe"},
		"la guera":            {"Miscelánea La Güera"},
		"güera miscelanea":    {"Miscelánea La Güera"},
		"pita":                nil,
		"cerrada":             nil,
		"lupita o la de allá": nil,
		"  ¿?\x00 ":           nil,
	} {
		w.do(func(tx *store.Tx) error {
			shops, err := tx.ShopsByName(ctx, text)
			require.NoError(t, err)
			var names []string
			for _, s := range shops {
				names = append(names, s.Name)
			}
			require.Equal(t, want, names, text)
			return nil
		})
	}
	w.do(func(tx *store.Tx) error {
		s, err := tx.ShopByCode(ctx, strings.ToLower(w.shop.Code[:3]+" "+w.shop.Code[3:]))
		require.NoError(t, err)
		require.Equal(t, w.shop.ID, s.ID)
		for _, code := range []string{"", "SALDO", "K7M2QS", "\x00"} {
			_, err := tx.ShopByCode(ctx, code)
			require.Equal(t, loyalty.CodeShopNotFound, loyalty.CodeOf(err))
		}
		return nil
	})
}

func TestListsGoOnWhereTheyStopped(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	want := map[loyalty.ID]bool{w.shop.ID: true, w.otherShop.ID: true}
	w.do(func(tx *store.Tx) error {
		for range 5 {
			s, err := tx.CreateShop(ctx, w.admin, store.ShopInput{Name: "Una más", City: "Puebla", State: "Puebla"})
			require.NoError(t, err)
			want[s.ID] = true
		}
		page := store.Page{Limit: 3}
		for pages := 1; ; pages++ {
			shops, next, err := tx.Shops(ctx, w.admin, store.ShopFilter{}, page)
			require.NoError(t, err)
			for _, s := range shops {
				require.True(t, want[s.ID])
				delete(want, s.ID)
			}
			if next == "" {
				require.Equal(t, 3, pages)
				break
			}
			page.After = next
		}
		require.Empty(t, want)
		found, _, err := tx.Shops(ctx, w.admin, store.ShopFilter{Search: "lupita", Kind: "tiendita"}, everything)
		require.NoError(t, err)
		require.Len(t, found, 1)
		found, _, err = tx.Shops(ctx, w.admin, store.ShopFilter{City: "\x00"}, everything)
		require.NoError(t, err)
		require.Empty(t, found)
		return nil
	})
}

func TestReordersReachTheBrandsTheyConcern(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	tendero := loyalty.Scope{Role: loyalty.RoleTendero, Person: w.person, Shops: []loyalty.ID{w.shop.ID}}
	w.do(func(tx *store.Tx) error {
		products, _, err := tx.Products(ctx, w.team(w.otherCPG), store.ProductFilter{}, everything)
		require.NoError(t, err)
		for _, in := range []store.ReorderInput{
			{Shop: w.shop.ID, Person: w.person},
			{Shop: w.shop.ID, Person: w.person, Product: products[0].ID, Quantity: 12, Note: "para el viernes\x00"},
		} {
			_, err := tx.RecordReorder(ctx, tendero, in)
			require.NoError(t, err)
		}
		// Without a product it is for who runs a campaign there.
		mine, _, err := tx.Reorders(ctx, w.team(w.cpg), store.ReorderFilter{}, everything)
		require.NoError(t, err)
		require.Len(t, mine, 1)
		require.Nil(t, mine[0].Product)
		theirs, _, err := tx.Reorders(ctx, w.team(w.otherCPG), store.ReorderFilter{}, everything)
		require.NoError(t, err)
		require.Len(t, theirs, 1)
		require.Equal(t, 12, *theirs[0].Quantity)
		// Nobody sees a shop's wishes by asking for a campaign there.
		asked, err := tx.CreateCampaign(ctx, w.team(w.otherCPG), store.CampaignInput{Terms: loyalty.Terms{
			Name: "En todas", Scheme: loyalty.Stamps, Goal: 5, Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}},
			Products: []loyalty.ID{products[0].ID}, AllShops: true,
		}, Rewards: []store.RewardInput{{Name: "Algo", Threshold: 5}}})
		require.NoError(t, err)
		_, err = tx.MoveCampaign(ctx, w.team(w.otherCPG), asked.ID, loyalty.InReview, "")
		require.NoError(t, err)
		theirs, _, err = tx.Reorders(ctx, w.team(w.otherCPG), store.ReorderFilter{}, everything)
		require.NoError(t, err)
		require.Len(t, theirs, 1)
		all, _, err := tx.Reorders(ctx, tendero, store.ReorderFilter{}, everything)
		require.NoError(t, err)
		require.Len(t, all, 2)
		newest, next, err := tx.Reorders(ctx, tendero, store.ReorderFilter{}, store.Page{Limit: 1})
		require.NoError(t, err)
		require.Equal(t, all[:1], newest)
		rest, next, err := tx.Reorders(ctx, tendero, store.ReorderFilter{}, store.Page{Limit: 1, After: next})
		require.NoError(t, err)
		require.Equal(t, all[1:], rest)
		require.Empty(t, next)
		require.Greater(t, all[0].ID, all[1].ID)
		none, _, err := tx.Reorders(ctx, loyalty.Scope{Role: loyalty.RoleConsumer, Person: w.person}, store.ReorderFilter{}, everything)
		require.NoError(t, err)
		require.Empty(t, none)
		_, err = tx.RecordReorder(ctx, tendero, store.ReorderInput{Shop: w.otherShop.ID, Person: w.person})
		require.Equal(t, loyalty.CodeForbidden, loyalty.CodeOf(err))
		return nil
	})
}

func TestCasesOfOnePersonAreOneUntilClosed(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	w.do(func(tx *store.Tx) error {
		first, err := tx.OpenCase(ctx, w.person, store.CaseMissingStamp, "no me dieron mi sello")
		require.NoError(t, err)
		again, err := tx.OpenCase(ctx, w.person, store.CaseMissingStamp, strings.Repeat("¡hola! ", 400))
		require.NoError(t, err)
		require.Equal(t, first.ID, again.ID)
		_, err = tx.CloseCase(ctx, w.admin, first.ID)
		require.NoError(t, err)
		other, err := tx.OpenCase(ctx, w.person, store.CaseMissingStamp, "otra vez")
		require.NoError(t, err)
		open, _, err := tx.Cases(ctx, w.admin, everything)
		require.NoError(t, err)
		require.Len(t, open, 1)
		require.Equal(t, other.ID, open[0].ID)
		return nil
	})
}

func TestVisitsAreCountedOnTheShopsOwnDay(t *testing.T) {
	w := newWorld(t, 4)
	w.clock.Set(time.Date(2026, 3, 6, 4, 30, 0, 0, time.UTC)) // still the fifth in Mexico City
	for range 3 {
		w.do(func(tx *store.Tx) error { return tx.CountVisit(t.Context(), w.shop.ID) })
	}
	require.EqualValues(t, 3, w.count(`SELECT visits FROM shop_visits WHERE day = '2026-03-05'`))
}
