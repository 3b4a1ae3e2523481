package templates

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var numberNow = time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC) // noon in Mexico City

// TestANumberSaysHowItIs holds each state to what it must tell: what happened,
// what to do, and when it ends.
func TestANumberSaysHowItIs(t *testing.T) {
	soon, alive := numberNow.Add(22*time.Hour), numberNow.Add(-5*time.Second)
	long := numberNow.Add(-3 * time.Minute)
	for name, c := range map[string]struct {
		state NumberState
		chip  string
		tone  string
		want  []string
		not   []string
	}{
		"nobody has it yet":      {NumberState{Status: "pairing"}, "por vincular", "degraded", []string{"rol bot"}, nil},
		"the QR is on its way":   {NumberState{Status: "pairing", Owned: true}, "por vincular", "degraded", []string{"unos segundos"}, nil},
		"to be scanned":          {NumberState{Status: "pairing", Owned: true, Scan: true}, "por vincular", "degraded", []string{"Dispositivos vinculados → Vincular un dispositivo"}, nil},
		"nobody scanned":         {NumberState{Status: "pairing", Reason: "expired", Owned: true}, "por vincular", "degraded", []string{"a tiempo", "«Vincular otra vez»"}, nil},
		"pairing failed":         {NumberState{Status: "pairing", Reason: "failed"}, "por vincular", "degraded", []string{"no terminaron", "«Vincular otra vez»"}, nil},
		"connected":              {NumberState{Status: "connected", Owned: true, AliveAt: alive}, "conectado", "ok", []string{"recibe y contesta"}, nil},
		"connected but dead":     {NumberState{Status: "connected", Owned: true, Silent: true, AliveAt: long}, "no responde", "down", []string{"no responde desde hoy a las 11:57", "se vuelve a conectar solo"}, nil},
		"its process died":       {NumberState{Status: "connected", AliveAt: alive}, "sin conexión", "down", []string{"se detuvo", "Otro proceso"}, nil},
		"disconnected":           {NumberState{Status: "disconnected", Owned: true, AliveAt: long}, "sin conexión", "down", []string{"hoy a las 11:57", "vuelve a conectar solo"}, nil},
		"unlinked":               {NumberState{Status: "logged_out", Reason: ""}, "desvinculado", "down", []string{"desvinculó", "«Vincular otra vez»"}, nil},
		"the phone is gone":      {NumberState{Status: "logged_out", Reason: "403"}, "desvinculado", "down", []string{"teléfono principal"}, nil},
		"the account is gone":    {NumberState{Status: "banned", Reason: "406"}, "bloqueado", "down", []string{"cerró esta cuenta", "carteles"}, nil},
		"the keys are gone":      {NumberState{Status: "logged_out", Reason: "no_device"}, "desvinculado", "down", []string{"llaves", "«Vincular otra vez»"}, nil},
		"silent, so cut":         {NumberState{Status: "disconnected", Reason: "silent", Owned: true, AliveAt: long}, "sin conexión", "down", []string{"dejó de responder", "hoy a las 11:57"}, nil},
		"not kept, so cut":       {NumberState{Status: "disconnected", Reason: "refused", Owned: true}, "sin conexión", "down", []string{"no se pudo guardar", "revisa la base de datos"}, nil},
		"rejected":               {NumberState{Status: "disconnected", Reason: "409", Owned: true}, "sin conexión", "down", []string{"con el código 409", "«Conectar otra vez»"}, nil},
		"banned 101":             {NumberState{Status: "banned", Reason: "101", Until: soon}, "bloqueado", "down", []string{"no lo tienen en sus contactos", "termina mañana a las 10:00"}, nil},
		"banned 102":             {NumberState{Status: "banned", Reason: "102", Until: soon}, "bloqueado", "down", []string{"lo bloquearon", "termina mañana"}, nil},
		"banned 104":             {NumberState{Status: "banned", Reason: "104", Until: soon}, "bloqueado", "down", []string{"el mismo texto", "termina mañana"}, nil},
		"banned 106":             {NumberState{Status: "banned", Reason: "106", Until: soon}, "bloqueado", "down", []string{"listas de difusión", "termina mañana"}, nil},
		"banned for something":   {NumberState{Status: "banned", Reason: "199"}, "bloqueado", "down", []string{"no dijo hasta cuándo", "«Conectar otra vez»"}, []string{"; termina"}},
		"the reach-out timelock": {NumberState{Status: "restricted", Owned: true, Until: numberNow.AddDate(0, 0, 9), AliveAt: alive}, "solo contesta", "degraded", []string{"empiece conversaciones", "se le sigue contestando", "termina el 30 de noviembre a las 12:00"}, nil},
		"outdated":               {NumberState{Status: "outdated"}, "versión vieja", "down", []string{"versión más nueva"}, nil},
		"replaced":               {NumberState{Status: "replaced"}, "sesión en otro lado", "down", []string{"Otro proceso o dispositivo", "«Conectar otra vez»"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.state.Now = numberNow
			w, err := loadMessages(t).Number(c.state)
			if err != nil {
				t.Fatal(err)
			}
			if w.Chip != c.chip || w.Tone != c.tone {
				t.Errorf("chip %q (%s), want %q (%s)", w.Chip, w.Tone, c.chip, c.tone)
			}
			if w.What == "" || w.Next == "" || strings.Contains(w.Detail(), "\n") {
				t.Errorf("no sentence of two parts: %q", w)
			}
			for _, want := range c.want {
				if !strings.Contains(strings.ToLower(w.Detail()), strings.ToLower(want)) {
					t.Errorf("%q is not in %q", want, w.Detail())
				}
			}
			for _, not := range c.not {
				if strings.Contains(w.Detail(), not) {
					t.Errorf("%q is in %q", not, w.Detail())
				}
			}
		})
	}
}

// TestEveryTextOfANumberIsTwoLines: a page shows what happened apart from what
// to do.
func TestEveryTextOfANumberIsTwoLines(t *testing.T) {
	m := loadMessages(t)
	n := 0
	for _, key := range m.Keys() {
		if !strings.HasPrefix(key, "number.") {
			continue
		}
		n++
		for _, vars := range []map[string]string{{"code": "409"}, messageSamples()} {
			text, err := m.Render(key, vars)
			if err != nil || strings.Count(text, "\n") != 1 || strings.Contains(text, " ;") || strings.Contains(text, " .") {
				t.Errorf("%s: %v\n%s", key, err, text)
			}
		}
	}
	if n == 0 || slices.Contains(m.Keys(), "number.") {
		t.Error("no texts of numbers")
	}
}

func TestMomentsAsOneSaysThem(t *testing.T) {
	for want, at := range map[string]time.Time{
		"hoy a las 12:00":                   numberNow,
		"hoy a la 1:30":                     time.Date(2026, 11, 21, 7, 30, 0, 0, time.UTC),
		"ayer a las 23:59":                  time.Date(2026, 11, 21, 5, 59, 0, 0, time.UTC),
		"mañana a las 12:00":                numberNow.AddDate(0, 0, 1),
		"el 1 de diciembre a las 12:00":     numberNow.AddDate(0, 0, 10),
		"el 1 de enero de 2027 a las 12:00": numberNow.AddDate(0, 0, 41),
		"":                                  {},
	} {
		if got := momentWords(at, numberNow); got != want {
			t.Errorf("%v is %q, want %q", at, got, want)
		}
	}
}

func TestATerminalReadsTheSameWords(t *testing.T) {
	say := loadMessages(t).NumberSentences(func() time.Time { return numberNow })
	for want, got := range map[string]string{
		"apunta la cámara a este código": say("pairing", "", time.Time{}), "termina mañana a las 12:00": say("banned", "101", numberNow.AddDate(0, 0, 1)), "sleeping": say("sleeping", "", time.Time{}),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}
