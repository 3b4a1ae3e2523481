package whatsapp

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types"

	"github.com/qoa-conectados/qoa/store"
)

// mapped is a map of LIDs to phones.
type mapped map[string]string

func (m mapped) GetPNForLID(_ context.Context, lid types.JID) (types.JID, error) {
	if pn, ok := m[lid.User]; ok {
		return types.NewJID(pn, types.DefaultUserServer), nil
	}
	return types.EmptyJID, nil
}

func (m mapped) GetLIDForPN(_ context.Context, pn types.JID) (types.JID, error) {
	for l, p := range m {
		if p == pn.User {
			return types.NewJID(l, types.HiddenUserServer), nil
		}
	}
	return types.EmptyJID, nil
}

func TestSenderOf(t *testing.T) {
	pn := types.NewADJID("5215511111111", 0, 3)
	lid := types.JID{User: "777", Server: types.HiddenUserServer, Device: 3}
	for name, c := range map[string]struct {
		chat, sender, alt types.JID
		known             mapped
		want              store.Sender
		nobody            bool
	}{
		"by phone, with the LID beside": {pn.ToNonAD(), pn, lid, nil,
			store.Sender{Phone: "+525511111111", LID: "777@lid", Wire: "5215511111111@s.whatsapp.net"}, false},
		"by LID, with the phone beside": {lid.ToNonAD(), lid, pn, nil,
			store.Sender{Phone: "+525511111111", LID: "777@lid", Wire: "777@lid"}, false},
		"by LID alone, known from before": {lid.ToNonAD(), lid, types.EmptyJID, mapped{"777": "5215511111111"},
			store.Sender{Phone: "+525511111111", LID: "777@lid", Wire: "777@lid"}, false},
		"by LID alone, never seen": {lid.ToNonAD(), lid, types.EmptyJID, nil,
			store.Sender{LID: "777@lid", Wire: "777@lid"}, false},
		"by phone alone": {pn.ToNonAD(), pn, types.EmptyJID, nil,
			store.Sender{Phone: "+525511111111", Wire: "5215511111111@s.whatsapp.net"}, false},
		"from abroad": {types.NewJID("12025550123", types.DefaultUserServer), types.NewJID("12025550123", types.DefaultUserServer), types.EmptyJID, nil,
			store.Sender{Phone: "+12025550123", Wire: "12025550123@s.whatsapp.net"}, false},
		"a group":            {types.NewJID("1203", types.GroupServer), pn, types.EmptyJID, nil, store.Sender{}, true},
		"a status":           {types.StatusBroadcastJID, pn, types.EmptyJID, nil, store.Sender{}, true},
		"a channel":          {types.NewJID("1203", types.NewsletterServer), types.NewJID("1203", types.NewsletterServer), types.EmptyJID, nil, store.Sender{}, true},
		"Meta's own machine": {types.MetaAIJID, types.MetaAIJID, types.EmptyJID, nil, store.Sender{}, true},
		"WhatsApp's own":     {types.PSAJID, types.PSAJID, types.EmptyJID, nil, store.Sender{}, true},
		"nobody":             {types.EmptyJID, types.EmptyJID, types.EmptyJID, nil, store.Sender{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := senderOf(t.Context(), types.MessageSource{Chat: c.chat, Sender: c.sender, SenderAlt: c.alt}, c.known)
			if c.nobody {
				require.ErrorIs(t, err, errNoPerson)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestChatOf(t *testing.T) {
	for wire, want := range map[string]string{
		"5215511111111@s.whatsapp.net":   "5215511111111@s.whatsapp.net",
		"5215511111111:3@s.whatsapp.net": "5215511111111@s.whatsapp.net",
		"777@lid":                        "777@lid",
		"+525511111111":                  "",
		"120363@g.us":                    "",
		"status@broadcast":               "",
		"":                               "",
	} {
		j, err := chatOf(wire)
		if want == "" {
			require.Error(t, err, wire)
			continue
		}
		require.NoError(t, err, wire)
		require.Equal(t, want, j.String())
	}
}
