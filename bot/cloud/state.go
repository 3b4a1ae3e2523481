package cloud

import (
	"context"
	"errors"
	"time"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/store"
)

// Why a number cannot send at all.
const (
	problemToken   = "token"
	problemPayment = "payment"
	problemBlocked = "blocked"
	problemSetup   = "setup"
)

// details say it to whoever keeps the system, with what to do.
var details = map[string]string{
	problemToken:   "Meta ya no acepta el token o le faltan permisos: genera uno nuevo del usuario de sistema, ponlo en CLOUD_TOKEN y reinicia",
	problemPayment: "Meta no cobra a esta cuenta: revisa la forma de pago en el Administrador de WhatsApp",
	problemBlocked: "Meta bloqueó la cuenta: revisa la calidad y las políticas en el Administrador de WhatsApp, y pide una revisión",
	problemSetup:   "El número no está listo en Meta: revisa su registro y su nombre visible en el Administrador de WhatsApp",
}

// accountProblem names what an error says about the number itself.
func accountProblem(e graphError) string {
	switch e.Code {
	case 131042:
		return problemPayment
	case 368, 131031:
		return problemBlocked
	case 131037, 133010:
		return problemSetup
	}
	return problemToken
}

// The calls that are told apart by what they prove.
const (
	callSend  = "send"  // that the number can send
	callPhone = "phone" // that the token is good
)

// judge notes what the answer to a call says about the number: that it can send,
// that it cannot until somebody acts, or nothing.
func (c *Channel) judge(ctx context.Context, call string, err error) {
	var g graphError
	problem := ""
	if errors.As(err, &g) && g.class() == account {
		problem = accountProblem(g)
	}
	c.mu.Lock()
	before := c.problem
	switch {
	case problem != "":
		c.until = c.db.Now().Add(accountWait)
	case err == nil && (call == callSend || call == callPhone && before == problemToken):
		c.until = time.Time{}
	default:
		problem = before // this says nothing
	}
	c.problem = problem
	c.mu.Unlock()
	if problem == before {
		return
	}
	c.metrics.able(problem == "")
	if problem != "" {
		c.log.ErrorContext(ctx, "the number cannot send", "problem", problem, "code", g.Code)
	}
	c.noteProblem(context.WithoutCancel(ctx), problem)
}

// noteProblem tells the other processes; where the database is away, the next
// change or start does.
func (c *Channel) noteProblem(ctx context.Context, problem string) {
	ctx, cancel := context.WithTimeout(ctx, briefTime)
	defer cancel()
	err := c.db.InTx(ctx, func(tx *store.Tx) error { return tx.SaveCloudProblem(ctx, c.opt.PhoneID, problem) })
	if err != nil {
		c.log.WarnContext(ctx, "the state of the number is not noted", "error", err)
	}
}

// held is the refusal to try while the number cannot send; nil where it may.
func (c *Channel) held() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait := c.until.Sub(c.db.Now()); wait > 0 {
		return &bot.SendError{What: "the number cannot send: " + c.problem, After: wait, Held: true}
	}
	return nil
}
