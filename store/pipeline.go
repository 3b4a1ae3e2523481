package store

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pipeline is a transaction that waits for the network as seldom as it can: BEGIN
// travels with the first statement, and what nobody waits for travels with the
// next one, at the latest with COMMIT. So a use case of one batch that reads and
// one that writes is two round trips. One that only writes what nobody waits for
// is a single one, and needs neither BEGIN nor COMMIT: what is sent together is a
// transaction to Postgres.
//
// It is a pgx.Tx, and for one goroutine, as those are.
type pipeline struct {
	pgx.Tx     // nil: a method that is not defined here is a defect
	conn       *pgxpool.Conn
	trips      *atomic.Int64
	queue      []*pgx.QueuedQuery
	begun      bool // BEGIN has been sent
	done       bool
	savepoints int
}

func newPipeline(conn *pgxpool.Conn, trips *atomic.Int64) *pipeline {
	p := &pipeline{conn: conn, trips: trips}
	p.later("begin")
	return p
}

// later queues a statement that nobody waits for. Its failure is that of what it
// travels with.
func (p *pipeline) later(sql string, args ...any) {
	p.queue = append(p.queue, &pgx.QueuedQuery{SQL: sql, Arguments: args})
}

// laterRow is later for a statement that gives one row. scan is called when it has
// come, at the latest by Commit: who fails then can take nothing back any more.
func (p *pipeline) laterRow(scan func(pgx.Row) error, sql string, args ...any) {
	q := &pgx.QueuedQuery{SQL: sql, Arguments: args}
	q.QueryRow(scan)
	p.queue = append(p.queue, q)
}

// send sends the queue and what follows it, and reads what the queue came to.
func (p *pipeline) send(ctx context.Context, more ...*pgx.QueuedQuery) (pgx.BatchResults, error) {
	if p.done {
		return nil, pgx.ErrTxClosed
	}
	return p.transmit(ctx, more...)
}

func (p *pipeline) transmit(ctx context.Context, more ...*pgx.QueuedQuery) (pgx.BatchResults, error) {
	queued := p.queue
	b := &pgx.Batch{QueuedQueries: append(queued, more...)}
	p.queue, p.begun = nil, true
	p.trips.Add(1)
	results := p.conn.SendBatch(ctx, b)
	for _, q := range queued {
		var err error
		if q.Fn != nil {
			err = q.Fn(results)
		} else {
			_, err = results.Exec()
		}
		if err != nil {
			return nil, errors.Join(err, ignoreSame(results.Close(), err))
		}
	}
	return results, nil
}

// ignoreSame is nil for the error that is known already.
func ignoreSame(err, known error) error {
	if err == nil || err.Error() == known.Error() {
		return nil
	}
	return err
}

func (p *pipeline) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	results, err := p.send(ctx, &pgx.QueuedQuery{SQL: sql, Arguments: args})
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	tag, err := results.Exec()
	if closing := results.Close(); err == nil {
		err = closing
	}
	return tag, err
}

func (p *pipeline) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	results, err := p.send(ctx, &pgx.QueuedQuery{SQL: sql, Arguments: args})
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		return nil, errors.Join(err, ignoreSame(results.Close(), err))
	}
	return &pipelineRows{Rows: rows, results: results}, nil
}

// pipelineRows free the connection when they have been read.
type pipelineRows struct {
	pgx.Rows
	results pgx.BatchResults
	err     error
}

func (r *pipelineRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *pipelineRows) Close() {
	r.Rows.Close()
	if err := r.results.Close(); r.err == nil {
		r.err = err
	}
}

func (r *pipelineRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

func (p *pipeline) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := p.Query(ctx, sql, args...)
	return pipelineRow{rows, err}
}

type pipelineRow struct {
	rows pgx.Rows
	err  error
}

func (r pipelineRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}

func (p *pipeline) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	results, err := p.send(ctx, b.QueuedQueries...)
	if err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	return results
}

func (p *pipeline) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := p.flush(ctx); err != nil {
		return 0, err
	}
	p.trips.Add(1)
	return p.conn.CopyFrom(ctx, table, columns, rows)
}

// flush sends what is queued.
func (p *pipeline) flush(ctx context.Context) error {
	if len(p.queue) == 0 {
		return nil
	}
	results, err := p.transmit(ctx)
	if err != nil {
		return err
	}
	return results.Close()
}

// Commit ends the transaction. One that never sent anything costs nothing.
func (p *pipeline) Commit(ctx context.Context) error {
	if p.done {
		return pgx.ErrTxClosed
	}
	if !p.begun {
		p.queue = p.queue[1:] // BEGIN
		p.done = true
		return p.flush(ctx)
	}
	tag, err := p.Exec(ctx, "commit")
	if err != nil {
		return err // Rollback follows
	}
	p.done = true
	if tag.String() == "ROLLBACK" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// Rollback takes everything back. After a commit it does nothing.
func (p *pipeline) Rollback(ctx context.Context) error {
	if p.done {
		return nil
	}
	p.queue, p.done = nil, true
	if !p.begun || p.conn.Conn().PgConn().TxStatus() == 'I' {
		return nil
	}
	p.trips.Add(1)
	_, err := p.conn.Exec(ctx, "rollback")
	if err != nil {
		// Nobody knows what state it is in: the pool makes a new one.
		_ = p.conn.Conn().Close(ctx)
	}
	return err
}

// Begin opens a savepoint.
func (p *pipeline) Begin(context.Context) (pgx.Tx, error) {
	p.savepoints++
	s := &savepoint{pipeline: p, name: "sp" + strconv.Itoa(p.savepoints)}
	p.later("savepoint " + s.name)
	s.opening = p.queue[len(p.queue)-1]
	return s, nil
}

func (p *pipeline) Conn() *pgx.Conn { return p.conn.Conn() }

// savepoint is a part of a pipeline's transaction that can be taken back alone.
type savepoint struct {
	*pipeline
	name    string
	opening *pgx.QueuedQuery
}

// Commit sends all that is queued, so that a failure is that of this part.
func (s *savepoint) Commit(ctx context.Context) error {
	_, err := s.Exec(ctx, "release savepoint "+s.name)
	return err
}

func (s *savepoint) Rollback(ctx context.Context) error {
	if at := slices.Index(s.queue, s.opening); at >= 0 { // nothing of it was sent
		s.queue = s.queue[:at]
		return nil
	}
	s.queue = nil
	_, err := s.Exec(ctx, "rollback to savepoint "+s.name)
	return err
}
