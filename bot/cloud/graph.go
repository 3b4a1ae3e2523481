package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// How long Meta may take, and how much it may say.
const (
	callTime   = 15 * time.Second
	briefTime  = 2 * time.Second // for what is only polite
	mostAnswer = 1 << 20
)

// graph calls the Graph API.
type graph struct {
	http  *http.Client
	url   string
	token string
	heard func(ctx context.Context, call string, err error) // of every answer
}

// call sends a request and decodes its answer. What Meta refuses is a graphError.
func (g *graph) call(ctx context.Context, name, method, path, contentType string, body io.Reader, out any) (err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	defer func() { g.heard(ctx, name, err) }()
	req, err := http.NewRequestWithContext(ctx, method, g.url+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+g.token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := g.http.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	if err != nil {
		return withoutURL(err)
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		var refusal struct {
			Error graphError `json:"error"`
		}
		json.Unmarshal(answer, &refusal) //nolint:errcheck // where it is no JSON, the status says enough
		refusal.Error.Status = res.StatusCode
		return refusal.Error
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("cloud: answer to %s is not as expected", name)
	}
	return nil
}

// withoutURL takes the address out of an error: it may hold more than belongs in
// a log.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func (g *graph) post(ctx context.Context, name, path string, body, out any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return g.call(ctx, name, http.MethodPost, path, "application/json", bytes.NewReader(b), out)
}

// send hands a message over and gives Meta's ID of it.
func (g *graph) send(ctx context.Context, phoneID string, m message) (wamid string, err error) {
	var out struct {
		Messages []struct {
			ID string `json:"id"`
		} `json:"messages"`
	}
	if err := g.post(ctx, callSend, "/"+phoneID+"/messages", m, &out); err != nil {
		return "", err
	}
	if len(out.Messages) == 0 || out.Messages[0].ID == "" {
		return "", errors.New("cloud: no message ID in the answer")
	}
	return out.Messages[0].ID, nil
}

// seen marks a person's message as read, and shows that an answer is being
// written.
func (g *graph) seen(ctx context.Context, phoneID, messageID string) error {
	ctx, cancel := context.WithTimeout(ctx, briefTime)
	defer cancel()
	var out struct{}
	return g.post(ctx, "seen", "/"+phoneID+"/messages", map[string]any{
		"messaging_product": "whatsapp", "status": "read", "message_id": messageID, "typing_indicator": map[string]string{"type": "text"},
	}, &out)
}

// phone asks for the number's phone.
func (g *graph) phone(ctx context.Context, phoneID string) (string, error) {
	var out struct {
		Phone string `json:"display_phone_number"`
	}
	if err := g.call(ctx, callPhone, http.MethodGet, "/"+phoneID+"?fields=display_phone_number", "", nil, &out); err != nil {
		return "", err
	}
	phone, err := loyalty.ParsePhone(withPlus(out.Phone))
	return string(phone), err
}

// withPlus reads a phone as Meta shows it: +52 55 1234 5678, or 525512345678.
func withPlus(phone string) string {
	if phone == "" || phone[0] == '+' {
		return phone
	}
	return "+" + phone
}

// upload stores a picture at Meta and gives its ID.
func (g *graph) upload(ctx context.Context, phoneID, mime, file string, content []byte) (id string, err error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("messaging_product", "whatsapp") //nolint:errcheck // a buffer takes everything
	form.WriteField("type", mime)                    //nolint:errcheck // the same
	part, err := form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="` + file + `"`}, "Content-Type": {mime},
	})
	if err != nil {
		return "", err
	}
	part.Write(content) //nolint:errcheck // the same
	form.Close()        //nolint:errcheck // the same
	var out struct {
		ID string `json:"id"`
	}
	if err := g.call(ctx, "upload", http.MethodPost, "/"+phoneID+"/media", form.FormDataContentType(), &body, &out); err != nil {
		return "", err
	}
	if out.ID == "" {
		return "", errors.New("cloud: no media ID in the answer")
	}
	return out.ID, nil
}

// errTooLarge is media above the limit: it is not read to its end.
var errTooLarge = errors.New("cloud: media is larger than allowed")

// download fetches media by its ID: Meta first says where it is, for five
// minutes.
func (g *graph) download(ctx context.Context, mediaID string, most int64) (content []byte, err error) {
	var where struct {
		URL  string `json:"url"`
		Size int64  `json:"file_size"`
	}
	if err := g.call(ctx, "media", http.MethodGet, "/"+url.PathEscape(mediaID), "", nil, &where); err != nil {
		return nil, err
	}
	if where.Size > most {
		return nil, errTooLarge
	}
	ctx, cancel := context.WithTimeout(ctx, 4*callTime)
	defer cancel()
	defer func() { g.heard(ctx, "download", err) }()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where.URL, nil)
	if err != nil {
		return nil, errors.New("cloud: media has no address")
	}
	req.Header.Set("Authorization", "Bearer "+g.token)
	res, err := g.http.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, graphError{Status: res.StatusCode}
	}
	content, err = io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil {
		return nil, withoutURL(err)
	}
	if int64(len(content)) > most {
		return nil, errTooLarge
	}
	return content, nil
}
