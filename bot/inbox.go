package bot

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store"
)

// Inbox is the sink that channels write to: the store. Each message is a
// transaction of its own, and acknowledged after its commit (law 3).
type Inbox struct{ db *store.DB }

var _ Sink = Inbox{}

// NewInbox makes the sink.
func NewInbox(db *store.DB) Inbox { return Inbox{db} }

// Receive implements Sink.
func (i Inbox) Receive(ctx context.Context, in store.Inbound) error {
	return i.db.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.Receive(ctx, in)
		return err
	})
}

// Delivered implements Sink.
func (i Inbox) Delivered(ctx context.Context, messageIDs []string, at time.Time, state string) error {
	return i.db.InTx(ctx, func(tx *store.Tx) error { return tx.Delivered(ctx, messageIDs, at, state) })
}
