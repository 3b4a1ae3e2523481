package cloud_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/cloud/graphtest"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// damage puts something strange in one place of a document.
func damage(r *rand.Rand, v any) any {
	strange := []any{
		nil, true, -1, 1.5e300, "", "\x00", "\ufffd\u202e", strings.Repeat("ñ", 40_000), []any{}, map[string]any{}, map[string]any{"id": nil}, []any{map[string]any{"": 0}},
		"9999999999999", "5215512345678", "MX.1", "wamid.X", "3EB0AAAAAAAAAAAAAAAAAA", "delivered", "failed", "text",
	}
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		if len(keys) > 0 && r.IntN(40) > 0 {
			k := keys[r.IntN(len(keys))]
			v[k] = damage(r, v[k])
			return v
		}
	case []any:
		if len(v) > 0 && r.IntN(40) > 0 {
			i := r.IntN(len(v))
			v[i] = damage(r, v[i])
			return v
		}
	}
	return strange[r.IntN(len(strange))]
}

// TestPitfall44_NoNotificationIsTooMuchForTheStore: whatever comes signed is taken
// in, or refused as malformed; an error of any other kind would make Meta send it
// for days.
func TestPitfall44_NoNotificationIsTooMuchForTheStore(t *testing.T) {
	w := open(t)
	type m = map[string]any
	about := m{"from": "5215512345678", "from_user_id": "MX.1", "id": "wamid.A", "timestamp": "1772732531"}
	message := func(kind string, part any) any {
		all := m{"type": kind, kind: part}
		for k, v := range about {
			all[k] = v
		}
		return all
	}
	seed := w.Meta.Envelope(m{
		"contacts": []any{m{"wa_id": "5215512345678", "user_id": "MX.1"}},
		"messages": []any{
			message("text", m{"body": "hola"}), message("image", m{"id": "1", "mime_type": "image/png", "caption": "x"}),
			message("edit", m{"original_message_id": "wamid.A", "message": m{"text": m{"body": "x"}}}), message("revoke", m{"original_message_id": "wamid.A"}),
			message("reaction", m{"message_id": "wamid.A", "emoji": "x"}), message("unsupported", m{"type": "poll_update"}),
		},
		"statuses": []any{
			m{"id": "wamid.S", "status": "delivered", "timestamp": "1772732531", "biz_opaque_callback_data": "3EB0AAAAAAAAAAAAAAAAAA"},
			m{"id": "wamid.S", "status": "failed", "errors": []any{m{"code": 131026}}},
		},
	})
	rounds := 300
	if os.Getenv("QOA_SOAK") != "" {
		rounds = 20_000
	}
	r := rand.New(rand.NewPCG(4, 4)) //nolint:gosec // repeatable on purpose
	taken := 0
	for range rounds {
		var doc any
		require.NoError(t, json.Unmarshal(seed, &doc))
		for range 1 + r.IntN(4) {
			doc = damage(r, doc)
		}
		body, err := json.Marshal(doc)
		require.NoError(t, err)
		if r.IntN(20) == 0 {
			body = body[:r.IntN(len(body)+1)] // cut off on the way
		}
		err = w.Cloud.Notify(t.Context(), body, graphtest.Sign(body))
		var known *loyalty.Error
		if err != nil && !(errors.As(err, &known) && known.Code == loyalty.CodeMalformed) {
			t.Fatalf("%v\n%.2000s", err, body)
		}
		if err == nil {
			taken++
		}
	}
	require.Greater(t, taken, rounds/3, "the damage must leave enough to be worth something")
	require.Positive(t, w.Count(`SELECT count(*) FROM inbox`))
}
