package flows

import "slices"

// Action is something a flow may ask the outside to do. The flow knows its
// name, what it reads and what can come of it; package bot knows how.
type Action struct {
	Name string
	Doc  string
	// Reads are the variables the action looks at. Each may be missing or
	// empty: the action then answers with the outcome that says so.
	Reads []string
	// Outcomes are all the ways it can end. A definition must handle each.
	Outcomes []ActionOutcome
}

// ActionOutcome is one way an action can end.
type ActionOutcome struct {
	Name string
	// Sets are the variables that the action always sets with this outcome,
	// possibly to the empty string where the variable's meaning allows it.
	Sets []string
}

// Outcome finds an outcome of the action by its name.
func (a Action) Outcome(name string) (ActionOutcome, bool) {
	for _, o := range a.Outcomes {
		if o.Name == name {
			return o, true
		}
	}
	return ActionOutcome{}, false
}

// Registry holds the actions by name.
type Registry map[string]Action

// Names lists the actions in alphabetical order.
func (r Registry) Names() []string {
	names := make([]string, 0, len(r))
	for name := range r {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Actions is the registry of everything a flow can ask for. Names are stable:
// definitions published in the backoffice refer to them.
func Actions() Registry {
	r := Registry{}
	for _, list := range [][]Action{consumerActions(), tenderoActions()} {
		for _, a := range list {
			r[a.Name] = a
		}
	}
	return r
}

// when declares an outcome and the variables that come with it.
func when(outcome string, sets ...string) ActionOutcome {
	return ActionOutcome{Name: outcome, Sets: sets}
}

// callToBuy are the variables of a first answer; the call to buy (product to
// reward) is empty when the shop takes part in no active campaign.
var callToBuy = []string{VarCardURL, VarCardCode, VarShopCode, VarShop, VarProduct, VarGoal, VarUnit, VarReward, VarCampaign}

func consumerActions() []Action {
	return []Action{
		{
			Name:  "resolve_shop",
			Doc:   "Finds the shop a person means: by shop_code when there is one, else by shop_name, else by what text says.",
			Reads: []string{VarShopCode, VarShopName},
			Outcomes: []ActionOutcome{
				when("found", VarShopCode, VarShop),
				when("several", VarChoices),
				when("none", VarQuery),
				when("missing"),
				when("inactive", VarShop),
			},
		},
		{
			Name:  "names_shop",
			Doc:   "Says whether somebody who has no card wrote a shop's name (text) and nothing else.",
			Reads: []string{VarText},
			Outcomes: []ActionOutcome{
				when("named"),
				when("none"),
			},
		},
		{
			Name:  "choose_shop",
			Doc:   "Takes the shop at place choice of choices (rows whose id is a shop code).",
			Reads: []string{VarChoice, VarChoices},
			Outcomes: []ActionOutcome{
				when("chosen", VarShopCode, VarShop),
				when("invalid"),
			},
		},
		{
			Name:  "create_card",
			Doc:   "Makes the consumer (with consent), the universal card and the card at shop_code; whatever exists already is kept. The variables of the call to buy are empty where the shop has no active campaign.",
			Reads: []string{VarShopCode},
			Outcomes: []ActionOutcome{
				when("created", callToBuy...),
				when("joined", callToBuy...),
				when("existing", callToBuy...),
				when("inactive", VarShop),
			},
		},
		{
			Name: "load_profile",
			Doc:  "Says whether the consumer's name is known.",
			Outcomes: []ActionOutcome{
				when("known", VarName),
				when("unknown"),
			},
		},
		{
			Name:     "save_name",
			Doc:      "Stores name as the consumer's name; name comes back tidied (Ana Pérez).",
			Reads:    []string{VarName},
			Outcomes: []ActionOutcome{when("saved", VarName), when("invalid")},
		},
		{
			Name:     "save_birthday",
			Doc:      "Stores birthday (MM-DD, or YYYY-MM-DD when the year was given).",
			Reads:    []string{VarBirthday},
			Outcomes: []ActionOutcome{when("saved"), when("invalid")},
		},
		{
			Name: "load_balance",
			Doc:  "Loads the balances of the consumer's enrollments in active campaigns, and the purchases that wait for the consumer's yes.",
			Outcomes: []ActionOutcome{
				when("some", VarBalances, VarPending, VarCardURL),
				when("none", VarCardURL),
				when("no_card"),
			},
		},
		{
			Name: "load_history",
			Doc:  "Loads the consumer's latest movements, newest first, ten at most.",
			Outcomes: []ActionOutcome{
				when("some", VarMovements, VarCardURL),
				when("none", VarCardURL),
				when("no_card"),
			},
		},
		{
			Name: "show_card",
			Doc:  "Reissues the consumer's chat link (the old one stops working).",
			Outcomes: []ActionOutcome{
				when("shown", VarCardURL, VarCardCode),
				when("no_card"),
			},
		},
		{
			Name: "issue_evidence_code",
			Doc:  "Issues a single-use evidence code, or repeats the one still alive.",
			Outcomes: []ActionOutcome{
				when("issued", VarEvidenceCode, VarExpires, VarCardURL),
				when("no_card"),
			},
		},
		{
			Name: "list_rewards",
			Doc:  "Lists the rewards of the consumer's campaigns and how far each is.",
			Outcomes: []ActionOutcome{
				when("some", VarRewards, VarCardURL),
				when("none"),
				when("no_card"),
			},
		},
		{
			Name:  "request_redemption",
			Doc:   "Asks for a reward: the one at place choice of choices when there is a choice, else the only one ready. open: one is already requested, its code comes again.",
			Reads: []string{VarChoice, VarChoices},
			Outcomes: []ActionOutcome{
				when("requested", VarRedemptionCode, VarReward, VarShop, VarExpires),
				when("open", VarRedemptionCode, VarReward, VarShop, VarExpires),
				when("choose", VarChoices),
				when("invalid"),
				when("not_ready", VarCampaign, VarReward, VarMissing, VarUnit),
				when("out_of_stock", VarReward),
				when("budget_exhausted", VarReward),
				when("needs_tier", VarReward, VarTier),
				when("limit_reached", VarReward),
				when("not_valid", VarReward),
				when("not_for_you", VarReward),
				when("none"),
				when("no_card"),
			},
		},
		{
			Name:  "cancel_redemption",
			Doc:   "Gives a requested reward back: the one at place choice of choices (rows whose id is a redemption code) when there is a choice, else the one of redemption_code, else the only one open.",
			Reads: []string{VarChoice, VarChoices, VarRedemptionCode},
			Outcomes: []ActionOutcome{
				when("cancelled", VarReward),
				when("choose", VarChoices),
				when("invalid"),
				when("none"),
			},
		},
		{
			Name: "confirm_pending",
			Doc:  "Takes a yes for all purchases that wait for the consumer's. nothing: they waited, and bring nothing any more.",
			Outcomes: []ActionOutcome{
				when("confirmed", VarEarned, VarCardURL),
				when("nothing"),
				when("none"),
			},
		},
		{
			Name: "deny_pending",
			Doc:  "Takes a no for all purchases that wait for the consumer's yes.",
			Outcomes: []ActionOutcome{
				when("denied", VarShops),
				when("none"),
			},
		},
		{
			Name: "list_campaigns",
			Doc:  "Lists active campaigns: those of the consumer's shops, or a few of all when there is no card.",
			Outcomes: []ActionOutcome{
				when("some", VarCampaigns),
				when("none"),
			},
		},
		{
			Name:     "opt_out",
			Doc:      "Records BAJA for the person, at once and for every kind of notice the bot starts.",
			Outcomes: []ActionOutcome{when("done")},
		},
		{
			Name:     "opt_in",
			Doc:      "Records consent to reminders, with text version, time and message.",
			Outcomes: []ActionOutcome{when("done")},
		},
		{
			Name:     "erase_me",
			Doc:      "Erases the consumer's personal data; the ledger keeps a pseudonym. Only after an explicit yes.",
			Outcomes: []ActionOutcome{when("done"), when("no_card")},
		},
		{
			Name:     "report_missing_stamp",
			Doc:      "Opens a case for the admins with what the person wrote (text).",
			Reads:    []string{VarText},
			Outcomes: []ActionOutcome{when("recorded", VarCase)},
		},
		{
			Name:     "request_human",
			Doc:      "Opens a case for the admins: somebody wants a person (text is what they wrote).",
			Reads:    []string{VarText},
			Outcomes: []ActionOutcome{when("recorded", VarCase)},
		},
	}
}

func tenderoActions() []Action {
	return []Action{
		{
			Name: "resolve_own_shop",
			Doc:  "Finds the shop of the tendero who writes; none: this phone is no tendero's.",
			Outcomes: []ActionOutcome{
				when("one", VarShopCode, VarShop),
				when("several", VarChoices),
				when("none"),
			},
		},
		{
			Name:  "find_code",
			Doc:   "Looks at the code that came with the message: an evidence code or a card's own code; a redemption code is answered with redemption. bad_code is what looked like a code and is none.",
			Reads: []string{VarEvidenceCode, VarCardCode, VarRedemptionCode, VarBadCode, VarShopCode},
			Outcomes: []ActionOutcome{
				when("found", VarCode),
				when("used", VarCode),
				when("expired", VarCode),
				when("unknown", VarCode),
				when("redemption", VarRedemptionCode),
				when("missing"),
			},
		},
		{
			Name:  "resolve_items",
			Doc:   "Turns items (rows gtin, product, quantity, query, candidates) into catalogue products; the first that does not resolve decides the outcome.",
			Reads: []string{VarItems},
			Outcomes: []ActionOutcome{
				when("ok", VarItems),
				when("missing"),
				when("unknown", VarQuery),
				when("ambiguous", VarQuery, VarChoices),
				when("bad_quantity", VarQuery),
			},
		},
		{
			Name:  "choose_product",
			Doc:   "Puts the product at place choice of choices (rows whose id is a GTIN) where items is ambiguous.",
			Reads: []string{VarChoice, VarChoices, VarItems},
			Outcomes: []ActionOutcome{
				when("chosen", VarItems),
				when("invalid"),
			},
		},
		{
			Name:  "record_evidence",
			Doc:   "Records the purchase of items at shop_code for the consumer of code, and uses an evidence code up. pending: some of it waits for the consumer's yes, since a card's own code is no proof.",
			Reads: []string{VarShopCode, VarCode, VarItems},
			Outcomes: []ActionOutcome{
				when("recorded", VarPurchased, VarEarned),
				when("nothing_earned", VarPurchased, VarNotes),
				when("pending", VarPurchased, VarWaiting),
				when("used", VarCode),
				when("expired", VarCode),
				when("unknown", VarCode),
				when("unknown_product", VarQuery),
				when("refused"),
			},
		},
		{
			Name:  "shop_report",
			Doc:   "What Qoa sold for the shop in the last seven days.",
			Reads: []string{VarShopCode},
			Outcomes: []ActionOutcome{
				when("some", VarShop, VarPeriod, VarPurchases, VarUnits, VarTotal, VarConsumers, VarTop),
				when("empty", VarShop),
			},
		},
		{
			Name:  "request_reorder",
			Doc:   "Records the wish to reorder, which the brand sees: items when understood, text in any case. listed: text says what is wanted.",
			Reads: []string{VarShopCode, VarItems, VarText},
			Outcomes: []ActionOutcome{
				when("recorded", VarShop),
				when("listed", VarShop),
			},
		},
		{
			Name:     "send_shop_qr",
			Doc:      "Gives the counter QR (media shop_qr) and the printable poster of shop_code.",
			Reads:    []string{VarShopCode},
			Outcomes: []ActionOutcome{when("sent", VarShop, VarPosterURL)},
		},
		{
			Name:  "scan_link",
			Doc:   "Issues the link to the tendero's scan page.",
			Reads: []string{VarShopCode},
			Outcomes: []ActionOutcome{
				when("ready", VarScanURL),
				when("none"),
			},
		},
		{
			Name:  "deliver_redemption",
			Doc:   "Hands over the reward of redemption_code at shop_code.",
			Reads: []string{VarRedemptionCode, VarShopCode},
			Outcomes: []ActionOutcome{
				when("delivered", VarReward),
				when("already", VarReward),
				when("expired", VarReward),
				when("cancelled", VarReward),
				when("unknown"),
				when("foreign_shop", VarReward),
			},
		},
	}
}
