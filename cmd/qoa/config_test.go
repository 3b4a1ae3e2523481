package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A misspelt proxy would be trusted by nobody and noticed by nobody; a short
// token would be guessed.
func TestSettingsOfWhoIsTrustedAreChecked(t *testing.T) {
	for name, c := range map[string]struct{ value, complaint string }{
		"METRICS_TOKEN":   {"corto", "METRICS_TOKEN: expected at least 16 characters"},
		"TRUSTED_PROXIES": {"10.0.0.0/8,nginx", "TRUSTED_PROXIES: expected addresses or CIDRs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, c.value)
			_, err := loadConfig(forDev)
			require.ErrorContains(t, err, c.complaint)
		})
	}
	t.Setenv("METRICS_TOKEN", "solo-para-prometheus")
	t.Setenv("TRUSTED_PROXIES", "10.0.0.0/8, 192.168.1.1,::1")
	c, err := loadConfig(forDev)
	require.NoError(t, err)
	require.Equal(t, "solo-para-prometheus", c.MetricsToken)
}
