package main

import (
	"cmp"
	"slices"
	"time"
)

// figures are what one side did in one measurement, or the medians of several.
type figures struct {
	Clients  int     `json:"clients"`
	Rate     float64 `json:"per_second"`
	P50      float64 `json:"p50_ms"`
	P95      float64 `json:"p95_ms"`
	P99      float64 `json:"p99_ms"`
	Server   float64 `json:"server_cpu_us,omitempty"` // a request
	Postgres float64 `json:"postgres_cpu_us"`         // likewise
	Redis    float64 `json:"redis_cpu_us,omitempty"`  // likewise
	Load     float64 `json:"load_cpu_us"`             // likewise: of what makes the requests
	Trips    float64 `json:"round_trips,omitempty"`   // likewise
}

// latencies are how long requests took, in microseconds.
type latencies []uint32

func (l latencies) quantile(q float64) float64 {
	if len(l) == 0 {
		return 0
	}
	return float64(l[min(int(q*float64(len(l))), len(l)-1)]) / 1000
}

// newFigures sums a measurement up.
func newFigures(clients int, took latencies, window time.Duration) figures {
	slices.Sort(took)
	return figures{
		Clients: clients, Rate: float64(len(took)) / window.Seconds(),
		P50: took.quantile(.5), P95: took.quantile(.95), P99: took.quantile(.99),
	}
}

// each is a cost by request, in microseconds.
func each(cost time.Duration, requests int) float64 {
	if requests == 0 {
		return 0
	}
	return float64(cost.Microseconds()) / float64(requests)
}

// medians of each figure by itself.
func medians(all []figures) figures {
	of := func(field func(*figures) float64) float64 {
		values := make([]float64, len(all))
		for i := range all {
			values[i] = field(&all[i])
		}
		return median(values)
	}
	return figures{
		Clients:  all[0].Clients,
		Rate:     of(func(f *figures) float64 { return f.Rate }),
		P50:      of(func(f *figures) float64 { return f.P50 }),
		P95:      of(func(f *figures) float64 { return f.P95 }),
		P99:      of(func(f *figures) float64 { return f.P99 }),
		Server:   of(func(f *figures) float64 { return f.Server }),
		Postgres: of(func(f *figures) float64 { return f.Postgres }),
		Redis:    of(func(f *figures) float64 { return f.Redis }),
		Load:     of(func(f *figures) float64 { return f.Load }),
		Trips:    of(func(f *figures) float64 { return f.Trips }),
	}
}

func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
