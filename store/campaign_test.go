package store_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

var statuses = []loyalty.Status{
	loyalty.Draft, loyalty.InReview, loyalty.Rejected, loyalty.Approved, loyalty.Active, loyalty.Paused, loyalty.Ended,
}

// at moves a draft to a status by the steps that lead there.
func (w *world) at(campaign loyalty.ID, status loyalty.Status) {
	w.t.Helper()
	steps := map[loyalty.Status][]loyalty.Status{
		loyalty.InReview: {loyalty.InReview},
		loyalty.Rejected: {loyalty.InReview, loyalty.Rejected},
		loyalty.Approved: {loyalty.InReview, loyalty.Approved},
		loyalty.Active:   {loyalty.Active},
		loyalty.Paused:   {loyalty.Active, loyalty.Paused},
		loyalty.Ended:    {loyalty.Active, loyalty.Ended},
	}[status]
	for _, to := range steps {
		w.move(campaign, to)
	}
}

func (w *world) draft() store.Campaign {
	return w.made(func(in *store.CampaignInput) { in.Status = loyalty.Draft })
}

func (w *world) moveAs(scope loyalty.Scope, campaign loyalty.ID, to loyalty.Status, reason string) (c store.Campaign, err error) {
	err = w.db.InTx(w.t.Context(), func(tx *store.Tx) (err error) {
		c, err = tx.MoveCampaign(w.t.Context(), scope, campaign, to, reason)
		return err
	})
	return c, err
}

func (w *world) changeAs(scope loyalty.Scope, campaign loyalty.ID, change store.CampaignChange) (c store.Campaign, err error) {
	err = w.db.InTx(w.t.Context(), func(tx *store.Tx) (err error) {
		c, err = tx.ChangeCampaign(w.t.Context(), scope, campaign, change)
		return err
	})
	return c, err
}

func (w *world) read(campaign loyalty.ID) (c store.Campaign) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		c, err = tx.Campaign(w.t.Context(), w.admin, campaign)
		return err
	})
	return c
}

func (w *world) versions(campaign loyalty.ID) (all []store.CampaignVersion) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		all, err = tx.CampaignVersions(w.t.Context(), w.admin, campaign)
		return err
	})
	return all
}

func (w *world) keeper(shop loyalty.ID) loyalty.Scope {
	return loyalty.Scope{Role: loyalty.RoleTendero, Person: w.person, Shops: []loyalty.ID{shop}}
}

// errTaken takes a transaction back.
var errTaken = errors.New("taken back")

// Every step of a campaign's life, by everybody: owners take theirs, an admin all,
// and nobody one that there is not.
func TestEveryStepOfACampaignsLifeByRole(t *testing.T) {
	w := newWorld(t, 4)
	type step struct{ from, to loyalty.Status }
	owner := map[step]bool{
		{loyalty.Draft, loyalty.InReview}: true, {loyalty.InReview, loyalty.Draft}: true, {loyalty.Rejected, loyalty.Draft}: true,
		{loyalty.Approved, loyalty.Active}: true, {loyalty.Approved, loyalty.Ended}: true,
		{loyalty.Active, loyalty.Paused}: true, {loyalty.Paused, loyalty.Active}: true,
		{loyalty.Active, loyalty.Ended}: true, {loyalty.Paused, loyalty.Ended}: true,
	}
	admin := map[step]bool{
		{loyalty.InReview, loyalty.Approved}: true, {loyalty.InReview, loyalty.Rejected}: true, {loyalty.Draft, loyalty.Active}: true,
	}
	for _, from := range statuses {
		c := w.draft()
		w.at(c.ID, from)
		for _, to := range statuses {
			for role, scope := range map[string]loyalty.Scope{"admin": w.admin, "owner": w.team(w.cpg), "tendero": w.keeper(w.shop.ID), "other": w.team(w.otherCPG)} {
				s, name := step{from, to}, role+": "+string(from)+" to "+string(to)
				var err error
				var after loyalty.Status
				require.ErrorIs(t, w.db.InTx(t.Context(), func(tx *store.Tx) error {
					_, err = tx.MoveCampaign(t.Context(), scope, c.ID, to, "porque sí")
					read, failed := tx.Campaign(t.Context(), w.admin, c.ID)
					require.NoError(t, failed)
					after = read.Status
					return errTaken
				}), errTaken) // the next one begins where this one did
				code := loyalty.CodeOf(err)
				reached := from
				switch {
				case role == "other":
					require.Equal(t, loyalty.CodeCampaignNotFound, code, name)
				case role == "tendero" && from != loyalty.Active:
					require.Equal(t, loyalty.CodeCampaignNotFound, code, name)
				case role == "tendero":
					require.Equal(t, loyalty.CodeForbidden, code, name)
				case from == loyalty.Ended:
					require.Equal(t, loyalty.CodeConflict, code, name)
				case from == to:
					require.NoError(t, err, name)
				case owner[s], role == "admin" && admin[s]:
					require.NoError(t, err, name)
					reached = to
				case s == step{loyalty.Draft, loyalty.Active}:
					require.Equal(t, loyalty.CodeCampaignTransition, code, name)
				case admin[s]:
					require.Equal(t, loyalty.CodeForbidden, code, name)
				default:
					require.Equal(t, loyalty.CodeCampaignTransition, code, name)
				}
				require.Equal(t, reached, after, name)
			}
		}
	}
	_, err := w.moveAs(w.admin, w.stamps, "archived", "")
	require.Equal(t, []string{"to"}, fieldsOf(t, err))
}

// A draft that an admin activates at once goes through all steps, and each is
// written down with its author.
func TestTheShortcutIsWrittenDownStepByStep(t *testing.T) {
	w := newWorld(t, 4)
	c := w.draft()
	moved, err := w.moveAs(w.admin, c.ID, loyalty.Active, "urge")
	require.NoError(t, err)
	require.Equal(t, 4, moved.Version)
	var steps []string
	for _, v := range w.versions(c.ID) {
		steps = append(steps, v.Action+" "+string(v.Status)+" "+v.Author+" "+v.Reason)
	}
	require.Equal(t, []string{"status active system urge", "status approved system urge", "status in_review system urge", "created draft system "}, steps)
}

func TestARejectionSaysWhyAndAChangeMakesADraftOfIt(t *testing.T) {
	w := newWorld(t, 4)
	c := w.draft()
	w.at(c.ID, loyalty.InReview)
	_, err := w.moveAs(w.admin, c.ID, loyalty.Rejected, "  ")
	require.Equal(t, []string{"reason"}, fieldsOf(t, err))
	w.move(c.ID, loyalty.Rejected)
	_, err = w.changeAs(w.team(w.cpg), c.ID, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Goal = 9 }})
	require.NoError(t, err)
	require.Equal(t, loyalty.Draft, w.read(c.ID).Status)
}

// Who reviews knows what was reviewed: it changes no more under their eyes.
func TestChangesDuringReview(t *testing.T) {
	w := newWorld(t, 4)
	own := w.team(w.cpg)
	goal := func(n int64) store.CampaignChange {
		return store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Goal = n }}
	}
	c := w.draft()
	w.at(c.ID, loyalty.InReview)
	_, err := w.changeAs(own, c.ID, goal(9))
	require.Equal(t, loyalty.CodeCampaignTransition, loyalty.CodeOf(err))
	require.Equal(t, loyalty.CodeCampaignTransition, w.fails(func(tx *store.Tx) error {
		_, err := tx.CreateReward(t.Context(), own, c.ID, store.RewardInput{Name: "Otro", Threshold: 5, Cost: 1})
		return err
	}))
	changed, err := w.changeAs(w.admin, c.ID, goal(9))
	require.NoError(t, err)
	require.Equal(t, loyalty.InReview, changed.Status)

	w.move(c.ID, loyalty.Approved)
	changed, err = w.changeAs(w.admin, c.ID, goal(8))
	require.NoError(t, err)
	require.Equal(t, loyalty.Approved, changed.Status)
	changed, err = w.changeAs(own, c.ID, goal(7))
	require.NoError(t, err)
	require.Equal(t, loyalty.InReview, changed.Status, "what was approved was something else")
	w.move(c.ID, loyalty.Approved)
	w.do(func(tx *store.Tx) error {
		_, err := tx.CreateReward(t.Context(), own, c.ID, store.RewardInput{Name: "Otro", Threshold: 5, Cost: 1})
		return err
	})
	require.Equal(t, loyalty.InReview, w.read(c.ID).Status, "a reward is part of it")
}

func TestWhoMakesWhichCampaign(t *testing.T) {
	w := newWorld(t, 4)
	terms := loyalty.Terms{
		Name: "Nueva", Scheme: loyalty.Stamps, Goal: 5, Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}},
		Products: []loyalty.ID{w.product}, AllShops: true,
	}
	shops := terms
	shops.AllShops = false
	create := func(scope loyalty.Scope, in store.CampaignInput) (c store.Campaign, err error) {
		err = w.db.InTx(t.Context(), func(tx *store.Tx) (err error) {
			c, err = tx.CreateCampaign(t.Context(), scope, in)
			return err
		})
		return c, err
	}
	for name, c := range map[string]struct {
		scope loyalty.Scope
		in    store.CampaignInput
		field string
		code  loyalty.Code
	}{
		"a brand's draft":                  {scope: w.team(w.cpg), in: store.CampaignInput{Terms: terms}},
		"a brand's active one":             {scope: w.team(w.cpg), in: store.CampaignInput{Terms: terms, Status: loyalty.Active}, field: "status"},
		"a brand's for another":            {scope: w.team(w.cpg), in: store.CampaignInput{Terms: terms, CPG: w.otherCPG}, field: "cpg_id"},
		"a brand's for a shop":             {scope: w.team(w.cpg), in: store.CampaignInput{Terms: shops, Owner: w.shop.ID}, field: "shop_id"},
		"a tendero's":                      {scope: w.keeper(w.shop.ID), in: store.CampaignInput{Terms: shops}},
		"a tendero's active one":           {scope: w.keeper(w.shop.ID), in: store.CampaignInput{Terms: shops, Status: loyalty.Active}, field: "status"},
		"a tendero's for a CPG":            {scope: w.keeper(w.shop.ID), in: store.CampaignInput{Terms: terms, CPG: w.cpg}, field: "cpg_id"},
		"a tendero's for another":          {scope: w.keeper(w.shop.ID), in: store.CampaignInput{Terms: shops, Owner: w.otherShop.ID}, field: "shop_id"},
		"an admin's active one":            {scope: w.admin, in: store.CampaignInput{Terms: terms, CPG: w.cpg, Status: loyalty.Active}},
		"an admin's of nobody":             {scope: w.admin, in: store.CampaignInput{Terms: terms}, field: "cpg_id"},
		"an admin's of two":                {scope: w.admin, in: store.CampaignInput{Terms: terms, CPG: w.cpg, Owner: w.shop.ID}, field: "cpg_id"},
		"an admin's of a CPG that is none": {scope: w.admin, in: store.CampaignInput{Terms: terms, CPG: w.person}, field: "product_ids"},
		"a consumer's":                     {scope: loyalty.Scope{Role: loyalty.RoleConsumer, Person: w.person}, in: store.CampaignInput{Terms: terms}, code: loyalty.CodeForbidden},
		"an integration's":                 {scope: loyalty.Scope{Role: loyalty.RoleIntegration, Key: w.person}, in: store.CampaignInput{Terms: terms}, code: loyalty.CodeForbidden},
	} {
		_, err := create(c.scope, c.in)
		switch {
		case c.field != "":
			require.Contains(t, fieldsOf(t, err), c.field, name)
		default:
			require.Equal(t, c.code, loyalty.CodeOf(err), name)
		}
	}
}

// A tendero sees what is active at the own shop and all that the shop owns, and
// moves the latter.
func TestAShopsOwnCampaign(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	mine, elsewhere := w.keeper(w.shop.ID), w.keeper(w.otherShop.ID)
	var c store.Campaign
	w.do(func(tx *store.Tx) (err error) {
		c, err = tx.CreateCampaign(ctx, mine, store.CampaignInput{
			Terms: loyalty.Terms{
				Name: "La de Lupita", Scheme: loyalty.Stamps, Goal: 3, Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerPurchase, Amount: 1}},
				Products: []loyalty.ID{w.product},
			},
			Rewards: []store.RewardInput{{Name: "Un dulce", Threshold: 3, Cost: 100}},
		})
		return err
	})
	require.Equal(t, []loyalty.ID{w.shop.ID}, c.Places)
	require.EqualValues(t, 100, c.Rewards[0].Cost, "the owner sees its costs")
	for _, scope := range []loyalty.Scope{elsewhere, w.team(w.cpg), {Role: loyalty.RoleConsumer, Person: w.person}} {
		require.Equal(t, loyalty.CodeCampaignNotFound, w.fails(func(tx *store.Tx) error { _, err := tx.Campaign(ctx, scope, c.ID); return err }))
	}
	_, err := w.moveAs(mine, c.ID, loyalty.InReview, "")
	require.NoError(t, err)
	w.move(c.ID, loyalty.Approved)
	_, err = w.moveAs(mine, c.ID, loyalty.Active, "")
	require.NoError(t, err)
	w.do(func(tx *store.Tx) error {
		all, _, err := tx.Campaigns(ctx, mine, store.CampaignFilter{}, everything)
		require.NoError(t, err)
		require.Len(t, all, 2)
		own, _, err := tx.Campaigns(ctx, mine, store.CampaignFilter{Owner: w.shop.ID}, everything)
		require.NoError(t, err)
		require.Len(t, own, 1)
		_, err = tx.Campaign(ctx, elsewhere, c.ID)
		require.Equal(t, loyalty.CodeCampaignNotFound, loyalty.CodeOf(err))
		public, err := tx.Campaign(ctx, loyalty.Scope{Role: loyalty.RoleConsumer, Person: w.person}, c.ID)
		require.NoError(t, err)
		require.Zero(t, public.Rewards[0].Cost)
		return nil
	})
	r, _, err := w.buy("una", w.card, 2)
	require.NoError(t, err)
	require.Len(t, r.Earned, 2, "the CPG's and the shop's")
}

// Each change is a version that says what changed, from what to what, by whom and
// why.
func TestVersionsSayWhatChanged(t *testing.T) {
	w := newWorld(t, 4)
	staff := loyalty.Scope{Role: loyalty.RoleCPG, CPG: w.cpg, Staff: w.person}
	limits := []loyalty.Limit{{Max: 3, Period: loyalty.EachDay}}
	c, err := w.changeAs(staff, w.stamps, store.CampaignChange{Reason: "más fácil", Apply: func(t *loyalty.Terms) { t.Goal, t.Limits, t.EndsAt = 8, limits, time.Time{} }})
	require.NoError(t, err)
	require.Equal(t, 2, c.Version)
	require.True(t, c.EndsAt.IsZero())
	require.Equal(t, "l1", c.Limits[0].ID)

	newest := w.versions(w.stamps)[0]
	require.Equal(t, "staff:"+string(w.person), newest.Author)
	require.Equal(t, "más fácil", newest.Reason)
	require.Equal(t, "terms", newest.Action)
	require.True(t, newest.InForce && newest.HoldsFrom.Equal(w.now()))
	require.EqualValues(t, 8, newest.Terms.Goal)
	diff := map[string][2]string{}
	for _, d := range newest.Diff {
		diff[d.Field] = [2]string{compact(t, d.From), compact(t, d.To)}
	}
	require.Equal(t, map[string][2]string{
		"goal":    {"10", "8"},
		"ends_at": {`"2026-06-03T17:42:11Z"`, "null"},
		"limits":  {"null", `[{"id":"l1","max":3,"period":"day"}]`},
	}, diff)

	// What changes nothing is no version.
	_, err = w.changeAs(staff, w.stamps, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Goal = 8 }})
	require.NoError(t, err)
	price := loyalty.Cents(1500)
	w.do(func(tx *store.Tx) error {
		_, err := tx.UpdateReward(t.Context(), staff, w.reward, store.RewardPatch{Cost: &price})
		require.NoError(t, err)
		_, err = tx.UpdateReward(t.Context(), staff, w.reward, store.RewardPatch{Cost: &price})
		return err
	})
	all := w.versions(w.stamps)
	require.Len(t, all, 3)
	require.Equal(t, "reward", all[0].Action)
	require.Len(t, all[0].Diff, 1)
	require.Equal(t, "rewards.Un refresco gratis.cost_cents", all[0].Diff[0].Field)
	require.Equal(t, "1200", string(all[0].Diff[0].From))
}

func compact(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal(raw, &v))
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}

// What was agreed with consumers stays: scheme and what balances count by change
// only before the campaign is reviewed.
func TestSchemeAndBalancesChangeOnlyInADraft(t *testing.T) {
	w := newWorld(t, 4)
	_, err := w.changeAs(w.admin, w.stamps, store.CampaignChange{Apply: func(t *loyalty.Terms) {
		t.Scheme, t.PerShop, t.Earn[0].Unit = loyalty.Points, true, loyalty.Point
	}})
	require.Equal(t, []string{"scheme", "per_shop"}, fieldsOf(t, err))
	c := w.draft()
	_, err = w.changeAs(w.team(w.cpg), c.ID, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.PerShop = true }})
	require.NoError(t, err)
	w.at(c.ID, loyalty.Ended)
	_, err = w.changeAs(w.admin, c.ID, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Goal = 3 }})
	require.Equal(t, loyalty.CodeConflict, loyalty.CodeOf(err))
}

// A change of a running campaign that holds from later: sales before that moment
// are judged by the old terms, those after it by the new ones, whether or not a
// job came by; the campaign shows the old ones until then.
func TestAScheduledVersionHoldsFromItsTime(t *testing.T) {
	w := newWorld(t, 4)
	at := w.now().Add(2 * time.Hour)
	double := store.CampaignChange{HoldsFrom: at, Apply: func(t *loyalty.Terms) { t.Earn[0].Amount = 2; t.AllShops, t.Shops = true, nil }}
	for field, holds := range map[string]time.Time{"past": w.now().Add(-time.Second), "far": time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)} {
		_, err := w.changeAs(w.admin, w.stamps, store.CampaignChange{HoldsFrom: holds, Apply: double.Apply})
		require.Equal(t, []string{"holds_from"}, fieldsOf(t, err), field)
	}
	draft := w.draft()
	_, err := w.changeAs(w.admin, draft.ID, double)
	require.Equal(t, []string{"holds_from"}, fieldsOf(t, err), "a draft holds nothing yet")

	c, err := w.changeAs(w.team(w.cpg), w.stamps, double)
	require.NoError(t, err)
	require.Equal(t, 1, c.Version)
	require.EqualValues(t, 1, c.Earn[0].Amount)
	require.True(t, w.versions(w.stamps)[0].Scheduled(w.now()))
	_, err = w.changeAs(w.admin, w.stamps, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Goal = 9 }})
	require.Equal(t, loyalty.CodeVersionScheduled, loyalty.CodeOf(err))

	earned := func(key string) int64 {
		r, _, err := w.buy(key, w.card, 1)
		require.NoError(t, err)
		return r.Earned[0].Amount
	}
	require.EqualValues(t, 1, earned("now"))
	w.clock.Set(at.Add(-time.Second))
	require.Zero(t, w.applied())
	require.EqualValues(t, 1, earned("just before"))
	w.clock.Set(at)
	require.EqualValues(t, 2, earned("from then on"))
	require.EqualValues(t, 1, w.read(w.stamps).Earn[0].Amount, "nobody projected it yet")
	late := w.purchaseOf("late", w.shop, w.gtin, at.Add(-time.Minute))
	r, _, err := w.buyAs(w.admin, late)
	require.NoError(t, err)
	require.EqualValues(t, 1, r.Earned[0].Amount, "a late sale is judged by what held then")

	require.Equal(t, 1, w.applied())
	require.Zero(t, w.applied())
	c = w.read(w.stamps)
	require.Equal(t, 2, c.Version)
	require.EqualValues(t, 2, c.Earn[0].Amount)
	require.True(t, c.EveryShop)
	require.EqualValues(t, 2, earned("afterwards"))
	w.verify()
}

func (w *world) applied() (n int) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		n, err = tx.ApplyDueVersions(w.t.Context(), 100)
		return err
	})
	return n
}

// Whoever changes a campaign changes what holds then, job or no job.
func TestADueVersionIsAppliedBeforeAnyChange(t *testing.T) {
	w := newWorld(t, 4)
	at := w.now().Add(time.Hour)
	_, err := w.changeAs(w.admin, w.stamps, store.CampaignChange{HoldsFrom: at, Apply: func(t *loyalty.Terms) { t.Goal = 8 }})
	require.NoError(t, err)
	w.move(w.stamps, loyalty.Paused) // a status is no rule: it may change meanwhile
	w.move(w.stamps, loyalty.Active)
	require.EqualValues(t, 10, w.read(w.stamps).Goal)
	w.clock.Set(at)
	c, err := w.changeAs(w.admin, w.stamps, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Name = "Junta 8" }})
	require.NoError(t, err)
	require.EqualValues(t, 8, c.Goal)
	require.Equal(t, 5, c.Version)
	require.Zero(t, w.applied())
}

func TestAScheduledVersionCanBeWithdrawn(t *testing.T) {
	w := newWorld(t, 4)
	at := w.now().Add(time.Hour)
	schedule := store.CampaignChange{HoldsFrom: at, Apply: func(t *loyalty.Terms) { t.Earn[0].Amount = 5 }}
	cancel := func(version int) error {
		return w.db.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.CancelVersion(t.Context(), w.team(w.cpg), w.stamps, version)
			return err
		})
	}
	_, err := w.changeAs(w.admin, w.stamps, schedule)
	require.NoError(t, err)
	require.Equal(t, loyalty.CodeNotFound, loyalty.CodeOf(cancel(7)))
	require.Equal(t, loyalty.CodeConflict, loyalty.CodeOf(cancel(1)), "it holds")
	require.NoError(t, cancel(2))
	require.NoError(t, cancel(2), "again is harmless")
	require.NotNil(t, w.versions(w.stamps)[0].CancelledAt)
	w.clock.Set(at.Add(time.Hour))
	require.Zero(t, w.applied())
	r, _, err := w.buy("k", w.card, 1)
	require.NoError(t, err)
	require.EqualValues(t, 1, r.Earned[0].Amount)

	schedule.HoldsFrom = w.now().Add(time.Hour)
	_, err = w.changeAs(w.admin, w.stamps, schedule)
	require.NoError(t, err)
	w.move(w.stamps, loyalty.Ended)
	require.NotNil(t, w.versions(w.stamps)[1].CancelledAt, "an ended campaign changes no more")
}

// A draft's earlier terms never judge anything, not even a sale of before it was
// activated.
func TestALateSaleIsJudgedByTheLastTermsOfADraft(t *testing.T) {
	w := newWorld(t, 4)
	c := w.made(func(in *store.CampaignInput) { in.Status, in.Terms.StartsAt = loyalty.Draft, w.now().Add(time.Hour) })
	w.change(c.ID, func(t *loyalty.Terms) { t.StartsAt, t.Earn[0].Amount = w.now().Add(-48*time.Hour), 3 })
	w.clock.Advance(time.Hour)
	w.change(c.ID, func(t *loyalty.Terms) { t.Earn[0].Amount = 4 })
	w.at(c.ID, loyalty.Active)
	for _, ago := range []time.Duration{30 * time.Hour, 30 * time.Minute, 0} {
		r, _, err := w.buyAs(w.admin, w.purchaseOf("late "+ago.String(), w.shop, w.gtin, w.now().Add(-ago)))
		require.NoError(t, err)
		for _, e := range r.Earned {
			if e.CampaignID == c.ID {
				require.EqualValues(t, 4, e.Amount, ago)
			}
		}
		require.Len(t, r.Earned, map[bool]int{true: 1, false: 2}[ago > 25*time.Hour], "%s", ago)
	}
}

// A campaign that contradicts itself goes no further, and says why.
func TestAContradictoryCampaignGoesNoFurther(t *testing.T) {
	w := newWorld(t, 4)
	c := w.made(func(in *store.CampaignInput) { in.Status, in.Terms.Products = loyalty.Draft, nil })
	_, err := w.moveAs(w.team(w.cpg), c.ID, loyalty.InReview, "")
	require.Equal(t, loyalty.CodeCampaignContradictory, loyalty.CodeOf(err))
	require.Equal(t, []string{"product_ids"}, fieldsOf(t, err))
	w.do(func(tx *store.Tx) error {
		found, err := tx.ReviewCampaign(t.Context(), w.team(w.cpg), c.ID)
		require.NoError(t, err)
		require.Equal(t, "NO_PRODUCTS", found[0].Code)
		return nil
	})
	_, err = w.changeAs(w.admin, w.stamps, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.ExcludedShops = t.Shops }})
	require.Equal(t, loyalty.CodeCampaignContradictory, loyalty.CodeOf(err), "nor does one that runs become so")
	require.Equal(t, []string{"shop_ids"}, fieldsOf(t, err))
}
