package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// pagesOptions are what the flags of `bench pages` say.
type pagesOptions struct {
	options
	runs       int
	lighthouse string // the program's own script
}

// pageReport is all that `bench pages` found out.
type pageReport struct {
	At         string `json:"at"`
	Processors int    `json:"processors"`
	System     string `json:"system"`
	Lighthouse string `json:"lighthouse"`
	Chromium   string `json:"chromium"`
	Pages      []page `json:"pages"`
	floors     []floor
}

// page is one page as a phone meets it.
type page struct {
	Name   string `json:"name"`
	Scores scores `json:"scores"` // medians of the runs
	First  visit  `json:"first_visit"`
	Again  visit  `json:"repeated_visit"`
	door   door
}

// The goals of every page; accessibility must be faultless.
const (
	leastPerformance   = 95
	leastAccessibility = 100
	leastPractices     = 95
)

func pages(ctx context.Context, args []string) error {
	o, err := parsePages(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.parent, "qoa-bench-pages-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	o.say("demo data in %s", dir)
	s, err := startDemo(ctx, o.binary, dir)
	if err != nil {
		return err
	}
	r, err := measurePages(ctx, o, s, dir)
	if err := errors.Join(err, s.stop()); err != nil {
		return s.blame(err)
	}
	if err := r.show(o); err != nil {
		return err
	}
	return passed(r.floors)
}

func parsePages(args []string) (pagesOptions, error) {
	o := pagesOptions{options: options{progress: os.Stderr}}
	f := flag.NewFlagSet("bench pages", flag.ContinueOnError)
	f.IntVar(&o.runs, "runs", 3, "how often Lighthouse looks at each page; the medians count")
	f.BoolVar(&o.json, "json", false, "print the figures as JSON")
	f.StringVar(&o.binary, "qoa", "bin/qoa", "the server to be measured")
	f.StringVar(&o.parent, "dir", os.TempDir(), "where the data folder is made")
	f.StringVar(&o.lighthouse, "lighthouse", "var/lighthouse/node_modules/lighthouse/cli/index.js", "Lighthouse, as npm installs it")
	if err := f.Parse(args[1:]); err != nil {
		return o, flag.ErrHelp // it has been said
	}
	if o.runs < 1 || f.NArg() > 0 {
		return o, errors.New("-runs begins with 1, and nothing follows the flags")
	}
	return o, nil
}

func measurePages(ctx context.Context, o pagesOptions, s *server, dir string) (*pageReport, error) {
	doors, err := demoDoors(ctx, "http://"+s.address)
	if err != nil {
		return nil, err
	}
	b, err := startChromium(ctx, filepath.Join(dir, "chromium"))
	if err != nil {
		return nil, err
	}
	defer b.stop()
	r := &pageReport{At: time.Now().UTC().Format("2006-01-02 15:04 MST"), Processors: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH}
	for _, d := range doors {
		p := page{Name: d.name, door: d}
		var all []scores
		for n := range o.runs {
			o.say("%s, %d of %d", d.name, n+1, o.runs)
			report, err := b.lighthouse(ctx, o.lighthouse, dir, d, false)
			if err != nil {
				return nil, err
			}
			all = append(all, report.scores())
			if n == 0 {
				p.First = report.visit()
			}
			r.Lighthouse, r.Chromium = report.Version, report.Environment.Agent
		}
		p.Scores = medianScores(all)
		report, err := b.lighthouse(ctx, o.lighthouse, dir, d, true)
		if err != nil {
			return nil, err
		}
		p.Again = report.visit()
		r.Pages = append(r.Pages, p)
		r.floors = append(r.floors,
			atLeast(p.Scores.Performance, leastPerformance, "%s: performance", d.name),
			atLeast(p.Scores.Accessibility, leastAccessibility, "%s: accessibility", d.name),
			atLeast(p.Scores.Practices, leastPractices, "%s: best practices", d.name))
	}
	return r, nil
}

func (r *pageReport) show(o pagesOptions) error {
	if o.json {
		return printJSON(r)
	}
	fmt.Printf("\nLighthouse %s, mobile profile (slow 4G, processor four times slower), medians of %d\n%s, %d processors, %s, %s\n\n",
		r.Lighthouse, o.runs, r.At, r.Processors, r.System, r.Chromium)
	t := figuresTable()
	fmt.Fprintln(t, "page\tperformance\taccessibility\tbest practices\tFCP ms\tLCP ms\tTBT ms\tCLS\t")
	for _, p := range r.Pages {
		v := p.Scores
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.3f\t\n", p.Name, v.Performance, v.Accessibility, v.Practices, v.FCP, v.LCP, v.TBT, v.CLS)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Printf("\nbytes over the wire, with headers\n\n")
	t = figuresTable()
	fmt.Fprintln(t, "page\tvisit\trequests\tdocument\tstyles\tscripts\tpictures\tother\tall\t")
	for _, p := range r.Pages {
		fmt.Fprintln(t, p.First.line(p.Name, "first"))
		fmt.Fprintln(t, p.Again.line(p.Name, "repeated"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Println()
	showFloors(r.floors)
	return nil
}

// scores are what Lighthouse thinks of a page, of 100, and what it measured.
type scores struct {
	Performance   float64 `json:"performance"`
	Accessibility float64 `json:"accessibility"`
	Practices     float64 `json:"best_practices"`
	FCP           float64 `json:"fcp_ms"`
	LCP           float64 `json:"lcp_ms"`
	TBT           float64 `json:"tbt_ms"`
	CLS           float64 `json:"cls"`
}

func medianScores(all []scores) scores {
	middle := func(of func(scores) float64) float64 {
		var values []float64
		for _, s := range all {
			values = append(values, of(s))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return scores{
		Performance:   middle(func(s scores) float64 { return s.Performance }),
		Accessibility: middle(func(s scores) float64 { return s.Accessibility }),
		Practices:     middle(func(s scores) float64 { return s.Practices }),
		FCP:           middle(func(s scores) float64 { return s.FCP }),
		LCP:           middle(func(s scores) float64 { return s.LCP }),
		TBT:           middle(func(s scores) float64 { return s.TBT }),
		CLS:           middle(func(s scores) float64 { return s.CLS }),
	}
}

// visit is what a page had sent over the wire.
type visit struct {
	Requests int            `json:"requests"` // that reached the server
	Bytes    map[string]int `json:"bytes"`    // by kind
}

func (v visit) line(name, which string) string {
	all := 0
	for _, n := range v.Bytes {
		all += n
	}
	return fmt.Sprintf("%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t", name, which, v.Requests,
		v.Bytes["document"], v.Bytes["style"], v.Bytes["script"], v.Bytes["picture"], v.Bytes["other"], all)
}

// headersFile is what Lighthouse sends with every request of a page.
func headersFile(dir string, cookie string) (string, error) {
	path := filepath.Join(dir, "headers.json")
	out, err := json.Marshal(map[string]string{"Cookie": cookie})
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, out, 0o600)
}

// cookieOf is the session that an answer gives.
func cookieOf(res *http.Response) (string, error) {
	for _, c := range res.Cookies() {
		if c.Value != "" {
			return c.Name + "=" + c.Value, nil
		}
	}
	return "", fmt.Errorf("%s %s: %s, and no cookie", res.Request.Method, res.Request.URL.Path, res.Status)
}
