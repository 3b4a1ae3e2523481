package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// baselineScript is the least SQL that the same purchase needs: one statement.
//
//go:embed pgbench.sql
var baselineScript string

// sample is one purchase as our server stored it. pgbench sends documents of the
// same bytes.
type sample struct{ receipt, basis, vars, trace string }

func (s sample) defines() []string {
	return []string{"receipt=" + s.receipt, "basis=" + s.basis, "vars=" + s.vars, "trace=" + s.trace}
}

func readSample(ctx context.Context, databaseURL string) (s sample, err error) {
	err = connected(ctx, databaseURL, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `
			SELECT p.receipt::text, p.basis::text, o.vars::text, o.trace_id FROM purchases p JOIN outbox o ON o.person_id = p.person_id
			ORDER BY p.id DESC LIMIT 1`).Scan(&s.receipt, &s.basis, &s.vars, &s.trace)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return s, errors.New("a purchase wrote no receipt into the outbox")
	}
	return s, err
}

// findPgbench looks where packages put it without adding it to PATH, too.
func findPgbench() (string, error) {
	if p, err := exec.LookPath("pgbench"); err == nil {
		return p, nil
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/pgbench", "/opt/homebrew/opt/postgresql*/bin/pgbench", "/usr/local/opt/postgresql*/bin/pgbench"} {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", errors.New("no pgbench on this machine: `sudo apt-get install postgresql` (macOS: `brew install postgresql`)")
}

// pgbench runs the baseline with so many clients: first to warm up, then for the
// window that counts.
func (b *bench) pgbench(ctx context.Context, s *site, clients int, window time.Duration) (f figures, err error) {
	if err := b.checkpoint(ctx); err != nil {
		return f, err
	}
	if b.warmUp > 0 {
		if _, _, err := b.pgbenchOnce(ctx, s, clients, b.warmUp); err != nil {
			return f, err
		}
	}
	before := b.clocks(nil)
	rate, cost, err := b.pgbenchOnce(ctx, s, clients, window)
	if err != nil {
		return f, err
	}
	after := b.clocks(nil)
	took, err := b.readPgbenchLogs()
	if err != nil {
		return f, err
	}
	f = newFigures(clients, took, window)
	f.Rate = rate // without the time that connecting took
	f.Postgres, f.Load = each(after.postgres-before.postgres, len(took)), each(cost, len(took))
	return f, nil
}

var tpsLine = regexp.MustCompile(`tps = ([0-9.]+) \(without initial connection time\)`)

func (b *bench) pgbenchOnce(ctx context.Context, s *site, clients int, window time.Duration) (rate float64, cost time.Duration, err error) {
	path, err := findPgbench()
	if err != nil {
		return 0, 0, err
	}
	script := filepath.Join(b.cluster.dir, "pgbench.sql")
	sql, defines := s.script, s.defines
	if sql == "" {
		sql, defines = b.script(), s.sample.defines()
	}
	if err := os.WriteFile(script, []byte(sql), 0o600); err != nil {
		return 0, 0, err
	}
	u, err := url.Parse(b.url(s.baseline()))
	if err != nil {
		return 0, 0, err
	}
	if err := b.removePgbenchLogs(); err != nil {
		return 0, 0, err
	}
	args := []string{
		"-n", "-M", "prepared", "-j", "2", "-c", strconv.Itoa(clients), "-T", strconv.Itoa(max(int(window.Seconds()), 1)),
		"-f", script, "-l", "--log-prefix", filepath.Join(b.cluster.dir, "pgbench_log"),
		// 16 digits of time, which is what IDs begin with.
		"-D", "begin=" + strconv.FormatInt(time.Now().UnixMicro(), 10), "-D", "n=0",
	}
	for _, v := range defines {
		args = append(args, "-D", v)
	}
	args = append(args, s.baseline())
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = b.cluster.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PGHOST=" + u.Query().Get("host"), "PGPORT=" + u.Query().Get("port"), "PGUSER=" + u.User.Username()}
	var said, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &wrong
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("pgbench: %w\n%.2000s", err, wrong.String())
	}
	found := tpsLine.FindSubmatch(said.Bytes())
	if found == nil || bytes.Contains(wrong.Bytes(), []byte("error")) {
		return 0, 0, fmt.Errorf("pgbench said: %s\n%.2000s", said.String(), wrong.String())
	}
	rate, err = strconv.ParseFloat(string(found[1]), 64)
	return rate, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), err
}

// script is the baseline with the run's own IDs written in.
func (b *bench) script() string {
	w := b.world
	return strings.NewReplacer(
		"{{cards}}", strconv.Itoa(cards), "{{shops}}", strconv.Itoa(shops), "{{units}}", strconv.Itoa(mostUnits), "{{price}}", strconv.Itoa(price),
		"{{first_person}}", strconv.Itoa(firstPerson), "{{first_shop}}", strconv.Itoa(firstShop), "{{id_prefix}}", strings.ReplaceAll(idPrefix, "-", ""),
		"{{product}}", string(w.product), "{{actor}}", "key:"+string(w.keyID),
		"{{stamps}}", string(w.campaigns[0].ID), "{{points}}", string(w.campaigns[1].ID), "{{tiers}}", string(w.campaigns[2].ID),
	).Replace(baselineScript)
}

func (b *bench) pgbenchLogs() ([]string, error) {
	return filepath.Glob(filepath.Join(b.cluster.dir, "pgbench_log.*"))
}

func (b *bench) removePgbenchLogs() error {
	files, err := b.pgbenchLogs()
	for _, f := range files {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

// readPgbenchLogs gives each transaction's latency: the third field of its line.
func (b *bench) readPgbenchLogs() (latencies, error) {
	files, err := b.pgbenchLogs()
	if err != nil {
		return nil, err
	}
	var took latencies
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) < 6 {
				continue
			}
			us, err := strconv.ParseUint(fields[2], 10, 32)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
			}
			took = append(took, uint32(us))
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return nil, err
		}
	}
	return took, nil
}

// bestClients finds with how many clients pgbench is fastest.
func (b *bench) bestClients(ctx context.Context, s *site) (best int, err error) {
	var most float64
	for _, clients := range []int{4, 8, 16, 32} {
		f, err := b.pgbench(ctx, s, clients, max(b.window/3, 2*time.Second))
		if err != nil {
			return 0, err
		}
		b.say("  pgbench, %d clients: %.0f/s", clients, f.Rate)
		if f.Rate > most {
			best, most = clients, f.Rate
		}
	}
	return best, nil
}
