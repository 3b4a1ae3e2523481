package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	wastore "go.mau.fi/whatsmeow/store"
)

// 300 messages wait while the bot is away; it comes back and answers them from
// workers, as every queue does, while the rest is still coming in. Without the
// guard some of the answers never show on the phones, and nobody gets an error
// (guard.go says why): with wrap taken out, this test ended with 269, 276, 295,
// 296 and 297 of 300 in five runs.
func TestGuardSavesEveryReply(t *testing.T) {
	const people, each, workers = 2, 150, 16
	w := newWorld(t)
	in := newInbox(w)
	f := w.fleet(in)
	_, device := w.number(botPhone)
	var numbers []string
	for i := range people {
		numbers = append(numbers, fmt.Sprintf("+52155%08d", 10000000+i))
	}
	phones := w.server.NewPhones(t, numbers)
	for _, p := range phones { // the first message makes the session
		p.SendText(botPhone, "hola")
	}
	for range people {
		in.next(t)
	}

	w.server.Refuse()
	device.Drop()
	var writing sync.WaitGroup
	for _, p := range phones {
		writing.Go(func() {
			for i := range each {
				p.SendText(botPhone, fmt.Sprintf("mensaje %d", i))
			}
		})
	}
	writing.Wait()
	require.GreaterOrEqual(t, device.Waiting(), people*each)
	w.server.Allow()

	var working sync.WaitGroup
	for n := range workers {
		working.Go(func() {
			for i := n; i < people*each; i += workers {
				m := in.next(t)
				reply := answer(m, "3EB0R"+m.MessageID[len(m.MessageID)-16:], "respuesta a "+m.MessageID)
				for try := 0; ; try++ {
					err := f.Send(context.Background(), reply)
					if err == nil {
						break
					}
					if try == 5 {
						t.Errorf("not sent: %v", err)
						return
					}
				}
			}
		})
	}
	working.Wait()
	got := func() (n int) {
		for _, p := range phones {
			for _, m := range p.Readable() {
				if len(m.Text) > 12 && m.Text[:12] == "respuesta a " {
					n++
				}
			}
		}
		return n
	}
	w.eventually("300 answers on the phones", func() bool { return got() == people*each },
		func() string { return fmt.Sprintf("%d of %d", got(), people*each) })
	require.Empty(t, w.server.Overlaps())
}

// sessionsInMemory are keys that a test can look at.
type sessionsInMemory struct {
	wastore.NoopStore
	mu   sync.Mutex
	keys map[string][]byte
	fail error
}

func (s *sessionsInMemory) GetSession(_ context.Context, address string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[address], s.fail
}

func (s *sessionsInMemory) PutSession(_ context.Context, address string, session []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[address] = session
	return nil
}

func (s *sessionsInMemory) GetManySessions(_ context.Context, addresses []string) (map[string][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]byte{}
	for _, a := range addresses {
		all[a] = s.keys[a]
	}
	return all, s.fail
}

func (s *sessionsInMemory) PutManySessions(ctx context.Context, sessions map[string][]byte) error {
	for a, k := range sessions {
		s.PutSession(ctx, a, k) //nolint:errcheck // it never fails
	}
	return nil
}

func (s *sessionsInMemory) IsTrustedIdentity(context.Context, string, [32]byte) (bool, error) {
	return false, nil
}
func (s *sessionsInMemory) DeleteSession(context.Context, string) error { return nil }
func (s *sessionsInMemory) DoDecryptionTxn(ctx context.Context, fn func(context.Context) error) error {
	return fn(ctx)
}

func guarded(t *testing.T) (*guard, *wastore.Device, *sessionsInMemory) {
	t.Helper()
	memory := &sessionsInMemory{keys: map[string][]byte{"ana": {0}}}
	d := &wastore.Device{}
	d.SetAllStores(memory)
	g := newGuard()
	g.wrap(d)
	return g, d, memory
}

// Every path reads a counter, adds one and writes it back, as the ratchet does.
func TestGuardLetsOneAtATimeUseASession(t *testing.T) {
	g, d, memory := guarded(t)
	ctx := t.Context()
	next := func(k []byte) []byte { return []byte{k[0] + 1} }
	paths := map[string]func() error{
		"sending": func() error {
			ctx, end := g.sending(ctx)
			defer end()
			k, err := d.Sessions.GetManySessions(ctx, []string{"ana"})
			if err != nil {
				return err
			}
			return d.Sessions.PutManySessions(ctx, map[string][]byte{"ana": next(k["ana"])})
		},
		"receiving": func() error {
			return d.EventBuffer.DoDecryptionTxn(ctx, func(ctx context.Context) error {
				k, err := d.Sessions.GetSession(ctx, "ana")
				if err != nil {
					return err
				}
				return d.Sessions.PutSession(ctx, "ana", next(k))
			})
		},
		"sending again": func() error {
			k, err := d.Sessions.GetSession(ctx, "ana")
			if err != nil {
				return err
			}
			return d.Sessions.PutSession(ctx, "ana", next(k))
		},
	}
	const each = 80
	var all sync.WaitGroup
	for _, path := range paths {
		all.Go(func() {
			for range each {
				if err := path(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, byte(len(paths)*each), memory.keys["ana"][0])
}

// Whoever fails between its read and its write leaves the lock to the others.
func TestGuardIsGivenBackWhatever(t *testing.T) {
	failed := errors.New("the database is away")
	for name, fail := range map[string]func(t *testing.T, g *guard, d *wastore.Device, m *sessionsInMemory){
		"a send whose read fails": func(t *testing.T, g *guard, d *wastore.Device, m *sessionsInMemory) {
			m.fail = failed
			ctx, end := g.sending(t.Context())
			_, err := d.Sessions.GetManySessions(ctx, []string{"ana"})
			require.ErrorIs(t, err, failed)
			end()
		},
		"a send that has nothing to write": func(t *testing.T, g *guard, d *wastore.Device, _ *sessionsInMemory) {
			ctx, end := g.sending(t.Context())
			_, err := d.Sessions.GetManySessions(ctx, []string{"ana"})
			require.NoError(t, err)
			end()
			end()
		},
		"a decryption that fails": func(t *testing.T, _ *guard, d *wastore.Device, _ *sessionsInMemory) {
			require.ErrorIs(t, d.EventBuffer.DoDecryptionTxn(t.Context(), func(context.Context) error { return failed }), failed)
		},
		"a resend whose read fails": func(t *testing.T, _ *guard, d *wastore.Device, m *sessionsInMemory) {
			m.fail = failed
			_, err := d.Sessions.GetSession(t.Context(), "ana")
			require.ErrorIs(t, err, failed)
		},
		"a resend to somebody who is not trusted": func(t *testing.T, _ *guard, d *wastore.Device, _ *sessionsInMemory) {
			_, err := d.Sessions.GetSession(t.Context(), "ana")
			require.NoError(t, err)
			_, err = d.Identities.IsTrustedIdentity(t.Context(), "ana", [32]byte{})
			require.NoError(t, err)
		},
		"a resend that stopped without a word": func(t *testing.T, g *guard, d *wastore.Device, _ *sessionsInMemory) {
			g.orphan = 20 * time.Millisecond
			_, err := d.Sessions.GetSession(t.Context(), "ana")
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, d, m := guarded(t)
			fail(t, g, d, m)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			require.NoError(t, d.Sessions.DeleteSession(ctx, "ana"), "it waits for the lock, and gets it")
		})
	}
}

// Who gives up waiting does not take the lock along.
func TestGuardWaitEndsWithItsContext(t *testing.T) {
	g, d, _ := guarded(t)
	require.NoError(t, g.lock(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.Sessions.GetSession(ctx, "ana")
	require.ErrorIs(t, err, context.Canceled)
	marked, end := g.sending(ctx)
	defer end()
	_, err = d.Sessions.GetManySessions(marked, []string{"ana"})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, d.EventBuffer.DoDecryptionTxn(ctx, func(context.Context) error { return nil }), context.Canceled)
	g.unlock()
	_, err = d.Sessions.GetSession(t.Context(), "ana")
	require.NoError(t, err)
}
