package store

import (
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// The hours in which the bot may start something, in the shop's zone (law 8).
const (
	dayBegins = 9
	dayEnds   = 20
)

// NextDaytime gives t where it is between 09:00 and 20:00 in the zone, else the
// next 09:00 there. An unknown or empty zone is Mexico City's.
func NextDaytime(t time.Time, zone string) time.Time {
	local := t.In(loyalty.Zone(zone))
	if h := local.Hour(); h >= dayBegins && h < dayEnds {
		return t
	}
	day := local
	if local.Hour() >= dayEnds {
		day = local.AddDate(0, 0, 1)
	}
	return time.Date(day.Year(), day.Month(), day.Day(), dayBegins, 0, 0, 0, local.Location()).UTC()
}
