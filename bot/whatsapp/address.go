package whatsapp

import (
	"context"
	"errors"
	"fmt"

	"go.mau.fi/whatsmeow/types"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Everything that reads or writes a JID is here. A person is the same person
// under a phone number and under a LID, which hides it; either may write alone.

// lidMap knows which LID is which phone number, as far as this device has seen.
type lidMap interface {
	GetPNForLID(ctx context.Context, lid types.JID) (types.JID, error)
	GetLIDForPN(ctx context.Context, pn types.JID) (types.JID, error)
}

// errNoPerson is the sender of something that no person wrote.
var errNoPerson = errors.New("not a chat with a person")

// senderOf says who wrote, by all addresses that are known: those of the message,
// and what the map adds. A phone may be unknown; then the LID is who it is.
func senderOf(ctx context.Context, src types.MessageSource, known lidMap) (store.Sender, error) {
	if !isPerson(src.Chat) {
		return store.Sender{}, errNoPerson
	}
	s := store.Sender{Wire: src.Chat.ToNonAD().String()}
	var pn, lid types.JID
	for _, j := range []types.JID{src.Sender, src.SenderAlt, src.Chat} {
		switch j = j.ToNonAD(); {
		case j.Server == types.DefaultUserServer && pn.IsEmpty():
			pn = j
		case j.Server == types.HiddenUserServer && lid.IsEmpty():
			lid = j
		}
	}
	var err error
	if pn.IsEmpty() && !lid.IsEmpty() {
		if pn, err = known.GetPNForLID(ctx, lid); err != nil {
			return s, fmt.Errorf("phone of a LID: %w", err)
		}
	}
	if lid.IsEmpty() && !pn.IsEmpty() {
		if lid, err = known.GetLIDForPN(ctx, pn); err != nil {
			return s, fmt.Errorf("LID of a phone: %w", err)
		}
	}
	s.Phone = phoneOf(pn)
	if !lid.IsEmpty() {
		s.LID = lid.ToNonAD().String()
	}
	if s.Phone == "" && s.LID == "" {
		return s, errNoPerson
	}
	return s, nil
}

// isPerson says whether a chat is with one person: no group, no broadcast list,
// no status, no channel, no machine of Meta's.
func isPerson(chat types.JID) bool {
	return chat.User != "" && (chat.Server == types.DefaultUserServer || chat.Server == types.HiddenUserServer) &&
		!chat.IsBot() && chat.User != types.PSAJID.User && chat.User != types.ServerJID.User
}

// phoneOf reads the phone of a JID; "" for one that has none. +52 and +521 are
// the same phone, and come out as +52.
func phoneOf(j types.JID) loyalty.Phone {
	if j.Server != types.DefaultUserServer {
		return ""
	}
	p, err := loyalty.ParsePhone("+" + j.User)
	if err != nil {
		return ""
	}
	return p
}

// chatOf reads the chat that a message goes to, in the form in which it wrote.
func chatOf(wire string) (types.JID, error) {
	j, err := types.ParseJID(wire)
	if err != nil || !isPerson(j) {
		return types.EmptyJID, errNoPerson
	}
	return j.ToNonAD(), nil
}

// deviceOf reads the JID of a linked device, as a number keeps it.
func deviceOf(jid string) (types.JID, error) {
	j, err := types.ParseJID(jid)
	if err != nil || j.User == "" {
		return types.EmptyJID, fmt.Errorf("not the JID of a device")
	}
	return j, nil
}
