package api

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/templates"
)

// html answers with a page. It is rendered whole before anything is sent, so
// that a failure becomes an error page.
func (s *server) html(c *fiber.Ctx, status int, render func(io.Writer) error) error {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	return c.Status(status).Send(b.Bytes())
}

// openHTML answers with a page that is the same for everyone: whoever has it
// already is told so.
func (s *server) openHTML(c *fiber.Ctx, render func(io.Writer) error) error {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return err
	}
	return sendCached(c, b.Bytes(), fiber.MIMETextHTMLCharsetUTF8, 0)
}

// notice answers with a page of one message.
func (s *server) notice(c *fiber.Ctx, status int, v templates.NoticeView) error {
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Notice(w, v) })
}

// formKey draws the idempotency key that a rendered form carries.
func (s *server) formKey() string {
	b := make([]byte, 16)
	if _, err := io.ReadFull(s.Random, b); err != nil {
		panic(fmt.Sprintf("api: random source failed: %v", err))
	}
	return hex.EncodeToString(b)
}

func (s *server) home(c *fiber.Ctx) error {
	v := templates.HomeView{WhatsAppURL: s.chatURL("Quiero mi tarjeta"), PrivacyURL: "/privacidad"}
	if s.Dev {
		if s.Sim {
			v.Doors = append(v.Doors, templates.HomeDoor{Icon: "chat", Name: "Simulador", Text: "Escribe al bot como si fuera WhatsApp.", URL: "/sim"})
		}
		v.Doors = append(v.Doors,
			templates.HomeDoor{Icon: "store", Name: "Mi tienda", Text: "Registra ventas y entrega premios.", URL: "/tienda"},
			templates.HomeDoor{Icon: "chart", Name: "Marcas", Text: "Qué regresa de cada peso.", URL: "/marca"},
			templates.HomeDoor{Icon: "shield", Name: "Operación", Text: "Salud, trabajos y tiendas.", URL: "/admin"},
			templates.HomeDoor{Icon: "qr", Name: "API", Text: "La documentación, operación por operación.", URL: "/docs"})
		v.Demo = []templates.HomeLogin{
			{Who: "Operación", Login: "admin@demo.qoa", Password: demoPassword},
			{Who: "Marca 1", Login: "marca1@demo.qoa", Password: demoPassword},
			{Who: "Marca 2", Login: "marca2@demo.qoa", Password: demoPassword},
			{Who: "Tendero de Abarrotes Lupita", Login: "+52 55 0000 0001"},
		}
	}
	return s.openHTML(c, func(w io.Writer) error { return s.Pages.Home(w, v) })
}

// demoPassword is that of the demo data, shown where fixed secrets are allowed.
const demoPassword = "demo-qoa-2026" //nolint:gosec // public on purpose; production has no such user

func (s *server) docs(c *fiber.Ctx) error {
	return s.openHTML(c, func(w io.Writer) error {
		return s.Pages.Docs(w, templates.DocsView{SpecURL: "/openapi.json"})
	})
}

func (s *server) privacy(c *fiber.Ctx) error {
	date, err := time.Parse("2006-01", store.PrivacyNoticeVersion)
	if err != nil {
		return err
	}
	return s.openHTML(c, func(w io.Writer) error {
		return s.Pages.Privacy(w, templates.PrivacyView{
			Responsible: s.Operator.Name, Address: s.Operator.Address, Contact: s.Operator.Contact,
			WhatsAppURL: s.chatURL("privacidad"), Version: store.PrivacyNoticeVersion, Date: date,
		})
	})
}
