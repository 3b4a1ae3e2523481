package api

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// cardForm is a form of the card page: what is refused is said on the page, to
// which it leads back.
func (s *server) cardForm(c *fiber.Ctx, do func(context.Context, *store.Tx, loyalty.ID) error) error {
	ok, err := s.asOwner(c, do)
	if code := string(loyalty.CodeOf(err)); flashWords(code) != "" {
		return c.Redirect(ownURL(c)+"?aviso="+code, http.StatusSeeOther)
	}
	if !ok {
		return err
	}
	return c.Redirect(ownURL(c), http.StatusSeeOther)
}

// formID reads an ID; what is none is not there.
func formID(c *fiber.Ctx, name string, missing loyalty.Code) (loyalty.ID, error) {
	id, err := loyalty.ParseID(formText(c, name))
	if err != nil {
		return "", loyalty.NotFound(missing, "No encontramos lo que buscas.")
	}
	return id, nil
}

// cardEvidence issues an evidence code and shows it on the page.
func (s *server) cardEvidence(c *fiber.Ctx) error {
	ok, err := s.asOwner(c, func(ctx context.Context, t *store.Tx, person loyalty.ID) error {
		_, err := t.IssueEvidence(ctx, person)
		return err
	})
	if !ok {
		return err
	}
	return c.Redirect(ownURL(c)+"#evidence", http.StatusSeeOther)
}

// cardRedeem asks for a reward, paid by the balance beside which it was shown.
func (s *server) cardRedeem(c *fiber.Ctx) error {
	return s.cardForm(c, func(ctx context.Context, t *store.Tx, person loyalty.ID) error {
		reward, err := formID(c, "reward", loyalty.CodeNotFound)
		if err != nil {
			return err
		}
		from, err := loyalty.ParseID(formText(c, "enrollment"))
		if err != nil {
			from = ""
		}
		_, err = t.RequestRedemptionFrom(ctx, person, reward, from)
		return err
	})
}

// cardCancel gives back a reward that was asked for and not fetched.
func (s *server) cardCancel(c *fiber.Ctx) error {
	return s.cardForm(c, func(ctx context.Context, t *store.Tx, person loyalty.ID) error {
		_, err := t.CancelRedemption(ctx, loyalty.Scope{Role: loyalty.RoleConsumer, Person: person}, formText(c, "code"))
		return err
	})
}

// cardConfirm is the consumer's yes or no to a purchase.
func (s *server) cardConfirm(c *fiber.Ctx) error {
	return s.cardForm(c, func(ctx context.Context, t *store.Tx, person loyalty.ID) error {
		purchase, err := formID(c, "purchase", codeNotWaiting)
		if err != nil {
			return err
		}
		n := 0
		switch formText(c, "answer") {
		case "si":
			receipts, err := t.ConfirmPending(ctx, person, purchase)
			if n = len(receipts); err != nil {
				return err
			}
		case "no":
			denied, err := t.DenyPending(ctx, person, purchase)
			if n = len(denied); err != nil {
				return err
			}
		}
		if n == 0 {
			return loyalty.NotFound(codeNotWaiting, "Esa compra ya no espera respuesta.")
		}
		return nil
	})
}

// cardEnroll lets the consumer into a campaign that begins on request.
func (s *server) cardEnroll(c *fiber.Ctx) error {
	return s.cardForm(c, func(ctx context.Context, t *store.Tx, person loyalty.ID) error {
		campaign, err := formID(c, "campaign", loyalty.CodeCampaignNotFound)
		if err != nil {
			return err
		}
		return t.Enroll(ctx, person, campaign)
	})
}

// codeNotWaiting: somebody answered before, or time did.
const codeNotWaiting loyalty.Code = "PURCHASE_NOT_WAITING"

// flashWords is what the page says after a form. Only these words can be made
// to appear: the code comes from the address, which anyone may write.
func flashWords(code string) string {
	switch loyalty.Code(code) {
	case loyalty.CodeRewardNotReady:
		return "Todavía no juntas lo necesario para ese premio."
	case loyalty.CodeRewardOutOfStock:
		return "Ese premio se agotó. Lo que juntaste sigue en tu tarjeta."
	case loyalty.CodeRewardLimitReached:
		return "Ya pediste ese premio todas las veces que se puede."
	case loyalty.CodeRewardNotValidNow:
		return "Ese premio no se puede pedir en estas fechas."
	case loyalty.CodeRewardNeedsTier:
		return "Ese premio es de un nivel más alto. Sigue comprando para alcanzarlo."
	case loyalty.CodeBudgetExhausted:
		return "Por ahora ya no hay premios en esta promoción. Lo que juntaste sigue en tu tarjeta."
	case loyalty.CodeNotFound, loyalty.CodeRewardNotForYou:
		return "Ese premio ya no está disponible."
	case loyalty.CodeRedemptionUnknown, loyalty.CodeRedemptionClosed:
		return "Ese premio ya no está por recoger."
	case loyalty.CodeRedemptionDone:
		return "Ese premio ya se entregó."
	case loyalty.CodeCampaignNotFound:
		return "Esa promoción ya no está en tus tiendas."
	case codeNotWaiting:
		return "Esa compra ya no espera respuesta."
	}
	return ""
}
