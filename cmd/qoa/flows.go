package main

import (
	"context"
	"os"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/templates"
)

func runFlows(_ context.Context, c console) error {
	if len(c.args) == 0 || c.args[0] != "lint" && c.args[0] != "test" {
		return errUsage
	}
	texts, err := templates.LoadMessages()
	if err != nil {
		return err
	}
	var files []flows.File
	for _, name := range c.args[1:] {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files = append(files, flows.File{Name: name, Data: data})
	}
	check := flows.LintAll
	if c.args[0] == "test" {
		check = flows.RunTranscripts
	}
	if !check(c.out, texts, files) {
		return errSilent
	}
	return nil
}
