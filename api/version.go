package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// versionJSON shows one change of a campaign.
type versionJSON struct {
	Version     int                 `json:"version"`
	Action      string              `json:"action"`
	HoldsFrom   time.Time           `json:"holds_from"`
	InForce     bool                `json:"in_force"`
	Status      loyalty.Status      `json:"status"`
	Terms       loyalty.Terms       `json:"terms"`
	Diff        []store.FieldChange `json:"diff"`
	Author      string              `json:"author"`
	Reason      string              `json:"reason"`
	CreatedAt   time.Time           `json:"created_at"`
	CancelledAt *time.Time          `json:"cancelled_at"`
}

func showVersion(v store.CampaignVersion) versionJSON {
	return versionJSON{
		Version: v.Version, Action: v.Action, HoldsFrom: v.HoldsFrom, InForce: v.InForce, Status: v.Status, Terms: v.Terms, Diff: listOf(v.Diff),
		Author: v.Author, Reason: v.Reason, CreatedAt: v.CreatedAt, CancelledAt: v.CancelledAt,
	}
}

// listVersions gives a campaign's changes: few, and so all at once.
func (s *server) listVersions(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	all, err := tx(s, c, func(ctx context.Context, t *store.Tx) ([]store.CampaignVersion, error) {
		return t.CampaignVersions(ctx, scopeOf(c), id)
	})
	if err != nil {
		return err
	}
	return c.Status(http.StatusOK).JSON(map[string]any{"data": mapped(all, showVersion), "next_cursor": nil})
}

// cancelVersion withdraws a change that does not hold yet.
func (s *server) cancelVersion(c *fiber.Ctx) error {
	version, err := strconv.ParseInt(c.Params("version"), 10, 32)
	if err != nil {
		return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa versión de la campaña.")
	}
	return one(s, c, campaignFor(scopeOf(c)), func(t *store.Tx, ctx context.Context, scope loyalty.Scope, id loyalty.ID) (store.Campaign, error) {
		return t.CancelVersion(ctx, scope, id, int(version))
	})
}
