package store

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// APIKey is an integration's key, without the key itself: that is shown once.
type APIKey struct {
	ID        loyalty.ID `db:"id"`
	Label     string     `db:"label"`
	IssuedAt  time.Time  `db:"issued_at"`
	RevokedAt *time.Time `db:"revoked_at"`
	UsedAt    *time.Time `db:"used_at"` // last, to the hour; nil: never
}

// KeyUsed notes that a key was used. Who calls it with every request writes once
// an hour.
func (db *DB) KeyUsed(ctx context.Context, key loyalty.ID) error {
	now := db.now()
	if last, ok := db.keys.Load(key); ok && now.Sub(last.(time.Time)).Abs() < keyUse {
		return nil
	}
	db.keys.Store(key, now)
	return db.InTx(ctx, func(tx *Tx) error {
		tx.later(`UPDATE tokens SET used_at = $2 WHERE id = $1 AND kind = 'api_key'`, key, tx.now)
		return nil
	})
}

// keyUse is how exactly the use of a key is known.
const keyUse = time.Hour

// CreateAPIKey makes a key for an integration (admin), and gives it this once.
func (tx *Tx) CreateAPIKey(ctx context.Context, scope loyalty.Scope, label string) (string, APIKey, error) {
	if err := adminOnly(scope); err != nil {
		return "", APIKey{}, err
	}
	plain := tx.secret(APIKeyToken)
	k, err := tx.storeAPIKey(ctx, scope, label, plain)
	return plain, k, err
}

// ImportAPIKey stores a key that was made elsewhere: the fixed one of the demo.
func (tx *Tx) ImportAPIKey(ctx context.Context, scope loyalty.Scope, label, plain string) (APIKey, error) {
	if err := adminOnly(scope); err != nil {
		return APIKey{}, err
	}
	return tx.storeAPIKey(ctx, scope, label, plain)
}

func (tx *Tx) storeAPIKey(ctx context.Context, scope loyalty.Scope, label, plain string) (APIKey, error) {
	var c check
	c.text("label", &label, 1, 80)
	if err := c.err(); err != nil {
		return APIKey{}, err
	}
	k := APIKey{ID: tx.newID(), Label: label, IssuedAt: tx.now}
	hash := sha256.Sum256([]byte(plain))
	_, err := tx.tx.Exec(ctx, `INSERT INTO tokens (hash, id, kind, family, label, issued_at) VALUES ($1, $2, 'api_key', $2, $3, $4)`,
		hash[:], k.ID, k.Label, tx.now)
	tx.audit(scope, Created, "api_key", k.ID, k.Label)
	return k, err
}

// APIKeys lists the keys of integrations, revoked ones too (admin).
func (tx *Tx) APIKeys(ctx context.Context, scope loyalty.Scope, page Page) ([]APIKey, loyalty.ID, error) {
	return list(ctx, tx, page, func(k APIKey) loyalty.ID { return k.ID }, `
		SELECT id, label, issued_at, revoked_at, used_at FROM tokens
		WHERE kind = 'api_key' AND $1 AND id > $2 ORDER BY id LIMIT $3`, scope.All())
}

// RevokeAPIKey ends a key (admin).
func (tx *Tx) RevokeAPIKey(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (APIKey, error) {
	if err := adminOnly(scope); err != nil {
		return APIKey{}, err
	}
	k, err := fetch[APIKey](ctx, tx, loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa llave."), `
		UPDATE tokens SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 AND kind = 'api_key'
		RETURNING id, label, issued_at, revoked_at, used_at`, id, tx.now)
	tx.audit(scope, Revoked, "api_key", k.ID, k.Label)
	return k, err
}
