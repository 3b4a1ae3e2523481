package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/templates"
)

// waURL opens WhatsApp with the bot's chat and a text to send.
func (s *server) waURL(text string) string { return waURL(s.botNumber(), text) }

func waURL(number, text string) string {
	return "https://wa.me/" + digits(number) + "?text=" + queryText20(text)
}

func (s *server) botNumber() string {
	if s.BotNumber == nil {
		return ""
	}
	return s.BotNumber()
}

// chatURL is the way from a page to the chat: WhatsApp, the simulated phone where
// that is the channel, or a page that says that there is none at the moment.
func (s *server) chatURL(text string) string {
	if s.Sim {
		return "/sim?text=" + queryText20(text)
	}
	number := s.botNumber()
	if number == "" {
		return pausedURL
	}
	return waURL(number, text)
}

// pausedURL is where one lands who would write while no number is connected.
const pausedURL = "/pausa"

func (s *server) paused(c *fiber.Ctx) error {
	c.Set(fiber.HeaderRetryAfter, "60")
	return s.notice(c, http.StatusServiceUnavailable, templates.NoWhatsApp())
}

// numberWait bounds the question for the current number, which pages ask by the way.
const numberWait = 2 * time.Second

// sharedNumber is the number to write to where no shop is known.
func (s *server) sharedNumber() string {
	ctx, cancel := context.WithTimeout(context.Background(), numberWait)
	defer cancel()
	phone := ""
	err := s.DB.InTx(ctx, func(t *store.Tx) (err error) {
		phone, err = t.CurrentNumber(ctx, "")
		return err
	})
	if err != nil {
		s.Log.WarnContext(ctx, "no number to write to could be found", "error", err)
	}
	return phone
}

// queryText20 escapes text for a query with %20 for spaces: some phones show
// the plus signs of form encoding as they are.
func queryText20(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}
