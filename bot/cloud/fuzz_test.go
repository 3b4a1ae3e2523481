package cloud

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/qoa-conectados/qoa/store"
)

// FuzzConvert holds whatever Meta might call a message to what the inbox takes.
func FuzzConvert(f *testing.F) {
	for _, seed := range []string{
		`{"from":"5215512345678","id":"wamid.A","timestamp":"1772732531","type":"text","text":{"body":"hola"}}`,
		`{"from_user_id":"MX.13491208655302741918","id":"wamid.A","timestamp":1772732531,"type":"image","image":{"id":"1","mime_type":"image/jpeg","caption":"a\u0000b"}}`,
		`{"from":"5215512345678","id":"a\u0000","timestamp":"x","type":"reaction","reaction":{"message_id":"","emoji":"👍"}}`,
		`{"from":"5215512345678","id":"wamid.A","type":"edit","edit":{"original_message_id":"wamid.B","message":{"type":"image","image":{"caption":"x"}}}}`,
		`{"from":"5215512345678","id":"wamid.A","type":"unsupported","errors":[{"code":131060}],"unsupported":{"type":"poll_update"}}`,
		`{"from":"5215512345678","id":"wamid.A","type":"interactive","interactive":{"list_reply":{"title":"\ud800"}}}`,
		`{"from":"521551234567８","id":"` + strings.Repeat("x", 200) + `","timestamp":"99999999999999999999","type":"revoke","revoke":{"original_message_id":7}}`,
		`null`, `[]`, `{`,
	} {
		f.Add([]byte(seed))
	}
	kinds := map[string]bool{
		store.KindText: true, store.KindImage: true, store.KindAudio: true, store.KindVideo: true, store.KindSticker: true, store.KindDocument: true,
		store.KindLocation: true, store.KindContact: true, store.KindPoll: true, store.KindPollVote: true, store.KindReaction: true, store.KindEdit: true,
		store.KindDelete: true, store.KindUnsupported: true, store.KindUndecryptable: true,
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, skipped := convert(raw, []contact{{WaID: "5215512345678", UserID: "MX.1"}})
		if skipped != "" {
			return
		}
		for _, id := range []string{in.MessageID, in.Of} {
			if len(id) > mostID || !utf8.ValidString(id) || strings.IndexFunc(id, func(r rune) bool { return r < ' ' }) >= 0 {
				t.Errorf("%q is no message ID", id)
			}
		}
		switch {
		case in.MessageID == "" || in.Sender.Wire == "" || in.Sender.Phone == "" && in.Sender.Other == "":
			t.Errorf("nobody can answer this: %+v", in)
		case !kinds[in.Kind] || len(in.Text) > mostText:
			t.Errorf("the inbox takes no such message: %+v", in)
		case in.SentAt.Year() > 2300:
			t.Errorf("sent at %v", in.SentAt)
		case in.Media != nil && (len(in.Media.Ref) == 0 || len(in.Media.Mime) > mostMime):
			t.Errorf("no file can be fetched by this: %+v", in.Media)
		}
		if to, id, ok := recipient(in.Sender.Wire); !ok || (to == "") == (id == "") {
			t.Errorf("%q cannot be answered to", in.Sender.Wire)
		}
	})
}
