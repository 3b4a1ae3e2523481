package loyalty

import (
	"slices"
	"time"
)

// Unit is what a balance counts in.
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
	Stamps Scheme = "stamps" // frequency
	Points Scheme = "points" // value
	Both   Scheme = "both"
)

// Units of the scheme's balances, the one that the card is about first.
func (s Scheme) Units() []Unit {
	switch s {
	case Points:
		return []Unit{Point}
	case Both:
		return []Unit{Stamp, Point}
	}
	return []Unit{Stamp}
}

// Unit is the one that the card is about.
func (s Scheme) Unit() Unit { return s.Units()[0] }

// Has says whether the scheme counts in a unit.
func (s Scheme) Has(u Unit) bool { return slices.Contains(s.Units(), u) }

// Status is where a campaign stands in its life.
type Status string

// The statuses.
const (
	Draft    Status = "draft"
	InReview Status = "in_review"
	Rejected Status = "rejected"
	Approved Status = "approved"
	Active   Status = "active"
	Paused   Status = "paused"
	Ended    Status = "ended"
)

// EnrolmentMode says how a consumer gets into a campaign.
type EnrolmentMode string

// The enrolment modes.
const (
	Automatic EnrolmentMode = "automatic"  // with the first qualifying purchase
	OnRequest EnrolmentMode = "on_request" // only when the consumer asked
)

// Campaign is what the engine and the doors need to know of one: whose it is,
// where it stands, and the terms of one version of it.
type Campaign struct {
	ID      ID
	CPG     ID // the owner; "" where a shop owns it
	Owner   ID // the shop that owns it; "" where a CPG does
	Status  Status
	Version int
	Terms
}

// RunsAt says whether a purchase made at t falls into the campaign's life: its
// dates are half open, so that one ends where the next begins.
func (c *Campaign) RunsAt(t time.Time) bool {
	return c.Status == Active && !t.Before(c.StartsAt) && (c.EndsAt.IsZero() || t.Before(c.EndsAt))
}
