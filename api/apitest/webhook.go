package apitest

import (
	"context"
	"sync"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// What a World's Meta knows.
const (
	VerifyToken = "un-token-de-verificación"
	Signature   = "sha256=una-firma"
)

// Meta is a channel that notes what was posted to it.
type Meta struct {
	mu     sync.Mutex
	Bodies []string
	Fails  error // what the next notification comes to
}

// Challenge implements api.Webhook.
func (m *Meta) Challenge(mode, token, challenge string) (string, bool) {
	return challenge, mode == "subscribe" && token == VerifyToken
}

// Notify implements api.Webhook.
func (m *Meta) Notify(_ context.Context, body []byte, signature string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if signature != Signature {
		return loyalty.Fail(loyalty.KindUnauthorized, loyalty.CodeUnauthorized, "La firma no corresponde.")
	}
	if m.Fails != nil {
		return m.Fails
	}
	m.Bodies = append(m.Bodies, string(body))
	return nil
}
