// Package sim is the simulator's channel: what it sends appears on a simulated
// phone, so that everything but the last hop is as in life.
package sim

import (
	"context"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/store"
)

var _ bot.Channel = (*Channel)(nil)

// Channel shows messages on simulated phones.
type Channel struct {
	phones *store.Together
}

// New makes the channel.
func New(db *store.DB) *Channel { return &Channel{phones: db.Together()} }

// Name implements bot.Channel.
func (c *Channel) Name() string { return store.Sim }

// Start implements bot.Channel. What simulated people write comes in by HTTP, in
// one transaction with what their phone shows, so the sink has nothing to take.
func (c *Channel) Start(context.Context, bot.Sink) error { return nil }

// Stop implements bot.Channel.
func (c *Channel) Stop(context.Context) error { return nil }

// Status implements bot.Channel: it works as long as the database does, which
// says so itself.
func (c *Channel) Status(context.Context) bot.Health { return bot.Health{State: bot.HealthOK} }

// Send implements bot.Channel. A message that the phone has is not shown twice.
func (c *Channel) Send(ctx context.Context, m store.Outbound) error {
	shown := store.SimMessage{ID: m.MessageID, Text: m.Body, Media: m.Media, MediaRef: m.MediaRef}
	if m.Media != "" {
		shown.MediaType = "image"
	}
	err := c.phones.InTx(ctx, func(tx *store.Tx) error {
		tx.SimDeliver(m.Chat, shown)
		return nil
	})
	if err != nil {
		return &bot.SendError{What: "the simulator's database failed", Err: err}
	}
	return nil
}
