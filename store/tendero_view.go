package store

import (
	"context"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// TenderoLine is a tendero as an admin sees one in a list: of the phone, the last
// digits.
type TenderoLine struct {
	ID        loyalty.ID `db:"id"`
	Person    loyalty.ID `db:"person_id"`
	Name      string     `db:"name"`
	Digits    string     `db:"digits"` // four; "" when the person was erased
	Active    bool       `db:"active"`
	Shop      loyalty.ID `db:"shop_id"`
	ShopName  string     `db:"shop"`
	ShopCode  string     `db:"shop_code"`
	City      string     `db:"city"`
	Zone      string     `db:"zone"`
	Wrote     *time.Time `db:"wrote_at"` // last; nil: never
	OptedOut  *time.Time `db:"opted_out_at"`
	InvitedAt *time.Time `db:"invited_at"` // last
	InvitedBy string     `db:"invited_by"` // bot, hand
}

const tenderoLines = `
	SELECT t.id, t.person_id, coalesce(p.name, '') AS name,
	  coalesce((SELECT right(a.address, 4) FROM addresses a WHERE a.person_id = t.person_id AND a.kind = 'phone' ORDER BY a.created_at LIMIT 1), '') AS digits,
	  t.active, t.shop_id, s.name AS shop, s.code AS shop_code, s.city, s.time_zone AS zone, p.last_wrote_at AS wrote_at, p.opted_out_at,
	  t.invited_at, t.invited_by
	FROM tenderos t JOIN persons p ON p.id = t.person_id JOIN shops s ON s.id = t.shop_id`

// TenderoSearch narrows a list; what is zero asks for nothing. Text is a shop's
// code, words of its name, or the last digits of a phone, four at least.
type TenderoSearch struct {
	Text   string
	Shop   loyalty.ID
	Active *bool
}

// TenderoLines lists tenderos, the newest first (admin).
func (tx *Tx) TenderoLines(ctx context.Context, scope loyalty.Scope, f TenderoSearch, p Page) ([]TenderoLine, loyalty.ID, error) {
	if err := adminOnly(scope); err != nil {
		return nil, "", err
	}
	var code, digits string
	var words []string
	if found, kind := loyalty.ParseCode(f.Text); kind == loyalty.ShopCode {
		code = found
	} else if onlyDigits := strings.NewReplacer(" ", "", "-", "", "+", "").Replace(f.Text); len(onlyDigits) >= leastDigits && strings.Trim(onlyDigits, "0123456789") == "" {
		digits = onlyDigits[max(0, len(onlyDigits)-10):]
	} else {
		words = strings.Fields(loyalty.SearchName(f.Text))
	}
	return listDown(ctx, tx, p, func(v TenderoLine) loyalty.ID { return v.ID }, tenderoLines+`
		WHERE ($1::uuid IS NULL OR t.shop_id = $1) AND ($2::boolean IS NULL OR t.active = $2) AND ($3 = '' OR s.code = $3)
		AND ($4 = '' OR t.person_id IN (SELECT a.person_id FROM addresses a WHERE a.kind = 'phone' AND right(a.address, 4) = right($4, 4) AND right(a.address, length($4)) = $4))
		AND `+strings.ReplaceAll(strings.ReplaceAll(shopWords, "$1", "$5"), "search_name", "s.search_name")+`
		AND t.id < $6 ORDER BY t.id DESC LIMIT $7`, optional(f.Shop), f.Active, code, digits, words)
}

// InviteTendero invites a tendero (admin): by a message of the bot, by day, where
// the person ever wrote to it and did not opt out; else byBot is false, and an
// admin sends the invitation by hand (law 8). The bot invites once a day at most.
func (tx *Tx) InviteTendero(ctx context.Context, scope loyalty.Scope, id loyalty.ID, botWorks bool) (v TenderoLine, byBot bool, err error) {
	if err := adminOnly(scope); err != nil {
		return TenderoLine{}, false, err
	}
	v, err = fetch[TenderoLine](ctx, tx, errNoTendero(), tenderoLines+` WHERE t.id = $1 FOR UPDATE OF t`, id)
	switch {
	case err != nil:
		return v, false, err
	case !v.Active:
		return v, false, conflict("Ese tendero está desactivado: reactívalo primero.")
	case v.Digits == "":
		return v, false, conflict("Esa persona borró sus datos: ya no hay a quién invitar.")
	}
	cause := "invite:" + string(id) + ":" + tx.now.In(loyalty.Zone(v.Zone)).Format(time.DateOnly)
	if botWorks && v.Wrote != nil && v.OptedOut == nil {
		_, err = tx.Notify(ctx, Notice{
			Person: v.Person, Lane: LaneService, Template: "invite.tendero", Vars: map[string]string{"name": v.Name, "shop": v.ShopName}, Cause: cause, Zone: v.Zone,
		})
		byBot = true
	}
	how := "hand"
	if byBot {
		how = "bot"
	}
	tx.later(`UPDATE tenderos SET invited_at = $2, invited_by = $3 WHERE id = $1`, id, tx.now, how)
	tx.audit(scope, InvitedTo, "tendero", id, v.ShopName, difference("invited_by", nil, how))
	return v, byBot, err
}
