package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Chat is somebody's conversation as an admin sees it: of the phone, the last
// digits.
type Chat struct {
	Person    loyalty.ID      `db:"person_id"`
	Name      string          `db:"name"`
	Card      string          `db:"card_code"` // "" for one without a card
	Digits    string          `db:"digits"`    // four; "" where no phone is known
	Shops     []string        `db:"shops"`     // that the person keeps
	Number    string          `db:"number"`    // of ours, that the person wrote to last; "" where there is none
	Zone      string          `db:"zone"`      // of the shop that the person has to do with
	OptedOut  *time.Time      `db:"opted_out_at"`
	Erased    *time.Time      `db:"erased_at"`
	LastWrote *time.Time      `db:"last_wrote_at"`
	Waiting   int             `db:"waiting"` // messages to be answered
	Parked    int             `db:"parked"`  // that were set aside
	Cases     int             `db:"cases"`   // open
	Session   json.RawMessage `db:"session"` // nil where nothing is open
}

const chatFields = `
	SELECT p.id AS person_id, coalesce(p.name, '') AS name, coalesce(c.card_code, '') AS card_code,
	  coalesce((SELECT right(a.address, 4) FROM addresses a WHERE a.person_id = p.id AND a.kind = 'phone' ORDER BY a.created_at LIMIT 1), '') AS digits,
	  ARRAY(SELECT s.name FROM tenderos t JOIN shops s ON s.id = t.shop_id WHERE t.person_id = p.id AND t.active ORDER BY s.name) AS shops,
	  coalesce((SELECT n.label FROM whatsapp_numbers n WHERE n.id = p.number_id), '') AS number,
	  coalesce((SELECT s.time_zone FROM tenderos t JOIN shops s ON s.id = t.shop_id WHERE t.person_id = p.id AND t.active ORDER BY t.id LIMIT 1),
	    (SELECT s.time_zone FROM cards k JOIN shops s ON s.id = k.shop_id WHERE k.person_id = p.id ORDER BY k.created_at DESC LIMIT 1), '') AS zone,
	  p.opted_out_at, p.erased_at, p.last_wrote_at,
	  (SELECT count(*) FROM inbox i WHERE i.person_id = p.id AND i.status = 'pending') AS waiting,
	  (SELECT count(*) FROM inbox i WHERE i.person_id = p.id AND i.status = 'parked') AS parked,
	  (SELECT count(*) FROM cases k WHERE k.person_id = p.id AND k.closed_at IS NULL) AS cases,
	  v.session
	FROM persons p LEFT JOIN consumers c ON c.person_id = p.id LEFT JOIN conversations v ON v.person_id = p.id`

// mostChats is how many a search gives.
const mostChats = 20

// leastDigits of a phone are enough to look for it: fewer would list phones.
const leastDigits = 4

// FindChats finds conversations by a card's code or by the last digits of a phone,
// four of them at least (an admin). more says that there are others.
func (tx *Tx) FindChats(ctx context.Context, scope loyalty.Scope, text string) (found []Chat, more bool, err error) {
	if err := adminOnly(scope); err != nil {
		return nil, false, err
	}
	if code, kind := loyalty.ScannedCode(text); kind == loyalty.CardCode {
		found, err = collect[Chat](ctx, tx, chatFields+`
			WHERE p.id = (SELECT coalesce(o.merged_into, o.person_id) FROM consumers o WHERE o.card_code = $1)`, code)
		if err != nil || len(found) > 0 {
			return found, false, err
		}
	}
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
	if len(digits) < leastDigits || strings.ContainsFunc(text, unicode.IsLetter) {
		return nil, false, nil
	}
	digits = digits[max(0, len(digits)-10):]
	found, err = collect[Chat](ctx, tx, chatFields+`
		WHERE p.id IN (SELECT a.person_id FROM addresses a WHERE a.kind = 'phone' AND right(a.address, 4) = right($1, 4) AND right(a.address, length($1)) = $1)
		ORDER BY p.last_wrote_at DESC NULLS LAST, p.id LIMIT $2`, digits, mostChats+1)
	if len(found) > mostChats {
		return found[:mostChats], true, err
	}
	return found, false, err
}

// ChatLine is a message of a conversation.
type ChatLine struct {
	ID        loyalty.ID        `db:"id"`
	Ours      bool              `db:"ours"`
	Kind      string            `db:"kind"`
	Text      string            `db:"text"`
	Template  string            `db:"template"` // with Vars, where there is no text
	Vars      map[string]string `db:"vars"`
	MessageID string            `db:"message_id"`
	Status    string            `db:"status"` // of ours an OutboxStatus; of theirs pending, done or parked
	Attempts  int               `db:"attempts"`
	Problem   string            `db:"problem"`
	At        time.Time         `db:"at"`
	DueAt     *time.Time        `db:"due_at"`
	Media     string            `db:"media"` // of ours what it shows; of theirs waiting, stored or refused
	Mime      string            `db:"mime"`
}

func errNoChat() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa conversación.")
}

// OpenChat gives a conversation with its latest messages, the newest first (an
// admin). That somebody looked is audited.
func (tx *Tx) OpenChat(ctx context.Context, scope loyalty.Scope, person loyalty.ID, p Page) (Chat, []ChatLine, loyalty.ID, error) {
	if err := adminOnly(scope); err != nil {
		return Chat{}, nil, "", err
	}
	chat, err := fetch[Chat](ctx, tx, errNoChat(), chatFields+` WHERE p.id = (SELECT coalesce(q.merged_into, q.id) FROM persons q WHERE q.id = $1)`, person)
	if err != nil {
		return Chat{}, nil, "", err
	}
	tx.audit(scope, Opened, "chat", chat.Person, chat.Card)
	lines, next, err := listDown(ctx, tx, p, func(l ChatLine) loyalty.ID { return l.ID }, `
		SELECT * FROM (
		  SELECT i.id, false AS ours, i.kind, i.text, '' AS template, NULL::jsonb AS vars, i.message_id, i.status, i.attempts, i.problem,
		    i.received_at AS at, NULL::timestamptz AS due_at, coalesce(m.status, '') AS media, coalesce(m.mime, '') AS mime
		  FROM inbox i LEFT JOIN media m ON m.inbox_id = i.id WHERE i.person_id = $1
		  UNION ALL
		  SELECT o.id, true, 'text', coalesce(o.body, ''), coalesce(o.template, ''), o.vars, o.message_id, o.status, o.attempts, o.problem,
		    o.created_at, o.due_at, o.media, ''
		  FROM outbox o WHERE o.person_id = $1
		) l WHERE l.id < $2 ORDER BY l.id DESC LIMIT $3`, chat.Person)
	return chat, lines, next, err
}

// CasesOf gives the open cases of a person (an admin).
func (tx *Tx) CasesOf(ctx context.Context, scope loyalty.Scope, person loyalty.ID) ([]Case, error) {
	if err := adminOnly(scope); err != nil {
		return nil, err
	}
	return collect[Case](ctx, tx, caseFields+` WHERE person_id = $1 AND closed_at IS NULL ORDER BY id`, person)
}
