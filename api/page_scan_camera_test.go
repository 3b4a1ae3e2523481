package api_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	qrcode "github.com/skip2/go-qrcode"
	"github.com/stretchr/testify/require"
)

// canvas is what a camera sees: light, not white.
func canvas() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 640, 480))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.RGBA{225, 220, 210, 255}), image.Point{}, draw.Src)
	return img
}

// showQR is a QR before the camera.
func showQR(t *testing.T, text string) *image.RGBA {
	t.Helper()
	code, err := qrcode.New(text, qrcode.Medium)
	require.NoError(t, err)
	img := canvas()
	for y, row := range code.Bitmap() {
		for x, dark := range row {
			shade := color.RGBA{240, 238, 230, 255}
			if dark {
				shade = color.RGBA{30, 28, 35, 255}
			}
			draw.Draw(img, image.Rect(160+x*7, 80+y*7, 167+x*7, 87+y*7), image.NewUniform(shade), image.Point{}, draw.Src)
		}
	}
	return img
}

// showBars is the EAN-13 of a product before the camera.
func showBars(digits string) *image.RGBA {
	left := []string{"0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"}
	parity := []string{"LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL"}
	flip := func(s string) string {
		return strings.NewReplacer("0", "1", "1", "0").Replace(s)
	}
	back := func(s string) string {
		b := []byte(s)
		for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
		return string(b)
	}
	bars := "101"
	for i := 1; i <= 6; i++ {
		code := left[digits[i]-'0']
		if parity[digits[0]-'0'][i-1] == 'G' {
			code = back(flip(code))
		}
		bars += code
	}
	bars += "01010"
	for i := 7; i <= 12; i++ {
		bars += flip(left[digits[i]-'0'])
	}
	bars += "101"
	img := canvas()
	draw.Draw(img, image.Rect(80, 130, 560, 350), image.NewUniform(color.RGBA{245, 245, 240, 255}), image.Point{}, draw.Src)
	for i, bar := range bars {
		if bar == '1' {
			draw.Draw(img, image.Rect(130+i*4, 150, 134+i*4, 330), image.NewUniform(color.RGBA{20, 20, 25, 255}), image.Point{}, draw.Src)
		}
	}
	return img
}

// film makes a video for Chromium's camera: each picture for a second and a half,
// with as much of nothing after it, over and over.
func film(t *testing.T, pictures ...*image.RGBA) string {
	t.Helper()
	var out bytes.Buffer
	for _, picture := range pictures {
		for _, frame := range []*image.RGBA{picture, canvas()} {
			var b bytes.Buffer
			require.NoError(t, jpeg.Encode(&b, frame, &jpeg.Options{Quality: 80}))
			for range 45 {
				out.Write(b.Bytes())
			}
		}
	}
	path := filepath.Join(t.TempDir(), "camera.mjpeg")
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
	return path
}

// photo is a picture in a file, as a phone's camera gives it.
func photo(t *testing.T, picture image.Image) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, picture))
	path := filepath.Join(t.TempDir(), "foto.png")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}
