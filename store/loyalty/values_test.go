package loyalty_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestParsePhone(t *testing.T) {
	for in, want := range map[string]loyalty.Phone{
		"+525512345678": "+525512345678", "+5215512345678": "+525512345678", "5215512345678": "+525512345678",
		"55 1234 5678": "+525512345678", "(55) 1234-5678": "+525512345678", "0052 55 1234 5678": "+525512345678",
		"+1 415 555 2671": "+14155552671", "+34612345678": "+34612345678",
		"": "", "123": "", "ANA": "", "+52551234567": "", "+5255123456789": "", "551234567a": "", "1512345678": "", "+": "", "++525512345678": "",
	} {
		got, err := loyalty.ParsePhone(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParsePhone(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestParseGTIN(t *testing.T) {
	for in, want := range map[string]loyalty.GTIN{
		"7501055300075": "7501055300075", " 750105-5300075 ": "7501055300075", "036000291452": "0036000291452", "96385074": "96385074",
		"7501055300076": "", "750105530007": "", "75010553000AB": "", "": "", "7501055300075750105530007512345": "",
	} {
		got, err := loyalty.ParseGTIN(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseGTIN(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestScannedCode(t *testing.T) {
	for in, want := range map[string]string{
		"http://localhost:3000/c/EK7M2QXS": "EK7M2QXS", "https://qoa.mx/c/ek7m-2qxs/?x=1#y": "EK7M2QXS", " EK7M 2QXS ": "EK7M2QXS",
		"https://qoa.mx/": "", "https://": "", "://": "", "": "",
	} {
		if got, _ := loyalty.ScannedCode(in); got != want {
			t.Errorf("ScannedCode(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	day := func(m time.Month, d int) time.Time { return time.Date(2026, m, d, 0, 0, 0, 0, time.UTC) }
	for _, c := range []struct{ got, want string }{
		{loyalty.Cents(0).String(), "$0.00"},
		{loyalty.Cents(5).String(), "$0.05"},
		{loyalty.Cents(123450).String(), "$1,234.50"},
		{loyalty.Cents(-123456789).String(), "-$1,234,567.89"},
		{loyalty.Thousands(999), "999"},
		{loyalty.Thousands(-1000), "-1,000"},
		{loyalty.Percent(3000), "30 %"},
		{loyalty.Percent(12345), "123.45 %"},
		{loyalty.Percent(-50), "-0.5 %"},
		{loyalty.Percent(5), "0.05 %"},
		{loyalty.PeriodInWords(day(11, 15), day(11, 21)), "del 15 al 21 de noviembre"},
		{loyalty.PeriodInWords(day(10, 28), day(11, 3)), "del 28 de octubre al 3 de noviembre"},
		{loyalty.FormatCode("EK7M2QXS"), "EK7M-2QXS"},
		{loyalty.Phone("+525512345678").LastDigits(), "…5678"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestIDAt(t *testing.T) {
	at := time.Date(2026, 11, 21, 3, 20, 0, 123e6, time.UTC)
	id := loyalty.NewID(at, rand.NewChaCha8([32]byte{9}))
	if !id.Time().Equal(at) || !loyalty.IDAt(at).Time().Equal(at) {
		t.Errorf("%s is of %s, %s of %s; want %s", id, id.Time(), loyalty.IDAt(at), loyalty.IDAt(at).Time(), at)
	}
	if id < loyalty.IDAt(at) || id >= loyalty.IDAt(at.Add(time.Millisecond)) {
		t.Errorf("%s is not within its millisecond", id)
	}
	for _, bad := range []loyalty.ID{"", "x", "zzzzzzzz-zzzz-7000-8000-000000000000"} {
		if !bad.Time().IsZero() {
			t.Errorf("%q has a time", bad)
		}
	}
}

func TestZone(t *testing.T) {
	for name, want := range map[string]string{
		"America/Tijuana": "America/Tijuana", "": loyalty.DefaultTimeZone, "Mars/Olympus": loyalty.DefaultTimeZone,
	} {
		if got := loyalty.Zone(name).String(); got != want {
			t.Errorf("Zone(%q) is %s, want %s", name, got, want)
		}
	}
}

// TestIDsOfOneMomentKeepTheirOrder: rows made together are listed as they were made.
func TestIDsOfOneMomentKeepTheirOrder(t *testing.T) {
	at, random := time.Date(2026, 11, 21, 16, 0, 0, 123e6, time.UTC), rand.NewChaCha8([32]byte{7})
	var last loyalty.ID
	for n := range uint32(1 << 18) {
		id := loyalty.NthID(at, n, random)
		if id <= last || id.Time() != at || id[14] != '7' {
			t.Fatalf("%d: %s after %s", n, id, last)
		}
		last = id
	}
	require.Less(t, loyalty.NthID(at, 1<<18, random), last, "begins anew")
}
