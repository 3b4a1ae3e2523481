package main

import (
	"context"
	"fmt"

	"github.com/qoa-conectados/qoa/migrations"
)

func runMigrate(ctx context.Context, c console) error {
	if len(c.args) != 1 {
		return errUsage
	}
	cfg, err := loadConfig(forCommand)
	if err != nil {
		return err
	}
	var do func(url string) error
	switch c.args[0] {
	case "up":
		do = func(url string) error { return migrations.Up(ctx, url) }
	case "down":
		do = func(url string) error { return migrations.Down(ctx, url) }
	case "status":
		do = func(url string) error {
			lines, err := migrations.Status(ctx, url)
			for _, line := range lines {
				fmt.Fprintln(c.out, line)
			}
			return err
		}
	default:
		return errUsage
	}
	url, done, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer done()
	return do(url)
}
