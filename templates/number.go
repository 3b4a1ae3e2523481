package templates

import (
	"strconv"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// NumberState is what is known of a WhatsApp number: the stored state, and what
// the moment makes of it.
type NumberState struct {
	Status  string    // as the contract names them: pairing, connected, …
	Reason  string    // why, or "": a code of WhatsApp's, or a word of ours
	Owned   bool      // a process looks after it now
	Scan    bool      // there is a QR to scan
	Silent  bool      // it claims to be connected, and WhatsApp does not answer (P30)
	Until   time.Time // the end of a ban or restriction; zero where unknown
	AliveAt time.Time // the last sign of life; zero where there was none
	Now     time.Time
}

// Abandoned says whether the number should be at work and nobody looks after it.
func (n NumberState) Abandoned() bool {
	return !n.Owned && (n.Status == "connected" || n.Status == "restricted" || n.Status == "disconnected")
}

// NumberWords is a number's state in words: a chip, what happened, what to do.
type NumberWords struct {
	Chip string
	Tone string // class of a pill: ok, degraded, down
	What string
	Next string
}

// Detail is all of it in one line.
func (w NumberWords) Detail() string { return strings.TrimSpace(w.What + " " + w.Next) }

// Number says how a number is. It is the one place that does: API, pages,
// terminal and health read the same words.
func (m *Messages) Number(n NumberState) (NumberWords, error) {
	key := m.numberKey(n)
	text, err := m.Render(key, map[string]string{"until": momentWords(n.Until, n.Now), "since": momentWords(n.AliveAt, n.Now), "code": n.Reason})
	if err != nil {
		return NumberWords{}, err
	}
	w := numberChip(n)
	w.What, w.Next, _ = strings.Cut(text, "\n")
	return w, nil
}

// NumberSentences says how a number is to who looks at a terminal, where the QR of
// a pairing stands beside it.
func (m *Messages) NumberSentences(now func() time.Time) func(status, reason string, until time.Time) string {
	return func(status, reason string, until time.Time) string {
		w, err := m.Number(NumberState{Status: status, Reason: reason, Owned: true, Scan: true, Until: until, Now: now()})
		if err != nil {
			return status
		}
		return w.Detail()
	}
}

// numberKey is the text of a state: its own where there is one, else that of the
// status alone, so that a reason that WhatsApp invents tomorrow is not a failure.
func (m *Messages) numberKey(n NumberState) string {
	key, reason := "number."+n.Status, n.Reason
	switch {
	case n.Abandoned():
		return "number.disconnected.unowned"
	case n.Silent:
		return "number.connected.silent"
	case n.Status == "pairing" && reason == "" && !n.Owned:
		return "number.pairing.waiting"
	case n.Status == "pairing" && reason == "" && n.Scan:
		return "number.pairing.scan"
	case reason != "" && m.Has(key+"."+reason):
		return key + "." + reason
	case reason != "" && n.Status == "disconnected": // WhatsApp's own code, after which nobody tries again
		return key + ".rejected"
	}
	return key
}

func numberChip(n NumberState) NumberWords {
	switch {
	case n.Abandoned():
		return NumberWords{Chip: "sin conexión", Tone: "down"}
	case n.Silent:
		return NumberWords{Chip: "no responde", Tone: "down"}
	}
	switch n.Status {
	case "pairing":
		return NumberWords{Chip: "por vincular", Tone: "degraded"}
	case "connected":
		return NumberWords{Chip: "conectado", Tone: "ok"}
	case "disconnected":
		return NumberWords{Chip: "sin conexión", Tone: "down"}
	case "logged_out":
		return NumberWords{Chip: "desvinculado", Tone: "down"}
	case "banned":
		return NumberWords{Chip: "bloqueado", Tone: "down"}
	case "restricted":
		return NumberWords{Chip: "solo contesta", Tone: "degraded"}
	case "outdated":
		return NumberWords{Chip: "versión vieja", Tone: "down"}
	case "replaced":
		return NumberWords{Chip: "sesión en otro lado", Tone: "down"}
	}
	return NumberWords{Chip: n.Status, Tone: "degraded"}
}

// momentWords says a moment as a sentence has it: "hoy a las 14:30", "el 22 de
// noviembre a las 14:30"; "" for none.
func momentWords(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	zone := loyalty.Zone("")
	t, now = t.In(zone), now.In(zone)
	day := "el " + strconv.Itoa(t.Day()) + " de " + monthName(t.Month())
	switch {
	case sameDay(t, now):
		day = "hoy"
	case sameDay(t, now.AddDate(0, 0, 1)):
		day = "mañana"
	case sameDay(t, now.AddDate(0, 0, -1)):
		day = "ayer"
	case t.Year() != now.Year():
		day += " de " + strconv.Itoa(t.Year())
	}
	at := " a las "
	if t.Hour() == 1 {
		at = " a la "
	}
	return day + at + strconv.Itoa(t.Hour()) + t.Format(":04")
}

func sameDay(a, b time.Time) bool {
	return a.Year() == b.Year() && a.YearDay() == b.YearDay()
}
