package whatsapp

import (
	"context"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/qoa-conectados/qoa/bot"
)

// receipt notes how far messages of ours came. A failure leaves it unacknowledged,
// and it comes again with a later connection; nothing waits for it.
func (s *session) receipt(evt *events.Receipt) bool {
	if evt.IsFromMe || !isPerson(evt.Chat) {
		return true // our own phone's view of it
	}
	state := ""
	switch evt.Type {
	case types.ReceiptTypeDelivered, types.ReceiptTypeInactive:
		state = bot.StateDelivered
	case types.ReceiptTypeRead, types.ReceiptTypePlayed:
		state = bot.StateRead
	default:
		return true // a request to send again is whatsmeow's to answer
	}
	ctx, cancel := context.WithTimeout(s.ctx, persistTime)
	defer cancel()
	if err := s.fleet.sink.Delivered(ctx, evt.MessageIDs, evt.Timestamp, state); err != nil {
		s.log.Warn("receipt not noted", "error", withoutNumbers(err))
		return false
	}
	return true
}
