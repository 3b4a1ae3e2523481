package store_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

const password = "una frase larga"

func (w *world) staff(email string, role loyalty.Role, cpg loyalty.ID) (s store.Staff) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		s, err = tx.CreateStaff(w.t.Context(), w.admin, store.StaffInput{Email: email, Password: password, Name: "Ana", Role: role, CPG: cpg})
		return err
	})
	return s
}

func (w *world) login(scope loyalty.Scope) (tokens store.Tokens) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		tokens, err = tx.IssueTokens(w.t.Context(), scope)
		return err
	})
	return tokens
}

// who says whom a token opens for, and the code of the refusal.
func (w *world) who(kind store.TokenKind, token string) (scope loyalty.Scope, code loyalty.Code) {
	w.t.Helper()
	err := w.db.InTx(w.t.Context(), func(tx *store.Tx) (err error) {
		scope, _, err = tx.Authenticate(w.t.Context(), kind, token)
		return err
	})
	return scope, loyalty.CodeOf(err)
}

func TestStaffLogIn(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	ana := w.staff("Ana@Marca.MX ", loyalty.RoleCPG, w.cpg)
	require.Equal(t, "ana@marca.mx", ana.Email)

	got, err := w.db.LoginStaff(ctx, " ANA@marca.mx", password)
	require.NoError(t, err)
	require.Equal(t, loyalty.Scope{Role: loyalty.RoleCPG, CPG: w.cpg, Staff: ana.ID}, got.Scope())
	for email, pass := range map[string]string{
		"ana@marca.mx": "otra frase larga", "nadie@marca.mx": password, "": "", "\x00": "\x00", "ana@marca.mx ": strings.Repeat("x", 1<<20),
	} {
		_, err := w.db.LoginStaff(ctx, email, pass)
		require.Equal(t, loyalty.CodeBadCredentials, loyalty.CodeOf(err))
	}

	// A new password ends what was logged in, and so does deactivation.
	tokens := w.login(got.Scope())
	scope, code := w.who(store.AccessToken, tokens.Access)
	require.Empty(t, code)
	require.Equal(t, got.Scope(), scope)
	changed, inactive := "otra frase larga", false
	w.do(func(tx *store.Tx) error {
		_, err := tx.UpdateStaff(ctx, w.admin, ana.ID, store.StaffPatch{Password: &changed})
		return err
	})
	_, code = w.who(store.AccessToken, tokens.Access)
	require.Equal(t, loyalty.CodeUnauthorized, code)
	_, err = w.db.LoginStaff(ctx, "ana@marca.mx", changed)
	require.NoError(t, err)
	w.do(func(tx *store.Tx) error {
		_, err := tx.UpdateStaff(ctx, w.admin, ana.ID, store.StaffPatch{Active: &inactive})
		return err
	})
	_, err = w.db.LoginStaff(ctx, "ana@marca.mx", changed)
	require.Equal(t, loyalty.CodeBadCredentials, loyalty.CodeOf(err))
}

// The team of a company that left is refused at once.
func TestADeactivatedCompanyLogsNobodyIn(t *testing.T) {
	w := newWorld(t, 4)
	ana := w.staff("ana@marca.mx", loyalty.RoleCPG, w.cpg)
	tokens := w.login(ana.Scope())
	no := false
	w.do(func(tx *store.Tx) error {
		_, err := tx.UpdateCPG(t.Context(), w.admin, w.cpg, store.CPGPatch{Active: &no})
		return err
	})
	_, code := w.who(store.AccessToken, tokens.Access)
	require.Equal(t, loyalty.CodeUnauthorized, code)
	_, err := w.db.LoginStaff(t.Context(), "ana@marca.mx", password)
	require.Equal(t, loyalty.CodeBadCredentials, loyalty.CodeOf(err))
}

// P41: tokens expire, rotate and can be revoked; nothing stored opens a door.
func TestPitfallP41TokensExpireAndAreRevoked(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	ana := w.staff("ana@marca.mx", loyalty.RoleAdmin, "")
	tokens := w.login(ana.Scope())
	require.Zero(t, w.count(`SELECT count(*) FROM tokens t WHERE strpos(t::text, $1) > 0 OR strpos(t::text, $2) > 0`, tokens.Access, tokens.Refresh))

	// A token is of its kind only.
	for _, kind := range []store.TokenKind{store.RefreshToken, store.PageToken, store.LinkToken, store.APIKeyToken} {
		_, code := w.who(kind, tokens.Access)
		require.Equal(t, loyalty.CodeUnauthorized, code)
	}
	w.clock.Advance(store.AccessLife)
	_, code := w.who(store.AccessToken, tokens.Access)
	require.Equal(t, loyalty.CodeUnauthorized, code)

	next, err := w.db.Refresh(ctx, tokens.Refresh)
	require.NoError(t, err)
	_, code = w.who(store.AccessToken, next.Access)
	require.Empty(t, code)

	// The spent one comes again: somebody copied it. Neither may go on.
	_, err = w.db.Refresh(ctx, tokens.Refresh)
	require.Equal(t, loyalty.CodeUnauthorized, loyalty.CodeOf(err))
	_, code = w.who(store.AccessToken, next.Access)
	require.Equal(t, loyalty.CodeUnauthorized, code)
	_, err = w.db.Refresh(ctx, next.Refresh)
	require.Equal(t, loyalty.CodeUnauthorized, loyalty.CodeOf(err))

	late := w.login(ana.Scope())
	w.clock.Advance(store.RefreshLife)
	_, err = w.db.Refresh(ctx, late.Refresh)
	require.Equal(t, loyalty.CodeUnauthorized, loyalty.CodeOf(err))
	_, err = w.db.Refresh(ctx, "")
	require.Equal(t, loyalty.CodeUnauthorized, loyalty.CodeOf(err))

	w.clock.Advance(48 * time.Hour)
	w.do(func(tx *store.Tx) error { _, err := tx.SweepTokens(ctx); return err })
	require.Zero(t, w.count(`SELECT count(*) FROM tokens`))
}

func TestARefreshTokenIsSpentOnceByMany(t *testing.T) {
	w := newWorld(t, 4)
	tokens := w.login(w.staff("ana@marca.mx", loyalty.RoleAdmin, "").Scope())
	var good atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if _, err := w.db.Refresh(t.Context(), tokens.Refresh); err == nil {
				good.Add(1)
			} else if loyalty.CodeOf(err) != loyalty.CodeUnauthorized {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, good.Load())
}

func TestATenderosLinkOpensPagesUntilItExpires(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	var tendero store.Tendero
	var link string
	w.do(func(tx *store.Tx) (err error) {
		tendero, err = tx.CreateTendero(ctx, w.admin, store.TenderoInput{Shop: w.shop.ID, Phone: "5587654321", Name: "Lupita"})
		require.NoError(t, err)
		link, err = tx.IssueLink(ctx, tendero.Person)
		return err
	})
	open := func() (page string, code loyalty.Code) {
		err := w.db.InTx(ctx, func(tx *store.Tx) (err error) {
			page, err = tx.OpenLink(ctx, link)
			return err
		})
		return page, loyalty.CodeOf(err)
	}
	first, code := open()
	require.Empty(t, code)
	w.clock.Advance(store.LinkLife - time.Minute) // chats preview links: once would be too few
	second, code := open()
	require.Empty(t, code)
	require.NotEqual(t, first, second)
	scope, code := w.who(store.PageToken, first)
	require.Empty(t, code)
	require.Equal(t, loyalty.Scope{Role: loyalty.RoleTendero, Person: tendero.Person, Shops: []loyalty.ID{w.shop.ID}}, scope)
	w.clock.Advance(time.Minute)
	_, code = open()
	require.Equal(t, loyalty.CodeUnauthorized, code)

	// Who keeps the shop no more is refused at once, on every page.
	no := false
	w.do(func(tx *store.Tx) error {
		_, err := tx.UpdateTendero(ctx, w.admin, tendero.ID, store.TenderoPatch{Active: &no})
		return err
	})
	_, code = w.who(store.PageToken, second)
	require.Equal(t, loyalty.CodeUnauthorized, code)
}

// P43: keys work, are shown once, stored hashed, and end when revoked.
func TestPitfallP43APIKeysWorkUntilRevoked(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	var plain string
	var key store.APIKey
	w.do(func(tx *store.Tx) (err error) {
		plain, key, err = tx.CreateAPIKey(ctx, w.admin, "T-Conecta")
		return err
	})
	w.clock.Advance(10 * 365 * 24 * time.Hour)
	scope, code := w.who(store.APIKeyToken, plain)
	require.Empty(t, code)
	require.Equal(t, loyalty.Scope{Role: loyalty.RoleIntegration, Key: key.ID}, scope)
	w.do(func(tx *store.Tx) error {
		_, err := tx.RevokeAPIKey(ctx, w.admin, key.ID)
		require.NoError(t, err)
		keys, _, err := tx.APIKeys(ctx, w.admin, everything)
		require.NoError(t, err)
		require.Len(t, keys, 1)
		require.NotNil(t, keys[0].RevokedAt)
		return nil
	})
	_, code = w.who(store.APIKeyToken, plain)
	require.Equal(t, loyalty.CodeUnauthorized, code)
}

func TestOneTimePasswords(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	phone := loyalty.Phone("+525512345678")
	send := func(to loyalty.Phone) (sent bool) {
		w.do(func(tx *store.Tx) (err error) {
			sent, err = tx.IssueOTP(ctx, to)
			return err
		})
		return sent
	}
	newest := func() (code string) {
		w.do(func(tx *store.Tx) error {
			// Read as delivery does, past what onboarding left to send.
			for {
				out, ok, err := tx.Claim(ctx, w.person, "", time.Minute)
				require.NoError(t, err)
				if !ok {
					return nil
				}
				if out.Template == "otp.code" {
					code = out.Vars["code"]
				}
				require.NoError(t, tx.Sent(ctx, out.ID, "…"))
			}
		})
		return code
	}
	verify := func(code string) (loyalty.Scope, loyalty.Code) {
		scope, err := w.db.VerifyOTP(ctx, phone, code)
		return scope, loyalty.CodeOf(err)
	}
	// Nothing goes to a phone that never wrote, known or not.
	require.False(t, send("+525599999999"))
	w.do(func(tx *store.Tx) error {
		_, err := tx.CreateTendero(ctx, w.admin, store.TenderoInput{Shop: w.shop.ID, Phone: "5587654321", Name: "Lupita"})
		return err
	})
	require.False(t, send("+525587654321"))
	require.Zero(t, w.count(`SELECT count(*) FROM otps`))

	_, code := verify("000000")
	require.Equal(t, loyalty.CodeOTPInvalid, code)
	require.True(t, send(phone))
	first := newest()
	require.Len(t, first, 6)
	scope, code := verify(first)
	require.Empty(t, code)
	require.Equal(t, loyalty.Scope{Role: loyalty.RoleConsumer, Person: w.person}, scope)
	_, code = verify(first)
	require.Equal(t, loyalty.CodeOTPInvalid, code, "once")

	// The newest counts, for five minutes and five guesses.
	w.clock.Advance(time.Minute)
	require.True(t, send(phone))
	old := newest()
	w.clock.Advance(time.Minute)
	require.True(t, send(phone))
	fresh := newest()
	require.NotEqual(t, old, fresh)
	for range 5 {
		_, code = verify(old)
		require.Equal(t, loyalty.CodeOTPInvalid, code)
	}
	_, code = verify(fresh)
	require.Equal(t, loyalty.CodeOTPInvalid, code, "after five guesses")
	w.clock.Advance(time.Minute)
	require.True(t, send(phone))
	late := newest()
	w.clock.Advance(store.OTPLife)
	_, code = verify(late)
	require.Equal(t, loyalty.CodeOTPInvalid, code, "too late")

	// Who keeps a shop as well comes in as its tendero.
	w.do(func(tx *store.Tx) error {
		_, err := tx.CreateTendero(ctx, w.admin, store.TenderoInput{Shop: w.shop.ID, Phone: string(phone), Name: "Lupita"})
		return err
	})
	require.True(t, send(phone))
	scope, code = verify(newest())
	require.Empty(t, code)
	require.Equal(t, loyalty.RoleTendero, scope.Role)
	require.Equal(t, []loyalty.ID{w.shop.ID}, scope.Shops)
}

// An unknown e-mail must take as long as a wrong password, or logins tell who
// exists. The work is the same; the measure is generous, for shared machines.
func TestAnUnknownEmailTakesAsLongAsAWrongPassword(t *testing.T) {
	w := newWorld(t, 4)
	w.staff("ana@marca.mx", loyalty.RoleAdmin, "")
	// The same work is done for both: a hash with the same parameters, behind the
	// same gate.
	var stored string
	c, err := pgx.Connect(t.Context(), w.url)
	require.NoError(t, err)
	defer c.Close(t.Context())
	require.NoError(t, c.QueryRow(t.Context(), `SELECT password_hash FROM staff WHERE email = 'ana@marca.mx'`).Scan(&stored))
	known, _, _, err := argon2id.DecodeHash(stored)
	require.NoError(t, err)
	unknown, _, _, err := argon2id.DecodeHash(store.Nobody)
	require.NoError(t, err)
	require.Equal(t, known, unknown)

	release, err := w.db.FillHashing(t.Context())
	require.NoError(t, err)
	defer release()
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = w.db.LoginStaff(soon, "nadie@marca.mx", "no es esta frase")
	require.Equal(t, loyalty.CodeUnavailable, loyalty.CodeOf(err), "it waits for its turn to hash")
}

// A burst of logins waits for its turn instead of taking memory for each, no
// longer than its caller does, and no more of them than the queue holds.
func TestLoginsWaitForTheirTurn(t *testing.T) {
	w := newWorld(t, 4)
	w.staff("ana@marca.mx", loyalty.RoleAdmin, "")
	release, err := w.db.FillHashing(t.Context())
	require.NoError(t, err)

	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = w.db.LoginStaff(soon, "ana@marca.mx", password)
	require.Equal(t, loyalty.CodeUnavailable, loyalty.CodeOf(err), "it does not outwait its caller")
	require.Zero(t, w.db.Waiting())

	gone, leave := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for range w.db.MostWaiting() {
		wait.Go(func() { _, _ = w.db.LoginStaff(gone, "ana@marca.mx", password) })
	}
	require.Eventually(t, func() bool { return w.db.Waiting() == w.db.MostWaiting() }, 10*time.Second, time.Millisecond)
	_, err = w.db.LoginStaff(t.Context(), "ana@marca.mx", password)
	require.Equal(t, loyalty.CodeUnavailable, loyalty.CodeOf(err), "the queue is full")
	err = w.db.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.CreateStaff(t.Context(), w.admin, store.StaffInput{Email: "eva@marca.mx", Password: password, Name: "Eva", Role: loyalty.RoleAdmin})
		return err
	})
	require.Equal(t, loyalty.CodeUnavailable, loyalty.CodeOf(err), "new passwords go through the same gate")
	leave()
	wait.Wait()
	release()
	_, err = w.db.LoginStaff(t.Context(), "ana@marca.mx", password)
	require.NoError(t, err)
}
