package whatsapp

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	_ "image/png" // what our pictures are
	"regexp"
	"strings"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"
)

// textMessage is a text, with the preview of our link in it: WhatsApp's clients
// make previews for whom they know, so a bot fills its own.
func (f *Fleet) textMessage(body string) *waE2E.Message {
	link := linkOf(body, f.opt.DB.PublicURL())
	if link == "" {
		return &waE2E.Message{Conversation: proto.String(body)}
	}
	m := &waE2E.ExtendedTextMessage{Text: &body, MatchedText: &link}
	if title, about, ok := f.preview(link); ok {
		m.Title, m.Description = &title, &about
	}
	return &waE2E.Message{ExtendedTextMessage: m}
}

// linkOf finds the first link of ours in a text; "" where there is none.
func linkOf(body, publicURL string) string {
	if publicURL == "" {
		return ""
	}
	return regexp.MustCompile(regexp.QuoteMeta(publicURL) + `(/[^\s]*[^\s.,;:!?)"'*_~]|)`).FindString(body)
}

// preview gives the words under a link, by what it leads to.
func (f *Fleet) preview(link string) (title, about string, ok bool) {
	path := strings.TrimPrefix(link, f.opt.DB.PublicURL())
	key := "preview.page"
	for prefix, k := range map[string]string{"/c/": "preview.card", "/t/": "preview.shop", "/tienda": "preview.shop", "/privacidad": "preview.privacy"} {
		if strings.HasPrefix(path, prefix) {
			key = k
		}
	}
	text, err := f.opt.Texts.Render(key, nil)
	if err != nil {
		return "", "", false
	}
	title, about, _ = strings.Cut(text, "\n")
	return strings.TrimSpace(title), strings.TrimSpace(about), true
}

// imageMessage is a picture that was uploaded, with its caption and what is shown
// before it is loaded.
func imageMessage(caption string, png []byte, up whatsmeow.UploadResponse) (*waE2E.Message, error) {
	picture, _, err := image.Decode(bytes.NewReader(png))
	if err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	small, err := thumbnail(picture)
	if err != nil {
		return nil, err
	}
	size := picture.Bounds().Size()
	return &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
		Caption: &caption, Mimetype: proto.String("image/png"), JPEGThumbnail: small,
		Width: proto.Uint32(uint32(size.X)), Height: proto.Uint32(uint32(size.Y)), //nolint:gosec // a picture of ours
		URL: &up.URL, DirectPath: &up.DirectPath, MediaKey: up.MediaKey,
		FileEncSHA256: up.FileEncSHA256, FileSHA256: up.FileSHA256, FileLength: &up.FileLength,
	}}, nil
}

// thumbnailSize is the width of a thumbnail, in pixels.
const thumbnailSize = 72

// thumbnail makes a picture small, as a JPEG.
func thumbnail(from image.Image) ([]byte, error) {
	b := from.Bounds()
	to := image.NewRGBA(image.Rect(0, 0, thumbnailSize, thumbnailSize*b.Dy()/b.Dx()))
	for y := range to.Rect.Dy() {
		for x := range to.Rect.Dx() {
			to.Set(x, y, from.At(b.Min.X+x*b.Dx()/to.Rect.Dx(), b.Min.Y+y*b.Dy()/to.Rect.Dy()))
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, to, &jpeg.Options{Quality: 60}); err != nil {
		return nil, fmt.Errorf("thumbnail: %w", err)
	}
	return out.Bytes(), nil
}
