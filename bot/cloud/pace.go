package cloud

import (
	"context"
	"sync"
	"time"
)

// perSecond is how many messages Meta takes of one number.
const perSecond = 80

// pace keeps all senders of a number below Meta's limit: over all processes by a
// shared counter, and where that is away, each by itself.
type pace struct {
	limits Limiter
	key    string

	mu   sync.Mutex
	next time.Time
}

func newPace(limits Limiter, phoneID string) *pace {
	return &pace{limits: limits, key: "cloud:" + phoneID}
}

// wait returns when a message may go.
func (p *pace) wait(ctx context.Context) error {
	for p.limits != nil {
		ok, after, err := p.limits.Allow(ctx, p.key, perSecond, time.Second)
		if err != nil {
			break // Redis being away must not stop the messages
		}
		if ok {
			return nil
		}
		if err := sleep(ctx, after); err != nil {
			return err
		}
	}
	return sleep(ctx, time.Until(p.slot()))
}

// slot is the next moment that nobody else of this process has.
func (p *pace) slot() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := time.Now()
	if p.next.After(at) {
		at = p.next
	}
	p.next = at.Add(time.Second / perSecond)
	return at
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
