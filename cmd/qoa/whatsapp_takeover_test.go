package main_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

// Two processes and three numbers, and people who write all the time: the process
// that has the numbers is killed, and the other takes them over within 15 s; then
// that one is stopped in order, and a third has them at once. Nothing is lost,
// nothing doubled, and no device is ever connected twice.
func TestTakeover(t *testing.T) {
	w := newTown(t)
	first := w.serve(w.port)
	var lines []*line
	for i := range 3 {
		lines = append(lines, w.link(first, fmt.Sprintf("+52550000030%d", i)))
	}
	c := newCrowd(w, 1, lines, 6, wasim.WithTimeout(5*time.Second))
	second := w.serve(freePort(t))
	require.Len(t, w.owners(), 1, "who has a number keeps it")

	const each = 15
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	done := c.write(ctx, each)
	half := func(part int64) bool { return c.answered.Load() >= part*int64(len(c.people))*each/4 }
	w.until("a quarter of the answers", func() bool { return half(1) })
	before, logins := w.owners()[0], loginsOf(lines)
	first.kill()
	killed := time.Now()
	w.until("another owner", func() bool { o := w.owners(); return len(o) == 1 && o[0] != before })
	owned := time.Since(killed)
	w.until("all numbers online", func() bool { return online(lines) && loginsOf(lines) == logins+len(lines) })
	back := time.Since(killed)
	assert.Less(t, owned, 15*time.Second)

	third := w.serve(w.port)
	w.until("three quarters of the answers", func() bool { return half(3) })
	before, logins = w.owners()[0], loginsOf(lines)
	stopped := time.Now()
	second.stop()
	require.Equal(t, 0, second.cmd.ProcessState.ExitCode(), second.log.String())
	stopping := time.Since(stopped)
	require.NotContains(t, w.owners(), before, "released, not run out")
	w.until("all numbers online", func() bool { return online(lines) && loginsOf(lines) == logins+len(lines) })
	handed := time.Since(stopped)

	<-done
	require.NoError(t, ctx.Err(), "%s", c.judge(t))
	w.until("rest", c.settled)
	v := c.judge(t)
	t.Logf("%s; killed: owned after %s, online after %s; stopped in %s: online after %s", v,
		owned.Round(10*time.Millisecond), back.Round(10*time.Millisecond), stopping.Round(10*time.Millisecond), handed.Round(10*time.Millisecond))
	require.Equal(t, len(c.people)*each, v.answered)
	require.Empty(t, w.whatsapp.Overlaps())
	for _, l := range lines {
		l.until(third, "connected", func(n number) bool { return n.Status == "connected" && n.Alive })
		require.Equal(t, 3, l.device.Logins(), "one for each owner")
	}
}

// owners are the processes that have numbers, by the database.
func (w *town) owners() (all []string) {
	w.t.Helper()
	w.connect(func(c *pgx.Conn) error {
		rows, err := c.Query(w.t.Context(), `SELECT DISTINCT owner FROM whatsapp_numbers WHERE owner <> '' AND lease_until > now() ORDER BY owner`)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return all
}

func online(lines []*line) bool {
	for _, l := range lines {
		if !l.device.Online() {
			return false
		}
	}
	return true
}

func loginsOf(lines []*line) (n int) {
	for _, l := range lines {
		n += l.device.Logins()
	}
	return n
}
