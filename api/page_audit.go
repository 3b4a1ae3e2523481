package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
	"github.com/qoa-conectados/qoa/templates/export"
)

const auditURL = "/admin/auditoria"

// auditAsked is the filter of the audit, as the address says it.
type auditAsked struct {
	*asked
	store.AuditFilter
	who, what, since, till string
}

func askedAudit(c *fiber.Ctx) auditAsked {
	a := auditAsked{asked: askedOf(c)}
	a.who, a.what, a.since, a.till = a.text("quien"), a.text("que"), a.text("desde"), a.text("hasta")
	a.Actor, a.Noun, a.Subject = a.who, a.what, a.id("cual")
	zone := loyalty.Zone("")
	if day, err := time.ParseInLocation(time.DateOnly, a.since, zone); err == nil {
		a.Since = day
	}
	if day, err := time.ParseInLocation(time.DateOnly, a.till, zone); err == nil {
		a.Till = day.AddDate(0, 0, 1)
	}
	return a
}

func (s *server) auditPage(c *fiber.Ctx) error {
	a := askedAudit(c)
	v := templates.BoardView{
		Title: "Auditoría", Intro: "Quién cambió qué, y cuándo. Se anota junto con el cambio y nadie puede borrarlo.", Action: auditURL,
		Files: filesAt(auditURL, a.Values, "los cambios"),
	}
	return s.board(c, http.StatusOK, a.asked, &v, func(ctx context.Context, t *store.Tx, p store.Page) (loyalty.ID, error) {
		nouns, err := t.AuditNouns(ctx, scopeOf(c))
		if err != nil {
			return "", err
		}
		staff, err := staffOptions(ctx, t, scopeOf(c))
		if err != nil {
			return "", err
		}
		what := make([]templates.FormOption, len(nouns))
		for i, n := range nouns {
			what[i] = templates.FormOption{Value: n, Label: upperFirst(nounOf(n).many)}
		}
		slices.SortFunc(what, func(a, b templates.FormOption) int { return strings.Compare(a.Label, b.Label) })
		sift := forms.NewSift(forms.New(nil))
		sift.Of("quien", "Quién", "Todos", &a.who, staff)
		sift.Of("que", "Qué", "Todo", &a.what, what)
		sift.Day("desde", "Desde", &a.since)
		sift.Day("hasta", "Hasta", &a.till)
		v.Filters = sift.Fields()
		rows, next, err := t.Audit(ctx, scopeOf(c), a.AuditFilter, p)
		part := templates.BoardPart{Empty: "Nadie cambió nada así."}
		for i := range rows {
			part.Rows = append(part.Rows, auditRow(&rows[i]))
		}
		v.Parts = []templates.BoardPart{part}
		return next, err
	})
}

// staffOptions are all staff, to choose one.
func staffOptions(ctx context.Context, t *store.Tx, scope loyalty.Scope) (all []templates.FormOption, err error) {
	err = everyPage(func(p store.Page) (loyalty.ID, error) {
		staff, next, err := t.StaffMembers(ctx, scope, p)
		for _, v := range staff {
			all = append(all, templates.FormOption{Value: v.Scope().Actor(), Label: v.Name + " (" + v.Email + ")"})
		}
		return next, err
	})
	return append(all, templates.FormOption{Value: string(loyalty.RoleSystem), Label: "El sistema"}), err
}

// auditFile is the audit as a file.
func (s *server) auditFile(c *fiber.Ctx) (download, error) {
	a, scope := askedAudit(c), scopeOf(c)
	err := s.DB.InTx(c.UserContext(), func(t *store.Tx) error {
		return t.Note(c.UserContext(), scope, store.Exported, "audit", "", "")
	})
	rows := listed(s, func(ctx context.Context, t *store.Tx, p store.Page) ([]store.AuditRow, loyalty.ID, error) {
		return t.Audit(ctx, scope, a.AuditFilter, p)
	}, func(r store.AuditRow) []any {
		var diff []string
		for _, d := range auditDiff(r.Changes) {
			diff = append(diff, d.Name+": "+d.Was+" → "+d.Now)
		}
		return []any{r.CreatedAt.In(loyalty.Zone("")), actorWords(&r), verbWords(r.Verb), nounOf(r.Noun).one, r.Label, strings.Join(diff, "; "), string(r.Subject)}
	})
	return download{name: []string{"auditoria"}, sheets: []export.Sheet{
		{Title: "Auditoría", Columns: []string{"Cuándo", "Quién", "Hizo", "Con", "Nombre", "Cambios", "ID"}, Rows: rows},
	}}, err
}

func auditRow(r *store.AuditRow) templates.BoardRow {
	noun := nounOf(r.Noun)
	what := noun.one
	if r.Label != "" {
		what += " «" + r.Label + "»"
	}
	row := templates.BoardRow{
		Name: actorWords(r) + " " + verbWords(r.Verb) + " " + what, At: r.CreatedAt.In(loyalty.Zone("")), Diff: auditDiff(r.Changes),
	}
	if noun.page != "" && r.Subject != "" && r.Verb != store.Deleted {
		row.URL = noun.page + string(r.Subject)
	}
	return row
}

// actorWords says who did something.
func actorWords(r *store.AuditRow) string {
	kind, _, _ := strings.Cut(r.Actor, ":")
	switch {
	case r.Name != "":
		return r.Name
	case kind == "person":
		return "Un tendero"
	case kind == "key":
		return "Una integración"
	}
	return "El sistema"
}

func verbWords(v store.Verb) string {
	if words, ok := verbs[v]; ok {
		return words
	}
	return string(v)
}

var verbs = map[store.Verb]string{
	store.Created: "creó", store.Updated: "cambió", store.Deleted: "quitó", store.Moved: "cambió el estado de", store.Cancelled: "canceló",
	store.InvitedTo: "invitó a", store.Revoked: "revocó", store.Reset: "restableció la contraseña de", store.Changed: "cambió su contraseña como",
	store.Closed: "cerró", store.Resumed: "volvió a conectar", store.Redriven: "volvió a intentar", store.Adjusted: "ajustó", store.Reversed: "devolvió",
	store.Opened: "abrió", store.Ran: "ejecutó", store.Paused: "pausó", store.Unpaused: "reanudó", store.Exported: "descargó", store.Verified: "verificó",
}

// noun is how people call a kind of thing, and where one is shown.
type noun struct{ one, many, page string }

// nounOf calls what has no name of its own what the audit does.
func nounOf(name string) noun {
	if n, ok := nouns[name]; ok {
		return n
	}
	return noun{one: name, many: name}
}

var nouns = map[string]noun{
	"cpg":         {"la empresa", "empresas", cpgsURL + "/"},
	"cpg_shop":    {"la relación con la tienda", "relaciones con tiendas", shopsURL + "/"},
	"brand":       {"la marca", "marcas", brandsURL + "/"},
	"product":     {"el producto", "productos", productsURL + "/"},
	"shop":        {"la tienda", "tiendas", shopsURL + "/"},
	"tendero":     {"un tendero", "tenderos", ""},
	"staff":       {"el usuario", "usuarios", ""},
	"session":     {"las sesiones de", "sesiones", ""},
	"api_key":     {"la llave", "llaves", ""},
	"campaign":    {"la campaña", "campañas", "/admin/campanas/"},
	"participant": {"la participación de la tienda", "participaciones", "/admin/campanas/"},
	"segment":     {"el segmento", "segmentos", "/admin/segmentos/"},
	"balance":     {"un saldo en la campaña", "saldos", ""},
	"purchase":    {"una venta", "ventas", "/admin/ventas/"},
	"redemption":  {"el premio", "premios", ""},
	"case":        {"el caso", "casos", ""},
	"outbox":      {"un mensaje que no salió", "mensajes que no salieron", ""},
	"inbox":       {"un mensaje apartado", "mensajes apartados", ""},
	"number":      {"el número", "números", "/admin/whatsapp/"},
	"job":         {"el trabajo", "trabajos", ""},
	"queue":       {"la fila", "filas", ""},
	"task":        {"la tarea", "tareas", ""},
	"chat":        {"una conversación", "conversaciones", "/admin/conversaciones/"},
	"audit":       {"la auditoría", "auditoría", ""},
	"import":      {"la importación", "importaciones", importsURL + "/"},
	"ledger":      {"el libro de movimientos", "verificaciones", ""},
}

// mostDiffText bounds what is shown of one side of a change.
const mostDiffText = 160

func auditDiff(changes []store.FieldChange) (all []templates.BoardDiff) {
	for _, d := range changes {
		if strings.HasSuffix(d.Field, "_id") { // says nothing to people
			continue
		}
		all = append(all, templates.BoardDiff{Name: columnWords(d.Field), Was: valueWords(d.Field, d.From), Now: valueWords(d.Field, d.To)})
	}
	return all
}

// valueWords says a value of the audit as people write it.
func valueWords(field string, raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil || v == nil {
		return ""
	}
	text := ""
	switch v := v.(type) {
	case bool:
		text = "no"
		if v {
			text = "sí"
		}
	case float64:
		text = loyalty.Thousands(int64(v))
		if strings.HasSuffix(field, "_cents") {
			text = loyalty.Cents(int64(v)).String()
		}
	case string:
		text = v
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			if at.IsZero() {
				return ""
			}
			text = at.In(loyalty.Zone("")).Format("02/01/2006 15:04")
		}
	case []any:
		text = countWords(int64(len(v)), "elemento", "elementos")
		if len(v) > 0 {
			if _, ok := v[0].(string); ok && len(v) <= 6 {
				text = strings.Trim(fmt.Sprint(v), "[]")
			}
		}
	default:
		text = string(raw)
	}
	if r := []rune(text); len(r) > mostDiffText {
		text = string(r[:mostDiffText]) + "…"
	}
	return text
}

// columnWords calls a column what people call it.
func columnWords(field string) string {
	last := field[strings.LastIndex(field, ".")+1:]
	if words, ok := columns[last]; ok {
		return words
	}
	return last
}

var columns = map[string]string{
	"name": "Nombre", "active": "Activo", "email": "Correo", "role": "Rol", "cpg_id": "Empresa", "brand_id": "Marca", "shop_id": "Tienda",
	"person_id": "Persona", "code": "Código", "kind": "Tipo", "street": "Calle", "city": "Ciudad", "state": "Estado", "time_zone": "Zona horaria",
	"gtin": "Código de barras", "nicknames": "Apodos", "reference_price_cents": "Precio de referencia", "budget_cents": "Presupuesto",
	"status": "Estado", "label": "Nombre", "password": "Contraseña", "goal": "Meta", "members": "Miembros", "criteria": "Criterios",
	"stamp": "Sellos", "point": "Puntos", "version": "Versión", "starts_at": "Empieza", "ends_at": "Termina", "stock": "Existencias",
	"threshold": "Cuesta", "cost_cents": "Costo", "shop_code": "Código de la tienda", "shop": "Tienda", "source": "Origen", "made_at": "Calculado",
	"margin_bps": "Margen", "fee_cents": "Cuota", "product_ids": "Productos", "shop_ids": "Tiendas", "scheme": "Se juntan", "earn": "Se gana",
	"invited_by": "Invitado", "differences": "Diferencias", "messages": "Mensajes", "picture": "Foto",
}
