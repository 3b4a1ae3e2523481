package templates

// AdminCount is one number of the whole system.
type AdminCount struct {
	Label string
	Value int64
}
