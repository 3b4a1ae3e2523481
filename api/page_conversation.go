package api

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

const (
	chatsURL     = "/admin/conversaciones"
	linesPerPage = 60
)

// chatsPage lists no conversation: who looks, looks for somebody.
func (s *server) chatsPage(c *fiber.Ctx) error { return s.findChats(c, "") }

// findChatsForm finds conversations. It is a POST since part of a phone has no
// place in an address.
func (s *server) findChatsForm(c *fiber.Ctx) error { return s.findChats(c, formText(c, "buscar")) }

func (s *server) findChats(c *fiber.Ctx, wanted string) error {
	v := templates.BoardView{
		Title: "Conversaciones", Intro: "Busca por el código de la tarjeta, o por los últimos dígitos del teléfono (al menos cuatro).", Action: chatsURL, Post: true,
	}
	sift := forms.NewSift(forms.New(nil))
	sift.Text("buscar", "Código o últimos dígitos", &wanted)
	v.Filters = sift.Fields()
	return s.board(c, http.StatusOK, askedOf(c), &v, func(ctx context.Context, t *store.Tx, _ store.Page) (loyalty.ID, error) {
		if wanted == "" {
			return "", nil
		}
		found, more, err := t.FindChats(ctx, scopeOf(c), wanted)
		part := templates.BoardPart{Empty: "No hay nadie con ese código o esos dígitos."}
		for i := range found {
			part.Rows = append(part.Rows, chatRow(&found[i]))
		}
		if more {
			part.Intro = "Hay más de los que se muestran: escribe más dígitos."
		}
		v.Parts = []templates.BoardPart{part}
		return "", err
	})
}

func chatRow(k *store.Chat) templates.BoardRow {
	row := templates.BoardRow{Name: cmp.Or(k.Name, "Sin nombre"), URL: chatsURL + "/" + string(k.Person), Facts: chatFacts(k)}
	if k.Card != "" {
		row.Sub = loyalty.FormatCode(k.Card) + " · "
	}
	row.Sub += ellipsis(k.Digits)
	if n := k.Parked + k.Cases; n > 0 {
		row.State = templates.OutboxStatus{Word: "espera a alguien", Tone: "down"}
	}
	return row
}

// chatFacts are what is known of who writes, beside name and card.
func chatFacts(k *store.Chat) (facts []templates.BoardFact) {
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, templates.BoardFact{Name: name, Text: text})
		}
	}
	zone := loyalty.Zone(k.Zone)
	add("Tendero de", listWords(k.Shops))
	if k.LastWrote != nil {
		facts = append(facts, templates.BoardFact{Name: "Escribió por última vez", At: k.LastWrote.In(zone)})
	} else {
		add("Escribió por última vez", "nunca")
	}
	add("Escribe a", k.Number)
	if k.OptedOut != nil {
		facts = append(facts, templates.BoardFact{Name: "Pidió su BAJA", At: k.OptedOut.In(zone)})
	}
	if k.Erased != nil {
		facts = append(facts, templates.BoardFact{Name: "Borró sus datos", At: k.Erased.In(zone)})
	}
	if k.Waiting > 0 {
		add("Por contestar", countWords(int64(k.Waiting), "mensaje", "mensajes"))
	}
	if k.Parked > 0 {
		add("Apartados", countWords(int64(k.Parked), "mensaje", "mensajes"))
	}
	return facts
}

func (s *server) chatPage(c *fiber.Ctx) error {
	person, err := pathID(c)
	if err != nil {
		return err
	}
	after, err := queryID(c, "cursor")
	if err != nil {
		return err
	}
	v := templates.ChatView{Back: chatsURL, Newest: chatsURL + "/" + string(person)}
	v.Flash = map[string]string{
		"reintento": "Listo: el mensaje vuelve a la conversación y se contesta enseguida.", "reenvio": "Listo: el mensaje vuelve a la fila y sale enseguida.",
		"caso": "Listo: el caso quedó cerrado.",
	}[c.Query("hecho")]
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		chat, lines, next, err := t.OpenChat(ctx, scopeOf(c), person, store.Page{After: after, Limit: linesPerPage})
		if err != nil {
			return struct{}{}, err
		}
		cases, err := t.CasesOf(ctx, scopeOf(c), chat.Person)
		if err != nil {
			return struct{}{}, err
		}
		s.fillChat(&v, &chat, lines)
		v.Cases = nil
		for _, k := range cases {
			v.Cases = append(v.Cases, caseRow(&k, t.Now(), v.Newest))
		}
		if next != "" {
			v.Older = v.Newest + "?cursor=" + string(next)
		}
		return struct{}{}, nil
	})
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Chat(w, v) })
}

func (s *server) fillChat(v *templates.ChatView, chat *store.Chat, lines []store.ChatLine) {
	v.Name, v.Card, v.Phone, v.Facts, v.Lines = chat.Name, chat.Card, ellipsis(chat.Digits), chatFacts(chat), nil
	if step := stepWords(chat.Session); step != "" {
		v.Facts = append(v.Facts, templates.BoardFact{Name: "Pregunta abierta", Text: step, Code: true})
	}
	// What came first, first; of one moment, the question before the answer.
	slices.SortStableFunc(lines, func(a, b store.ChatLine) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(btoi(a.Ours), btoi(b.Ours)))
	})
	zone, day := loyalty.Zone(chat.Zone), ""
	for i := range lines {
		line := s.chatLine(&lines[i], v.Newest, zone)
		if d := line.At.Format(time.DateOnly); d != day {
			line.Day, day = true, d
		}
		v.Lines = append(v.Lines, line)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// stepWords names the place in a flow at which a conversation waits.
func stepWords(session json.RawMessage) string {
	var at struct{ Flow, State string }
	if json.Unmarshal(session, &at) != nil || at.Flow == "" {
		return ""
	}
	return at.Flow + " / " + at.State
}

func (s *server) chatLine(l *store.ChatLine, chat string, zone *time.Location) templates.ChatLine {
	line := templates.ChatLine{At: l.At.In(zone), Ours: l.Ours, Problem: l.Problem}
	if l.Ours {
		line.Text = s.saidByUs(l)
		line.Status = outboxWords(store.OutboxStatus(l.Status))
		if l.Media != "" {
			line.Kind = "Con un código QR"
		}
		if store.OutboxStatus(l.Status) == store.OutboxFailed {
			line.AgainAction, line.Again = outboxURL+"/"+string(l.ID)+"/reenvio", "Enviar otra vez"
		}
		return line
	}
	line.Text = s.masked(l.Text)
	if l.Kind != store.KindText {
		line.Kind = kindWords(l.Kind)
	}
	switch l.Status {
	case "pending":
		line.Status.Word = "por contestar"
	case "parked":
		line.Status.Word = "apartado"
		line.AgainAction, line.Again = outboxURL+"/recibidos/"+string(l.ID)+"/reintento", "Volver a intentar"
	default:
		line.Problem = ""
	}
	file := chat + "/archivos/" + string(l.ID)
	switch l.Media {
	case "stored":
		switch kind, _, _ := strings.Cut(l.Mime, "/"); kind {
		case "image":
			line.Picture = file
		case "audio":
			line.Audio = file
		case "video":
			line.Video = file
		default:
			line.File = file
		}
	case "waiting":
		line.Note = "El archivo todavía se está bajando."
	case "refused":
		line.Note = "El archivo no se guardó."
	}
	return line
}

// saidByUs is what the person read, without what opens something of theirs.
func (s *server) saidByUs(l *store.ChatLine) string {
	if strings.HasPrefix(l.Template, "otp.") {
		return "Código para entrar (no se muestra)."
	}
	text := l.Text
	if text == "" {
		if _, ok := l.Vars["card_url"]; ok {
			l.Vars["card_url"] = s.DB.PublicURL() + "/…"
		}
		var err error
		if text, err = s.Texts.Vary(l.Template, l.Vars, l.MessageID); err != nil {
			return "[" + l.Template + "]"
		}
	}
	return s.masked(text)
}

// phoneLike are ten digits and more as people write a phone.
var phoneLike = regexp.MustCompile(`\+?\d(?:[ ().-]?\d){9,14}`)

// masked hides links of ours, which may be keys, and all but the end of phones.
func (s *server) masked(text string) string {
	for at := s.DB.PublicURL() + "/"; ; {
		i := strings.Index(text, at)
		if i < 0 {
			break
		}
		end := i + len(at)
		for end < len(text) && !strings.ContainsRune(" \n\t", rune(text[end])) {
			end++
		}
		text = text[:i] + strings.TrimSuffix(at, "/") + "\x00" + text[end:]
	}
	text = strings.ReplaceAll(text, "\x00", "/…")
	return phoneLike.ReplaceAllStringFunc(text, func(s string) string { return "…" + s[len(s)-4:] })
}

// chatFile is a file that somebody sent.
func (s *server) chatFile(c *fiber.Ctx) error {
	person, err := pathID(c)
	if err != nil {
		return err
	}
	message, err := pathParam(c, "message")
	if err != nil {
		return err
	}
	file, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.MediaFile, error) {
		return t.Media(ctx, scopeOf(c), person, message)
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, file.Mime)
	c.Set(fiber.HeaderContentDisposition, "inline")
	return c.Send(file.Content)
}
