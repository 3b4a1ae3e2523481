package templates

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func loadCloud(t *testing.T) *CloudTemplates {
	t.Helper()
	c, err := LoadCloudTemplates(loadMessages(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEveryNoticeHasACloudTemplate: what the bot begins comes when the person may
// not have written for weeks.
func TestEveryNoticeHasACloudTemplate(t *testing.T) {
	keys := loadCloud(t).Keys()
	for _, key := range loadMessages(t).Keys() {
		area, _, _ := strings.Cut(key, ".")
		if slices.Contains([]string{"receipt", "expiry", "tier", "nudge", "digest", "budget", "roi", "reversal", "adjustment", "otp", "redemption", "invite"}, area) && !slices.Contains(keys, key) {
			t.Errorf("no template stands for %s", key)
		}
	}
}

// TestCloudTemplatesAreAsMetaTakesThem: one line for each variable, a text that
// neither begins nor ends with one, a way to stop where the bot insists.
func TestCloudTemplatesAreAsMetaTakesThem(t *testing.T) {
	c := loadCloud(t)
	names := map[string]bool{}
	for _, key := range c.Keys() {
		filled, ok, err := c.Fill(key, messageSamples())
		if err != nil || !ok {
			t.Fatalf("%s: %v", key, err)
		}
		if names[filled.Name] {
			t.Errorf("%s: the name %s is taken", key, filled.Name)
		}
		names[filled.Name] = true
		text := c.byKey[key].Text
		if strings.HasPrefix(text, "{{") || strings.HasSuffix(text, "}}") {
			t.Errorf("%s begins or ends with a variable", key)
		}
		whole := text
		for i, v := range filled.Vars {
			if v == "" || strings.ContainsAny(v, "\n\t") || strings.Contains(v, "  ") || strings.Contains(v, "no value") {
				t.Errorf("%s: %q is no variable's text", key, v)
			}
			whole = strings.Replace(whole, "{{"+string(rune('1'+i))+"}}", v, 1)
		}
		if n := utf8.RuneCountInString(whole); n > 1024 {
			t.Errorf("%s is %d characters long", key, n)
		}
		if c.byKey[key].Category == "marketing" && !strings.Contains(text, "BAJA") {
			t.Errorf("%s does not say how to stop", key)
		}
	}
	otp, _, err := c.Fill("otp.code", messageSamples())
	if err != nil || otp.Button != otp.Vars[0] {
		t.Errorf("the code is not in the button: %+v %v", otp, err)
	}
}

func TestCloudTemplatesAreRefusedWhenTheyLie(t *testing.T) {
	texts := loadMessages(t)
	for name, c := range map[string]struct{ yaml, want string }{
		"no such text":        {`{nada.nada: {name: a, category: utility, text: hola}}`, "no text of that key"},
		"no such variable":    {`{otp.code: {name: a, category: utility, text: "x {{1}} y", vars: ["{{.shop}}"]}}`, "shop is not a variable"},
		"an optional one":     {`{receipt.earned: {name: a, category: utility, text: "x {{1}} y", vars: ["{{.notes}}"]}}`, "notes is not a variable"},
		"too many places":     {`{otp.code: {name: a, category: utility, text: "x {{1}} {{2}} y", vars: ["{{.code}}"]}}`, "2 places and 1 variables"},
		"places out of order": {`{otp.code: {name: a, category: utility, text: "x {{2}} {{1}} y", vars: ["{{.code}}", "{{.minutes}}"]}}`, "{{2}} stands where {{1}} should"},
		"a bad name":          {`{otp.code: {name: Ä, category: utility, text: hola}}`, "no name of a template"},
		"a bad category":      {`{otp.code: {name: a, category: spam, text: hola}}`, "no category"},
		"an unknown member":   {`{otp.code: {nombre: a}}`, "nombre"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseCloudTemplates([]byte(c.yaml), texts); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestATextWithoutACloudTemplateSaysSo(t *testing.T) {
	if _, ok, err := loadCloud(t).Fill("greeting.consumer", nil); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	if _, ok, err := loadCloud(t).Fill("otp.code", nil); !ok || err == nil {
		t.Error("a missing variable is no error")
	}
}
