package templates

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxMessage is what a text may have, so that a caption and what is merged into
// it stay within what a phone shows without folding.
const maxMessage = 1000

// messageSamples holds a plausible value for every variable, long ones where
// life is long.
func messageSamples() map[string]string {
	url := "https://qoa.example.com/c/4n8Xk2mQpL0sVtYw7Rb9Ag/4H7K-2MQZ"
	return map[string]string{
		"shop": "Abarrotes y Miscelánea Lupita", "card_url": url, "privacy_url": "https://qoa.example.com/privacidad", "product": "Coca-Cola Original 600 ml", "goal": "10", "unit": "stamp",
		"reward": "Coca-Cola 600 ml gratis", "campaign": "Junta y gana con Coca-Cola", "name": "Guadalupe", "query": "chocolatitos de la abuela", "choices": `[{"id":"K7M2QR","label":"Abarrotes Lupita, Centro"},{"id":"K7M2QS","label":"Abarrotes Lupita, Roma"}]`,
		"balances":      `[{"campaign":"Junta y gana","shop":"Abarrotes Lupita","unit":"stamp","balance":"4","goal":"10","missing":"6","reward":"Coca gratis","ready":"","tier":"Oro","discount":"10 % en galletas","at_risk":"1 de febrero","expiring":"2","expires":"31 de enero"},{"campaign":"Puntos","shop":"","unit":"point","balance":"120","goal":"100","missing":"0","reward":"Taza","ready":"yes","tier":"","discount":"","at_risk":"","expiring":"","expires":""},{"campaign":"Club","shop":"","unit":"point","balance":"-3","goal":"","missing":"53","reward":"","ready":"","tier":"","discount":"","at_risk":"","expiring":"1","expires":"hoy"}]`,
		"pending":       `[{"date":"3 ene","shop":"Abarrotes Lupita","detail":"2 Coca-Cola 600 ml","waiting":"[{\"campaign\":\"Junta y gana\",\"unit\":\"stamp\",\"amount\":\"2\"}]"}]`,
		"waiting":       `[{"campaign":"Junta y gana con Coca-Cola","unit":"stamp","amount":"2"},{"campaign":"Junta y gana con Coca-Cola","unit":"point","amount":"36"}]`,
		"notes":         `[{"campaign":"Puntos","why":"limit_reached"},{"campaign":"Junta","why":"budget_exhausted"},{"campaign":"Club","why":"below_minimum"},{"campaign":"Café","why":"cooldown"}]`,
		"movements":     `[{"date":"3 ene","shop":"Abarrotes Lupita","detail":"2 Coca-Cola 600 ml","unit":"stamp","amount":"2","kind":"earn"},{"date":"2 ene","shop":"Abarrotes Lupita","detail":"","unit":"stamp","amount":"-10","kind":"redeem"}]`,
		"evidence_code": "EK7M2QXS", "redemption_code": "RK7M2QXS", "card_code": "4H7K2MQZ", "code": "EK7M2QXS", "expires": "mañana a las 18:30",
		"rewards": `[{"reward":"Coca gratis","campaign":"Junta y gana","threshold":"10","unit":"stamp","missing":"1","ready":""},{"reward":"Taza","campaign":"Puntos","threshold":"100","unit":"point","missing":"0","ready":"yes"}]`,
		"missing": "1", "campaigns": `[{"campaign":"Junta y gana","products":"Coca-Cola 600 ml","goal":"10","unit":"stamp","reward":"Coca gratis","until":"31 de enero"}]`,
		"scan_url": "https://qoa.example.com/t/4n8Xk2mQpL0sVtYw7Rb9Ag4n8Xk2mQpL0sVtYw7Rb9Ag", "case": "A-1024", "text": "PEDIR 3 cajas de coca", "purchased": `[{"product":"Coca-Cola 600 ml","quantity":"2"},{"product":"Gansito","quantity":"1"}]`,
		"earned": `[{"campaign":"Junta y gana","unit":"stamp","amount":"2","balance":"10","goal":"10","ready":"yes"},{"campaign":"Puntos","unit":"point","amount":"1","balance":"61","goal":"100","ready":""},{"campaign":"Club","unit":"point","amount":"5","balance":"-1","goal":"","ready":""}]`,
		"taken":  `[{"campaign":"Junta y gana","unit":"stamp","amount":"2","balance":"-1","negative":"yes"},{"campaign":"Puntos","unit":"point","amount":"1","balance":"60","negative":""}]`, "negative": "yes",
		"amount": "12", "date": "31 de enero", "reason": "Se cobró dos veces el ticket 1042", "tier": "Oro", "now": "Plata", "shops": "Abarrotes Lupita y La Esperanza",
		"period": "del 6 al 12 de enero", "purchases": "1", "units": "1204", "total": "$12,345.50", "consumers": "31", "stamps": "96", "top": `[{"product":"Coca-Cola 600 ml","quantity":"40"},{"product":"Gansito","quantity":"12"}]`,
		"poster_url": "https://qoa.example.com/v1/shops/K7M2QR/poster.pdf", "topic": "tu registro", "balance": "9", "revenue": "$12,345.50", "margin": "$3,210.00", "rewards_cost": "$540.00", "fee": "$1,000.00", "roi": "1.08", "what": "sellos", "used": "8,000", "cap": "10,000", "paused": "yes", "url": "https://qoa.example.com/marca/roi", "minutes": "5",
		"until": "mañana a las 14:30", "since": "hoy a la 1:05",
	}
}

func loadMessages(t *testing.T) *Messages {
	t.Helper()
	m, err := LoadMessages()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestEveryMessageRendersShortAndWhole walks all texts: each renders from the
// samples, leaves no hole, and stays short.
func TestEveryMessageRendersShortAndWhole(t *testing.T) {
	m := loadMessages(t)
	samples := messageSamples()
	for _, key := range m.Keys() {
		for wording := range m.Wordings(key) {
			text, err := m.render(key, samples, uint32(wording)) //nolint:gosec // wordings are few
			if err != nil {
				t.Error(err)
				continue
			}
			if n := utf8.RuneCountInString(text); n == 0 || n >= maxMessage {
				t.Errorf("%s has %d characters", key, n)
			}
			for _, bad := range []string{"{{", "<no value>", "\n\n\n", "  ", " \n", "%!"} {
				if strings.Contains(text, bad) {
					t.Errorf("%s holds %q:\n%s", key, bad, text)
				}
			}
		}
	}
}

// What goes to many is worded differently, and a retry says what it said.
func TestAReminderHasSeveralWordings(t *testing.T) {
	m := loadMessages(t)
	seen := map[string]bool{}
	for _, seed := range []string{"3EB0A", "3EB0B", "3EB0C", "3EB0D", "3EB0E", "3EB0F", "3EB0G", "3EB0H"} {
		text, err := m.Vary("nudge.complete_card", messageSamples(), seed)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := m.Vary("nudge.complete_card", messageSamples(), seed); again != text {
			t.Error("the same message says something else when it is tried again")
		}
		if !strings.Contains(text, "BAJA") {
			t.Errorf("no way out of it:\n%s", text)
		}
		seen[text] = true
	}
	if len(seen) != m.Wordings("nudge.complete_card") || len(seen) < 3 {
		t.Errorf("%d wordings were seen", len(seen))
	}
}

func TestAMissingVariableIsAnError(t *testing.T) {
	m := loadMessages(t)
	samples := messageSamples()
	for _, key := range m.Keys() {
		for _, missing := range m.Vars(key) {
			vars := map[string]string{}
			for k, v := range samples {
				if k != missing {
					vars[k] = v
				}
			}
			if _, err := m.Render(key, vars); err == nil {
				t.Errorf("%s renders without %s", key, missing)
			}
		}
	}
	if _, err := m.Render("no.such.text", nil); err == nil {
		t.Error("a text that does not exist renders")
	}
}

func TestMessagesAreRefusedWhenTheyLie(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"undeclared": {`a: {text: "Hola {{.name}}"}`, "a uses name without declaring it"},
		"inside if":  {`a: {text: "{{if .name}}x{{end}}"}`, "a uses name without declaring it"},
		"unused":     {`a: {vars: [name], text: "Hola"}`, "a declares name without using it"},
		"unknown":    {`a: {test: "Hola"}`, "unknown field"},
		"twice":      {"a: {text: x}\na: {text: y}", "already defined"},
		"syntax":     {`a: {text: "{{.name"}`, "unclosed action"},
	} {
		if _, err := parseMessages([]byte(c.yaml)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestSpanishPlurals(t *testing.T) {
	for _, c := range []struct{ amount, unit, want string }{
		{"1", "stamp", "1 sello"}, {"2", "stamp", "2 sellos"}, {"0", "stamp", "0 sellos"}, {"-1", "point", "-1 punto"}, {"1250", "point", "1,250 puntos"},
	} {
		if got, err := messageUnits(c.amount, c.unit); err != nil || got != c.want {
			t.Errorf("%s %s: got %q, %v", c.amount, c.unit, got, err)
		}
	}
	if _, err := messageUnits("2", "coins"); err == nil {
		t.Error("an unknown unit is taken")
	}
}

// TestFirstAnswerFitsACaption: the first answer is the caption of the QR, with
// the question for the name in it, the notice of privacy and one card link.
func TestFirstAnswerFitsACaption(t *testing.T) {
	m := loadMessages(t)
	samples := messageSamples()
	for _, product := range []string{samples["product"], ""} {
		samples["product"] = product
		if product == "" {
			samples["goal"], samples["unit"], samples["reward"] = "", "", ""
		}
		welcome, err := m.Render("onboarding.welcome", samples)
		if err != nil {
			t.Fatal(err)
		}
		ask, err := m.Render("onboarding.ask_name", samples)
		if err != nil {
			t.Fatal(err)
		}
		text := welcome + "\n\n" + ask
		if n := utf8.RuneCountInString(text); n >= maxMessage {
			t.Errorf("the first answer has %d characters", n)
		}
		if strings.Count(text, "/c/") != 1 || !strings.Contains(text, samples["privacy_url"]) || !strings.Contains(text, "BAJA") {
			t.Errorf("the first answer lacks something:\n%s", text)
		}
	}
}

// TestWhatTheBotBeginsSaysHowToStop holds the notices that are no receipts.
func TestWhatTheBotBeginsSaysHowToStop(t *testing.T) {
	m := loadMessages(t)
	for _, key := range []string{"nudge.complete_card", "invite.tendero", "digest.weekly", "roi.weekly", "budget.80", "budget.100", "expiry.warning", "tier.at_risk", "tier.lost", "budget.80", "budget.100"} {
		text, err := m.Render(key, messageSamples())
		if err != nil || !strings.Contains(text, "BAJA") {
			t.Errorf("%s does not say how to stop: %v\n%s", key, err, text)
		}
	}
	if !slices.Contains(m.Keys(), "conversation.parked") {
		t.Error("there is nothing to say when we fail")
	}
}

// TestReceiptsInPlainWords holds receipts to what a person must understand.
func TestReceiptsInPlainWords(t *testing.T) {
	earned := `[{"campaign":"Junta","unit":"stamp","amount":"2","balance":"3","goal":"10","ready":""},{"campaign":"Junta","unit":"point","amount":"36","balance":"-3","goal":"100","ready":""}]`
	for name, c := range map[string]struct {
		key  string
		vars map[string]string
		want []string
		not  []string
	}{
		"both units of one campaign, one of them owing": {
			key: "receipt.earned", vars: map[string]string{"earned": earned, "notes": ""},
			want: []string{"⭐ +2 sellos en *Junta*: llevas 3 de 10\n⭐ +36 puntos en *Junta*: debes 3 puntos por una devolución"}, not: []string{"ℹ️", "-3"},
		},
		"why it was less": {
			key: "receipt.earned", vars: map[string]string{"notes": `[{"campaign":"Junta","why":"limit_reached"}]`},
			want: []string{"En *Junta* no sumó todo: ya se llegó al máximo por ahora."},
		},
		"nothing is left to give": {
			key: "receipt.nothing", vars: map[string]string{"notes": `[{"campaign":"Junta","why":"budget_exhausted"}]`},
			want: []string{"Esta vez no sumó en *Junta*: se acabó lo que esta promoción tenía para dar."},
		},
		"waiting for a yes, and nothing else": {
			key: "receipt.pending", vars: map[string]string{"earned": "[]", "notes": ""},
			want: []string{"¿Fuiste tú?", "Responde *SÍ* para que cuenten tus 2 sellos de *Junta y gana con Coca-Cola* y 36 puntos de", "o *NO* si no fue tuya"}, not: []string{"Ya contaron"},
		},
		"waiting in one campaign, earned in another": {
			key: "receipt.pending", vars: map[string]string{"earned": earned},
			want: []string{"Ya contaron 2 sellos en *Junta*: llevas 3 de 10"},
		},
		"a return that leaves a debt": {
			key: "reversal.done", vars: map[string]string{},
			want: []string{"• 2 sellos de *Junta y gana*: debes 1 sello\n• 1 punto de *Puntos*: te quedan 60 puntos", "se descuenta de tus próximas compras"},
		},
		"a return that leaves enough": {
			key: "reversal.done", vars: map[string]string{"negative": "", "taken": `[{"campaign":"Puntos","unit":"point","amount":"1","balance":"60"}]`},
			not: []string{"debes"},
		},
		"a correction that takes": {
			key: "adjustment.done", vars: map[string]string{"amount": "-1", "unit": "point", "balance": "-1"},
			want: []string{"te quitamos 1 punto. Debes 1 punto."},
		},
		"a correction that gives": {
			key: "adjustment.done", vars: map[string]string{"amount": "+1", "unit": "stamp", "balance": "4"},
			want: []string{"te sumamos 1 sello. Llevas 4 sellos."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			vars := messageSamples()
			maps.Copy(vars, c.vars)
			text, err := loadMessages(t).Render(c.key, vars)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in:\n%s", want, text)
				}
			}
			for _, not := range c.not {
				if strings.Contains(text, not) {
					t.Errorf("%q is in:\n%s", not, text)
				}
			}
		})
	}
}

// TestAWeekWithoutPurchasesInvites: a digest of nothing lists no zeros.
func TestAWeekWithoutPurchasesInvites(t *testing.T) {
	vars := messageSamples()
	vars["purchases"], vars["units"], vars["consumers"], vars["stamps"], vars["total"], vars["top"] = "0", "0", "0", "0", "$0.00", "[]"
	text, err := loadMessages(t).Render("digest.weekly", vars)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "$0.00") || strings.Contains(text, "\n\n\n") || !strings.Contains(text, "*cartel*") || !strings.Contains(text, "BAJA") {
		t.Error(text)
	}
}
