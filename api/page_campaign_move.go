package api

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// campaignStep is a button of a campaign's life.
type campaignStep struct {
	from, to loyalty.Status
	label    string
	says     string // what will happen
	admin    bool   // only Qoa's people take it
	reason   bool
	quiet    bool
}

var allCampaignSteps = []campaignStep{
	{from: loyalty.Draft, to: loyalty.InReview, label: "Enviar a revisión", says: "El equipo de Qoa la lee. Mientras, no cambia; la puedes retirar cuando quieras."},
	{from: loyalty.Draft, to: loyalty.Active, label: "Activar sin revisión", says: "Empieza en su fecha de inicio, sin que nadie más la lea.", admin: true, quiet: true},
	{from: loyalty.InReview, to: loyalty.Approved, label: "Aprobar", says: "Su dueño la podrá activar cuando quiera.", admin: true},
	{from: loyalty.InReview, to: loyalty.Rejected, label: "Rechazar", says: "Vuelve a su dueño, con el motivo que escribas.", admin: true, reason: true, quiet: true},
	{from: loyalty.InReview, to: loyalty.Draft, label: "Retirar de revisión", says: "Vuelve a borrador, para cambiarla y enviarla otra vez.", quiet: true},
	{from: loyalty.Rejected, to: loyalty.Draft, label: "Volver a borrador", says: "Para corregirla y enviarla otra vez."},
	{from: loyalty.Approved, to: loyalty.Active, label: "Activar", says: "Desde su fecha de inicio las compras ganan. Después, sus reglas solo cambian con una versión nueva."},
	{from: loyalty.Active, to: loyalty.Paused, label: "Pausar", says: "Las compras dejan de ganar hasta que la reanudes. Lo que ya se juntó se queda.", quiet: true},
	{from: loyalty.Paused, to: loyalty.Active, label: "Reanudar", says: "Las compras vuelven a ganar desde ese momento."},
	{from: loyalty.Approved, to: loyalty.Ended, label: "Terminar", says: "Ya nadie gana nada en ella, y no se puede volver a activar. Lo que ya se juntó se puede seguir pidiendo.", quiet: true},
	{from: loyalty.Active, to: loyalty.Ended, label: "Terminar", says: "Ya nadie gana nada en ella, y no se puede volver a activar. Lo que ya se juntó se puede seguir pidiendo.", quiet: true},
	{from: loyalty.Paused, to: loyalty.Ended, label: "Terminar", says: "Ya nadie gana nada en ella, y no se puede volver a activar. Lo que ya se juntó se puede seguir pidiendo.", quiet: true},
}

// campaignSteps are the buttons that a reader has.
func campaignSteps(status loyalty.Status, admin bool, action string) []templates.CampaignStep {
	var steps []templates.CampaignStep
	for _, s := range allCampaignSteps {
		if s.from == status && (admin || !s.admin) {
			steps = append(steps, templates.CampaignStep{Label: s.label, Says: s.says, To: string(s.to), Action: action, Reason: s.reason, Quiet: s.quiet})
		}
	}
	return steps
}

// moveCampaignForm takes a step. What cannot be undone is asked once more.
func (s *server) moveCampaignForm(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	to, reason := loyalty.Status(formText(c, "to")), formText(c, "reason")
	if formText(c, "confirmed") == "" && (to == loyalty.Ended || to == loyalty.Active) {
		return s.confirmMove(c, id, to)
	}
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (store.Campaign, error) {
		return t.MoveCampaign(ctx, scopeOf(c), id, to, reason)
	})
	if err != nil {
		return s.explainCampaign(c, err)
	}
	return c.Redirect(campaignURL(c, id)+"?hecho=paso", http.StatusSeeOther)
}

func campaignURL(c *fiber.Ctx, id loyalty.ID) string {
	return deskRoot(c) + "/campanas/" + string(id)
}

// explainCampaign shows the campaign with what kept it from being changed.
func (s *server) explainCampaign(c *fiber.Ctx, err error) error {
	p, ok := refused(err)
	if !ok {
		return err
	}
	return s.drawCampaign(c, p.Status, func(v *templates.CampaignView) { v.Error = words(p) })
}

func (s *server) confirmMove(c *fiber.Ctx, id loyalty.ID, to loyalty.Status) error {
	v := templates.ConfirmView{
		Action: campaignURL(c, id) + "/estado", Back: campaignURL(c, id),
		Fields: []templates.ConfirmField{{Name: "to", Value: string(to)}, {Name: "confirmed", Value: "1"}},
	}
	campaign, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Campaign, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return store.Campaign{}, err
		}
		return ownCampaign(ctx, t, scopeOf(c), id)
	})
	if err != nil {
		return err
	}
	switch {
	case to == loyalty.Ended:
		v.Title, v.Yes = "¿Terminar «"+campaign.Name+"»?", "Sí, terminarla"
		v.Body = "Ya nadie ganará nada en ella, y no se puede volver a activar. Los premios que ya se juntaron se pueden seguir pidiendo."
	case campaign.Status == loyalty.Paused:
		v.Title, v.Yes = "¿Reanudar «"+campaign.Name+"»?", "Sí, reanudarla"
		v.Body = "Las compras vuelven a ganar desde este momento."
	default:
		v.Title, v.Yes = "¿Activar «"+campaign.Name+"»?", "Sí, activarla"
		v.Body = "Desde su fecha de inicio las compras ganan, y ya no vuelve a ser borrador: sus reglas solo cambian con una versión nueva."
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Confirm(w, v) })
}

// discardCampaignForm throws a draft away, once that was asked once more.
func (s *server) discardCampaignForm(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	scope, self := scopeOf(c), campaignURL(c, id)
	v := templates.ConfirmView{
		Action: self + "/descartar", Back: self, Yes: "Sí, descartarlo",
		Fields: []templates.ConfirmField{{Name: "confirmed", Value: "1"}},
	}
	sure := formText(c, "confirmed") != ""
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		if sure {
			_, err := t.DiscardCampaign(ctx, scope, id)
			return struct{}{}, err
		}
		campaign, err := ownCampaign(ctx, t, scope, id)
		if err != nil {
			return struct{}{}, err
		}
		v.Title = "¿Descartar «" + campaign.Name + "»?"
		v.Body = "El borrador se borra para siempre, con sus premios. Nadie lo vio todavía: ni las tiendas ni los clientes."
		v.Desk, err = s.desk(ctx, c, t)
		return struct{}{}, err
	})
	switch {
	case err != nil:
		return s.explainCampaign(c, err)
	case sure:
		return c.Redirect(deskRoot(c)+"/campanas?hecho=descartada", http.StatusSeeOther)
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Confirm(w, v) })
}

// discardURL is where a draft is thrown away; "" where it cannot be.
func discardURL(ctx context.Context, c *fiber.Ctx, t *store.Tx, id loyalty.ID) (string, error) {
	may, err := t.Discardable(ctx, scopeOf(c), id)
	if err != nil || !may {
		return "", err
	}
	return campaignURL(c, id) + "/descartar", nil
}

// cancelVersionForm withdraws a change that is still to hold.
func (s *server) cancelVersionForm(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(c.Params("version"))
	if err != nil || version < 1 || version > 1_000_000_000 {
		return fiber.ErrNotFound
	}
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (store.Campaign, error) {
		return t.CancelVersion(ctx, scopeOf(c), id, version)
	})
	if err != nil {
		return s.explainCampaign(c, err)
	}
	return c.Redirect(campaignURL(c, id)+"?hecho=cancelado", http.StatusSeeOther)
}
