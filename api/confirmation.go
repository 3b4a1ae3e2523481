package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type confirmationInput struct {
	Mine *bool `json:"mine"`
	cardInput
}

// confirmPurchase is the consumer's yes or no to a purchase that waits for it.
// One that does not wait any more stays as it is.
func (s *server) confirmPurchase(c *fiber.Ctx) error {
	return update(s, c, as[store.Receipt], func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in confirmationInput) (store.Receipt, error) {
		if in.Mine == nil {
			return store.Receipt{}, loyalty.Invalid("mine", "di true si es tu compra y false si no")
		}
		person, err := consumerOf(ctx, t, scope, in.CardCode)
		if err != nil {
			return store.Receipt{}, err
		}
		if *in.Mine {
			_, err = t.ConfirmPending(ctx, person, id)
		} else {
			_, err = t.DenyPending(ctx, person, id)
		}
		if err != nil {
			return store.Receipt{}, err
		}
		r, err := t.Purchase(ctx, scope, id)
		if err == nil && r.Status == "pending" { // it waits for somebody else
			err = loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa compra en esa tarjeta.")
		}
		return r, err
	})
}
