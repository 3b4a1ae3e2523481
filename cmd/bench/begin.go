package main

import (
	"context"
	"errors"
	"fmt"
)

// begin starts the servers and makes the world. done stops them.
func begin(ctx context.Context, o options) (b *bench, done func() error, err error) {
	if _, err := findPgbench(); err != nil {
		return nil, nil, err
	}
	b = &bench{options: o}
	if b.cluster, err = startCluster(ctx, o); err != nil {
		return nil, nil, err
	}
	done = func() error {
		if o.keep {
			o.say("kept: %s", b.cluster.dir)
		}
		return b.cluster.stop(o.keep)
	}
	o.say("%d cards, %d shops, %d campaigns in %s", cards, shops, campaigns, b.cluster.dir)
	if b.world, err = makeWorld(ctx, b.url(firstDatabase), o); err == nil {
		err = b.findPostmaster(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(err, done())
	}
	return b, done, nil
}

// fillSite makes a database with so many ledger rows, and opens it.
func (b *bench) fillSite(ctx context.Context, name string, rows int) (*site, error) {
	b.say("%s: %d ledger rows", name, rows)
	if err := b.clone(ctx, firstDatabase, name); err != nil {
		return nil, err
	}
	if err := b.world.fill(ctx, b.url(name), rows, b.say); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b.open(ctx, name)
}
