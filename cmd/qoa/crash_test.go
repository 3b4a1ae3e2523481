package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Killed with -9 while 50 people onboard and purchases and returns run: after
// the restart each person has one card and one answer per message, each
// acknowledged purchase is there once, each return is taken back once, and the
// ledger is clean (P28, laws 1 to 3).
func TestKilledAtAnyInstantNothingIsLostOrDoubled(t *testing.T) {
	rounds := 5
	if os.Getenv("QOA_SOAK") != "" {
		rounds = 200
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	dir := dataDir(t)
	d := startDev(t, dir, "0")
	_, card := d.onboard("+525587650000")
	port := d.url[len("http://localhost:"):]
	acknowledged := 0
	for round := range rounds {
		receipts := crashOnce(t, d, round, card, time.Duration(5+random.IntN(250))*time.Millisecond)
		d = startDev(t, dir, port)
		checkRound(t, d, round)
		// An acknowledged purchase is there: its repeat is a replay of the same.
		// One whose answer was lost may be there or not; its repeat settles it.
		for i := range purchases {
			key := fmt.Sprintf("crash-%d-%d", round, i)
			again, status := d.buy(key, card, 1)
			if id, ok := receipts.Load(key); ok {
				acknowledged++
				require.Equal(t, http.StatusOK, status, "an acknowledged purchase was lost")
				require.Equal(t, id, again.ID)
			}
			require.Contains(t, []int{http.StatusOK, http.StatusCreated}, status)
			if returned(i) { // done before the kill or not: its repeat settles it
				require.Contains(t, []int{http.StatusOK, http.StatusCreated}, d.giveBack(string(again.ID)))
			}
		}
		out, code := qoa(t, []string{"QOA_DATA_DIR=" + dir}, "", "ledger", "verify")
		require.Equal(t, 0, code, out)
	}
	r, status := d.buy("crash-last", card, 1)
	require.Equal(t, 201, status)
	require.Equal(t, int64(rounds*(purchases-purchases/4)+1), r.Earned[0].Balance, "each purchase counts once, and no return twice")
	t.Logf("%d kills, %d messages, %d purchases acknowledged before a kill; none lost, none doubled", rounds, rounds*people, acknowledged)
}

// Without its Postgres the process says so and ends, instead of answering 503
// for ever; the next start recovers.
func TestALostPostgresEndsDevWithAReason(t *testing.T) {
	dir := dataDir(t)
	d := startDev(t, dir, "0")
	_, card := d.onboard("+525587650001")
	_, status := d.buy("before", card, 1)
	require.Equal(t, http.StatusCreated, status)
	require.NoError(t, syscall.Kill(childOf(t, d.cmd.Process.Pid, "postgres"), syscall.SIGKILL))
	<-d.done
	require.Equal(t, 1, d.cmd.ProcessState.ExitCode())
	require.Contains(t, d.log.String(), "embedded Postgres is gone")

	d = startDev(t, dir, "0")
	_, status = d.buy("before", card, 1)
	require.Equal(t, http.StatusOK, status, "what was acknowledged is there")
}

// childOf finds a process by its parent and its name, where the kernel lists
// them.
func childOf(t *testing.T, parent int, name string) int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has just gone
		}
		var pid, ppid int
		var comm, state string
		if _, err := fmt.Sscanf(string(stat), "%d %s %s %d", &pid, &comm, &state, &ppid); err == nil && ppid == parent && comm == "("+name+")" {
			return pid
		}
	}
	t.Fatalf("no %s under %d", name, parent)
	return 0
}

const (
	people    = 50
	purchases = 40
)

// crashOnce lets people onboard and purchases run, kills the process after a
// while, and gives the purchases that had been acknowledged by then: key to ID.
func crashOnce(t *testing.T, d *dev, round int, card string, after time.Duration) *sync.Map {
	t.Helper()
	acknowledged := new(sync.Map)
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
			key := fmt.Sprintf("crash-%d-%d", round, i)
			if r, status := d.buy(key, card, 1); status == http.StatusCreated {
				acknowledged.Store(key, r.ID)
				if returned(i) {
					d.giveBack(string(r.ID))
				}
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
	for i := range people {
		phone, id := crashPhone(round, i), fmt.Sprintf("m-%d-%d", round, i)
		require.Equal(t, http.StatusAccepted, d.write(phone, "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)", id))
	}
	var wg sync.WaitGroup
	var cards sync.Map
	for i := range people {
		wg.Go(func() {
			phone := crashPhone(round, i)
			d.waitAnswers(phone, 1)
			// An answer more would have to come before the answer to this.
			d.say(phone, "no")
			got := d.answers(phone)
			if !assert.Len(t, got, 2, "one answer per message: %v", got) {
				return
			}
			m := cardLink.FindStringSubmatch(got[0].Text)
			if !assert.NotNil(t, m, got[0].Text) {
				return
			}
			_, taken := cards.LoadOrStore(m[2], true)
			assert.False(t, taken, "a card of two persons")
			var wallet struct{ Data struct{ Cards []any } }
			assert.Equal(t, 200, d.call("GET", "/v1/cards/"+m[2], map[string]string{"Authorization": "Bearer " + d.admin()}, nil, &wallet))
			assert.Len(t, wallet.Data.Cards, 1)
		})
	}
	wg.Wait()
}

// returned says which of a round's purchases are taken back.
func returned(i int) bool { return i%4 == 0 }

// giveBack takes a purchase back and gives the status of the answer.
func (d *dev) giveBack(purchase string) int {
	return d.call("POST", "/v1/purchases/"+purchase+"/reversal", map[string]string{"Authorization": "Bearer qoa_key_demo-tconecta-solo-para-desarrollo-00000000"},
		map[string]any{"reason": "El cliente lo devolvió"}, nil)
}

func crashPhone(round, i int) string { return fmt.Sprintf("+5255%04d%04d", 4000+round, i) }
