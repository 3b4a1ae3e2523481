package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// TokenKind is what a bearer secret opens. Each kind has a prefix of its own,
// so that one found in a log or a repository names itself.
type TokenKind string

// The kinds of tokens.
const (
	AccessToken  TokenKind = "access"  // the API, for minutes
	RefreshToken TokenKind = "refresh" // a new pair of both, once
	PageToken    TokenKind = "page"    // the pages, as a cookie
	LinkToken    TokenKind = "link"    // a link in a chat that opens a page session
	APIKeyToken  TokenKind = "api_key" // the API, for machines, until revoked

	PasswordToken TokenKind = "password" // staff choose a password by it, once
)

var tokenPrefix = map[TokenKind]string{
	AccessToken: "qoa_at_", RefreshToken: "qoa_rt_", PageToken: "qoa_pg_", LinkToken: "qoa_ln_", APIKeyToken: "qoa_key_",
	PasswordToken: "qoa_pw_",
}

// How long tokens live.
const (
	AccessLife     = 15 * time.Minute
	RefreshLife    = 30 * 24 * time.Hour
	PersonPageLife = 30 * 24 * time.Hour // a phone's own page
	StaffPageLife  = 12 * time.Hour      // a working day at a desk that others may use
	LinkLife       = 24 * time.Hour      // opened any number of times until then: chats preview links
	PasswordLife   = 48 * time.Hour      // over a weekend's day off
)

// Session is what a caller presented, and who it is for people.
type Session struct {
	ID        loyalty.ID // of the token
	Family    loyalty.ID // of the login; see Revoke
	Name      string     // of the staff or person, or the label of the key
	Email     string     // of staff
	ExpiresAt *time.Time // nil: until revoked
}

// Tokens are what a login gives.
type Tokens struct {
	Access    string
	Refresh   string
	ExpiresIn time.Duration // of Access
}

// errUnauthorized says the same for every wrong token: wrong, expired, revoked.
func errUnauthorized() *loyalty.Error {
	return loyalty.Fail(loyalty.KindUnauthorized, loyalty.CodeUnauthorized, "Tu sesión no es válida o ya terminó. Entra de nuevo.")
}

// Authenticate says who presents a token: one query gives the token with the
// role, the CPG and the shops as they are now, so that whoever was deactivated
// is refused at once.
func (tx *Tx) Authenticate(ctx context.Context, kind TokenKind, token string) (loyalty.Scope, Session, error) {
	return tx.authenticate(ctx, kind, token, "")
}

func (tx *Tx) authenticate(ctx context.Context, kind TokenKind, token, lock string) (loyalty.Scope, Session, error) {
	hash := sha256.Sum256([]byte(token))
	scope, session, err := scanPrincipal(tx.tx.QueryRow(ctx, selectPrincipal+lock, hash[:], kind, tx.now), kind)
	if err == nil {
		tx.db.memory.callers.remember(hash, scope)
	}
	return scope, session, err
}

const selectPrincipal = `
	SELECT t.id, t.family, t.expires_at, t.label,
	  s.id, s.role, s.cpg_id, s.name, s.email, p.id, p.name,
	  ARRAY(SELECT d.shop_id FROM tenderos d WHERE d.person_id = p.id AND d.active ORDER BY d.shop_id),
	  EXISTS (SELECT FROM consumers o WHERE o.person_id = p.id)
	FROM tokens t
	LEFT JOIN staff s ON s.id = t.staff_id AND s.active
	  AND (s.cpg_id IS NULL OR EXISTS (SELECT FROM cpgs g WHERE g.id = s.cpg_id AND g.active))
	LEFT JOIN persons p ON p.id = t.person_id AND p.erased_at IS NULL
	WHERE ` + tokenStands

// tokenStands is the condition that a token opens something: by its hash ($1) and
// kind ($2), at a moment ($3).
const tokenStands = `t.hash = $1 AND t.kind = $2 AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $3)`

// scanPrincipal reads the row of selectPrincipal.
func scanPrincipal(row pgx.Row, kind TokenKind) (loyalty.Scope, Session, error) {
	var session Session
	var p principal
	var label string
	err := row.Scan(&session.ID, &session.Family, &session.ExpiresAt, &label,
		&p.staff, &p.role, &p.cpg, &p.staffName, &p.email, &p.person, &p.personName, &p.shops, &p.consumer)
	if none(err) {
		return loyalty.Scope{}, Session{}, errUnauthorized()
	}
	if err != nil {
		return loyalty.Scope{}, Session{}, err
	}
	scope, ok := p.scope()
	if kind == APIKeyToken {
		scope, ok = loyalty.Scope{Role: loyalty.RoleIntegration, Key: session.ID}, true
	}
	if !ok {
		return loyalty.Scope{}, Session{}, errUnauthorized()
	}
	for _, name := range []*string{&label, p.personName, p.staffName} {
		if name != nil && *name != "" {
			session.Name = *name
		}
	}
	set(&session.Email, p.email)
	return scope, session, nil
}

// principal is whom a token stands for, as the database knows it now.
type principal struct {
	staff, cpg, person           *loyalty.ID
	role                         *loyalty.Role
	staffName, email, personName *string
	shops                        []loyalty.ID
	consumer                     bool
}

// scope gives the caller's scope: staff as it is named, a person as tendero
// where it keeps a shop, else as consumer where it has a card.
func (p principal) scope() (loyalty.Scope, bool) {
	var s loyalty.Scope
	switch {
	case p.staff != nil:
		s.Staff = *p.staff
		s.Role = *p.role
		set(&s.CPG, p.cpg)
	case p.person != nil && len(p.shops) > 0:
		s = loyalty.Scope{Role: loyalty.RoleTendero, Person: *p.person, Shops: p.shops}
	case p.person != nil && p.consumer:
		s = loyalty.Scope{Role: loyalty.RoleConsumer, Person: *p.person}
	default:
		return s, false
	}
	return s, true
}

// personScope gives the scope of a person who proved to be it.
func (tx *Tx) personScope(ctx context.Context, person loyalty.ID) (loyalty.Scope, error) {
	p := principal{person: &person}
	err := tx.tx.QueryRow(ctx, `
		SELECT ARRAY(SELECT d.shop_id FROM tenderos d WHERE d.person_id = $1 AND d.active ORDER BY d.shop_id),
		  EXISTS (SELECT FROM consumers o WHERE o.person_id = $1)`, person).Scan(&p.shops, &p.consumer)
	if err != nil {
		return loyalty.Scope{}, err
	}
	scope, ok := p.scope()
	if !ok {
		return scope, loyalty.Fail(loyalty.KindForbidden, loyalty.CodeForbidden, "Ese teléfono todavía no tiene tarjeta ni tienda en Qoa.")
	}
	return scope, nil
}

// IssueTokens begins a session of the API.
func (tx *Tx) IssueTokens(ctx context.Context, scope loyalty.Scope) (Tokens, error) {
	return tx.issuePair(ctx, scope, tx.newID())
}

func (tx *Tx) issuePair(ctx context.Context, scope loyalty.Scope, family loyalty.ID) (Tokens, error) {
	access, err := tx.issue(ctx, AccessToken, scope, family, AccessLife)
	if err != nil {
		return Tokens{}, err
	}
	refresh, err := tx.issue(ctx, RefreshToken, scope, family, RefreshLife)
	return Tokens{Access: access, Refresh: refresh, ExpiresIn: AccessLife}, err
}

// Refresh gives a new pair for a refresh token, which is spent by it. A spent
// one that comes again was copied: the whole login is revoked. It is a method
// of DB because that must be kept while the caller gets an error.
func (db *DB) Refresh(ctx context.Context, token string) (Tokens, error) {
	var tokens Tokens
	var refused error
	err := db.InTx(ctx, func(tx *Tx) error {
		tokens, refused = Tokens{}, nil
		// The lock makes two who bring the same token one after the other.
		scope, session, err := tx.authenticate(ctx, RefreshToken, token, " FOR UPDATE OF t")
		if loyalty.CodeOf(err) == loyalty.CodeUnauthorized {
			refused = err
			return tx.revokeSpent(ctx, token)
		}
		if err != nil {
			return err
		}
		if _, err := tx.tx.Exec(ctx, `UPDATE tokens SET revoked_at = $2 WHERE id = $1`, session.ID, tx.now); err != nil {
			return err
		}
		tokens, err = tx.issuePair(ctx, scope, session.Family)
		return err
	})
	if err == nil {
		err = refused
	}
	return tokens, err
}

// revokeSpent revokes the login of a refresh token that was used up before.
func (tx *Tx) revokeSpent(ctx context.Context, token string) error {
	hash := sha256.Sum256([]byte(token))
	var family loyalty.ID
	err := tx.tx.QueryRow(ctx, `
		SELECT family FROM tokens WHERE hash = $1 AND kind = 'refresh' AND revoked_at IS NOT NULL`, hash[:]).Scan(&family)
	if none(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.Revoke(ctx, family)
}

// Revoke ends a login: all tokens of its family, at once.
func (tx *Tx) Revoke(ctx context.Context, family loyalty.ID) error {
	_, err := tx.tx.Exec(ctx, `UPDATE tokens SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL`, family, tx.now)
	return err
}

// IssuePageSession begins a session of the pages; the answer is the cookie.
func (tx *Tx) IssuePageSession(ctx context.Context, scope loyalty.Scope) (string, error) {
	life := PersonPageLife
	if scope.Staff != "" {
		life = StaffPageLife
	}
	return tx.issue(ctx, PageToken, scope, tx.newID(), life)
}

// IssueLink makes the secret of a link that the bot sends to a tendero.
func (tx *Tx) IssueLink(ctx context.Context, person loyalty.ID) (string, error) {
	return tx.issue(ctx, LinkToken, loyalty.Scope{Person: person}, tx.newID(), LinkLife)
}

// OpenLink begins a session of the pages for who holds a link.
func (tx *Tx) OpenLink(ctx context.Context, token string) (string, error) {
	scope, _, err := tx.Authenticate(ctx, LinkToken, token)
	if err != nil {
		return "", err
	}
	return tx.IssuePageSession(ctx, scope)
}

// issue makes a token for staff or a person.
func (tx *Tx) issue(ctx context.Context, kind TokenKind, scope loyalty.Scope, family loyalty.ID, life time.Duration) (string, error) {
	if scope.Staff == "" && scope.Person == "" {
		return "", loyalty.Forbidden()
	}
	token := tx.secret(kind)
	hash := sha256.Sum256([]byte(token))
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO tokens (hash, id, kind, family, staff_id, person_id, issued_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		hash[:], tx.newID(), kind, family, optional(scope.Staff), optional(scope.Person), tx.now, tx.now.Add(life))
	return token, err
}

// secret draws 256 bits: nobody guesses one, so a fast hash is enough to store
// it by.
func (tx *Tx) secret(kind TokenKind) string {
	return tokenPrefix[kind] + base64.RawURLEncoding.EncodeToString(tx.random(32))
}

// random reads n bytes. Without randomness nothing may go on.
func (tx *Tx) random(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(tx.db.opt.Random, b); err != nil {
		panic(fmt.Sprintf("store: random source failed: %v", err))
	}
	return b
}

// SweepTokens deletes what can open nothing any more. Spent refresh tokens stay
// until they would have expired, to notice a copy.
func (tx *Tx) SweepTokens(ctx context.Context) (int64, error) {
	tag, err := tx.tx.Exec(ctx, `
		DELETE FROM tokens WHERE expires_at < $1 OR revoked_at < $1 AND kind NOT IN ('refresh', 'api_key')`, tx.now.Add(-24*time.Hour))
	return tag.RowsAffected(), err
}
