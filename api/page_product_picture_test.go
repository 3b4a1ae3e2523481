package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// flag is a picture, red above and blue below.
func flag(w, h int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{uint8(255 * (2*y/h ^ 1)), 0, uint8(255 * (2 * y / h)), 255}) //nolint:gosec // 0 or 255
		}
	}
	return m
}

func asPNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, m))
	return b.Bytes()
}

// lying is a JPEG as a phone makes it that was held on its side, with where it was
// taken.
func lying(t *testing.T, m image.Image, orientation byte) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, nil))
	exif := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00GPS 19.4326 -99.1332")
	part := append([]byte{0xff, 0xe1, byte((len(exif) + 2) >> 8), byte(len(exif) + 2)}, exif...) //nolint:gosec // it is short
	return append(append([]byte{0xff, 0xd8}, part...), b.Bytes()[2:]...)
}

var photoAddress = regexp.MustCompile(`/fotos/[0-9a-f]{24}-480\.jpg`)

// pictured gives a product a picture, and where it is.
func pictured(t *testing.T, w *apitest.World, product loyalty.ID) string {
	t.Helper()
	return photoOf(t, w, product, asPNG(t, flag(40, 40)))
}

func photoOf(t *testing.T, w *apitest.World, product loyalty.ID, content []byte) string {
	t.Helper()
	at := catalogue + "/productos/" + string(product)
	res := upload(t, w, at+"/foto", "picture", "foto", content)
	require.Equal(t, http.StatusSeeOther, res.Status, "%s", res.Body)
	address := photoAddress.FindString(get(w, at, w.AdminPage).Text())
	require.NotEmpty(t, address)
	return address
}

func TestAProductHasAPicture(t *testing.T) {
	w := apitest.New(t)
	product := w.Tenants[0].Product
	address := pictured(t, w, product)
	res := w.Do("GET", address, nil)
	require.Equal(t, http.StatusOK, res.Status)
	assert.Equal(t, "image/jpeg", res.Header.Get("Content-Type"))
	assert.Contains(t, res.Header.Get("Cache-Control"), "immutable")
	assert.Equal(t, http.StatusNotModified, w.Do("GET", address, nil, apitest.With("If-None-Match", res.Header.Get("Etag"))).Status)
	// It is on the counter's buttons and in the list, small.
	little := address[:len(address)-len("480.jpg")] + "160.jpg"
	assert.Contains(t, get(w, "/tienda", w.Keepers[0].Page).Text(), little)
	assert.Contains(t, get(w, catalogue+"/productos", w.AdminPage).Text(), little)
	assert.Less(t, len(w.Do("GET", little, nil).Body), 10_000)

	// Another picture has another address; none leaves the emblem.
	other := photoOf(t, w, product, asPNG(t, flag(30, 60)))
	assert.NotEqual(t, address, other)
	assert.Equal(t, http.StatusNotFound, w.Do("GET", address, nil).Status)
	require.Equal(t, http.StatusSeeOther, form(w, catalogue+"/productos/"+string(product)+"/foto", w.AdminPage, "remove", "1").Status)
	assert.NotContains(t, get(w, "/tienda", w.Keepers[0].Page).Text(), "/fotos/")
	for _, path := range []string{"/fotos/x", "/fotos/-160.jpg", "/fotos/000000000000000000000000-160.jpg"} {
		assert.Equal(t, http.StatusNotFound, w.Do("GET", path, nil).Status, path)
	}
}

// However a phone was held, its picture stands upright, and says nothing more.
func TestAPictureStandsUprightAndSaysNothing(t *testing.T) {
	w := apitest.New(t)
	for orientation, corner := range map[byte]image.Point{1: {240, 20}, 3: {240, 460}, 6: {460, 240}, 8: {20, 240}} {
		body := w.Do("GET", photoOf(t, w, w.Tenants[0].Product, lying(t, flag(400, 400), orientation)), nil).Body
		assert.NotContains(t, string(body), "GPS")
		assert.NotContains(t, string(body), "Exif")
		m, err := jpeg.Decode(bytes.NewReader(body))
		require.NoError(t, err)
		assert.Equal(t, image.Rect(0, 0, 480, 480), m.Bounds())
		r, _, b, _ := m.At(corner.X, corner.Y).RGBA()
		assert.Greater(t, r, b, "orientation %d: the red side is at %v", orientation, corner)
	}
	// A broad one is whole, on white.
	m, err := jpeg.Decode(bytes.NewReader(w.Do("GET", photoOf(t, w, w.Tenants[0].Product, asPNG(t, flag(600, 100))), nil).Body))
	require.NoError(t, err)
	r, g, b, _ := m.At(240, 20).RGBA()
	assert.Greater(t, min(r, g, b), uint32(0xf000))
}

// pngHead is the beginning of a PNG that says to be of a size.
func pngHead(w, h uint32) []byte {
	head := make([]byte, 17)
	copy(head, "IHDR")
	binary.BigEndian.PutUint32(head[4:], w)
	binary.BigEndian.PutUint32(head[8:], h)
	copy(head[12:], []byte{8, 2, 0, 0, 0})
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

func TestWhatIsNoPictureIsExplainedAtTheField(t *testing.T) {
	w := apitest.New(t)
	at := catalogue + "/productos/" + string(w.Tenants[0].Product)
	webp, err := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	require.NoError(t, err)
	photoOf(t, w, w.Tenants[0].Product, webp)
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"nothing":        {nil, "Elige un archivo."},
		"a text":         {[]byte("hola"), "No es una foto JPEG, PNG o WebP"},
		"a GIF":          {[]byte("GIF89a\x01\x00\x01\x00"), "No es una foto JPEG, PNG o WebP"},
		"an SVG":         {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "No es una foto JPEG, PNG o WebP"},
		"half a JPEG":    {[]byte("\xff\xd8\xff\xe0\x00\x10JFIF"), "No es una foto JPEG, PNG o WebP"},
		"a huge one":     {pngHead(60_000, 60_000), "Es demasiado grande"},
		"a long one":     {pngHead(9_000, 1), "Es demasiado grande"},
		"half a PNG":     {pngHead(100, 100), "No es una foto JPEG, PNG o WebP"},
		"a heavy one":    {append(asPNG(t, flag(4, 4)), make([]byte, 5<<20)...), "Pesa más de 5 MB."},
		"a torn EXIF":    {[]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00*\xff\xff\xff\xff"), "No es una foto JPEG, PNG o WebP"},
		"a torn EXIF II": {[]byte("\xff\xd8\xff\xe1\x00\x12Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff"), "No es una foto JPEG, PNG o WebP"},
	} {
		res := upload(t, w, at+"/foto", "picture", "foto.png", c.content)
		assert.Equal(t, http.StatusBadRequest, res.Status, name)
		assert.Contains(t, res.Text(), c.want, name)
		assert.Contains(t, res.Text(), `id="picture-e"`, name)
		assert.Contains(t, res.Text(), "/fotos/", "%s: the one that was there stays", name)
	}
}
