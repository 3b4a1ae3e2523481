package loyalty

import "time"

// Unit is what a campaign counts in.
type Unit string

// The units.
const (
	Stamp Unit = "stamp"
	Point Unit = "point"
)

// Scheme is what kind of card a campaign is.
type Scheme string

// The schemes.
const (
	Stamps Scheme = "stamps"
	Points Scheme = "points"
)

// Unit of the scheme's balance.
func (s Scheme) Unit() Unit {
	if s == Stamps {
		return Stamp
	}
	return Point
}

// Status is where a campaign stands in its life.
type Status string

// The statuses.
const (
	Draft  Status = "draft"
	Active Status = "active"
	Paused Status = "paused"
	Ended  Status = "ended"
)

// EnrolmentMode says how a consumer gets into a campaign.
type EnrolmentMode string

// The enrolment modes.
const (
	Automatic EnrolmentMode = "automatic"  // with the first qualifying purchase
	OnRequest EnrolmentMode = "on_request" // only when the consumer asked
)

// Rule is how a campaign judges a purchase.
type Rule struct {
	PerUnit int64 // stamps or points for each unit of a PLI
	PerPeso int64 // points for each whole peso spent on PLIs, rounded down once a purchase
	// Limits clip what is earned; zero is none. A day is the shop's.
	MaxPerPurchase int64
	MaxPerDay      int64
}

// Campaign is what the engine and the doors need to know of one.
type Campaign struct {
	ID        ID
	CPG       ID
	Name      string
	Scheme    Scheme
	Status    Status
	Enrolment EnrolmentMode
	Rule      Rule
	Goal      int64 // the balance that completes the card
	AllShops  bool
	StartsAt  time.Time
	EndsAt    time.Time // zero: permanent
	MarginBPS int64     // the brand's declared margin on PLI revenue, in hundredths of a percent
	Fee       Cents     // the programme's fee a week
	// Nudges: after how many days without a purchase, and at most how often.
	NudgeQuietDays int
	NudgeGapDays   int
	Version        int
}

// RunsAt says whether a purchase made at t falls into the campaign's life: its
// dates are half open, so that one ends where the next begins.
func (c Campaign) RunsAt(t time.Time) bool {
	return c.Status == Active && !t.Before(c.StartsAt) && (c.EndsAt.IsZero() || t.Before(c.EndsAt))
}
