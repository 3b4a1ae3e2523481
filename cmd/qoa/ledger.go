package main

import (
	"context"
	"fmt"

	"github.com/qoa-conectados/qoa/store"
)

func runLedger(ctx context.Context, c console) error {
	if len(c.args) != 1 || c.args[0] != "verify" {
		return errUsage
	}
	return withStore(ctx, func(db *store.DB) error { return verify(ctx, c, db) })
}

// verify says whether every figure is what its entries say; errSilent where one is
// not.
func verify(ctx context.Context, c console, db *store.DB) error {
	found, err := db.Verify(ctx)
	if err != nil {
		return err
	}
	for _, d := range found {
		fmt.Fprintln(c.out, d)
	}
	if len(found) > 0 {
		fmt.Fprintf(c.out, "%d differences\n", len(found))
		return errSilent
	}
	fmt.Fprintln(c.out, "clean: every balance, stock and receipt is what its entries say")
	return nil
}
