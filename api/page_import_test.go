package api_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
)

// upload posts a form with a file, as a browser does.
func upload(t *testing.T, w *apitest.World, path, field, name string, content []byte, fields ...string) apitest.Response {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		require.NoError(t, m.WriteField(fields[i], fields[i+1]))
	}
	part, err := m.CreateFormFile(field, name)
	require.NoError(t, err)
	_, err = part.Write(content)
	require.NoError(t, err)
	require.NoError(t, m.Close())
	return w.Do("POST", path, b.String(), apitest.With("Content-Type", m.FormDataContentType()), apitest.Cookie(w.AdminPage), apitest.With("Origin", w.Base))
}

const importing = catalogue + "/importar"

func TestAFileFillsTheCatalogue(t *testing.T) {
	w := apitest.New(t)
	file := "\ufeffClave;Tienda;Dirección;Municipio;Estado;Ruta\r\n" +
		";La Güera;Juárez 1;Mérida;Yucatán;7\r\n" +
		";Abarrotes Lupita;Av. Juárez 12;Ciudad de México;CDMX;7\r\n" +
		"ABC;Mala;;Mérida;Yucatán;7\r\n"
	res := upload(t, w, importing, "file", "tiendas.csv", []byte(file), "kind", "shops")
	require.Equal(t, http.StatusSeeOther, res.Status, "%s", res.Body)
	at := res.Header.Get("Location")
	page := get(w, at, w.AdminPage).Text()
	for _, want := range []string{"tiendas.csv", "por aplicar", "Aplicar 1 renglón", "No usamos la columna Ruta", "La Güera", "Código: ", "son 6 símbolos"} {
		assert.Contains(t, page, want)
	}
	assert.NotContains(t, get(w, at+"?ver=new", w.AdminPage).Text(), "son 6 símbolos")
	wrong := taken(t, w, at+"/errores.csv", w.AdminPage)
	require.Len(t, wrong, 2)
	assert.Equal(t, []string{"Renglón", "Qué corregir", "Código", "Nombre"}, wrong[0][:4])
	assert.Equal(t, []string{"4", "Código: No es un código de tienda: son 6 símbolos, el último de verificación.", "ABC", "Mala"}, wrong[1][:4])

	require.Equal(t, http.StatusSeeOther, form(w, at+"/aplicar", w.AdminPage).Status)
	require.Eventually(t, func() bool { return strings.Contains(get(w, at+"/vivo", w.AdminPage).Text(), "1 renglón aplicado") }, 10*time.Second, 20*time.Millisecond)
	assert.Contains(t, get(w, catalogue+"/tiendas?ciudad=M%C3%A9rida", w.AdminPage).Text(), "La Güera")
	assert.Contains(t, get(w, importing, w.AdminPage).Text(), "aplicado")
	// What was applied is not discarded, and applying again does nothing.
	require.Equal(t, http.StatusSeeOther, form(w, at+"/descartar", w.AdminPage).Status)
	require.Equal(t, http.StatusSeeOther, form(w, at+"/aplicar", w.AdminPage).Status)
	assert.Contains(t, get(w, at, w.AdminPage).Text(), "1 renglón aplicado")

	again := upload(t, w, importing, "file", "tiendas.csv", []byte(file), "kind", "shops").Header.Get("Location")
	assert.Contains(t, get(w, again, w.AdminPage).Text(), "No hay nada que aplicar")
	require.Equal(t, http.StatusSeeOther, form(w, again+"/descartar", w.AdminPage).Status)
	assert.Contains(t, get(w, again, w.AdminPage).Text(), "descartado")
}

// The templates are files that can be read, and say what is asked for.
func TestTheTemplatesCanBeImported(t *testing.T) {
	w := apitest.New(t)
	for kind, name := range map[string]string{"shops": "tiendas", "products": "productos"} {
		for _, ending := range []string{".csv", ".xlsx"} {
			content := get(w, importing+"/plantilla-"+name+ending, w.AdminPage).Body
			res := upload(t, w, importing, "file", name+ending, content, "kind", kind)
			require.Equal(t, http.StatusSeeOther, res.Status, "%s", res.Body)
			page := get(w, res.Header.Get("Location"), w.AdminPage).Text()
			assert.Contains(t, page, "Aplicar 2 renglones", name+ending)
			assert.NotContains(t, page, "No usamos", name+ending)
		}
	}
}

func TestAFileThatIsNoneIsExplainedAtTheField(t *testing.T) {
	w := apitest.New(t)
	for want, content := range map[string][]byte{
		"Elige un archivo.":                       nil,
		"No es un CSV ni un Excel (.xlsx) que":    []byte("\x89PNG\r\n\x1a\n\x00\x00"),
		"Es de un Excel de antes de 2007;":        {0xd0, 0xcf, 0x11, 0xe0, 0xa1},
		"Falta la columna «Estado».":              []byte("Nombre,Ciudad\nX,Y\n"),
		"No encontramos los títulos":              []byte("hola,adiós\n1,2\n"),
		"No trae ningún renglón debajo de los tí": []byte("Nombre,Ciudad,Estado\n"),
		"Trae más de 20,000 renglones":            []byte("Nombre,Ciudad,Estado\n" + strings.Repeat("X,Y,Z\n", 20_001)),
	} {
		res := upload(t, w, importing, "file", "x.csv", content, "kind", "shops")
		assert.Equal(t, http.StatusBadRequest, res.Status)
		assert.Contains(t, res.Text(), want)
		assert.Contains(t, res.Text(), `id="file-e"`)
	}
	assert.Equal(t, http.StatusRequestEntityTooLarge, upload(t, w, importing, "file", "x.csv", make([]byte, 8<<20+1), "kind", "shops").Status)
	assert.Equal(t, http.StatusRequestEntityTooLarge, w.Do("POST", "/v1/auth/login", strings.Repeat("x", 2<<20)).Status, "elsewhere as before")
}

// What a list gives as a file can be changed and read again.
func TestAListGoesOutAndComesBack(t *testing.T) {
	w := apitest.New(t)
	w.Jobs.Slow = true
	for kind, name := range map[string]string{"shops": "tiendas", "products": "productos"} {
		for _, ending := range []string{".csv", ".xlsx"} {
			content := get(w, catalogue+"/"+name+ending, w.AdminPage)
			require.Equal(t, http.StatusOK, content.Status)
			res := upload(t, w, importing, "file", name+ending, content.Body, "kind", kind)
			require.Equal(t, http.StatusSeeOther, res.Status, "%s", res.Body)
			page := get(w, res.Header.Get("Location"), w.AdminPage).Text()
			assert.Contains(t, page, "No hay nada que aplicar", name+ending)
			assert.Contains(t, page, ">igual<", name+ending)
			assert.NotContains(t, page, ">está mal<", name+ending)
		}
	}
}

// A file of ten thousand rows is shown in part.
func TestALongFileIsShownInPart(t *testing.T) {
	w := apitest.New(t)
	w.Jobs.Slow = true
	var b strings.Builder
	b.WriteString("Nombre,Calle,Ciudad,Estado\n")
	for i := range 10_000 {
		fmt.Fprintf(&b, "Tienda %d,Calle %d,Puebla,Puebla\n", i, i%97)
	}
	res := upload(t, w, importing, "file", "muchas.csv", []byte(b.String()), "kind", "shops")
	require.Equal(t, http.StatusSeeOther, res.Status, "%s", res.Body)
	at := res.Header.Get("Location")
	page := get(w, at, w.AdminPage).Text()
	assert.Contains(t, page, "Aplicar 10,000 renglones")
	assert.Contains(t, page, "Y 9,950 renglones más.")
	require.Equal(t, http.StatusSeeOther, form(w, at+"/aplicar", w.AdminPage).Status)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		n, err := tx.ApplyImports(ctx, 100)
		require.NoError(t, err)
		assert.Equal(t, 100, n)
	})
	live := get(w, at+"/vivo", w.AdminPage).Text()
	assert.Contains(t, live, `value="100" max="10000"`)
	assert.Contains(t, live, "100 de 10,000 renglones")
}
