package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/templates"
)

// scanAnswer is what the scan page's script gets for a form: words to keep with a
// sale that was refused, and the same pieces of page that the plain form gets.
type scanAnswer struct {
	OK     bool      `json:"ok"`
	Title  string    `json:"title"`
	Detail string    `json:"detail"`
	Result string    `json:"result"` // HTML
	Today  string    `json:"today"`  // HTML
	Now    time.Time `json:"now"`
}

// wantsJSON says whether the scan page's script asks, rather than a plain form.
func wantsJSON(c *fiber.Ctx) bool {
	return strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMEApplicationJSON)
}

// answerScan answers the script with a result and the day as it now stands.
func (s *server) answerScan(c *fiber.Ctx, status int, shop string, result *templates.ScanResult) error {
	desk, err := s.readScan(c, shop)
	if err != nil {
		return err
	}
	return s.sendScan(c, status, result, s.scanView(desk, scanForm{}).Today)
}

// refuseScan tells the script why a sale was not saved.
func (s *server) refuseScan(c *fiber.Ctx, p problem, shop string, result *templates.ScanResult, items []store.ItemInput) error {
	desk, err := s.readScan(c, shop)
	if err != nil {
		return err
	}
	v := s.scanView(desk, scanForm{})
	if result.Detail == "" {
		result.Detail = saleWords(p, items, v.Products)
	}
	return s.sendScan(c, p.Status, result, v.Today)
}

func (s *server) sendScan(c *fiber.Ctx, status int, result *templates.ScanResult, today templates.ScanToday) error {
	a := scanAnswer{OK: result.OK, Title: result.Title, Detail: result.Detail, Now: s.DB.Now()}
	var b bytes.Buffer
	if err := s.Pages.ScanResult(&b, result); err != nil {
		return err
	}
	a.Result = b.String()
	b.Reset()
	if err := s.Pages.ScanToday(&b, today); err != nil {
		return err
	}
	a.Today = b.String()
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	return c.Status(status).Send(body)
}

// scanManifest is what a phone installs the scan page by.
func (s *server) scanManifest(c *fiber.Ctx) error {
	var b bytes.Buffer
	if err := s.Pages.ScanManifest(&b); err != nil {
		return err
	}
	return sendCached(c, b.Bytes(), "application/manifest+json", time.Hour)
}

// scanWorker is the script that starts the page without a network. It stands
// beside the page and not among the hashed files: browsers look for a new one at
// the address of the old one.
func (s *server) scanWorker(c *fiber.Ctx) error {
	var b bytes.Buffer
	if err := s.Pages.ScanWorker(&b); err != nil {
		return err
	}
	c.Set("Service-Worker-Allowed", "/tienda")
	return sendCached(c, b.Bytes(), "text/javascript; charset=utf-8", 0)
}
