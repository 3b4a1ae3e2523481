package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// The jobs that can be run at once.
func runnable(job string) bool { return job == "nudges" || job == "digests" || job == "roi" }

type runInput struct {
	AsOf *time.Time `json:"as_of"`
}

// runJob runs a job now, or as if the clock stood elsewhere, where that is a
// developer's clock.
func (s *server) runJob(c *fiber.Ctx) error {
	job := c.Params("job")
	if !runnable(job) {
		return loyalty.NotFound(loyalty.CodeNotFound, "No hay un trabajo con ese nombre: nudges, digests o roi.")
	}
	in, err := optionalBody[runInput](c)
	if err != nil {
		return err
	}
	if in.AsOf != nil {
		if !s.Dev {
			return loyalty.Fail(loyalty.KindForbidden, loyalty.CodeTimeTravelRefused, "as_of solo se acepta en desarrollo.")
		}
		if y := in.AsOf.Year(); y < 2000 || y > 2199 {
			return loyalty.Invalid("as_of", "debe estar entre los años 2000 y 2199")
		}
	}
	n, err := s.runNow(c, job, in.AsOf)
	if err != nil {
		return err
	}
	return data(c, http.StatusAccepted, map[string]int{"messages": n})
}

// jobPatience is how long a job may take: it goes over every shop, where other
// requests are about one.
const jobPatience = 5 * time.Minute

func (s *server) runNow(c *fiber.Ctx, job string, asOf *time.Time) (messages int, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), jobPatience)
	defer cancel()
	if err := s.DB.InTx(ctx, func(t *store.Tx) error { return t.Note(ctx, scopeOf(c), store.Ran, "job", "", job) }); err != nil {
		return 0, err
	}
	return s.Jobs.RunJob(ctx, job, asOf)
}
