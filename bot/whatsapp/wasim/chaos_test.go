package wasim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

// Everything that does not lose a message for good goes wrong at random, and
// each message still arrives, and is answered, once for who looks at IDs: the
// server itself neither loses nor invents any.
func TestNothingIsLostWhateverGoesWrong(t *testing.T) {
	consumers, each := 4, 15
	if os.Getenv("QOA_SOAK") != "" {
		consumers, each = 20, 100
	}
	tr, _ := os.Create("/tmp/wasim.trace")
	s := wasim.New(t, wasim.Options{Trace: tr})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	impatient := wasim.WithTimeout(500 * time.Millisecond)
	bot := s.NewPhone(t, "+5215500000000", impatient)
	numbers := make([]string, consumers)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+52155%08d", i+1)
	}
	phones := s.NewPhones(t, numbers, impatient)

	var busy sync.WaitGroup
	storm, still := context.WithCancel(ctx)
	var fuss sync.WaitGroup
	fuss.Go(func() { // a strike with every third message, however fast they go
		random := rand.New(rand.NewPCG(1, 2))
		everybody := append(slices.Clone(phones), bot)
		sent := func() (n int) {
			for _, p := range everybody {
				n += len(p.Account.Sent())
			}
			return n
		}
		for strike := 0; ; strike++ {
			after := sent() + 3
			if s.Until(storm, func() bool { return sent() >= after }) != nil {
				return
			}
			p := everybody[random.IntN(len(everybody))]
			if strike%2 == 0 {
				p = bot
			}
			switch random.IntN(5) {
			case 0:
				p.Device.Drop()
			case 1:
				p.Account.DropAcks(1)
			case 2:
				p.Account.CorruptNext(1)
			case 3:
				p.Account.LoseNext(1)
			case 4:
				p.Device.StreamError(503)
			}
		}
	})

	answered := map[string]bool{}
	busy.Go(func() { // the bot, which knows what it has had
		seen := 0
		for len(answered) < consumers*each {
			if s.Until(ctx, func() bool { return len(bot.Readable()) > seen }) != nil {
				return
			}
			for _, got := range bot.Readable()[seen:] {
				seen++
				if answered[got.ID] {
					continue
				}
				if _, err := bot.Insist(ctx, got.Chat.String(), text("eco "+got.Text)); err != nil {
					t.Errorf("answer: %v", err)
					return
				}
				answered[got.ID] = true
			}
		}
	})
	for _, p := range phones {
		busy.Go(func() {
			for n := range each {
				if _, err := p.Insist(ctx, bot.Account.Number(), text(fmt.Sprint(n))); err != nil {
					t.Errorf("message: %v", err)
					return
				}
			}
		})
	}
	busy.Wait()
	still()
	fuss.Wait()
	if ctx.Err() != nil {
		t.Fatalf("%d of %d messages were answered; of the others:\n%s", len(answered), consumers*each, fates(bot, phones, answered))
	}
	if !t.Failed() {
		for _, p := range phones {
			s.Wait(t, "all answers", func() bool { return len(once(p)) >= each })
		}
	}
	for i, p := range phones {
		got := once(p)
		require.Len(t, got, each, "consumer %d", i)
		for n := range each {
			require.Contains(t, got, fmt.Sprintf("eco %d", n))
		}
	}
	require.Empty(t, s.Overlaps())
	t.Logf("%d messages, %d stanzas for the bot, %d of them unreadable, %d logins", consumers*each, len(bot.Device.Deliveries()), len(bot.Failures()), bot.Device.Logins())
}

// fates tells what became of the messages that were not answered.
func fates(bot *wasim.Phone, phones []*wasim.Phone, answered map[string]bool) string {
	var b strings.Builder
	for _, p := range phones {
		for _, m := range p.Account.Sent() {
			if answered[m.ID] {
				continue
			}
			fmt.Fprintf(&b, "sent %+v\n", m)
			for _, d := range bot.Device.Deliveries() {
				if d.ID == m.ID {
					fmt.Fprintf(&b, "  delivered %d times, retry %d, acknowledged by %q\n", d.Attempts, d.Retry, d.How)
				}
			}
		}
	}
	return b.String()
}

// once are the texts that a phone got, each ID counted once, with their number.
func once(p *wasim.Phone) []string {
	var texts []string
	ids := map[string]bool{}
	for _, r := range p.Readable() {
		if !ids[r.ID] {
			ids[r.ID] = true
			texts = append(texts, r.Text)
		}
	}
	return texts
}
