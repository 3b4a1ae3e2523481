// Package graphtest is a small WhatsApp: Meta's Graph API as far as the Cloud API
// channel uses it, with people's phones behind it. It checks tokens and the shape
// of what is sent, gives messages their IDs, and posts signed notifications until
// they are acknowledged. For tests only.
package graphtest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// What the server knows of the app and its number.
const (
	Token       = "EAAG-a-token-for-tests"
	AppSecret   = "an app secret for tests"
	VerifyToken = "a verify token for tests"
	PhoneID     = "106540352242922"
	Phone       = "+525599990000" // the bot's
	Version     = "/v23.0"
)

// Fault is what becomes of a request instead of being carried out.
type Fault struct {
	Code     int  // Meta's error code
	Status   int  // of HTTP; 0 is 400
	Accepted bool // it is carried out all the same, and the answer is lost
	Hang     bool // no answer comes until the caller gives up
	Later    bool // it is accepted, and fails by a status
}

// Server is Meta. Its exported methods may be called from any goroutine.
type Server struct {
	t    testing.TB
	http *httptest.Server
	now  func() time.Time

	mu      sync.Mutex
	changed *sync.Cond
	hook    string
	queue   []post
	posts   []Posted
	people  map[string]*Person // by phone digits and by scoped ID
	media   map[string]File
	faults  []Fault
	seen    []string // IDs of messages that were marked as read
	serial  int
	closed  bool
	hold    bool // notifications wait
	done    chan struct{}
	hanging chan struct{} // closed at the end, so that no request hangs on
}

// File is media that the server keeps.
type File struct {
	Mime    string
	Content []byte
}

// post is a notification under way.
type post struct{ body []byte }

// Posted is how a notification was answered.
type Posted struct {
	Body   []byte
	Status int
}

// New starts a server; now is its clock.
func New(t testing.TB, now func() time.Time) *Server {
	t.Helper()
	s := &Server{
		t: t, now: now, people: map[string]*Person{}, media: map[string]File{},
		done: make(chan struct{}), hanging: make(chan struct{}),
	}
	s.changed = sync.NewCond(&s.mu)
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Version+"/{phone}/messages", s.authorized(s.messages))
	mux.HandleFunc("POST "+Version+"/{phone}/media", s.authorized(s.upload))
	mux.HandleFunc("GET "+Version+"/{id}", s.authorized(s.describe))
	mux.HandleFunc("GET /files/{id}", s.authorized(s.file))
	s.http = httptest.NewServer(mux)
	go s.deliver()
	t.Cleanup(func() {
		s.mu.Lock()
		s.closed = true
		s.changed.Broadcast()
		s.mu.Unlock()
		close(s.hanging)
		<-s.done
		s.http.Close()
	})
	return s
}

// URL is what CLOUD_API_URL is to be.
func (s *Server) URL() string { return s.http.URL + Version }

// Subscribe asks the address whether it is the app's, as Meta does, and posts
// notifications to it from now on. The error says how it failed.
func (s *Server) Subscribe(hook string) error {
	res, err := http.Get(hook + "?" + url.Values{
		"hub.mode": {"subscribe"}, "hub.verify_token": {VerifyToken}, "hub.challenge": {"1158201444"},
	}.Encode())
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || answer.String() != "1158201444" {
		return fmt.Errorf("the challenge was answered %d %q", res.StatusCode, answer.String())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
	s.changed.Broadcast()
	return nil
}

// Sign is the header of a notification.
func Sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(AppSecret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// Notify queues a notification with the given parts of a value.
func (s *Server) Notify(parts map[string]any) { s.NotifyRaw(s.Envelope(parts)) }

// NotifyRaw queues a body as it is.
func (s *Server) NotifyRaw(body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, post{body})
	s.changed.Broadcast()
}

// Envelope puts the parts of a value into a notification.
func (s *Server) Envelope(parts map[string]any) []byte {
	value := map[string]any{
		"messaging_product": "whatsapp",
		"metadata":          map[string]any{"display_phone_number": Phone[1:], "phone_number_id": PhoneID},
	}
	for k, v := range parts {
		value[k] = v
	}
	body, err := json.Marshal(map[string]any{
		"object": "whatsapp_business_account",
		"entry":  []any{map[string]any{"id": "102290129340398", "changes": []any{map[string]any{"field": "messages", "value": value}}}},
	})
	if err != nil {
		panic(err) // a test's own mistake
	}
	return body
}

// again is how long Meta waits before it posts once more what was not
// acknowledged. In life it is seconds, and grows.
const again = 20 * time.Millisecond

// deliver posts notifications, one after the other, each until it is acknowledged.
func (s *Server) deliver() {
	defer close(s.done)
	for {
		s.mu.Lock()
		for !s.closed && (len(s.queue) == 0 || s.hook == "" || s.hold) {
			s.changed.Wait()
		}
		if s.closed {
			s.mu.Unlock()
			return
		}
		p, hook := s.queue[0], s.hook
		s.mu.Unlock()
		status := s.post(hook, p.body)
		s.mu.Lock()
		s.posts = append(s.posts, Posted{p.body, status})
		if status == http.StatusOK {
			s.queue = s.queue[1:]
		}
		s.changed.Broadcast()
		s.mu.Unlock()
		if status != http.StatusOK {
			select {
			case <-time.After(again):
			case <-s.hanging:
			}
		}
	}
}

func (s *Server) post(hook string, body []byte) (status int) {
	req, err := http.NewRequest(http.MethodPost, hook, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hub-Signature-256", Sign(body))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	res.Body.Close() //nolint:errcheck // nothing is read of it
	return res.StatusCode
}

// Posts are all notifications with their answers, those that were repeated too.
func (s *Server) Posts() []Posted {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Posted(nil), s.posts...)
}

// Waiting is how many notifications are not acknowledged yet.
func (s *Server) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

// Hold keeps notifications back, until it is let go again.
func (s *Server) Hold(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = on
	s.changed.Broadcast()
}

// Fail lets the next requests to send fail, one fault each.
func (s *Server) Fail(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

// Seen are the IDs of messages that the bot marked as read.
func (s *Server) Seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.seen...)
}

// AddMedia keeps a file as if somebody had sent it, and gives its ID.
func (s *Server) AddMedia(f File) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addMedia(f)
}

func (s *Server) addMedia(f File) string {
	s.serial++
	id := fmt.Sprintf("%d", 2_000_000_000+s.serial)
	s.media[id] = f
	return id
}

// LoseMedia forgets all files, as Meta does after thirty days.
func (s *Server) LoseMedia() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.media)
}

// Media is how many files the server keeps.
func (s *Server) Media() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.media)
}
