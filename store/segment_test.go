package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func (w *world) segmentOf(scope loyalty.Scope, in store.SegmentInput) (s store.Segment, err error) {
	err = w.db.InTx(w.t.Context(), func(tx *store.Tx) (err error) {
		s, err = tx.CreateSegment(w.t.Context(), scope, in)
		return err
	})
	return s, err
}

// A segment named by hand says how many are in it, and to nobody who.
func TestMembersNamedByHand(t *testing.T) {
	w := newWorld(t, 4)
	ctx, own := t.Context(), w.team(w.cpg)
	s, err := w.segmentOf(own, store.SegmentInput{Name: " Clientes de la fiesta "})
	require.NoError(t, err)
	require.Equal(t, w.cpg, s.CPG)
	require.Equal(t, "Clientes de la fiesta", s.Name)
	other := w.cardOf(w.consumer("+525587650001"))
	change := func(do func(*store.Tx) (int64, int64, error)) (changed, members int64) {
		w.do(func(tx *store.Tx) (err error) {
			changed, members, err = do(tx)
			return err
		})
		return changed, members
	}
	changed, members := change(func(tx *store.Tx) (int64, int64, error) {
		return tx.AddMembers(ctx, own, s.ID, []string{w.card, other, other, "7H2KQ9M4", "no es un código"})
	})
	require.EqualValues(t, []int64{2, 2}, []int64{changed, members})
	changed, members = change(func(tx *store.Tx) (int64, int64, error) { return tx.AddMembers(ctx, own, s.ID, []string{w.card}) })
	require.EqualValues(t, []int64{0, 2}, []int64{changed, members})
	changed, members = change(func(tx *store.Tx) (int64, int64, error) { return tx.RemoveMembers(ctx, own, s.ID, []string{other}) })
	require.EqualValues(t, []int64{1, 1}, []int64{changed, members})
	require.Equal(t, loyalty.CodeInvalid, w.fails(func(tx *store.Tx) error {
		_, _, err := tx.AddMembers(ctx, own, s.ID, make([]string, 1001))
		return err
	}))

	// It decides who a campaign is for.
	c := w.made(func(in *store.CampaignInput) { in.Terms.Audience.Segments = []loyalty.ID{s.ID} })
	for card, want := range map[string]int{w.card: 2, other: 1} {
		r, _, err := w.buy("for "+card, card, 1)
		require.NoError(t, err)
		require.Len(t, r.Earned, want)
	}
	_, err = w.changeAs(w.admin, c.ID, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Audience.Segments = []loyalty.ID{w.person} }})
	require.Equal(t, []string{"audience.segment_ids"}, fieldsOf(t, err))
}

// Law 7 for segments.
func TestSegmentsAreTheirOwners(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	s, err := w.segmentOf(w.team(w.cpg), store.SegmentInput{Name: "Nuestros"})
	require.NoError(t, err)
	shops, err := w.segmentOf(w.keeper(w.shop.ID), store.SegmentInput{Name: "Nuestros"})
	require.NoError(t, err, "another owner's may have the same name")
	require.Equal(t, w.shop.ID, shops.Shop)
	_, err = w.segmentOf(w.team(w.cpg), store.SegmentInput{Name: "Nuestros"})
	require.Equal(t, loyalty.CodeDuplicate, loyalty.CodeOf(err))
	_, err = w.segmentOf(w.team(w.cpg), store.SegmentInput{CPG: w.otherCPG, Name: "Suyos"})
	require.Equal(t, []string{"cpg_id"}, fieldsOf(t, err))
	name := "Robado"
	for role, scope := range map[string]loyalty.Scope{
		"other brand": w.team(w.otherCPG), "tendero": w.keeper(w.shop.ID), "other tendero": w.keeper(w.otherShop.ID),
	} {
		for what, touch := range map[string]func(*store.Tx) error{
			"read": func(tx *store.Tx) error { _, err := tx.Segment(ctx, scope, s.ID); return err },
			"edit": func(tx *store.Tx) error {
				_, err := tx.UpdateSegment(ctx, scope, s.ID, store.SegmentPatch{Name: &name})
				return err
			},
			"add": func(tx *store.Tx) error { _, _, err := tx.AddMembers(ctx, scope, s.ID, []string{w.card}); return err },
			"remove": func(tx *store.Tx) error {
				_, _, err := tx.RemoveMembers(ctx, scope, s.ID, []string{w.card})
				return err
			},
		} {
			require.Equal(t, loyalty.CodeNotFound, w.fails(touch), "%s %s", role, what)
		}
	}
	consumer := loyalty.Scope{Role: loyalty.RoleConsumer, Person: w.person}
	_, err = w.segmentOf(consumer, store.SegmentInput{Name: "X"})
	require.Equal(t, loyalty.CodeForbidden, loyalty.CodeOf(err))
	w.do(func(tx *store.Tx) error {
		for scope, want := range map[*loyalty.Scope]int{{Role: loyalty.RoleAdmin}: 2, {Role: loyalty.RoleCPG, CPG: w.cpg}: 1, {Role: loyalty.RoleCPG, CPG: w.otherCPG}: 0, {Role: loyalty.RoleTendero, Shops: []loyalty.ID{w.shop.ID}}: 1, &consumer: 0} {
			all, _, err := tx.Segments(ctx, *scope, store.SegmentFilter{}, everything)
			require.NoError(t, err)
			require.Len(t, all, want, "%s", scope.Role)
		}
		all, _, err := tx.Segments(ctx, w.admin, store.SegmentFilter{CPG: w.cpg}, everything)
		require.NoError(t, err)
		require.Len(t, all, 1)
		return nil
	})
}

// What criteria pick is what the purchases say, of the owner's products only, and
// follows them each time the job runs; it leaves alone what is right.
func TestSegmentsAreMadeOfCriteria(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	start := w.now()
	// Who buys what, where and how many days ago.
	ana, beto, caro := w.consumer("+525587650001"), w.consumer("+525587650002"), w.consumer("+525587650003")
	cards := map[loyalty.ID]string{ana: w.cardOf(ana), beto: w.cardOf(beto), caro: w.cardOf(caro)}
	buy := func(person loyalty.ID, shop store.Shop, gtin string, ago int) store.Receipt {
		in := w.purchaseOf(fmt.Sprintf("%s %s %d", person, gtin, ago), shop, gtin, start.AddDate(0, 0, -ago))
		in.Code = cards[person]
		r, _, err := w.buyAs(w.admin, in)
		require.NoError(t, err)
		return r
	}
	buy(ana, w.shop, w.gtin, 1)
	buy(ana, w.shop, w.gtin, 5)
	buy(beto, w.otherShop, w.gtin, 6)
	buy(caro, w.shop, w.otherGTIN, 1)
	w.do(func(tx *store.Tx) error { return tx.SaveBirthday(ctx, ana, "1990-03-12") })
	w.do(func(tx *store.Tx) error { return tx.SaveBirthday(ctx, beto, "12-31") })

	made := map[string]store.Segment{}
	for name, c := range map[string]struct {
		criteria store.Criteria
		want     int64
	}{
		"all who bought":         {store.Criteria{}, 2},
		"twice":                  {store.Criteria{MinPurchases: 2}, 1},
		"twice this week":        {store.Criteria{MinPurchases: 2, WithinDays: 3}, 0},
		"for so much":            {store.Criteria{MinSpend: 3700}, 1},
		"for a little more":      {store.Criteria{MinSpend: 3701}, 0},
		"not for four days":      {store.Criteria{InactiveDays: 4}, 1},
		"not for eight days":     {store.Criteria{InactiveDays: 8}, 0},
		"in a state":             {store.Criteria{States: []string{"JALISCO"}}, 1},
		"in a city":              {store.Criteria{Cities: []string{"ciudad de mexico"}}, 1},
		"in a city of nowhere":   {store.Criteria{Cities: []string{"Macondo"}}, 0},
		"born in March":          {store.Criteria{BirthdayMonth: 3}, 1},
		"born in December":       {store.Criteria{BirthdayMonth: 12}, 1},
		"born in June":           {store.Criteria{BirthdayMonth: 6}, 0},
		"twice, and of December": {store.Criteria{MinPurchases: 2, BirthdayMonth: 12}, 0},
	} {
		s, err := w.segmentOf(w.team(w.cpg), store.SegmentInput{Name: name, Criteria: &c.criteria})
		require.NoError(t, err, name)
		require.Equal(t, c.want, s.Members, name)
		require.NotNil(t, s.MadeAt)
		made[name] = s
	}
	shops, err := w.segmentOf(w.keeper(w.shop.ID), store.SegmentInput{Name: "De la tienda", Criteria: &store.Criteria{}})
	require.NoError(t, err)
	require.EqualValues(t, 2, shops.Members, "whatever they bought there")

	run := func() (changed int) {
		w.do(func(tx *store.Tx) (err error) {
			changed, err = tx.MakeSegments(ctx)
			return err
		})
		return changed
	}
	require.Zero(t, run(), "nothing changed")
	members := func(name string) (s store.Segment) {
		w.do(func(tx *store.Tx) (err error) {
			s, err = tx.Segment(ctx, w.team(w.cpg), made[name].ID)
			return err
		})
		return s
	}
	w.clock.Advance(time.Minute)
	r := buy(beto, w.shop, w.gtin, 0)
	require.NotZero(t, run())
	require.EqualValues(t, 2, members("twice").Members)
	require.Zero(t, members("not for four days").Members)
	require.Equal(t, w.now(), members("twice").MadeAt.UTC())
	_, _, err = w.reverse(w.admin, r.ID, "devuelto")
	require.NoError(t, err)
	run()
	require.EqualValues(t, 1, members("twice").Members, "what was taken back was no purchase")

	require.Equal(t, loyalty.CodeConflict, w.fails(func(tx *store.Tx) error {
		_, _, err := tx.AddMembers(ctx, w.admin, made["twice"].ID, []string{w.card})
		return err
	}))
	once := &store.Criteria{MinPurchases: 1}
	w.do(func(tx *store.Tx) error {
		s, err := tx.UpdateSegment(ctx, w.admin, made["twice"].ID, store.SegmentPatch{Criteria: &once})
		require.EqualValues(t, 2, s.Members)
		return err
	})
	var byHand *store.Criteria
	w.do(func(tx *store.Tx) error {
		s, err := tx.UpdateSegment(ctx, w.admin, made["twice"].ID, store.SegmentPatch{Criteria: &byHand})
		require.EqualValues(t, 2, s.Members, "who is in stays")
		require.Nil(t, s.MadeAt)
		return err
	})
	_, err = w.segmentOf(w.admin, store.SegmentInput{CPG: w.cpg, Name: "", Criteria: &store.Criteria{WithinDays: 5, InactiveDays: 5, BirthdayMonth: 13, States: []string{""}}})
	require.Equal(t, []string{"name", "criteria.states[0]", "criteria.birthday_month", "criteria.inactive_days"}, fieldsOf(t, err))
}

// Who was erased is in no segment, and comes into none.
func TestSegmentsForgetTheErased(t *testing.T) {
	w := newWorld(t, 4)
	var segment loyalty.ID
	add := func() (members int64) {
		w.do(func(tx *store.Tx) (err error) {
			_, members, err = tx.AddMembers(t.Context(), w.admin, segment, []string{w.card})
			return err
		})
		return members
	}
	w.do(func(tx *store.Tx) error {
		s, err := tx.CreateSegment(t.Context(), w.admin, store.SegmentInput{CPG: w.cpg, Name: "Vecinos"})
		segment = s.ID
		return err
	})
	require.EqualValues(t, 1, add())
	w.do(func(tx *store.Tx) error { return tx.Erase(t.Context(), w.person, "borren mis datos") })
	require.Zero(t, w.count(`SELECT count(*) FROM segment_members`))
	require.Zero(t, add())
}
