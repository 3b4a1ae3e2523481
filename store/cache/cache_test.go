package cache_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/qoa-conectados/qoa/store/cache"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func open(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	c, err := cache.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func heard(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("no signal")
	}
}

func TestOpenRefusesWhatIsNoURL(t *testing.T) {
	if _, err := cache.Open("localhost:6379"); err == nil {
		t.Error("want an error")
	}
}

func TestACardChangedInAnotherProcess(t *testing.T) {
	url := storetest.Redis(t)
	page, shop := cache.NewCardEvents(open(t, url)), cache.NewCardEvents(open(t, url))
	defer page.Close()
	ana, luis := loyalty.ID("ana"), loyalty.ID("luis")
	first, stopFirst := page.Subscribe(t.Context(), ana)
	heard(t, first) // the subscription stands: whatever happened before, look once
	second, stopSecond := page.Subscribe(t.Context(), ana)
	other, stopOther := page.Subscribe(t.Context(), luis)
	defer stopOther()

	if err := shop.Publish(t.Context(), ana); err != nil {
		t.Fatal(err)
	}
	heard(t, first)
	heard(t, second)
	select {
	case <-other:
		t.Error("a signal of somebody else's card")
	default:
	}

	stopFirst()
	stopFirst()
	stopSecond()
	if err := shop.Publish(t.Context(), ana, luis); err != nil {
		t.Fatal(err)
	}
	heard(t, other) // and so the signal before it has passed by
	select {
	case <-first:
		t.Error("a signal after stop")
	default:
	}
}

func TestSignalsWaitingAreOne(t *testing.T) {
	url := storetest.Redis(t)
	events := cache.NewCardEvents(open(t, url))
	defer events.Close()
	changed, stop := events.Subscribe(t.Context(), "ana")
	defer stop()
	heard(t, changed)
	last, stopLast := events.Subscribe(t.Context(), "last")
	defer stopLast()
	for range 5 {
		if err := events.Publish(t.Context(), "ana"); err != nil {
			t.Fatal(err)
		}
	}
	if err := events.Publish(t.Context(), "last"); err != nil {
		t.Fatal(err)
	}
	heard(t, last)
	heard(t, changed)
	select {
	case <-changed:
		t.Error("five signals are one while nobody reads")
	default:
	}
}

func TestLimiterCountsByKey(t *testing.T) {
	l := cache.NewLimiter(open(t, storetest.Redis(t)))
	for n := range 3 {
		ok, _, err := l.Allow(t.Context(), "login:a", 3, time.Minute)
		if err != nil || !ok {
			t.Fatalf("attempt %d: %v, %v", n+1, ok, err)
		}
	}
	ok, wait, err := l.Allow(t.Context(), "login:a", 3, time.Minute)
	if err != nil || ok || wait <= 0 || wait > time.Minute {
		t.Errorf("the fourth: %v, wait %v, %v", ok, wait, err)
	}
	if ok, _, err := l.Allow(t.Context(), "login:b", 3, time.Minute); err != nil || !ok {
		t.Errorf("another key: %v, %v", ok, err)
	}
}

// A day's number is a day's: the next attempt is hours away, not a minute.
func TestLimiterCountsByTheDay(t *testing.T) {
	l := cache.NewLimiter(open(t, storetest.Redis(t)))
	for n := range 20 {
		ok, _, err := l.Allow(t.Context(), "guess", 20, 24*time.Hour)
		if err != nil || !ok {
			t.Fatalf("attempt %d: %v, %v", n+1, ok, err)
		}
	}
	ok, wait, err := l.Allow(t.Context(), "guess", 20, 24*time.Hour)
	if err != nil || ok || wait < time.Hour || wait > 2*time.Hour {
		t.Errorf("the 21st: %v, wait %v, %v", ok, wait, err)
	}
}

func TestLimiterSaysThatRedisIsAway(t *testing.T) {
	c := open(t, storetest.Redis(t))
	c.Close()
	if ok, _, err := cache.NewLimiter(c).Allow(t.Context(), "k", 1, time.Minute); err == nil || ok {
		t.Errorf("%v, %v", ok, err)
	}
}
