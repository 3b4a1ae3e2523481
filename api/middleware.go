package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// localKey keys what middlewares leave in a request for each other.
type localKey int

const (
	routeKey localKey = iota
	errorKey
	scopeKey
	sessionKey
	credentialKey
)

// patience is how long a request may take before its work is called off.
const patience = 20 * time.Second

// observe gives the request its trace ID, turns a panic into a 500, and counts
// and logs how it ended. It logs the route's pattern and never the path, which
// may hold a secret.
func (s *server) observe(c *fiber.Ctx) (err error) {
	began := s.DB.Now()
	trace := s.traceID(c)
	ctx, cancel := context.WithTimeout(store.WithTrace(context.Background(), trace), patience)
	defer cancel()
	c.SetUserContext(ctx)
	c.Set(requestID, trace)
	defer func() {
		if p := recover(); p != nil {
			s.Log.ErrorContext(ctx, "panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = s.fail(c, fiber.ErrInternalServerError)
		}
		s.record(c, s.DB.Now().Sub(began))
	}()
	if err := c.Next(); err != nil {
		return s.fail(c, err)
	}
	return nil
}

func (s *server) record(c *fiber.Ctx, took time.Duration) {
	pattern := "unmatched"
	if r, ok := c.Locals(routeKey).(Route); ok {
		pattern = r.Path
	}
	status := c.Response().StatusCode()
	s.metrics.observe(c.Method(), pattern, status, took)
	level := slog.LevelInfo
	if strings.HasPrefix(pattern, "/health/") || strings.HasPrefix(pattern, "/static/") || pattern == "/metrics" || pattern == "/sim/messages" || pattern == webhookPath {
		level = slog.LevelDebug // asked all day long by machines
	}
	attrs := []slog.Attr{
		slog.String("method", c.Method()), slog.String("route", pattern), slog.Int("status", status),
		slog.Int64("ms", took.Milliseconds()),
	}
	if scope, ok := c.Locals(scopeKey).(loyalty.Scope); ok {
		attrs = append(attrs, slog.String("actor", scope.Actor()))
	}
	if err, ok := c.Locals(errorKey).(error); ok {
		attrs = append(attrs, slog.String("code", string(problemOf(err).Code)))
		if status >= http.StatusInternalServerError {
			// Only what failed on our side is told in full: other errors quote
			// what the caller sent.
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", err.Error()))
		}
	}
	s.Log.LogAttrs(c.UserContext(), level, "request", attrs...)
}

// requestID names the header that carries the trace ID back.
const requestID = "X-Request-Id"

// traceID takes the caller's W3C trace or request ID, or makes one.
func (s *server) traceID(c *fiber.Ctx) string {
	if parts := strings.Split(c.Get("traceparent"), "-"); len(parts) == 4 && len(parts[1]) == 32 && isHex(parts[1]) && strings.Trim(parts[1], "0") != "" {
		return parts[1]
	}
	if id := c.Get(requestID); len(id) >= 1 && len(id) <= 64 && strings.IndexFunc(id, notInID) < 0 {
		return id
	}
	b := make([]byte, 16)
	if _, err := io.ReadFull(s.Random, b); err != nil {
		panic(fmt.Sprintf("api: random source failed: %v", err))
	}
	return hex.EncodeToString(b)
}

func isHex(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') }) < 0
}

func notInID(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_' && r != '.'
}

// headers are the same for every answer; a handler may loosen caching.
func (s *server) headers(c *fiber.Ctx) error {
	s.setHeaders(c)
	return c.Next()
}

func (s *server) setHeaders(c *fiber.Ctx) {
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=(), usb=()")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	c.Set(fiber.HeaderContentSecurityPolicy, templates.ContentSecurityPolicy)
	c.Set(fiber.HeaderCacheControl, "no-store")
	if s.secure {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

func (s *server) limitBody(c *fiber.Ctx) error {
	most := maxBody
	switch {
	case c.Path() == webhookPath:
		most = maxWebhook
	case strings.HasPrefix(c.Path(), catalogueURL+"/"):
		most = maxUpload
	}
	if len(c.Request().Body()) > most {
		return fiber.ErrRequestEntityTooLarge
	}
	return c.Next()
}

// match notes which line of the route table answers, and what that line asks
// of every request alike.
func (s *server) match(r Route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Locals(routeKey, r)
		if r.Door == Secret || r.Door == Cookie {
			c.Set("X-Robots-Tag", "noindex, nofollow")
		}
		if r.Door == Secret {
			// The address is the key: no other page may learn it.
			c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
		}
		// Behind a secret address no cookie counts: whoever can post there knows the
		// secret. And its pages send no referrer, so that browsers without
		// Sec-Fetch-Site give their own forms' origin as null.
		if r.Page && r.Door != Secret && r.Method == fiber.MethodPost && !s.sameOrigin(c) {
			return loyalty.Fail(loyalty.KindForbidden, codeOrigin, "El formulario viene de otro sitio. Ábrelo de nuevo desde Qoa.")
		}
		return c.Next()
	}
}

// sameOrigin refuses forms that another site posts. A browser always says where
// a POST comes from: by Origin or, where the referrer policy blanks that, by
// Sec-Fetch-Site. What says neither is no browser, and has no cookies of others.
func (s *server) sameOrigin(c *fiber.Ctx) bool {
	origin := c.Get(fiber.HeaderOrigin)
	switch origin {
	case "", "null":
		site := c.Get("Sec-Fetch-Site")
		return site == "same-origin" || site == "none" || site == "" && origin == ""
	case originOf(s.DB.PublicURL()):
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && u.Host == string(c.Request().Header.Host())
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func isHTTPS(address string) bool { return strings.HasPrefix(address, "https://") }
