package main

import (
	"context"
	"flag"
	"io"
	"strings"

	"github.com/qoa-conectados/qoa/migrations"
)

func runServe(ctx context.Context, c console) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	names := flags.String("roles", "api,bot,worker", "what this process does")
	if flags.Parse(c.args) != nil || flags.NArg() > 0 {
		return errUsage
	}
	var r roles
	for name := range strings.SplitSeq(*names, ",") {
		switch strings.TrimSpace(name) {
		case "api":
			r.api = true
		case "bot":
			r.bot = true
		case "worker":
			r.worker = true
		default:
			return errUsage
		}
	}
	cfg, err := loadConfig(forServe)
	if err != nil {
		return err
	}
	if err := migrations.Up(ctx, cfg.DatabaseURL); err != nil {
		return err
	}
	s := newServer(cfg, newLog(c.err, cfg), r, false)
	s.terminal = terminalOf(c.err)
	if r.api {
		if s.listener, err = listen(&s.cfg); err != nil {
			return err
		}
	}
	if err := s.start(ctx, cfg.DatabaseURL, cfg.RedisURL); err != nil {
		return err
	}
	s.log.Info("serving", "address", s.cfg.address(), "roles", *names, "version", version)
	return s.wait(ctx)
}
