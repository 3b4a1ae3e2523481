package cloud

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/qoa-conectados/qoa/bot"
)

// graphError is how Meta says that something did not work. Only its code is ever
// kept or shown: titles and details may quote what was sent.
type graphError struct {
	Code   int `json:"code"`
	Status int `json:"-"` // of HTTP; 0 in a webhook
}

// Error implements error.
func (e graphError) Error() string { return fmt.Sprintf("meta error %d (http %d)", e.Code, e.Status) }

// class is what an error means for the message.
type class int

const (
	passing   class = iota // Meta's trouble: again soon
	tooFast                // too fast: a little later
	closed                 // outside the 24 hours: only a template goes through
	account                // the number cannot send at all until somebody acts
	permanent              // this message never goes through
)

// classes are the codes that are told apart, by Meta's own table; what is in none
// is judged by its HTTP status.
var classes = map[int]class{
	1: passing, 2: passing, 131000: passing, 131016: passing, 131057: passing, 133004: passing,
	4: tooFast, 80007: tooFast, 130429: tooFast, 131048: tooFast, 131056: tooFast,
	131047: closed,
	0:      account, 3: account, 10: account, 190: account, 368: account, 131031: account, 131037: account, 131042: account, 131005: account, 133010: account,
	131026: permanent, 131049: permanent, 130472: permanent, 131021: permanent, 131030: permanent, 130497: permanent, 131050: permanent,
	33: permanent, 100: permanent, 131008: permanent, 131009: permanent, 131051: permanent, 131052: permanent, 131053: permanent,
}

func (e graphError) class() class {
	if c, known := classes[e.Code]; known && (e.Code != 0 || e.Status == http.StatusUnauthorized) {
		return c
	}
	switch {
	case e.Code >= 200 && e.Code < 300: // permissions
		return account
	case e.Code >= 132000 && e.Code < 133000: // templates
		return permanent
	case e.Status == http.StatusTooManyRequests:
		return tooFast
	case e.Status == http.StatusUnauthorized:
		return account
	case e.Status >= http.StatusBadRequest && e.Status < http.StatusInternalServerError && e.Status != http.StatusRequestTimeout:
		return permanent
	}
	return passing
}

// reasons are the codes that are told in words to whoever keeps the system.
var reasons = map[int]string{
	131026: "the person cannot be reached over WhatsApp", 131047: "the 24-hour window is closed",
	131049: "Meta chose not to deliver it", 130472: "Meta's experiment holds it back", 131050: "the person stopped this kind of message",
	131056: "too many messages to this person", 130429: "too many messages", 131048: "held back as spam", 80007: "too many requests", 4: "too many requests",
	190: "the access token is no longer valid", 131042: "the account has a payment problem", 368: "the account is blocked for breaking a policy",
	131031: "the account is locked", 132000: "the template has another number of variables", 132001: "the template does not exist or is not approved",
	132015: "the template is paused", 132016: "the template is disabled",
}

// what is the problem without personal data.
func (e graphError) what() string {
	if words, ok := reasons[e.Code]; ok {
		return fmt.Sprintf("meta %d: %s", e.Code, words)
	}
	if e.Code == 0 {
		return fmt.Sprintf("meta answered http %d", e.Status)
	}
	return fmt.Sprintf("meta %d", e.Code)
}

// How long a message waits after a failure that has nothing to do with it.
const (
	paceWait    = 10 * time.Second // also of one person: Meta wants six seconds between messages
	accountWait = time.Minute      // so long a broken account is left alone
	doubtWait   = 30 * time.Second // until a status tells whether an unanswered request was carried out
)

// sendError gives a failure its meaning for the outbox.
func sendError(err error) error {
	var known *bot.SendError
	var g graphError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case !errors.As(err, &g):
		// Whether Meta has the message is not known.
		return &bot.SendError{What: "no answer from Meta", After: doubtWait, Err: err}
	}
	out := &bot.SendError{What: g.what(), Err: err}
	switch g.class() {
	case permanent, closed:
		out.Final = true
	case tooFast:
		out.After, out.Held = paceWait, true
	case account:
		out.After, out.Held = accountWait, true
	case passing:
		if g.Status >= http.StatusInternalServerError {
			out.After = doubtWait // it may have got further than its answer says
		}
	}
	return out
}
