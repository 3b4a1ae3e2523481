package loyalty_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// The metrics of thresholds. One of n is the progress of n of it and of no other.
var metrics = []struct {
	name string
	of   func(n int64) loyalty.Progress
}{
	{"purchases", func(n int64) loyalty.Progress { return loyalty.Progress{Purchases: n} }},
	{"spend", func(n int64) loyalty.Progress { return loyalty.Progress{Spend: loyalty.Cents(n)} }},
	{"earned", func(n int64) loyalty.Progress { return loyalty.Progress{Earned: n} }},
}

// tierLevel is reached by the progress, by any of what it states.
func tierLevel(name string, p loyalty.Progress) loyalty.Level {
	return loyalty.Level{Name: name, Purchases: p.Purchases, Spend: p.Spend, Earned: p.Earned}
}

// threeLevels are bronce at 2, plata at 4, oro at 8 of a metric.
func threeLevels(of func(int64) loyalty.Progress) []loyalty.Level {
	return []loyalty.Level{tierLevel("bronce", of(2)), tierLevel("plata", of(4)), tierLevel("oro", of(8))}
}

func tierZone(t require.TestingT, name string) *time.Location {
	zone, err := time.LoadLocation(name)
	require.NoError(t, err)
	return zone
}

// tierStep is what happened at a local time, "01-02" or "01-02 15:04" of 2026, and
// the standing then: "oro", "oro until 2026-04-08" where it is at risk, "" is none.
type tierStep struct {
	what string // buy, refund, late (a purchase that comes late), see, redeem, give back
	at   string
	n    int64
	want string
}

// tierStory tells the steps one after another.
type tierStory struct {
	tiers loyalty.Tiers
	of    func(int64) loyalty.Progress
	zone  *time.Location
	now   loyalty.TierStanding
	asked loyalty.TierStanding // when the reward was requested
}

func (y *tierStory) tell(t *testing.T, steps []tierStep) {
	t.Helper()
	for i, s := range steps {
		if len(s.at) == len("01-02") {
			s.at += " 12:00"
		}
		at, err := time.ParseInLocation("2006-01-02 15:04", "2026-"+s.at, y.zone)
		require.NoError(t, err)
		switch s.what {
		case "buy", "late":
			y.now = y.tiers.Add(y.now, y.of(s.n), at.UTC(), y.zone)
		case "refund":
			y.now = y.tiers.Remove(y.now, y.of(s.n), at.UTC(), y.zone)
		case "see":
			y.now = y.tiers.At(y.now, at.UTC(), y.zone)
		case "redeem":
			y.asked = y.now
			y.now = y.tiers.Redeemed(y.now)
		case "give back":
			y.now = y.tiers.GaveBack(y.now, y.asked)
		default:
			require.Fail(t, "no such step", s.what)
		}
		got := y.now.Level
		if y.now.AtRisk() {
			got += " until " + y.now.GraceUntil
		}
		require.Equal(t, s.want, got, "step %d: %s %s: %+v", i, s.what, s.at, y.now)
	}
}

func TestTiers(t *testing.T) {
	monthly := func(grace int64) loyalty.Tiers {
		return loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachMonth, GraceDays: grace}
	}
	weekly := func(grace int64) loyalty.Tiers {
		return loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachWeek, GraceDays: grace}
	}
	forGood, toReward := loyalty.Tiers{Keep: loyalty.TierForGood}, loyalty.Tiers{Keep: loyalty.TierToReward}
	for _, c := range []struct {
		name  string
		tiers loyalty.Tiers
		steps []tierStep
	}{
		{"for good: progress adds up and nothing is lost by time", forGood, []tierStep{
			{"see", "01-05", 0, ""}, {"buy", "01-05", 1, ""}, {"buy", "02-05", 1, "bronce"}, {"buy", "06-05", 1, "bronce"},
			{"buy", "06-06", 1, "plata"}, {"see", "12-31", 0, "plata"}, {"redeem", "12-31", 0, "plata"},
		}},
		{"for good: several levels at once", forGood, []tierStep{{"buy", "01-05", 9, "oro"}}},
		{"for good: a late purchase counts", forGood, []tierStep{{"buy", "06-05", 1, ""}, {"late", "01-05", 1, "bronce"}}},
		{"for good: a refund takes what it brought", forGood, []tierStep{
			{"buy", "01-05", 3, "bronce"}, {"buy", "01-06", 5, "oro"}, {"refund", "01-06", 1, "plata"}, {"refund", "01-06", 4, "bronce"}, {"refund", "01-05", 3, ""},
		}},
		{"for good: a refund never makes a debt", forGood, []tierStep{{"buy", "01-05", 1, ""}, {"refund", "01-05", 9, ""}, {"buy", "01-06", 2, "bronce"}}},

		{"to reward: begins anew", toReward, []tierStep{
			{"buy", "01-05", 5, "plata"}, {"see", "12-05", 0, "plata"}, {"redeem", "12-05", 0, ""}, {"buy", "12-06", 2, "bronce"}, {"buy", "12-07", 1, "bronce"},
		}},
		{"to reward: given back", toReward, []tierStep{
			{"buy", "01-05", 5, "plata"}, {"redeem", "01-06", 0, ""}, {"give back", "01-07", 0, "plata"}, {"buy", "01-08", 3, "oro"},
		}},
		{"to reward: given back after more purchases", toReward, []tierStep{
			{"buy", "01-05", 5, "plata"}, {"redeem", "01-06", 0, ""}, {"buy", "01-06", 3, "bronce"}, {"give back", "01-07", 0, "oro"},
		}},
		{"to reward: a refund takes what it brought", toReward, []tierStep{
			{"buy", "01-05", 8, "oro"}, {"redeem", "01-06", 0, ""}, {"buy", "01-07", 5, "plata"}, {"refund", "01-07", 2, "bronce"},
		}},

		{"period: held to the end of the next period", monthly(0), []tierStep{
			{"buy", "01-31 23:59", 8, "oro"}, {"see", "02-01 00:00", 0, "oro"}, {"see", "02-28 23:59", 0, "oro"}, {"see", "03-01 00:00", 0, ""},
		}},
		{"period: earned anew", monthly(0), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "02-10", 8, "oro"}, {"see", "03-01", 0, "oro"}, {"see", "03-31", 0, "oro"}, {"see", "04-01", 0, ""},
		}},
		{"period: progress of two periods doesn't add up", monthly(0), []tierStep{{"buy", "01-31", 7, "plata"}, {"buy", "02-01", 1, "plata"}}},
		{"period: drops to what the period that has ended merits", monthly(0), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "02-10", 2, "oro"}, {"see", "03-01", 0, "bronce"}, {"see", "04-01", 0, ""},
		}},
		{"period: redeeming changes nothing", monthly(0), []tierStep{{"buy", "01-10", 8, "oro"}, {"redeem", "01-11", 0, "oro"}, {"give back", "01-12", 0, "oro"}}},
		{"period: at risk in the grace days, then lost", monthly(5), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "02-10", 2, "oro"}, {"see", "02-28 23:59", 0, "oro"}, {"see", "03-01 00:00", 0, "oro until 2026-03-06"},
			{"see", "03-05 23:59", 0, "oro until 2026-03-06"}, {"see", "03-06 00:00", 0, "bronce"}, {"see", "03-31", 0, "bronce"},
			{"see", "04-01", 0, "bronce until 2026-04-06"}, {"see", "04-06", 0, ""},
		}},
		{"period: earned again in the grace days", monthly(5), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "03-02", 7, "oro until 2026-03-06"}, {"buy", "03-03", 1, "oro"}, {"see", "04-30", 0, "oro"}, {"see", "05-01", 0, "oro until 2026-05-06"},
		}},
		{"period: on the grace day what this period merits is left", monthly(5), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "02-10", 2, "oro"}, {"buy", "03-03", 4, "oro until 2026-03-06"}, {"see", "03-06", 0, "plata"}, {"see", "04-30", 0, "plata"},
		}},
		{"period: a purchase after the grace days is too late", monthly(5), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "03-03", 6, "oro until 2026-03-06"}, {"buy", "03-06", 1, "plata"}, {"buy", "03-07", 1, "oro"},
		}},
		{"period: more than what is at risk", monthly(5), []tierStep{
			{"buy", "01-10", 2, "bronce"}, {"see", "03-01", 0, "bronce until 2026-03-06"}, {"buy", "03-02", 4, "plata"}, {"see", "03-06", 0, "plata"},
		}},
		{"period: several periods at once", monthly(5), []tierStep{{"buy", "01-10", 8, "oro"}, {"see", "11-02", 0, ""}}},
		{"period: several periods at once, into the grace days", monthly(5), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "02-10", 4, "oro"}, {"see", "04-02", 0, "plata until 2026-04-06"},
		}},
		{"period: years of absence", weekly(2), []tierStep{{"buy", "01-10", 8, "oro"}, {"see", "12-30", 0, ""}, {"buy", "12-31", 2, "bronce"}}},
		{"period: grace days longer than the period don't begin anew", weekly(10), []tierStep{ // Mondays: 5, 12, 19, 26 January
			{"buy", "01-05", 8, "oro"}, {"see", "01-19", 0, "oro until 2026-01-29"}, {"see", "01-26", 0, "oro until 2026-01-29"}, {"see", "01-29", 0, ""},
		}},
		{"period: weeks begin on Monday", weekly(0), []tierStep{
			{"buy", "01-11 23:59", 8, "oro"}, {"see", "01-18 23:59", 0, "oro"}, {"see", "01-19 00:00", 0, ""},
		}},
		{"period: weeks pass the end of a month", weekly(3), []tierStep{
			{"buy", "02-28", 8, "oro"}, {"buy", "03-01", 0, "oro"}, {"see", "03-08", 0, "oro"}, {"see", "03-09", 0, "oro until 2026-03-12"}, {"see", "03-12", 0, ""},
		}},
		{"period: a late purchase saves what the last period decides", monthly(5), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "02-10", 7, "oro"}, {"see", "03-01", 0, "oro until 2026-03-06"}, {"late", "02-28", 1, "oro"}, {"see", "03-06", 0, "oro"},
		}},
		{"period: a late purchase gives back what the last period took", monthly(0), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "02-10", 7, "oro"}, {"see", "03-01", 0, "plata"}, {"late", "02-28 23:59", 1, "oro"}, {"see", "04-01", 0, ""},
		}},
		{"period: a purchase that is older than the last period doesn't count", monthly(0), []tierStep{
			{"buy", "03-10", 1, ""}, {"late", "01-31", 8, ""}, {"late", "02-01", 2, "bronce"},
		}},
		{"period: a late purchase of this period", monthly(0), []tierStep{{"buy", "03-10", 1, ""}, {"late", "03-01", 1, "bronce"}}},
		{"period: a refund lowers to what is still merited", monthly(0), []tierStep{
			{"buy", "01-10", 4, "plata"}, {"buy", "02-10", 8, "oro"}, {"refund", "02-10", 1, "plata"}, {"refund", "01-10", 4, "plata"}, {"refund", "02-10", 5, "bronce"}, {"refund", "02-10", 2, ""},
		}},
		{"period: a refund of the period before the last changes nothing", monthly(5), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "03-02", 1, "oro until 2026-03-06"}, {"refund", "01-10", 8, "oro until 2026-03-06"}, {"buy", "03-03", 7, "oro"},
		}},
		{"period: a refund in the grace days doesn't shorten them", monthly(5), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "03-02", 1, "oro until 2026-03-06"}, {"refund", "03-02", 1, "oro until 2026-03-06"},
		}},
		{"period: a refund of what ended the risk brings it back", monthly(5), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "03-02", 8, "oro"}, {"refund", "03-02", 8, "oro until 2026-03-06"}, {"see", "03-06", 0, ""},
		}},
		{"period: a refund of what kept the tier puts it at risk", monthly(5), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "02-10", 8, "oro"}, {"see", "03-01", 0, "oro"}, {"refund", "02-10", 1, "oro until 2026-03-06"}, {"see", "03-06", 0, "plata"},
		}},
		{"period: a refund after the grace days finds nothing to stand on", monthly(5), []tierStep{
			{"buy", "01-10", 8, "oro"}, {"buy", "03-02", 8, "oro"}, {"see", "03-06", 0, "oro"}, {"refund", "03-02", 8, ""},
		}},
	} {
		for _, m := range metrics {
			t.Run(c.name+", by "+m.name, func(t *testing.T) {
				y := tierStory{tiers: c.tiers, of: m.of, zone: tierZone(t, "America/Mexico_City")}
				y.tiers.Levels = threeLevels(m.of)
				y.tell(t, c.steps)
			})
		}
	}
}

// The days are the shop's: Mexico City keeps UTC-6 all year, Tijuana has summer
// time from 8 March to 1 November 2026.
func TestTierPeriodsAreTheShops(t *testing.T) {
	for _, c := range []struct{ name, zone, bought, last, lost string }{
		{"Mexico City", "America/Mexico_City", "2026-03-01T05:59:59Z", "2026-04-01T05:59:59Z", "2026-04-01T06:00:00Z"},
		{"Tijuana, by day an hour shorter", "America/Tijuana", "2026-03-01T07:59:59Z", "2026-04-01T06:59:59Z", "2026-04-01T07:00:00Z"},
		{"Tijuana, by day an hour longer", "America/Tijuana", "2026-11-01T06:59:59Z", "2026-12-01T07:59:59Z", "2026-12-01T08:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone := tierZone(t, c.zone)
			at := func(s string) time.Time {
				moment, err := time.Parse(time.RFC3339, s)
				require.NoError(t, err)
				return moment
			}
			tiers := loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachMonth, Levels: threeLevels(metrics[0].of)}
			s := tiers.Add(loyalty.TierStanding{}, loyalty.Progress{Purchases: 4}, at(c.bought), zone)
			require.Equal(t, "plata", tiers.At(s, at(c.last), zone).Level)
			require.Empty(t, tiers.At(s, at(c.lost), zone).Level)
		})
	}
}

// Any threshold is enough. A card that needed all of them dropped at the second
// purchase (P13).
func TestAnyThresholdReachesALevel(t *testing.T) {
	levels := []loyalty.Level{
		{Name: "bronce", Purchases: 2, Spend: 10_000, Earned: 20},
		{Name: "plata", Spend: 50_000},
		{Name: "oro", Purchases: 10, Spend: 100_000},
	}
	for _, keep := range []loyalty.TierKeep{loyalty.TierForGood, loyalty.TierPerPeriod, loyalty.TierToReward} {
		for _, c := range []struct {
			name      string
			purchases []loyalty.Progress
			want      []string
		}{
			{"by spend, and it stays at the second purchase", []loyalty.Progress{{Purchases: 1, Spend: 10_000, Earned: 1}, {Purchases: 1, Spend: 100, Earned: 1}}, []string{"bronce", "bronce"}},
			{"by purchases", []loyalty.Progress{{Purchases: 1, Spend: 1}, {Purchases: 1, Spend: 1}}, []string{"", "bronce"}},
			{"by what was earned", []loyalty.Progress{{Purchases: 1, Earned: 19}, {Earned: 1}}, []string{"", "bronce"}},
			{"just below all", []loyalty.Progress{{Purchases: 1, Spend: 9_999, Earned: 19}}, []string{""}},
			{"what a level doesn't state doesn't reach it", []loyalty.Progress{{Purchases: 9, Spend: 49_999, Earned: 1000}}, []string{"bronce"}},
			{"over a level that is not reached", []loyalty.Progress{{Purchases: 10, Spend: 100}}, []string{"oro"}},
		} {
			t.Run(fmt.Sprint(keep, ": ", c.name), func(t *testing.T) {
				tiers := loyalty.Tiers{Keep: keep, Period: loyalty.EachMonth, Levels: levels}
				var s loyalty.TierStanding
				for i, p := range c.purchases {
					s = tiers.Add(s, p, time.Date(2026, 3, 1+i, 20, 0, 0, 0, time.UTC), time.UTC)
					require.Equal(t, c.want[i], s.Level)
				}
			})
		}
	}
}

func TestTiersOfANewVersion(t *testing.T) {
	of := metrics[0].of
	day := func(month time.Month, d int) time.Time { return time.Date(2026, month, d, 20, 0, 0, 0, time.UTC) }
	version := func(keep loyalty.TierKeep, levels ...loyalty.Level) *loyalty.Tiers {
		return &loyalty.Tiers{Keep: keep, Period: loyalty.EachMonth, GraceDays: 5, Levels: levels}
	}
	held := func(keep loyalty.TierKeep) loyalty.TierStanding {
		return version(keep, tierLevel("plata", of(4)), tierLevel("oro", of(8))).Add(loyalty.TierStanding{}, of(9), day(1, 10), time.UTC)
	}
	keeps := []loyalty.TierKeep{loyalty.TierForGood, loyalty.TierPerPeriod, loyalty.TierToReward}

	for _, keep := range keeps {
		t.Run(string(keep)+": what asks for more takes nothing", func(t *testing.T) {
			v := version(keep, tierLevel("plata", of(40)), tierLevel("oro", of(80)))
			s := v.At(held(keep), day(1, 20), time.UTC)
			require.Equal(t, "oro", s.Level)
			require.Equal(t, "oro", v.Add(s, of(1), day(1, 21), time.UTC).Level)
			require.Equal(t, "oro", v.Remove(s, of(1), day(1, 10), time.UTC).Level, "it didn't bring what is held")
		})
		t.Run(string(keep)+": what asks for less gives at once", func(t *testing.T) {
			v := version(keep, tierLevel("plata", of(4)), tierLevel("oro", of(8)), tierLevel("diamante", of(9)))
			require.Equal(t, "diamante", v.At(held(keep), day(1, 20), time.UTC).Level)
		})
		t.Run(string(keep)+": a level that is no more becomes what is merited", func(t *testing.T) {
			v := version(keep, tierLevel("plata", of(4)), tierLevel("dorado", of(8)))
			require.Equal(t, "dorado", v.At(held(keep), day(1, 20), time.UTC).Level)
			require.Equal(t, "plata", version(keep, tierLevel("plata", of(4))).At(held(keep), day(1, 20), time.UTC).Level)
			require.Empty(t, version(keep, tierLevel("diamante", of(80))).At(held(keep), day(1, 20), time.UTC).Level)
		})
	}

	t.Run("what asks for more than is held has the grace days", func(t *testing.T) {
		v := version(loyalty.TierPerPeriod, tierLevel("plata", of(4)), tierLevel("oro", of(80)))
		s := v.At(held(loyalty.TierPerPeriod), day(2, 1), time.UTC)
		require.Equal(t, "oro", s.Level)
		require.Equal(t, "2026-02-06", s.GraceUntil)
		require.Equal(t, "plata", v.At(s, day(2, 6), time.UTC).Level)
	})
	t.Run("what is held is not at risk where the grace days keep less", func(t *testing.T) {
		levels := []loyalty.Level{tierLevel("plata", of(4)), tierLevel("oro", of(8))}
		s := version(loyalty.TierPerPeriod, levels...).Add(loyalty.TierStanding{}, of(4), day(1, 10), time.UTC)
		s = version(loyalty.TierPerPeriod, levels...).Add(s, of(8), day(2, 10), time.UTC)
		s = version(loyalty.TierPerPeriod, levels...).At(s, day(3, 1), time.UTC)
		v := version(loyalty.TierPerPeriod, tierLevel("plata", of(40)), tierLevel("oro", of(80)))
		for _, d := range []int{2, 6, 31} {
			s = v.At(s, day(3, d), time.UTC)
			require.Equal(t, "oro", s.Level)
			require.False(t, s.AtRisk())
		}
		require.Equal(t, "2026-04-06", v.At(s, day(4, 1), time.UTC).GraceUntil)
	})
	t.Run("from periods to rewards, given back", func(t *testing.T) {
		levels := threeLevels(of)
		before := version(loyalty.TierPerPeriod, levels...).Add(held(loyalty.TierPerPeriod), of(1), day(2, 10), time.UTC)
		v := version(loyalty.TierToReward, levels...)
		require.Equal(t, loyalty.TierStanding{Level: "oro", Now: of(10)}, v.GaveBack(v.Redeemed(before), before))
	})
	t.Run("what an earlier version gave is given back with the reward", func(t *testing.T) {
		v := version(loyalty.TierToReward, tierLevel("plata", of(40)), tierLevel("oro", of(80)))
		require.Equal(t, "oro", v.GaveBack(v.Redeemed(held(loyalty.TierToReward)), held(loyalty.TierToReward)).Level)
	})
	t.Run("from periods to none keeps the progress of both", func(t *testing.T) {
		levels := threeLevels(of)
		s := version(loyalty.TierPerPeriod, levels...).Add(held(loyalty.TierPerPeriod), of(1), day(2, 10), time.UTC)
		v := version(loyalty.TierForGood, levels...)
		require.Equal(t, loyalty.TierStanding{Level: "oro", Now: of(10)}, v.At(s, day(9, 1), time.UTC))
		require.Equal(t, loyalty.TierStanding{Level: "plata", Now: of(5)}, v.Remove(s, of(5), day(1, 10), time.UTC))
	})
	t.Run("from none to periods begins with the progress that there is", func(t *testing.T) {
		s := version(loyalty.TierPerPeriod, threeLevels(of)...).At(held(loyalty.TierForGood), day(3, 10), time.UTC)
		require.Equal(t, loyalty.TierStanding{Level: "oro", Begins: "2026-03-01", Now: of(9)}, s)
	})
	t.Run("from weeks to months", func(t *testing.T) {
		levels := threeLevels(of)
		weekly := &loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachWeek, Levels: levels}
		monthly := &loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachMonth, Levels: levels}
		s := weekly.Add(loyalty.TierStanding{}, of(4), day(3, 31), time.UTC)
		require.Equal(t, "2026-03-30", s.Begins)
		s = monthly.Add(s, of(2), day(4, 1), time.UTC)
		require.Equal(t, "2026-04-01", s.Begins)
		require.Equal(t, "plata", s.Level)
		require.Equal(t, "bronce", monthly.At(s, day(5, 1), time.UTC).Level)
	})
}

func TestNextLevel(t *testing.T) {
	tiers := &loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachMonth, GraceDays: 5, Levels: []loyalty.Level{
		{Name: "plata", Purchases: 4, Spend: 10_000}, {Name: "oro", Earned: 50},
	}}
	at := time.Date(2026, 3, 10, 20, 0, 0, 0, time.UTC)
	s := tiers.Add(loyalty.TierStanding{}, loyalty.Progress{Purchases: 1, Spend: 2_500, Earned: 7}, at, time.UTC)
	steps := []struct {
		name    string
		change  func()
		level   string
		missing loyalty.Progress
	}{
		{"what the first states", func() {}, "plata", loyalty.Progress{Purchases: 3, Spend: 7_500}},
		{"the one above what is held", func() { s = tiers.Add(s, loyalty.Progress{Purchases: 3}, at, time.UTC) }, "oro", loyalty.Progress{Earned: 43}},
		{"in a new period from its beginning", func() { s = tiers.At(s, at.AddDate(0, 1, 0), time.UTC) }, "oro", loyalty.Progress{Earned: 50}},
		{"what is at risk", func() { s = tiers.At(s, time.Date(2026, 5, 2, 20, 0, 0, 0, time.UTC), time.UTC) }, "plata", loyalty.Progress{Purchases: 4, Spend: 10_000}},
		{"nothing at the top", func() { s = tiers.Add(s, loyalty.Progress{Earned: 50}, at.AddDate(0, 2, 0), time.UTC) }, "", loyalty.Progress{}},
	}
	for _, c := range steps {
		c.change()
		level, missing := tiers.Next(s)
		name := ""
		if level != nil {
			name = level.Name
		}
		require.Equal(t, c.level, name, c.name)
		require.Equal(t, c.missing, missing, c.name)
	}
}

func TestNoTiers(t *testing.T) {
	var tiers *loyalty.Tiers
	s := loyalty.TierStanding{Level: "oro", Now: loyalty.Progress{Purchases: 3}}
	now := time.Date(2026, 3, 10, 20, 0, 0, 0, time.UTC)
	require.Equal(t, s, tiers.At(s, now, time.UTC))
	require.Equal(t, s, tiers.Add(s, loyalty.Progress{Purchases: 1}, now, time.UTC))
	require.Equal(t, s, tiers.Remove(s, loyalty.Progress{Purchases: 1}, now, time.UTC))
	require.Equal(t, s, tiers.Redeemed(s))
	require.Equal(t, s, tiers.GaveBack(s, s))
	require.Zero(t, tiers.Rank("oro"))
	level, missing := tiers.Next(s)
	require.Nil(t, level)
	require.Zero(t, missing)
}

func TestTierRank(t *testing.T) {
	tiers := &loyalty.Tiers{Levels: threeLevels(metrics[0].of)}
	for name, want := range map[string]int{"": 0, "diamante": 0, "bronce": 1, "plata": 2, "oro": 3} {
		require.Equal(t, want, tiers.Rank(name), name)
	}
}

// tierPurchase is the naive model's: all purchases are kept for ever.
type tierPurchase struct {
	at     time.Time
	period int
	n      int64
}

// periodNumber counts months of the calendar, or weeks from some Monday.
func periodNumber(p loyalty.Period, at time.Time, zone *time.Location) (number, dayOfPeriod int) {
	y, m, d := at.In(zone).Date()
	if p == loyalty.EachMonth {
		return y*12 + int(m), d - 1
	}
	days := int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()/86400) + 3 // 1 January 1970 was a Thursday
	return days / 7, days % 7
}

// Whatever was bought, late, and taken back: the tier by periods is the best of
// what this period, the last, and in the grace days the one before merit by the
// purchases that are left.
func TestTiersByPeriodMatchAllPurchases(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := tierZone(t, rapid.SampledFrom([]string{"America/Mexico_City", "America/Tijuana"}).Draw(t, "zone"))
		m := rapid.SampledFrom(metrics).Draw(t, "metric")
		tiers := &loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachMonth, Levels: threeLevels(m.of)}
		length := 28
		if rapid.Bool().Draw(t, "weekly") {
			tiers.Period, length = loyalty.EachWeek, 7
		}
		tiers.GraceDays = int64(rapid.IntRange(0, length).Draw(t, "grace"))
		merits := func(n int64) int {
			switch {
			case n >= 8:
				return 3
			case n >= 4:
				return 2
			case n >= 2:
				return 1
			}
			return 0
		}

		var s loyalty.TierStanding
		var kept []tierPurchase
		clock := time.Date(2026, 10, rapid.IntRange(1, 31).Draw(t, "day"), rapid.IntRange(0, 23).Draw(t, "hour"), 0, 0, 0, time.UTC)
		current := 0
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"wait", "wait", "buy", "buy", "late", "refund", "see"}).Draw(t, "what") {
			case "wait":
				clock = clock.Add(time.Duration(rapid.IntRange(1, 24*length*3/2).Draw(t, "hours")) * time.Hour)
			case "buy":
				p := tierPurchase{at: clock, n: rapid.Int64Range(1, 8).Draw(t, "n")}
				p.period, _ = periodNumber(tiers.Period, clock, zone)
				s = tiers.Add(s, m.of(p.n), p.at, zone)
				current, kept = p.period, append(kept, p)
			case "late":
				p := tierPurchase{at: clock.Add(-time.Duration(rapid.IntRange(1, 24*length*2).Draw(t, "hours late")) * time.Hour), n: rapid.Int64Range(1, 8).Draw(t, "n")}
				p.period, _ = periodNumber(tiers.Period, p.at, zone)
				s = tiers.Add(s, m.of(p.n), p.at, zone)
				if current = max(current, p.period); p.period >= current-1 {
					kept = append(kept, p)
				}
			case "refund":
				if len(kept) == 0 {
					continue
				}
				p := &kept[rapid.IntRange(0, len(kept)-1).Draw(t, "which")]
				if p.period >= current-1 && p.n > 0 {
					n := rapid.Int64Range(1, p.n).Draw(t, "of it")
					s = tiers.Remove(s, m.of(n), p.at, zone)
					p.n -= n
				}
			case "see":
				s = tiers.At(s, clock, zone)
				current, _ = periodNumber(tiers.Period, clock, zone)
			}

			period, day := periodNumber(tiers.Period, clock, zone)
			sums := map[int]int64{}
			for _, p := range kept {
				sums[p.period] += p.n
			}
			want := max(merits(sums[period]), merits(sums[period-1]))
			risk := false
			if before := merits(sums[period-2]); day < int(tiers.GraceDays) && before > want {
				want, risk = before, true
			}
			got := tiers.At(s, clock, zone)
			require.Equal(t, want, tiers.Rank(got.Level), "%+v", got)
			require.Equal(t, risk, got.AtRisk(), "%+v", got)
			require.Equal(t, got, tiers.At(got, clock, zone), "seeing twice changes nothing")

			stored, err := json.Marshal(s)
			require.NoError(t, err)
			var read loyalty.TierStanding
			require.NoError(t, json.Unmarshal(stored, &read))
			require.Equal(t, s, read)
		}
	})
}
