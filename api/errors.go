package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// statusOf is the one table from a kind of failure to its HTTP status.
func statusOf(kind loyalty.Kind) int {
	switch kind {
	case loyalty.KindInvalid:
		return http.StatusBadRequest
	case loyalty.KindNotFound:
		return http.StatusNotFound
	case loyalty.KindConflict:
		return http.StatusConflict
	case loyalty.KindForbidden:
		return http.StatusForbidden
	case loyalty.KindUnauthorized:
		return http.StatusUnauthorized
	case loyalty.KindUnprocessable:
		return http.StatusUnprocessableEntity
	case loyalty.KindTooMany:
		return http.StatusTooManyRequests
	case loyalty.KindUnavailable:
		return http.StatusServiceUnavailable
	case loyalty.KindInternal:
	}
	return http.StatusInternalServerError
}

// The codes that only HTTP knows.
const (
	codeMethod   loyalty.Code = "METHOD_NOT_ALLOWED"
	codeTooLarge loyalty.Code = "PAYLOAD_TOO_LARGE"
	codeTimeout  loyalty.Code = "REQUEST_TIMEOUT"
	codeOrigin   loyalty.Code = "FOREIGN_ORIGIN"

	codeNoNumbers loyalty.Code = "CHANNEL_WITHOUT_NUMBERS"
)

// problem is an RFC 9457 problem document.
type problem struct {
	Type    string               `json:"type"`
	Title   string               `json:"title"`
	Status  int                  `json:"status"`
	Detail  string               `json:"detail"`
	Code    loyalty.Code         `json:"code"`
	Errors  []loyalty.FieldError `json:"errors"`
	TraceID string               `json:"trace_id"`
}

// limited is a refusal that says when to come back.
type limited struct{ after time.Duration }

func (e *limited) Error() string { return "too many requests; again in " + e.after.String() }

func (e *limited) Unwrap() error {
	return loyalty.Fail(loyalty.KindTooMany, loyalty.CodeTooMany, "Van muchos intentos seguidos. Espera un momento y vuelve a intentar.")
}

// problemOf says what an error means to a caller.
func problemOf(err error) problem {
	var fromFiber *fiber.Error
	var known *loyalty.Error
	p := problem{Status: http.StatusInternalServerError, Code: loyalty.CodeInternal, Detail: "Algo falló de nuestro lado. Intenta de nuevo."}
	switch {
	case errors.As(err, &known):
		p.Status, p.Code, p.Detail, p.Errors = statusOf(known.Kind), known.Code, known.Detail, known.Fields
	case errors.As(err, &fromFiber):
		p.Status = fromFiber.Code
		switch fromFiber.Code {
		case http.StatusNotFound:
			p.Code, p.Detail = loyalty.CodeNotFound, "Esta dirección no existe."
		case http.StatusMethodNotAllowed:
			p.Code, p.Detail = codeMethod, "Esta dirección no acepta ese método."
		case http.StatusRequestEntityTooLarge:
			p.Code, p.Detail = codeTooLarge, "El cuerpo de la petición pasa de lo que aquí cabe: 1 MiB."
		case http.StatusRequestHeaderFieldsTooLarge:
			p.Code, p.Detail = codeTooLarge, "La dirección o los encabezados pasan de 16 KiB."
		case http.StatusRequestTimeout:
			p.Code, p.Detail = codeTimeout, "La petición tardó demasiado en llegar."
		default:
			if p.Status < http.StatusInternalServerError {
				p.Code, p.Detail = loyalty.CodeMalformed, "No se entiende la petición."
			}
		}
	}
	if p.Errors == nil {
		p.Errors = []loyalty.FieldError{}
	}
	p.Title = http.StatusText(p.Status)
	p.Type = "urn:qoa:problem:" + strings.ReplaceAll(strings.ToLower(string(p.Code)), "_", "-")
	return p
}

// fail is where every error of every handler is answered.
func (s *server) fail(c *fiber.Ctx, err error) error {
	p := problemOf(err)
	if p.TraceID = store.Trace(c.UserContext()); p.TraceID == "" {
		// What fasthttp itself refuses, such as a header without end, comes here
		// past every middleware.
		p.TraceID = s.traceID(c)
		c.Set(requestID, p.TraceID)
		s.setHeaders(c)
	}
	c.Locals(errorKey, err)
	c.Set(fiber.HeaderCacheControl, "no-store")
	var wait *limited
	if errors.As(err, &wait) {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int((wait.after+time.Second-1)/time.Second)))
	}
	if p.Status == http.StatusServiceUnavailable {
		c.Set(fiber.HeaderRetryAfter, "2") // what is short-lived is over by then; the rest may be asked for again
	}
	if p.Status == http.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="qoa"`)
	}
	if wantsPage(c) {
		return s.notice(c, p.Status, noticeOf(p))
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	c.Status(p.Status)
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Send(body)
}

// wantsPage says whether an error is read by a person.
func wantsPage(c *fiber.Ctx) bool {
	if r, ok := c.Locals(routeKey).(Route); ok {
		return r.Page
	}
	return !strings.HasPrefix(c.Path(), "/v1/") && strings.Contains(c.Get(fiber.HeaderAccept), "text/html")
}

// noticeOf is a problem as a page.
func noticeOf(p problem) templates.NoticeView {
	switch {
	case p.Status == http.StatusNotFound:
		return templates.NotFound()
	case p.Status == http.StatusTooManyRequests:
		return templates.TooMany()
	case p.Status == http.StatusForbidden && p.Code == loyalty.CodeForbidden:
		return templates.Forbidden()
	case p.Status >= http.StatusInternalServerError:
		return templates.ServerError(p.TraceID)
	}
	return templates.NoticeView{Title: "No se pudo", Body: words(p), Tone: "warn", Action: "Ir al inicio", URL: "/"}
}

// errorWords is what a page says of a failure: its detail where that is meant
// for people, and the reasons.
func errorWords(err error) string { return words(problemOf(err)) }

func words(p problem) string {
	text := p.Detail
	for _, f := range p.Errors {
		text += " " + upperFirst(fieldWords(f.Field)) + ": " + f.Reason + "."
	}
	return text
}

// fieldWords calls a field of the API what people call it.
func fieldWords(field string) string {
	switch field {
	case "shop_code":
		return "la tienda"
	case "card_code":
		return "el código del cliente"
	case "code":
		return "el código"
	case "items":
		return "los productos"
	case "gtin":
		return "el código de barras"
	case "quantity":
		return "las piezas"
	case "unit_price_cents":
		return "el precio"
	case "from":
		return "desde"
	case "to":
		return "hasta"
	case "campaign_id":
		return "la promoción"
	}
	return field
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

func unauthorized() error {
	return loyalty.Fail(loyalty.KindUnauthorized, loyalty.CodeUnauthorized, "Falta iniciar sesión, o la sesión ya venció.")
}
