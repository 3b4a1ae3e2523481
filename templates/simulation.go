package templates

import (
	"html/template"
	"io"
)

// SimulationView is what a campaign would have brought and cost over past weeks.
// The form is a GET to Action with weeks and take.
type SimulationView struct {
	Desk     DeskView
	Campaign string
	Back     string
	Action   string
	Weeks    string // as typed
	Take     string // percent of the consumers that take rewards
	Error    string

	Files       Files
	Ran         bool
	Sentence    string // what a peso of sales would have cost
	Approximate string // what ran out; "" where nothing did
	Counters    []BrandCounter
	Money       []SimulationMoney
	Points      []WeekPoint
	ByWeek      []SimulationRow
	ByShop      []SimulationRow
	Rewards     []SimulationReward
}

// SimulationMoney is one amount of the result.
type SimulationMoney struct {
	Label string
	Cents int64
}

// SimulationRow is one line of the tables by week and by shop.
type SimulationRow struct {
	Name      string
	Purchases int64
	Revenue   int64 // centavos
	Given     string
	Rewards   int64
	Cost      int64  // centavos
	Share     string // cost of a peso of sales; "—" where nothing was sold
}

// SimulationReward is what became of a reward.
type SimulationReward struct {
	Name       string
	Taken      int64
	Cost       int64 // centavos
	OutOfStock bool
}

// Chart is the figure of the weeks.
func (v SimulationView) Chart() template.HTML {
	return WeeklyChart("Contribución y costo por semana, simulados", v.Points)
}

// Simulation renders the page.
func (s *Set) Simulation(w io.Writer, v SimulationView) error {
	return s.render(w, "simulation", "layout", v)
}
