package api

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// Lists of people, keys, chats, tasks and changes are alike. What follows is that
// likeness.

// board draws a list: read fills in what is shown, and says where it goes on.
func (s *server) board(c *fiber.Ctx, status int, a *asked, v *templates.BoardView, read func(context.Context, *store.Tx, store.Page) (loyalty.ID, error)) error {
	p, err := a.page()
	if err != nil {
		return err
	}
	next, err := tx(s, c, func(ctx context.Context, t *store.Tx) (next loyalty.ID, err error) {
		v.Parts, v.Counts = nil, nil // it may run again
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return "", err
		}
		return read(ctx, t, p)
	})
	if err != nil {
		return err
	}
	v.Filtered = a.any
	if v.Action == "" {
		v.Action = c.Path()
	}
	list := v.Action
	if v.Post {
		list = v.List
	}
	if next != "" {
		v.NextURL = a.at(list, next)
	}
	if p.After != "" {
		v.FirstURL = a.at(list, "")
	}
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Board(w, *v) })
}

// at is the address of a list with the same filter, from a place in it on.
func (a *asked) at(path string, cursor loyalty.ID) string {
	q := url.Values{}
	maps.Copy(q, a.Values)
	if cursor != "" {
		q.Set("cursor", string(cursor))
	}
	return path + prefixed("?", q.Encode())
}

// renameForm draws the form of somebody's name, or saves it and shows the list
// again: read gives the name that there is, and save keeps another.
func (s *server) renameForm(c *fiber.Ctx, list string, fields url.Values,
	read func(context.Context, *store.Tx, loyalty.ID) (string, error), save func(context.Context, *store.Tx, loyalty.ID, *string) error,
) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	v := templates.FormView{Title: "Cambiar nombre", Back: list, Action: list + "/" + string(id) + "/nombre", Submit: "Guardar nombre"}
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		name, err := read(ctx, t, id)
		if err != nil {
			return struct{}{}, err
		}
		f := forms.New(fields)
		f.Rename(&name)
		v.Sections = f.Sections
		if fields == nil || f.Err() != nil {
			return struct{}{}, f.Err()
		}
		return struct{}{}, save(ctx, t, id, &name)
	})
	switch {
	case err != nil:
		return s.explain(c, v, err)
	case fields == nil:
		return s.drawForm(c, v)
	}
	return c.Redirect(list+"?hecho=nombre", http.StatusSeeOther)
}

// act does something to the thing of the path and leads back to its list, or says
// on the list why it could not be done.
func (s *server) act(c *fiber.Ctx, done string, again func(*fiber.Ctx, int, string) error, do func(context.Context, *store.Tx, loyalty.ID) error) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) { return struct{}{}, do(ctx, t, id) })
	if p, ok := refused(err); err != nil && ok && p.Status != http.StatusNotFound {
		return again(c, p.Status, words(p))
	}
	if err != nil {
		return err
	}
	return c.Redirect(done, http.StatusSeeOther)
}

// switchPerson deactivates one of a list, or brings one back, and leads back to
// the list.
func (s *server) switchPerson(c *fiber.Ctx, list string, again func(*fiber.Ctx, int, string) error, set func(context.Context, *store.Tx, loyalty.ID, *bool) error) error {
	active, done := formText(c, "active") == "1", "desactivado"
	if active {
		done = "reactivado"
	}
	return s.act(c, list+"?hecho="+done, again, func(ctx context.Context, t *store.Tx, id loyalty.ID) error { return set(ctx, t, id, &active) })
}
