package api

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// numberHealth is one number as /health/ready shows it: to anyone, so without its
// name and phone.
type numberHealth struct {
	ID      loyalty.ID         `json:"id"`
	Status  store.NumberStatus `json:"status"`
	State   string             `json:"state"`
	Detail  string             `json:"detail"`
	AliveAt *time.Time         `json:"alive_at"`
}

const whatsapp = "whatsapp"

// numbersHealth says how the channel is, from how its numbers are: one that should
// be at work and is not makes it degraded, none that is makes it down. A number
// that is still being paired is nobody's trouble.
func (s *server) numbersHealth(ctx context.Context) (Dependency, []numberHealth) {
	all, err := s.readStates(ctx)
	if err != nil {
		return Dependency{Name: whatsapp, State: "degraded", Detail: "no se sabe cómo están los números"}, []numberHealth{}
	}
	d := Dependency{Name: whatsapp, State: "ok"}
	health := make([]numberHealth, len(all))
	working, expected := 0, 0
	for i, n := range all {
		words := s.numberWords(n)
		h := numberHealth{ID: n.ID, Status: n.Status, State: "ok", Detail: words.Detail(), AliveAt: n.AliveAt}
		switch {
		case n.Status == store.NumberPairing && n.PairedAt == nil:
		case !n.Working(n.now):
			h.State = "down"
			expected++
		default:
			if n.Status == store.NumberRestricted {
				h.State = "degraded"
			}
			expected++
			working++
		}
		if h.State != "ok" && d.State == "ok" {
			d.State, d.Detail = "degraded", words.What
		}
		health[i] = h
	}
	switch {
	case expected == 0:
		d.State, d.Detail = "degraded", "todavía no hay un número vinculado"
	case working == 0:
		d.State = "down"
	}
	return d, health
}

func (s *server) readStates(ctx context.Context) (states []numberAt, err error) {
	err = s.DB.InTx(ctx, func(t *store.Tx) error {
		all, _, err := t.Numbers(ctx, loyalty.System(), store.Page{Limit: mostNumbers})
		states = mapped(all, func(n store.Number) numberAt { return numberAt{n, t.Now()} })
		return err
	})
	return states, err
}
