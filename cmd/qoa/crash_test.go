package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Killed with -9 while 50 people onboard and purchases run: after the restart
// each person has one card and one answer per message, each acknowledged
// purchase is there once, and the ledger is clean (P28, laws 1 to 3).
func TestKilledAtAnyInstantNothingIsLostOrDoubled(t *testing.T) {
	rounds := 2
	if os.Getenv("QOA_SOAK") != "" {
		rounds = 100
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	dir := t.TempDir()
	d := startDev(t, dir, "0")
	_, card := d.onboard("+525587650000")
	port := d.url[len("http://localhost:"):]
	var acknowledged, killed int64
	for round := range rounds {
		acknowledged += crashOnce(t, d, round, card, time.Duration(20+random.IntN(600))*time.Millisecond)
		killed++
		d = startDev(t, dir, port)
		checkRound(t, d, round)
	}
	// Each acknowledged purchase is there once; those whose answer was lost may
	// be there too: a repeat with the same key tells, and adds nothing new.
	for round := range rounds {
		for i := range purchases {
			_, status := d.buy(fmt.Sprintf("crash-%d-%d", round, i), card, 1)
			require.Contains(t, []int{200, 201}, status)
		}
	}
	r, status := d.buy("crash-last", card, 1)
	require.Equal(t, 201, status)
	require.Equal(t, int64(rounds*purchases+1), r.Earned[0].Balance, "each purchase counts once")
	out, code := qoa(t, []string{"QOA_DATA_DIR=" + dir}, "", "ledger", "verify")
	require.Equal(t, 0, code, out)
	t.Logf("%d kills, %d messages, %d purchases acknowledged before a kill; none lost, none doubled", killed, rounds*people, acknowledged)
}

const (
	people    = 50
	purchases = 40
)

// crashOnce lets people onboard and purchases run, kills the process after a
// while, and gives how many purchases had been acknowledged by then. Whoever
// was not acknowledged will try again, as a phone does.
func crashOnce(t *testing.T, d *dev, round int, card string, after time.Duration) (acknowledged int64) {
	t.Helper()
	timer := time.AfterFunc(after, d.kill)
	defer timer.Stop()
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			d.write(crashPhone(round, i), "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)", fmt.Sprintf("m-%d-%d", round, i))
		})
	}
	for i := range purchases {
		wg.Go(func() {
			if _, status := d.buy(fmt.Sprintf("crash-%d-%d", round, i), card, 1); status == http.StatusCreated {
				atomic.AddInt64(&acknowledged, 1)
			}
		})
	}
	wg.Wait()
	<-d.done
	return acknowledged
}

// checkRound resends what a phone would, and wants one card and one answer for
// each person.
func checkRound(t *testing.T, d *dev, round int) {
	t.Helper()
	cards := map[string]bool{}
	for i := range people {
		phone, id := crashPhone(round, i), fmt.Sprintf("m-%d-%d", round, i)
		require.Equal(t, http.StatusAccepted, d.write(phone, "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)", id))
	}
	for i := range people {
		phone := crashPhone(round, i)
		d.waitAnswers(phone, 1)
		// An answer more would have to come before the answer to this.
		d.say(phone, "no")
		got := d.answers(phone)
		require.Len(t, got, 2, "one answer per message: %v", got)
		m := cardLink.FindStringSubmatch(got[0].Text)
		require.NotNil(t, m, got[0].Text)
		require.False(t, cards[m[2]], "a card of two persons")
		cards[m[2]] = true
		var wallet struct {
			Data struct {
				CardCode string `json:"card_code"`
				Cards    []any
			}
		}
		require.Equal(t, 200, d.call("GET", "/v1/cards/"+m[2], map[string]string{"Authorization": "Bearer " + d.admin()}, nil, &wallet))
		require.Len(t, wallet.Data.Cards, 1)
	}
}

func crashPhone(round, i int) string { return fmt.Sprintf("+5255%04d%04d", 4000+round, i) }
