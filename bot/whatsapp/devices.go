package whatsapp

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"time"

	wastore "go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"

	"github.com/qoa-conectados/qoa/store"
)

// deviceStore is whatsmeow's word for a device with its keys.
type deviceStore = wastore.Device

// schema holds whatsmeow's tables: the keys of all devices.
const schema = "whatsmeow"

// devices keeps the keys of all numbers' devices, in our database.
type devices struct {
	container *sqlstore.Container
}

// openDevices prepares whatsmeow's tables and opens them.
func openDevices(ctx context.Context, db *store.DB, log *slog.Logger) (*devices, error) {
	wire := wireLog{log: log, module: "Store"}
	tables, err := db.OpenSchema(ctx, schema, func(ctx context.Context, tables *sql.DB) error {
		return sqlstore.NewWithDB(tables, "postgres", wire).Upgrade(ctx)
	})
	if err != nil {
		return nil, err
	}
	return &devices{sqlstore.NewWithDB(tables, "postgres", wire)}, nil
}

func (d *devices) close() error { return d.container.Close() }

// open gives the device of a number with its keys under guard; nil where the keys
// are gone. It is always the number's own, never just the first that is there.
func (d *devices) open(ctx context.Context, jid string) (*deviceStore, *guard, error) {
	if jid == "" {
		return nil, nil, nil
	}
	id, err := deviceOf(jid)
	if err != nil {
		return nil, nil, err
	}
	device, err := d.container.GetDevice(ctx, id)
	if err != nil || device == nil {
		return nil, nil, err
	}
	device.EventBuffer = &tidyEvents{EventBuffer: device.EventBuffer}
	g := newGuard()
	g.wrap(device)
	return device, g, nil
}

// forget deletes the keys of a device. WhatsApp knows it no more.
func (d *devices) forget(ctx context.Context, jid string) error {
	id, err := deviceOf(jid)
	if err != nil {
		return nil // there is none
	}
	return d.container.DeleteDevice(ctx, &deviceStore{ID: &id})
}

// fresh gives a device that is nobody's yet.
func (d *devices) fresh() *deviceStore { return d.container.NewDevice() }

// tidyEvents deletes old sent messages now and then: whatsmeow asks for it with
// every message that it sends.
type tidyEvents struct {
	wastore.EventBuffer
	mu   sync.Mutex
	last time.Time
}

const tidyEvery = time.Hour

// DeleteOldOutgoingEvents implements store.EventBuffer.
func (t *tidyEvents) DeleteOldOutgoingEvents(ctx context.Context) error {
	t.mu.Lock()
	due := time.Since(t.last) > tidyEvery
	if due {
		t.last = time.Now()
	}
	t.mu.Unlock()
	if !due {
		return nil
	}
	return t.EventBuffer.DeleteOldOutgoingEvents(ctx)
}
