package bot

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// action carries out what a flow asks for. It reads args, which may be missing
// or empty, and answers with one of the outcomes that flows.Actions declares.
// An error takes the whole turn back.
type action func(ctx context.Context, t *turn, args vars) (flows.Outcome, error)

// turn is what actions work on: one message, in its transaction.
type turn struct {
	tx       *store.Tx
	now      time.Time
	person   store.Person
	tendero  bool
	message  store.Message
	products map[string]string // names by GTIN
	url      string            // what links begin with
}

// vars are the variables of a flow.
type vars = map[string]string

// actions ties the names of flows.Actions to what they do; a test walks both.
func actions() map[string]action {
	return map[string]action{
		"resolve_shop":         resolveShop,
		"names_shop":           namesShop,
		"choose_shop":          chooseShop,
		"create_card":          createCard,
		"load_profile":         loadProfile,
		"save_name":            saveName,
		"save_birthday":        saveBirthday,
		"load_balance":         loadBalance,
		"load_history":         loadHistory,
		"show_card":            showCard,
		"issue_evidence_code":  issueEvidenceCode,
		"list_rewards":         listRewards,
		"request_redemption":   requestRedemption,
		"cancel_redemption":    cancelRedemption,
		"confirm_pending":      confirmPending,
		"deny_pending":         denyPending,
		"list_campaigns":       listCampaigns,
		"opt_out":              optOut,
		"opt_in":               optIn,
		"erase_me":             eraseMe,
		"report_missing_stamp": reportMissingStamp,
		"request_human":        requestHuman,
		"resolve_own_shop":     resolveOwnShop,
		"find_code":            findCode,
		"resolve_items":        resolveItems,
		"choose_product":       chooseProduct,
		"record_evidence":      recordEvidence,
		"shop_report":          shopReport,
		"request_reorder":      requestReorder,
		"send_shop_qr":         sendShopQR,
		"scan_link":            scanLink,
		"deliver_redemption":   deliverRedemption,
	}
}

// when is an outcome; pairs are variables and their values.
func when(outcome string, pairs ...string) (flows.Outcome, error) {
	o := flows.Outcome{Name: outcome, Vars: make(vars, len(pairs)/2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Vars[pairs[i]] = pairs[i+1]
	}
	return o, nil
}

// try runs fn so that its failure takes back only what fn did. A failure with a
// meaning is given as its code, for an outcome to be made of it; any other is
// an error.
func (t *turn) try(ctx context.Context, fn func(*store.Tx) error) (loyalty.Code, error) {
	return meaning(t.tx.Savepoint(ctx, fn))
}

// meaning tells a failure that a person can be told from one that is ours.
func meaning(err error) (loyalty.Code, error) {
	var e *loyalty.Error
	if err == nil || !errors.As(err, &e) || e.Kind == loyalty.KindInternal || e.Kind == loyalty.KindUnavailable {
		return "", err
	}
	return e.Code, nil
}

// chosen is the row at place choice of the list choices.
func chosen(args vars) (flows.Row, bool) {
	rows := flows.DecodeList(args[flows.VarChoices])
	n, err := strconv.Atoi(args[flows.VarChoice])
	if err != nil || n < 1 || n > len(rows) {
		return nil, false
	}
	return rows[n-1], true
}

// wallet is the writer's wallet; ok is false for who has no card.
func (t *turn) wallet(ctx context.Context) (w store.Wallet, ok bool, err error) {
	w, err = t.tx.Wallet(ctx, t.person.ID)
	if loyalty.CodeOf(err) == loyalty.CodeCardNotFound {
		return w, false, nil
	}
	return w, err == nil, err
}

// zone is the time zone in which a consumer is told times.
func zone(w store.Wallet) string {
	for _, c := range w.Cards {
		if c.TimeZone != "" {
			return c.TimeZone
		}
	}
	return loyalty.DefaultTimeZone
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// yes is how a list says that something is so.
func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
