package api

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// The sizes of QR images, in pixels.
const (
	defaultQR = 512
	leastQR   = 128
	mostQR    = 2048
)

// cardQR draws a card's QR. It holds the public address of the code and nothing
// else, so that any well-formed code may be drawn, for anyone: whether the card
// exists is not told.
func (s *server) cardQR(c *fiber.Ctx) error {
	code, kind := loyalty.ParseCode(c.Params("code"))
	if kind != loyalty.CardCode {
		return loyalty.NotFound(loyalty.CodeCardNotFound, "Ese no es un código de tarjeta.")
	}
	return s.sendQR(c, s.cardURL(code))
}

// cardURL is what a card's QR holds.
func (s *server) cardURL(code string) string { return s.DB.PublicURL() + "/c/" + code }

func (s *server) sendQR(c *fiber.Ctx, payload string) error {
	px, err := pixels(c)
	if err != nil {
		return err
	}
	png, err := s.qr.PNG(payload, px)
	if err != nil {
		return err
	}
	return sendCached(c, png, "image/png", forever)
}

// pixels reads how large a QR is wanted.
func pixels(c *fiber.Ctx) (int, error) {
	raw := c.Query("px")
	if raw == "" {
		return defaultQR, nil
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < leastQR || n > mostQR {
		return 0, loyalty.Invalid("px", "debe ser un número de 128 a 2048")
	}
	return n, nil
}

// forever is how long caches keep what never changes.
const forever = 365 * 24 * time.Hour

// sendCached sends bytes that anyone may keep, asking again after a while (each
// time, where that is 0), and nothing when the caller has them already.
func sendCached(c *fiber.Ctx, content []byte, kind string, keep time.Duration) error {
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	c.Set(fiber.HeaderETag, tag)
	control := "public, max-age=" + strconv.Itoa(int(keep.Seconds()))
	switch keep {
	case forever:
		control += ", immutable"
	case 0:
		control = "no-cache"
	}
	c.Set(fiber.HeaderCacheControl, control)
	if strings.Contains(c.Get(fiber.HeaderIfNoneMatch), tag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, kind)
	return c.Send(content)
}
