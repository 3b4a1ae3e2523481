package loyalty_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// What two records of one person earned counts, once they are joined, as if one of
// them had earned all of it.
func TestJoinedStandingsCountAsOne(t *testing.T) {
	zone := tierZone(t, "America/Mexico_City")
	rapid.Check(t, func(t *rapid.T) {
		metric := rapid.SampledFrom(metrics).Draw(t, "metric")
		tiers := &loyalty.Tiers{Levels: threeLevels(metric.of), Keep: rapid.SampledFrom([]loyalty.TierKeep{loyalty.TierForGood, loyalty.TierToReward, loyalty.TierPerPeriod}).Draw(t, "keep")}
		if tiers.Keep == loyalty.TierPerPeriod {
			tiers.Period, tiers.GraceDays = loyalty.EachMonth, rapid.Int64Range(0, 40).Draw(t, "grace")
		}
		var one loyalty.Standing
		var parts [2]loyalty.Standing
		add := func(s *loyalty.Standing, n int64, at time.Time) {
			s.Purchases++
			s.Counters = s.Counters.Plus("l1:"+at.Format(time.DateOnly), n)
			s.Tier = tiers.Add(s.Tier, metric.of(n), at, zone)
		}
		at := time.Date(2026, 1, 20, 18, 0, 0, 0, time.UTC)
		for i := range rapid.IntRange(0, 12).Draw(t, "purchases") {
			at = at.AddDate(0, 0, rapid.IntRange(0, 25).Draw(t, fmt.Sprint("days", i)))
			n := rapid.Int64Range(1, 5).Draw(t, fmt.Sprint("n", i))
			add(&one, n, at)
			add(&parts[rapid.IntRange(0, 1).Draw(t, fmt.Sprint("who", i))], n, at)
		}
		at = at.AddDate(0, 0, rapid.IntRange(0, 60).Draw(t, "later"))
		one.Tier = tiers.At(one.Tier, at, zone)
		joined := parts[0].Join(parts[1], tiers, at, zone)
		require.Equal(t, one.Purchases, joined.Purchases)
		require.Equal(t, maps.Collect(one.Counters.All()), maps.Collect(joined.Counters.All()))
		require.Equal(t, one.Tier.Now, joined.Tier.Now)
		require.Equal(t, one.Tier.Last, joined.Tier.Last)
		// Days of grace may have begun for one who had earned all of it, and not for one
		// who had earned a part: what either holds is kept.
		most := tiers.Rank(one.Tier.Level)
		for _, p := range parts {
			held := tiers.Rank(tiers.At(p.Tier, at, zone).Level)
			require.GreaterOrEqual(t, tiers.Rank(joined.Tier.Level), held, "nobody falls")
			most = max(most, held)
		}
		require.LessOrEqual(t, tiers.Rank(joined.Tier.Level), most, "nor is anything given")
		if tiers.Keep != loyalty.TierPerPeriod {
			require.Equal(t, one.Tier, joined.Tier)
		}
		require.Equal(t, joined.Tier, parts[1].Join(parts[0], tiers, at, zone).Tier, "whoever is joined to whom")
	})
}
