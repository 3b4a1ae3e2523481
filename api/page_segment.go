package api

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
	"github.com/qoa-conectados/qoa/templates/export"
)

// everySegment reads the segments of an owner, or all that the caller sees.
func everySegment(ctx context.Context, t *store.Tx, scope loyalty.Scope, f store.SegmentFilter) ([]store.Segment, error) {
	var out []store.Segment
	err := everyPage(func(p store.Page) (loyalty.ID, error) {
		all, next, err := t.Segments(ctx, scope, f, p)
		out = append(out, all...)
		return next, err
	})
	return out, err
}

// segmentChoices are the segments of a campaign's owner.
func segmentChoices(ctx context.Context, t *store.Tx, scope loyalty.Scope, v loyalty.Campaign) ([]templates.FormGroup, error) {
	all, err := everySegment(ctx, t, scope, store.SegmentFilter{CPG: v.CPG, Shop: v.Owner})
	return oneGroup("", mapped(all, func(s store.Segment) templates.FormOption {
		return templates.FormOption{Value: string(s.ID), Label: s.Name}
	})), err
}

func (s *server) segmentsPage(c *fiber.Ctx) error {
	scope, root := scopeOf(c), deskRoot(c)+"/segmentos"
	v := templates.SegmentsView{NewURL: root + "/nuevo", Files: filesAt(root, nil, "los segmentos")}
	if c.Query("hecho") == "segmento" {
		v.Flash = "Listo: el segmento quedó guardado."
	}
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		all, err := everySegment(ctx, t, scope, store.SegmentFilter{})
		if err != nil {
			return struct{}{}, err
		}
		owners := naming{}
		if scope.All() {
			owners, err = ownerNames(ctx, t, scope, mapped(all, func(v store.Segment) owner { return owner{v.CPG, v.Shop} })...)
		}
		for _, segment := range all {
			line := templates.SegmentLine{URL: root + "/" + string(segment.ID), Name: segment.Name, Owner: owners[segment.CPG] + owners[segment.Shop], Members: segment.Members, How: "Por tarjeta"}
			if segment.Criteria != nil {
				line.How = "Por lo que compran"
				if segment.MadeAt != nil {
					line.How += ", al " + dayWords(*segment.MadeAt)
				}
			}
			v.Segments = append(v.Segments, line)
		}
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Segments(w, v) })
}

// segmentFile is the list of segments as a file.
func (s *server) segmentFile(c *fiber.Ctx) (download, error) {
	scope := scopeOf(c)
	owners := naming{}
	all, err := tx(s, c, func(ctx context.Context, t *store.Tx) ([]store.Segment, error) {
		all, err := everySegment(ctx, t, scope, store.SegmentFilter{})
		if err == nil {
			owners, err = ownerNames(ctx, t, scope, mapped(all, func(v store.Segment) owner { return owner{v.CPG, v.Shop} })...)
		}
		return all, err
	})
	if err != nil {
		return download{}, err
	}
	return download{name: []string{"segmentos"}, sheets: []export.Sheet{{
		Title: "Segmentos", Columns: []string{"Segmento", "Dueño", "Personas", "Cómo", "Al"},
		Rows: export.Of(all, func(v store.Segment) []any {
			how, at := "Por tarjeta", any(nil)
			if v.Criteria != nil {
				how = "Por lo que compran"
			}
			if v.MadeAt != nil {
				at = export.Day(v.MadeAt.In(loyalty.Zone("")))
			}
			return []any{v.Name, owners[v.CPG] + owners[v.Shop], v.Members, how, at}
		}),
	}}}, nil
}

func (s *server) newSegmentPage(c *fiber.Ctx) error {
	cpg, shop, ok := ownerIn(scopeOf(c), queryText(c, "owner"))
	if !ok {
		return s.chooseOwner(c, "Nuevo segmento")
	}
	return s.newSegment(c, cpg, shop, nil)
}

func (s *server) createSegmentForm(c *fiber.Ctx) error {
	fields := typed(c)
	cpg, shop, ok := ownerIn(scopeOf(c), fields.Get("owner"))
	if !ok {
		return s.chooseOwner(c, "Nuevo segmento")
	}
	return s.newSegment(c, cpg, shop, fields)
}

func (s *server) newSegment(c *fiber.Ctx, cpg, shop loyalty.ID, fields url.Values) error {
	list := deskRoot(c) + "/segmentos"
	v := templates.FormView{Title: "Nuevo segmento", Back: list, Action: list, Submit: "Guardar segmento"}
	return s.segmentForm(c, v, fields, func(ctx context.Context, t *store.Tx, from forms.Catalogue, save bool) (*forms.Form, error) {
		var in forms.Segment
		f := forms.New(fields)
		f.Segment(&in, false, from)
		f.Hidden("owner", ownerText(cpg, shop))
		if !save || f.Err() != nil {
			return f, f.Err()
		}
		made, err := t.CreateSegment(ctx, scopeOf(c), store.SegmentInput{CPG: cpg, Shop: shop, Name: in.Name, Criteria: in.Criteria})
		if err == nil && in.Criteria == nil {
			_, _, err = t.AddMembers(ctx, scopeOf(c), made.ID, forms.Codes(in.Add))
		}
		return f, err
	})
}

func (s *server) editSegmentPage(c *fiber.Ctx) error { return s.editSegment(c, nil) }
func (s *server) editSegmentForm(c *fiber.Ctx) error { return s.editSegment(c, typed(c)) }

func (s *server) editSegment(c *fiber.Ctx, fields url.Values) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	list := deskRoot(c) + "/segmentos"
	v := templates.FormView{Title: "Cambiar segmento", Back: list, Action: list + "/" + string(id), Submit: "Guardar segmento"}
	return s.segmentForm(c, v, fields, func(ctx context.Context, t *store.Tx, from forms.Catalogue, save bool) (*forms.Form, error) {
		segment, err := t.Segment(ctx, scopeOf(c), id)
		if err != nil {
			return nil, err
		}
		in, f := forms.Segment{Name: segment.Name, Criteria: segment.Criteria}, forms.New(fields)
		f.Segment(&in, true, from)
		if !save || f.Err() != nil {
			return f, f.Err()
		}
		if _, err = t.UpdateSegment(ctx, scopeOf(c), id, store.SegmentPatch{Name: &in.Name, Criteria: &in.Criteria}); err != nil || in.Criteria != nil {
			return f, err
		}
		if _, _, err = t.AddMembers(ctx, scopeOf(c), id, forms.Codes(in.Add)); err != nil {
			return f, err
		}
		_, _, err = t.RemoveMembers(ctx, scopeOf(c), id, forms.Codes(in.Remove))
		return f, err
	})
}

// segmentForm draws a form of segments, or saves it and leads to the list.
func (s *server) segmentForm(c *fiber.Ctx, v templates.FormView, fields url.Values,
	run func(context.Context, *store.Tx, forms.Catalogue, bool) (*forms.Form, error),
) error {
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		from := forms.Catalogue{Failed: new(error)}
		if err := readShops(ctx, t, scopeOf(c), deskRoot(c), &from); err != nil {
			return struct{}{}, err
		}
		f, err := run(ctx, t, from, fields != nil)
		if f != nil {
			v.Sections = f.Sections
		}
		return struct{}{}, err
	})
	switch {
	case err != nil:
		return s.explain(c, v, err)
	case fields == nil:
		return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Form(w, v) })
	}
	return c.Redirect(v.Back+"?hecho=segmento", http.StatusSeeOther)
}
