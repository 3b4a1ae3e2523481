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
