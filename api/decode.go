package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// body reads a JSON request body into a T, strictly: what we would not
// understand is said, never skipped.
func body[T any](c *fiber.Ctx) (T, error) {
	var v T
	raw := c.Body()
	if len(bytes.TrimSpace(raw)) == 0 {
		return v, malformed("El cuerpo está vacío; se esperaba JSON.")
	}
	if !utf8.Valid(raw) {
		return v, malformed("El cuerpo no está en UTF-8.")
	}
	if hasNUL(raw) {
		return v, malformed("El texto no puede llevar el carácter nulo (\\u0000).")
	}
	err := strict(raw, &v)
	if err == nil {
		return v, nil
	}
	return v, explain[T](raw, err)
}

// optionalBody is body for a call that may come without one.
func optionalBody[T any](c *fiber.Ctx) (T, error) {
	if len(bytes.TrimSpace(c.Body())) == 0 {
		var v T
		return v, nil
	}
	return body[T](c)
}

var errTrailing = errors.New("data after the JSON value")

func strict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errTrailing
	}
	return nil
}

// explain names the field at fault.
func explain[T any](raw []byte, err error) error {
	var wrongType *json.UnmarshalTypeError
	if errors.As(err, &wrongType) {
		wrongType.Field = jsonPath(wrongType.Field)
		if wrongType.Field == "" {
			return malformed("El cuerpo debe ser un objeto JSON.")
		}
		return loyalty.Invalid(indexed(raw, wrongType), "debe ser "+typeWords(wrongType.Type))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if field, bad := strconv.Unquote(name); bad == nil {
			return loyalty.Invalid(field, "no conocemos este campo")
		}
	}
	if !json.Valid(raw) || errors.Is(err, errTrailing) {
		return malformed("El cuerpo no es JSON válido.")
	}
	// What is left is a value that its own type refuses, such as a date; the
	// decoder does not say whose.
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) == nil {
		for name, value := range fields {
			var v T
			if one, e := json.Marshal(map[string]json.RawMessage{name: value}); e == nil && strict(one, &v) != nil {
				return loyalty.Invalid(name, "no tiene la forma esperada")
			}
		}
	}
	return malformed("El cuerpo no tiene la forma esperada.")
}

// jsonPath leaves out of a path the Go names of embedded structs, which JSON does
// not know: our own names are in lower case.
func jsonPath(field string) string {
	parts := strings.Split(field, ".")
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part != "" && part != strings.ToLower(part) }), ".")
}

// indexed is the path of a value of the wrong type, as validation names it: the
// decoder says items.quantity, which may be any line's. What it also says is how
// far it had read.
func indexed(raw []byte, wrong *json.UnmarshalTypeError) string {
	type level struct {
		plain, path string // of the container
		array       bool
		n           int    // of an array: the elements so far
		key         string // of an object: the key whose value comes next
		keyed       bool
	}
	var (
		stack []level
		found string
		d     = json.NewDecoder(bytes.NewReader(raw))
	)
	for {
		before := d.InputOffset()
		token, err := d.Token()
		if err != nil || before >= wrong.Offset {
			break
		}
		if end, ok := token.(json.Delim); ok && (end == '}' || end == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		var here level // the value that begins with this token
		if len(stack) > 0 {
			in := &stack[len(stack)-1]
			if name, ok := token.(string); ok && !in.array && !in.keyed {
				in.key, in.keyed = strings.ToLower(name), true
				continue
			}
			here.plain, here.path = in.plain, in.path
			if in.array {
				here.path += "[" + strconv.Itoa(in.n) + "]"
				in.n++
			} else {
				here.plain, here.path = join(in.plain, in.key), join(in.path, in.key)
				in.keyed = false
			}
		}
		if here.plain == wrong.Field {
			found = here.path
		}
		if begin, ok := token.(json.Delim); ok {
			here.array = begin == '['
			stack = append(stack, here)
		}
	}
	if found == "" {
		return wrong.Field
	}
	if i := strings.LastIndexByte(found, '['); i >= 0 && strings.HasSuffix(found, "]") && wrong.Type.Kind() != reflect.Struct {
		found = found[:i] // of a list of IDs validation names the list
	}
	return found
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func typeWords(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // the kinds that our bodies have
	case reflect.String:
		return "texto"
	case reflect.Bool:
		return "true o false"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "un número entero"
	case reflect.Slice:
		return "una lista"
	case reflect.Struct, reflect.Map:
		return "un objeto"
	}
	return "de otro tipo"
}

// hasNUL finds an escaped NUL; a bare one is no JSON. The backslash of the
// escape must not be an escaped backslash itself.
func hasNUL(raw []byte) bool {
	for at := 0; ; {
		i := bytes.Index(raw[at:], []byte(`\u0000`))
		if i < 0 {
			return false
		}
		i += at
		slashes := 0
		for i-slashes > 0 && raw[i-slashes-1] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			return true
		}
		at = i + 1
	}
}

func malformed(detail string) error {
	return loyalty.Fail(loyalty.KindInvalid, loyalty.CodeMalformed, detail)
}

// pathID reads an ID from the path. What is no ID names nothing: 404.
func pathID(c *fiber.Ctx) (loyalty.ID, error) { return pathParam(c, "id") }

// pathShopID reads a shop's ID from the path, beside that of something else.
func pathShopID(c *fiber.Ctx) (loyalty.ID, error) { return pathParam(c, "shop_id") }

func pathParam(c *fiber.Ctx, name string) (loyalty.ID, error) {
	id, err := loyalty.ParseID(c.Params(name))
	if err != nil {
		return "", loyalty.NotFound(loyalty.CodeNotFound, "No encontramos lo que buscas.")
	}
	return id, nil
}

// queryID reads an optional ID from the query.
func queryID(c *fiber.Ctx, name string) (loyalty.ID, error) {
	raw := c.Query(name)
	if raw == "" {
		return "", nil
	}
	id, err := loyalty.ParseID(raw)
	if err != nil {
		return "", loyalty.Invalid(name, "no es un identificador válido")
	}
	return id, nil
}

// queryBool reads an optional boolean from the query.
func queryBool(c *fiber.Ctx, name string) (*bool, error) {
	switch c.Query(name) {
	case "":
		return nil, nil //nolint:nilnil // absent, which is no error
	case "true":
		v := true
		return &v, nil
	case "false":
		v := false
		return &v, nil
	}
	return nil, loyalty.Invalid(name, "debe ser true o false")
}

// queryText reads text from the query, fit for the database.
func queryText(c *fiber.Ctx, name string) string { return tidy(c.Query(name)) }

// formText reads a field of a form, fit for the database.
func formText(c *fiber.Ctx, name string) string { return strings.TrimSpace(tidy(c.FormValue(name))) }

// tidy takes out what Postgres cannot store.
func tidy(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

const (
	defaultLimit = 20
	mostLimit    = 100
)

// page reads cursor and limit of a list.
func page(c *fiber.Ctx) (store.Page, error) {
	limit, err := pageLimit(c)
	p := store.Page{Limit: limit}
	if err != nil {
		return p, err
	}
	if raw := c.Query("cursor"); raw != "" {
		id, err := loyalty.ParseID(raw)
		if err != nil {
			return p, loyalty.Invalid("cursor", "no es un cursor de esta lista")
		}
		p.After = id
	}
	return p, nil
}

// pageLimit reads how many rows of a list are wanted.
func pageLimit(c *fiber.Ctx) (int, error) {
	raw := c.Query("limit")
	if raw == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 1 || n > mostLimit {
		return 0, loyalty.Invalid("limit", "debe ser un número de 1 a 100")
	}
	return n, nil
}

// data answers with {"data": v}.
func data(c *fiber.Ctx, status int, v any) error {
	return c.Status(status).JSON(map[string]any{"data": v})
}

// nullable is a field of a PATCH in which null is a value of its own.
type nullable[T any] struct {
	given bool
	value *T
}

// UnmarshalJSON implements json.Unmarshaler; it is called for null too.
func (n *nullable[T]) UnmarshalJSON(raw []byte) error {
	n.given = true
	return json.Unmarshal(raw, &n.value)
}

// patch is nil where the field was not sent.
func (n nullable[T]) patch() **T {
	if !n.given {
		return nil
	}
	return &n.value
}

// orZero is nil where the field was not sent, and the zero value for null.
func (n nullable[T]) orZero() *T {
	if !n.given || n.value != nil {
		return n.value
	}
	return new(T)
}
