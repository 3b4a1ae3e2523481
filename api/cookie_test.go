package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
)

// TestOnHTTPSTheSessionStaysThere: never on the bare line, nor the first time.
func TestOnHTTPSTheSessionStaysThere(t *testing.T) {
	require.True(t, isHTTPS("https://qoa.example"))
	require.False(t, isHTTPS("http://localhost:3000"))
	s := &server{secure: true}
	app := fiber.New()
	app.Get("/", s.headers, func(c *fiber.Ctx) error {
		s.openSession(c, "qoa_pg_x", store.StaffPageLife)
		return c.SendString("")
	})
	res, err := app.Test(httptest.NewRequest(http.MethodGet, "/", nil))
	require.NoError(t, err)
	defer res.Body.Close()
	cookie := res.Cookies()[0]
	require.True(t, cookie.Secure)
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	require.Contains(t, res.Header.Get("Strict-Transport-Security"), "max-age=")
}

func TestParsePesos(t *testing.T) {
	for text, want := range map[string]int64{
		"18": 1800, "18.5": 1850, "18.50": 1850, "18,50": 1850, "$ 1,234.50": 123450, "1,234": 123400, ".5": 50, "0": 0, "12,345,678": 1234567800,
	} {
		got, ok := parsePesos(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "caro", "1.234", "-5", "1e3", "9999999999", "1.2.3", "$", "٣"} {
		_, ok := parsePesos(text)
		require.False(t, ok, text)
	}
}
