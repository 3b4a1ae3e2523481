package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
	"github.com/qoa-conectados/qoa/templates/export"
)

const (
	importsURL    = catalogueURL + "/importar"
	importJob     = "imports"
	mostImports   = 20 // that the page lists
	mostPreviewed = 50 // rows that the page shows
	importEvery   = 2  // seconds in which the page renews itself
)

var importNames = map[store.ImportKind]string{store.ImportProducts: "Productos y marcas", store.ImportShops: "Tiendas"}

func (s *server) importsPage(c *fiber.Ctx) error {
	kind := store.ImportKind(c.Query("que"))
	return s.drawImports(c, http.StatusOK, kind, func(v *templates.ImportsView) {
		if c.Query("hecho") == "descartado" {
			v.Flash = "Listo: el archivo se descartó y nada cambió."
		}
	})
}

func (s *server) drawImports(c *fiber.Ctx, status int, chosen store.ImportKind, add func(*templates.ImportsView)) error {
	v := templates.ImportsView{Action: importsURL, Limits: "CSV o Excel (.xlsx), hasta 8 MB y " + loyalty.Thousands(store.MostImportRows) + " renglones."}
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		all, err := t.Imports(ctx, scopeOf(c), mostImports)
		for _, i := range all {
			v.Imports = append(v.Imports, templates.ImportPast{
				URL: importsURL + "/" + string(i.ID), File: i.File, What: importNames[i.Kind], When: dayWords(i.CreatedAt), Status: importStatus(i),
			})
		}
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	for _, k := range []store.ImportKind{store.ImportShops, store.ImportProducts} {
		kind := templates.ImportKind{
			Value: string(k), Name: importNames[k], Explain: importExplains[k], Chosen: k == chosen || chosen == "" && k == store.ImportShops,
			Template: filesAt(importsURL+"/plantilla-"+templateNames[k], nil, "la plantilla de "+strings.ToLower(importNames[k])),
		}
		for _, column := range k.Columns() {
			kind.Columns = append(kind.Columns, templates.ImportColumn{Name: columnNames[k][column], Must: k.Needs(column), Help: columnHelp[k][column]})
		}
		v.Kinds = append(v.Kinds, kind)
	}
	add(&v)
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Imports(w, v) })
}

var templateNames = map[store.ImportKind]string{store.ImportProducts: "productos", store.ImportShops: "tiendas"}

var importExplains = map[store.ImportKind]string{
	store.ImportShops:    "Una tienda se reconoce por su código o, si el renglón no lo trae, por nombre, calle y ciudad. Una celda vacía deja lo que ya hay.",
	store.ImportProducts: "Un producto se reconoce por su código de barras. Las marcas que falten se crean; las empresas no. Una celda vacía deja lo que ya hay.",
}

var columnHelp = map[store.ImportKind]map[string]string{
	store.ImportShops: {
		store.ColumnCode: "El de su póster. Vacío: lo damos nosotros.", store.ColumnName: "Abarrotes Lupita", store.ColumnStreet: "Av. Juárez 12", store.ColumnCity: "Puebla", store.ColumnState: "Puebla",
		store.ColumnKind: "tiendita, minisúper o cadena. Vacío: tiendita.", store.ColumnTimeZone: "America/Tijuana. Vacío: la del centro.", store.ColumnActive: "sí o no. Vacío: sí.",
	},
	store.ImportProducts: {
		store.ColumnCPG: "Como está en el catálogo.", store.ColumnBrand: "Si no existe, se crea.", store.ColumnGTIN: "8, 12, 13 o 14 dígitos. Los ceros que quita Excel los ponemos nosotros.", store.ColumnName: "Agua Clara 600 ml",
		store.ColumnPrice: "18.50 o 18,50", store.ColumnNicknames: "coca, coquita", store.ColumnActive: "sí o no. Vacío: sí.",
	},
}

// importTemplate is an empty file with two rows to see how it is done.
func importTemplate(kind store.ImportKind) func(*server, *fiber.Ctx) (download, error) {
	examples := map[store.ImportKind][][]string{
		store.ImportShops: {
			{"", "Abarrotes Lupita", "Av. Juárez 12", "Puebla", "Puebla", "tiendita", "America/Mexico_City", "sí"},
			{"", "Mini Súper El Sol", "Calle 5 de Mayo 8", "Tijuana", "Baja California", "minisúper", "America/Tijuana", "sí"},
		},
		store.ImportProducts: {
			{"Bebidas del Valle", "Agua Clara", "7501020513127", "Agua Clara 600 ml", "12.50", "agua, agüita", "sí"},
			{"Bebidas del Valle", "Agua Clara", "012345678905", "Agua Clara 1.5 l", "18", "", "sí"},
		},
	}[kind]
	return func(*server, *fiber.Ctx) (download, error) {
		return download{name: []string{"plantilla", templateNames[kind]}, sheets: []export.Sheet{{
			Title: importNames[kind], Columns: importTitles(kind), Rows: export.Of(examples, texts),
		}}}, nil
	}
}

func texts(row []string) []any { return mapped(row, func(s string) any { return s }) }

// maxUpload is the largest file that is taken, with the form around it.
const maxUpload = 8 << 20

// uploaded reads a file of a form.
func uploaded(c *fiber.Ctx, field string) (name string, content []byte, err error) {
	none := loyalty.Invalid(field, "elige un archivo")
	head, err := c.FormFile(field)
	if err != nil || head.Size == 0 {
		return "", nil, none
	}
	content, err = contentOf(head)
	if err != nil {
		return "", nil, none
	}
	return tidy(head.Filename), content, nil
}

func contentOf(head *multipart.FileHeader) (content []byte, err error) {
	f, err := head.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var b bytes.Buffer
	_, err = io.Copy(&b, f)
	return b.Bytes(), err
}

// importForm reads a file, and leads to what it would do.
func (s *server) importForm(c *fiber.Ctx) error {
	kind := store.ImportKind(formText(c, "kind"))
	if importNames[kind] == "" {
		kind = store.ImportShops
	}
	made, err := s.takeImport(c, kind)
	if p, ok := refused(err); err != nil && ok {
		return s.drawImports(c, p.Status, kind, func(v *templates.ImportsView) {
			v.Error = words(p)
			if len(p.Errors) > 0 {
				v.Error = upperFirst(p.Errors[0].Reason) + "."
			}
		})
	}
	if err != nil {
		return err
	}
	return c.Redirect(importsURL+"/"+string(made.ID), http.StatusSeeOther)
}

func (s *server) takeImport(c *fiber.Ctx, kind store.ImportKind) (store.Import, error) {
	name, content, err := uploaded(c, "file")
	if err != nil {
		return store.Import{}, err
	}
	table, err := export.Read(content)
	if err != nil {
		return store.Import{}, unreadable(err)
	}
	defer table.Close() //nolint:errcheck // it is read
	in, err := readImport(kind, name, table)
	if err != nil {
		return store.Import{}, err
	}
	in.Author = sessionOf(c).Name
	// Ten thousand rows take longer than a request is given.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), jobPatience)
	defer cancel()
	var made store.Import
	err = s.DB.InTx(ctx, func(t *store.Tx) (err error) {
		made, err = t.CreateImport(ctx, scopeOf(c), in)
		return err
	})
	return made, err
}

func importStatus(v store.Import) templates.CampaignStatus {
	switch v.Status {
	case store.ImportReady:
		return templates.CampaignStatus{Word: "por aplicar", Tone: "degraded"}
	case store.ImportApplying:
		return templates.CampaignStatus{Word: "aplicándose", Tone: "degraded"}
	case store.ImportDone:
		if v.Failed > 0 {
			return templates.CampaignStatus{Word: "aplicado en parte", Tone: "down"}
		}
		return templates.CampaignStatus{Word: "aplicado", Tone: "ok"}
	case store.ImportDiscarded:
	}
	return templates.CampaignStatus{Word: "descartado"}
}

var planWords = map[store.ImportPlan]templates.CampaignStatus{
	store.RowNew: {Word: "nuevo", Tone: "ok"}, store.RowChanged: {Word: "cambia", Tone: "degraded"}, store.RowSame: {Word: "igual"}, store.RowWrong: {Word: "está mal", Tone: "down"},
}

// importView is the page of a file, without its rows.
func (s *server) importView(c *fiber.Ctx, rows bool) (v templates.ImportView, err error) {
	id, err := pathID(c)
	if err != nil {
		return v, err
	}
	show := store.ImportPlan(c.Query("ver"))
	if planWords[show].Word == "" {
		show = ""
	}
	var i store.Import
	var some []store.ImportRow
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		if i, err = t.Import(ctx, scopeOf(c), id); err != nil || !rows {
			return struct{}{}, err
		}
		some, err = t.ImportRows(ctx, scopeOf(c), id, show, 0, mostPreviewed)
		return struct{}{}, err
	})
	if err != nil {
		return v, err
	}
	here := importsURL + "/" + string(id)
	v.ListURL, v.File, v.What, v.By, v.Status, v.Live = importsURL, i.File, importNames[i.Kind], i.Author, importStatus(i), here+"/vivo"
	v.Ignored, v.Done, v.Failed, v.ToDo = i.Ignored, i.Applied, i.Failed, i.ToDo()
	v.Counts = []templates.AdminCount{
		{Label: "nuevos", Value: int64(i.New)}, {Label: "cambian", Value: int64(i.Changed)}, {Label: "quedan igual", Value: int64(i.Same)}, {Label: "están mal", Value: int64(i.Wrong)},
	}
	switch i.Status {
	case store.ImportReady:
		v.Ready, v.DiscardAction = true, here+"/descartar"
		if i.ToDo() > 0 {
			v.ApplyAction, v.ApplyLabel = here+"/aplicar", "Aplicar "+countWords(int64(i.ToDo()), "renglón", "renglones")
		}
	case store.ImportApplying:
		v.Working, v.Every, v.Done = true, importEvery, i.Applied+i.Failed
	case store.ImportDone, store.ImportDiscarded:
	}
	if !rows {
		return v, nil
	}
	total := i.ToDo() + i.Same + i.Wrong
	for _, tab := range []struct {
		name string
		plan store.ImportPlan
		n    int
	}{{"Todos", "", total}, {"Nuevos", store.RowNew, i.New}, {"Cambian", store.RowChanged, i.Changed}, {"Iguales", store.RowSame, i.Same}, {"Están mal", store.RowWrong, i.Wrong + i.Failed}} {
		v.Tabs = append(v.Tabs, templates.OutboxFilter{Name: tab.name, URL: here + prefixed("?", url.Values{"ver": {string(tab.plan)}}.Encode()) + "#renglones", Here: tab.plan == show})
		if tab.plan == show {
			v.More = max(0, tab.n-len(some))
		}
	}
	v.Columns = importTitles(i.Kind)
	for _, r := range some {
		line := templates.ImportLine{Line: r.Line, Plan: planWords[r.Plan], Cells: importCells(i.Kind, r.Cells), Wrongs: wrongWords(i.Kind, r.Wrongs), Notes: r.Notes}
		if r.Applied != nil && !*r.Applied {
			line.Plan = templates.CampaignStatus{Word: "no se pudo", Tone: "down"}
		}
		v.Rows = append(v.Rows, line)
	}
	if i.Wrong+i.Failed > 0 {
		v.Wrongs = filesAt(here+"/errores", nil, "los renglones que están mal")
	}
	return v, nil
}

func (s *server) importPage(c *fiber.Ctx) error {
	v, err := s.importView(c, true)
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Import(w, v) })
}

func (s *server) importLive(c *fiber.Ctx) error {
	v, err := s.importView(c, false)
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.ImportLive(w, v) })
}

func (s *server) moveImport(c *fiber.Ctx, move func(*store.Tx, context.Context, loyalty.Scope, loyalty.ID) (store.Import, error)) (store.Import, error) {
	id, err := pathID(c)
	if err != nil {
		return store.Import{}, err
	}
	return tx(s, c, func(ctx context.Context, t *store.Tx) (store.Import, error) { return move(t, ctx, scopeOf(c), id) })
}

func (s *server) applyImport(c *fiber.Ctx) error {
	v, err := s.moveImport(c, (*store.Tx).StartImport)
	if err != nil {
		return err
	}
	s.runSoon(importJob)
	return c.Redirect(importsURL+"/"+string(v.ID), http.StatusSeeOther)
}

func (s *server) discardImport(c *fiber.Ctx) error {
	if _, err := s.moveImport(c, (*store.Tx).DiscardImport); err != nil {
		return err
	}
	return c.Redirect(importsURL+"?hecho=descartado", http.StatusSeeOther)
}

// runSoon begins a job in this process, which nobody waits for: what it does not
// get to, the workers' schedule finds.
func (s *server) runSoon(job string) {
	ctx, cancel := context.WithTimeout(context.Background(), importPatience)
	go func() {
		select {
		case <-s.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	go func() {
		defer cancel()
		if _, err := s.Jobs.RunJob(ctx, job, nil); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "job begun by a page", "job", job, "error", err)
		}
	}()
}

// importPatience is how long a process is at an import before it leaves the rest
// to the schedule.
const importPatience = 15 * time.Minute

// importWrongs are the rows that could not be taken, as a file that can be
// corrected and read again.
func (s *server) importWrongs(c *fiber.Ctx) (download, error) {
	id, err := pathID(c)
	if err != nil {
		return download{}, err
	}
	scope := scopeOf(c)
	i, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Import, error) { return t.Import(ctx, scope, id) })
	if err != nil {
		return download{}, err
	}
	rows := func(ctx context.Context) iter.Seq2[[]any, error] {
		return func(yield func([]any, error) bool) {
			for after := 0; ; {
				var some []store.ImportRow
				err := s.DB.ReadOnly(ctx, func(t *store.Tx) (err error) {
					some, err = t.ImportRows(ctx, scope, id, store.RowWrong, after, exportPart)
					return err
				})
				if err != nil {
					yield(nil, err)
					return
				}
				for _, r := range some {
					var why []string
					for _, w := range wrongWords(i.Kind, r.Wrongs) {
						if w.Column != "" {
							w.Reason = w.Column + ": " + w.Reason
						}
						why = append(why, w.Reason)
					}
					after = r.Line
					if !yield(append([]any{r.Line, strings.Join(why, " ")}, texts(importCells(i.Kind, r.Cells))...), nil) {
						return
					}
				}
				if len(some) < exportPart {
					return
				}
			}
		}
	}
	return download{name: []string{"por corregir", i.File}, sheets: []export.Sheet{{
		Title: "Por corregir", Columns: append([]string{"Renglón", "Qué corregir"}, importTitles(i.Kind)...), Rows: rows,
	}}}, nil
}
