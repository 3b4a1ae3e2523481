package demo

import "math/rand/v2"

// random is one stream for everything that is drawn: IDs, codes, salts and what
// people buy. It is not safe for several goroutines; a seed is one transaction.
type random struct {
	src *rand.ChaCha8
	*rand.Rand
}

// reset begins anew: a transaction that is run again draws the same.
func (r *random) reset() {
	r.src = rand.NewChaCha8([32]byte([]byte("Qoa Conectados: datos de ejemplo")))
	r.Rand = rand.New(r.src) //nolint:gosec // repeatable on purpose
}

// Read implements io.Reader.
func (r *random) Read(p []byte) (int, error) { return r.src.Read(p) }

// weighted draws an index with the odds that the weights say.
func (r *random) weighted(weights []int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := r.IntN(sum)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// chance is true in so many of a hundred cases.
func (r *random) chance(percent int) bool { return r.IntN(100) < percent }
