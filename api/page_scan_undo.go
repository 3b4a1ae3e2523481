package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// undoLife is how long one tap takes a sale back. Later it is a return, which
// asks for a reason.
const undoLife = 10 * time.Minute

// undoOf offers to take back a sale that was just made; nil where it is late.
func (s *server) undoOf(r store.Receipt) *templates.ScanUndo {
	left := undoLife - s.DB.Now().Sub(r.OccurredAt)
	if r.Status == "reversed" || left < time.Second {
		return nil
	}
	return &templates.ScanUndo{Action: "/tienda/ventas/" + string(r.ID) + "/deshacer", Shop: r.ShopCode, Seconds: int(left / time.Second)}
}

// scanUndo takes back all of a sale that was just made. Asked again, it says the
// same.
func (s *server) scanUndo(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	result, status := &templates.ScanResult{OK: true, Title: "Venta deshecha", Detail: "Al cliente ya se le descontó lo que ganó con ella."}, http.StatusOK
	shop := formText(c, "shop")
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		r, err := t.Purchase(ctx, scopeOf(c), id)
		if err != nil {
			return struct{}{}, err
		}
		shop = r.ShopCode
		if r.Status != "reversed" && t.Now().Sub(r.OccurredAt) > undoLife {
			return struct{}{}, loyalty.Fail(loyalty.KindConflict, loyalty.CodeInvalid, "Ya pasaron 10 minutos. Búscala en las ventas de hoy y devuélvela.")
		}
		_, _, err = t.ReversePurchase(ctx, scopeOf(c), id, store.ReversalInput{Reason: "Deshecha en el mostrador", Key: "undo:" + string(id)})
		return struct{}{}, err
	})
	if err != nil {
		p := problemOf(err)
		if p.Status >= http.StatusInternalServerError || p.Code == loyalty.CodeNotFound {
			return err
		}
		status, result = p.Status, &templates.ScanResult{Title: "No se deshizo la venta", Detail: errorWords(err)}
	}
	if wantsJSON(c) {
		return s.answerScan(c, status, shop, result)
	}
	return s.drawScan(c, status, shop, scanForm{key: s.formKey()}, func(v *templates.ScanView) { v.Result = result })
}
