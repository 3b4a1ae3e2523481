package forms

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestARewardSurvivesTheForm(t *testing.T) {
	stock, each := int64(0), 2 // none left is not unlimited
	want := store.RewardInput{
		Name: `Un "six" <gratis>`, Unit: loyalty.Point, Threshold: 300, Cost: 12_050, Stock: &stock, PerConsumer: &each,
		StartsAt: time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC), EndsAt: time.Date(2026, 12, 1, 6, 0, 0, 0, time.UTC),
		CodeDays: 3, MinTier: "Plata", Segment: "g1", Shops: []loyalty.ID{"s1", "s2"},
	}
	for i := range reflect.TypeOf(want).NumField() {
		require.False(t, reflect.ValueOf(want).Field(i).IsZero(), reflect.TypeOf(want).Field(i).Name)
	}
	terms := complete()
	active, shown := true, want
	drawn := New(nil)
	drawn.Reward(&shown, &active, &terms, catalogue)
	f := New(send(t, draw(t, drawn)))
	var got store.RewardInput
	on := false
	f.Reward(&got, &on, &terms, catalogue)
	require.NoError(t, f.Err())
	require.Equal(t, want, got)
	require.True(t, on)

	empty := New(nil)
	empty.Reward(new(store.RewardInput), nil, &terms, catalogue)
	f = New(send(t, draw(t, empty)))
	got = store.RewardInput{}
	f.Reward(&got, nil, &terms, catalogue)
	require.NoError(t, f.Err())
	require.Nil(t, got.Stock, "nothing written is no limit")
	require.Nil(t, got.PerConsumer)
}
