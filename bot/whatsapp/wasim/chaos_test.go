package wasim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
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
	consumers, each, calm := 4, 15, 5*time.Millisecond
	if os.Getenv("QOA_SOAK") != "" {
		consumers, each, calm = 20, 100, 40*time.Millisecond
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
	quiet := make(chan struct{})
	var fuss sync.WaitGroup
	fuss.Go(func() {
		random := rand.New(rand.NewPCG(1, 2))
		everybody := append(slices.Clone(phones), bot)
		for strike := range ticks(quiet, calm) {
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
	close(quiet)
	fuss.Wait()
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

// ticks counts up until quiet is closed.
func ticks(quiet chan struct{}, every time.Duration) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-quiet:
				return
			case <-tick.C:
				if !yield(n) {
					return
				}
			}
		}
	}
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
