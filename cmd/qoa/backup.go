package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/qoa-conectados/qoa/migrations"
	"github.com/qoa-conectados/qoa/store/backup"
)

// standard stands for standard output or input in place of a file, so that a
// backup can be encrypted on its way.
const standard = "-"

func runBackup(ctx context.Context, c console) error {
	if len(c.args) != 1 {
		return errUsage
	}
	cfg, err := loadConfig(forCommand)
	if err != nil {
		return err
	}
	url, done, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer done()
	if c.args[0] == standard {
		return backup.Write(ctx, url, c.out)
	}
	size, err := writeWhole(c.args[0], func(f *os.File) error { return backup.Write(ctx, url, f) })
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s: %d bytes, the whole database. It holds phones, messages and the keys of WhatsApp numbers; QOA_SECRET is not in it.\n", c.args[0], size)
	return nil
}

// writeWhole makes a file that has its name only when it is whole and on the disk,
// and overwrites none.
func writeWhole(name string, write func(f *os.File) error) (size int64, err error) {
	if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
		if err == nil {
			err = fmt.Errorf("%s: a file is there already", name)
		}
		return 0, err
	}
	part := name + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer os.Remove(part) //nolint:errcheck // it has its name by then, or is worth nothing
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if info, e := f.Stat(); e == nil {
		size = info.Size()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	return size, os.Rename(part, name)
}

// runRestore ends with the proof: a backup that nobody verified is a hope.
func runRestore(ctx context.Context, c console) error {
	if len(c.args) != 1 {
		return errUsage
	}
	cfg, err := loadConfig(forCommand)
	if err != nil {
		return err
	}
	in := c.in
	if c.args[0] != standard {
		f, err := os.Open(c.args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	url, done, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer done()
	if err := backup.Read(ctx, url, in); err != nil {
		return err
	}
	// The backup may be older than this program.
	if err := migrations.Up(ctx, url); err != nil {
		return err
	}
	fmt.Fprintln(c.out, "restored, with the newest schema")
	db, err := openStore(ctx, cfg, url)
	if err != nil {
		return err
	}
	defer db.Close()
	return verify(ctx, c, db)
}
