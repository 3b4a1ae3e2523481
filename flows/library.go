package flows

import (
	"embed"
	"errors"
	"fmt"
	"io"
)

//go:embed library/*.yaml library/transcripts/*.yaml routes.yaml
var libraryFiles embed.FS

// Library reads the definitions that come with the program.
func Library() ([]*Definition, error) {
	entries, err := libraryFiles.ReadDir("library")
	if err != nil {
		return nil, fmt.Errorf("library: %w", err)
	}
	var defs []*Definition
	var errs []error
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		data, err := libraryFiles.ReadFile("library/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("library: %w", err)
		}
		d, err := ParseDefinition(data)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", entry.Name(), err))
			continue
		}
		defs = append(defs, d)
	}
	return defs, errors.Join(errs...)
}

// LibraryRoutes reads the routes that come with the program.
func LibraryRoutes() (Routes, error) {
	data, err := libraryFiles.ReadFile("routes.yaml")
	if err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	return ParseRoutes(data)
}

// NewLibraryEngine makes an engine of what comes with the program.
func NewLibraryEngine(words *Understander) (*Engine, error) {
	defs, err := Library()
	if err != nil {
		return nil, err
	}
	routes, err := LibraryRoutes()
	if err != nil {
		return nil, err
	}
	return NewEngine(defs, routes, words)
}

// File is a file that somebody else has read: this package reads none.
type File struct {
	Name string
	Data []byte
}

// LintAll checks the library, with the definitions in files put in the place
// of those of the same name; it writes what is wrong and says whether nothing is.
func LintAll(w io.Writer, texts Texts, files []File) bool {
	defs, err := withFiles(files)
	if err != nil {
		return report(w, []error{err})
	}
	routes, err := LibraryRoutes()
	if err != nil {
		return report(w, []error{err})
	}
	problems := Lint(defs, routes, Actions(), texts)
	if len(files) > 0 {
		problems = append(problems, migrations(defs)...)
	}
	if report(w, problems) {
		_, err = fmt.Fprintf(w, "ok: %d flows\n", len(defs))
		return err == nil
	}
	return false
}

// withFiles is the library with definitions from files in it.
func withFiles(files []File) ([]*Definition, error) {
	defs, err := Library()
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		d, err := ParseDefinition(file.Data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Name, err)
		}
		replaced := false
		for i, old := range defs {
			if old.Flow == d.Flow {
				defs[i], replaced = d, true
			}
		}
		if !replaced {
			defs = append(defs, d)
		}
	}
	return defs, nil
}

// migrations checks definitions against the library's of the same name, where
// the version differs.
func migrations(defs []*Definition) []error {
	library, err := Library()
	if err != nil {
		return []error{err}
	}
	var problems []error
	for _, old := range library {
		for _, d := range defs {
			if d.Flow == old.Flow && d.Version != old.Version {
				problems = append(problems, Migratable(old, d)...)
			}
		}
	}
	return problems
}

// report writes problems, one a line; true when there are none.
func report(w io.Writer, problems []error) bool {
	for _, p := range problems {
		if _, err := fmt.Fprintln(w, p); err != nil {
			return false
		}
	}
	return len(problems) == 0
}
