package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func runAdmin(ctx context.Context, c console) error {
	if len(c.args) == 0 || c.args[0] != "create" {
		return errUsage
	}
	flags := flag.NewFlagSet("admin create", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	email := flags.String("email", "", "the admin's mail address, with which to log in")
	name := flags.String("name", "Admin", "how the pages call the admin")
	if flags.Parse(c.args[1:]) != nil || *email == "" || flags.NArg() > 0 {
		return errUsage
	}
	fmt.Fprint(c.err, "Password: ")
	password, err := bufio.NewReader(c.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	fmt.Fprintln(c.err)
	return withStore(ctx, func(db *store.DB) error {
		return db.InTx(ctx, func(tx *store.Tx) error {
			staff, err := tx.CreateStaff(ctx, loyalty.System(), store.StaffInput{
				Email: *email, Name: *name, Role: loyalty.RoleAdmin, Password: strings.TrimRight(password, "\r\n"),
			})
			if err == nil {
				fmt.Fprintf(c.out, "admin %s created\n", staff.Email)
			}
			return err
		})
	})
}
