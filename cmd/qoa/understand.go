package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/demo"
)

func runUnderstand(_ context.Context, c console) error {
	flags := flag.NewFlagSet("understand", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	role := flags.String("role", string(flows.Consumer), "who writes")
	if flags.Parse(c.args) != nil || flags.NArg() > 0 ||
		*role != string(flows.Consumer) && *role != string(flows.Tendero) {
		return errUsage
	}
	words, err := flows.NewUnderstander(catalog(demo.Products()))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(c.out)
	defer out.Flush()
	in := bufio.NewReader(c.in)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			r := words.Understand(flows.Audience(*role), strings.TrimRight(line, "\r\n"))
			fmt.Fprintf(out, "%s\t%s\n", r.Intent, r.Slots.JSON())
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		// Somebody may be typing: answer each line as it comes.
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}

// catalog is the store's catalogue as understanding reads it.
func catalog(names []store.ProductName) []flows.Product {
	products := make([]flows.Product, len(names))
	for i, n := range names {
		products[i] = flows.Product{GTIN: string(n.GTIN), Name: n.Name, Nicknames: n.Nicknames}
	}
	return products
}
