package loyalty

import (
	"encoding/json"
	"iter"
	"strconv"
	"strings"
)

// Counters are positive numbers by name, written one after the other in a text:
// "day:2026-11-21=4;life:=80;". They are read and written with every purchase,
// which looks at few of them: a text is neither taken apart nor put in order for
// that. Names hold neither '=' nor ';'.
type Counters string

// Of a name; 0 where there is no such counter.
func (c Counters) Of(name string) int64 {
	_, from, to := c.find(name)
	n, _ := strconv.ParseInt(string(c[from:to]), 10, 64)
	return n
}

// find says where a counter begins, and where its number is; all three are the
// text's end where there is none.
func (c Counters) find(name string) (at, from, to int) {
	text := string(c)
	for begin := 0; ; {
		i := strings.Index(text[begin:], name)
		if i < 0 {
			return len(text), len(text), len(text)
		}
		at, from = begin+i, begin+i+len(name)+1
		if (at == 0 || text[at-1] == ';') && from <= len(text) && text[from-1] == '=' {
			if end := strings.IndexByte(text[from:], ';'); end >= 0 {
				return at, from, from + end
			}
			return at, from, len(text)
		}
		begin = at + 1
	}
}

// Plus is the counters with a number added to one of them, which may be new. One
// that comes to nothing or less is gone.
func (c Counters) Plus(name string, n int64) Counters {
	at, from, to := c.find(name)
	if was, err := strconv.ParseInt(string(c[from:to]), 10, 64); err == nil {
		n += was
	}
	rest := c[min(to+1, len(c)):]
	if n <= 0 {
		return c[:at] + rest
	}
	return c[:at] + Counters(name+"="+strconv.FormatInt(n, 10)+";") + rest
}

// All are the counters, in no order.
func (c Counters) All() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for one := range strings.SplitSeq(string(c), ";") {
			name, number, ok := strings.Cut(one, "=")
			if n, err := strconv.ParseInt(number, 10, 64); ok && err == nil && !yield(name, n) {
				return
			}
		}
	}
}

// Len is how many there are.
func (c Counters) Len() int { return strings.Count(string(c), ";") }

// UnmarshalJSON also reads an object of numbers, as counters were kept at first.
func (c *Counters) UnmarshalJSON(data []byte) error {
	*c = ""
	if len(data) == 0 || data[0] != '{' {
		return json.Unmarshal(data, (*string)(c))
	}
	var numbers map[string]int64
	if err := json.Unmarshal(data, &numbers); err != nil {
		return err
	}
	for name, n := range numbers {
		*c = c.Plus(name, n)
	}
	return nil
}
