package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// What the project promises of conversations.
const (
	turnRatio   = 0.4 // of pgbench, with as many people as turnsAt
	turnsAt     = 16
	openRate    = 50    // turns a second that begin whether or not those before have ended
	mostReply   = 150.0 // milliseconds from inbound persisted to reply delivered, p95, at openRate
	mostIdle    = 100.0 // megabytes for idleTalks conversations
	idleTalks   = cards
	turnText    = "saldo"
	turnTimeout = 20 * time.Second
)

// turnsReport is what `bench turns` found.
type turnsReport struct {
	Machine machine         `json:"machine"`
	Pgbench map[int]figures `json:"pgbench"`
	Ours    map[int]figures `json:"qoa"`
	Open    figures         `json:"open_loop"` // from persisted to delivered
	Idle    idleReport      `json:"idle"`
	Turns   int64           `json:"turns"` // in all, each answered once
	Floors  []floor         `json:"floors"`
}

// turns measures conversations beside pgbench, in turns.
func turns(ctx context.Context, o options) (err error) {
	o.roles = "api,bot,worker"
	b, done, err := begin(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	s, err := b.talkSite(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.server.stop()) }()
	r := turnsReport{Machine: thisMachine(ctx, b), Pgbench: map[int]figures{}, Ours: map[int]figures{}}
	if r.Idle, err = b.idle(ctx, s); err != nil {
		return err
	}
	pgbench, ours := map[int][]figures{}, map[int][]figures{}
	var open []figures
	for round := range b.rounds {
		for _, n := range b.conns {
			f, err := b.pgbench(ctx, s, n, b.window)
			if err != nil {
				return err
			}
			pgbench[n] = append(pgbench[n], f)
			b.say("round %d: pgbench, %d clients: %.0f/s, p99 %.1f ms", round+1, n, f.Rate, f.P99)
			if f, err = b.talk(ctx, s, n); err != nil {
				return err
			}
			ours[n] = append(ours[n], f)
			b.say("round %d: qoa, %d people: %.0f/s, p99 %.1f ms", round+1, n, f.Rate, f.P99)
		}
		f, err := b.talkOpen(ctx, s)
		if err != nil {
			return err
		}
		open = append(open, f)
		b.say("round %d: qoa, %d turns begun a second: answered within p95 %.1f ms", round+1, openRate, f.P95)
	}
	for n, all := range pgbench {
		r.Pgbench[n] = medians(all)
	}
	for n, all := range ours {
		r.Ours[n] = medians(all)
	}
	r.Open = medians(open)
	if r.Turns, err = answeredOnce(ctx, b.url(s.database)); err != nil {
		return err
	}
	r.judge()
	if err := r.show(o); err != nil {
		return err
	}
	if o.explain {
		if err := b.showStatements(ctx, s.database, s.baseline()); err != nil {
			return err
		}
	}
	return passed(r.Floors)
}

// baselineTurn is the least SQL that the same turn needs.
//
//go:embed turns.sql
var baselineTurn string

// talkSite makes a database in which everybody has a conversation, its copy for
// pgbench, and the server.
func (b *bench) talkSite(ctx context.Context) (*site, error) {
	s := &site{database: "turns"}
	b.say("%s: %d ledger rows", s.database, b.rows[0])
	if err := b.clone(ctx, firstDatabase, s.database); err != nil {
		return nil, err
	}
	if err := b.world.fill(ctx, b.url(s.database), b.rows[0], b.say); err != nil {
		return nil, err
	}
	if err := execute(ctx, b.url(s.database), `INSERT INTO conversations (person_id, session, updated_at) SELECT id, '{}', now() FROM persons`,
		nightDone, `VACUUM (ANALYZE) conversations`); err != nil {
		return nil, err
	}
	if err := b.clone(ctx, s.database, s.baseline()); err != nil {
		return nil, err
	}
	var err error
	if s.server, err = startServer(ctx, b.cluster, b.world, b.options, s.database); err != nil {
		return nil, err
	}
	if err = s.calibrate(ctx); err == nil {
		err = b.sampleTurn(ctx, s)
	}
	if err != nil {
		return nil, errors.Join(s.server.blame(err), s.server.stop())
	}
	return s, nil
}

// nightDone lets the jobs of the night be done: what is measured should not depend
// on the hour.
const nightDone = `
	INSERT INTO job_runs (job, slot, created_at, messages)
	SELECT job, to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:00"Z"'), now(), 0
	FROM unnest(ARRAY['rebuild', 'segments', 'verify', 'quotas']) AS job, generate_series(date_trunc('hour', now()) - interval '2 days', now() + interval '1 day', interval '1 hour') AS hour`

// sampleTurn has one turn: pgbench writes documents of the same bytes.
func (b *bench) sampleTurn(ctx context.Context, s *site) error {
	talks, stop, err := b.startTalks(ctx, s)
	if err != nil {
		return err
	}
	defer stop()
	if _, err := talks.once(ctx, 0); err != nil {
		return err
	}
	var body, session, trace string
	err = connected(ctx, b.url(s.database), func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `
			SELECT o.body, c.session::text, o.trace_id FROM outbox o JOIN conversations c USING (person_id)
			WHERE o.body IS NOT NULL ORDER BY o.seq DESC LIMIT 1`).Scan(&body, &session, &trace)
	})
	if err != nil {
		return fmt.Errorf("a turn wrote no answer into the outbox: %w", err)
	}
	s.defines = []string{"body=" + body, "session=" + session, "trace=" + trace}
	s.script = strings.NewReplacer(
		"{{cards}}", strconv.Itoa(cards), "{{first_person}}", strconv.Itoa(firstPerson), "{{first_other}}", strconv.Itoa(firstOther),
		"{{id_prefix}}", strings.ReplaceAll(idPrefix, "-", ""), "{{text}}", turnText,
	).Replace(baselineTurn)
	return nil
}

// answeredOnce checks that every message of the run has its one answer, and
// counts them.
func answeredOnce(ctx context.Context, url string) (n int64, err error) {
	var wrong int64
	err = connected(ctx, url, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `
			SELECT count(*), count(*) FILTER (WHERE i.status <> 'done' OR o.status IS DISTINCT FROM 'sent' OR m.seq IS NULL)
			FROM inbox i LEFT JOIN outbox o ON o.inbox_id = i.id
			LEFT JOIN sim_messages m ON m.message_id = o.message_id AND m.direction = 'out'`).Scan(&n, &wrong)
	})
	if err == nil && wrong > 0 {
		err = fmt.Errorf("%d of %d messages have no answer that arrived", wrong, n)
	}
	return n, err
}

// judge compares the figures with what is promised.
func (r *turnsReport) judge() {
	if f, ok := r.Ours[turnsAt]; ok {
		r.Floors = append(r.Floors, atLeast(f.Rate/r.Pgbench[turnsAt].Rate, turnRatio, "of pgbench's rate at %d", turnsAt))
	}
	r.Floors = append(r.Floors,
		below(r.Open.P95, mostReply, "ms from persisted to delivered, p95, at %d turns/s", openRate),
		below(r.Idle.Grown, mostIdle, "MB for %d idle conversations", r.Idle.Conversations))
}

func (r *turnsReport) show(o options) error {
	if o.json {
		return printJSON(r)
	}
	fmt.Printf("\nA turn over the simulator beside pgbench doing its writes, medians of %d rounds of %s\n%s\n\n", o.rounds, o.window, r.Machine)
	t := figuresTable()
	fmt.Fprintln(t, strings.Replace(figuresHead, "of best", "of pgbench", 1))
	for _, n := range slices.Sorted(maps.Keys(r.Ours)) {
		best := r.Pgbench[n].Rate
		fmt.Fprintln(t, figuresLine("pgbench", r.Pgbench[n], best))
		fmt.Fprintln(t, figuresLine("qoa", r.Ours[n], best))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Printf("\n%d turns/s begun whatever happens, from persisted to delivered: p50 %.1f, p95 %.1f, p99 %.1f ms\n", openRate, r.Open.P50, r.Open.P95, r.Open.P99)
	fmt.Printf("%d idle conversations: %.0f MB before, %.0f MB after\n", r.Idle.Conversations, r.Idle.Before, r.Idle.After)
	fmt.Printf("%d messages, each answered once\n", r.Turns)
	showFloors(r.Floors)
	return nil
}
