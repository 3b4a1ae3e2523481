package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// segmentJSON shows a group of consumers: how many they are, and never who.
type segmentJSON struct {
	ID       loyalty.ID      `json:"id"`
	CPG      *loyalty.ID     `json:"cpg_id"`
	Owner    *loyalty.ID     `json:"shop_id"`
	Name     string          `json:"name"`
	Criteria *store.Criteria `json:"criteria"` // null: its members are named by hand
	Members  int64           `json:"members"`
	MadeAt   *time.Time      `json:"made_at"`
	stamps
}

func showSegment(v store.Segment) segmentJSON {
	return segmentJSON{
		ID: v.ID, CPG: optionalID(v.CPG), Owner: optionalID(v.Shop), Name: v.Name, Criteria: v.Criteria, Members: v.Members,
		MadeAt: v.MadeAt, stamps: stamps{v.CreatedAt, v.UpdatedAt},
	}
}

type segmentInput struct {
	CPG      loyalty.ID      `json:"cpg_id"`
	Owner    loyalty.ID      `json:"shop_id"`
	Name     string          `json:"name"`
	Criteria *store.Criteria `json:"criteria"`
}

type segmentPatch struct {
	Name     *string                  `json:"name"`
	Criteria nullable[store.Criteria] `json:"criteria"`
}

func (s *server) listSegments(c *fiber.Ctx) error {
	var f store.SegmentFilter
	for name, id := range map[string]*loyalty.ID{"cpg_id": &f.CPG, "shop_id": &f.Shop} {
		var err error
		if *id, err = queryID(c, name); err != nil {
			return err
		}
	}
	return many(s, c, showSegment, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.Segment, loyalty.ID, error) {
		return t.Segments(ctx, scope, f, p)
	})
}

func (s *server) getSegment(c *fiber.Ctx) error { return one(s, c, showSegment, (*store.Tx).Segment) }

func (s *server) createSegment(c *fiber.Ctx) error {
	return create(s, c, showSegment, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in segmentInput) (store.Segment, error) {
		return t.CreateSegment(ctx, scope, store.SegmentInput{CPG: in.CPG, Shop: in.Owner, Name: in.Name, Criteria: in.Criteria})
	})
}

func (s *server) updateSegment(c *fiber.Ctx) error {
	return update(s, c, showSegment, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in segmentPatch) (store.Segment, error) {
		return t.UpdateSegment(ctx, scope, id, store.SegmentPatch{Name: in.Name, Criteria: in.Criteria.patch()})
	})
}

type membersInput struct {
	Cards []string `json:"card_codes"`
}

type membersJSON struct {
	Changed int64 `json:"changed"`
	Members int64 `json:"members"`
}

func (s *server) addMembers(c *fiber.Ctx) error { return s.changeMembers(c, (*store.Tx).AddMembers) }

func (s *server) removeMembers(c *fiber.Ctx) error {
	return s.changeMembers(c, (*store.Tx).RemoveMembers)
}

func (s *server) changeMembers(c *fiber.Ctx, change func(*store.Tx, context.Context, loyalty.Scope, loyalty.ID, []string) (int64, int64, error)) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	in, err := body[membersInput](c)
	if err != nil {
		return err
	}
	v, err := tx(s, c, func(ctx context.Context, t *store.Tx) (v membersJSON, err error) {
		v.Changed, v.Members, err = change(t, ctx, scopeOf(c), id, in.Cards)
		return v, err
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, v)
}
