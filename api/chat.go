package api

import (
	"net/url"
	"strings"
)

// waURL opens WhatsApp with the bot's chat and a text to send.
func (s *server) waURL(text string) string {
	number := ""
	if s.BotNumber != nil {
		number = s.BotNumber()
	}
	return "https://wa.me/" + digits(number) + "?text=" + queryText20(text)
}

// chatURL is the way from a page to the chat: WhatsApp, or the simulated phone
// where that is the channel.
func (s *server) chatURL(text string) string {
	if s.Sim {
		return "/sim?text=" + queryText20(text)
	}
	return s.waURL(text)
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
