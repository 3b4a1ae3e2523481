package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// sessionCookie holds a page session's token.
const sessionCookie = "qoa_session"

// authorize finds out who calls and refuses who may not, as the route's line
// says.
func (s *server) authorize(r Route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		var kind store.TokenKind
		var token string
		switch r.Door {
		case Open, Secret:
			return c.Next()
		case Cookie:
			kind, token = store.PageToken, c.Cookies(sessionCookie)
		case Bearer:
			kind, token = bearer(c)
		}
		if token == "" {
			return s.unknownCaller(c, r, unauthorized())
		}
		if r.Hot {
			// Whom the token names is known; that it still stands, the use case's own
			// transaction finds out, if it comes to that.
			credential := store.Credential{Kind: kind, Token: token}
			if scope, ok := s.DB.Recognize(credential); ok && r.allows(scope.Role) {
				c.Locals(scopeKey, scope)
				c.Locals(credentialKey, credential)
				err := c.Next()
				s.keyUsed(c, scope)
				switch loyalty.CodeOf(err) {
				case "", loyalty.CodeUnauthorized:
					return err
				case loyalty.CodeUnavailable: // says nothing of anything, and who has no time needs no more work
					return err
				}
				if _, proof := s.authenticate(c, kind, token); proof != nil {
					return proof // what is wrong beside it is nobody's business
				}
				return err
			}
		}
		scope, err := s.authenticate(c, kind, token)
		if loyalty.CodeOf(err) == loyalty.CodeUnauthorized {
			return s.unknownCaller(c, r, err)
		}
		if err != nil {
			return err
		}
		s.keyUsed(c, scope)
		if !r.allows(scope.Role) {
			return loyalty.Forbidden()
		}
		return c.Next()
	}
}

// keyUsed notes the use of an integration's key; that this failed is nobody's
// trouble who uses it.
func (s *server) keyUsed(c *fiber.Ctx, scope loyalty.Scope) {
	if scope.Key == "" {
		return
	}
	if err := s.DB.KeyUsed(c.UserContext(), scope.Key); err != nil {
		s.Log.WarnContext(c.UserContext(), "use of a key not noted", "error", err)
	}
}

// authenticate asks the database whom the token names, and notes it.
func (s *server) authenticate(c *fiber.Ctx, kind store.TokenKind, token string) (loyalty.Scope, error) {
	var session store.Session
	scope, err := tx(s, c, func(ctx context.Context, t *store.Tx) (scope loyalty.Scope, err error) {
		scope, session, err = t.Authenticate(ctx, kind, token)
		return scope, err
	})
	if err == nil {
		c.Locals(scopeKey, scope)
		c.Locals(sessionKey, session)
	}
	return scope, err
}

// unproven is the credential of a caller of a hot route who is only recognized;
// nil where it was proven.
func unproven(c *fiber.Ctx) *store.Credential {
	if credential, ok := c.Locals(credentialKey).(store.Credential); ok {
		return &credential
	}
	return nil
}

// unknownCaller sends people to where they enter, and machines an error.
func (s *server) unknownCaller(c *fiber.Ctx, r Route, err error) error {
	if r.Door != Cookie {
		return err
	}
	if strings.HasPrefix(r.Path, "/tienda") {
		return s.scanLoginPage(c)
	}
	return s.staffSessionOver(c, r)
}

// bearer reads the Authorization header. API keys name themselves.
func bearer(c *fiber.Ctx) (store.TokenKind, string) {
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return "", ""
	}
	token = strings.TrimSpace(token)
	if strings.HasPrefix(token, apiKeyPrefix) {
		return store.APIKeyToken, token
	}
	return store.AccessToken, token
}

// apiKeyPrefix begins every API key (see store.TokenKind).
const apiKeyPrefix = "qoa_key_"

// scopeOf is who calls; nobody at all on open routes.
func scopeOf(c *fiber.Ctx) loyalty.Scope {
	scope, _ := c.Locals(scopeKey).(loyalty.Scope)
	return scope
}

func sessionOf(c *fiber.Ctx) store.Session {
	session, _ := c.Locals(sessionKey).(store.Session)
	return session
}

type userJSON struct {
	ID    loyalty.ID   `json:"id"`
	Role  loyalty.Role `json:"role"`
	Name  string       `json:"name,omitempty"`
	Email string       `json:"email,omitempty"`
	CPG   loyalty.ID   `json:"cpg_id,omitempty"`
	Shops []loyalty.ID `json:"shop_ids,omitempty"`
}

type tokensJSON struct {
	Access    string    `json:"access_token"`
	Refresh   string    `json:"refresh_token"`
	ExpiresIn int       `json:"expires_in"` // seconds
	User      *userJSON `json:"user,omitempty"`
}

func showTokens(v store.Tokens, user *userJSON) tokensJSON {
	return tokensJSON{Access: v.Access, Refresh: v.Refresh, ExpiresIn: int(v.ExpiresIn / time.Second), User: user}
}

type loginInput struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

func (s *server) login(c *fiber.Ctx) error {
	in, err := body[loginInput](c)
	if err != nil {
		return err
	}
	staff, err := s.passwordLogin(c, in.Email, in.Password)
	if err != nil {
		return err
	}
	user := &userJSON{ID: staff.ID, Role: staff.Role, Name: staff.Name, Email: staff.Email, CPG: staff.Scope().CPG}
	return s.grant(c, staff.Scope(), user)
}

// passwordLogin is what the API's login and the pages' login have in common.
func (s *server) passwordLogin(c *fiber.Ctx, email, password string) (store.Staff, error) {
	if email == "" || password == "" {
		return store.Staff{}, loyalty.Fail(loyalty.KindInvalid, loyalty.CodeInvalid, "Escribe tu correo y tu contraseña.")
	}
	if err := s.throttle(c, loginLimits(email, s.callerNet(c))); err != nil {
		return store.Staff{}, err
	}
	return s.DB.LoginStaff(c.UserContext(), email, password)
}

// grant answers with the tokens of a new session.
func (s *server) grant(c *fiber.Ctx, scope loyalty.Scope, user *userJSON) error {
	tokens, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Tokens, error) { return t.IssueTokens(ctx, scope) })
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, showTokens(tokens, user))
}

type refreshInput struct {
	Refresh string `json:"refresh_token"`
}

func (s *server) refresh(c *fiber.Ctx) error {
	in, err := body[refreshInput](c)
	if err != nil {
		return err
	}
	tokens, err := s.DB.Refresh(c.UserContext(), in.Refresh)
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, showTokens(tokens, nil))
}

func (s *server) logout(c *fiber.Ctx) error {
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		return struct{}{}, t.Revoke(ctx, sessionOf(c).Family)
	})
	if err != nil {
		return err
	}
	return c.SendStatus(http.StatusNoContent)
}

type otpInput struct {
	Phone string `json:"phone"`
}

// requestOTP answers the same for every phone: who has a card or a shop is
// nobody else's business.
func (s *server) requestOTP(c *fiber.Ctx) error {
	in, err := body[otpInput](c)
	if err != nil {
		return err
	}
	phone, err := loyalty.ParsePhone(in.Phone)
	if err != nil {
		return err
	}
	if err := s.throttle(c, otpLimits(string(phone), s.callerNet(c))); err != nil {
		return err
	}
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (bool, error) { return t.IssueOTP(ctx, phone) })
	if err != nil {
		return err
	}
	return data(c, http.StatusAccepted, map[string]any{
		"detail":     "Si ese teléfono ya le escribió a Qoa, su código va en camino por WhatsApp. Si no, empieza con el enlace.",
		"expires_in": int(store.OTPLife / time.Second), "whatsapp_url": s.waURL("hola"),
	})
}

type otpCheck struct {
	Phone string `json:"phone"`
	Code  string `json:"code"`
}

func (s *server) verifyOTP(c *fiber.Ctx) error {
	in, err := body[otpCheck](c)
	if err != nil {
		return err
	}
	phone, err := loyalty.ParsePhone(in.Phone)
	if err != nil {
		return err
	}
	if err := s.throttle(c, guessLimits(string(phone), s.callerNet(c))); err != nil {
		return err
	}
	scope, err := s.DB.VerifyOTP(c.UserContext(), phone, strings.TrimSpace(in.Code))
	if err != nil {
		return err
	}
	return s.grant(c, scope, &userJSON{ID: scope.Person, Role: scope.Role, Shops: scope.Shops})
}

// openSession sets the cookie of a page session.
func (s *server) openSession(c *fiber.Ctx, token string, life time.Duration) {
	c.Cookie(&fiber.Cookie{
		Name: sessionCookie, Value: token, Path: "/", MaxAge: int(life / time.Second),
		HTTPOnly: true, Secure: s.secure, SameSite: fiber.CookieSameSiteLaxMode,
	})
}

// closeSession ends the page session, in the database and in the browser.
func (s *server) closeSession(c *fiber.Ctx) error {
	if token := c.Cookies(sessionCookie); token != "" {
		_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
			_, session, err := t.Authenticate(ctx, store.PageToken, token)
			if err != nil {
				return struct{}{}, err
			}
			return struct{}{}, t.Revoke(ctx, session.Family)
		})
		if err != nil && loyalty.CodeOf(err) != loyalty.CodeUnauthorized {
			return err
		}
	}
	c.Cookie(&fiber.Cookie{
		Name: sessionCookie, Value: "", Path: "/", MaxAge: -1, Expires: time.Unix(1, 0),
		HTTPOnly: true, Secure: s.secure, SameSite: fiber.CookieSameSiteLaxMode,
	})
	return nil
}
