package api

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
)

// pictureURL is where a picture is, "" for none.
func pictureURL(name string, px int) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf("/fotos/%s-%d.jpg", name, px)
}

var pictureName = regexp.MustCompile(`^([0-9a-f]{24})-([0-9]{2,4})\.jpg$`)

// picture serves a product's picture. Its name changes with its content, so that
// it may be kept forever.
func (s *server) picture(c *fiber.Ctx) error {
	parts := pictureName.FindStringSubmatch(c.Params("name"))
	if parts == nil {
		return fiber.ErrNotFound
	}
	px, err := strconv.Atoi(parts[2])
	if err != nil {
		return fiber.ErrNotFound
	}
	content, err := tx(s, c, func(ctx context.Context, t *store.Tx) ([]byte, error) { return t.Picture(ctx, parts[1], px) })
	if err != nil {
		return err
	}
	return sendCached(c, content, "image/jpeg", forever)
}

// pictureForm gives a product a picture, or takes it away.
func (s *server) pictureForm(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	done := "sin-foto"
	var sizes map[int][]byte
	if formText(c, "remove") == "" {
		done = "foto"
		_, content, wrong := uploaded(c, "picture")
		if wrong == nil {
			sizes, wrong = s.shrunk(content)
		}
		if p, ok := refused(wrong); wrong != nil && ok {
			return s.drawProduct(c, p.Status, "", upperFirst(p.Errors[0].Reason)+".")
		}
		if wrong != nil {
			return wrong
		}
	}
	if _, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Product, error) {
		return t.SetPicture(ctx, scopeOf(c), id, sizes)
	}); err != nil {
		return err
	}
	return c.Redirect(productsURL+"/"+string(id)+"?hecho="+done, http.StatusSeeOther)
}

// small and large are the pictures of a product.
func small(v store.Product) string { return pictureURL(v.Picture, store.SmallPicture) }
func large(v store.Product) string { return pictureURL(v.Picture, store.LargePicture) }
