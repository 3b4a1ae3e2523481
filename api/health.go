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
	all, numbers := s.dependencies(c.UserContext())
	for _, d := range all {
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
	if numbers != nil {
		answer["numbers"] = numbers
	}
	return c.Status(code).JSON(answer)
}

const postgres = "postgres"

// healthWait bounds the questions to what the process leans on.
const healthWait = 2 * time.Second

// dependencies asks everything how it is, Postgres first; numbers is nil where the
// channel has none.
func (s *server) dependencies(ctx context.Context) (all []Dependency, numbers []numberHealth) {
	ctx, cancel := context.WithTimeout(ctx, healthWait)
	defer cancel()
	db := Dependency{Name: postgres, State: "ok"}
	if err := s.DB.Ping(ctx); err != nil {
		db.State, db.Detail = "down", "no responde"
	}
	all = append(all, db)
	if s.Health != nil {
		all = append(all, s.Health.Health(ctx)...)
	}
	if !s.Numbers {
		return all, nil
	}
	channel, numbers := s.numbersHealth(ctx)
	for i := range all {
		if all[i].Name == whatsapp {
			all[i] = channel // what the numbers say, whoever else has a word for it
			return all, numbers
		}
	}
	return append(all, channel), numbers
}
