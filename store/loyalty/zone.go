package loyalty

import (
	"sync"
	"time"
)

// DefaultTimeZone is a shop's where nothing else is said, and where brands' days
// are cut.
const DefaultTimeZone = "America/Mexico_City"

// zones that were read: Go reads its files anew each time. There are no more of
// them than names of zones, since shops' are checked when they are stored.
var zones sync.Map // string to *time.Location

// Zone gives a time zone by its name. Shops' were checked when they were stored;
// an empty or unknown one is the default, and UTC on a machine without zones.
func Zone(name string) *time.Location {
	if known, ok := zones.Load(name); ok {
		if l, ok := known.(*time.Location); ok {
			return l
		}
	}
	for _, n := range []string{name, DefaultTimeZone} {
		if n == "" {
			continue // to Go, the empty name is UTC's
		}
		if l, err := time.LoadLocation(n); err == nil {
			if n == name || name == "" {
				zones.Store(name, l)
			}
			return l
		}
	}
	return time.UTC
}
