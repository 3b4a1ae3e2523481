package templates

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// PosterView is what a counter poster says. The QR holds our own redirect, never
// a phone number, so that a changed number leaves printed posters valid.
type PosterView struct {
	Shop       string
	Place      string // neighbourhood and city; may be empty
	Code       string // shop code
	URL        string // <PUBLIC_URL>/q/<shop code>, in the QR and as text
	PrivacyURL string
	Created    time.Time // stands in the file, so that equal input gives equal bytes
}

// Letter paper in millimetres, and the house colours in print.
const (
	posterWidth  = 215.9
	posterHeight = 279.4
	posterMargin = 16.0
)

type ink struct{ r, g, b int }

func inkRosa() ink  { return ink{196, 18, 94} }
func inkSol() ink   { return ink{255, 184, 31} }
func inkText() ink  { return ink{42, 20, 32} }
func inkQuiet() ink { return ink{106, 75, 88} }
func inkWhite() ink { return ink{255, 255, 255} }

// Poster makes the printable poster of a shop: one letter page as PDF. It holds
// up in black and white: the QR is black, and colour only decorates.
func Poster(v PosterView) ([]byte, error) {
	modules, err := qrMatrix(v.URL)
	if err != nil {
		return nil, err
	}
	p := &posterPage{fpdf.New("P", "mm", "Letter", "")}
	p.pdf.SetCatalogSort(true)
	p.pdf.SetCreationDate(v.Created)
	p.pdf.SetModificationDate(v.Created)
	p.pdf.SetTitle("Póster de "+v.Shop, true)
	p.pdf.SetAuthor("Qoa", true)
	p.pdf.SetLang("es-MX")
	p.pdf.SetAutoPageBreak(false, 0)
	p.pdf.SetMargins(0, 0, 0)
	p.pdf.AddPage()

	p.awning(0, 30)
	p.centred("B", 27, 25, 47, "Junta sellos y gana premios en", inkQuiet(), 15)
	bottom := p.name(v.Shop, 51)
	if v.Place != "" {
		p.centred("", 14, 9, bottom+8, v.Place, inkQuiet(), 10)
		bottom += 7
	}

	const panelEnd = 202.0
	top := bottom + 12
	size := min(112.0, panelEnd-24-top)
	top += (panelEnd - 24 - top - size) / 2
	left := (posterWidth - size) / 2
	p.fill(inkSol())
	p.pdf.RoundedRect(left-5, top-5, size+10, size+29, 8, "1234", "F")
	p.fill(inkWhite())
	p.pdf.RoundedRect(left-2, top-2, size+4, size+4, 5, "1234", "F")
	p.qr(modules, left, top, size)
	p.centred("B", 30, 20, top+size+13, spaced(v.Code), inkText(), 40)
	p.centred("B", 13, 7, top+size+20, shortURL(v.URL), inkText(), 55)

	p.steps(218, []string{
		"Escanea el código con la cámara",
		"Manda el mensaje de WhatsApp ya escrito",
		"Compra y junta tus sellos",
	})
	p.foot(v)

	var out bytes.Buffer
	if err := p.pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("poster: %w", err)
	}
	return out.Bytes(), nil
}

// posterPage draws on one page; fpdf keeps the first error until Output.
type posterPage struct{ pdf *fpdf.Fpdf }

func (p *posterPage) fill(c ink) { p.pdf.SetFillColor(c.r, c.g, c.b) }
func (p *posterPage) text(c ink) { p.pdf.SetTextColor(c.r, c.g, c.b) }

// awning is the striped roof over the page, scallops below.
func (p *posterPage) awning(y, height float64) {
	const stripes = 15
	width := posterWidth / stripes
	radius := width / 2
	for i := range stripes {
		c := inkRosa()
		if i%2 == 1 {
			c = ink{255, 255, 255}
		}
		p.fill(c)
		x := float64(i) * width
		p.pdf.Rect(x, y, width+0.1, height-radius, "F")
		p.pdf.SetDrawColor(196, 18, 94)
		p.pdf.SetLineWidth(0.5)
		style := "F"
		if i%2 == 1 {
			style = "FD"
		}
		p.pdf.Arc(x+radius, y+height-radius, radius, radius, 0, 180, 360, style)
	}
	p.fill(inkRosa())
	p.pdf.Rect(0, y, posterWidth, 5, "F")
}

// centred writes one line, as large as fits between the two sizes.
func (p *posterPage) centred(style string, size, smallest, y float64, text string, c ink, margin float64) {
	line := latin(text)
	for {
		p.pdf.SetFont("Helvetica", style, size)
		if size <= smallest || p.pdf.GetStringWidth(line) <= posterWidth-2*margin {
			break
		}
		size--
	}
	line = p.cut(line, posterWidth-2*margin)
	p.text(c)
	p.pdf.Text((posterWidth-p.pdf.GetStringWidth(line))/2, y, line)
}

// name writes the shop's name: one line while it can be large, then two, then
// smaller, and cut only when no shopkeeper would write that. The letters hang
// below y; it returns the baseline of the last line.
func (p *posterPage) name(shop string, y float64) float64 {
	name := latin(strings.Join(strings.Fields(shop), " "))
	room := posterWidth - 2*posterMargin
	p.text(inkRosa())
	for size := 54.0; ; size -= 2 {
		p.pdf.SetFont("Helvetica", "B", size)
		lines := p.wrap(name, room)
		small := size <= 22
		if len(lines) == 1 && (size >= 40 || len(strings.Fields(name)) == 1) && p.pdf.GetStringWidth(name) <= room ||
			len(lines) <= 2 && size <= 40 && p.widest(lines) <= room || small {
			if len(lines) > 2 {
				lines = []string{lines[0], p.cut(strings.Join(lines[1:], " "), room)}
			}
			step := size * 0.40
			y += size * 0.36
			for i, line := range lines {
				line = p.cut(line, room)
				p.pdf.Text((posterWidth-p.pdf.GetStringWidth(line))/2, y+float64(i)*step, line)
			}
			return y + float64(len(lines)-1)*step
		}
	}
}

func (p *posterPage) wrap(text string, room float64) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && p.pdf.GetStringWidth(longer) > room {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	return append(lines, line)
}

func (p *posterPage) widest(lines []string) float64 {
	var most float64
	for _, line := range lines {
		most = max(most, p.pdf.GetStringWidth(line))
	}
	return most
}

// cut shortens a line with an ellipsis until it fits. The line is in the font's
// own encoding, one byte a letter, so cutting bytes is cutting letters.
func (p *posterPage) cut(line string, room float64) string {
	if p.pdf.GetStringWidth(line) <= room {
		return line
	}
	for len(line) > 1 && p.pdf.GetStringWidth(line+"\x85") > room {
		line = line[:len(line)-1]
	}
	return strings.TrimSpace(line) + "\x85"
}

// qr draws the modules as one path, so that no printer shows seams between them.
func (p *posterPage) qr(modules [][]bool, x, y, size float64) {
	module := size / float64(len(modules))
	p.pdf.SetFillColor(0, 0, 0)
	eachRun(modules, func(col, row, length int) {
		left, top := x+float64(col)*module, y+float64(row)*module
		right, bottom := left+float64(length)*module, top+module
		p.pdf.MoveTo(left, top)
		p.pdf.LineTo(right, top)
		p.pdf.LineTo(right, bottom)
		p.pdf.LineTo(left, bottom)
		p.pdf.ClosePath()
	})
	p.pdf.DrawPath("F")
}

// steps writes the three steps side by side, each under its number.
func (p *posterPage) steps(y float64, steps []string) {
	room := (posterWidth - 2*posterMargin) / float64(len(steps))
	for i, step := range steps {
		middle := posterMargin + room*(float64(i)+0.5)
		p.fill(inkRosa())
		p.pdf.Circle(middle, y, 8.5, "F")
		number := fmt.Sprint(i + 1)
		p.pdf.SetFont("Helvetica", "B", 26)
		p.text(inkWhite())
		p.pdf.Text(middle-p.pdf.GetStringWidth(number)/2, y+3.3, number)
		p.pdf.SetFont("Helvetica", "B", 15)
		p.text(inkText())
		for n, line := range p.wrap(latin(step), room-9) {
			p.pdf.Text(middle-p.pdf.GetStringWidth(line)/2, y+16.5+float64(n)*6.4, line)
		}
	}
}

// foot is the mark and the line that the law asks for.
func (p *posterPage) foot(v PosterView) {
	const y = 258.0
	p.pdf.SetDrawColor(236, 214, 191)
	p.pdf.SetLineWidth(0.4)
	p.pdf.Line(posterMargin, y-6, posterWidth-posterMargin, y-6)
	p.mark(posterMargin, y, 0.3)
	p.pdf.SetFont("Helvetica", "", 9)
	p.text(inkQuiet())
	right := posterWidth - posterMargin
	lines := []string{
		"Gratis, sin instalar nada. Para dejar de recibir mensajes escribe BAJA.",
		"Aviso de privacidad: " + shortURL(v.PrivacyURL),
	}
	for i, line := range lines {
		line = p.cut(latin(line), right-posterMargin-34)
		p.pdf.Text(right-p.pdf.GetStringWidth(line), y+4.6+float64(i)*4.6, line)
	}
}

// mark draws the wordmark, in the units of the page's own SVG times scale.
func (p *posterPage) mark(x, y, scale float64) {
	at := func(n float64) float64 { return n * scale }
	p.pdf.SetDrawColor(196, 18, 94)
	p.pdf.SetLineWidth(at(6))
	p.pdf.SetLineCapStyle("round")
	p.pdf.Circle(x+at(18), y+at(18.5), at(13.5), "D")
	p.pdf.Line(x+at(25), y+at(26), x+at(33), y+at(35))
	p.pdf.Circle(x+at(51), y+at(23), at(9.5), "D")
	p.pdf.Circle(x+at(77), y+at(23), at(9.5), "D")
	p.pdf.Line(x+at(87.5), y+at(14), x+at(87.5), y+at(32.5))
	p.fill(inkSol())
	p.pdf.Circle(x+at(18), y+at(18.5), at(4.5), "F")
	p.pdf.SetLineCapStyle("butt")
}

// latin turns text into cp1252, the encoding of PDF's built-in fonts: all of
// Spanish is in it. What is not (emoji, other scripts) is left out rather than
// printed as rubbish.
func latin(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= 0x20 && r < 0x7f, r >= 0xa0 && r <= 0xff:
			b.WriteByte(byte(r))
		case r == '’':
			b.WriteByte(0x92)
		case r == '‘':
			b.WriteByte(0x91)
		case r == '“':
			b.WriteByte(0x93)
		case r == '”':
			b.WriteByte(0x94)
		case r == '–':
			b.WriteByte(0x96)
		case r == '—':
			b.WriteByte(0x97)
		case r == '…':
			b.WriteByte(0x85)
		case r == '•':
			b.WriteByte(0x95)
		case r == '€':
			b.WriteByte(0x80)
		case r == '\t', r == '\n':
			b.WriteByte(' ')
		}
	}
	return strings.TrimSpace(b.String())
}

func spaced(code string) string { return strings.Join(strings.Split(code, ""), " ") }

func shortURL(url string) string {
	return strings.TrimPrefix(strings.TrimPrefix(url, "https://"), "http://")
}
