package graphtest

import (
	"fmt"
	"maps"
	"strconv"
)

// Person is somebody with a phone.
type Person struct {
	s      *Server
	Digits string // of the phone, as Meta writes it; "" where it is hidden
	Scoped string // the ID that only this business knows

	inbox []Message
	wrote int64 // the server's time in seconds of their last message
}

// Message is what the bot sent to somebody, as their phone shows it.
type Message struct {
	ID       string
	Type     string // text, image or template
	Text     string // or the caption
	Preview  bool
	Image    []byte
	Template string
	Vars     []string // of a template
	Button   string
	Opaque   string
}

// Person gives whoever has the phone, in digits; scoped is their business-scoped
// ID, or "". Digits "" is somebody who hides their phone.
func (s *Server) Person(digits, scoped string) *Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range []string{digits, scoped} {
		if p := s.people[known]; known != "" && p != nil {
			return p
		}
	}
	p := &Person{s: s, Digits: digits, Scoped: scoped}
	for _, name := range []string{digits, scoped} {
		if name != "" {
			s.people[name] = p
		}
	}
	return p
}

// NewID makes a message ID in Meta's form.
func (s *Server) NewID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newID()
}

func (s *Server) newID() string {
	s.serial++
	return fmt.Sprintf("wamid.HBgNNTIxNTUxMjM0NTY3OBUCABIYFDNBNEE2NTk5QUVFMDM4MTAx%08dAA==", s.serial)
}

// Writes sends a text to the bot.
func (p *Person) Writes(text string) (id string) {
	return p.Sends("", "text", map[string]any{"text": map[string]any{"body": text}})
}

// Sends sends a message of any type to the bot: parts are what it holds. An empty
// id gets one; the same id again is the same message.
func (p *Person) Sends(id, kind string, parts map[string]any) string {
	if id == "" {
		id = p.s.NewID()
	}
	m := map[string]any{"id": id, "timestamp": strconv.FormatInt(p.s.now().Unix(), 10), "type": kind}
	p.name(m)
	maps.Copy(m, parts)
	p.s.mu.Lock()
	p.wrote = p.s.now().Unix()
	p.s.mu.Unlock()
	p.s.Notify(map[string]any{"contacts": []any{p.contact()}, "messages": []any{m}})
	return id
}

func (p *Person) name(m map[string]any) {
	if p.Digits != "" {
		m["from"] = p.Digits
	}
	if p.Scoped != "" {
		m["from_user_id"] = p.Scoped
	}
}

func (p *Person) contact() map[string]any {
	c := map[string]any{"profile": map[string]any{"name": "Ana"}}
	if p.Digits != "" {
		c["wa_id"] = p.Digits
	}
	if p.Scoped != "" {
		c["user_id"] = p.Scoped
	}
	return c
}

// Received is what the bot sent, oldest first.
func (p *Person) Received() []Message {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return append([]Message(nil), p.inbox...)
}

// Reports queues a status of a message: sent, delivered, read, or failed with an
// error code.
func (p *Person) Reports(m Message, status string, code int) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.report(p, m, status, code)
}

// report needs the lock.
func (s *Server) report(p *Person, m Message, status string, code int) {
	st := map[string]any{"id": m.ID, "status": status, "timestamp": strconv.FormatInt(s.now().Unix(), 10), "recipient_id": p.Digits}
	if p.Scoped != "" {
		st["recipient_user_id"] = p.Scoped
	}
	if status == "failed" {
		// Meta returns the opaque data with what became of a message, not with why
		// it failed.
		st["errors"] = []any{map[string]any{"code": code, "title": "failed", "message": "failed", "error_data": map[string]any{"details": "…"}}}
	} else {
		st["biz_opaque_callback_data"] = m.Opaque
	}
	s.queue = append(s.queue, post{s.Envelope(map[string]any{"statuses": []any{st}})})
	s.changed.Broadcast()
}
