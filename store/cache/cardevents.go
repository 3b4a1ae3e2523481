package cache

import (
	"context"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// cardChannel is the one Redis channel on which changed cards are named.
const cardChannel = "qoa:card-changed"

// CardEvents tells open card pages that a card changed, in whichever process
// it did. A process holds one subscription, however many pages it serves.
type CardEvents struct {
	client redis.UniversalClient

	mu   sync.Mutex
	open map[loyalty.ID]map[chan struct{}]struct{}
	sub  *redis.PubSub // nil while nobody looks at a card
}

// NewCardEvents makes the events of a client; Close ends them.
func NewCardEvents(client redis.UniversalClient) *CardEvents {
	return &CardEvents{client: client, open: map[loyalty.ID]map[chan struct{}]struct{}{}}
}

// Publish says that people's cards changed, in one message. A signal that is lost
// costs a reload, so callers only log the error.
func (e *CardEvents) Publish(ctx context.Context, people ...loyalty.ID) error {
	ids := make([]string, len(people))
	for i, id := range people {
		ids[i] = string(id)
	}
	return e.client.Publish(ctx, cardChannel, strings.Join(ids, " ")).Err()
}

// Subscribe gives a channel that gets a signal after a person's card changed.
// A signal is dropped while another waits to be read. stop frees the
// subscription; it may be called more than once.
func (e *CardEvents) Subscribe(ctx context.Context, person loyalty.ID) (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sub == nil {
		// The subscription outlives the page that was the first to need it.
		e.sub = e.client.Subscribe(context.WithoutCancel(ctx), cardChannel)
		go e.listen(e.sub)
	}
	if e.open[person] == nil {
		e.open[person] = map[chan struct{}]struct{}{}
	}
	e.open[person][c] = struct{}{}
	return c, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.open[person], c)
		if len(e.open[person]) == 0 {
			delete(e.open, person)
		}
	}
}

// Close ends the subscription; channels given out get no more signals.
func (e *CardEvents) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sub == nil {
		return nil
	}
	sub := e.sub
	e.sub = nil
	return sub.Close()
}

// listen passes signals on until the subscription is closed. After the
// connection was lost and made again, every page looks: what changed in between
// was not heard.
func (e *CardEvents) listen(sub *redis.PubSub) {
	for m := range sub.ChannelWithSubscriptions() {
		switch m := m.(type) {
		case *redis.Message:
			for id := range strings.FieldsSeq(m.Payload) {
				e.signal(loyalty.ID(id))
			}
		case *redis.Subscription:
			e.signalAll()
		}
	}
}

func (e *CardEvents) signal(person loyalty.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.open[person] {
		poke(c)
	}
}

func (e *CardEvents) signalAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, pages := range e.open {
		for c := range pages {
			poke(c)
		}
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
