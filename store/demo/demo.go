// Package demo fills an empty database with the demo data of the contract: the
// logins, two companies with brands and products, twelve shops in two cities,
// three campaigns, and eight weeks of history for every report to show.
//
// It is deterministic: the same clock gives the same rows, IDs and codes. Its
// passwords and its API key are in this file for everybody to read, so it is
// nothing for a database in production.
package demo

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// The demo's logins.
const (
	AdminEmail  = "admin@demo.qoa"
	Brand1Email = "marca1@demo.qoa"
	Brand2Email = "marca2@demo.qoa"
	Password    = "demo-qoa-2026"
	Brand1Phone = "+525500000101"
	Brand2Phone = "+525500000102"
	// DevKey is the API key of T-Conecta.
	DevKey = "qoa_key_demo-tconecta-solo-para-desarrollo-00000000"
	// Shop1Code is the code of Abarrotes Lupita, kept by the tendero with
	// Tendero1Phone; those of the other shops count on from there.
	Shop1Code     = "K7M2QR"
	Tendero1Phone = "+525500000001"
)

// Result says what was made; with Seeded false, nothing: it was there before.
type Result struct {
	Seeded      bool
	Shops       int
	Products    int
	Campaigns   int
	Consumers   int
	Purchases   int
	Redemptions int
}

// Weeks is how much history there is.
const Weeks = 8

// Seed makes the demo data, once: a second call changes nothing.
func Seed(ctx context.Context, db *store.DB) (Result, error) {
	now := db.Now().UTC().Truncate(time.Microsecond)
	zone := loyalty.Zone(loyalty.DefaultTimeZone)
	local := now.In(zone)
	start := time.Date(local.Year(), local.Month(), local.Day()-7*Weeks, 0, 0, 0, 0, zone).UTC()

	var r Result
	source := &random{}
	// The catalogue is as old as its history.
	err := db.Seeded(source).At(start).InTx(ctx, func(tx *store.Tx) error {
		source.reset()
		r = Result{}
		first, err := tx.Bulk().Once(ctx, "demo", "seed")
		if err != nil || !first {
			return err
		}
		c, err := seedCatalogue(ctx, tx)
		if err != nil {
			return err
		}
		h := newHistory(c, source, start, now, zone)
		h.live()
		if err := h.save(ctx, tx.Bulk()); err != nil {
			return err
		}
		r = Result{
			Seeded: true, Shops: len(c.shops), Products: len(c.products), Campaigns: len(c.campaigns),
			Consumers: len(h.consumers.rows), Purchases: len(h.purchases.rows), Redemptions: len(h.redemptions.rows),
		}
		return tx.RollupSales(ctx, time.Time{})
	})
	return r, err
}

// Products are the demo's products as people call them, without a database.
func Products() []store.ProductName {
	names := make([]store.ProductName, len(products))
	for i, p := range products {
		names[i] = store.ProductName{GTIN: loyalty.GTIN(p.gtin), Name: p.name, Nicknames: append([]string(nil), p.nicknames...)}
	}
	return names
}
