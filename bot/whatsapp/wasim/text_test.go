package wasim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

const (
	ana  = "+5215511111111"
	beto = "+5215522222222"
)

func TestTextGoesBothWays(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)

	id := a.SendText(beto, "hola")
	got := b.Next()
	require.Equal(t, id, got.ID)
	require.Equal(t, "hola", got.Text)
	require.Equal(t, a.Account.LID(), got.Chat)
	require.Equal(t, a.Account.PN().User, got.FromAlt.User)

	id = b.SendText(got.Chat.String(), "¿qué tal?")
	got = a.Next()
	require.Equal(t, id, got.ID)
	require.Equal(t, "¿qué tal?", got.Text)
}
