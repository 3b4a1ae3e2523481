package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func (w *world) announced() (n int) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		n, err = tx.AnnounceBudgets(w.t.Context(), 100)
		return err
	})
	return n
}

// member makes a member of the brand team who can be written to.
func (w *world) member() {
	w.t.Helper()
	person := w.consumer("+525599990001")
	w.do(func(tx *store.Tx) error {
		s, err := tx.CreateStaff(w.t.Context(), w.admin, store.StaffInput{
			Email: "marca@qoa.test", Password: "una-frase-larga", Name: "Marca", Role: loyalty.RoleCPG, CPG: w.cpg, Phone: "+525599990001",
		})
		require.Equal(w.t, person, *s.Person)
		return err
	})
}

// At 80 and at 100 percent the owner's people hear of it, once each; the campaign
// pauses where its terms say so; the end of a raised budget is said anew.
func TestBudgetsAreAnnounced(t *testing.T) {
	w := newWorld(t, 4)
	w.member()
	budget := func(n int64) {
		w.change(w.stamps, func(t *loyalty.Terms) { t.Budget = &loyalty.Budget{Stamps: n, Exhausted: loyalty.PauseCampaign} })
	}
	said := func() []int64 { return []int64{w.notices("budget.80"), w.notices("budget.100")} }
	budget(10)
	w.earn(7)
	require.Zero(t, w.announced())
	w.earn(1)
	require.Equal(t, 1, w.announced())
	require.Zero(t, w.announced(), "once")
	require.Equal(t, []int64{1, 0}, said())
	require.Equal(t, loyalty.Active, w.read(w.stamps).Status)
	w.earn(2)
	require.Equal(t, 1, w.announced())
	require.Zero(t, w.announced())
	require.Equal(t, []int64{1, 1}, said())
	c := w.read(w.stamps)
	require.Equal(t, loyalty.Paused, c.Status)
	require.Equal(t, []store.Quota{{Campaign: w.stamps, Name: "stamp", Cap: 10, Used: 10}}, c.Quotas)
	newest := w.versions(w.stamps)[0]
	require.Equal(t, "system", newest.Author)
	require.NotEmpty(t, newest.Reason)

	budget(12)
	w.move(w.stamps, loyalty.Active)
	require.Zero(t, w.announced(), "who raised it knows how much is used")
	w.earn(2)
	require.Equal(t, 1, w.announced())
	require.Equal(t, []int64{1, 2}, said())
	require.Equal(t, loyalty.Paused, w.read(w.stamps).Status)
	w.verify()
}

// A budget that only refuses lets the campaign go on, and a shop's own campaign
// tells its tenderos.
func TestAShopsTenderosHearOfItsBudget(t *testing.T) {
	w := newWorld(t, 4)
	w.do(func(tx *store.Tx) error {
		tendero, err := tx.CreateTendero(t.Context(), w.admin, store.TenderoInput{Shop: w.shop.ID, Phone: "+525512345678", Name: "Lupita"})
		require.Equal(t, w.person, tendero.Person)
		return err
	})
	c := w.made(func(in *store.CampaignInput) {
		in.CPG, in.Owner, in.Terms.Shops = "", w.shop.ID, nil
		in.Terms.Budget = &loyalty.Budget{Stamps: 5}
	})
	w.earn(5)
	require.Equal(t, 1, w.announced())
	require.EqualValues(t, 1, w.notices("budget.100"))
	require.Zero(t, w.notices("budget.80"), "what is over need not be said to be nearly so")
	require.Equal(t, loyalty.Active, w.read(c.ID).Status)
}

// The CPG's money is bounded and announced too; no bound lies below what is
// promised.
func TestACPGsMoneyIsBoundedAndAnnounced(t *testing.T) {
	w := newWorld(t, 4)
	w.member()
	set := func(n *int64) error {
		return w.db.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.UpdateCPG(t.Context(), w.team(w.cpg), w.cpg, store.CPGPatch{Budget: &n})
			return err
		})
	}
	amount := func(n int64) *int64 { return &n }
	w.earn(20)
	first, err := w.redeem(w.person) // 1,200
	require.NoError(t, err)
	require.NoError(t, w.deliver(first.Code))
	require.Equal(t, []string{"budget_cents"}, fieldsOf(t, set(amount(1199))))
	require.Equal(t, []string{"budget_cents"}, fieldsOf(t, set(amount(-1))))
	require.NoError(t, set(amount(1400)))
	require.Equal(t, 1, w.announced())
	require.Zero(t, w.announced())
	require.EqualValues(t, 1, w.notices("budget.80"))
	_, err = w.redeem(w.person)
	require.Equal(t, loyalty.CodeBudgetExhausted, loyalty.CodeOf(err))
	require.NoError(t, set(nil))
	_, err = w.redeem(w.person)
	require.NoError(t, err)
	w.do(func(tx *store.Tx) error {
		cpg, err := tx.CPG(t.Context(), w.team(w.cpg), w.cpg)
		require.Nil(t, cpg.Budget)
		require.EqualValues(t, 2400, cpg.Reserved)
		return err
	})
	w.verify()
}

// A bound that was scheduled takes effect whatever was given until then.
func TestAScheduledBudgetThatIsUsedUpBeforeItHolds(t *testing.T) {
	w := newWorld(t, 4)
	at := w.now().AddDate(0, 0, 1)
	w.change(w.stamps, func(t *loyalty.Terms) { t.Budget = &loyalty.Budget{Stamps: 100} })
	w.earn(5)
	schedule := func(n int64) error {
		_, err := w.changeAs(w.admin, w.stamps, store.CampaignChange{HoldsFrom: at, Apply: func(t *loyalty.Terms) { t.Budget = &loyalty.Budget{Stamps: n} }})
		return err
	}
	require.Error(t, schedule(4))
	require.NoError(t, schedule(20))
	w.earn(25)
	w.clock.Set(at)
	require.Equal(t, 1, w.applied())
	require.Equal(t, []store.Quota{{Campaign: w.stamps, Name: "stamp", Cap: 30, Used: 30}}, w.read(w.stamps).Quotas)
	r, _, err := w.buy("nothing left", w.card, 1)
	require.NoError(t, err)
	require.Empty(t, r.Earned)
	w.verify()
}
