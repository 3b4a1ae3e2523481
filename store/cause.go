package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// claim takes a cause for its one effect (law 2), which is to have the given ID.
// Where it has had it already, first is the ID of that effect. The same key with
// another meaning is IDEMPOTENCY_KEY_REUSED. An empty key is a cause of its own.
func (tx *Tx) claim(ctx context.Context, scope, key string, meaning any, result loyalty.ID) (first loyalty.ID, err error) {
	if key == "" {
		return "", nil
	}
	text, err := json.Marshal(meaning)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(text)
	tag, err := tx.tx.Exec(ctx, `
		INSERT INTO causes (scope, key, digest, result_id, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		scope, key, digest[:], result, tx.now)
	if err != nil || tag.RowsAffected() == 1 {
		return "", err
	}
	var known []byte
	if err := tx.tx.QueryRow(ctx, `SELECT digest, result_id FROM causes WHERE scope = $1 AND key = $2`, scope, key).Scan(&known, &first); err != nil {
		return "", err
	}
	if !bytes.Equal(known, digest[:]) {
		return "", loyalty.Fail(loyalty.KindUnprocessable, loyalty.CodeIdempotencyReused, "Esa Idempotency-Key ya se usó con otros datos. Usa una nueva.")
	}
	return first, nil
}
