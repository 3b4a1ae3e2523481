package loyalty_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// TestCountersAreLikeAMap: names that begin or end alike are told apart.
func TestCountersAreLikeAMap(t *testing.T) {
	names := []string{"day:", "day:2026-11-2", "day:2026-11-21", "d", "day:s1:2026-11-21", "y:2026-11-21", "life:", "a_day:2026-11-21"}
	rapid.Check(t, func(t *rapid.T) {
		var c loyalty.Counters
		like := map[string]int64{}
		for range rapid.IntRange(0, 40).Draw(t, "times") {
			name, n := rapid.SampledFrom(names).Draw(t, "name"), rapid.Int64Range(-3, 5).Draw(t, "n")
			before := strings.Clone(string(c))
			next := c.Plus(name, n)
			require.EqualValues(t, before, c)
			c = next
			if like[name] += n; like[name] <= 0 {
				delete(like, name)
			}
			require.Equal(t, like, maps.Collect(c.All()))
			require.Equal(t, len(like), c.Len())
			for _, name := range names {
				require.Equal(t, like[name], c.Of(name), name)
			}
		}
		said, err := json.Marshal(c)
		require.NoError(t, err)
		var read loyalty.Counters
		require.NoError(t, json.Unmarshal(said, &read))
		require.Equal(t, c, read)
	})
}

// TestCountersOfEarlierVersionsAreRead: enrollments and purchases hold objects.
func TestCountersOfEarlierVersionsAreRead(t *testing.T) {
	var s loyalty.Standing
	require.NoError(t, json.Unmarshal([]byte(`{"purchases": 4, "counters": {"day:2026-11-21": 3, "life:": 80}}`), &s))
	require.Equal(t, map[string]int64{"day:2026-11-21": 3, "life:": 80}, maps.Collect(s.Counters.All()))
	var b loyalty.Basis
	require.NoError(t, json.Unmarshal([]byte(`{"v": 2, "counters": {"life:": 7}}`), &b))
	require.EqualValues(t, "life:=7;", b.Counters)
	require.Error(t, json.Unmarshal([]byte(`{"counters": {"life:": "many"}}`), &s))
}
