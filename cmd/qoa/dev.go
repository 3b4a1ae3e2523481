package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/qoa-conectados/qoa/migrations"
	"github.com/qoa-conectados/qoa/store/demo"
	"github.com/qoa-conectados/qoa/store/embedded"
)

// runDev runs everything in one process on embedded defaults, with demo data.
func runDev(ctx context.Context, c console) error {
	flags := flag.NewFlagSet("dev", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	public := flags.Bool("public", false, "allow a HOST that is not loopback")
	if flags.Parse(c.args) != nil || flags.NArg() > 0 {
		return errUsage
	}
	cfg, err := loadConfig(forDev)
	if err != nil {
		return err
	}
	if !loopback(cfg.Host) && !*public {
		return fmt.Errorf("HOST: %s is not loopback; `qoa dev` has fixed secrets and demo logins, so this needs --public", cfg.Host)
	}
	log := newLog(c.err, cfg)
	s := newServer(cfg, log, roles{api: true, bot: true, worker: true}, true)
	s.terminal = terminalOf(c.err)
	if s.listener, err = listen(&s.cfg); err != nil {
		return err
	}
	defer s.listener.Close() //nolint:errcheck // closed already when HTTP has shut down

	databaseURL, redisURL := cfg.DatabaseURL, cfg.RedisURL
	redisKind := "REDIS_URL"
	if databaseURL == "" {
		pg, err := embedded.StartPostgres(ctx, embedded.PostgresConfig{Dir: postgresDir(cfg), Log: log})
		if errors.Is(err, embedded.ErrInUse) {
			return fmt.Errorf("QOA_DATA_DIR: %w: %s", err, cfg.DataDir)
		}
		if err != nil {
			return err
		}
		defer pg.Stop() //nolint:errcheck // the process ends; recovery is tested
		databaseURL = pg.URL()
		go func() {
			<-pg.Exited()
			s.fail(errors.New("the embedded Postgres is gone; your data is safe, start again"))
		}()
	}
	if redisURL == "" {
		r, err := embedded.StartRedis(ctx, embedded.RedisConfig{Dir: redisDir(cfg), Log: log})
		if err != nil {
			return err
		}
		defer r.Stop() //nolint:errcheck // nothing durable depends on it
		redisURL, redisKind = r.URL(), r.Kind()
	}
	if err := migrations.Up(ctx, databaseURL); err != nil {
		return err
	}
	if err := s.seed(ctx, databaseURL); err != nil {
		return err
	}
	if err := s.start(ctx, databaseURL, redisURL); err != nil {
		return err
	}
	banner(c.out, s.cfg, redisKind)
	return s.wait(ctx)
}

func (s *server) seed(ctx context.Context, url string) error {
	db, err := openStore(ctx, s.cfg, url)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = demo.Seed(ctx, db)
	return err
}

// banner tells the person at the terminal where everything is. It is printed
// when everything answers.
func banner(w io.Writer, c config, redisKind string) {
	u := c.PublicURL
	write := "Write to the bot here    " + u + "/sim"
	if c.Channel != channelSim {
		write = "Link a WhatsApp number   " + u + "/admin/whatsapp"
	}
	fmt.Fprintf(w, `
  Qoa Conectados %s is ready (Redis: %s; data in %s)

  %s
  Counter QR of shop 1     %s/q/%s
  Shop page                %s/tienda   (write "hola" on /sim as +525500000001 for the link)
  Brand page               %s/marca    marca1@demo.qoa, marca2@demo.qoa / %s
  Backoffice               %s/admin    admin@demo.qoa / %s
  API                      %s/docs     OpenAPI: %s/openapi.json
  API key of T-Conecta     %s

  Ctrl-C stops it; your data stays.

`, version, redisKind, c.DataDir, write, u, demo.Shop1Code, u, u, demo.Password, u, demo.Password, u, u, demo.DevKey)
}
