package templates

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"strconv"
	"testing"
	"time"
)

func manyPosters(n int) func(func(PosterView) bool) {
	return func(yield func(PosterView) bool) {
		for i := range n {
			code := fmt.Sprintf("K%05d", i)
			if !yield(PosterView{Shop: "Abarrotes Ñandú " + strconv.Itoa(i), Place: "Av. Juárez 12, Puebla", Code: code, URL: "https://qoa.example/q/" + code, PrivacyURL: "https://qoa.example/privacidad", Created: sampleTime()}) {
				return
			}
		}
	}
}

// Each object stands where the table says, and what refers to one finds it.
func TestPostersAreOnePDF(t *testing.T) {
	var b bytes.Buffer
	if err := Posters(&b, manyPosters(3)); err != nil {
		t.Fatal(err)
	}
	pdf := b.Bytes()
	table := regexp.MustCompile(`\nxref\n0 (\d+)\n`).FindSubmatchIndex(pdf)
	if table == nil {
		t.Fatal("no table")
	}
	count, _ := strconv.Atoi(string(pdf[table[2]:table[3]]))
	there := map[string]bool{}
	for i := range count {
		entry := pdf[table[1]+20*i : table[1]+20*i+20]
		if entry[17] != 'n' {
			continue
		}
		at, _ := strconv.Atoi(string(entry[:10]))
		if !bytes.HasPrefix(pdf[at:], fmt.Appendf(nil, "%d 0 obj", i)) {
			t.Errorf("object %d is not at %d", i, at)
		}
		there[strconv.Itoa(i)] = true
	}
	for _, ref := range regexp.MustCompile(`(\d+) 0 R\b`).FindAllSubmatch(pdf, -1) {
		if !there[string(ref[1])] {
			t.Errorf("nothing is at %s", ref[0])
		}
	}
	if n := len(regexp.MustCompile(`/Type /Page\n`).FindAll(pdf, -1)); n != 3 {
		t.Errorf("%d pages", n)
	}
	var again bytes.Buffer
	if err := Posters(&again, manyPosters(3)); err != nil || !bytes.Equal(pdf, again.Bytes()) {
		t.Error("the same posters are another file")
	}
}

type full struct{ room int }

var errFull = errors.New("full")

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestPostersEndWithTheirReader(t *testing.T) {
	drawn := 0
	err := Posters(&full{50_000}, func(yield func(PosterView) bool) {
		for v := range manyPosters(500) {
			drawn++
			if !yield(v) {
				return
			}
		}
	})
	if !errors.Is(err, errFull) || drawn > 20 {
		t.Errorf("%d drawn: %v", drawn, err)
	}
}

// most is the most memory that was in use while something was written.
type most struct{ heap uint64 }

func (m *most) Write(b []byte) (int, error) {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	m.heap = max(m.heap, s.HeapAlloc)
	return len(b), nil
}

func TestFiveHundredPostersNeedNoMoreThanOne(t *testing.T) {
	if err := Posters(io.Discard, manyPosters(20)); err != nil { // fonts and the like
		t.Fatal(err)
	}
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	size := &counting{}
	if err := Posters(size, manyPosters(500)); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	var m most
	if err := Posters(&sometimes{to: &m}, manyPosters(500)); err != nil {
		t.Fatal(err)
	}
	grown := int64(m.heap) - int64(before.HeapAlloc) //nolint:gosec // far below
	t.Logf("500 posters: %s, %d KB, %d KB of heap more at most", took, size.n>>10, grown>>10)
	if grown > 32<<20 {
		t.Errorf("%d MB more", grown>>20)
	}
}

type counting struct{ n int }

func (c *counting) Write(b []byte) (int, error) {
	c.n += len(b)
	return len(b), nil
}

// sometimes passes every fiftieth write on: asking for the memory takes long.
type sometimes struct {
	to io.Writer
	n  int
}

func (s *sometimes) Write(b []byte) (int, error) {
	if s.n++; s.n%50 == 0 {
		return s.to.Write(b)
	}
	return len(b), nil
}
