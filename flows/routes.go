package flows

import (
	"bytes"
	"fmt"

	"github.com/goccy/go-yaml"
)

// Route says which flow answers an intent.
type Route struct {
	Intent Intent `yaml:"intent"`
	// Audience is who the route is for; empty means anyone.
	Audience Audience `yaml:"audience"`
	// Slot narrows the route to messages in which that slot was found.
	Slot string `yaml:"slot"`
	Flow string `yaml:"flow"`
}

// Routes are tried in order; the first that fits is taken.
type Routes []Route

// ParseRoutes reads a list of routes.
func ParseRoutes(data []byte) (Routes, error) {
	var r Routes
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&r); err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	return r, nil
}

// find names the flow for what was understood.
func (rs Routes) find(role Audience, r Result) (string, bool) {
	var vars map[string]string
	for _, route := range rs {
		if route.Intent != r.Intent || route.Audience != "" && route.Audience != Anyone && route.Audience != role {
			continue
		}
		if route.Slot != "" {
			if vars == nil {
				vars = r.vars()
			}
			if vars[route.Slot] == "" {
				continue
			}
		}
		return route.Flow, true
	}
	return "", false
}
