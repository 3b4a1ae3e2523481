package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func production(d *api.Deps) { d.Dev, d.Sim = false, false }

// verifyOTP reads the code from the outbox, as the phone would show it, and
// enters with it.
func verifyOTP(t *testing.T, w *apitest.World) {
	t.Helper()
	code := ""
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		for range 5 {
			out, ok, err := tx.Claim(ctx, w.Keepers[0].Person, "", time.Minute)
			require.NoError(t, err)
			require.True(t, ok, "no code in the outbox")
			if out.Template == "otp.code" {
				code = out.Vars["code"]
				return
			}
			require.NoError(t, tx.Sent(ctx, out.ID, ""))
		}
	})
	require.Regexp(t, `^\d{6}$`, code)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	got, _ := w.Problem(http.StatusUnauthorized, "POST", "/v1/auth/otp/verify", obj{"phone": w.Keepers[0].Phone, "code": wrong})
	assert.Equal(t, "OTP_INVALID", got)
	tokens := apitest.Data[struct {
		Access string `json:"access_token"`
		User   struct {
			Role  string
			Shops []loyalty.ID `json:"shop_ids"`
		}
	}](w.Client, http.StatusOK, "POST", "/v1/auth/otp/verify", obj{"phone": "55 0000 0001", "code": code})
	assert.Equal(t, "tendero", tokens.User.Role)
	assert.Equal(t, []loyalty.ID{w.Keepers[0].Shop.ID}, tokens.User.Shops)
	assert.Len(t, apitest.Data[[]thing](w.As(tokens.Access), http.StatusOK, "GET", "/v1/shops", nil), 1)
	w.Problem(http.StatusUnauthorized, "POST", "/v1/auth/otp/verify", obj{"phone": w.Keepers[0].Phone, "code": code})
}

func TestOTPSaysTheSameToEveryPhone(t *testing.T) {
	w := apitest.New(t)
	known := w.Do("POST", "/v1/auth/otp", obj{"phone": w.Shoppers[0].Phone})
	stranger := w.Do("POST", "/v1/auth/otp", obj{"phone": "+525587654321"})
	assert.Equal(t, http.StatusAccepted, known.Status)
	assert.Equal(t, known.Status, stranger.Status)
	assert.Equal(t, known.Text(), stranger.Text())
	assert.Contains(t, stranger.Text(), "https://wa.me/525599999999?text=hola")
}

func TestPitfall_P41_TokensExpireAndCanBeRevoked(t *testing.T) {
	w := apitest.New(t)
	type pair struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Expires int    `json:"expires_in"`
	}
	login := func() pair {
		return apitest.Data[pair](w.Client, http.StatusOK, "POST", "/v1/auth/login", obj{"email": "Admin@QOA.test ", "password": apitest.Password})
	}
	old := login()
	assert.Positive(t, old.Expires)
	w.Clock.Advance(time.Duration(old.Expires+1) * time.Second)
	w.As(old.Access).Problem(http.StatusUnauthorized, "GET", "/v1/cpgs", nil)
	fresh := apitest.Data[pair](w.Client, http.StatusOK, "POST", "/v1/auth/refresh", obj{"refresh_token": old.Refresh})
	apitest.Data[[]thing](w.As(fresh.Access), http.StatusOK, "GET", "/v1/cpgs", nil)
	// A spent refresh token that comes again was copied: all of the login ends.
	w.Problem(http.StatusUnauthorized, "POST", "/v1/auth/refresh", obj{"refresh_token": old.Refresh})
	w.As(fresh.Access).Problem(http.StatusUnauthorized, "GET", "/v1/cpgs", nil)
	w.Problem(http.StatusUnauthorized, "POST", "/v1/auth/refresh", obj{"refresh_token": fresh.Refresh})

	// Kinds are not taken for each other.
	other := login()
	w.As(other.Refresh).Problem(http.StatusUnauthorized, "GET", "/v1/cpgs", nil)
	w.As(w.AdminPage).Problem(http.StatusUnauthorized, "GET", "/v1/cpgs", nil)
	res := w.Do("GET", "/admin", nil, apitest.Cookie(other.Access))
	assert.Equal(t, http.StatusSeeOther, res.Status)
}

func TestWrongPasswordAndUnknownMailSoundTheSame(t *testing.T) {
	w := apitest.New(t)
	trace := apitest.With("X-Request-Id", "same")
	wrong := w.Do("POST", "/v1/auth/login", obj{"email": "admin@qoa.test", "password": "no-es-esta-frase"}, trace)
	unknown := w.Do("POST", "/v1/auth/login", obj{"email": "nadie@qoa.test", "password": "no-es-esta-frase"}, trace)
	assert.Equal(t, http.StatusUnauthorized, wrong.Status)
	assert.Equal(t, wrong.Text(), unknown.Text())
	assert.Contains(t, wrong.Text(), "BAD_CREDENTIALS")
}

// counting is a limiter of this process, whose time is moved by forget.
type counting struct {
	mu   sync.Mutex
	seen map[string]int
	per  map[string]time.Duration
}

func newCounting() *counting {
	return &counting{seen: map[string]int{}, per: map[string]time.Duration{}}
}

func (l *counting) Allow(_ context.Context, key string, most int, per time.Duration) (bool, time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.per[key] = per
	l.seen[key]++
	return l.seen[key] <= most, 30 * time.Second, nil
}

// forget is the passing of time.
func (l *counting) forget(passed time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, per := range l.per {
		if per <= passed {
			delete(l.seen, key)
		}
	}
}

// count says that n attempts were made under the keys with the prefix.
func (l *counting) count(prefix string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key := range l.seen {
		if strings.HasPrefix(key, prefix) {
			l.seen[key] = n
		}
	}
}

// proxied puts a proxy that we trust in front.
func proxied(d *api.Deps) {
	d.ClientIPHeader, d.TrustedProxies = "X-Forwarded-For", []string{"127.0.0.1", "10.0.0.0/8"}
}

func from(forwarded string) apitest.Option { return apitest.With("X-Forwarded-For", forwarded) }

func TestPitfall_P42_LoginIsThrottled(t *testing.T) {
	limits := newCounting()
	w := apitest.New(t, func(d *api.Deps) { d.Limits = limits })
	bad := obj{"email": "admin@qoa.test", "password": "no-es-esta-frase"}
	for range 8 {
		w.Problem(http.StatusUnauthorized, "POST", "/v1/auth/login", bad)
	}
	res := w.Do("POST", "/v1/auth/login", bad)
	assert.Equal(t, http.StatusTooManyRequests, res.Status)
	assert.Equal(t, "30", res.Header.Get("Retry-After"))
	// Another account is not locked out by it, nor the page's door let through.
	apitest.Data[obj](w.Client, http.StatusOK, "POST", "/v1/auth/login", obj{"email": w.Tenants[0].Email, "password": apitest.Password})
	page := w.Do("POST", "/admin/login", url.Values{"email": {"ADMIN@qoa.test"}, "password": {apitest.Password}}.Encode(), apitest.Form())
	assert.Equal(t, http.StatusTooManyRequests, page.Status)
	for range 3 {
		apitest.Data[obj](w.Client, http.StatusAccepted, "POST", "/v1/auth/otp", obj{"phone": w.Shoppers[0].Phone})
	}
	w.Problem(http.StatusTooManyRequests, "POST", "/v1/auth/otp", obj{"phone": w.Shoppers[0].Phone})
	for key := range limits.seen {
		assert.NotContains(t, key, "@", "no mail address in Redis")
		assert.NotContains(t, key, "5512345670", "no phone in Redis")
	}
}

// TestWhoGuessesLocksOutNobodyElse: an account is not locked for its owner by
// somebody who guesses at it for ever, nor may all the world guess together.
func TestWhoGuessesLocksOutNobodyElse(t *testing.T) {
	limits := newCounting()
	w := apitest.New(t, func(d *api.Deps) { d.Limits = limits }, proxied)
	bad := obj{"email": "admin@qoa.test", "password": "no-es-esta-frase"}
	good := obj{"email": "admin@qoa.test", "password": apitest.Password}
	for n := range 60 {
		want := http.StatusUnauthorized
		if n >= 8 {
			want = http.StatusTooManyRequests
		}
		// Whatever the caller writes in the header is no other address.
		res := w.Do("POST", "/v1/auth/login", bad, from(fmt.Sprintf("192.0.2.%d, 203.0.113.9, 10.0.0.7", n)))
		assert.Equal(t, want, res.Status, n)
	}
	apitest.Data[obj](w.Client, http.StatusOK, "POST", "/v1/auth/login", good, from("198.51.100.1"))
	// Many addresses together have a limit too, a much larger one.
	stranger := obj{"email": "meta@qoa.test", "password": "no-es-esta-frase"}
	assert.Equal(t, http.StatusUnauthorized, w.Do("POST", "/v1/auth/login", stranger, from("203.0.1.9")).Status)
	limits.count("login:account:", 198)
	assert.Equal(t, http.StatusUnauthorized, w.Do("POST", "/v1/auth/login", stranger, from("203.0.2.9")).Status)
	limits.count("login:account:", 200)
	assert.Equal(t, http.StatusTooManyRequests, w.Do("POST", "/v1/auth/login", stranger, from("203.0.3.9")).Status)
	limits.forget(time.Minute)
	// One IPv6 customer has more addresses than can be counted: they are one.
	refused := 0
	for n := range 12 {
		if w.Do("POST", "/v1/auth/login", bad, from(fmt.Sprintf("2001:db8::%x", n+1))).Status == http.StatusTooManyRequests {
			refused++
		}
	}
	assert.Equal(t, 4, refused)
}

// TestCodesCannotBeGuessedInADay: however patient the guesser.
func TestCodesCannotBeGuessedInADay(t *testing.T) {
	limits := newCounting()
	w := apitest.New(t, func(d *api.Deps) { d.Limits = limits }, proxied)
	phone := w.Shoppers[0].Phone
	count := func(path string, body obj, status int) (n int) {
		for minute := range 60 {
			if w.Do("POST", path, body, from(fmt.Sprintf("203.0.113.%d", minute))).Status == status {
				n++
			}
			limits.forget(time.Minute)
		}
		return n
	}
	assert.Equal(t, 5, count("/v1/auth/otp", obj{"phone": phone}, http.StatusAccepted), "codes an hour")
	assert.Equal(t, 20, count("/v1/auth/otp/verify", obj{"phone": phone, "code": "000000"}, http.StatusUnauthorized), "guesses a day")
	for range 3 {
		limits.forget(time.Hour)
		count("/v1/auth/otp", obj{"phone": phone}, http.StatusAccepted)
	}
	limits.forget(time.Hour)
	assert.Zero(t, count("/v1/auth/otp", obj{"phone": phone}, http.StatusAccepted), "codes a day")
	assert.Equal(t, 5, count("/v1/auth/otp", obj{"phone": w.Shoppers[1].Phone}, http.StatusAccepted), "another phone is another's")
}

// TestTheCallerIsWhomOurProxyHeard, and not whom the caller claims to be.
func TestTheCallerIsWhomOurProxyHeard(t *testing.T) {
	for name, c := range map[string]struct {
		forwarded string
		public    bool
	}{
		"by our proxy":              {"203.0.113.9", true},
		"claims to be here":         {"127.0.0.1, 203.0.113.9", true},
		"through two of ours":       {"127.0.0.1, 203.0.113.9, 10.1.2.3", true},
		"with a port":               {"203.0.113.9:4711", true},
		"a neighbour":               {"203.0.113.9, 192.168.1.4", false},
		"nonsense at its left":      {"203.0.113.9, qué, 10.1.2.3", false},
		"nobody but ours":           {"10.1.2.3", false},
		"IPv4 in IPv6's clothes":    {"::ffff:203.0.113.9", true},
		"IPv6":                      {"2001:db8::1", true},
		"an address of this subnet": {"fd00::5", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := apitest.New(t, proxied)
			// The metrics tell: they are for private networks.
			want := http.StatusOK
			if c.public {
				want = http.StatusForbidden
			}
			assert.Equal(t, want, w.Do("GET", "/metrics", nil, from(c.forwarded)).Status)
		})
	}
	_, err := api.New(api.Deps{TrustedProxies: []string{"nginx"}})
	assert.ErrorContains(t, err, "nginx")
}

func TestMetricsAreNotForTheWorld(t *testing.T) {
	w := apitest.New(t)
	assert.Equal(t, http.StatusOK, w.Do("GET", "/metrics", nil).Status)
	for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"} {
		res := w.Do("GET", "/metrics", nil, apitest.With(header, "127.0.0.1"))
		assert.Equal(t, http.StatusForbidden, res.Status, "a proxy that we don't know passes on for anyone")
		assert.NotContains(t, res.Text(), "qoa_http")
	}
	w = apitest.New(t, func(d *api.Deps) { d.MetricsToken = "solo-para-prometheus" })
	w.Problem(http.StatusUnauthorized, "GET", "/metrics", nil)
	for _, token := range []string{"solo-para-prometheu", w.Admin} {
		w.As(token).Problem(http.StatusUnauthorized, "GET", "/metrics", nil)
	}
	res := w.As("solo-para-prometheus").Do("GET", "/metrics", nil, from("203.0.113.9"))
	assert.Equal(t, http.StatusOK, res.Status)
	assert.Contains(t, res.Text(), "qoa_http")
}

func TestPitfall_P45_NothingPersonalInTheLog(t *testing.T) {
	w := apitest.New(t)
	w.Do("GET", w.Shoppers[0].URL, nil)
	w.Do("GET", "/t/"+w.Keepers[0].Link, nil)
	w.Do("POST", "/v1/auth/otp", obj{"phone": w.Shoppers[0].Phone})
	w.Do("GET", "/sim/messages?phone="+url.QueryEscape(string(w.Shoppers[0].Phone)), nil)
	w.Do("POST", "/v1/auth/login", obj{"email": "admin@qoa.test", "password": apitest.Password})
	w.As(w.Admin).Do("GET", "/v1/tenderos", nil)
	w.As(w.Admin).Do("POST", "/v1/tenderos", obj{"shop_id": "x", "phone": "5512345670", "name": "Ana"})
	log := w.Log.String()
	require.Contains(t, log, `"route":"/c/:secret/:card"`)
	require.Contains(t, log, `"trace_id":"`)
	secret := strings.Split(w.Shoppers[0].URL, "/")[2]
	for _, private := range []string{"5512345670", "5500000001", "Ana", "Lupita", secret, w.Keepers[0].Link, apitest.Password, w.Admin, "admin@qoa.test"} {
		assert.NotContains(t, log, private)
	}
}

func TestATraceIsTakenAndGivenBack(t *testing.T) {
	w := apitest.New(t)
	res := w.Do("GET", "/v1/nada", nil, apitest.With("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
	assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", res.Header.Get("X-Request-Id"))
	assert.Contains(t, res.Text(), `"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"`)
	assert.Contains(t, w.Log.String(), `"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"`)
	res = w.Do("GET", "/health/live", nil, apitest.With("X-Request-Id", "caja-7"))
	assert.Equal(t, "caja-7", res.Header.Get("X-Request-Id"))
	for _, bad := range []string{"ana lópez\"", strings.Repeat("x", 65)} {
		res = w.Do("GET", "/health/live", nil, apitest.With("X-Request-Id", bad))
		assert.Regexp(t, `^[0-9a-f]{32}$`, res.Header.Get("X-Request-Id"))
	}
	zero := "00-00000000000000000000000000000000-00f067aa0ba902b7-01"
	assert.NotContains(t, zero, w.Do("GET", "/health/live", nil, apitest.With("traceparent", zero)).Header.Get("X-Request-Id"))
}

func TestPitfall_P48_ProductionHasNoSimulatorAndNoHints(t *testing.T) {
	w := apitest.New(t, production)
	for _, path := range []string{"/sim", "/sim/messages?phone=5512345670", "/sim/media/1"} {
		assert.Equal(t, http.StatusNotFound, w.Do("GET", path, nil).Status, path)
	}
	assert.Equal(t, http.StatusNotFound, w.Do("POST", "/sim/messages", obj{"from": "5512345670"}).Status)
	for _, path := range []string{"/", "/marca/login", "/admin/login"} {
		res := w.Do("GET", path, nil)
		assert.Equal(t, http.StatusOK, res.Status)
		assert.NotContains(t, res.Text(), "demo-qoa-2026")
	}
}

func TestPitfall_P46_LivenessAndReadinessAreTwoThings(t *testing.T) {
	w := apitest.New(t)
	ready := w.Do("GET", "/health/ready", nil)
	assert.Equal(t, http.StatusOK, ready.Status)
	assert.Contains(t, ready.Text(), `"status":"degraded"`)
	for _, name := range []string{"postgres", "redis", "whatsapp"} {
		assert.Contains(t, ready.Text(), `"`+name+`"`)
	}
	w.DB.Close()
	assert.Equal(t, http.StatusServiceUnavailable, w.Do("GET", "/health/ready", nil).Status)
	assert.Equal(t, http.StatusOK, w.Do("GET", "/health/live", nil).Status)
}

func TestMetricsCountByPattern(t *testing.T) {
	w := apitest.New(t)
	w.Do("GET", w.Shoppers[0].URL, nil)
	w.Do("GET", "/no/such/thing", nil)
	text := w.Do("GET", "/metrics", nil).Text()
	assert.Contains(t, text, `route="/c/:secret/:card",status="200"`)
	assert.Contains(t, text, `route="unmatched",status="404"`)
	assert.Regexp(t, regexp.MustCompile(`(?m)^qoa_messages_waiting\{box="inbox",state="pending"\} 4$`), text)
	assert.Contains(t, text, "qoa_db_connections ")
	assert.NotContains(t, text, w.Shoppers[0].URL)
}
