package cloud_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/cloud/graphtest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// received counts the parts of notifications that were called so.
func (w *world) received(what string) int {
	w.T.Helper()
	families, err := w.Registry.Gather()
	require.NoError(w.T, err)
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == "qoa_cloud_received_total" && m.Label[0].GetValue() == what {
				return int(m.Counter.GetValue())
			}
		}
	}
	return 0
}

func TestTheChallengeIsAnsweredToWhoKnowsTheToken(t *testing.T) {
	w := closed(t)
	require.NoError(t, w.Meta.Subscribe(w.door.URL))
	for _, q := range [][2]string{{"subscribe", "guessed"}, {"unsubscribe", graphtest.VerifyToken}, {"", ""}} {
		_, ok := w.Cloud.Challenge(q[0], q[1], "42")
		assert.False(t, ok, q)
	}
}

// P33: the signature is over the bytes as they came, whatever they look like.
func TestPitfall33_OnlyWhatMetaSignedIsTakenIn(t *testing.T) {
	w := open(t)
	body := w.Meta.Envelope(map[string]any{"messages": []any{map[string]any{
		"id": "wamid.A", "from": "5215512345678", "timestamp": "1772732531", "type": "text", "text": map[string]any{"body": "hola"},
	}}})
	pretty, err := json.MarshalIndent(json.RawMessage(body), "", "\t")
	require.NoError(t, err)
	for name, signature := range map[string]string{
		"none": "", "of other bytes": graphtest.Sign(body), "no hex": "sha256=zz", "of another kind": strings.Replace(graphtest.Sign(pretty), "sha256=", "sha1=", 1),
		"half": graphtest.Sign(pretty)[:30],
	} {
		err := w.Cloud.Notify(t.Context(), pretty, signature)
		assert.Equal(t, loyalty.CodeUnauthorized, loyalty.CodeOf(err), name)
	}
	assert.Zero(t, w.Count(`SELECT count(*) FROM inbox`))
	require.NoError(t, w.Cloud.Notify(t.Context(), pretty, graphtest.Sign(pretty)))
	assert.Equal(t, 1, w.Count(`SELECT count(*) FROM inbox`))
}

// What is stored of each kind of message that the API knows.
func TestEveryKindHasItsPlaceInTheInbox(t *testing.T) {
	w := open(t)
	ana := w.ana()
	type parts = map[string]any
	file := func(caption string) parts {
		return parts{"id": "2001", "mime_type": "image/jpeg", "sha256": "x", "caption": caption}
	}
	for _, c := range []struct {
		name, kind string
		parts      parts
		want, text string
	}{
		{"text", "text", parts{"text": parts{"body": "hola"}}, "text", "hola"},
		{"image", "image", parts{"image": file("mi ticket")}, "image", "mi ticket"},
		{"image without a file", "image", parts{"image": parts{}}, "image", ""},
		{"audio", "audio", parts{"audio": parts{"id": "2002", "mime_type": "audio/ogg; codecs=opus", "voice": true}}, "audio", ""},
		{"video", "video", parts{"video": file("mira")}, "video", "mira"},
		{"sticker", "sticker", parts{"sticker": parts{"id": "2003", "mime_type": "image/webp", "animated": false}}, "sticker", ""},
		{"document", "document", parts{"document": file("factura")}, "document", "factura"},
		{"location", "location", parts{"location": parts{"latitude": 19.43, "longitude": -99.13}}, "location", ""},
		{"contacts", "contacts", parts{"contacts": []any{parts{"name": parts{"formatted_name": "Luis"}}}}, "contact", ""},
		{"button of a template", "button", parts{"button": parts{"text": "PEDIR", "payload": "x"}}, "text", "PEDIR"},
		{"reply by a button", "interactive", parts{"interactive": parts{"type": "button_reply", "button_reply": parts{"id": "1", "title": "Sí"}}}, "text", "Sí"},
		{"reply from a list", "interactive", parts{"interactive": parts{"type": "list_reply", "list_reply": parts{"id": "1", "title": "Lupita"}}}, "text", "Lupita"},
		{"a form", "interactive", parts{"interactive": parts{"type": "nfm_reply", "nfm_reply": parts{"response_json": "{}"}}}, "unsupported", ""},
		{"reaction", "reaction", parts{"reaction": parts{"message_id": "wamid.X", "emoji": "❤️"}}, "reaction", "❤️"},
		{"deletion", "revoke", parts{"revoke": parts{"original_message_id": "wamid.X"}}, "delete", ""},
		{"order", "order", parts{"order": parts{"catalog_id": "1"}}, "unsupported", ""},
		{"something new", "hologram", parts{"hologram": parts{}}, "unsupported", ""},
		{"no type at all", "", nil, "unsupported", ""},
		{"a text that is none", "text", parts{"text": "hola"}, "unsupported", ""},
		{"poll", "unsupported", parts{"unsupported": parts{"type": "poll_creation"}, "errors": []any{parts{"code": 131051}}}, "poll", ""},
		{"vote", "unsupported", parts{"unsupported": parts{"type": "poll_update"}, "errors": []any{parts{"code": 131051}}}, "poll_vote", ""},
		{"unsupported", "unsupported", parts{"errors": []any{parts{"code": 131051}}}, "unsupported", ""},
		{"unreadable for Meta", "unsupported", parts{"errors": []any{parts{"code": 131060}}}, "undecryptable", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := ana.Sends("", c.kind, c.parts)
			w.settled()
			var kind, text string
			w.Scan(`SELECT kind, text FROM inbox WHERE channel = 'cloud' AND message_id = $1`, []any{id}, &kind, &text)
			assert.Equal(t, []string{c.want, c.text}, []string{kind, text})
		})
	}
	assert.Equal(t, 1, w.Count(`SELECT count(DISTINCT person_id) FROM inbox`))
	assert.Equal(t, w.Clock.Now().Unix(), int64(w.Count(`SELECT extract(epoch FROM max(sent_at))::bigint FROM inbox`)))
}

func TestAnEditChangesWhatWaits(t *testing.T) {
	w := open(t)
	first := w.ana().Writes("mi salod")
	w.ana().Sends("", "edit", map[string]any{"edit": map[string]any{
		"original_message_id": first, "message": map[string]any{"type": "text", "text": map[string]any{"body": "mi saldo"}},
	}})
	w.settled()
	var text string
	w.Scan(`SELECT string_agg(text, '|') FROM inbox WHERE status = 'pending'`, nil, &text)
	assert.Equal(t, "mi saldo", text)
}

// P25: the phone in both spellings, with and without the ID that only this
// business knows, and that ID alone, are one person, answered where they wrote.
func TestPitfall25_OnePersonWhateverMetaCallsThem(t *testing.T) {
	w := open(t)
	const id = "MX.13491208655302741918"
	old, renewed, hidden := w.Meta.Person("5215512345678", ""), w.Meta.Person("525512345678", id), w.Meta.Person("", "MX.99")
	old.Writes("con el 1")
	w.settled()
	renewed.Writes("sin el 1")
	w.settled()
	// Now she hides her phone: only the ID comes.
	w.Meta.Notify(map[string]any{"messages": []any{map[string]any{
		"from_user_id": id, "id": w.Meta.NewID(), "timestamp": "1772732531", "type": "text", "text": map[string]any{"body": "oculta"},
	}}})
	hidden.Writes("soy otra")
	w.settled()
	ana := w.person(anaPhone)
	assert.Equal(t, 3, w.Count(`SELECT count(*) FROM inbox WHERE person_id = $1`, ana))
	assert.Equal(t, 1, w.Count(`SELECT count(*) FROM inbox WHERE person_id <> $1`, ana))

	var chats []string
	for range 3 {
		m := w.reply(ana, store.Reply{Body: "¡Hola!"})
		require.NoError(t, w.Cloud.Send(t.Context(), m))
		w.Do(func(tx *store.Tx) error { return tx.Sent(t.Context(), m.ID, m.Body) })
		chats = append(chats, m.Chat)
	}
	assert.Equal(t, "MX.13491208655302741918", chats[2])
	assert.Equal(t, 3, len(old.Received())+len(renewed.Received()), "%v", chats)
}

// P32 and law 2: two equal messages are two, and the same one twice is one.
func TestPitfall26_TheSameMessageTwiceIsOne(t *testing.T) {
	w := open(t)
	id := w.ana().Writes("hola")
	w.ana().Sends(id, "text", map[string]any{"text": map[string]any{"body": "hola"}})
	w.ana().Writes("hola")
	w.settled()
	assert.Equal(t, 2, w.Count(`SELECT count(*) FROM inbox`))
}

// Law 3: nothing is acknowledged that is not persisted, and what was not is not
// lost.
func TestWhatIsNotPersistedIsNotAcknowledged(t *testing.T) {
	w := open(t)
	w.Sink.mu.Lock()
	w.Sink.fails = 3
	w.Sink.mu.Unlock()
	contacts := []any{map[string]any{"wa_id": "5215512345678"}}
	message := func(text string) map[string]any {
		return map[string]any{"from": "5215512345678", "id": w.Meta.NewID(), "timestamp": "1772732531", "type": "text", "text": map[string]any{"body": text}}
	}
	w.Meta.Notify(map[string]any{"contacts": contacts, "messages": []any{message("uno"), message("dos"), message("tres")}})
	w.settled()
	posts := w.Meta.Posts()
	require.Len(t, posts, 4, "three times refused")
	for i, p := range posts {
		want := http.StatusInternalServerError
		if i == 3 {
			want = http.StatusOK
		}
		assert.Equal(t, want, p.Status)
	}
	var all string
	w.Scan(`SELECT string_agg(text, ' ' ORDER BY seq) FROM inbox`, nil, &all)
	assert.Equal(t, "uno dos tres", all, "once each, in order")
	assert.Equal(t, 3, w.received("not_persisted"))
}

// A body may hold several entries, changes, messages and statuses; what is not
// understood costs nothing but itself.
func TestWhatIsNotUnderstoodCostsNothingElse(t *testing.T) {
	w := open(t)
	good := func(id string) string {
		return `{"from":"5215512345678","id":"` + id + `","timestamp":"1772732531","type":"text","text":{"body":"` + id + `"}}`
	}
	meta := `"metadata":{"phone_number_id":"` + graphtest.PhoneID + `"}`
	w.Meta.NotifyRaw([]byte(`{"object":"whatsapp_business_account","entry":[
		{"id":"1","changes":[
			{"field":"account_update","value":{"event":"VERIFIED_ACCOUNT"}},
			{"field":"messages","value":{` + meta + `,"messages":[
				null, 7, {"id":""}, {"from":"x","id":"wamid.nobody","type":"text"}, {"type":"text","id":{"deep":1}},
				{"from":"5215512345678","group_id":"g","id":"wamid.group","type":"text","text":{"body":"x"}},
				{"from":"5215512345678","id":"wamid.system","type":"system","system":{"type":"user_changed_number"}},
				{"from":"5215512345678","id":"wamid.welcome","type":"request_welcome"},
				` + good("uno") + `],
			 "statuses":[null, {"id":"wamid.strange","status":"delivered"}, {"status":"read"}],
			 "errors":[{"code":131000}], "contacts":[3, "x"]}},
			{"field":"messages","value":[]},
			{"field":"messages","value":{"metadata":{"phone_number_id":"another"},"messages":[` + good("ajeno") + `]}}]},
		{"id":"2","changes":[{"field":"messages","value":{` + meta + `,"messages":[` + good("dos") + `,` + good("tres") + `]}}]}]}`))
	w.settled()
	var all string
	w.Scan(`SELECT string_agg(text, ' ' ORDER BY seq) FROM inbox`, nil, &all)
	assert.Equal(t, "uno dos tres", all)
	for what, n := range map[string]int{
		"text": 3, "malformed": 7, "nobody": 1, "group": 1, "system": 1, "welcome": 1, "other_field": 1, "other_number": 1, "error": 1, "status_of_unknown": 1,
	} {
		assert.Equal(t, n, w.received(what), what)
	}
	assert.NotContains(t, w.Log.String(), "5512345678", "no phone in the log")
}

func TestABodyThatIsNoNotificationIsRefused(t *testing.T) {
	w := open(t)
	for _, body := range []string{"", "{", `[]`, `"x"`, `{"entry":{}}`, `{"entry":[{"changes":7}]}`, "\x00\xff"} {
		err := w.Cloud.Notify(t.Context(), []byte(body), graphtest.Sign([]byte(body)))
		assert.Equal(t, loyalty.CodeMalformed, loyalty.CodeOf(err), body)
	}
	for _, body := range []string{"null", "{}", `{"entry":[]}`, `{"entry":[{}]}`, `{"entry":[{"changes":[{}]}]}`} {
		assert.NoError(t, w.Cloud.Notify(t.Context(), []byte(body), graphtest.Sign([]byte(body))), body)
	}
}

// A channel that is stopped takes nothing in, so that Meta sends it again.
func TestAStoppedChannelAcknowledgesNothing(t *testing.T) {
	w := closed(t)
	body := w.Meta.Envelope(nil)
	err := w.Cloud.Notify(t.Context(), body, graphtest.Sign(body))
	assert.Equal(t, loyalty.CodeUnavailable, loyalty.CodeOf(err))
	w.start()
	require.NoError(t, w.Cloud.Notify(t.Context(), body, graphtest.Sign(body)))
	require.NoError(t, w.Cloud.Stop(t.Context()))
	require.Error(t, w.Cloud.Notify(t.Context(), body, graphtest.Sign(body)))
	require.NoError(t, w.Cloud.Stop(t.Context()), "twice is no harm")
}

// Files are fetched after the message was acknowledged, and kept where they are
// of a kind and size that is.
func TestFilesAreFetched(t *testing.T) {
	w := open(t)
	picture := w.Meta.AddMedia(graphtest.File{Mime: "image/png", Content: []byte("\x89PNG\r\n\x1a\n0000IHDR")})
	huge := w.Meta.AddMedia(graphtest.File{Mime: "image/png", Content: make([]byte, store.MaxMediaSize+1)})
	for _, id := range []string{picture, huge, "404"} {
		w.ana().Sends("", "image", map[string]any{"image": map[string]any{"id": id, "mime_type": "image/png", "caption": "ticket"}})
	}
	w.settled()
	require.Eventually(t, func() bool { return w.Count(`SELECT count(*) FROM media WHERE status <> 'waiting'`) == 3 }, 10*time.Second, 10*time.Millisecond)
	var all string
	w.Scan(`SELECT string_agg(m.status || ' ' || m.mime || ' ' || m.problem, '; ' ORDER BY i.seq) FROM media m JOIN inbox i ON i.id = m.inbox_id`, nil, &all)
	assert.Equal(t, "stored image/png ; refused image/png too big; refused image/png meta 100", all)
}
