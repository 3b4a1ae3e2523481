package templates

// Figure is one big number with what it was before.
type Figure struct {
	Label  string
	Value  string
	Change Change // the zero value where there is nothing to compare with
}

// Change says how a number stands to what it was.
type Change struct {
	Text string // "12 %"; "" where no percentage says it
	Up   bool
	Down bool
	Was  string // the number before; "" where there is nothing to compare with
}

// Count is a Figure of a whole number; before may be nil.
func Count(label string, n int64, before *int64) Figure {
	f := Figure{Label: label, Value: viewNumber(n)}
	if before != nil {
		f.Change = changed(n, *before)
		f.Change.Was = viewNumber(*before)
	}
	return f
}

// Amount is a Figure of centavos, in whole pesos; before may be nil.
func Amount(label string, cents int64, before *int64) Figure {
	f := Figure{Label: label, Value: viewPesos(cents)}
	if before != nil {
		f.Change = changed(cents, *before)
		f.Change.Was = viewPesos(*before)
	}
	return f
}

// Compared is a Change without a Figure.
func Compared(now, before int64) Change {
	c := changed(now, before)
	c.Was = viewNumber(before)
	return c
}

// changed counts in whole percent; from nothing there is no percentage.
func changed(now, before int64) Change {
	switch {
	case now == before:
		return Change{Text: "igual"}
	case before <= 0:
		return Change{Up: now > before, Down: now < before}
	}
	percent := ((now-before)*200/before + sign(now-before)) / 2
	c := Change{Up: percent > 0, Down: percent < 0}
	switch {
	case percent == 0:
		c.Text = "casi igual"
	case percent >= 1000:
		c.Text = viewNumber(now/before) + " veces"
	default:
		c.Text = viewNumber(max(percent, -percent)) + " %"
	}
	return c
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}
