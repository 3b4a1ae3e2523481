package cloud_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/bottest"
	"github.com/qoa-conectados/qoa/bot/cloud"
	"github.com/qoa-conectados/qoa/bot/cloud/graphtest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
	"github.com/qoa-conectados/qoa/templates"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// world is the bot behind Meta: a channel on a real store, and a Meta of its own.
type world struct {
	*bottest.World
	Meta     *graphtest.Server
	Cloud    *cloud.Channel
	Registry *prometheus.Registry
	Sink     *sink

	door *httptest.Server
	mu   sync.Mutex
}

// sink is the store's, which may be told to fail.
type sink struct {
	bot.Sink
	mu    sync.Mutex
	fails int
}

func (s *sink) Receive(ctx context.Context, in store.Inbound) error {
	s.mu.Lock()
	fail := s.fails > 0
	if fail {
		s.fails--
	}
	s.mu.Unlock()
	if fail {
		return errors.New("the database is away, says the test")
	}
	return s.Sink.Receive(ctx, in)
}

// open makes a world whose channel is started and subscribed.
func open(t *testing.T) *world {
	t.Helper()
	w := closed(t)
	w.start()
	require.NoError(t, w.Meta.Subscribe(w.door.URL))
	return w
}

// closed makes a world whose channel is not started.
func closed(t *testing.T) *world {
	t.Helper()
	w := &world{World: bottest.New(t)}
	w.Meta = graphtest.New(t, w.Clock.Now)
	w.Sink = &sink{Sink: bot.NewInbox(w.DB)}
	w.Cloud = w.channel(graphtest.Token)
	w.door = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.door.Close)
	return w
}

// channel makes one more channel of the same number.
func (w *world) channel(token string) *cloud.Channel {
	w.T.Helper()
	templ, err := templates.LoadCloudTemplates(w.Texts)
	require.NoError(w.T, err)
	w.Registry = prometheus.NewRegistry()
	return cloud.New(cloud.Options{
		DB: w.DB, Token: token, PhoneID: graphtest.PhoneID, AppSecret: graphtest.AppSecret, VerifyToken: graphtest.VerifyToken,
		URL: w.Meta.URL(), Templates: templ, Log: slog.New(slog.NewTextHandler(io.Writer(w.Log), nil)), Metrics: w.Registry,
	})
}

func (w *world) start() {
	w.T.Helper()
	c := w.Cloud
	require.NoError(w.T, c.Start(context.Background(), w.Sink))
	w.T.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(w.T, c.Stop(ctx))
	})
}

// serve is the webhook, as the door of HTTP answers it.
func (w *world) serve(res http.ResponseWriter, req *http.Request) {
	w.mu.Lock()
	c := w.Cloud
	w.mu.Unlock()
	if req.Method == http.MethodGet {
		q := req.URL.Query()
		answer, ok := c.Challenge(q.Get("hub.mode"), q.Get("hub.verify_token"), q.Get("hub.challenge"))
		if !ok {
			res.WriteHeader(http.StatusForbidden)
			return
		}
		io.WriteString(res, answer) //nolint:errcheck // Meta is gone then
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	if err := c.Notify(req.Context(), body, req.Header.Get("X-Hub-Signature-256")); err != nil {
		res.WriteHeader(http.StatusInternalServerError)
	}
}

// settled waits until Meta has nothing left to tell.
func (w *world) settled() {
	w.T.Helper()
	require.Eventually(w.T, func() bool { return w.Meta.Waiting() == 0 }, 10*time.Second, time.Millisecond)
}

// ana is a consumer with an old Mexican phone: 521…
func (w *world) ana() *graphtest.Person {
	return w.Meta.Person("5215512345678", "MX.13491208655302741918")
}

const anaPhone = loyalty.Phone("+525512345678")

func (w *world) person(phone loyalty.Phone) (id loyalty.ID) {
	w.T.Helper()
	w.Do(func(tx *store.Tx) (err error) {
		id, err = tx.FindPhone(w.T.Context(), phone)
		return err
	})
	return id
}

// reply answers the oldest message of a person, and gives the answer as it is to
// be sent.
func (w *world) reply(person loyalty.ID, r store.Reply) store.Outbound {
	w.T.Helper()
	w.Do(func(tx *store.Tx) error {
		turn, ok, err := tx.NextTurn(w.T.Context(), person)
		require.NoError(w.T, err)
		require.True(w.T, ok, "nothing waits for an answer")
		return tx.EndTurn(w.T.Context(), turn.Message, []byte(`{}`), r)
	})
	return w.claim(person)
}

// claim takes what is to be sent first to a person.
func (w *world) claim(person loyalty.ID) (m store.Outbound) {
	w.T.Helper()
	w.Do(func(tx *store.Tx) (err error) {
		var ok bool
		m, ok, err = tx.Claim(w.T.Context(), person, "", 30*time.Second)
		require.True(w.T, ok, "nothing is to be sent")
		return err
	})
	if m.Body == "" {
		var err error
		m.Body, err = w.Texts.Render(m.Template, m.Vars)
		require.NoError(w.T, err)
	}
	return m
}

// anaWrote lets Ana write, and gives who she is.
func (w *world) anaWrote() loyalty.ID {
	w.T.Helper()
	w.ana().Writes("hola")
	w.settled()
	return w.person(anaPhone)
}

// outboxRow is what the outbox says of a message.
func (w *world) outboxRow(m store.Outbound) (status, problem string) {
	w.T.Helper()
	w.Scan(`SELECT status, problem FROM outbox WHERE id = $1`, []any{m.ID}, &status, &problem)
	return status, problem
}
