package main_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
	"github.com/qoa-conectados/qoa/store/storetest"
)

const phrase = "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)"

// whatsappPatience is how long tests wait for what must come. It is generous: the
// machine may be busy with everything else.
const whatsappPatience = 90 * time.Second

// town is a WhatsApp of its own, with a database and a Redis, for processes of the
// real program.
type town struct {
	t        *testing.T
	whatsapp *wasim.Server
	database string
	port     string // of PUBLIC_URL
	env      []string
}

func newTown(t *testing.T) *town {
	t.Helper()
	return newTownOn(t, storetest.Database(t), storetest.Redis(t))
}

func newTownOn(t *testing.T, database, redis string) *town {
	t.Helper()
	w := &town{t: t, whatsapp: wasim.New(t), database: database, port: freePort(t)}
	w.env = []string{
		"DATABASE_URL=" + database, "REDIS_URL=" + redis, "PUBLIC_URL=http://localhost:" + w.port, "HOST=127.0.0.1",
		"QOA_SECRET=0123456789abcdefghijklmnopqrstuv", "WHATSAPP_CHANNEL=whatsmeow", "LOG_LEVEL=warn",
		"WHATSAPP_TEST_ADDR=" + w.whatsapp.Addr(), "WHATSAPP_TEST_ROOT=" + wasim.RootHex(),
		"RATE_LIMITS=off", // tests ask again and again
	}
	for _, args := range [][]string{{"migrate", "up"}, {"seed", "demo"}} {
		out, code := qoa(t, w.env, "", args...)
		require.Equal(t, 0, code, out)
	}
	return w
}

// serve starts a process with all roles and waits until it answers.
func (w *town) serve(port string) *dev {
	w.t.Helper()
	d := startServe(w.t, "api,bot,worker", port, w.env)
	w.until("a process that is ready", func() bool {
		select {
		case <-d.done:
			w.t.Fatalf("it ended: %s", d.log)
		default:
		}
		return d.call("GET", "/health/live", nil, nil, nil) == http.StatusOK
	})
	return d
}

// until waits for a condition and fails the test where it does not come to hold.
func (w *town) until(what string, holds func() bool) {
	w.t.Helper()
	for end := time.Now().Add(whatsappPatience); !holds(); pause() {
		if time.Now().After(end) {
			w.t.Fatalf("no %s within %s", what, whatsappPatience)
		}
	}
}

// sql runs a statement on the database.
func (w *town) sql(statement string, args ...any) {
	w.t.Helper()
	w.connect(func(c *pgx.Conn) error {
		_, err := c.Exec(w.t.Context(), statement, args...)
		return err
	})
}

// count runs a query of one number.
func (w *town) count(query string, args ...any) (n int) {
	w.t.Helper()
	w.connect(func(c *pgx.Conn) error { return c.QueryRow(w.t.Context(), query, args...).Scan(&n) })
	return n
}

func (w *town) connect(do func(*pgx.Conn) error) {
	w.t.Helper()
	c, err := pgx.Connect(w.t.Context(), w.database)
	require.NoError(w.t, err)
	defer c.Close(w.t.Context()) //nolint:errcheck // a test's
	require.NoError(w.t, do(c))
}

// quiet makes all cards look as if nobody had bought on them for twenty days, and
// puts their shop where it is about noon: reminders keep to the day.
func (w *town) quiet() {
	w.t.Helper()
	// The names of these zones count westwards.
	zone := fmt.Sprintf("Etc/GMT%+d", time.Now().UTC().Hour()-12)
	w.sql(`UPDATE shops SET time_zone = $1`, zone)
	w.sql(`UPDATE enrollments SET last_earned_at = last_earned_at - interval '20 days', last_earned_on = last_earned_on - 20`)
}

// number is one of the bot's, as the API shows it.
type number struct {
	ID, Label, Phone, Status, Reason, QR, Detail string
	Until                                        *time.Time
	Alive                                        bool
}

// line is a number of the bot's with its WhatsApp account.
type line struct {
	w       *town
	id      string
	phone   string
	account *wasim.Account
	device  *wasim.Device
}

// link adds a number over REST and has the account's phone scan its QR.
func (w *town) link(d *dev, phone string) *line {
	w.t.Helper()
	var n struct{ Data number }
	require.Equal(w.t, http.StatusCreated, d.asAdmin("POST", "/v1/whatsapp/numbers", map[string]string{"label": "Mostrador " + phone}, &n))
	l := &line{w: w, id: n.Data.ID, phone: phone, account: w.whatsapp.Account(phone)}
	qr := l.until(d, "a QR", func(n number) bool { return n.QR != "" }).QR
	device, err := l.account.Scan(w.t.Context(), qr)
	require.NoError(w.t, err)
	require.NoError(w.t, device.WaitOnline(w.t.Context()))
	l.device = device
	require.Equal(w.t, phone, l.until(d, "connected", func(n number) bool { return n.Status == "connected" }).Phone)
	return l
}

// get asks a process how the number is.
func (l *line) get(d *dev) number {
	var n struct{ Data number }
	d.asAdmin("GET", "/v1/whatsapp/numbers/"+l.id, nil, &n)
	return n.Data
}

// until waits until the number is so.
func (l *line) until(d *dev, what string, is func(number) bool) (n number) {
	l.w.t.Helper()
	l.w.until("number that is "+what, func() bool {
		n = l.get(d)
		return is(n)
	})
	return n
}

// asAdmin calls as the demo's admin.
func (d *dev) asAdmin(method, path string, body, answer any) int {
	return d.call(method, path, map[string]string{"Authorization": "Bearer " + d.admin()}, body, answer)
}

// letter is a message of ours, as the API shows it.
type letter struct {
	ID, Lane, Status, Problem, To string
	Attempts                      int
}

// letters are a number's messages, the newest first.
func (l *line) letters(d *dev) []letter {
	var page struct{ Data []letter }
	d.asAdmin("GET", "/v1/outbox?limit=100&number_id="+l.id, nil, &page)
	return page.Data
}

// heard are the messages that a phone shows, in order: of several with one ID, the
// first that could be read.
func heard(p *wasim.Phone) []wasim.Received {
	var all []wasim.Received
	known := map[string]bool{}
	for _, m := range p.Readable() {
		if !m.FromMe && !known[m.ID] {
			known[m.ID] = true
			all = append(all, m)
		}
	}
	return all
}

// waitHeard waits until a phone shows n messages, and gives the last of them.
func (w *town) waitHeard(p *wasim.Phone, n int) wasim.Received {
	w.t.Helper()
	w.until(fmt.Sprintf("message %d", n), func() bool { return len(heard(p)) >= n })
	all := heard(p)
	require.Len(w.t, all, n, "one answer each: %q", texts(all))
	return all[n-1]
}

// ask writes to a number and gives the answer.
func (l *line) ask(p *wasim.Phone, text string) wasim.Received {
	l.w.t.Helper()
	before := len(heard(p))
	p.SendText(l.phone, text)
	return l.w.waitHeard(p, before+1)
}

func texts(all []wasim.Received) []string {
	out := make([]string, len(all))
	for i, m := range all {
		out[i] = m.Text
	}
	return out
}

// newCard has a consumer get a card over a number, and gives its code.
func (l *line) newCard(p *wasim.Phone) string {
	l.w.t.Helper()
	welcome := l.ask(p, phrase).Text
	link := cardLink.FindStringSubmatch(welcome)
	require.NotNil(l.w.t, link, welcome)
	return link[2]
}

// eachMessage calls do with the ID of each message that the phone could read, as
// it comes: of several with one ID, once.
func eachMessage(p *wasim.Phone, do func(id string)) {
	known := map[string]bool{}
	p.Handle(func(evt any) { // one after the other
		if m, ok := evt.(*events.Message); ok && !m.Info.IsFromMe && !known[m.Info.ID] {
			known[m.Info.ID] = true
			do(m.Info.ID)
		}
	})
}
