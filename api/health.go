package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
)

// live says that the process runs, and nothing else: it must not restart a
// process because its database is away.
func (s *server) live(c *fiber.Ctx) error {
	return c.JSON(map[string]any{"status": "ok", "version": s.Version})
}

// ready says whether the process can do its work: not without Postgres; less
// well without the rest.
func (s *server) ready(c *fiber.Ctx) error {
	status, code, details := "ok", http.StatusOK, map[string]string{}
	answer := map[string]any{"details": details}
	for _, d := range s.dependencies(c.UserContext()) {
		answer[d.Name] = d.State
		if d.Detail != "" {
			details[d.Name] = d.Detail
		}
		switch {
		case d.Name == postgres && d.State == "down":
			status, code = "down", http.StatusServiceUnavailable
		case d.State != "ok" && status == "ok":
			status = "degraded"
		}
	}
	answer["status"] = status
	return c.Status(code).JSON(answer)
}

const postgres = "postgres"

// dependencies asks everything how it is, Postgres first.
func (s *server) dependencies(ctx context.Context) []Dependency {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	db := Dependency{Name: postgres, State: "ok"}
	if err := s.DB.Ping(ctx); err != nil {
		db.State, db.Detail = "down", "no responde"
	}
	all := []Dependency{db}
	if s.Health != nil {
		all = append(all, s.Health.Health(ctx)...)
	}
	return all
}
