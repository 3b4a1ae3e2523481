package main_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

// Everything that WhatsApp does to a number, through a process of the real program:
// API, page, metrics and health say what it is, nothing more is sent through a
// number that may not, and what waited is sent when the number is back.
func TestStatesOfNumbers(t *testing.T) {
	w := newTown(t)
	d := w.serve(w.port)
	until := time.Now().Add(3 * time.Hour).Truncate(time.Second)
	cases := []struct {
		status, reason string
		detail         string // what a person reads of it
		health         string
		happen         func(l *line)
	}{
		{"connected", "", "está conectado", "ok", func(*line) {}},
		{"banned", "101", "demasiadas personas que no lo tienen en sus contactos; termina", "down", func(l *line) {
			l.account.FailLogin(wasim.TempBan(101, 3*time.Hour))
			l.device.Drop()
		}},
		{"outdated", "", "ya no acepta esta versión", "down", func(l *line) {
			l.account.FailLogin(wasim.Outdated)
			l.device.Drop()
		}},
		{"logged_out", "", "desvinculó este dispositivo", "down", func(l *line) { l.device.Unlink() }},
		{"replaced", "", "abrió esta misma sesión", "down", func(l *line) { l.device.Replace() }},
		{"restricted", "", "no deja que este número empiece conversaciones; termina", "degraded", func(l *line) { l.account.ReachoutTimelock(true, until) }},
	}
	const well, replaced, restricted = 0, 4, 5

	// Each number has a consumer with a stamp, who has been quiet since.
	lines, cards := make([]*line, len(cases)), make([]string, len(cases))
	numbers := make([]string, len(cases))
	for i := range cases {
		lines[i] = w.link(d, fmt.Sprintf("+52550000020%d", i))
		numbers[i] = fmt.Sprintf("+521558765400%d", i)
	}
	people := w.whatsapp.NewPhones(t, numbers)
	for i, l := range lines {
		cards[i] = l.newCard(people[i])
		_, status := d.buy(fmt.Sprintf("states-before-%d", i), cards[i], 1)
		require.Equal(t, http.StatusCreated, status)
		w.waitHeard(people[i], 2)
	}
	w.quiet()

	staff := deskOf(t, d)
	for i, c := range cases {
		c.happen(lines[i])
	}
	for i, c := range cases {
		n := lines[i].until(d, c.status, func(n number) bool { return n.Status == c.status })
		require.Equal(t, c.reason, n.Reason, c.status)
		require.Contains(t, n.Detail, c.detail)
		require.Equal(t, i == well || i == restricted, n.Alive, c.status)
		require.Contains(t, staff.page("/admin/whatsapp"), c.detail)
		require.Contains(t, staff.page("/admin/whatsapp/"+lines[i].id), c.detail)
		switch c.status {
		case "banned":
			require.NotNil(t, n.Until)
			require.WithinDuration(t, until, *n.Until, 2*time.Minute)
		case "restricted":
			require.NotNil(t, n.Until)
			require.True(t, until.Equal(*n.Until))
		default:
			require.Nil(t, n.Until, c.status)
		}
	}
	counters := metricsOf(t, d)
	for i, c := range cases {
		require.Equal(t, 1.0, counters[`qoa_whatsapp_numbers{status="`+c.status+`"}`], c.status)
		working := 0.0
		if i == well || i == restricted {
			working = 1
		}
		require.Equal(t, working, counters[`qoa_whatsapp_number_working{number="`+lines[i].id+`"}`], c.status)
	}
	var ready struct {
		Status, WhatsApp string
		Numbers          []struct{ ID, Status, State, Detail string }
	}
	require.Equal(t, http.StatusOK, d.call("GET", "/health/ready", nil, nil, &ready))
	require.Equal(t, "degraded", ready.Status)
	require.Equal(t, "degraded", ready.WhatsApp)
	require.Len(t, ready.Numbers, len(cases))
	for _, n := range ready.Numbers {
		for i, l := range lines {
			if l.id == n.ID {
				require.Equal(t, cases[i].health, n.State, n.Status)
				require.Equal(t, cases[i].status, n.Status)
				require.Contains(t, n.Detail, cases[i].detail)
			}
		}
	}

	// Reminders and receipts are due for everybody, and all write. Pacing holds the
	// reminder of the number that is well for some sweeps: all see the others' rows.
	w.sql(`UPDATE whatsapp_numbers SET next_start_at = now() + interval '3 seconds' WHERE id = $1`, lines[well].id)
	sent := make([]int, len(lines))
	for i, l := range lines {
		sent[i] = len(l.account.Sent())
	}
	var run struct{ Data struct{ Messages int } }
	require.Equal(t, http.StatusAccepted, d.asAdmin("POST", "/v1/jobs/nudges/runs", map[string]any{}, &run))
	require.Equal(t, len(cases), run.Data.Messages)
	for i := range cases {
		_, status := d.buy(fmt.Sprintf("states-after-%d", i), cards[i], 1)
		require.Equal(t, http.StatusCreated, status)
	}
	for i, p := range people {
		require.NotEmpty(t, p.SendText(lines[i].phone, "saldo"))
	}
	// The one that is well sends all three; the restricted one answers, says what a
	// purchase brought, and begins nothing.
	w.until("all of the number that is well", func() bool { return len(heard(people[well])) >= 5 })
	require.Contains(t, fmt.Sprint(texts(heard(people[well]))), "recordatorios")
	w.until("the restricted number's receipt and answer", func() bool { return len(heard(people[restricted])) >= 4 })
	// What is queued later and sent shows that the others had their time.
	_, status := d.buy("states-witness", cards[well], 1)
	require.Equal(t, http.StatusCreated, status)
	w.waitHeard(people[well], 6)
	require.Len(t, heard(people[restricted]), 4)
	for i, l := range lines {
		queued := map[string]int{}
		for _, m := range l.letters(d) {
			if m.Status == "queued" {
				queued[m.Lane]++
				require.Zero(t, m.Attempts, "not even tried")
			}
		}
		switch i {
		case well:
			require.Empty(t, queued)
		case restricted:
			require.Equal(t, map[string]int{"service": 1}, queued)
			require.Equal(t, sent[i]+2, len(l.account.Sent()))
		default:
			require.Equal(t, map[string]int{"receipt": 1, "service": 1}, queued, cases[i].status)
			require.Equal(t, sent[i], len(l.account.Sent()), cases[i].status)
			require.Len(t, heard(people[i]), 2)
		}
	}
	// Nobody knocked again where the server had said no.
	for name, before := range counters {
		if regexp.MustCompile(`^qoa_whatsapp_connects_total`).MatchString(name) {
			require.Equal(t, before, metricsOf(t, d)[name], name)
		}
	}
	require.Equal(t, len(people)+2, w.whatsapp.Connections())

	// Somebody looked after the replaced one: it connects, hears what was written
	// meanwhile, and sends what waited.
	require.Equal(t, http.StatusOK, d.asAdmin("POST", "/v1/whatsapp/numbers/"+lines[replaced].id+"/pairing", nil, nil))
	lines[replaced].until(d, "connected", func(n number) bool { return n.Status == "connected" })
	w.until("what waited", func() bool { return len(heard(people[replaced])) >= 5 })
	// And the restriction ends: the reminder goes.
	lines[restricted].account.ReachoutTimelock(false, time.Time{})
	require.Contains(t, w.waitHeard(people[restricted], 5).Text, "BAJA")
	require.Len(t, heard(people[replaced]), 5)
	require.Empty(t, w.whatsapp.Overlaps())
}

// desk is the backoffice as the admin's browser gets it.
type desk struct {
	t      *testing.T
	url    string
	client *http.Client
}

func deskOf(t *testing.T, d *dev) desk {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	s := desk{t, d.url, &http.Client{Jar: jar, Timeout: 20 * time.Second}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+"/admin/login",
		strings.NewReader(url.Values{"email": {"admin@demo.qoa"}, "password": {"demo-qoa-2026"}}.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", d.url)
	res, err := s.client.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	return s
}

// page gives a page's source, without its escapes.
func (s desk) page(path string) string {
	s.t.Helper()
	res, err := s.client.Get(s.url + path)
	require.NoError(s.t, err)
	defer res.Body.Close()
	require.Equal(s.t, http.StatusOK, res.StatusCode)
	b, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return html.UnescapeString(string(b))
}

var sample = regexp.MustCompile(`(?m)^(\w+(?:\{[^}]*\})?) (\S+)$`)

// metricsOf reads a process's metrics, by name with labels.
func metricsOf(t *testing.T, d *dev) map[string]float64 {
	t.Helper()
	res, err := client.Get(d.url + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	all := map[string]float64{}
	for _, m := range sample.FindAllStringSubmatch(string(b), -1) {
		if v, err := strconv.ParseFloat(m[2], 64); err == nil {
			all[m[1]] = v
		}
	}
	return all
}
