package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Actions of a tendero.

func resolveOwnShop(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	shops, err := t.tx.TenderoShops(ctx, t.person.ID)
	if err != nil {
		return flows.Outcome{}, err
	}
	for _, s := range shops { // the message named one of them
		if s.Code == args[flows.VarShopCode] {
			shops = []store.Shop{s}
			break
		}
	}
	switch len(shops) {
	case 0:
		return when("none")
	case 1:
		return when("one", flows.VarShopCode, shops[0].Code, flows.VarShop, shops[0].Name)
	}
	return when("several", flows.VarChoices, shopChoices(shops))
}

func findCode(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	if code := args[flows.VarRedemptionCode]; code != "" {
		return when("redemption", flows.VarRedemptionCode, code)
	}
	if code := args[flows.VarEvidenceCode]; code != "" {
		failed, err := meaning(t.tx.FindEvidence(ctx, code))
		if err != nil {
			return flows.Outcome{}, err
		}
		return when(codeOutcome(failed, "found"), flows.VarCode, code)
	}
	if code := args[flows.VarCardCode]; code != "" {
		exists, err := t.tx.CardExists(ctx, code)
		if err != nil {
			return flows.Outcome{}, err
		}
		if !exists {
			return when("unknown", flows.VarCode, code)
		}
		return when("found", flows.VarCode, code)
	}
	if code := args[flows.VarBadCode]; code != "" {
		return when("unknown", flows.VarCode, code)
	}
	return when("missing")
}

// codeOutcome is what a failure says about a code; otherwise where it says
// nothing about it.
func codeOutcome(failed loyalty.Code, otherwise string) string {
	switch failed {
	case loyalty.CodeEvidenceUsed:
		return "used"
	case loyalty.CodeEvidenceExpired:
		return "expired"
	case loyalty.CodeEvidenceUnknown, loyalty.CodeCardNotFound:
		return "unknown"
	}
	return otherwise
}

func resolveItems(_ context.Context, t *turn, args vars) (flows.Outcome, error) {
	rows := flows.DecodeList(args[flows.VarItems])
	if len(rows) == 0 {
		return when("missing")
	}
	for _, row := range rows {
		query := row["query"]
		if query == "" {
			query = row["gtin"]
		}
		if n, err := strconv.Atoi(row["quantity"]); err != nil || n < 1 || n > flows.MaxQuantity {
			return when("bad_quantity", flows.VarQuery, query)
		}
		if gtin := row["gtin"]; gtin != "" {
			name, ok := t.products[gtin]
			if !ok {
				return when("unknown", flows.VarQuery, query)
			}
			row["product"] = name
			continue
		}
		if choices := t.productChoices(row["candidates"]); len(choices) > 0 {
			return when("ambiguous", flows.VarQuery, query, flows.VarChoices, flows.EncodeList(choices))
		}
		return when("unknown", flows.VarQuery, query)
	}
	return when("ok", flows.VarItems, flows.EncodeList(rows))
}

// productChoices lists the candidates that are sold.
func (t *turn) productChoices(candidates string) []flows.Row {
	var rows []flows.Row
	for gtin := range strings.SplitSeq(candidates, ",") {
		if name, ok := t.products[gtin]; ok {
			rows = append(rows, flows.Row{"id": gtin, "label": name})
		}
	}
	return rows
}

func chooseProduct(_ context.Context, t *turn, args vars) (flows.Outcome, error) {
	choice, ok := chosen(args)
	if !ok {
		return when("invalid")
	}
	rows := flows.DecodeList(args[flows.VarItems])
	at := slices.IndexFunc(rows, func(r flows.Row) bool {
		return r["gtin"] == "" && slices.Contains(strings.Split(r["candidates"], ","), choice["id"])
	})
	name, sold := t.products[choice["id"]]
	if at < 0 || !sold {
		return when("invalid")
	}
	rows[at]["gtin"], rows[at]["product"], rows[at]["candidates"] = choice["id"], name, ""
	return when("chosen", flows.VarItems, flows.EncodeList(rows))
}

// scope is the writer's as a tendero.
func (t *turn) scope(ctx context.Context) (loyalty.Scope, error) {
	shops, err := t.tx.TenderoShops(ctx, t.person.ID)
	s := loyalty.Scope{Role: loyalty.RoleTendero, Person: t.person.ID}
	for _, shop := range shops {
		s.Shops = append(s.Shops, shop.ID)
	}
	return s, err
}

// ownShop is the shop of the code, if it is the writer's.
func (t *turn) ownShop(ctx context.Context, code string) (store.Shop, loyalty.Scope, bool, error) {
	scope, err := t.scope(ctx)
	if err != nil {
		return store.Shop{}, scope, false, err
	}
	shop, err := t.tx.ShopByCode(ctx, code)
	failed, err := meaning(err)
	return shop, scope, err == nil && failed == "" && scope.SellsAt(shop.ID), err
}

func recordEvidence(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	scope, err := t.scope(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	code, items := args[flows.VarCode], flows.DecodeList(args[flows.VarItems])
	in := store.PurchaseInput{
		// The inbox row is the message, once, whatever ID its channel gave it.
		Key: "wa:" + string(t.message.ID), ShopCode: args[flows.VarShopCode], Code: code, Captured: "typed", Channel: store.ChannelEvidence,
	}
	for _, row := range items {
		n, err := strconv.ParseInt(row["quantity"], 10, 64)
		if err != nil {
			return when("refused")
		}
		in.Items = append(in.Items, store.ItemInput{GTIN: row["gtin"], Quantity: n})
	}
	var receipt store.Receipt
	failed, err := t.try(ctx, func(tx *store.Tx) (err error) {
		receipt, _, err = tx.RecordPurchase(ctx, scope, in)
		return err
	})
	switch {
	case err != nil:
		return flows.Outcome{}, err
	case failed == loyalty.CodeProductUnknown && len(items) > 0:
		return when("unknown_product", flows.VarQuery, items[0]["product"])
	case failed != "":
		return when(codeOutcome(failed, "refused"), flows.VarCode, code)
	}
	purchased := receipt.PurchasedRows()
	switch {
	case len(receipt.Pending) > 0:
		return when("pending", flows.VarPurchased, purchased, flows.VarWaiting, receipt.WaitingRows())
	case len(receipt.Earned) == 0:
		return when("nothing_earned", flows.VarPurchased, purchased, flows.VarNotes, receipt.NoteRows())
	}
	return when("recorded", flows.VarPurchased, purchased, flows.VarEarned, receipt.EarnedRows())
}

func shopReport(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	shop, scope, own, err := t.ownShop(ctx, args[flows.VarShopCode])
	if err != nil {
		return flows.Outcome{}, err
	}
	if !own {
		return when("empty", flows.VarShop, args[flows.VarShop])
	}
	to := in(t.now, shop.TimeZone)
	from := to.AddDate(0, 0, -6)
	d, err := t.tx.ShopDigest(ctx, scope, shop.ID, from, to)
	if err != nil {
		return flows.Outcome{}, err
	}
	if d.Purchases == 0 {
		return when("empty", flows.VarShop, shop.Name)
	}
	return flows.Outcome{Name: "some", Vars: d.Vars()}, nil
}

func requestReorder(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	shop, scope, own, err := t.ownShop(ctx, args[flows.VarShopCode])
	if err != nil {
		return flows.Outcome{}, err
	}
	if !own {
		return flows.Outcome{}, loyalty.Forbidden() // resolve_own_shop comes first
	}
	wishes := []store.ReorderInput{}
	for _, row := range flows.DecodeList(args[flows.VarItems]) {
		product, err := t.productID(ctx, row["gtin"])
		if err != nil {
			return flows.Outcome{}, err
		}
		if product == "" {
			continue // what was written is kept in the note
		}
		n := 0 // none was written: the brand asks
		if row["stated"] != "" {
			n, _ = strconv.Atoi(row["quantity"])
		}
		wishes = append(wishes, store.ReorderInput{Product: product, Quantity: min(max(n, 0), 9999)})
	}
	outcome := "listed"
	if len(wishes) == 0 {
		wishes = append(wishes, store.ReorderInput{})
		if len(strings.Fields(args[flows.VarText])) < 3 { // PEDIR, quiero pedir: nothing in particular
			outcome = "recorded"
		}
	}
	for _, w := range wishes {
		w.Shop, w.Person, w.Note = shop.ID, t.person.ID, args[flows.VarText]
		if _, err := t.tx.RecordReorder(ctx, scope, w); err != nil {
			return flows.Outcome{}, err
		}
	}
	return when(outcome, flows.VarShop, shop.Name)
}

// productID is the ID of a product that is sold, or "".
func (t *turn) productID(ctx context.Context, gtin string) (loyalty.ID, error) {
	if _, sold := t.products[gtin]; !sold {
		return "", nil
	}
	found, _, err := t.tx.Products(ctx, loyalty.System(), store.ProductFilter{GTIN: loyalty.GTIN(gtin)}, store.Page{Limit: 1})
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].ID, nil
}

func sendShopQR(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	shop, err := t.tx.ShopByCode(ctx, args[flows.VarShopCode])
	if err != nil {
		return flows.Outcome{}, err
	}
	return when("sent", flows.VarShop, shop.Name, flows.VarPosterURL, t.url+"/v1/shops/"+shop.Code+"/poster.pdf")
}

func scanLink(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	shops, err := t.tx.TenderoShops(ctx, t.person.ID)
	if err != nil {
		return flows.Outcome{}, err
	}
	if len(shops) == 0 {
		return when("none")
	}
	token, err := t.tx.IssueLink(ctx, t.person.ID)
	if err != nil {
		return flows.Outcome{}, err
	}
	return when("ready", flows.VarScanURL, t.url+"/t/"+token)
}

func deliverRedemption(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	scope, err := t.scope(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	code := args[flows.VarRedemptionCode]
	var r store.Redemption
	failed, err := t.try(ctx, func(tx *store.Tx) (err error) {
		r, err = tx.DeliverRedemption(ctx, scope, code, args[flows.VarShopCode])
		return err
	})
	if err != nil {
		return flows.Outcome{}, err
	}
	reward, err := t.tx.RewardNameOf(ctx, code)
	if err != nil {
		return flows.Outcome{}, err
	}
	switch {
	case failed == "":
		return when("delivered", flows.VarReward, r.Reward)
	case reward == "":
		return when("unknown")
	case failed == loyalty.CodeRedemptionDone:
		return when("already", flows.VarReward, reward)
	case failed == loyalty.CodeRedemptionClosed && r.Status == "cancelled":
		return when("cancelled", flows.VarReward, reward)
	case failed == loyalty.CodeRedemptionClosed:
		return when("expired", flows.VarReward, reward)
	}
	return when("foreign_shop", flows.VarReward, reward)
}
