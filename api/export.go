package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"path"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
	"github.com/qoa-conectados/qoa/templates/export"
)

// Every table of a page can be had as a file. What a page of tables needs:
//
//  1. In the route table: exports("/admin/tiendas", admins, (*server).shopFile),
//     which is GET /admin/tiendas.csv and /admin/tiendas.xlsx.
//  2. The handler: it reads the page's filters from the query and gives a
//     download, whose rows are either there (export.Of) or read from a list of
//     the store in parts (listed), without holding a connection meanwhile.
//  3. On the page's view a templates.Files of filesAt(path, c.Queries..., what),
//     drawn by {{template "files" .Files}}.
//
// A workbook has all sheets; a CSV is one of them: the first, or the one that
// ?tabla= names by its title's slug ("por-tienda"), which an XLSX obeys as well.

// download is what an export gives.
type download struct {
	name   []string // parts of the file's name: what it is, of what, from when to when
	sheets []export.Sheet
}

// exports are the two addresses of the tables of the page at a path.
func exports(path string, who roles, h func(*server, *fiber.Ctx) (download, error)) []Route {
	var out []Route
	for _, ending := range []string{".csv", ".xlsx"} {
		r := screen(get, path+ending, Cookie, who, func(s *server, c *fiber.Ctx) error {
			d, err := h(s, c)
			if err != nil {
				return err
			}
			return s.sendFile(c, d, ending)
		})
		r.File = true
		out = append(out, r)
	}
	return out
}

// filesAt are the links to a page's table as a file, with the page's filters.
func filesAt(path string, query url.Values, what string) templates.Files {
	suffix := ""
	if len(query) > 0 {
		suffix = "?" + query.Encode()
	}
	return templates.Files{What: what, CSV: path + ".csv" + suffix, XLSX: path + ".xlsx" + suffix}
}

const (
	// In parts of so many rows a long list is read.
	exportPart = 500
	// So long an export may take: more than a page, since much of it may be the
	// reader's network.
	exportPatience = 5 * time.Minute
	// An export that is no longer than this is sent whole, and so fails with an
	// error page; a longer one that fails breaks off, which browsers tell.
	wholeExport = 64 << 10
)

// listed are the rows of a list of the store, each part of it read in a
// transaction of its own.
func listed[T any](s *server, list func(context.Context, *store.Tx, store.Page) ([]T, loyalty.ID, error), row func(T) []any) export.Rows {
	return func(ctx context.Context) iter.Seq2[[]any, error] {
		return func(yield func([]any, error) bool) {
			for p := (store.Page{Limit: exportPart}); ; {
				var part []T
				var next loyalty.ID
				err := s.DB.ReadOnly(ctx, func(t *store.Tx) (err error) {
					part, next, err = list(ctx, t, p)
					return err
				})
				if err != nil {
					yield(nil, err)
					return
				}
				for _, v := range part {
					if !yield(row(v), nil) {
						return
					}
				}
				if next == "" {
					return
				}
				p.After = next
			}
		}
	}
}

var exportTypes = map[string]string{
	".csv":  "text/csv; charset=utf-8",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// sendFile answers with a download. Rows are made while they are sent, after the
// handler is done: they know the request no more.
func (s *server) sendFile(c *fiber.Ctx, d download, ending string) error {
	sheets := d.sheets
	name := export.Name(d.name...)
	if wanted := c.Query("tabla"); wanted != "" {
		i := slices.IndexFunc(sheets, func(v export.Sheet) bool { return export.Slug(v.Title) == wanted })
		if i < 0 {
			return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa tabla.")
		}
		sheets = sheets[i : i+1]
		name = export.Name(slices.Insert(slices.Clone(d.name), min(1, len(d.name)), sheets[0].Title)...)
	}
	c.Set(fiber.HeaderContentType, exportTypes[ending])
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+ending+`"`)
	if c.Method() == fiber.MethodHead { // fasthttp would end a body that it does not send
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), exportPatience)
	read, write := io.Pipe()
	context.AfterFunc(ctx, func() { write.CloseWithError(ctx.Err()) })
	go func() {
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				s.Log.ErrorContext(ctx, "panic", "panic", fmt.Sprint(p))
				write.CloseWithError(fiber.ErrInternalServerError)
			}
		}()
		err := writeFile(ctx, write, sheets, ending)
		if err != nil && !errors.Is(err, io.ErrClosedPipe) { // nobody hung up
			s.Log.ErrorContext(ctx, "export", "file", path.Base(c.Route().Path), "error", err)
		}
		write.CloseWithError(err)
	}()
	start := make([]byte, wholeExport)
	n, err := io.ReadFull(read, start)
	start = start[:n]
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF { //nolint:errorlint // what ReadFull itself says
		read.Close()
		c.Response().Header.Del(fiber.HeaderContentDisposition)
		return err
	}
	if err != nil {
		return c.Send(start)
	}
	c.Context().SetBodyStream(&piped{start: start, more: read}, -1)
	return nil
}

func writeFile(ctx context.Context, w io.Writer, sheets []export.Sheet, ending string) error {
	if ending == ".csv" {
		return export.CSV(ctx, w, sheets[0])
	}
	return export.XLSX(ctx, w, sheets...)
}

// piped is a body of which the start was read already. Closing it stops who
// writes it.
type piped struct {
	start []byte
	more  *io.PipeReader
}

func (r *piped) Read(b []byte) (int, error) {
	if len(r.start) > 0 {
		n := copy(b, r.start)
		r.start = r.start[n:]
		return n, nil
	}
	return r.more.Read(b)
}

func (r *piped) Close() error { return r.more.Close() }
