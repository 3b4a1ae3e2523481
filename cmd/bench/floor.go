package main

import (
	"errors"
	"fmt"
)

// floor is a promise, and how it is kept.
type floor struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Bound string  `json:"bound"`
	Pass  bool    `json:"pass"`
}

// errBelowFloor makes the process fail after it has shown everything.
var errBelowFloor = errors.New("below a floor")

func atLeast(value, least float64, what string, args ...any) floor {
	return floor{fmt.Sprintf(what, args...), value, fmt.Sprintf("≥ %g", least), value >= least}
}

func atMost(value, most float64, what string, args ...any) floor {
	return floor{fmt.Sprintf(what, args...), value, fmt.Sprintf("≤ %g", most), value <= most}
}

func below(value, bound float64, what string, args ...any) floor {
	return floor{fmt.Sprintf(what, args...), value, fmt.Sprintf("< %g", bound), value < bound}
}

func passed(all []floor) error {
	for _, f := range all {
		if !f.Pass {
			return errBelowFloor
		}
	}
	return nil
}
