package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// constraints gives a meaning to the constraints that a caller can break.
// Names are mapped, never message texts.
var constraints = map[string]*loyalty.Error{
	"cpgs_name_key":               duplicate("name", "ya existe una empresa con ese nombre"),
	"brands_name_key":             duplicate("name", "ya existe una marca con ese nombre"),
	"products_gtin_key":           duplicate("gtin", "ya existe un producto con ese código de barras"),
	"products_brand_fkey":         loyalty.Invalid("brand_id", "la marca no existe o no es de esa empresa"),
	"brands_cpg_id_fkey":          loyalty.Invalid("cpg_id", "la empresa no existe"),
	"shops_code_key":              duplicate("code", "ya existe una tienda con ese código"),
	"tenderos_key":                duplicate("phone", "esa persona ya es tendero de esa tienda"),
	"tenderos_shop_id_fkey":       loyalty.Invalid("shop_id", "la tienda no existe"),
	"staff_cpg_id_fkey":           loyalty.Invalid("cpg_id", "la empresa no existe"),
	"reorders_product_id_fkey":    loyalty.Invalid("product_id", "el producto no existe"),
	"staff_email_key":             duplicate("email", "ya existe un usuario con ese correo"),
	"campaign_products_own_fkey":  loyalty.Invalid("product_ids", "un producto no existe o no es de la empresa dueña de la campaña"),
	"campaign_shops_shop_id_fkey": loyalty.Invalid("shop_ids", "una tienda no existe"),
	"campaigns_cpg_id_fkey":       loyalty.Invalid("cpg_id", "la empresa no existe"),
	"campaigns_dates_check":       loyalty.Invalid("ends_at", "debe ser después de starts_at"),
	"campaigns_shop_id_fkey":      loyalty.Invalid("shop_id", "la tienda no existe"),
	"cpg_shops_shop_id_fkey":      loyalty.Invalid("shop_id", "la tienda no existe"),
	"segments_name_key":           duplicate("name", "ya existe un segmento con ese nombre"),
	"segments_cpg_id_fkey":        loyalty.Invalid("cpg_id", "la empresa no existe"),
	"segments_shop_id_fkey":       loyalty.Invalid("shop_id", "la tienda no existe"),
	"rewards_never_overspent":     refusals[LockStock],
	"quotas_never_overspent":      refusals[LockBudget],
	"cpgs_never_overspent":        refusals[LockBudget],

	"whatsapp_numbers_shop_id_fkey": loyalty.Invalid("shop_id", "la tienda no existe"),
	"whatsapp_numbers_cpg_id_fkey":  loyalty.Invalid("cpg_id", "la empresa no existe"),
	"whatsapp_numbers_tenant_check": loyalty.Invalid("shop_id", "un número es de una tienda o de una empresa, no de las dos"),
}

func duplicate(field, reason string) *loyalty.Error {
	return &loyalty.Error{
		Kind: loyalty.KindConflict, Code: loyalty.CodeDuplicate, Detail: "Eso ya existe.",
		Fields: []loyalty.FieldError{{Field: field, Reason: reason}},
	}
}

// translate turns a failure of Postgres into an error with a meaning. What has
// none stays as it is: an INTERNAL to the caller, a cause in the log.
func translate(err error) error {
	var known *loyalty.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, errMoved) { // as often as it was tried
		return unavailable(err)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		if e, ok := constraints[pg.ConstraintName]; ok {
			with := *e
			with.Err = err
			return &with
		}
		switch pg.Code[:2] {
		case "53", "57", "08": // out of resources, shutting down, connection lost
			return unavailable(err)
		}
		return err
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || errors.Is(err, context.DeadlineExceeded) {
		return unavailable(err)
	}
	return err
}

func unavailable(err error) *loyalty.Error {
	return &loyalty.Error{
		Kind: loyalty.KindUnavailable, Code: loyalty.CodeUnavailable,
		Detail: "El servicio no está disponible por el momento. Intenta de nuevo en unos segundos.", Err: err,
	}
}

// none says whether a query found no row.
func none(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// ignoreNone turns "no row" into no error: the caller looks at what it got.
func ignoreNone(err error) error {
	if none(err) {
		return nil
	}
	return err
}
