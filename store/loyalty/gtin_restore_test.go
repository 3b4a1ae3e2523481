package loyalty_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestASpreadsheetSpoilsBarcodesAndTheCheckDigitRestoresThem(t *testing.T) {
	for text, want := range map[string]string{
		"7501055300075": "7501055300075", " 7501055300075 ": "7501055300075", "7501055300075.0": "7501055300075", "7.501055300075E+12": "7501055300075", "7,501055300075E+12": "7501055300075",
		"'7501055300075": "7501055300075", `="012345678905"`: "0012345678905", "012345678905": "0012345678905",
		"12345678905": "0012345678905", // a UPC without its zero
		"96385074":    "96385074",      // a GTIN-8
		"2345673":     "02345673",      // one without its zero
		// What the digits do not prove.
		"12345678904": "", "7.50106E+12": "", "7501055300076": "", "": "", "hola": "", "123456": "", "7.5E+99": "", "7501055300075E": "",
	} {
		got, restored, err := loyalty.RestoreGTIN(text)
		assert.Equal(t, loyalty.GTIN(want), got, text)
		assert.Equal(t, want == "", err != nil, text)
		assert.Equal(t, want != "" && text != want && text != "012345678905" && text != " 7501055300075 ", restored, text)
	}
}
