package loyalty

import "time"

// Terms are all that a campaign's owner decides, as one document: a version of
// a campaign is its terms and the moment from which they hold. Its JSON is what
// the API takes and what the database keeps.
type Terms struct {
	Name      string        `json:"name"`
	Scheme    Scheme        `json:"scheme"`
	Enrolment EnrolmentMode `json:"enrolment"`
	PerShop   bool          `json:"per_shop"` // balances count for each shop apart
	// Goal completes the card, in the scheme's first unit; PointsGoal is that of
	// the points where the scheme is both.
	Goal       int64     `json:"goal"`
	PointsGoal int64     `json:"points_goal,omitempty"`
	StartsAt   time.Time `json:"starts_at"`
	EndsAt     time.Time `json:"ends_at,omitzero"` // zero: permanent

	// The PLIs: all products of the CPG, those of some brands, or some products;
	// less the exclusions. A shop's campaign names products.
	AllProducts      bool `json:"all_products,omitempty"`
	Brands           []ID `json:"brand_ids,omitempty"`
	Products         []ID `json:"product_ids,omitempty"`
	ExcludedProducts []ID `json:"excluded_product_ids,omitempty"`

	// Where: all related shops, those that are of all the named types, states and
	// cities, or those listed; less the exclusions. Who is aimed at takes part at
	// once, after accepting an invitation, or after joining.
	AllShops      bool     `json:"all_shops,omitempty"`
	ShopKinds     []string `json:"shop_kinds,omitempty"`
	States        []string `json:"states,omitempty"`
	Cities        []string `json:"cities,omitempty"`
	Shops         []ID     `json:"shop_ids,omitempty"`
	ExcludedShops []ID     `json:"excluded_shop_ids,omitempty"`
	Joining       Joining  `json:"joining,omitempty"`

	Earn     []Earn   `json:"earn"` // at most one for a unit and what it is counted by
	Rounding Rounding `json:"rounding,omitempty"`
	Boosts   []Boost  `json:"boosts,omitempty"`
	Stacking Stacking `json:"stacking,omitempty"`
	// Campaigns judge a purchase in the order of their priorities, the highest
	// first. Where an exclusive one gives something, its PLIs in the purchase are
	// kept out of those after it.
	Priority  int64 `json:"priority,omitempty"`
	Exclusive bool  `json:"exclusive,omitempty"`

	MinSpend        Cents    `json:"min_spend_cents,omitempty"`  // on PLIs, in one purchase
	MinQuantity     int64    `json:"min_quantity,omitempty"`     // units of PLIs, in one purchase
	CooldownMinutes int64    `json:"cooldown_minutes,omitempty"` // to the latest purchase that earned
	Limits          []Limit  `json:"limits,omitempty"`
	Budget          *Budget  `json:"budget,omitempty"`
	Audience        Audience `json:"audience,omitzero"`
	Pending         *Pending `json:"pending,omitempty"`
	Expiry          *Expiry  `json:"expiry,omitempty"`
	Tiers           *Tiers   `json:"tiers,omitempty"`

	MarginBPS int64 `json:"margin_bps"` // the brand's declared margin on PLI revenue, in hundredths of a percent
	Fee       Cents `json:"fee_cents"`  // the programme's fee a week
	// Nudges: after how many days without a purchase, and at most how often.
	NudgeQuietDays int `json:"nudge_quiet_days"`
	NudgeGapDays   int `json:"nudge_gap_days"`
}

// GoalOf is the balance that completes the card in a unit.
func (t *Terms) GoalOf(u Unit) int64 {
	if t.Scheme == Both && u == Point {
		return t.PointsGoal
	}
	return t.Goal
}

// Joining says how a shop that a campaign aims at comes to take part.
type Joining string

// The ways of joining.
const (
	JoinAtOnce       Joining = ""
	JoinByInvitation Joining = "invitation" // invited by the owner or an admin, and accepted by the shop
	JoinBySelf       Joining = "self"       // the shop joins by itself
)

// EarnBasis is what an earning is counted by.
type EarnBasis string

// The bases.
const (
	PerUnit     EarnBasis = "unit"     // of PLIs
	PerPeso     EarnBasis = "peso"     // spent on PLIs
	PerPurchase EarnBasis = "purchase" // with at least one PLI
	PerVisit    EarnBasis = "visit"    // the first such purchase of a day (the shop's) at a shop
)

// Earn is one way of earning: Amount for every Each of the basis. Stamps are
// earned by unit, purchase or visit, points by unit or peso.
type Earn struct {
	Unit   Unit      `json:"unit"`
	Per    EarnBasis `json:"per"`
	Amount int64     `json:"amount"`         // 1 to 1,000
	Each   int64     `json:"each,omitempty"` // of units or pesos, up to 1,000,000; 0 is 1: "1 point for every 10 pesos" has 10
}

// Rounding says what becomes of a fraction. It is rounded once a purchase,
// after boosts, in each unit: a line earns what the rounded sum grows by with
// it, and what belongs to no line comes last.
type Rounding string

// The roundings.
const (
	RoundDown    Rounding = "" // the default
	RoundNearest Rounding = "nearest"
	RoundUp      Rounding = "up"
)

// Boost gives more under conditions: it multiplies what lines earn (and what is
// earned by purchase or visit, unless it names products or brands), adds a bonus
// once a purchase, or both.
type Boost struct {
	Name    string `json:"name"`
	Percent int64  `json:"percent,omitempty"` // 200 doubles; up to 100 it changes nothing
	Bonus   int64  `json:"bonus,omitempty"`   // of Unit, once a purchase with a matching line
	Unit    Unit   `json:"unit,omitempty"`    // what it is about; "" is each unit for Percent, the scheme's first for Bonus
	When    When   `json:"when,omitzero"`
}

// When is when a boost applies: every condition that is stated must hold. A
// line matches where its product or its brand is named, or none is.
type When struct {
	Products []ID           `json:"product_ids,omitempty"`
	Brands   []ID           `json:"brand_ids,omitempty"`
	Weekdays []time.Weekday `json:"weekdays,omitempty"` // 0 is Sunday; the shop's
	// Hours of the shop's day, "15:04". To is not included; a window may pass
	// midnight, and then the weekday is that of its beginning.
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	First    bool   `json:"first,omitempty"`    // the consumer's first purchase in the campaign
	Birthday bool   `json:"birthday,omitempty"` // the consumer's; who was born on a 29 February has it on the 28th of other years
	MinTier  string `json:"min_tier,omitempty"` // of this campaign, before the purchase
}

// Stacking says what becomes of several boosts for one line.
type Stacking string

// The stackings.
const (
	StackBest Stacking = ""    // the highest percent of each line, and the highest bonus; the default
	StackAll  Stacking = "all" // what they add is added up: 200 and 300 percent make 400; all bonuses
)

// Period is what a limit counts in: days, weeks (from Monday) and months are
// those of the shop's time zone.
type Period string

// The periods.
const (
	EachPurchase Period = "purchase"
	EachHour     Period = "hour"
	EachDay      Period = "day"
	EachWeek     Period = "week"
	EachMonth    Period = "month"
	Lifetime     Period = "lifetime"
)

// Counts is what a limit counts.
type Counts string

// What limits count.
const (
	CountEarned    Counts = ""          // stamps or points, and clips them: the default
	CountPurchases Counts = "purchases" // purchases that earned: past Max one earns nothing
)

// Limit bounds what an enrollment earns. What a purchase earns is clipped to all
// limits and the budget at once, line by line.
type Limit struct {
	// ID names the limit's counters in all versions: unique in the campaign,
	// 1 to 20 of a-z, 0-9 and _. Made by the store where it is left empty.
	ID     string `json:"id,omitempty"`
	Counts Counts `json:"counts,omitempty"`
	Unit   Unit   `json:"unit,omitempty"` // of what is earned; "" is the scheme's first
	Max    int64  `json:"max"`            // at least 1
	Period Period `json:"period"`
	// PerShop counts each shop apart (a velocity limit). AllCards counts all
	// consumers of a shop together; it needs CountPurchases, PerShop, and hour or
	// day.
	PerShop  bool `json:"per_shop,omitempty"`
	AllCards bool `json:"all_cards,omitempty"`
	// Products and Brands narrow CountEarned to what these lines earn; what is
	// earned by purchase or visit, and bonuses, belong to no line.
	Products []ID `json:"product_ids,omitempty"`
	Brands   []ID `json:"brand_ids,omitempty"`
}

// Budget is what a campaign may give in all; zero is no bound.
type Budget struct {
	Stamps  int64 `json:"stamps,omitempty"`
	Points  int64 `json:"points,omitempty"`
	Rewards int64 `json:"rewards,omitempty"` // that are requested and not given back
	// Exhausted says what happens when nothing is left: the campaign pauses, or
	// goes on and refuses with a message.
	Exhausted Exhausted `json:"exhausted,omitempty"`
}

// Exhausted is what happens at the end of a budget.
type Exhausted string

// What happens at the end of a budget.
const (
	Refuse        Exhausted = "" // the default
	PauseCampaign Exhausted = "pause"
)

// Audience limits a campaign to some consumers: who is in one of the segments
// (where there are any), and holds the tier of another campaign of the same
// owner (where it is stated).
type Audience struct {
	Segments []ID   `json:"segment_ids,omitempty"`
	TierOf   ID     `json:"tier_of,omitempty"`
	MinTier  string `json:"min_tier,omitempty"`
}

// Pending says that a purchase whose card code was typed earns only after the
// consumer's yes, or after some hours.
type Pending struct {
	Hours int64 `json:"hours,omitempty"` // 0: only after the yes; else 1 to 168
}

// Expiry says when balances end. At most one of the three is stated.
type Expiry struct {
	On           time.Time `json:"on,omitzero"`                // all balances end then
	Days         int64     `json:"days,omitempty"`             // after earning, the oldest first (FIFO)
	InactiveDays int64     `json:"inactive_days,omitempty"`    // after the last earning, all of it
	WarnDays     int64     `json:"warn_days_before,omitempty"` // 0 is 7
}

// TierKeep is how tiers are kept.
type TierKeep string

// How tiers are kept.
const (
	TierForGood   TierKeep = "cumulative" // once reached, for ever
	TierPerPeriod TierKeep = "period"     // to be earned anew, or lost after the grace days
	TierToReward  TierKeep = "on_redeem"  // begins anew whenever a reward is requested
)

// Tiers are the levels of a campaign. A consumer below the first level has none.
type Tiers struct {
	Keep      TierKeep `json:"keep"`
	Period    Period   `json:"period,omitempty"`     // week or month; of TierPerPeriod
	GraceDays int64    `json:"grace_days,omitempty"` // of TierPerPeriod
	Levels    []Level  `json:"levels"`               // 1 to 10, from low to high
}

// Level is one tier. It is reached by any of the thresholds that it states.
type Level struct {
	Name      string `json:"name"` // unique in the campaign
	Purchases int64  `json:"purchases,omitempty"`
	Spend     Cents  `json:"spend_cents,omitempty"` // on PLIs
	Earned    int64  `json:"earned,omitempty"`      // in the scheme's last unit
	// What it brings: more of everything (200 doubles), and a discount or the
	// like, in words. Rewards name the tier that they need.
	Percent  int64  `json:"percent,omitempty"`
	Discount string `json:"discount,omitempty"`
}
