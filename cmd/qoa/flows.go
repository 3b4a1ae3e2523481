package main

import (
	"context"
	"os"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/templates"
)

func runFlows(_ context.Context, c console) error {
	if len(c.args) == 0 {
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
	ok := false
	switch c.args[0] {
	case "lint":
		ok = flows.LintAll(c.out, texts, files)
	case "test":
		ok = flows.RunTranscripts(c.out, texts, files)
	default:
		return errUsage
	}
	if !ok {
		return errSilent
	}
	return nil
}
