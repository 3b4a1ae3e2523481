package demo_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/demo"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var now = time.Date(2026, 11, 20, 18, 42, 11, 0, time.UTC)

func open(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{
		URL: url, Now: storetest.NewClock(now).Now, Random: storetest.Rand(1),
		Secret: []byte("a secret for tests, long enough!"), PublicURL: "http://localhost:3000",
	})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	return db
}

// fingerprint is a hash of every table that the seed writes.
func fingerprint(t *testing.T, url string) map[string]string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer c.Close(context.WithoutCancel(t.Context()))
	prints := map[string]string{}
	for _, table := range []string{
		"cpgs", "brands", "products", "shops", "shop_visits", "persons", "addresses", "consumers", "tenderos", "cards", "staff", "tokens",
		"campaigns", "campaign_products", "campaign_shops", "rewards", "enrollments", "causes", "purchases", "purchase_items", "redemptions",
		"ledger", "cpg_shops", "campaign_versions", "quotas", "reorders", "sales_daily", "activity_daily", "campaign_daily",
	} {
		var n int
		var sum *string
		sql := fmt.Sprintf(`SELECT count(*), md5(string_agg(t::text, E'\n' ORDER BY t::text)) FROM %s t`, table)
		require.NoError(t, c.QueryRow(t.Context(), sql).Scan(&n, &sum))
		require.NotZero(t, n, table)
		prints[table] = fmt.Sprintf("%d %s", n, *sum)
	}
	return prints
}

func TestSeedIsDeterministicAndDoneOnce(t *testing.T) {
	a, b := storetest.Database(t), storetest.Database(t)
	began := time.Now()
	r, err := demo.Seed(t.Context(), open(t, a))
	require.NoError(t, err)
	t.Logf("%+v in %v", r, time.Since(began).Round(time.Millisecond))
	require.True(t, r.Seeded)
	_, err = demo.Seed(t.Context(), open(t, b))
	require.NoError(t, err)
	first := fingerprint(t, a)
	require.Equal(t, first, fingerprint(t, b))

	again, err := demo.Seed(t.Context(), open(t, a))
	require.NoError(t, err)
	require.Equal(t, demo.Result{}, again)
	require.Equal(t, first, fingerprint(t, a))
}

func TestSeedKeepsTheLedgersLaws(t *testing.T) {
	db := open(t, storetest.Database(t))
	_, err := demo.Seed(t.Context(), db)
	require.NoError(t, err)
	differences, err := db.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, differences)
}

// TestContract is CONTRACT.md's section "Demo data", line by line.
func TestContract(t *testing.T) {
	url := storetest.Database(t)
	db := open(t, url)
	_, err := demo.Seed(t.Context(), db)
	require.NoError(t, err)
	ctx, admin := t.Context(), loyalty.System()
	all := store.Page{Limit: 100}

	brand1, err := db.LoginStaff(ctx, "marca1@demo.qoa", "demo-qoa-2026")
	require.NoError(t, err)
	brand2, err := db.LoginStaff(ctx, "marca2@demo.qoa", "demo-qoa-2026")
	require.NoError(t, err)
	boss, err := db.LoginStaff(ctx, "admin@demo.qoa", "demo-qoa-2026")
	require.NoError(t, err)
	require.True(t, boss.Scope().All())
	require.NotEqual(t, *brand1.CPG, *brand2.CPG)
	require.EqualValues(t, "+525500000101", brand1.Phone)
	require.EqualValues(t, "+525500000102", brand2.Phone)

	require.NoError(t, db.InTx(ctx, func(tx *store.Tx) error {
		brands, _, err := tx.Brands(ctx, admin, store.BrandFilter{}, all)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(brands), 4)
		products, _, err := tx.Products(ctx, admin, store.ProductFilter{}, all)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(products), 12)
		for _, p := range products {
			require.Len(t, string(p.GTIN), 13)
			require.NotZero(t, p.ReferencePrice)
		}
		coca, _, err := tx.Products(ctx, brand1.Scope(), store.ProductFilter{GTIN: "7501055300075"}, all)
		require.NoError(t, err)
		require.Equal(t, "Coca-Cola 600 ml", coca[0].Name)

		shops, _, err := tx.Shops(ctx, admin, store.ShopFilter{}, all)
		require.NoError(t, err)
		require.Len(t, shops, 12)
		require.Equal(t, "Abarrotes Lupita", shops[0].Name)
		require.Equal(t, "K7M2QR", shops[0].Code)
		cities := map[string]bool{}
		tenderos, _, err := tx.Tenderos(ctx, admin, store.TenderoFilter{}, all)
		require.NoError(t, err)
		for i, s := range shops {
			cities[s.City] = true
			require.EqualValues(t, fmt.Sprintf("+5255%08d", i+1), tenderos[i].Phone)
			require.Equal(t, s.ID, tenderos[i].Shop)
			p, err := tx.Person(ctx, tenderos[i].Person)
			require.NoError(t, err)
			require.NotNil(t, p.FirstWroteAt)
		}
		require.Len(t, cities, 2)

		offers, err := tx.CampaignsAt(ctx, shops[0].ID, now)
		require.NoError(t, err)
		kinds := map[string]int{}
		for _, o := range offers {
			require.Equal(t, loyalty.Automatic, o.Enrolment)
			require.NotEmpty(t, o.Rewards)
			require.Empty(t, o.Limits, "no cap per day")
			owner := "marca1 "
			if o.CPG == *brand2.CPG {
				owner = "marca2 "
			}
			kinds[owner+string(o.Scheme)]++
			if o.CPG == *brand1.CPG && o.Scheme == loyalty.Stamps {
				require.EqualValues(t, 10, o.Goal)
				require.Equal(t, []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}}, o.Earn)
				require.Nil(t, o.Terms.Pending, "a typed code earns at once")
				require.EqualValues(t, "7501055300075", o.Products[0].GTIN)
			}
			r, err := tx.ROI(ctx, admin, o.ID, now.AddDate(0, 0, -7*demo.Weeks), now)
			require.NoError(t, err)
			require.NotNil(t, r.ROI)
			t.Logf("%s: revenue %v, margin %v, rewards %d for %v, fee %v, ROI %d bps, %d consumers, %d purchases",
				o.Name, r.Revenue, r.Margin, r.Redemptions, r.RewardsCost, r.Fee, *r.ROI, r.Consumers, r.Purchases)
			for _, w := range r.ByWeek[:demo.Weeks] {
				require.NotZero(t, w.Revenue)
			}
			require.NotZero(t, r.Redemptions)
		}
		require.Equal(t, map[string]int{"marca1 stamps": 1, "marca1 points": 1, "marca2 stamps": 1}, kinds)

		scope, session, err := tx.Authenticate(ctx, store.APIKeyToken, demo.DevKey)
		require.NoError(t, err)
		require.Equal(t, loyalty.RoleIntegration, scope.Role)
		require.Equal(t, "T-Conecta", session.Name)
		return nil
	}))
}

// Nobody is written to who never wrote: the people of the history have neither
// a phone nor a first message.
func TestConsumersOfTheHistoryCannotBeWrittenTo(t *testing.T) {
	url := storetest.Database(t)
	_, err := demo.Seed(t.Context(), open(t, url))
	require.NoError(t, err)
	c, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer c.Close(context.WithoutCancel(t.Context()))
	var n int
	require.NoError(t, c.QueryRow(t.Context(), `
		SELECT count(*) FROM consumers c JOIN persons p ON p.id = c.person_id
		WHERE p.first_wrote_at IS NOT NULL OR EXISTS (SELECT FROM addresses a WHERE a.person_id = p.id)`).Scan(&n))
	require.Zero(t, n)
	require.NoError(t, c.QueryRow(t.Context(), `SELECT count(*) FROM purchases WHERE recorded_at >= $1`, now).Scan(&n))
	require.Zero(t, n)
}

func TestProductsCallEachProductByNamesOfItsOwn(t *testing.T) {
	owner := map[string]string{}
	for _, p := range demo.Products() {
		_, err := loyalty.ParseGTIN(string(p.GTIN))
		require.NoError(t, err, p.Name)
		require.NotEmpty(t, p.Nicknames)
		for _, n := range append([]string{p.Name}, p.Nicknames...) {
			key := loyalty.SearchName(n)
			if other, taken := owner[key]; taken && other != p.Name {
				t.Errorf("%q is both %s and %s", n, other, p.Name)
			}
			owner[key] = p.Name
		}
	}
	require.Equal(t, "Coca-Cola 600 ml", owner["cocas"])
}
