package cloud

import (
	"regexp"
	"strings"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// How Meta names people: by phone, as digits without a plus (Mexican mobiles
// with or without the 1 after the 52), and by an ID that only this business
// knows, which is all that there is of somebody who hides their phone.
var (
	waID   = regexp.MustCompile(`^[0-9]{8,15}$`)
	scoped = regexp.MustCompile(`^[A-Z]{2}\.[A-Za-z0-9.]{1,140}$`)
)

// sender is who wrote a message; ok is false where nothing says it.
func sender(h head, contacts []contact) (s store.Sender, ok bool) {
	id := h.UserID
	for _, c := range contacts {
		if id == "" && (c.WaID == h.From || h.From == "" && len(contacts) == 1) {
			id = c.UserID
		}
	}
	if scoped.MatchString(id) {
		s.Other, s.Wire = id, id
	}
	if phone, err := loyalty.ParsePhone("+" + h.From); err == nil && waID.MatchString(h.From) {
		// Answered to as it came: for Meta 521… and 52… are not always the same.
		s.Phone, s.Wire = phone, h.From
	}
	return s, s.Wire != ""
}

// recipient is how a chat is named in a request; ok is false for a chat that
// this API does not know, such as one of a linked device.
func recipient(chat string) (to, scopedID string, ok bool) {
	if scoped.MatchString(chat) {
		return "", chat, true
	}
	// What a linked device noted before: 5215512345678@s.whatsapp.net.
	digits := strings.TrimPrefix(strings.TrimSuffix(chat, "@s.whatsapp.net"), "+")
	return digits, "", waID.MatchString(digits)
}
