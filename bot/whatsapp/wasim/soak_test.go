package wasim_test

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

// A crowd of consumers and a bot that answers each message: what the tests of
// the channel put on the server.
func TestCarriesACrowd(t *testing.T) {
	consumers, each := 10, 10
	if os.Getenv("QOA_SOAK") != "" {
		consumers, each = 20, 100
	}
	s := wasim.New(t)
	begin := time.Now()
	bot := s.NewPhone(t, "+5215500000000")
	numbers := make([]string, consumers)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("+52155%08d", i+1)
	}
	phones := s.NewPhones(t, numbers)
	var busy sync.WaitGroup
	linked := time.Now()

	busy.Go(func() {
		for range consumers * each {
			got := bot.Next()
			bot.SendText(got.Chat.String(), "eco "+got.Text)
		}
	})
	for _, p := range phones {
		busy.Go(func() {
			for n := range each {
				p.SendText(bot.Account.Number(), fmt.Sprint(n))
			}
		})
	}
	busy.Wait()
	for _, p := range phones {
		for n, got := range p.WaitFor(each) {
			require.Equal(t, fmt.Sprintf("eco %d", n), got.Text)
		}
	}
	t.Logf("%d phones linked in %s, %d messages answered in %s", consumers+1, linked.Sub(begin).Round(time.Millisecond), consumers*each, time.Since(linked).Round(time.Millisecond))
	require.Empty(t, s.Overlaps())
}
