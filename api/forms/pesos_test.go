package forms

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPesos(t *testing.T) {
	for text, want := range map[string]int64{
		"18": 1800, "18.5": 1850, "18.50": 1850, "18,50": 1850, "$ 1,234.50": 123450, "1,234": 123400, ".5": 50, "0": 0, "12,345,678": 1234567800,
	} {
		got, ok := Pesos(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "caro", "1.234", "-5", "1e3", "9999999999", "1.2.3", "$", "٣"} {
		_, ok := Pesos(text)
		require.False(t, ok, text)
	}
}
