package cloud

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Challenge answers the question by which Meta makes sure that an address is
// ours; ok is false where whoever asks does not know the token.
func (c *Channel) Challenge(mode, token, challenge string) (answer string, ok bool) {
	same := subtle.ConstantTimeCompare([]byte(token), []byte(c.opt.VerifyToken)) == 1
	return challenge, same && mode == "subscribe" && c.opt.VerifyToken != ""
}

// Notify takes one of Meta's notifications: its body as it came, and the header
// X-Hub-Signature-256. All of it is persisted when it returns nil. After an error
// it must not be acknowledged, so that it comes again; what was persisted before
// is known then.
//
// What is not understood is counted, and no error: Meta adds to its notifications
// as it likes.
func (c *Channel) Notify(ctx context.Context, body []byte, signature string) error {
	if !c.signed(body, signature) {
		c.metrics.got("forged")
		return loyalty.Fail(loyalty.KindUnauthorized, loyalty.CodeUnauthorized, "La firma no corresponde.")
	}
	sink, done, ok := c.receiving()
	if !ok {
		return loyalty.Fail(loyalty.KindUnavailable, loyalty.CodeUnavailable, "El canal no está encendido.")
	}
	defer done()
	var n notification
	if err := json.Unmarshal(body, &n); err != nil {
		c.metrics.got("malformed")
		return loyalty.Fail(loyalty.KindInvalid, loyalty.CodeMalformed, "No es una notificación de WhatsApp.")
	}
	for _, e := range n.Entry {
		for _, ch := range e.Changes {
			if err := c.take(ctx, sink, ch); err != nil {
				return err
			}
		}
	}
	return nil
}

// signed says whether Meta signed the body: over its raw bytes, compared in
// constant time.
func (c *Channel) signed(body []byte, signature string) bool {
	given, err := hex.DecodeString(strings.TrimPrefix(signature, "sha256="))
	if err != nil || !strings.HasPrefix(signature, "sha256=") || c.opt.AppSecret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(c.opt.AppSecret))
	mac.Write(body)
	return hmac.Equal(given, mac.Sum(nil))
}

// take persists one change.
func (c *Channel) take(ctx context.Context, sink bot.Sink, ch change) error {
	if ch.Field != "messages" {
		c.metrics.got("other_field")
		return nil
	}
	var v value
	if json.Unmarshal(ch.Value, &v) != nil {
		c.metrics.got(skippedMalformed)
		return nil
	}
	if v.Metadata.PhoneID != c.opt.PhoneID {
		// Another number of the same app: it is for whoever runs that one.
		c.metrics.got("other_number")
		return nil
	}
	for range v.Errors {
		c.metrics.got("error")
	}
	var contacts []contact
	for _, raw := range v.Contacts {
		var known contact
		if json.Unmarshal(raw, &known) == nil {
			contacts = append(contacts, known)
		}
	}
	for _, raw := range v.Messages {
		if err := c.takeMessage(ctx, sink, raw, contacts); err != nil {
			return err
		}
	}
	for _, raw := range v.Statuses {
		if err := c.takeStatus(ctx, sink, raw); err != nil {
			return err
		}
	}
	return nil
}

func (c *Channel) takeMessage(ctx context.Context, sink bot.Sink, raw json.RawMessage, contacts []contact) error {
	in, skipped := convert(raw, contacts)
	if skipped != "" {
		c.metrics.got(skipped)
		c.log.WarnContext(ctx, "message not taken in", "why", skipped)
		return nil
	}
	in.TraceID = store.Trace(ctx)
	if err := sink.Receive(ctx, in); err != nil {
		c.metrics.got("not_persisted")
		return err
	}
	c.metrics.got(in.Kind)
	if in.Media != nil {
		select {
		case c.arrived <- struct{}{}:
		default: // somebody is about to look anyway
		}
	}
	return nil
}

// ourID is how the outbox calls its messages.
var ourID = regexp.MustCompile(`^3EB0[0-9A-F]{18}$`)

// takeStatus notes how far a message of ours came.
func (c *Channel) takeStatus(ctx context.Context, sink bot.Sink, raw json.RawMessage) error {
	var s status
	if json.Unmarshal(raw, &s) != nil || s.ID == "" || messageKey(s.ID) != s.ID {
		c.metrics.got(skippedMalformed)
		return nil
	}
	id, err := c.messageOf(ctx, s)
	if err != nil {
		return err
	}
	if id == "" {
		c.metrics.got("status_of_unknown")
		return nil
	}
	switch s.Status {
	case "sent", "accepted":
		err = c.noteWire(ctx, id, s.ID, false)
	case "delivered":
		err = c.arrivedAt(ctx, sink, id, s, bot.StateDelivered)
	case "read", "played":
		err = c.arrivedAt(ctx, sink, id, s, bot.StateRead)
	case "failed":
		err = c.failed(ctx, id, s)
	default:
		c.metrics.got("status_unknown")
		return nil
	}
	if err == nil {
		c.metrics.got("status_" + s.Status)
	}
	return err
}

// messageOf is our ID of the message that a status is about; "" for one that is
// none of ours.
func (c *Channel) messageOf(ctx context.Context, s status) (id string, err error) {
	if ourID.MatchString(s.Opaque) {
		return s.Opaque, nil
	}
	err = c.db.InTx(ctx, func(tx *store.Tx) (err error) {
		id, err = tx.MessageOnWire(ctx, s.ID)
		return err
	})
	return id, err
}

func (c *Channel) arrivedAt(ctx context.Context, sink bot.Sink, id string, s status, state string) error {
	if err := c.noteWire(ctx, id, s.ID, false); err != nil {
		return err
	}
	at := c.db.Now()
	if s.Timestamp > 0 {
		at = time.Unix(int64(s.Timestamp), 0).UTC()
	}
	return sink.Delivered(ctx, []string{id}, at, state)
}

// failed makes a dead letter of what Meta had taken and could not deliver.
func (c *Channel) failed(ctx context.Context, id string, s status) error {
	reason := graphError{Code: 131000}
	if len(s.Errors) > 0 {
		reason = s.Errors[0]
	}
	c.judge(ctx, "status", reason)
	if badMedia[reason.Code] {
		c.forgetPicture(ctx, id)
	}
	return c.db.InTx(ctx, func(tx *store.Tx) error { return tx.FailOnWire(ctx, id, s.ID, reason.what()) })
}
