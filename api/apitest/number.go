package apitest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Numbers makes a World whose channel has numbers.
func Numbers(d *api.Deps) { d.Numbers = true }

// QR is what the World's number shows to be scanned.
const QR = "2@Zm9yIHRlc3RzIG9ubHk,c2Nhbg,bWU,cGxlYXNl"

// leaseTime is for how long BotSays holds numbers: shorter than an access token
// lives, longer than a test needs.
const leaseTime = 10 * time.Minute

// BotSays leases all numbers as a bot process does, and says how one of them is.
func (w *World) BotSays(t testing.TB, number loyalty.ID, state store.NumberState) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		held, err := tx.LeaseNumbers(ctx, "bot-1", leaseTime, 100)
		require.NoError(t, err)
		for _, n := range held {
			if n.ID == number {
				require.NoError(t, tx.NumberState(ctx, n.Lease(), state))
				return
			}
		}
		require.Fail(t, "the bot does not hold the number")
	})
}

// Connect makes a number one that is connected as this phone.
func (w *World) Connect(t testing.TB, number loyalty.ID, phone string) {
	t.Helper()
	now := w.Clock.Now()
	w.BotSays(t, number, store.NumberState{
		Status: Ref(store.NumberConnected), Reason: Ref(""), QR: Ref(""), QRUntil: &time.Time{}, Phone: &phone, JID: Ref(phone[1:] + ":7@s.whatsapp.net"), PairedAt: &now, AliveAt: &now,
	})
}

// Ref is a pointer to a value.
func Ref[T any](v T) *T { return &v }

// DeadLetter makes the oldest message to the first consumer fail for good.
func (w *World) DeadLetter(t testing.TB, problem string) (id loyalty.ID) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		out, ok, err := tx.Claim(ctx, w.Shoppers[0].Person, "", time.Minute)
		require.NoError(t, err)
		require.True(t, ok, "nothing to send")
		require.NoError(t, tx.Fail(ctx, out.ID, problem))
		id = out.ID
	})
	return id
}

// Park sets the first consumer's oldest message aside.
func (w *World) Park(t testing.TB, problem string) (id loyalty.ID) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		turn, ok, err := tx.NextTurn(ctx, w.Shoppers[0].Person)
		require.NoError(t, err)
		require.True(t, ok, "nothing to answer")
		for range store.MaxAttempts {
			_, err = tx.FailTurn(ctx, turn.Message, problem)
			require.NoError(t, err)
		}
		id = turn.Message.ID
	})
	return id
}
