package whatsapp

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
	"github.com/qoa-conectados/qoa/store"
)

// What WhatsApp decided about a number shows, and is final: nobody knocks again.
func TestWhatIsFinal(t *testing.T) {
	for name, c := range map[string]struct {
		happen func(a *wasim.Account, d *wasim.Device)
		status store.NumberStatus
		reason string
		until  bool
	}{
		"unlinked on the phone":            {func(_ *wasim.Account, d *wasim.Device) { d.Unlink() }, store.NumberLoggedOut, "", false},
		"unlinked while away":              {refusedLogin(wasim.LoggedOut), store.NumberLoggedOut, "", false},
		"the phone is gone":                {refusedLogin(wasim.PhoneGone), store.NumberLoggedOut, "403", false},
		"the account is banned":            {refusedLogin(wasim.Banned), store.NumberLoggedOut, "406", false},
		"our version is too old":           {refusedLogin(wasim.Outdated), store.NumberOutdated, "", false},
		"banned for a time":                {refusedLogin(wasim.TempBan(101, time.Hour)), store.NumberBanned, "101", true},
		"banned, who knows how long":       {refusedLogin(wasim.TempBan(104, 0)), store.NumberBanned, "104", false},
		"refused for a reason of tomorrow": {refusedLogin(wasim.LoginFailure{Reason: 418}), store.NumberDisconnected, "418", false},
		"replaced by another process":      {func(_ *wasim.Account, d *wasim.Device) { d.Replace() }, store.NumberReplaced, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f := w.fleet(newInbox(w), func(o *Options) { o.Timing.WaitUp = time.Second })
			n, device := w.number(botPhone)
			c.happen(w.server.Account(botPhone), device)
			n = w.until(n.ID, string(c.status), func(n store.Number) bool { return n.Status == c.status && n.Reason == c.reason })
			if c.until {
				require.WithinDuration(t, time.Now().Add(time.Hour), *n.Until, time.Minute)
			} else {
				require.Nil(t, n.Until)
			}
			tries := w.logins()
			var failed *bot.SendError
			require.ErrorAs(t, f.Send(t.Context(), store.Outbound{Number: n.ID, Chat: "5215511111111@s.whatsapp.net", MessageID: "3EB0CC", Body: "hola"}), &failed)
			require.True(t, failed.Held, "the message is not the reason")
			require.Equal(t, tries, w.logins(), "no other try, for as long as a send waits")
			if c.status == store.NumberLoggedOut {
				require.Empty(t, n.JID)
				require.Zero(t, w.count(`SELECT count(*) FROM whatsmeow.whatsmeow_device`), "its keys are of no use to anybody")
			}
		})
	}
}

func refusedLogin(why wasim.LoginFailure) func(*wasim.Account, *wasim.Device) {
	return func(a *wasim.Account, d *wasim.Device) { a.FailLogin(why); d.Drop() }
}

// logins is how often a device was let in, or refused.
func (w *world) logins() int {
	log := w.log.String()
	return strings.Count(log, "Successfully authenticated") + strings.Count(log, "connect failure")
}

// What passes is tried again, and the number is back by itself.
func TestWhatPasses(t *testing.T) {
	for name, happen := range map[string]func(w *world, d *wasim.Device){
		"the connection breaks":     func(_ *world, d *wasim.Device) { d.Drop() },
		"the server restarts":       func(_ *world, d *wasim.Device) { d.StreamError(503) },
		"the server asks to return": func(_ *world, d *wasim.Device) { d.StreamError(515) },
		"logins fail for a while": func(w *world, d *wasim.Device) {
			w.server.Account(botPhone).FailLogin(wasim.LoginFailure{Reason: 503, Times: 3})
			d.Drop()
		},
		"nobody listens for a while": func(w *world, d *wasim.Device) {
			w.server.Refuse()
			d.Drop()
			w.eventually("disconnection", func() bool { return !d.Online() })
			w.server.Allow()
		},
		"connected, but dead": func(w *world, d *wasim.Device) {
			d.MutePings(true)
			w.eventually("disconnection of the dead", func() bool { return !d.Online() })
			d.MutePings(false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			in := newInbox(w)
			w.fleet(in)
			n, device := w.number(botPhone)
			logins := device.Logins()
			happen(w, device)
			w.eventually("another login", func() bool { return device.Logins() > logins && device.Online() })
			w.untilStatus(n.ID, store.NumberConnected)
			w.server.NewPhone(t, anaPhone).SendText(botPhone, "¿sigues ahí?")
			require.Equal(t, "¿sigues ahí?", in.next(t).Text)
			require.Empty(t, w.server.Overlaps())
		})
	}
}

func TestABanThatEndsIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fleet(newInbox(w))
	n, device := w.number(botPhone)
	a := w.server.Account(botPhone)
	a.FailLogin(wasim.TempBan(102, 2*time.Second))
	device.Drop()
	n = w.untilStatus(n.ID, store.NumberBanned)
	require.NotNil(t, n.Until)
	a.AllowLogin()
	n = w.untilStatus(n.ID, store.NumberConnected)
	require.Nil(t, n.Until)
	require.Empty(t, n.Reason)
}

// The timelock is no reason to disconnect, and outlives a connection.
func TestTimelock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.fleet(newInbox(w))
	n, device := w.number(botPhone)
	a := w.server.Account(botPhone)
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	a.ReachoutTimelock(true, until)
	n = w.untilStatus(n.ID, store.NumberRestricted)
	require.True(t, until.Equal(*n.Until))
	require.True(t, device.Online())

	device.Drop()
	w.untilStatus(n.ID, store.NumberDisconnected)
	n = w.untilStatus(n.ID, store.NumberRestricted)
	require.True(t, until.Equal(*n.Until))

	a.ReachoutTimelock(false, time.Time{})
	n = w.untilStatus(n.ID, store.NumberConnected)
	require.Nil(t, n.Until)

	a.ReachoutTimelock(true, time.Now().Add(2*time.Second))
	w.untilStatus(n.ID, store.NumberRestricted)
	w.untilStatus(n.ID, store.NumberConnected)

	// A refusal says the same, without saying until when.
	w.server.NewPhone(t, anaPhone)
	a.RefuseSends(463, 1)
	err := f.Send(t.Context(), store.Outbound{Number: n.ID, Chat: "5215511111111@s.whatsapp.net", MessageID: "3EB0DD", Body: "hola", Lane: store.LaneService})
	var failed *bot.SendError
	require.ErrorAs(t, err, &failed)
	require.False(t, failed.Final)
	require.True(t, failed.Held)
	n = w.untilStatus(n.ID, store.NumberRestricted)
	require.WithinDuration(t, time.Now().Add(unknownTimelock), *n.Until, time.Minute)
}

// Somebody looked after it, and asked for another try.
func TestGivenUpIsTriedAgainWhenAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fleet(newInbox(w))
	n, device := w.number(botPhone)
	device.Replace()
	w.untilStatus(n.ID, store.NumberReplaced)
	w.exec(`UPDATE whatsapp_numbers SET status = 'disconnected', reason = '' WHERE id = $1`, n.ID)
	w.untilStatus(n.ID, store.NumberConnected)

	device.Unlink()
	w.untilStatus(n.ID, store.NumberLoggedOut)
	w.exec(`UPDATE whatsapp_numbers SET status = 'pairing', reason = '' WHERE id = $1`, n.ID)
	again, err := w.server.Account(botPhone).Scan(t.Context(), w.qr(n.ID))
	require.NoError(t, err)
	require.NoError(t, again.WaitOnline(t.Context()))
	w.untilStatus(n.ID, store.NumberConnected)
}

func TestAPairingThatFailsSaysSo(t *testing.T) {
	for name, fault := range map[string]wasim.PairingFault{"a bad signature": wasim.PairsBadSignature, "a bad seal": wasim.PairsBadSeal} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fleet(newInbox(w))
			n := w.create()
			a := w.server.Account(botPhone)
			a.FailPairing(fault)
			_, err := a.Scan(t.Context(), w.qr(n.ID))
			require.Error(t, err)
			n = w.until(n.ID, "failure", func(n store.Number) bool { return n.Reason == reasonFailed })
			require.Equal(t, store.NumberPairing, n.Status)
			require.Empty(t, n.JID)

			w.exec(`UPDATE whatsapp_numbers SET status = 'pairing', reason = '', qr = '' WHERE id = $1`, n.ID)
			device, err := a.Scan(t.Context(), w.qr(n.ID))
			require.NoError(t, err)
			require.NoError(t, device.WaitOnline(t.Context()))
			w.untilStatus(n.ID, store.NumberConnected)
		})
	}
}

// A process that dies between the two halves of a pairing leaves a number that
// knows its device: the next one only has to connect.
func TestAnInterruptedPairingIsTakenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.fleet(newInbox(w))
	n, _ := w.number(botPhone)
	require.NoError(t, first.Stop(t.Context()))
	w.exec(`UPDATE whatsapp_numbers SET status = 'pairing' WHERE id = $1`, n.ID)
	w.fleet(newInbox(w))
	w.untilStatus(n.ID, store.NumberConnected)

	// And where the phone knows nothing of it, it begins anew.
	w2 := newWorld(t)
	first = w2.fleet(newInbox(w2))
	n, device := w2.number(botPhone)
	require.NoError(t, first.Stop(t.Context()))
	device.Unlink()
	w2.exec(`UPDATE whatsapp_numbers SET status = 'pairing' WHERE id = $1`, n.ID)
	w2.fleet(newInbox(w2))
	require.NotEmpty(t, w2.qr(n.ID))
}

func TestADeletedNumberIsUnlinked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fleet(newInbox(w))
	n, device := w.number(botPhone)
	w.do(func(tx *store.Tx) error { return tx.DeleteNumber(t.Context(), system, n.ID) })
	w.eventually("unlinking", func() bool { return !device.Linked() })
	w.eventually("letting go", func() bool {
		return w.count(`SELECT count(*) FROM whatsapp_numbers WHERE id = $1 AND jid = '' AND owner = ''`, n.ID) == 1
	})
	require.Zero(t, w.count(`SELECT count(*) FROM whatsmeow.whatsmeow_device`), "its keys are gone")
}

var errAway = errors.New("the database is away")
