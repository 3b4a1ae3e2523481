package whatsapp

import (
	"context"
	"errors"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// persistTime is how long the inbox may take for one message. Handlers run one
// after the other; after five minutes whatsmeow goes on without us.
const persistTime = 30 * time.Second

// receive persists a message, and says whether it may be acknowledged.
func (s *session) receive(c *whatsmeow.Client, evt *events.Message) bool {
	if evt.Info.IsFromMe || !isPerson(evt.Info.Chat) {
		return true // groups, statuses and what our own phone writes are not for us
	}
	if s.refusing.Load() {
		return false // what came before it comes again first
	}
	ctx, cancel := context.WithTimeout(s.ctx, persistTime)
	defer cancel()
	in, ok, err := s.inbound(ctx, c, evt)
	if err == nil && !ok {
		return true
	}
	if err == nil {
		err = s.fleet.sink.Receive(ctx, in)
	}
	if err != nil && evt.UnavailableRequestID != "" {
		// What the phone sends in place of a message is acknowledged whatever we
		// say, and comes only once.
		err = s.insist(in)
	}
	if err == nil {
		s.fleet.metrics.received.WithLabelValues(string(s.id()), in.Kind).Inc()
		if in.Media != nil {
			s.fetchFiles()
		}
		return true
	}
	return s.notKept(ctx, in, err)
}

// inbound translates a message. ok is false for what is no message.
func (s *session) inbound(ctx context.Context, cli *whatsmeow.Client, evt *events.Message) (in store.Inbound, ok bool, err error) {
	raw := evt.RawMessage
	if evt.UnavailableRequestID != "" {
		raw = evt.Message // an edit is told as the message that it became
	}
	c, ok := s.content(ctx, cli, evt, raw)
	if !ok {
		return in, false, nil
	}
	in = store.Inbound{
		Channel: Name, Number: s.id(), MessageID: evt.Info.ID, Kind: c.kind, Text: c.text, Of: c.of,
		TraceID: evt.Info.ID, SentAt: evt.Info.Timestamp,
	}
	if c.media != nil {
		in.Media = &store.MediaSource{Mime: c.media.mime, Size: c.media.size, Ref: c.media.ref}
	}
	in.Sender, err = senderOf(ctx, evt.Info.MessageSource, cli.Store.LIDs)
	if errors.Is(err, errNoPerson) {
		return in, false, nil
	}
	return in, true, err
}

// content is convert, and reads edits that are sealed with the key of the message
// that they are about.
func (s *session) content(ctx context.Context, cli *whatsmeow.Client, evt *events.Message, raw *waE2E.Message) (content, bool) {
	sealed := unwrap(raw).GetSecretEncryptedMessage()
	if sealed.GetSecretEncType() != waE2E.SecretEncryptedMessage_MESSAGE_EDIT {
		return convert(raw)
	}
	open := *evt
	open.Message = unwrap(raw)
	edited, err := cli.DecryptSecretEncryptedMessage(ctx, &open)
	if err != nil {
		s.log.Debug("sealed edit not read", "error", withoutNumbers(err))
		return content{}, false // the message itself stands
	}
	c, ok := convert(edited)
	if !ok {
		return content{}, false
	}
	return content{kind: store.KindEdit, text: c.text, of: sealed.GetTargetMessageKey().GetID()}, true
}

// unreadable notes a message that could not be decrypted. That is usual for the
// first message of somebody new: the sender is asked to send it again, and what
// then comes takes this one's place. Only if nothing comes does the person hear
// of it.
func (s *session) unreadable(c *whatsmeow.Client, evt *events.UndecryptableMessage) {
	if evt.Info.IsFromMe || !isPerson(evt.Info.Chat) || evt.DecryptFailMode == events.DecryptFailHide {
		return // who sent it wants no word about it
	}
	ctx, cancel := context.WithTimeout(s.ctx, persistTime)
	defer cancel()
	sender, err := senderOf(ctx, evt.Info.MessageSource, c.Store.LIDs)
	if errors.Is(err, errNoPerson) {
		return
	}
	in := store.Inbound{
		Channel: Name, Number: s.id(), Sender: sender, MessageID: evt.Info.ID, Kind: store.KindUndecryptable,
		TraceID: evt.Info.ID, SentAt: evt.Info.Timestamp,
	}
	if evt.IsUnavailable && evt.UnavailableType == events.UnavailableTypeViewOnce {
		in.Kind = store.KindUnsupported // linked devices never get those
	}
	if err == nil {
		err = s.fleet.sink.Receive(ctx, in)
	}
	if err != nil {
		err = s.insist(in) // it is acknowledged already
	}
	if err != nil {
		s.log.Warn("a message that could not be read was not noted", "error", withoutNumbers(err))
		return
	}
	s.fleet.metrics.received.WithLabelValues(string(s.id()), in.Kind).Inc()
}

// insistTime is how long we try to keep what will not come again.
const insistTime = time.Minute

// insist tries until it has persisted a message, within reason.
func (s *session) insist(in store.Inbound) error {
	ctx, cancel := context.WithTimeout(s.ctx, insistTime)
	defer cancel()
	for try := 0; ; try++ {
		if in.Sender == (store.Sender{}) {
			return errNoPerson
		}
		err := s.fleet.sink.Receive(ctx, in)
		if err == nil || ctx.Err() != nil || !s.pause(backoff(100*time.Millisecond, try)) {
			return err
		}
	}
}

// notKept decides about a message that could not be persisted. It must not be
// acknowledged, so that it comes again, and nothing younger may overtake it:
// until then nothing is taken in.
func (s *session) notKept(ctx context.Context, in store.Inbound, err error) bool {
	if s.passing(ctx, err) || s.failed(in.MessageID) < mostRefusals {
		s.fleet.metrics.refused.WithLabelValues(string(s.id())).Inc()
		s.log.Warn("message not persisted; it comes again", "kind", in.Kind, "error", withoutNumbers(err))
		s.refuse()
		return false
	}
	// The database is well and takes everything but this: it must not stop what
	// comes after it for ever. That it came is kept, without what it said.
	bare := in
	bare.Kind, bare.Text, bare.Of, bare.Media = store.KindUnsupported, "", "", nil
	if again := s.fleet.sink.Receive(ctx, bare); again == nil {
		s.log.Error("message persisted without its content", "kind", in.Kind, "error", withoutNumbers(err))
		return true
	}
	s.fleet.metrics.dropped.WithLabelValues(string(s.id())).Inc()
	s.log.Error("message given up", "kind", in.Kind, "error", withoutNumbers(err))
	return true
}

// mostRefusals is how often a message may fail in a database that is well.
const mostRefusals = 5

// passing says whether a failure has nothing to do with the message.
func (s *session) passing(ctx context.Context, err error) bool {
	return ctx.Err() != nil || loyalty.CodeOf(err) == loyalty.CodeUnavailable || s.fleet.opt.DB.Ping(ctx) != nil
}

// failed counts the failures of a message.
func (s *session) failed(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) > 1000 {
		clear(s.failures)
	}
	s.failures[id]++
	return s.failures[id]
}

// refuse takes nothing in until the next connection, and asks for one: WhatsApp
// sends what was not acknowledged when a device connects.
func (s *session) refuse() {
	s.refusing.Store(true)
	select {
	case s.refusals <- struct{}{}:
	default:
	}
}
