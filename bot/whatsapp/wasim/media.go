package wasim

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// What the server says about where files are.
const (
	mediaHost = "mmg.whatsapp.net"
	mediaAuth = "wasim-auth"
	mediaMost = 64 << 20 // bytes of a file
)

// mediaStore holds encrypted files by the hash that the client gives them.
type mediaStore struct {
	files map[string][]byte
	fault struct {
		count
		status int
	}
}

// mediaHosts says where files go to and come from.
func (s *Server) mediaHosts(*conn, *node) ([]node, *refusal) {
	return []node{{Tag: "media_conn", Attrs: attrs{
		"auth": mediaAuth, "auth_ttl": "3600", "ttl": "3600", "max_buckets": "12", "max_manual_retry": "3", "is_new": "1", "id": "1",
	}, Content: []node{{Tag: "host", Attrs: attrs{"hostname": mediaHost, "type": "primary", "class": "mms"}}}}}, nil
}

// upload takes a file in: its bytes must be those that its token, the SHA-256 of
// them in base 64, promises.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	if s.failMedia(w) {
		return
	}
	if r.URL.Query().Get("auth") != mediaAuth {
		http.Error(w, "auth", http.StatusUnauthorized)
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mediaMost))
	if err != nil {
		http.Error(w, "body", http.StatusRequestEntityTooLarge)
		return
	}
	sum := sha256.Sum256(data)
	token := base64.URLEncoding.EncodeToString(sum[:])
	if token != r.PathValue("token") {
		http.Error(w, "token", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.media.files[token] = data
	s.touch()
	s.mu.Unlock()
	path := "/v/t62.7118-24/" + strings.TrimRight(token, "=") + "?ccb=11-4&oh=wasim"
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"url": "https://" + mediaHost + path, "direct_path": path, "handle": token})
}

func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	if s.failMedia(w) {
		return
	}
	path := r.PathValue("path")
	name := path[strings.LastIndex(path, "/")+1:]
	s.mu.Lock()
	data, ok := s.media.files[name+strings.Repeat("=", (4-len(name)%4)%4)]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(data)
}

// forget deletes a file.
func (s *Server) forget(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	delete(s.media.files, r.PathValue("token"))
	s.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}

func (s *Server) failMedia(w http.ResponseWriter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.media.fault.take() {
		return false
	}
	http.Error(w, "wasim", s.media.fault.status)
	return true
}

// FailMedia answers the next n uploads and downloads with an HTTP status.
func (s *Server) FailMedia(status, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.media.fault.count, s.media.fault.status = count(n), status
}

// Files is how many files the server holds.
func (s *Server) Files() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.media.files)
}
