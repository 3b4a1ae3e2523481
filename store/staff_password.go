package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Nobody but its owner knows a password: an admin gives out a link that opens
// once, by which the owner chooses it.

// InviteStaff makes a staff member (admin) and the secret of the link by which it
// chooses a password. The secret is given this once.
func (tx *Tx) InviteStaff(ctx context.Context, scope loyalty.Scope, in StaffInput) (Staff, string, error) {
	if err := adminOnly(scope); err != nil {
		return Staff{}, "", err
	}
	in.Password = ""
	v, err := tx.createStaff(ctx, scope, in, new(check))
	if err != nil {
		return Staff{}, "", err
	}
	secret, err := tx.issue(ctx, PasswordToken, loyalty.Scope{Staff: v.ID}, tx.newID(), PasswordLife)
	return v, secret, err
}

// ResetPassword takes the password of a staff member away (admin), ends all its
// logins, and gives the secret of a link by which it chooses another. One's own is
// changed with the old one instead, so that nobody is left outside.
func (tx *Tx) ResetPassword(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Staff, string, error) {
	v, err := tx.staffToChange(ctx, scope, id)
	if err != nil {
		return Staff{}, "", err
	}
	switch {
	case scope.Staff == id:
		return v, "", conflict("Tu propia contraseña se cambia en «Mi cuenta».")
	case !v.Active:
		return v, "", conflict("Ese usuario está desactivado: reactívalo primero.")
	}
	tx.later(`UPDATE staff SET password_hash = $2, updated_at = $3 WHERE id = $1`, id, nobody, tx.now)
	tx.later(`UPDATE tokens SET revoked_at = $2 WHERE staff_id = $1 AND revoked_at IS NULL`, id, tx.now)
	tx.audit(scope, Reset, "staff", id, v.Name)
	secret, err := tx.issue(ctx, PasswordToken, loyalty.Scope{Staff: id}, tx.newID(), PasswordLife)
	return v, secret, err
}

// EndSessions ends all logins of a staff member (admin).
func (tx *Tx) EndSessions(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Staff, error) {
	v, err := tx.staffToChange(ctx, scope, id)
	if err != nil {
		return Staff{}, err
	}
	tx.later(`UPDATE tokens SET revoked_at = $2 WHERE staff_id = $1 AND revoked_at IS NULL AND kind <> 'password'`, id, tx.now)
	tx.audit(scope, Revoked, "session", id, v.Name)
	return v, nil
}

func (tx *Tx) staffToChange(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Staff, error) {
	if err := adminOnly(scope); err != nil {
		return Staff{}, err
	}
	return fetch[Staff](ctx, tx, errNoStaff(), staffColumns+` WHERE s.id = $1 FOR UPDATE OF s`, id)
}

// mayLeave refuses to deactivate oneself, and the last admin: nobody could let
// them in again.
func (tx *Tx) mayLeave(ctx context.Context, scope loyalty.Scope, v Staff) error {
	if scope.Staff == v.ID {
		return conflict("No puedes desactivar tu propio usuario: pídeselo a otro administrador.")
	}
	if v.Role != loyalty.RoleAdmin {
		return nil
	}
	// All of them are held, in one order, so that two admins cannot deactivate each
	// other at once. Who has not chosen a password yet cannot let anybody in.
	others, err := collect[struct {
		ID loyalty.ID `db:"id"`
	}](ctx, tx, `SELECT id FROM staff WHERE role = 'admin' AND active AND id <> $1 AND password_hash <> $2 ORDER BY id FOR UPDATE`, v.ID, nobody)
	if err == nil && len(others) == 0 {
		return conflict("Es el único administrador que puede entrar: crea otro antes de desactivarlo.")
	}
	return err
}

func conflict(detail string) *loyalty.Error {
	return loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, detail)
}

// PasswordLink says whose link a secret is of. The error is UNAUTHORIZED for one
// that was used, replaced, or is too old.
func (tx *Tx) PasswordLink(ctx context.Context, secret string) (Staff, error) {
	scope, _, err := tx.Authenticate(ctx, PasswordToken, secret)
	if err != nil {
		return Staff{}, err
	}
	return fetch[Staff](ctx, tx, errUnauthorized(), staffColumns+` WHERE s.id = $1`, scope.Staff)
}

// ChoosePassword sets the password of who holds a link, and ends the link with all
// logins. Errors: UNAUTHORIZED, VALIDATION_FAILED.
func (tx *Tx) ChoosePassword(ctx context.Context, secret, password string) (Staff, error) {
	// The lock makes two who bring the same link one after the other.
	scope, _, err := tx.authenticate(ctx, PasswordToken, secret, " FOR UPDATE OF t")
	if err != nil {
		return Staff{}, err
	}
	if err := tx.setPassword(ctx, scope, password, ""); err != nil {
		return Staff{}, err
	}
	return fetch[Staff](ctx, tx, errUnauthorized(), staffColumns+` WHERE s.id = $1`, scope.Staff)
}

// ChangePassword changes the caller's own password, and ends all its logins but
// the one that changes it. It is a method of DB as LoginStaff is. Errors:
// VALIDATION_FAILED, also where the old password is wrong.
func (db *DB) ChangePassword(ctx context.Context, scope loyalty.Scope, keep loyalty.ID, old, password string) error {
	var email string
	err := db.InTx(ctx, func(tx *Tx) error {
		return tx.tx.QueryRow(ctx, `SELECT email FROM staff WHERE id = $1`, scope.Staff).Scan(&email)
	})
	if err != nil {
		return err
	}
	if _, err := db.LoginStaff(ctx, email, old); err != nil {
		if loyalty.CodeOf(err) == loyalty.CodeBadCredentials {
			return loyalty.Invalid("old", "no es tu contraseña de ahora")
		}
		return err
	}
	return db.InTx(ctx, func(tx *Tx) error { return tx.setPassword(ctx, scope, password, keep) })
}

// setPassword writes the password of the caller and ends its logins but one.
func (tx *Tx) setPassword(ctx context.Context, scope loyalty.Scope, password string, keep loyalty.ID) error {
	var c check
	c.password(password)
	if err := c.err(); err != nil {
		return err
	}
	hash, err := tx.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	tx.later(`UPDATE staff SET password_hash = $2, updated_at = $3 WHERE id = $1`, scope.Staff, hash, tx.now)
	tx.later(`UPDATE tokens SET revoked_at = $2 WHERE staff_id = $1 AND revoked_at IS NULL AND ($3::uuid IS NULL OR family <> $3)`,
		scope.Staff, tx.now, optional(keep))
	tx.audit(scope, Changed, "staff", scope.Staff, "")
	return nil
}

// StaffLine is a staff member as an admin sees it.
type StaffLine struct {
	Staff
	CPGName  string     `db:"cpg"`
	Sessions int        `db:"sessions"` // logins that stand
	LastIn   *time.Time `db:"last_in"`  // nil where it is long ago
	Invited  bool       `db:"invited"`  // it has a link, and no password yet
}

// StaffFilter narrows a list; what is zero asks for nothing.
type StaffFilter struct {
	Text   string // part of the name or e-mail
	Role   loyalty.Role
	Active *bool
}

// StaffLines lists staff, the newest first (admin).
func (tx *Tx) StaffLines(ctx context.Context, scope loyalty.Scope, f StaffFilter, p Page) ([]StaffLine, loyalty.ID, error) {
	if err := adminOnly(scope); err != nil {
		return nil, "", err
	}
	return listDown(ctx, tx, p, func(v StaffLine) loyalty.ID { return v.ID }, `
		SELECT s.id, s.email, s.name, s.role, s.cpg_id, s.person_id,
		  coalesce((SELECT a.address FROM addresses a WHERE a.person_id = s.person_id AND a.kind = 'phone' ORDER BY a.created_at LIMIT 1), '') AS phone,
		  s.active, s.created_at, s.updated_at, coalesce(g.name, '') AS cpg,
		  (SELECT count(DISTINCT t.family) FROM tokens t WHERE t.staff_id = s.id AND t.kind <> 'password' AND t.revoked_at IS NULL AND t.expires_at > $1) AS sessions,
		  (SELECT max(t.issued_at) FROM tokens t WHERE t.staff_id = s.id AND t.kind <> 'password') AS last_in,
		  s.password_hash = $2 AS invited
		FROM staff s LEFT JOIN cpgs g ON g.id = s.cpg_id
		WHERE ($3 = '' OR strpos(lower(s.name || ' ' || s.email), $3) > 0) AND ($4 = '' OR s.role = $4) AND ($5::boolean IS NULL OR s.active = $5)
		AND s.id < $6 ORDER BY s.id DESC LIMIT $7`, tx.now, nobody, clean(normalEmail(f.Text)), clean(string(f.Role)), f.Active)
}
