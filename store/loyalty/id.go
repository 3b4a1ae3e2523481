package loyalty

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"
)

// ID is a UUIDv7 (RFC 9562) in its canonical lower-case form. Being ordered by
// time, an ID also says in which month its row belongs, so that big tables can
// be partitioned by ID ranges later.
type ID string

// NewID makes a UUIDv7 from now (millisecond precision) and 10 bytes of random.
// It panics when random cannot be read: without randomness nothing may go on.
func NewID(now time.Time, random io.Reader) ID {
	return newID(now, random).id()
}

// NthID is NewID where several are made at one moment: it sorts after those with
// a smaller n. The count takes the 18 bits behind the time, and begins anew where
// they are full; 56 bits stay random.
func NthID(now time.Time, n uint32, random io.Reader) ID {
	b := newID(now, random)
	binary.BigEndian.PutUint16(b[6:], 0x7000|uint16(n>>6&0xfff)) //nolint:gosec // twelve bits
	b[8] = 0x80 | byte(n&0x3f)
	return b.id()
}

type uuid [16]byte

func newID(now time.Time, random io.Reader) (b uuid) {
	if _, err := io.ReadFull(random, b[6:]); err != nil {
		panic(fmt.Sprintf("loyalty: random source failed: %v", err))
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(now.UnixMilli())) //nolint:gosec // times before 1970 don't occur
	copy(b[:6], ms[2:])
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return b
}

func (b uuid) id() ID {
	h := hex.EncodeToString(b[:])
	return ID(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:])
}

// IDAt is the smallest ID of its millisecond: a bound for searches by time.
// Times before 1970 have the bound of all.
func IDAt(t time.Time) ID {
	h := fmt.Sprintf("%012x", max(t.UnixMilli(), 0))
	return ID(h[:8] + "-" + h[8:12] + "-7000-8000-000000000000")
}

// Time is when an ID of NewID was made, to the millisecond; the zero time for
// what is no ID.
func (id ID) Time() time.Time {
	if len(id) != 36 {
		return time.Time{}
	}
	ms, err := strconv.ParseInt(string(id[:8]+id[9:13]), 16, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// ParseID reads a UUID in canonical form, any case. The error is ErrInvalid.
func ParseID(s string) (ID, error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return "", Invalid("id", "no es un identificador válido")
	}
	out := []byte(s)
	for i, c := range out {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f':
		case c >= 'A' && c <= 'F':
			out[i] = c + 'a' - 'A'
		default:
			return "", Invalid("id", "no es un identificador válido")
		}
	}
	return ID(out), nil
}
