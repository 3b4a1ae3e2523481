package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// of gives the person's balances in a campaign.
func (w *world) of(person, campaign loyalty.ID) (all []store.Balance) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		wallet, err := tx.Wallet(w.t.Context(), person)
		for _, b := range wallet.Balances {
			if b.ID == campaign {
				all = append(all, b)
			}
		}
		return err
	})
	return all
}

// A campaign of both schemes has a balance in stamps and one in points, each with
// its own goal and rewards.
func TestBothSchemesAreTwoBalances(t *testing.T) {
	w := newWorld(t, 4)
	v := w.made(func(in *store.CampaignInput) {
		in.Terms.Scheme, in.Terms.PointsGoal = loyalty.Both, 200
		in.Terms.Earn = append(in.Terms.Earn, loyalty.Earn{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1})
		in.Terms.MarginBPS, in.Terms.Fee, in.Terms.Budget = 3000, 700, &loyalty.Budget{Points: 500}
		in.Rewards = append(in.Rewards, store.RewardInput{Name: "Por puntos", Unit: loyalty.Point, Threshold: 50, Cost: 900})
	})
	w.earn(3)
	all := w.of(w.person, v.ID)
	require.Len(t, all, 2)
	stamps, points := all[0], all[1]
	require.Equal(t, loyalty.Stamp, stamps.Unit)
	require.Equal(t, []int64{3, 10, 7}, []int64{stamps.Balance, stamps.Goal, stamps.Missing()})
	require.Equal(t, []int64{55, 200}, []int64{points.Balance, points.Goal})
	require.False(t, stamps.Ready)
	require.True(t, points.Ready)
	for _, b := range all {
		require.Len(t, b.Rewards, 1)
		require.Equal(t, b.Unit, b.Rewards[0].Unit)
		require.Equal(t, "Refrescos del Valle", b.OwnerName)
		require.Zero(t, int64(b.MarginBPS)+int64(b.Fee)+int64(b.Rewards[0].Cost), "the owner's own business")
		require.Nil(t, b.Budget)
	}
}

// A shop's campaign has the shop's name.
func TestAShopsCampaignHasTheShopsName(t *testing.T) {
	w := newWorld(t, 4)
	v := w.made(func(in *store.CampaignInput) { in.CPG, in.Owner, in.Terms.Shops = "", w.shop.ID, nil })
	require.Equal(t, w.shop.Name, w.part(v.ID).OwnerName)
	w.earn(2)
	require.EqualValues(t, 2, w.balance(v.ID))
	w.verify()
}

// A campaign for some consumers is shown to these, and to nobody else.
func TestACampaignForSomeIsShownToThem(t *testing.T) {
	w := newWorld(t, 4)
	other := w.consumer("+525511112222")
	segment := w.made(func(in *store.CampaignInput) {
		in.Terms.Audience.Segments = []loyalty.ID{w.segment(w.person)}
	})
	w.change(w.stamps, func(terms *loyalty.Terms) {
		terms.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: "Plata", Purchases: 1}, {Name: "Oro", Purchases: 2}}}
	})
	tier := w.made(func(in *store.CampaignInput) {
		in.Terms.Audience = loyalty.Audience{TierOf: w.stamps, MinTier: "Plata"}
	})
	require.Len(t, w.of(w.person, segment.ID), 1)
	require.Empty(t, w.of(other, segment.ID))
	require.Empty(t, w.of(w.person, tier.ID))
	require.Equal(t, loyalty.CodeCampaignNotFound, w.fails(func(tx *store.Tx) error { return tx.Enroll(t.Context(), w.person, tier.ID) }))
	w.earn(1)
	require.Len(t, w.of(w.person, tier.ID), 1)
	require.Empty(t, w.of(other, tier.ID))
	w.do(func(tx *store.Tx) error {
		offers, err := tx.CampaignsAt(t.Context(), w.shop.ID, w.now())
		require.Len(t, offers, 1, "on the street, what is for everybody")
		require.Equal(t, w.stamps, offers[0].ID)
		require.Zero(t, offers[0].MarginBPS)
		return err
	})
}

// Who asks for a campaign that counts per shop is in it at each of the own shops.
func TestEnrollingPerShopIsForEachShop(t *testing.T) {
	w := newWorld(t, 4)
	v := w.made(func(in *store.CampaignInput) {
		in.Terms.PerShop, in.Terms.Enrolment, in.Terms.Shops = true, loyalty.OnRequest, []loyalty.ID{w.shop.ID, w.otherShop.ID}
	})
	enroll := func() { w.do(func(tx *store.Tx) error { return tx.Enroll(t.Context(), w.person, v.ID) }) }
	enroll()
	require.Len(t, w.of(w.person, v.ID), 1)
	w.do(func(tx *store.Tx) error {
		_, err := tx.Onboard(t.Context(), w.person, w.otherShop.Code, "otra")
		return err
	})
	all := w.of(w.person, v.ID)
	require.Len(t, all, 2, "the other shop is still to be begun")
	require.False(t, all[1].Enrolled)
	require.Equal(t, []loyalty.ID{w.otherShop.ID}, all[1].Shops)
	enroll()
	enroll()
	require.EqualValues(t, 2, w.count(`SELECT count(*) FROM enrollments WHERE campaign_id = $1`, v.ID))
	w.earn(2)
	require.EqualValues(t, 2, w.count(`SELECT sum(stamps) FROM enrollments WHERE campaign_id = $1`, v.ID))
	w.verify()
}
