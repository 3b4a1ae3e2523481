package loyalty

import "time"

// DefaultTimeZone is a shop's where nothing else is said, and where brands' days
// are cut.
const DefaultTimeZone = "America/Mexico_City"

// Zone reads a time zone's name. Shops' were checked when they were stored; an
// empty or unknown one is the default, and UTC on a machine without zones.
func Zone(name string) *time.Location {
	for _, n := range []string{name, DefaultTimeZone} {
		if n == "" {
			continue // to Go, the empty name is UTC's
		}
		if l, err := time.LoadLocation(n); err == nil {
			return l
		}
	}
	return time.UTC
}
