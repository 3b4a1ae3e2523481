package api

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// leastPacked is the size from which packing an answer saves a packet.
const leastPacked = 1 << 10

// pagePacking is brotli's level for what is made anew each time: smaller than
// gzip's best, and as quick as its middle.
const pagePacking = 4

// pack sends pages, JSON and tables packed to whoever accepts that.
//
// Lengths of packed answers can tell a secret in a page, one guess after another,
// to who writes the guesses into the page and sees the lengths pass (BREACH). Ours
// have no token that guards forms: where a form comes from does. And who is let in
// by a cookie gets pages unpacked when another site opened them, so that nobody
// outside can make the guesses.
func (s *server) pack(c *fiber.Ctx) error {
	if err := c.Next(); err != nil {
		return err
	}
	res := c.Response()
	if res.IsBodyStream() || len(res.Header.ContentEncoding()) > 0 || len(res.Body()) < leastPacked || !packable(string(res.Header.ContentType())) {
		return nil
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	if len(c.Request().Header.Peek(fiber.HeaderCookie)) > 0 && slices.Contains([]string{"cross-site", "same-site"}, c.Get("Sec-Fetch-Site")) {
		return nil
	}
	switch {
	case accepts(c, "br"):
		res.SetBodyRaw(fasthttp.AppendBrotliBytesLevel(nil, res.Body(), pagePacking))
		c.Set(fiber.HeaderContentEncoding, "br")
	case accepts(c, "gzip"):
		res.SetBodyRaw(fasthttp.AppendGzipBytesLevel(nil, res.Body(), fasthttp.CompressDefaultCompression))
		c.Set(fiber.HeaderContentEncoding, "gzip")
	default:
		return nil
	}
	if tag := string(res.Header.Peek(fiber.HeaderETag)); strings.HasPrefix(tag, `"`) {
		c.Set(fiber.HeaderETag, "W/"+tag) // the same words, not the same bytes
	}
	return nil
}

func packable(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	switch kind {
	case "text/html", "text/csv", "text/javascript", "image/svg+xml":
		return true
	}
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// accepts says whether the client takes answers in a content coding.
func accepts(c *fiber.Ctx, coding string) bool {
	for part := range strings.SplitSeq(c.Get(fiber.HeaderAcceptEncoding), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.TrimSpace(name) != coding {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
		return err != nil || q > 0
	}
	return false
}
