package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Texts makes a text from its template; package templates does.
type Texts interface {
	Render(key string, vars map[string]string) (string, error)
}

// Options configure a Runner. All but Metrics are required.
type Options struct {
	DB      *store.DB
	Engine  *flows.Engine       // the published flows
	Words   *flows.Understander // the lexicon; the catalogue comes from the database
	Texts   Texts
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Runner answers messages. It may be used by many goroutines at once.
type Runner struct {
	db      *store.DB
	catalog *catalog
	texts   Texts
	log     *slog.Logger
	metrics *metrics
	actions map[string]action
	given   map[string]string

	suspects sync.Mutex // held by the turn of a message that may end the process
}

// New makes a runner.
func New(opt Options) *Runner {
	return &Runner{
		db: opt.DB, catalog: &catalog{engine: opt.Engine, words: opt.Words}, texts: opt.Texts, log: opt.Log,
		metrics: newMetrics(opt.Metrics), actions: actions(),
		given: map[string]string{flows.VarPrivacyURL: opt.DB.PublicURL() + "/privacidad"},
	}
}

// HandleTurns answers all messages of a person that wait, oldest first. It
// gives an error where trying again later may help: the message that failed is
// still the first. One that failed too often is parked, and the next has its
// turn.
func (r *Runner) HandleTurns(ctx context.Context, person loyalty.ID) error {
	for {
		more, err := r.turn(ctx, person)
		if err != nil || !more {
			return err
		}
	}
}

// turn answers one message; more is false where none waits.
func (r *Runner) turn(ctx context.Context, person loyalty.ID) (more bool, err error) {
	more, unbegun, err := r.tryTurn(ctx, person)
	if err != nil || unbegun == nil {
		return more, err
	}
	if unbegun.Suspect {
		// It may end the process. Others that were under way when one did are suspect
		// like it: they take turns, so that each is counted for itself.
		r.suspects.Lock()
		defer r.suspects.Unlock()
	}
	m, parked := unbegun.Message, false
	err = r.db.InTx(ctx, func(tx *store.Tx) (err error) {
		parked, err = tx.BeginTurn(ctx, m)
		return err
	})
	if err != nil {
		return false, err
	}
	if parked {
		r.metrics.failed(true)
		r.log.ErrorContext(store.WithTrace(ctx, m.TraceID), "message parked: processes end at it", "inbox_id", string(m.ID))
		return true, nil
	}
	// Another process may have begun it at the same moment; then it comes again.
	more, unbegun, err = r.tryTurn(ctx, person)
	return more || unbegun != nil, err
}

// tryTurn answers one message. unbegun is a turn that must be begun first.
func (r *Runner) tryTurn(ctx context.Context, person loyalty.ID) (more bool, unbegun *store.Turn, err error) {
	var m store.Message
	var taken bool
	var done *store.Tx
	err = r.db.InTx(ctx, func(tx *store.Tx) error {
		unbegun, done = nil, tx
		t, ok, err := tx.NextTurn(ctx, person)
		m, taken = t.Message, ok
		if err != nil || !ok {
			return err
		}
		if !t.Begun {
			unbegun = &t
			return nil
		}
		return r.answer(store.WithTrace(ctx, m.TraceID), tx, t)
	})
	ctx = store.WithTrace(ctx, m.TraceID)
	log := r.log.With("inbox_id", string(m.ID))
	switch {
	case err == nil && (!taken || unbegun != nil):
		return false, unbegun, nil
	case err == nil:
		r.metrics.answered(r.db.Now().Sub(m.ReceivedAt))
		log.DebugContext(ctx, "message answered")
		return done.MoreTurns(), nil, nil
	case !taken || passing(ctx, err):
		return false, nil, err
	}
	// The message itself may be the reason: it must not stop the next for ever.
	parked, why := false, reason(err)
	noteErr := r.db.InTx(ctx, func(tx *store.Tx) (err error) {
		parked, err = tx.FailTurn(ctx, m, why)
		return err
	})
	if noteErr != nil {
		return false, nil, errors.Join(err, noteErr)
	}
	r.metrics.failed(parked)
	if parked {
		log.ErrorContext(ctx, "message parked", "attempts", m.Attempts+1, "error", err)
		return true, nil, nil
	}
	log.WarnContext(ctx, "turn failed", "attempts", m.Attempts+1, "error", err)
	return false, nil, err
}

// passing says whether a failure has nothing to do with the message.
func passing(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, context.Canceled) || loyalty.CodeOf(err) == loyalty.CodeUnavailable
}

// answer carries a message through its flow and queues the reply.
func (r *Runner) answer(ctx context.Context, tx *store.Tx, t store.Turn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.ErrorContext(ctx, "turn panicked", "inbox_id", string(t.Message.ID), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	engine, products, err := r.catalog.at(ctx, tx)
	if err != nil {
		return err
	}
	var session flows.Session
	if t.Session != nil && json.Unmarshal(t.Session, &session) != nil {
		// Nothing of ours writes such a thing; whoever did, a person must not
		// be stuck in it.
		r.log.WarnContext(ctx, "unreadable session dropped", "inbox_id", string(t.Message.ID))
		session = flows.Session{}
	}
	role := flows.Consumer
	if t.Tendero {
		role = flows.Tendero
	}
	work := &turn{tx: tx, now: tx.Now(), person: t.Person, tendero: t.Tendero, message: t.Message, products: products, url: r.db.PublicURL()}
	session, replies, err := engine.Turn(session, flows.Input{
		Message: &flows.Message{Kind: kindOf(t.Message.Kind), Text: t.Message.Text},
		Role:    role, Now: tx.Now(), Given: r.given,
	}, func(c flows.Call) (flows.Outcome, error) { return r.do(ctx, work, c) })
	if err != nil {
		return err
	}
	reply, err := r.merge(replies)
	if err != nil {
		return err
	}
	if err := r.firstNotice(ctx, tx, t, &reply); err != nil {
		return err
	}
	saved, err := json.Marshal(session)
	if err != nil {
		return err
	}
	return tx.EndTurn(ctx, t.Message, saved, reply)
}

// do carries out an action and holds its outcome against the registry: flows
// were linted by what it declares.
func (r *Runner) do(ctx context.Context, t *turn, c flows.Call) (flows.Outcome, error) {
	do, ok := r.actions[c.Action]
	if !ok {
		return flows.Outcome{}, errors.New("not implemented")
	}
	out, err := do(ctx, t, c.Args)
	if err != nil {
		return out, err
	}
	return out, declared(c.Action, out)
}

// declared checks that an outcome is one that the action declares, and that it
// sets what it promises.
func declared(name string, out flows.Outcome) error {
	o, ok := flows.Actions()[name].Outcome(out.Name)
	if !ok {
		return fmt.Errorf("outcome %q is not declared", out.Name)
	}
	for _, v := range o.Sets {
		if _, ok := out.Vars[v]; !ok {
			return fmt.Errorf("outcome %q does not set %s", out.Name, v)
		}
	}
	return nil
}

// maxCaption is how long a text may be that goes with a picture.
const maxCaption = 1000

// merge makes one message of all that a turn has to say: one question, one
// answer, in the order in which it was said. The first picture is taken along.
func (r *Runner) merge(replies []flows.Reply) (store.Reply, error) {
	var out store.Reply
	var parts []string
	for _, reply := range replies {
		text, err := r.texts.Render(reply.Template, reply.Vars)
		if err != nil {
			return out, err
		}
		if text != "" {
			parts = append(parts, text)
		}
		if reply.Media != "" && out.Media == "" {
			out.Media = string(reply.Media)
			out.MediaRef = reply.Vars[mediaVar(reply.Media)]
		}
	}
	out.Body = strings.Join(parts, "\n\n")
	if out.MediaRef == "" || utf8.RuneCountInString(out.Body) > maxCaption {
		out.Media, out.MediaRef = "", "" // better the words without the picture
	}
	return out, nil
}

func mediaVar(m flows.Media) string {
	if m == flows.MediaShopQR {
		return flows.VarShopCode
	}
	return flows.VarCardCode
}

// firstNotice puts the notice of privacy into the first answer that anybody
// gets, whatever was asked (law 8). An answer that has it already, as the one
// with the card does, is left alone.
func (r *Runner) firstNotice(ctx context.Context, tx *store.Tx, t store.Turn, reply *store.Reply) error {
	if t.Session != nil || t.Tendero || reply.Body == "" || strings.Contains(reply.Body, r.given[flows.VarPrivacyURL]) {
		return nil
	}
	notice, err := r.texts.Render("privacy.notice", r.given)
	if err != nil {
		return err
	}
	reply.Body += "\n\n" + notice
	return tx.RecordConsent(ctx, t.Person.ID, store.NoticeGiven, t.Message.MessageID)
}

// kindOf translates what the inbox calls a message.
func kindOf(kind string) flows.MessageKind {
	switch k := flows.MessageKind(kind); k {
	case "text", "edit": // an edit of what was answered is a new message
		return flows.TextMessage
	case "undecryptable":
		return flows.Unreadable
	case flows.Image, flows.Sticker, flows.Audio, flows.Video, flows.Location, flows.Contact, flows.Document, flows.Poll:
		return k
	}
	return flows.Other
}

// reason is a failure in a line, for the admin's page.
func reason(err error) string {
	s := strings.Join(strings.Fields(err.Error()), " ")
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "")
	}
	return s
}
