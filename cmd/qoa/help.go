package main

import (
	"context"
	"fmt"
	"runtime"
	"text/tabwriter"
)

func runHelp(_ context.Context, c console) error {
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	if len(c.args) == 1 && c.args[0] == "env" {
		for _, s := range settings() {
			fallback := s.fallback
			if fallback == "" {
				fallback = "—"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", s.name, fallback, s.explain)
		}
		return nil
	}
	if len(c.args) > 0 {
		return errUsage
	}
	fmt.Fprintln(w, "Qoa Conectados: loyalty over WhatsApp for corner shops and the brands they sell.")
	fmt.Fprintln(w)
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  qoa %s\t%s\n", cmd.usage, cmd.explain)
	}
	return nil
}

func runVersion(_ context.Context, c console) error {
	_, err := fmt.Fprintf(c.out, "qoa %s (%s, %s)\n", version, commit, runtime.Version())
	return err
}
