package main_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/proto/waE2E"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// crowd is people who write to the bot's numbers: each message has one answer that
// fits no other. It is a code, of which the bot says that it is for the tendero.
type crowd struct {
	w        *town
	random   io.Reader
	people   []*writer
	answered atomic.Int64 // of all of them, the codes alone
	over     atomic.Bool  // nobody waits for anything any more
}

// writer is one of them.
type writer struct {
	phone *wasim.Phone
	line  *line
	ahead int // how many messages may be without an answer

	heard  atomic.Int64
	said   []note
	resent int
}

// note is a message that a writer's phone gave to the server.
type note struct{ id, code string }

// newCrowd links a phone for each of the people, spreads them over the numbers,
// and gets each a card.
func newCrowd(w *town, seed uint64, lines []*line, people int, opts ...wasim.PhoneOption) *crowd {
	w.t.Helper()
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	c := &crowd{w: w, random: &locked{r: rand.NewChaCha8(key)}}
	numbers := make([]string, people)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+52155876%05d", 60000+i)
	}
	for i, p := range w.whatsapp.NewPhones(w.t, numbers, opts...) {
		c.people = append(c.people, &writer{phone: p, line: lines[i%len(lines)], ahead: 1 + i%4})
	}
	var cards sync.WaitGroup
	for _, p := range c.people {
		eachMessage(p.phone, func(string) { p.heard.Add(1) })
		cards.Go(func() {
			ctx, cancel := context.WithTimeout(w.t.Context(), whatsappPatience)
			defer cancel()
			_, err := p.phone.Insist(ctx, p.line.phone, words(phrase))
			assert.NoError(w.t, err)
			assert.NoError(w.t, w.whatsapp.Until(ctx, func() bool { return p.heard.Load() >= 1 }), "a welcome")
		})
	}
	cards.Wait()
	require.False(w.t, w.t.Failed())
	for _, p := range c.people {
		eachMessage(p.phone, func(string) { c.answered.Add(1) })
	}
	return c
}

// locked is a source that many may read.
type locked struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *locked) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(b)
}

// write has everybody write n messages, none further ahead of the answers than is
// their way, and some of them twice with the same ID. done is closed when all are
// answered, or ctx ended.
func (c *crowd) write(ctx context.Context, n int) (done <-chan struct{}) {
	ended := make(chan struct{})
	var busy sync.WaitGroup
	for i, p := range c.people {
		busy.Go(func() {
			for range n {
				if !c.say(ctx, p) {
					return
				}
				if len(p.said)%7 == i%7 && p.phone.Resend(p.said[len(p.said)-1].id) == nil {
					p.resent++ // what a phone does that missed the server's word
				}
			}
			c.upTo(ctx, p, 0)
		})
	}
	go func() {
		busy.Wait()
		close(ended)
	}()
	return ended
}

// say writes one message, when there is room for it.
func (c *crowd) say(ctx context.Context, p *writer) bool {
	if !c.upTo(ctx, p, p.ahead-1) {
		return false
	}
	code := loyalty.FormatCode(loyalty.NewCode(loyalty.EvidenceCode, c.random))
	id, err := p.phone.Insist(ctx, p.line.phone, words(code))
	if !assert.NoError(c.w.t, err, "a message that the server does not take") {
		return false
	}
	p.said = append(p.said, note{id, code})
	return true
}

// upTo waits until no more than n messages wait for their answers.
func (c *crowd) upTo(ctx context.Context, p *writer, n int) bool {
	return c.w.whatsapp.Until(ctx, func() bool { return len(p.said)-int(p.heard.Load()-1) <= n }) == nil
}

var codeShown = regexp.MustCompile(`E[0-9A-Z]{3}-[0-9A-Z]{4}`)

// verdict is what a crowd's phones show in the end.
type verdict struct {
	sent, answered, lost, doubled, strange, disordered int

	late   int // answers whose place tells nothing: they, or what they answer, had to be repeated
	resent int // by phones, with the same ID
	twice  int // answers that came more than once under one ID
	again  int // messages that the server gave the bot more than once
}

// judge compares what people wrote with what their phones show: for each message
// one answer, in the order of the messages, and nothing else. Where a ciphertext
// was damaged, it was repeated later: then order says nothing.
func (c *crowd) judge(t *testing.T) (v verdict) {
	t.Helper()
	repeated := map[string]bool{}
	for _, p := range c.people {
		for _, d := range append(p.phone.Device.Deliveries(), p.line.device.Deliveries()...) {
			if d.Corrupted || d.Retry > 0 {
				repeated[d.ID] = true
			}
		}
	}
	seen := map[*line]bool{}
	for _, p := range c.people {
		if !seen[p.line] {
			seen[p.line] = true
			times := map[string]int{}
			for _, d := range p.line.device.Deliveries() {
				times[d.ID] += d.Attempts
			}
			for _, n := range times {
				v.again += n - 1
			}
		}
	}
	for i, p := range c.people {
		v.sent += len(p.said)
		v.resent += p.resent
		all := heard(p.phone)
		for _, m := range p.phone.Readable() {
			if !m.FromMe {
				v.twice++
			}
		}
		v.twice -= len(all)
		place := map[string]int{}
		for n, m := range p.said {
			place[m.code] = n
		}
		answers := make([]int, len(p.said))
		last := -1
		for n, m := range all {
			shown := codeShown.FindAllString(m.Text, -1)
			if n == 0 && cardLink.MatchString(m.Text) {
				continue // the welcome
			}
			at, known := 0, false
			if len(shown) == 1 {
				at, known = place[shown[0]]
			}
			if !known {
				v.strange++
				t.Errorf("person %d got what answers nothing: %q", i, m.Text)
				continue
			}
			answers[at]++
			switch {
			case repeated[m.ID] || repeated[p.said[at].id]:
				v.late++
			case at < last:
				v.disordered++
				t.Errorf("person %d got the answer to message %d after that to message %d", i, at, last)
			default:
				last = at
			}
		}
		for n, times := range answers {
			switch {
			case times == 0:
				v.lost++
				t.Errorf("person %d got no answer to message %d (%s); %s", i, n, p.said[n].id, c.fate(p, p.said[n].id))
			case times > 1:
				v.doubled++
				t.Errorf("person %d got %d answers to message %d (%s)", i, times, n, p.said[n].id)
			default:
				v.answered++
			}
		}
	}
	return v
}

// fate tells what the server knows of a message that was not answered.
func (c *crowd) fate(p *writer, id string) string {
	out := "never reached the bot's device"
	for _, d := range p.line.device.Deliveries() {
		if d.ID == id {
			out = fmt.Sprintf("repetition %d was given to the bot %d times, damaged: %t, acknowledged by %q", d.Retry, d.Attempts, d.Corrupted, d.How)
		}
	}
	return out
}

func (v verdict) String() string {
	return fmt.Sprintf("%d messages, %d answered once, %d lost, %d doubled, %d strange, %d out of order; "+
		"resent by phones %d, given to the bot again %d, answers seen twice on the wire %d, order not judged %d",
		v.sent, v.answered, v.lost, v.doubled, v.strange, v.disordered, v.resent, v.again, v.twice, v.late)
}

func words(text string) *waE2E.Message { return &waE2E.Message{Conversation: &text} }

// settled says whether nothing is under way any more: nothing waits in the outbox
// or the inbox, and all devices have acknowledged all that they were sent.
func (c *crowd) settled() bool {
	if c.w.count(`SELECT (SELECT count(*) FROM outbox WHERE status = 'queued') + (SELECT count(*) FROM inbox WHERE status = 'pending')`) > 0 {
		return false
	}
	return !slices.ContainsFunc(c.people, func(p *writer) bool { return !p.phone.Device.Idle() || !p.line.device.Idle() })
}
