package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/api/browsertest"
	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/sim"
	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/jobs"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/cache"
	"github.com/qoa-conectados/qoa/store/demo"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
	"github.com/qoa-conectados/qoa/templates"
)

// galleryURL is what the gallery's pages call themselves; the browser finds it at
// the test's own port, so that no picture depends on that.
const galleryURL = "http://qoa.test"

// gallery is the demo data at a fixed moment, the bot and the pages, wired as the
// program wires them, except that the test is its worker: whatever happens happens
// in order, and a second run looks like the first.
type gallery struct {
	t      *testing.T
	ctx    context.Context // of the browser's tab
	clock  *storetest.Clock
	db     *store.DB
	turns  *bot.Runner
	sender *sim.Channel
	texts  *templates.Messages
	jobs   *jobs.Runner
	base   string // where the browser's requests go
	vars   map[string]string
}

func newGallery(t *testing.T) *gallery {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	// A Friday noon.
	g := &gallery{t: t, base: "http://" + listener.Addr().String(), clock: storetest.NewClock(time.Date(2026, 11, 20, 18, 42, 11, 0, time.UTC)), vars: map[string]string{}}
	log := slog.New(slog.DiscardHandler)
	g.db, err = store.Open(t.Context(), store.Options{
		URL: storetest.Database(t), MaxConns: 4, Now: g.clock.Now, Random: storetest.Rand(5),
		Secret: []byte("a secret for pictures, 32 bytes!"), PublicURL: galleryURL,
	})
	require.NoError(t, err)
	t.Cleanup(g.db.Close)
	_, err = demo.Seed(t.Context(), g.db)
	require.NoError(t, err)
	client, err := cache.Open(storetest.Redis(t))
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() }) //nolint:errcheck // it is the test's end
	cards := cache.NewCardEvents(client)
	t.Cleanup(func() { cards.Close() }) //nolint:errcheck // it is the test's end
	registry := prometheus.NewRegistry()
	g.jobs = jobs.NewRunner(g.db, jobs.NewBell(client, cards, log, jobs.NewMetrics(registry)))
	words, err := flows.NewUnderstander(nil)
	require.NoError(t, err)
	engine, err := flows.NewLibraryEngine(words)
	require.NoError(t, err)
	g.texts, err = templates.LoadMessages()
	require.NoError(t, err)
	g.turns = bot.New(bot.Options{DB: g.db, Engine: engine, Words: words, Texts: g.texts, Log: log, Metrics: registry})
	g.sender = sim.New(g.db)
	pages, err := templates.New()
	require.NoError(t, err)
	door, err := api.New(api.Deps{
		DB: g.db, Pages: pages, Texts: g.texts, Log: log, Random: storetest.Rand(6), Dev: true, Sim: true, Numbers: true,
		Jobs: g.jobs, Queues: queues{jobs.NewInspector(client)}, Health: dependencies{client, channelSim, nil}, Cards: cards, Registry: registry, Version: "demo",
		Operator: api.Operator{Name: "Qoa Conectados, S.A. de C.V.", Address: "Av. Insurgentes Sur 1602, Ciudad de México", Contact: "datos@qoa.mx"},
	})
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- door.App.Listener(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		require.NoError(t, door.Shutdown(ctx))
		require.NoError(t, <-served)
	})
	g.ctx = browsertest.Start(t, chromedp.Flag("host-resolver-rules", "MAP qoa.test:80 "+listener.Addr().String()),
		chromedp.Flag("unsafely-treat-insecure-origin-as-secure", galleryURL))
	browsertest.Do(t, g.ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: loyalty.DefaultTimeZone})
		return err
	}))
	return g
}

func (g *gallery) tx(do func(context.Context, *store.Tx) error) {
	g.t.Helper()
	require.NoError(g.t, g.db.InTx(g.t.Context(), func(tx *store.Tx) error { return do(g.t.Context(), tx) }))
}

// says writes to the bot, which answers at once.
func (g *gallery) says(phone, text string) {
	g.t.Helper()
	g.clock.Advance(20 * time.Second)
	var person loyalty.ID
	g.tx(func(ctx context.Context, tx *store.Tx) (err error) {
		if _, err = tx.SimReceive(ctx, loyalty.Phone(phone), "", text, "text", ""); err == nil {
			person, err = tx.FindPhone(ctx, loyalty.Phone(phone))
		}
		return err
	})
	require.NoError(g.t, g.turns.HandleTurns(g.t.Context(), person))
	g.deliver(person)
}

// deliver sends what waits for a person.
func (g *gallery) deliver(person loyalty.ID) {
	g.t.Helper()
	for {
		var m store.Outbound
		var ok bool
		g.tx(func(ctx context.Context, tx *store.Tx) (err error) {
			m, ok, err = tx.Claim(ctx, person, "", time.Minute)
			return err
		})
		if !ok {
			return
		}
		if m.Body == "" {
			var err error
			m.Body, err = g.texts.Render(m.Template, m.Vars)
			require.NoError(g.t, err)
		}
		require.NoError(g.t, g.sender.Send(g.t.Context(), m))
		g.tx(func(ctx context.Context, tx *store.Tx) error { return tx.Sent(ctx, m.ID, m.Body) })
	}
}

// heard is what was last said in a chat that looks like something.
func (g *gallery) heard(phone, pattern string) string {
	g.t.Helper()
	var found string
	g.tx(func(ctx context.Context, tx *store.Tx) error {
		chat, err := tx.SimChat(ctx, loyalty.Phone(phone), "")
		for _, m := range chat {
			if hit := regexp.MustCompile(pattern).FindString(m.Text); m.Direction == "out" && hit != "" {
				found = hit
			}
		}
		return err
	})
	require.NotEmpty(g.t, found, "nobody told %s %s", phone, pattern)
	return found
}

// runs has a job run as if it were another day, and its messages sent.
func (g *gallery) runs(job string, at time.Time, to string) {
	g.t.Helper()
	n, err := g.jobs.RunJob(g.t.Context(), job, &at)
	require.NoError(g.t, err)
	require.Positive(g.t, n, job)
	var person loyalty.ID
	g.tx(func(ctx context.Context, tx *store.Tx) (err error) {
		person, err = tx.FindPhone(ctx, loyalty.Phone(to))
		return err
	})
	g.deliver(person)
}

// asked is what the API answers to an admin.
func (g *gallery) asked(path string, into any) {
	g.t.Helper()
	res, err := http.Post(g.base+"/v1/auth/login", "application/json", strings.NewReader(`{"email":"`+demo.AdminEmail+`","password":"`+demo.Password+`"}`)) //nolint:noctx // of a test
	require.NoError(g.t, err)
	var tokens struct {
		Data struct {
			Token string `json:"access_token"`
		}
	}
	require.NoError(g.t, json.NewDecoder(res.Body).Decode(&tokens))
	res.Body.Close()
	req, err := http.NewRequest(http.MethodGet, g.base+path, nil) //nolint:noctx // of a test
	require.NoError(g.t, err)
	req.Header.Set("Authorization", "Bearer "+tokens.Data.Token)
	res, err = http.DefaultClient.Do(req)
	require.NoError(g.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(g.t, err)
	require.Equal(g.t, http.StatusOK, res.StatusCode, "%s: %s", path, body)
	require.NoError(g.t, json.Unmarshal(body, &struct{ Data any }{into}))
}

// enters gives the session of somebody of the staff.
func (g *gallery) enters(path, email string) string {
	g.t.Helper()
	form := url.Values{"email": {email}, "password": {demo.Password}}
	return g.session(http.MethodPost, path, form)
}

// session is the cookie that an address gives.
func (g *gallery) session(method, path string, form url.Values) string {
	g.t.Helper()
	req, err := http.NewRequest(method, g.base+path, strings.NewReader(form.Encode())) //nolint:noctx // of a test
	require.NoError(g.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", g.base)
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(g.t, err)
	defer res.Body.Close()
	require.NotEmpty(g.t, res.Cookies(), "%s %s: %s", method, path, res.Status)
	return res.Cookies()[0].Value
}

// wears makes the browser somebody's; "" is nobody's.
func (g *gallery) wears(session string) {
	g.t.Helper()
	browsertest.Do(g.t, g.ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if session == "" {
			_, err := cdp.Call(ctx, target, network.ClearBrowserCookies, cdp.Empty{})
			return err
		}
		_, err := cdp.Call(ctx, target, network.SetCookie, network.SetCookieParams{Name: "qoa_session", Value: session, URL: galleryURL})
		return err
	}))
}

// opens goes to an address, in which {names} are filled in.
func (g *gallery) opens(path string) {
	g.t.Helper()
	for name, value := range g.vars {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	require.NotContains(g.t, path, "{")
	browsertest.Do(g.t, g.ctx, chromedp.Navigate(galleryURL+path))
}

// pairs gives the bot two numbers: one that works, and one that is being paired.
func (g *gallery) pairs() {
	g.t.Helper()
	now, phone, jid, status := g.clock.Now(), "+525512340001", "525512340001:7@s.whatsapp.net", store.NumberConnected
	soon, qr := now.Add(time.Hour), "2@cGljdHVyZXMgb25seQ,c2Nhbg,bWU,cGxlYXNl"
	g.tx(func(ctx context.Context, tx *store.Tx) error {
		for _, name := range []string{"Qoa Centro", "Qoa Guadalajara"} {
			n, err := tx.CreateNumber(ctx, loyalty.System(), name)
			if err != nil {
				return err
			}
			g.vars["number"] = string(n.ID)
		}
		held, err := tx.LeaseNumbers(ctx, "bot-1", time.Hour, 2)
		if err != nil {
			return err
		}
		for _, n := range held {
			state := store.NumberState{QR: &qr, QRUntil: &soon}
			if string(n.ID) != g.vars["number"] {
				state = store.NumberState{Status: &status, Phone: &phone, JID: &jid, PairedAt: &now, AliveAt: &now}
			}
			if err := tx.NumberState(ctx, n.Lease(), state); err != nil {
				return err
			}
		}
		return nil
	})
}
