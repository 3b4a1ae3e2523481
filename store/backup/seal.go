package backup

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
)

// A backup ends with a checksum of all before it. Postgres's tools check the rows,
// which they compress, but not the schema: one letter of a trigger may change, and
// nobody would know. They read past the seal, so the file is theirs as well.
const sealMark = "\nqoa backup sha256:"

const sealSize = len(sealMark) + 2*sha256.Size + 1

// held is how much of the end is kept back until the seal is known to be right;
// without it pg_restore cannot end its transaction.
const held = 4096

// ErrDamaged says that a file is not what Write wrote.
var ErrDamaged = errors.New("the file is damaged, cut off or no backup: its checksum is not there or not right")

// sealer writes what it is given, and a seal at the end.
type sealer struct {
	to  io.Writer
	sum hash.Hash
}

func newSealer(to io.Writer) *sealer { return &sealer{to, sha256.New()} }

func (s *sealer) Write(b []byte) (int, error) {
	n, err := s.to.Write(b)
	s.sum.Write(b[:n])
	return n, err
}

func (s *sealer) seal() error {
	_, err := io.WriteString(s.to, sealText(s.sum))
	return err
}

func sealText(sum hash.Hash) string { return sealMark + hex.EncodeToString(sum.Sum(nil)) + "\n" }

// unsealer reads what a sealer wrote, and gives ErrDamaged in place of its end where
// the seal is not right.
type unsealer struct {
	from *bufio.Reader
	sum  hash.Hash
	last []byte // what was held, and is right
	err  error  // what comes after it
}

func newUnsealer(from io.Reader) *unsealer {
	return &unsealer{from: bufio.NewReaderSize(from, 1<<16), sum: sha256.New()}
}

func (u *unsealer) Read(p []byte) (n int, err error) {
	if u.err == nil {
		ahead, err := u.from.Peek(1 << 16)
		if err == nil {
			n = copy(p, ahead[:len(ahead)-held])
			u.sum.Write(p[:n])
			_, err = u.from.Discard(n)
			return n, err
		}
		u.last, u.err = u.unseal(ahead, err)
	}
	n = copy(p, u.last)
	u.last = u.last[n:]
	if n == 0 {
		return 0, u.err
	}
	return n, nil
}

func (u *unsealer) unseal(end []byte, err error) (last []byte, after error) {
	if err != io.EOF {
		return nil, err
	}
	if len(end) < sealSize {
		return nil, ErrDamaged
	}
	last = end[:len(end)-sealSize]
	u.sum.Write(last)
	if string(end[len(last):]) != sealText(u.sum) {
		return nil, ErrDamaged
	}
	return last, io.EOF
}
