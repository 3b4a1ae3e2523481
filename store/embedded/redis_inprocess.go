package embedded

import (
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// startInProcess runs the substitute. Its expiry times stand still unless told
// how much time went by, and asynq's unique locks would never end.
func startInProcess() (*Redis, error) {
	m := miniredis.NewMiniRedis()
	if err := m.StartAddr("127.0.0.1:0"); err != nil {
		return nil, err
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(200 * time.Millisecond)
		defer t.Stop()
		last := time.Now()
		for {
			select {
			case <-quit:
				return
			case now := <-t.C:
				m.FastForward(now.Sub(last))
				last = now
			}
		}
	}()
	stop := sync.OnceValue(func() error {
		close(quit)
		<-done
		m.Close()
		return nil
	})
	return &Redis{url: "redis://" + m.Addr() + "/0", kind: KindInProcess, stop: stop}, nil
}
