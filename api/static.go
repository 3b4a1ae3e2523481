package api

import "github.com/gofiber/fiber/v2"

// static serves styles and scripts. Their names change with their content, so
// that they may be kept forever.
func (s *server) static(c *fiber.Ctx) error {
	name := c.Params("name")
	_, kind, ok := s.Pages.Static(name)
	if !ok {
		return fiber.ErrNotFound
	}
	body, coding := s.Pages.StaticPacked(name, func(coding string) bool { return accepts(c, coding) })
	c.Vary(fiber.HeaderAcceptEncoding)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Set(fiber.HeaderContentType, kind)
	if coding != "" {
		c.Set(fiber.HeaderContentEncoding, coding)
	}
	return c.Send(body)
}
