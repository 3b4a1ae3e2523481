package api

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Webhook takes what Meta posts to a channel of its own making.
type Webhook interface {
	// Challenge answers Meta's question whether the address is ours; ok is false
	// where whoever asks is not Meta.
	Challenge(mode, token, challenge string) (answer string, ok bool)
	// Notify takes a notification: its raw body and its signature. All of it is
	// persisted when it returns nil, and only then.
	Notify(ctx context.Context, body []byte, signature string) error
}

// webhookPath is where Meta posts.
const webhookPath = "/webhooks/whatsapp"

// maxWebhook is the largest notification: Meta's own limit, which is above ours.
const maxWebhook = 3 << 20

// answerChallenge proves to Meta that the address is ours.
func (s *server) answerChallenge(c *fiber.Ctx) error {
	if s.WhatsApp == nil {
		return fiber.ErrNotFound
	}
	answer, ok := s.WhatsApp.Challenge(queryText(c, "hub.mode"), queryText(c, "hub.verify_token"), queryText(c, "hub.challenge"))
	if !ok {
		return loyalty.Fail(loyalty.KindForbidden, loyalty.CodeForbidden, "El token de verificación no es el de este servidor.")
	}
	c.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	return c.SendString(answer)
}

// takeNotification answers 200 when all of it is persisted. After any other
// answer Meta sends it again.
func (s *server) takeNotification(c *fiber.Ctx) error {
	if s.WhatsApp == nil {
		return fiber.ErrNotFound
	}
	// The bytes as they came: they are signed.
	if err := s.WhatsApp.Notify(c.UserContext(), c.Request().Body(), c.Get("X-Hub-Signature-256")); err != nil {
		return err
	}
	return c.SendStatus(http.StatusOK)
}
