package api

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Bounds of a picture that is taken: of the file, and of what it unfolds to. A
// small file may hold a picture of gigabytes, so its size is asked first.
const (
	mostPicture     = 5 << 20
	mostPictureSide = 8000
	mostPixels      = 16_000_000
)

// shrunk is a picture in our sizes, as JPEG on white: whatever else the file held,
// where and by what it was taken, is gone. One is drawn at a time, since it takes
// much memory.
func (s *server) shrunk(content []byte) (map[int][]byte, error) {
	if len(content) > mostPicture {
		return nil, loyalty.Invalid("picture", "pesa más de 5 MB")
	}
	wrong := loyalty.Invalid("picture", "no es una foto JPEG, PNG o WebP que podamos leer")
	var config func(*bytes.Reader) (image.Config, error)
	var decode func(*bytes.Reader) (image.Image, error)
	turn := 1
	switch http.DetectContentType(content) {
	case "image/jpeg":
		config = func(r *bytes.Reader) (image.Config, error) { return jpeg.DecodeConfig(r) }
		decode = func(r *bytes.Reader) (image.Image, error) { return jpeg.Decode(r) }
		turn = orientation(content)
	case "image/png":
		config = func(r *bytes.Reader) (image.Config, error) { return png.DecodeConfig(r) }
		decode = func(r *bytes.Reader) (image.Image, error) { return png.Decode(r) }
	case "image/webp":
		config = func(r *bytes.Reader) (image.Config, error) { return webp.DecodeConfig(r) }
		decode = func(r *bytes.Reader) (image.Image, error) { return webp.Decode(r) }
	default:
		return nil, wrong
	}
	size, err := config(bytes.NewReader(content))
	switch {
	case err != nil || size.Width < 1 || size.Height < 1:
		return nil, wrong
	case size.Width > mostPictureSide || size.Height > mostPictureSide || size.Width*size.Height > mostPixels:
		return nil, loyalty.Invalid("picture", "es demasiado grande: hasta 16 megapíxeles y 8,000 por lado")
	}
	s.drawing.Lock()
	defer s.drawing.Unlock()
	from, err := decode(bytes.NewReader(content))
	if err != nil {
		return nil, wrong
	}
	out := map[int][]byte{}
	for _, px := range []int{store.LargePicture, store.SmallPicture} { // the small one of the large one
		square := fitted(from, px)
		if px == store.LargePicture {
			square = turned(square, turn)
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, square, &jpeg.Options{Quality: 82}); err != nil {
			return nil, err
		}
		out[px], from = b.Bytes(), square
	}
	return out, nil
}

// fitted is a picture whole within a white square.
func fitted(from image.Image, px int) *image.RGBA {
	square := image.NewRGBA(image.Rect(0, 0, px, px))
	draw.Draw(square, square.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	b := from.Bounds()
	most := max(b.Dx(), b.Dy())
	w, h := max(1, b.Dx()*px/most), max(1, b.Dy()*px/most)
	at := image.Rect((px-w)/2, (px-h)/2, (px-w)/2+w, (px-h)/2+h)
	draw.CatmullRom.Scale(square, at, from, b, draw.Over, nil)
	return square
}

// turned is a square as EXIF's orientation wants it shown.
func turned(from *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return from
	}
	n := from.Bounds().Dx()
	to := image.NewRGBA(from.Bounds())
	for y := range n {
		for x := range n {
			u, v := x, y
			switch orientation {
			case 2:
				u = n - 1 - x
			case 3:
				u, v = n-1-x, n-1-y
			case 4:
				v = n - 1 - y
			case 5:
				u, v = y, x
			case 6:
				u, v = y, n-1-x
			case 7:
				u, v = n-1-y, n-1-x
			case 8:
				u, v = n-1-y, x
			}
			to.SetRGBA(x, y, from.RGBAAt(u, v))
		}
	}
	return to
}

// orientation reads how a JPEG of a phone lies, 1 to 8; 1 where it does not say.
func orientation(b []byte) int {
	for at := 2; at+4 <= len(b) && b[at] == 0xff; {
		kind, size := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if kind == 0xda || size < 2 || at+2+size > len(b) {
			break
		}
		part := b[at+4 : at+2+size]
		if kind == 0xe1 && bytes.HasPrefix(part, []byte("Exif\x00\x00")) {
			return tiffOrientation(part[6:])
		}
		at += 2 + size
	}
	return 1
}

func tiffOrientation(b []byte) int {
	var order binary.ByteOrder = binary.BigEndian
	if bytes.HasPrefix(b, []byte("II")) {
		order = binary.LittleEndian
	}
	if len(b) < 8 {
		return 1
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 1
	}
	entries := int64(order.Uint16(b[at:]))
	for i := range entries {
		e := at + 2 + 12*i
		if e+12 > int64(len(b)) {
			break
		}
		if order.Uint16(b[e:]) == 0x0112 {
			if v := int(order.Uint16(b[e+8:])); v >= 1 && v <= 8 {
				return v
			}
		}
	}
	return 1
}
