package store

import "context"

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
