package cloud

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/templates"
)

// message is one request to send.
type message struct {
	Product   string        `json:"messaging_product"`
	Kind      string        `json:"recipient_type"`
	To        string        `json:"to,omitempty"`        // a phone; or
	Recipient string        `json:"recipient,omitempty"` // an ID that only this business knows
	Type      string        `json:"type"`
	Text      *textBody     `json:"text,omitempty"`
	Image     *imageBody    `json:"image,omitempty"`
	Template  *templateBody `json:"template,omitempty"`
	Opaque    string        `json:"biz_opaque_callback_data"` // our ID, which comes back in statuses
}

type textBody struct {
	Body    string `json:"body"`
	Preview bool   `json:"preview_url"`
}

type imageBody struct {
	ID      string `json:"id"`
	Caption string `json:"caption,omitempty"`
}

type templateBody struct {
	Name     string `json:"name"`
	Language struct {
		Code string `json:"code"`
	} `json:"language"`
	Components []component `json:"components,omitempty"`
}

type component struct {
	Type       string      `json:"type"`
	SubType    string      `json:"sub_type,omitempty"`
	Index      string      `json:"index,omitempty"`
	Parameters []parameter `json:"parameters"`
}

type parameter struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// Meta's limits on what a message says, in characters.
const (
	mostBody    = 4096
	mostCaption = 1024
)

// window is how long after a person's last message anything may be sent to them,
// a little less than Meta's own: clocks differ, and a message takes its time.
const window = 24*time.Hour - 5*time.Minute

// Send implements bot.Channel. What Meta is known to have is not sent again.
func (c *Channel) Send(ctx context.Context, m store.Outbound) error {
	return sendError(c.send(ctx, m))
}

func (c *Channel) send(ctx context.Context, m store.Outbound) error {
	if err := c.held(); err != nil {
		return err
	}
	to, scopedID, ok := recipient(m.Chat)
	if !ok {
		return &bot.SendError{What: "the Cloud API does not know this kind of address", Final: true}
	}
	wire, err := c.wire(ctx, m)
	if err != nil {
		return err
	}
	if wire.ID != "" {
		return nil // a status said so, after an attempt that ended without an answer
	}
	out := message{Product: "whatsapp", Kind: "individual", To: to, Recipient: scopedID, Opaque: m.MessageID}
	open := !wire.WroteAt.IsZero() && c.db.Now().Sub(wire.WroteAt) < window
	if open {
		err = c.compose(ctx, m, &out)
	} else {
		err = c.asTemplate(m, &out)
	}
	if err != nil {
		return err
	}
	if err := c.pace.wait(ctx); err != nil {
		return &bot.SendError{What: "waiting for its turn", Held: true, Err: err}
	}
	if open && m.ReplyTo != "" && m.Attempts <= 1 {
		c.seen(ctx, m.ReplyTo)
	}
	return c.deliver(ctx, m, out)
}

// wire asks the outbox whether Meta has the message, and when the person wrote.
func (c *Channel) wire(ctx context.Context, m store.Outbound) (w store.OnWire, err error) {
	err = c.db.InTx(ctx, func(tx *store.Tx) (err error) {
		w, err = tx.Wire(ctx, m.MessageID, m.Person, Name)
		return err
	})
	if err != nil {
		return w, &bot.SendError{What: "the database does not say whether it was sent", Err: err}
	}
	return w, nil
}

// compose makes the message that the outbox holds.
func (c *Channel) compose(ctx context.Context, m store.Outbound, out *message) error {
	if m.Media == "" {
		out.Type = "text"
		out.Text = &textBody{Body: fit(m.Body, mostBody), Preview: strings.Contains(m.Body, "https://") || strings.Contains(m.Body, "http://")}
		return nil
	}
	id, err := c.picture(ctx, m)
	if err != nil {
		return err
	}
	out.Type, out.Image = "image", &imageBody{ID: id, Caption: fit(m.Body, mostCaption)}
	return nil
}

// asTemplate makes the message that Meta lets through when the person has not
// written for a day.
func (c *Channel) asTemplate(m store.Outbound, out *message) error {
	const closedWindow = "the 24-hour window is closed, and "
	if m.Template == "" {
		return &bot.SendError{What: closedWindow + "an answer cannot be sent any more", Final: true}
	}
	t, ok, err := c.opt.Templates.Fill(m.Template, m.Vars)
	switch {
	case err != nil:
		return &bot.SendError{What: "the template that stands for " + m.Template + " does not fill in", Final: true, Err: err}
	case !ok:
		return &bot.SendError{What: closedWindow + "no template stands for " + m.Template, Final: true}
	}
	out.Type, out.Template = "template", templateOf(t)
	return nil
}

func templateOf(t templates.CloudTemplate) *templateBody {
	body := &templateBody{Name: t.Name}
	body.Language.Code = templates.CloudLanguage
	if len(t.Vars) > 0 {
		part := component{Type: "body"}
		for _, v := range t.Vars {
			part.Parameters = append(part.Parameters, parameter{"text", fit(v, mostCaption)})
		}
		body.Components = append(body.Components, part)
	}
	if t.Button != "" {
		body.Components = append(body.Components, component{Type: "button", SubType: "url", Index: "0", Parameters: []parameter{{"text", t.Button}}})
	}
	return body
}

// deliver hands the message over and notes what Meta calls it.
func (c *Channel) deliver(ctx context.Context, m store.Outbound, out message) error {
	wamid, err := c.graph.send(ctx, c.opt.PhoneID, out)
	var refused graphError
	if out.Image != nil && errors.As(err, &refused) && badMedia[refused.Code] && c.forgetPicture(ctx, m.MessageID) {
		// Meta has lost the picture: the next attempt uploads it anew.
		return &bot.SendError{What: refused.what(), Err: err}
	}
	if err != nil {
		return err
	}
	// It is sent, also when the process is told to stop meanwhile. Where noting it
	// fails, its statuses say so again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), briefTime)
	defer cancel()
	if err := c.noteWire(ctx, m.MessageID, wamid, true); err != nil {
		c.log.WarnContext(ctx, "a sent message is not noted yet", "outbox_id", string(m.ID), "error", err)
	}
	return nil
}

func (c *Channel) noteWire(ctx context.Context, messageID, wamid string, sent bool) error {
	return c.db.InTx(ctx, func(tx *store.Tx) error { return tx.NoteWire(ctx, messageID, wamid, sent) })
}

// seen is polite: it may fail, and then the answer comes all the same.
func (c *Channel) seen(ctx context.Context, messageID string) {
	if err := c.graph.seen(ctx, c.opt.PhoneID, messageID); err != nil {
		c.log.DebugContext(ctx, "not marked as read", "problem", problemOf(err))
	}
}

// problemOf says what happened, without personal data.
func problemOf(err error) string {
	var g graphError
	if errors.As(err, &g) {
		return g.what()
	}
	return "no answer from Meta"
}

// fit shortens a text to Meta's limit, at the end of a line where there is one
// near: better the greater part of an answer than none.
func fit(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	short := string([]rune(s)[:most-1])
	if i := strings.LastIndexByte(short, '\n'); i > len(short)/2 {
		short = short[:i]
	}
	return strings.TrimRight(short, " \n") + "…"
}
