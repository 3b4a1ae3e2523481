package templates

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strconv"
)

// Posters writes posters as one PDF, a page each, while they are drawn: no more
// than one is in memory. Each is drawn as a PDF of its own, whose objects are then
// numbered on.
func Posters(w io.Writer, posters iter.Seq[PosterView]) error {
	out := &pdfJoin{w: w}
	out.write([]byte("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"))
	out.at = append(out.at, 0, 0, 0) // the free one, the catalog and the pages, which come last
	for v := range posters {
		one, err := Poster(v)
		if err != nil {
			return err
		}
		if err := out.add(one); err != nil {
			return err
		}
	}
	return out.end()
}

// pdfJoin is a PDF that is being written. The first error stays.
type pdfJoin struct {
	w     io.Writer
	n     int64
	at    []int64 // where each object begins
	pages []int   // which are pages
	err   error
}

func (o *pdfJoin) write(b []byte) {
	if o.err == nil {
		var n int
		n, o.err = o.w.Write(b)
		o.n += int64(n)
	}
}

const (
	catalogObject = 1
	pagesObject   = 2
)

var (
	startXref  = regexp.MustCompile(`startxref\s+(\d+)\s+%%EOF\s*$`)
	xrefHead   = regexp.MustCompile(`^xref\s+0 (\d+)\s+`)
	references = regexp.MustCompile(`(\d+) 0 R\b`)
	parent     = regexp.MustCompile(`/Parent \d+ 0 R`)
	pageKind   = regexp.MustCompile(`/Type /Page\b[^s]`)
	pagesKind  = regexp.MustCompile(`/Type /(Pages|Catalog)\b`)
	infoKind   = regexp.MustCompile(`/Producer`)
)

var errPDF = errors.New("templates: a poster's PDF is not as expected")

// add appends the objects of a PDF of one page.
func (o *pdfJoin) add(pdf []byte) error {
	found := startXref.FindSubmatch(pdf)
	if found == nil {
		return errPDF
	}
	table, err := strconv.Atoi(string(found[1]))
	if err != nil || table >= len(pdf) {
		return errPDF
	}
	head := xrefHead.FindSubmatch(pdf[table:])
	if head == nil {
		return errPDF
	}
	count, err := strconv.Atoi(string(head[1]))
	if err != nil {
		return errPDF
	}
	entries := pdf[table+len(head[0]):]
	if len(entries) < 20*count {
		return errPDF
	}
	begins := make([]int, count) // of objects, and where the last one ends
	for i := 1; i < count; i++ {
		if begins[i], err = strconv.Atoi(string(entries[20*i : 20*i+10])); err != nil || begins[i] >= table {
			return errPDF
		}
	}
	begins[0] = table
	inOrder := slices.Sorted(slices.Values(begins))
	base := len(o.at) - 1 // object 1 of it is the next
	for i := 1; i < count; i++ {
		next, _ := slices.BinarySearch(inOrder, begins[i])
		body, ok := bytes.CutPrefix(pdf[begins[i]:inOrder[next+1]], fmt.Appendf(nil, "%d 0 obj", i))
		body, whole := bytes.CutSuffix(body, []byte("\nendobj\n"))
		if !ok || !whole {
			return errPDF
		}
		o.object(base, body)
	}
	return o.err
}

// object appends one, with what it refers to numbered on. What stands in its
// stream stays as it is.
func (o *pdfJoin) object(base int, body []byte) {
	number := len(o.at)
	dict, stream := body, []byte(nil)
	if i := bytes.Index(body, []byte("stream\n")); i >= 0 {
		dict, stream = body[:i], body[i:]
	}
	if pagesKind.Match(dict) || infoKind.Match(dict) { // ours stand for all of them
		o.at = append(o.at, -1)
		return
	}
	if pageKind.Match(dict) {
		o.pages = append(o.pages, number)
	}
	dict = references.ReplaceAllFunc(dict, func(ref []byte) []byte {
		n, _ := strconv.Atoi(string(ref[:bytes.IndexByte(ref, ' ')]))
		return fmt.Appendf(nil, "%d 0 R", base+n)
	})
	dict = parent.ReplaceAll(dict, fmt.Appendf(nil, "/Parent %d 0 R", pagesObject))
	o.at = append(o.at, o.n)
	o.write(fmt.Appendf(nil, "%d 0 obj", number))
	o.write(dict)
	o.write(stream)
	o.write([]byte("\nendobj\n"))
}

func (o *pdfJoin) end() error {
	const perMM = 72 / 25.4
	o.at[pagesObject] = o.n
	o.write(fmt.Appendf(nil, "%d 0 obj\n<</Type /Pages /Kids [", pagesObject))
	for _, p := range o.pages {
		o.write(fmt.Appendf(nil, "%d 0 R ", p))
	}
	o.write(fmt.Appendf(nil, "] /Count %d /MediaBox [0 0 %.2f %.2f]>>\nendobj\n", len(o.pages), posterWidth*perMM, posterHeight*perMM))
	o.at[catalogObject] = o.n
	o.write(fmt.Appendf(nil, "%d 0 obj\n<</Type /Catalog /Pages %d 0 R /Lang (es-MX)>>\nendobj\n", catalogObject, pagesObject))
	start := o.n
	o.write(fmt.Appendf(nil, "xref\n0 %d\n0000000000 65535 f \n", len(o.at)))
	for _, at := range o.at[1:] {
		if at < 0 {
			o.write([]byte("0000000000 65535 f \n"))
		} else {
			o.write(fmt.Appendf(nil, "%010d 00000 n \n", at))
		}
	}
	o.write(fmt.Appendf(nil, "trailer\n<</Size %d /Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(o.at), catalogObject, start))
	return o.err
}
