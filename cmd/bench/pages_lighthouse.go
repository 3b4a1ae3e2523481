package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// chromium is a browser of our own, which Lighthouse drives through a port.
type chromium struct {
	cmd  *exec.Cmd
	gone chan struct{}
	port string
}

func startChromium(ctx context.Context, dir string) (*chromium, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, fmt.Errorf("no chromium: run `make deps-test`: %w", err)
	}
	b := &chromium{gone: make(chan struct{})}
	b.cmd = exec.Command(path, "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir="+dir, "about:blank")
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		b.cmd.Wait() //nolint:errcheck // it is killed
		close(b.gone)
	}()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if told, err := os.ReadFile(filepath.Join(dir, "DevToolsActivePort")); err == nil && bytes.Contains(told, []byte("\n")) {
			b.port, _, _ = strings.Cut(string(told), "\n")
			return b, nil
		}
		select {
		case <-b.gone:
			return nil, errors.New("chromium ended")
		case <-ctx.Done():
			b.stop()
			return nil, fmt.Errorf("chromium opens no port: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stop ends the browser with all its processes.
func (b *chromium) stop() {
	syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL) //nolint:errcheck // it may be gone
	<-b.gone
}

// lhr is what we read of Lighthouse's report.
type lhr struct {
	Version     string `json:"lighthouseVersion"`
	Environment struct {
		Agent string `json:"hostUserAgent"`
	} `json:"environment"`
	RuntimeError *struct{ Message string } `json:"runtimeError"`
	Categories   map[string]struct{ Score *float64 }
	Audits       map[string]struct {
		NumericValue float64 `json:"numericValue"`
		Details      struct {
			Items json.RawMessage `json:"items"`
		}
	}
	requests []struct {
		ResourceType string `json:"resourceType"`
		TransferSize int    `json:"transferSize"`
	}
}

// lighthouse looks at a page as somebody who was never here, or has just been.
func (b *chromium) lighthouse(ctx context.Context, script, dir string, d door, again bool) (*lhr, error) {
	headers, err := headersFile(dir, d.cookie)
	if err != nil {
		return nil, err
	}
	args := []string{script, d.url, "--port=" + b.port, "--quiet", "--output=json", "--only-categories=performance,accessibility,best-practices"}
	if d.cookie != "" {
		args = append(args, "--extra-headers="+headers)
	}
	if again {
		args = append(args, "--disable-storage-reset")
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	var out []byte
	for tries := 3; ; tries-- {
		var said bytes.Buffer
		cmd := exec.CommandContext(ctx, "node", args...)
		cmd.Stderr = &said
		if out, err = cmd.Output(); err == nil {
			break
		}
		// Now and then the browser records no beginning; it asks to be run again.
		if tries == 1 || !strings.Contains(said.String(), "NO_NAVSTART") {
			return nil, fmt.Errorf("lighthouse %s: %w\n%.2000s", d.name, err, said.String())
		}
	}
	var r lhr
	if err := json.Unmarshal(out, &r); err != nil {
		return nil, fmt.Errorf("lighthouse %s: %w", d.name, err)
	}
	if r.RuntimeError != nil {
		return nil, fmt.Errorf("lighthouse %s: %s", d.name, r.RuntimeError.Message)
	}
	if err := json.Unmarshal(r.Audits["network-requests"].Details.Items, &r.requests); err != nil {
		return nil, fmt.Errorf("lighthouse %s: requests: %w", d.name, err)
	}
	return &r, nil
}

func (r *lhr) scores() scores {
	of := func(category string) float64 {
		if score := r.Categories[category].Score; score != nil {
			return 100 * *score
		}
		return 0
	}
	return scores{
		Performance: of("performance"), Accessibility: of("accessibility"), Practices: of("best-practices"),
		FCP: r.Audits["first-contentful-paint"].NumericValue, LCP: r.Audits["largest-contentful-paint"].NumericValue,
		TBT: r.Audits["total-blocking-time"].NumericValue, CLS: r.Audits["cumulative-layout-shift"].NumericValue,
	}
}

// visit counts what went over the wire; what the browser had is not asked for.
func (r *lhr) visit() visit {
	kinds := map[string]string{"Document": "document", "Stylesheet": "style", "Script": "script", "Image": "picture"}
	v := visit{Bytes: map[string]int{}}
	for _, q := range r.requests {
		if q.TransferSize == 0 {
			continue
		}
		kind, ok := kinds[q.ResourceType]
		if !ok {
			kind = "other"
		}
		v.Requests++
		v.Bytes[kind] += q.TransferSize
	}
	return v
}
