package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/cloud"
	"github.com/qoa-conectados/qoa/bot/sim"
	"github.com/qoa-conectados/qoa/bot/whatsapp"
	"github.com/qoa-conectados/qoa/jobs"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/cache"
	"github.com/qoa-conectados/qoa/templates"
)

// The channels, as WHATSAPP_CHANNEL names them.
const (
	channelSim       = "sim"
	channelWhatsmeow = "whatsmeow"
)

// senders says through what a worker delivers: the channels that any process can
// send through, by name, and the name of the one that is ours. What goes through a
// linked number is delivered by the number's owner alone.
func (s *server) senders(db *store.DB) (byName map[string]jobs.Sender, ours string, lease time.Duration) {
	if s.cfg.Channel == channelWhatsmeow {
		return map[string]jobs.Sender{}, whatsapp.Name, 0
	}
	if s.cloud != nil {
		return map[string]jobs.Sender{cloud.Name: s.cloud}, cloud.Name, 0
	}
	// The simulator answers at once: what a killed process had in hand need not
	// wait for as long as a send over a network may take.
	return map[string]jobs.Sender{store.Sim: sim.New(db)}, store.Sim, 5 * time.Second
}

// stopFleetTime is how long the numbers may take to be handed over at a shutdown.
const stopFleetTime = 20 * time.Second

// startBot takes WhatsApp numbers. The simulator has none: what it receives comes
// in by HTTP.
func (s *server) startBot(ctx context.Context, db *store.DB, client cache.Client, bell *jobs.Bell, registry *prometheus.Registry) error {
	if s.cfg.Channel != channelWhatsmeow {
		return nil
	}
	texts, err := templates.LoadMessages()
	if err != nil {
		return err
	}
	numbers := jobs.NewNumbers(jobs.NumbersOptions{DB: db, Redis: client, Bell: bell, Texts: texts})
	fleet := whatsapp.New(whatsapp.Options{
		DB: db, Owner: owner(), Texts: texts, Log: s.log, Serve: numbers.Serve, Metrics: registry,
		Terminal: s.terminal, Words: texts.NumberSentences(time.Now), Emulator: s.cfg.emulator(),
	})
	if err := fleet.Start(ctx, bot.NewInbox(db)); err != nil {
		return fmt.Errorf("whatsapp: %w", err)
	}
	s.onStop(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopFleetTime)
		defer cancel()
		if err := fleet.Stop(ctx); err != nil {
			s.log.Warn("the numbers were not handed over in order", "error", err)
		}
	})
	return nil
}

// owner names this run of the process: leases tell runs apart by it.
func owner() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), strings.ToLower(rand.Text()[:8]))
}

// emulator is where the test settings point, nil for WhatsApp itself. check has
// seen that they are well formed.
func (c *config) emulator() *whatsapp.Endpoint {
	if c.TestAddr == "" {
		return nil
	}
	e := &whatsapp.Endpoint{Addr: c.TestAddr}
	hex.Decode(e.Root[:], []byte(c.TestRoot)) //nolint:errcheck // 64 hex digits
	return e
}

// terminalOf is w if a person reads it as it is written.
func terminalOf(w io.Writer) io.Writer {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return f
}
