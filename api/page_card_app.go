package api

import (
	"bytes"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// cardManifest is what a phone installs a card by. It says nothing that its address
// does not say, so that the database need not be asked.
func (s *server) cardManifest(c *fiber.Ctx) error {
	code, kind := loyalty.ParseCode(c.Params("card"))
	if kind != loyalty.CardCode {
		return s.cardGone(c)
	}
	var b bytes.Buffer
	if err := s.Pages.CardManifest(&b, ownURL(c), "/c/"+code); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/manifest+json")
	c.Set(fiber.HeaderCacheControl, "private, max-age=3600")
	return c.Send(b.Bytes())
}

// cardWorker is the script that starts cards without a network. Which card it may
// see, the page says that registers it; its address names none.
func (s *server) cardWorker(c *fiber.Ctx) error {
	var b bytes.Buffer
	if err := s.Pages.CardWorker(&b); err != nil {
		return err
	}
	c.Set("Service-Worker-Allowed", "/c/")
	return sendCached(c, b.Bytes(), "text/javascript; charset=utf-8", 0)
}
