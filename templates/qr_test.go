package templates

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"regexp"
	"strconv"
	"sync"
	"testing"

	qrcode "github.com/skip2/go-qrcode"
)

const qrPayload = "https://qoa.example/c/7H2KQ9M4"

func referenceBitmap(t *testing.T) [][]bool {
	t.Helper()
	code, err := qrcode.New(qrPayload, qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	return code.Bitmap()
}

func TestQRPNGHoldsTheCode(t *testing.T) {
	want := referenceBitmap(t)
	n := len(want)
	for _, px := range []int{n, n + 1, 200, 256, 511, 512, 1024} {
		body, err := QRPNG(qrPayload, px)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(body))
		if err != nil {
			t.Fatalf("%d px: %v", px, err)
		}
		if b := img.Bounds(); b.Dx() != px || b.Dy() != px {
			t.Fatalf("asked %d px, got %v", px, b)
		}
		scale := px / n
		margin := (px - scale*n) / 2
		for y := range px {
			for x := range px {
				col, row := x-margin, y-margin
				dark := col >= 0 && row >= 0 && col < scale*n && row < scale*n && want[row/scale][col/scale]
				if isDark(img, x, y) != dark {
					t.Fatalf("%d px: pixel %d,%d is wrong", px, x, y)
				}
			}
		}
		if px == 512 && len(body) > 4096 {
			t.Errorf("a QR of 512 px takes %d bytes", len(body))
		}
	}
}

func TestQRHasAQuietZoneOfFour(t *testing.T) {
	modules, err := qrMatrix(qrPayload)
	if err != nil {
		t.Fatal(err)
	}
	n := len(modules)
	for y, row := range modules {
		for x, dark := range row {
			if dark && (x < 4 || y < 4 || x >= n-4 || y >= n-4) {
				t.Fatalf("module %d,%d is dark", x, y)
			}
		}
	}
	if !modules[4][4] || !modules[4][n-5] || !modules[n-5][4] {
		t.Error("the finders do not begin right after four modules")
	}
}

func TestQRSVGHoldsTheCode(t *testing.T) {
	svg, err := QRSVG(qrPayload)
	if err != nil {
		t.Fatal(err)
	}
	want := referenceBitmap(t)
	got := make([][]bool, len(want))
	for i := range got {
		got[i] = make([]bool, len(want))
	}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(string(svg), -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		length, _ := strconv.Atoi(m[3])
		if m[3] != m[4] {
			t.Fatalf("run %s does not close", m[0])
		}
		for i := range length {
			got[y][x+i] = true
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Error("the path draws another code")
	}
	if len(svg) > 8<<10 {
		t.Errorf("the SVG takes %d bytes", len(svg))
	}
}

func TestQRRefusesSizesThatCannotBe(t *testing.T) {
	for _, px := range []int{-1, 0, 10, 1 << 20} {
		if _, err := QRPNG(qrPayload, px); err == nil {
			t.Errorf("%d px was drawn", px)
		}
	}
	if _, err := QRSVG(string(make([]byte, 5000))); err == nil {
		t.Error("a payload of 5000 bytes was drawn")
	}
}

func TestQRCacheIsBoundedAndRight(t *testing.T) {
	const capacity = 3000
	cache := NewQRCache(capacity)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			payload := fmt.Sprintf("card %d", i%5)
			want, err := QRPNG(payload, 128)
			if err != nil {
				t.Error(err)
			}
			for range 2 {
				if got, err := cache.PNG(payload, 128); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: wrong code, error %v", payload, err)
				}
			}
			drawn, err := QRSVG(payload)
			if err != nil {
				t.Error(err)
			}
			for range 2 {
				if svg, err := cache.SVG(payload); err != nil || svg != drawn {
					t.Errorf("%s: wrong SVG, error %v", payload, err)
				}
			}
		})
	}
	wg.Wait()
	size := 0
	for at := cache.order.Front(); at != nil; at = at.Next() {
		size += at.Value.(*qrEntry).bytes()
	}
	if size != cache.size || size > capacity || len(cache.entries) != cache.order.Len() || len(cache.entries) == 0 {
		t.Errorf("the cache of %d bytes holds %d in %d entries, and says %d", capacity, size, len(cache.entries), cache.size)
	}
	if _, err := cache.PNG("x", 1); err == nil {
		t.Error("an error was swallowed")
	}
}

func isDark(img image.Image, x, y int) bool {
	r, _, _, _ := img.At(x, y).RGBA()
	return r < 0x8000
}

func BenchmarkQRPNG(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := QRPNG(qrPayload, 512); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQRSVG(b *testing.B) {
	b.ReportAllocs()
	cache := NewQRCache(1 << 20)
	for b.Loop() {
		if _, err := cache.SVG(qrPayload); err != nil {
			b.Fatal(err)
		}
	}
}
