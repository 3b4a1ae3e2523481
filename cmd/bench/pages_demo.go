package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// startDemo runs `qoa dev` on a folder of its own: the demo data, in one process.
func startDemo(ctx context.Context, binary, dir string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	port := address[strings.LastIndexByte(address, ':')+1:]
	s := &server{address: "localhost:" + port, gone: make(chan struct{}), log: filepath.Join(dir, "qoa.log")}
	out, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	s.cmd = exec.Command(binary, "dev")
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "QOA_DATA_DIR=" + filepath.Join(dir, "data"), "PORT=" + port, "LOG_LEVEL=warn"}
	s.cmd.Stdout, s.cmd.Stderr = out, out
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.ended = s.cmd.Wait()
		close(s.gone)
	}()
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// door is a page and what lets one in.
type door struct{ name, url, cookie string }

// The demo's people, as `qoa dev` prints them.
const (
	demoConsumer = "+525587651234"
	demoTendero  = "+525500000001"
	demoSecret   = "demo-qoa-2026" //nolint:gosec // public on purpose; production has no such user
	demoShop     = "K7M2QR"
	demoGTIN     = "7501055300075"
)

// demoDoors goes the way of the demo's people: a consumer with some stamps, the
// tendero who gave them, somebody of a brand and somebody of Qoa.
func demoDoors(ctx context.Context, base string) ([]door, error) {
	p := person{ctx, base, &http.Client{
		Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	card, err := p.says(demoConsumer, "Quiero crear mi tarjeta de puntos ("+demoShop+")", "/c/")
	if err != nil {
		return nil, err
	}
	link, err := p.says(demoTendero, "hola", "/t/")
	if err != nil {
		return nil, err
	}
	res, err := p.do(http.MethodGet, link, nil)
	if err != nil {
		return nil, err
	}
	shop, err := cookieOf(res)
	if err != nil {
		return nil, err
	}
	sale := url.Values{"key": {"bench-pages"}, "shop": {demoShop}, "code": {card[strings.LastIndexByte(card, '/')+1:]}, "qty_" + demoGTIN: {"3"}}
	if res, err = p.do(http.MethodPost, base+"/tienda", sale, shop); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("POST /tienda: %s", res.Status)
	}
	brand, err := p.enters("/marca/login", "marca1@demo.qoa")
	if err != nil {
		return nil, err
	}
	admin, err := p.enters("/admin/login", "admin@demo.qoa")
	if err != nil {
		return nil, err
	}
	return []door{{"card", card, ""}, {"scan", base + "/tienda", shop}, {"brand", base + "/marca", brand}, {"admin", base + "/admin", admin}}, nil
}

// person is somebody with a browser and a phone.
type person struct {
	ctx  context.Context
	base string
	http *http.Client
}

// do sends a request, with a form and a session where there are some, and drops
// what is answered.
func (p person) do(method, address string, form url.Values, cookie ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(p.ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", p.base)
	}
	for _, c := range cookie {
		req.Header.Set("Cookie", c)
	}
	res, err := p.http.Do(req)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return res, errors.Join(err, res.Body.Close())
}

func (p person) enters(path, email string) (cookie string, err error) {
	res, err := p.do(http.MethodPost, p.base+path, url.Values{"email": {email}, "password": {demoSecret}})
	if err != nil {
		return "", err
	}
	return cookieOf(res)
}

// says writes to the bot and waits for a link below a path.
func (p person) says(phone, text, path string) (link string, err error) {
	body, err := json.Marshal(map[string]string{"from": phone, "text": text})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, p.base+"/sim/messages", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := p.http.Do(req)
	if err != nil {
		return "", err
	}
	if err := res.Body.Close(); err != nil {
		return "", err
	}
	links := regexp.MustCompile(regexp.QuoteMeta(p.base+path) + `[0-9A-Za-z_/-]+`)
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	for {
		chat, err := p.chat(ctx, phone)
		if err != nil {
			return "", err
		}
		if link := links.FindString(chat); link != "" {
			return link, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("the bot has no link for %q: %w", text, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (p person) chat(ctx context.Context, phone string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+"/sim/messages?phone="+url.QueryEscape(phone), nil)
	if err != nil {
		return "", err
	}
	res, err := p.http.Do(req)
	if err != nil {
		return "", err
	}
	said, err := io.ReadAll(res.Body)
	return string(said), errors.Join(err, res.Body.Close())
}
