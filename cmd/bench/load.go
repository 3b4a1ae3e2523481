package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// request writes the next request of one connection, and check looks at its
// answer.
type request struct {
	write func(to *bytes.Buffer, r *rand.Rand)
	check func(status int, body []byte) error
}

// load is a closed loop: each connection sends its next request when the last is
// answered. It speaks just enough HTTP by itself, since it shares the processors
// with what it measures.
type load struct {
	address string
	request request
	done    atomic.Int64
}

// drive runs the loop on so many connections until ctx ends, and gives how long
// the requests took that were answered while recording was true. The first
// failure ends it.
func (l *load) drive(ctx context.Context, conns int, recording *atomic.Bool) (latencies, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	took, failed := make([]latencies, conns), make([]error, conns)
	var wg sync.WaitGroup
	for i := range conns {
		wg.Go(func() {
			if failed[i] = l.connection(ctx, recording, &took[i]); failed[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	if i := slices.IndexFunc(failed, func(err error) bool { return err != nil }); i >= 0 {
		return nil, failed[i]
	}
	return slices.Concat(took...), nil
}

func (l *load) connection(ctx context.Context, recording *atomic.Bool, took *latencies) error {
	conn, err := net.Dial("tcp", l.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // which card buys is no secret
	in := bufio.NewReaderSize(conn, 16<<10)
	var out bytes.Buffer
	var body []byte
	for ctx.Err() == nil {
		out.Reset()
		l.request.write(&out, r)
		began := time.Now()
		if _, err := conn.Write(out.Bytes()); err != nil {
			return err
		}
		var status int
		if status, body, err = readAnswer(in, body); err != nil {
			return err
		}
		spent := time.Since(began)
		if recording.Load() {
			*took = append(*took, uint32(spent.Microseconds())) //nolint:gosec // less than an hour
		}
		l.done.Add(1)
		if err := l.request.check(status, body); err != nil {
			return err
		}
	}
	return nil
}

var contentLength = []byte("content-length:")

// readAnswer reads an answer that says how long it is, as all of ours do, into
// the buffer.
func readAnswer(in *bufio.Reader, buffer []byte) (status int, body []byte, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, nil, fmt.Errorf("no answer of HTTP/1.1: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, err
	}
	length := -1
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			break
		}
		if n := len(contentLength); len(line) > n && bytes.EqualFold(line[:n], contentLength) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[n:]))); err != nil {
				return 0, nil, err
			}
		}
	}
	if length < 0 {
		return 0, nil, errors.New("the answer does not say how long it is")
	}
	if cap(buffer) < length {
		buffer = make([]byte, length)
	}
	buffer = buffer[:length]
	_, err = io.ReadFull(in, buffer)
	return status, buffer, err
}
