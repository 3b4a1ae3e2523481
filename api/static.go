package api

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// static serves styles and scripts. Their names change with their content, so
// that they may be kept forever.
func (s *server) static(c *fiber.Ctx) error {
	name := c.Params("name")
	body, kind, ok := s.Pages.Static(name)
	if !ok {
		return fiber.ErrNotFound
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderContentType, kind)
	if strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip") {
		if packed, _, ok := s.Pages.StaticGzip(name); ok {
			c.Set(fiber.HeaderContentEncoding, "gzip")
			return c.Send(packed)
		}
	}
	return c.Send(body)
}
