package cloud

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shared is a limiter of several processes, as far as a pace asks it.
type shared struct {
	asked   int
	refuses int
	err     error
}

func (s *shared) Allow(_ context.Context, key string, most int, per time.Duration) (bool, time.Duration, error) {
	s.asked++
	if key != "cloud:1" || most != perSecond || per != time.Second {
		return false, 0, errors.New("not the number's limit")
	}
	if s.refuses > 0 {
		s.refuses--
		return false, time.Millisecond, nil
	}
	return s.err == nil, 0, s.err
}

func TestNoMoreThanMetaTakes(t *testing.T) {
	begun := time.Now()
	p := newPace(nil, "1")
	for range 21 {
		require.NoError(t, p.wait(t.Context()))
	}
	assert.GreaterOrEqual(t, time.Since(begun), 20*time.Second/perSecond)
}

func TestThePaceIsSharedAndKeptAlone(t *testing.T) {
	busy := &shared{refuses: 3}
	require.NoError(t, newPace(busy, "1").wait(t.Context()))
	assert.Equal(t, 4, busy.asked)

	away := &shared{err: errors.New("redis is away")}
	begun := time.Now()
	p := newPace(away, "1")
	for range 9 {
		require.NoError(t, p.wait(t.Context()))
	}
	assert.GreaterOrEqual(t, time.Since(begun), 8*time.Second/perSecond)

	over, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, newPace(&shared{refuses: 1000}, "1").wait(over), context.Canceled)
}
