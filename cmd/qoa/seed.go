package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/demo"
)

func runSeed(ctx context.Context, c console) error {
	if len(c.args) != 1 || c.args[0] != "demo" {
		return errUsage
	}
	cfg, err := loadConfig(forCommand)
	if err != nil {
		return err
	}
	if cfg.production() {
		return errors.New("PUBLIC_URL: the demo's logins and API key are public, so they are for a loopback address only")
	}
	return withStore(ctx, func(db *store.DB) error {
		if _, err := demo.Seed(ctx, db); err != nil {
			return err
		}
		_, err := fmt.Fprintln(c.out, "demo data is there")
		return err
	})
}
