package templates

import (
	"bytes"
	"compress/zlib"
	"container/list"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"html/template"
	"strconv"
	"sync"

	qrcode "github.com/skip2/go-qrcode"
)

// qrLevel survives the fold of a receipt or a thumb on a screen (15 %) and keeps
// our short links at a version that a cheap camera reads from an arm's length.
const qrLevel = qrcode.Medium

// qrMatrix is the modules of a code, true where dark, with the quiet zone of
// four modules that the standard asks for.
func qrMatrix(payload string) ([][]bool, error) {
	code, err := qrcode.New(payload, qrLevel)
	if err != nil {
		return nil, fmt.Errorf("qr: %w", err)
	}
	return code.Bitmap(), nil
}

// QRPNG draws payload as a square PNG of px by px pixels. It packs one bit a
// pixel and repeats each row by PNG's "up" filter, which costs a fraction of
// drawing and compressing a full-colour image.
func QRPNG(payload string, px int) ([]byte, error) {
	modules, err := qrMatrix(payload)
	if err != nil {
		return nil, err
	}
	if px < len(modules) || px > 4096 {
		return nil, fmt.Errorf("qr: %d pixels asked, from %d to 4096 possible", px, len(modules))
	}
	return packPNG(modules, px)
}

// QRSVG draws payload as an inline SVG of a single path. Size and colour come
// from the class "qr"; the tile behind is always light, because scanners of
// cheap phones do not read inverted codes.
func QRSVG(payload string) (template.HTML, error) {
	modules, err := qrMatrix(payload)
	if err != nil {
		return "", err
	}
	return drawSVG(modules), nil
}

func drawSVG(modules [][]bool) template.HTML {
	n := strconv.Itoa(len(modules))
	b := make([]byte, 0, 6<<10)
	b = append(b, `<svg class="qr" viewBox="0 0 `+n+` `+n+`" role="img" aria-label="Código QR" shape-rendering="crispEdges">`+
		`<rect width="`+n+`" height="`+n+`" fill="#fff"/><path fill="#1c0f16" d="`...)
	eachRun(modules, func(x, y, length int) {
		b = strconv.AppendInt(append(b, 'M'), int64(x), 10)
		b = strconv.AppendInt(append(b, ' '), int64(y), 10)
		b = strconv.AppendInt(append(b, 'h'), int64(length), 10)
		b = append(strconv.AppendInt(append(b, "v1h-"...), int64(length), 10), 'z')
	})
	return template.HTML(append(b, `"/></svg>`...)) //nolint:gosec // digits and constants only
}

// eachRun calls f for every horizontal run of dark modules.
func eachRun(modules [][]bool, f func(x, y, length int)) {
	for y, row := range modules {
		for x := 0; x < len(row); x++ {
			start := x
			for x < len(row) && row[x] {
				x++
			}
			if x > start {
				f(start, y, x-start)
			}
		}
	}
}

func packPNG(modules [][]bool, px int) ([]byte, error) {
	scale := px / len(modules)
	margin := (px - scale*len(modules)) / 2
	stride := (px + 7) / 8

	var pixels bytes.Buffer
	zw, err := zlib.NewWriterLevel(&pixels, zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	blank := make([]byte, 1+stride)
	blank[0] = 2 // filter "up": this row equals the one above
	row := make([]byte, 1+stride)
	for y := range px {
		module := (y - margin) / scale
		inside := y >= margin && module < len(modules)
		first := y == 0 || (inside && (y-margin)%scale == 0) || y == margin+scale*len(modules)
		line := blank
		if first {
			line = row
			for i := range row {
				row[i] = 0xff
			}
			row[0] = 0
			if inside {
				for x, dark := range modules[module] {
					if !dark {
						continue
					}
					for bit := margin + x*scale; bit < margin+(x+1)*scale; bit++ {
						row[1+bit/8] &^= 0x80 >> (bit % 8)
					}
				}
			}
		}
		if _, err := zw.Write(line); err != nil {
			return nil, err
		}
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}

	header := binary.BigEndian.AppendUint32(nil, uint32(px))   //nolint:gosec // bounded above
	header = binary.BigEndian.AppendUint32(header, uint32(px)) //nolint:gosec // bounded above
	header = append(header, 1, 3, 0, 0, 0)                     // one bit, palette
	out := []byte("\x89PNG\r\n\x1a\n")
	out = pngChunk(out, "IHDR", header)
	out = pngChunk(out, "PLTE", []byte{0, 0, 0, 255, 255, 255})
	out = pngChunk(out, "IDAT", pixels.Bytes())
	return pngChunk(out, "IEND", nil), nil
}

func pngChunk(out []byte, kind string, data []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(data))) //nolint:gosec // far below 4 GB
	start := len(out)
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
}

// QRCache remembers the codes drawn last. A code's payload never changes, so an
// entry is never stale; the bound is there because anyone may ask for any card.
type QRCache struct {
	mu       sync.Mutex
	capacity int // in bytes
	size     int
	order    *list.List // front: used last
	entries  map[qrKey]*list.Element
}

type qrKey struct {
	payload string
	px      int // 0: the modules alone
}

type qrEntry struct {
	key  qrKey
	body []byte
}

// bytes is about what an entry takes, with its share of list and map.
func (e *qrEntry) bytes() int { return 250 + len(e.key.payload) + len(e.body) }

// NewQRCache makes a cache of at most so many bytes. An image takes 1 to 4 KB; of
// what is drawn as SVG only the modules are kept, in a tenth of that: finding them
// is what costs.
func NewQRCache(capacity int) *QRCache {
	return &QRCache{capacity: capacity, order: list.New(), entries: make(map[qrKey]*list.Element)}
}

// PNG is QRPNG, remembered. The caller must not change the bytes.
func (c *QRCache) PNG(payload string, px int) ([]byte, error) {
	return c.get(qrKey{payload, px}, func() ([]byte, error) { return QRPNG(payload, px) })
}

// SVG is QRSVG, of remembered modules.
func (c *QRCache) SVG(payload string) (template.HTML, error) {
	packed, err := c.get(qrKey{payload, 0}, func() ([]byte, error) {
		modules, err := qrMatrix(payload)
		return packModules(modules), err
	})
	if err != nil {
		return "", err
	}
	return drawSVG(unpackModules(packed)), nil
}

// packModules keeps a bit of each module, row by row, after their number in a row.
func packModules(modules [][]bool) []byte {
	n := len(modules) // at most 185
	packed := make([]byte, 1+(n*n+7)/8)
	packed[0] = byte(n) //nolint:gosec // see above
	for i := range n * n {
		if modules[i/n][i%n] {
			packed[1+i/8] |= 1 << (i % 8)
		}
	}
	return packed
}

func unpackModules(packed []byte) [][]bool {
	n := int(packed[0])
	all, modules := make([]bool, n*n), make([][]bool, n)
	for i := range all {
		all[i] = packed[1+i/8]&(1<<(i%8)) != 0
	}
	for y := range modules {
		modules[y] = all[y*n : (y+1)*n]
	}
	return modules
}

// get draws outside the lock: two callers may draw the same code at once, which
// costs less than all callers waiting for one.
func (c *QRCache) get(key qrKey, draw func() ([]byte, error)) ([]byte, error) {
	c.mu.Lock()
	if e, ok := c.entries[key]; ok {
		c.order.MoveToFront(e)
		body := e.Value.(*qrEntry).body
		c.mu.Unlock()
		return body, nil
	}
	c.mu.Unlock()
	body, err := draw()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok {
		return e.Value.(*qrEntry).body, nil
	}
	entry := &qrEntry{key, body}
	c.entries[key] = c.order.PushFront(entry)
	for c.size += entry.bytes(); c.size > c.capacity; {
		oldest := c.order.Back()
		gone := oldest.Value.(*qrEntry)
		c.order.Remove(oldest)
		delete(c.entries, gone.key)
		c.size -= gone.bytes()
	}
	return body, nil
}
