package store

import (
	"context"
	"time"
)

// FillHashing takes every slot for hashing passwords, as a burst of logins
// does, until release is called.
func (db *DB) FillHashing(ctx context.Context) (release func(), err error) {
	var all []func()
	for range cap(db.hashing.slots) {
		leave, err := db.hashing.enter(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, leave)
	}
	return func() {
		for _, leave := range all {
			leave()
		}
	}, nil
}

// MostWaiting is how many callers may wait for a slot.
func (db *DB) MostWaiting() int { return int(db.hashing.most) }

// Waiting is how many callers wait for a slot.
func (db *DB) Waiting() int { return int(db.hashing.waiting.Load()) }

// Nobody is the hash that the password of an unknown e-mail is held against.
const Nobody = nobody

// RulesGeneration is the generation of the rules that the process remembers.
func (db *DB) RulesGeneration() int64 { return db.memory.rules.Load().generation }

// Queued is how many purchases wait for a round.
func (db *DB) Queued() int {
	db.till.mu.Lock()
	defer db.till.mu.Unlock()
	return len(db.till.waiting)
}

// LetRoundsLast says after what time a round is broken off.
func (db *DB) LetRoundsLast(d time.Duration) {
	db.till.mu.Lock()
	defer db.till.mu.Unlock()
	db.till.lasts = d
}

// MostQueued is how many purchases may wait for a round.
const MostQueued = mostWaiting

// MostRounds is how many rounds of purchases are under way at once.
const MostRounds = mostRounds

// HoldBudgets keeps everybody from changing balances until the transaction ends.
func (tx *Tx) HoldBudgets(ctx context.Context) error {
	_, err := tx.tx.Exec(ctx, lockBudgets)
	return err
}

// Flush sends what is queued.
func (tx *Tx) Flush(ctx context.Context) error { return tx.pipe.flush(ctx) }

// PlannedAnew is the statement that the pool's one connection has planned for its
// parameters most often, and how often.
func (db *DB) PlannedAnew(ctx context.Context) (statement string, times int64, err error) {
	err = db.pool.QueryRow(ctx, `SELECT statement, custom_plans FROM pg_prepared_statements ORDER BY custom_plans DESC LIMIT 1`).Scan(&statement, &times)
	return statement, times, err
}
