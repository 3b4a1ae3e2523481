package flows

import "encoding/json"

// The variables of a conversation. Every value is a string, so that a session
// is plain JSON; a list is a JSON list of rows of strings (EncodeList).
const (
	// From understanding (slots) and from answers.
	VarText           = "text"            // what the person wrote, cut to MaxText
	VarShopCode       = "shop_code"       // 6 symbols
	VarShopName       = "shop_name"       // as written
	VarCardCode       = "card_code"       // 8 symbols
	VarEvidenceCode   = "evidence_code"   // 8 symbols, E…
	VarRedemptionCode = "redemption_code" // 8 symbols, R…
	VarBadCode        = "bad_code"        // looks like a code, the check symbol does not fit
	VarGTIN           = "gtin"
	VarProduct        = "product" // a product's name
	VarQuantity       = "quantity"
	VarItems          = "items"    // list: gtin, product, quantity, stated (yes or empty), query (as written), candidates (GTINs, comma-separated)
	VarName           = "name"     // the person's name
	VarBirthday       = "birthday" // MM-DD or YYYY-MM-DD
	VarChoice         = "choice"   // the number chosen, from 1

	// From actions.
	VarShop      = "shop"     // the shop's name
	VarChoices   = "choices"  // list: id, label; numbered in this order
	VarQuery     = "query"    // what was looked for, as written
	VarCardURL   = "card_url" // the chat link
	VarGoal      = "goal"     // a number
	VarUnit      = "unit"     // stamp | point
	VarReward    = "reward"   // the reward's name
	VarCampaign  = "campaign"
	VarMissing   = "missing"   // a number: how much is missing for the reward
	VarBalances  = "balances"  // list: campaign, shop (may be empty), unit, balance, goal (may be empty), missing, reward (may be empty), ready (yes or empty), tier, discount, at_risk (a day), expiring (a number) and expires (a day), which may be empty
	VarPending   = "pending"   // list: date, shop, detail (products and quantities), waiting (a list)
	VarTier      = "tier"      // a tier's name
	VarShops     = "shops"     // names of shops, joined
	VarMovements = "movements" // list: date (empty: the same purchase as the row before), shop, detail (product and quantity, or empty), campaign (may be empty), unit, amount (signed), kind (earn, pending, redeem, expire, reverse, adjust)
	VarExpires   = "expires"   // when a code ends, in words: hoy a las 18:30
	VarRewards   = "rewards"   // list: reward, campaign, threshold, unit, missing, ready (yes or empty)
	VarCampaigns = "campaigns" // list: campaign, products (names joined), goal, unit, reward, until (a date in words, may be empty)
	VarCase      = "case"      // a short number to name the case by
	VarCode      = "code"      // the code in question, 8 symbols
	VarPurchased = "purchased" // list: product, quantity
	VarEarned    = "earned"    // list: campaign, unit, amount, balance, goal (may be empty), ready (yes or empty)
	VarWaiting   = "waiting"   // list: campaign, unit, amount
	VarNotes     = "notes"     // list: campaign, why (it earned less)
	VarPeriod    = "period"    // the week in words
	VarPurchases = "purchases" // a number
	VarUnits     = "units"     // a number: pieces sold
	VarTotal     = "total"     // money in words: $1,234.50
	VarConsumers = "consumers" // a number
	VarTop       = "top"       // list: product, quantity
	VarPosterURL = "poster_url"
	VarScanURL   = "scan_url"

	// Given by the runner with every input.
	VarPrivacyURL = "privacy_url"
	// Given by the engine where it goes back to an open question.
	VarTopic = "topic"
)

// Given are the variables that the runner hands in with every input.
func Given() []string { return []string{VarPrivacyURL} }

// Row is one line of a list variable.
type Row = map[string]string

// EncodeList writes rows as the value of a list variable.
func EncodeList(rows []Row) string {
	if rows == nil {
		rows = []Row{}
	}
	b, err := json.Marshal(rows)
	if err != nil { // strings always marshal
		return "[]"
	}
	return string(b)
}

// DecodeList reads the value of a list variable; what is no list is an empty one.
func DecodeList(value string) []Row {
	var rows []Row
	if json.Unmarshal([]byte(value), &rows) != nil {
		return nil
	}
	return rows
}
