package api

import (
	"archive/zip"
	"bufio"
	"context"
	"io"
	"net/url"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
	"github.com/qoa-conectados/qoa/templates/export"
)

// mostPosters is how many shops are printed at once.
const mostPosters = 2000

// posterOf is what a shop's poster says.
func (s *server) posterOf(shop store.Shop) templates.PosterView {
	return templates.PosterView{
		Shop: shop.Name, Place: place(shop), Code: shop.Code, URL: s.counterURL(shop.Code),
		PrivacyURL: s.DB.PublicURL() + "/privacidad", Created: shop.UpdatedAt,
	}
}

// postersForm sends the posters of the shops that were picked, or of all of a
// filter: those that are active, one PDF of many pages or a ZIP of PDFs. They are
// drawn while they are sent.
func (s *server) postersForm(c *fiber.Ctx) error {
	fields, a := typed(c), &asked{c: c, form: true, Values: url.Values{}}
	f := shopSiftOf(a).printed()
	if fields.Get("which") != "all" {
		f = store.ShopFilter{IDs: []loyalty.ID{}, Active: only()}
		for _, raw := range fields["shop"] {
			if id, err := loyalty.ParseID(raw); err == nil {
				f.IDs = append(f.IDs, id)
			}
		}
	}
	shops, err := tx(s, c, func(ctx context.Context, t *store.Tx) ([]store.Shop, error) {
		all, next, err := t.Shops(ctx, scopeOf(c), f, store.Page{Limit: mostPosters})
		switch {
		case err != nil:
			return nil, err
		case next != "":
			return nil, loyalty.Invalid("shop", "son más de "+loyalty.Thousands(mostPosters)+" tiendas: elige un filtro")
		case len(all) == 0:
			return nil, loyalty.Invalid("shop", "elige al menos una tienda activa")
		}
		return all, nil
	})
	if p, ok := refused(err); err != nil && ok && len(p.Errors) > 0 {
		return s.drawShops(c, a, p.Status, upperFirst(p.Errors[0].Reason)+".")
	}
	if err != nil {
		return err
	}
	slices.SortFunc(shops, byPlace)
	kind, ending, write := "application/pdf", ".pdf", s.writePosters
	if fields.Get("as") == "zip" {
		kind, ending, write = "application/zip", ".zip", s.zipPosters
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="qoa_posteres_`+s.DB.Now().In(loyalty.Zone("")).Format("2006-01-02")+ending+`"`)
	trace := store.WithTrace(context.Background(), store.Trace(c.UserContext()))
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		if err := write(w, shops); err != nil { // most of the time: who asked has gone
			s.Log.WarnContext(trace, "posters", "error", err)
		}
	})
	return nil
}

// byPlace puts shops in the order in which somebody hands posters out.
func byPlace(a, b store.Shop) int {
	switch x, y := loyalty.SearchName(a.City+" "+a.Street+" "+a.Name), loyalty.SearchName(b.City+" "+b.Street+" "+b.Name); {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func (s *server) writePosters(w io.Writer, shops []store.Shop) error {
	return templates.Posters(w, func(yield func(templates.PosterView) bool) {
		for _, shop := range shops {
			if !yield(s.posterOf(shop)) {
				return
			}
		}
	})
}

func (s *server) zipPosters(w io.Writer, shops []store.Shop) error {
	z := zip.NewWriter(w)
	for _, shop := range shops {
		pdf, err := templates.Poster(s.posterOf(shop))
		if err != nil {
			return err
		}
		// What is packed already is not packed again.
		part, err := z.CreateHeader(&zip.FileHeader{Name: posterName(shop), Method: zip.Store, Modified: shop.UpdatedAt})
		if err != nil {
			return err
		}
		if _, err := part.Write(pdf); err != nil {
			return err
		}
	}
	return z.Close()
}

// posterName tells a person whose poster a file is.
func posterName(shop store.Shop) string {
	return export.Slug(shop.City) + "_" + export.Slug(shop.Name) + "_" + shop.Code + ".pdf"
}
