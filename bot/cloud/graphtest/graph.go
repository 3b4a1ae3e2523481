package graphtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"
)

// authorized refuses who has no token, as Meta does.
func (s *Server) authorized(do http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+Token {
			refuse(w, http.StatusUnauthorized, 190, "Invalid OAuth access token")
			return
		}
		if id := r.PathValue("phone"); id != "" && id != PhoneID {
			refuse(w, http.StatusBadRequest, 33, "no such number")
			return
		}
		do(w, r)
	}
}

func refuse(w http.ResponseWriter, status, code int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{ //nolint:errcheck // the caller is gone then
		"message": fmt.Sprintf("(#%d) %s", code, why), "type": "OAuthException", "code": code,
		"error_data": map[string]any{"messaging_product": "whatsapp", "details": why}, "fbtrace_id": "A_test",
	}})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the caller is gone then
}

// request is what may be posted to …/messages.
type request struct {
	Product   string `json:"messaging_product"`
	Kind      string `json:"recipient_type"`
	To        string `json:"to"`
	Recipient string `json:"recipient"`
	Type      string `json:"type"`
	Text      *struct {
		Body    string `json:"body"`
		Preview bool   `json:"preview_url"`
	} `json:"text"`
	Image *struct {
		ID      string `json:"id"`
		Caption string `json:"caption"`
	} `json:"image"`
	Template *struct {
		Name     string `json:"name"`
		Language struct {
			Code string `json:"code"`
		} `json:"language"`
		Components []struct {
			Type       string `json:"type"`
			SubType    string `json:"sub_type"`
			Index      string `json:"index"`
			Parameters []struct {
				Type string `json:"type"`
				Text string `json:"text"`
			} `json:"parameters"`
		} `json:"components"`
	} `json:"template"`
	Opaque string `json:"biz_opaque_callback_data"`

	Status    string `json:"status"`
	MessageID string `json:"message_id"`
	Typing    *struct {
		Type string `json:"type"`
	} `json:"typing_indicator"`
}

// messages takes what the bot sends. A request that Meta would call malformed
// fails the test.
func (s *Server) messages(w http.ResponseWriter, r *http.Request) {
	var req request
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil || req.Product != "whatsapp" {
		s.t.Errorf("not a request that Meta knows: %v", err)
		refuse(w, http.StatusBadRequest, 100, "Invalid parameter")
		return
	}
	if req.Status == "read" {
		s.mu.Lock()
		s.seen = append(s.seen, req.MessageID)
		s.mu.Unlock()
		if req.Typing == nil || req.Typing.Type != "text" {
			s.t.Errorf("no typing indicator")
		}
		answer(w, map[string]any{"success": true})
		return
	}
	s.mu.Lock()
	var f Fault
	if len(s.faults) > 0 {
		f, s.faults = s.faults[0], s.faults[1:]
	}
	s.mu.Unlock()
	if f.Code != 0 && !f.Later || f.Status != 0 {
		refuse(w, max(f.Status, http.StatusBadRequest), f.Code, "as the test asks")
		return
	}
	if f.Hang && !f.Accepted {
		s.hang(r)
		return
	}
	p, m, code, why := s.accept(req)
	if code != 0 {
		refuse(w, http.StatusBadRequest, code, why)
		return
	}
	s.mu.Lock()
	if f.Later {
		s.report(p, m, "failed", f.Code)
	} else {
		p.inbox = append(p.inbox, m)
		s.report(p, m, "sent", 0)
		s.report(p, m, "delivered", 0)
	}
	s.changed.Broadcast()
	s.mu.Unlock()
	if f.Hang {
		s.hang(r)
		return
	}
	if f.Accepted {
		panic(http.ErrAbortHandler) // the connection breaks
	}
	answer(w, map[string]any{
		"messaging_product": "whatsapp", "contacts": []any{map[string]any{"input": req.To, "wa_id": req.To}}, "messages": []any{map[string]any{"id": m.ID}},
	})
}

func (s *Server) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.hanging:
	}
	panic(http.ErrAbortHandler)
}

// dayInSeconds is how long anything may be written to somebody after their last
// message.
const dayInSeconds = 24 * 60 * 60

// accept checks a message as Meta does; code is 0 where it goes through.
func (s *Server) accept(req request) (p *Person, m Message, code int, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.Kind != "individual" || (req.To == "") == (req.Recipient == "") || len(req.Opaque) > 512 {
		s.t.Errorf("a recipient is to be a phone or an ID, and the opaque data short: %+v", req)
		return nil, m, 100, "Invalid parameter"
	}
	name := req.To + req.Recipient
	if p = s.people[name]; p == nil {
		return nil, m, 131026, "Message undeliverable"
	}
	m = Message{ID: s.newID(), Type: req.Type, Opaque: req.Opaque}
	switch {
	case req.Type == "text" && req.Text != nil && req.Text.Body != "" && utf8.RuneCountInString(req.Text.Body) <= 4096:
		m.Text, m.Preview = req.Text.Body, req.Text.Preview
	case req.Type == "image" && req.Image != nil && utf8.RuneCountInString(req.Image.Caption) <= 1024:
		file, ok := s.media[req.Image.ID]
		if !ok {
			return nil, m, 100, "no such media"
		}
		m.Text, m.Image = req.Image.Caption, file.Content
	case req.Type == "template" && req.Template != nil:
		if code, why = readTemplate(req, &m); code != 0 {
			return nil, m, code, why
		}
		return p, m, 0, ""
	default:
		s.t.Errorf("not a message that Meta takes: %+v", req)
		return nil, m, 131009, "Parameter value is not valid"
	}
	if s.now().Unix()-p.wrote > dayInSeconds {
		return nil, m, 131047, "Re-engagement message"
	}
	return p, m, 0, ""
}

func readTemplate(req request, m *Message) (code int, why string) {
	t := req.Template
	if t.Name == "" || t.Language.Code != "es_MX" {
		return 132001, "Template does not exist"
	}
	m.Template = t.Name
	for _, c := range t.Components {
		for _, p := range c.Parameters {
			switch {
			case p.Type != "text" || p.Text == "" || strings.ContainsAny(p.Text, "\n\t") || strings.Contains(p.Text, "    "):
				return 132018, "a parameter has an empty text, or new lines, or too many spaces"
			case c.Type == "body":
				m.Vars = append(m.Vars, p.Text)
			case c.Type == "button" && c.SubType == "url" && c.Index == "0":
				m.Button = p.Text
			default:
				return 132012, "Template parameter format mismatch"
			}
		}
	}
	return 0, ""
}

// upload keeps a file.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("messaging_product") != "whatsapp" || r.FormValue("type") == "" {
		s.t.Errorf("an upload names its product and type")
		refuse(w, http.StatusBadRequest, 100, "Invalid parameter")
		return
	}
	part, header, err := r.FormFile("file")
	if err != nil || header.Header.Get("Content-Type") != r.FormValue("type") {
		s.t.Errorf("an upload has a file of its type: %v", err)
		refuse(w, http.StatusBadRequest, 100, "Invalid parameter")
		return
	}
	content, err := io.ReadAll(part)
	if err != nil {
		refuse(w, http.StatusBadRequest, 131053, "Media upload error")
		return
	}
	answer(w, map[string]any{"id": s.AddMedia(File{Mime: r.FormValue("type"), Content: content})})
}

// describe says where a file is, or what the number's phone is.
func (s *Server) describe(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if id == PhoneID {
		answer(w, map[string]any{"id": id, "display_phone_number": "+52 1 55 9999 0000"})
		return
	}
	s.mu.Lock()
	file, ok := s.media[id]
	s.mu.Unlock()
	if !ok {
		refuse(w, http.StatusBadRequest, 100, "no such object")
		return
	}
	answer(w, map[string]any{
		"messaging_product": "whatsapp", "id": id, "url": s.http.URL + "/files/" + id, "mime_type": file.Mime, "file_size": len(file.Content),
	})
}

func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	file, ok := s.media[r.PathValue("id")]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.Mime)
	w.Write(file.Content) //nolint:errcheck // the caller is gone then
}
