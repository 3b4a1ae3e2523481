package store

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Credential is a bearer secret that a caller presents.
type Credential struct {
	Kind  TokenKind
	Token string
}

// callers remember whom a token names, which never changes. Whether it still
// stands, and for which shops, is asked each time: see prove.
type callers struct {
	scopes sync.Map // of a token's hash to loyalty.Scope
	count  atomic.Int64
}

// mostCallers bounds what is remembered: past it, all is forgotten.
const mostCallers = 50_000

func (c *callers) remember(hash [sha256.Size]byte, s loyalty.Scope) {
	if _, known := c.scopes.Swap(hash, s); known {
		return
	}
	if c.count.Add(1) > mostCallers {
		c.scopes.Clear()
		c.count.Store(0)
	}
}

// Recognize says whom a credential named when it was last seen. It proves
// nothing: what it is used for begins with its proof.
func (db *DB) Recognize(c Credential) (loyalty.Scope, bool) {
	found, ok := db.memory.callers.scopes.Load(sha256.Sum256([]byte(c.Token)))
	if !ok {
		return loyalty.Scope{}, false
	}
	scope, ok := found.(loyalty.Scope)
	return scope, ok
}

// prove queues the question whether a credential stands, and for whom: it
// travels with the transaction's first statement. The answer is UNAUTHORIZED
// where it does not.
func (tx *Tx) prove(c Credential, answer func(loyalty.Scope, error)) {
	hash := sha256.Sum256([]byte(c.Token))
	q := &pgx.QueuedQuery{SQL: selectPrincipal, Arguments: []any{hash[:], c.Kind, tx.now}}
	if known, ok := tx.db.Recognize(c); ok && known.Role == loyalty.RoleIntegration {
		// All that a key stands for is the key itself.
		q.SQL = `SELECT 1 FROM tokens t WHERE ` + tokenStands
		q.QueryRow(func(row pgx.Row) error {
			err := row.Scan(nil)
			if none(err) {
				answer(known, errUnauthorized())
				return nil
			}
			answer(known, err)
			return err
		})
	} else {
		q.QueryRow(func(row pgx.Row) error {
			scope, _, err := scanPrincipal(row, c.Kind)
			answer(scope, err)
			if err == nil {
				tx.db.memory.callers.remember(hash, scope)
			}
			if loyalty.CodeOf(err) == loyalty.CodeUnauthorized {
				return nil // said already; others may be in the transaction
			}
			return err
		})
	}
	tx.pipe.queue = append(tx.pipe.queue, q)
}
