package store

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Staff is who logs in with a password: Qoa's own people and brand teams.
type Staff struct {
	ID        loyalty.ID    `db:"id"`
	Email     string        `db:"email"`
	Name      string        `db:"name"`
	Role      loyalty.Role  `db:"role"` // admin or cpg
	CPG       *loyalty.ID   `db:"cpg_id"`
	Person    *loyalty.ID   `db:"person_id"` // who has the phone for the ROI summary
	Phone     loyalty.Phone `db:"phone"`
	Active    bool          `db:"active"`
	CreatedAt time.Time     `db:"created_at"`
	UpdatedAt time.Time     `db:"updated_at"`
}

// Scope is what the staff may see and do.
func (s Staff) Scope() loyalty.Scope {
	scope := loyalty.Scope{Role: s.Role, Staff: s.ID}
	set(&scope.CPG, s.CPG)
	return scope
}

// StaffInput is what a staff member is made of. CPG goes with the role cpg,
// Phone is optional.
type StaffInput struct {
	Email    string
	Password string
	Name     string
	Role     loyalty.Role
	CPG      loyalty.ID
	Phone    string
}

// StaffPatch changes what is not nil. A new password, or deactivation, ends all
// logins.
type StaffPatch struct {
	Name     *string
	Password *string
	Active   *bool
}

const staffColumns = `
	SELECT s.id, s.email, s.name, s.role, s.cpg_id, s.person_id,
	  coalesce((SELECT a.address FROM addresses a WHERE a.person_id = s.person_id AND a.kind = 'phone' ORDER BY a.created_at LIMIT 1), '') AS phone,
	  s.active, s.created_at, s.updated_at
	FROM staff s`

func errNoStaff() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos a ese usuario.")
}

// Passwords are hashed with argon2id. 19 MiB and two passes are what OWASP
// takes as the least: some 30 ms of one core. How many run at once, and so how
// much memory they take together, is bounded by hashGate.
const (
	passwordMemory = 19 * 1024 // KiB
	passwordPasses = 2
	passwordLanes  = 1
	passwordKey    = 32
	passwordSalt   = 16
)

// nobody is the hash of a password that was forgotten: comparing with it makes
// an unknown e-mail take as long as a wrong password.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$cW9hLXNpbi11c3VhcmlvIQ$7vGYz3XyrF2uJzGZZnTzXnZQ9sQm1k0Yx0c0o8iXG2I"

// hashPassword draws the salt from the database's source of randomness (law 9),
// which the library would take from the machine's.
func (tx *Tx) hashPassword(ctx context.Context, password string) (string, error) {
	leave, err := tx.db.hashing.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := tx.random(passwordSalt)
	key := argon2.IDKey([]byte(password), salt, passwordPasses, passwordMemory, passwordLanes, passwordKey)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		passwordMemory, passwordPasses, passwordLanes, b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// CreateStaff makes a staff member (admin) with a password.
func (tx *Tx) CreateStaff(ctx context.Context, scope loyalty.Scope, in StaffInput) (Staff, error) {
	if err := adminOnly(scope); err != nil {
		return Staff{}, err
	}
	var c check
	c.password(in.Password)
	return tx.createStaff(ctx, scope, in, &c)
}

func (tx *Tx) createStaff(ctx context.Context, scope loyalty.Scope, in StaffInput, c *check) (Staff, error) {
	v := Staff{
		ID: tx.newID(), Email: normalEmail(in.Email), Name: in.Name, Role: in.Role, CPG: optional(in.CPG),
		Active: true, CreatedAt: tx.now, UpdatedAt: tx.now,
	}
	address, err := mail.ParseAddress(v.Email)
	c.want(err == nil && address.Address == v.Email && len(v.Email) <= 254 && loyalty.Printable(v.Email), "email", "no es un correo válido")
	c.text("name", &v.Name, 1, 80)
	c.want(v.Role == loyalty.RoleAdmin || v.Role == loyalty.RoleCPG, "role", "debe ser admin o cpg")
	c.want((v.Role == loyalty.RoleCPG) == (v.CPG != nil), "cpg_id", "va con el rol cpg, y solo con él")
	if v.CPG != nil {
		c.id("cpg_id", v.CPG)
	}
	if in.Phone != "" {
		v.Phone, err = loyalty.ParsePhone(in.Phone)
		if err != nil {
			c.Fields = append(c.Fields, fieldsOf(err)...)
		}
	}
	if err := c.err(); err != nil {
		return Staff{}, err
	}
	if v.Phone != "" {
		person, err := tx.PersonByPhone(ctx, v.Phone)
		if err != nil {
			return Staff{}, err
		}
		v.Person = &person
	}
	hash := nobody
	if in.Password != "" {
		if hash, err = tx.hashPassword(ctx, in.Password); err != nil {
			return Staff{}, err
		}
	}
	_, err = tx.tx.Exec(ctx, `
		INSERT INTO staff (id, email, password_hash, name, role, cpg_id, person_id, active, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8, $8)`,
		v.ID, v.Email, hash, v.Name, v.Role, v.CPG, v.Person, tx.now)
	tx.audit(scope, Created, "staff", v.ID, v.Name, made(v)...)
	return v, err
}

// UpdateStaff changes a staff member (admin).
func (tx *Tx) UpdateStaff(ctx context.Context, scope loyalty.Scope, id loyalty.ID, p StaffPatch) (Staff, error) {
	if err := adminOnly(scope); err != nil {
		return Staff{}, err
	}
	v, err := fetch[Staff](ctx, tx, errNoStaff(), staffColumns+` WHERE s.id = $1 FOR UPDATE`, id)
	if err != nil {
		return Staff{}, err
	}
	was := v
	set(&v.Name, p.Name)
	set(&v.Active, p.Active)
	v.UpdatedAt = tx.now
	if was.Active && !v.Active {
		if err := tx.mayLeave(ctx, scope, was); err != nil {
			return Staff{}, err
		}
	}
	var c check
	var hash *string
	c.text("name", &v.Name, 1, 80)
	if p.Password != nil {
		c.password(*p.Password)
	}
	if err := c.err(); err != nil {
		return Staff{}, err
	}
	if p.Password != nil {
		h, err := tx.hashPassword(ctx, *p.Password)
		if err != nil {
			return Staff{}, err
		}
		hash = &h
	}
	_, err = tx.tx.Exec(ctx, `
		UPDATE staff SET name = $2, active = $3, password_hash = coalesce($4, password_hash), updated_at = $5 WHERE id = $1`,
		v.ID, v.Name, v.Active, hash, tx.now)
	changes := changed(was, v)
	if hash != nil {
		changes = append(changes, FieldChange{Field: "password"})
	}
	tx.audit(scope, Updated, "staff", v.ID, v.Name, changes...)
	if err != nil || v.Active && hash == nil {
		return v, err
	}
	_, err = tx.tx.Exec(ctx, `UPDATE tokens SET revoked_at = $2 WHERE staff_id = $1 AND revoked_at IS NULL`, v.ID, tx.now)
	return v, err
}

// StaffMember gives one staff member (admin).
func (tx *Tx) StaffMember(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Staff, error) {
	return fetch[Staff](ctx, tx, errNoStaff(), staffColumns+` WHERE $1 AND s.id = $2`, scope.All(), id)
}

// StaffMembers lists staff (admin).
func (tx *Tx) StaffMembers(ctx context.Context, scope loyalty.Scope, page Page) ([]Staff, loyalty.ID, error) {
	return list(ctx, tx, page, func(v Staff) loyalty.ID { return v.ID },
		staffColumns+` WHERE $1 AND s.id > $2 ORDER BY s.id LIMIT $3`, scope.All())
}

// LoginStaff says who has the e-mail and the password, or BAD_CREDENTIALS, in
// the same time for either mistake; UNAVAILABLE where too many log in at once. It
// is a method of DB: no connection waits while the password is hashed.
func (db *DB) LoginStaff(ctx context.Context, email, password string) (Staff, error) {
	refused := loyalty.Fail(loyalty.KindUnauthorized, loyalty.CodeBadCredentials, "El correo o la contraseña no coinciden.")
	var v Staff
	hash, known := nobody, false
	err := db.InTx(ctx, func(tx *Tx) error {
		hash, known = nobody, false
		found, err := fetch[Staff](ctx, tx, refused, staffColumns+`
			WHERE s.email = $1 AND s.active AND (s.cpg_id IS NULL OR EXISTS (SELECT FROM cpgs g WHERE g.id = s.cpg_id AND g.active))`,
			clean(normalEmail(email)))
		if loyalty.CodeOf(err) == loyalty.CodeBadCredentials {
			return nil
		}
		if err != nil {
			return err
		}
		v, known = found, true
		return tx.tx.QueryRow(ctx, `SELECT password_hash FROM staff WHERE id = $1`, v.ID).Scan(&hash)
	})
	if err != nil {
		return Staff{}, err
	}
	if len(password) > mostPassword {
		password = "" // hashing a book would cost us, not its sender
	}
	leave, err := db.hashing.enter(ctx)
	if err != nil {
		return Staff{}, err
	}
	defer leave()
	match, err := argon2id.ComparePasswordAndHash(password, hash)
	switch {
	case err != nil:
		return Staff{}, fmt.Errorf("store: stored password hash: %w", err)
	case !match || !known:
		return Staff{}, refused
	}
	return v, nil
}

const (
	leastPassword = 10
	mostPassword  = 128
)

func (c *check) password(p string) {
	c.want(len(p) >= leastPassword, "password", "debe tener al menos 10 caracteres")
	c.want(len(p) <= mostPassword, "password", "es demasiado larga")
}

func normalEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }
