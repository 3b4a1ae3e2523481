package api

import (
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// mostOfMonth is how many purchases, and how many other changes, a month tells.
const mostOfMonth = 300

const monthOnly = "2006-01"

// cardMonth is one month of the card's history: the present one, where the address
// names none that is one.
func (s *server) cardMonth(c *fiber.Ctx) error {
	code, kind := loyalty.ParseCode(c.Params("card"))
	if kind != loyalty.CardCode {
		return s.cardGone(c)
	}
	now := s.DB.Now().In(loyalty.Zone(""))
	read := func(month time.Time) (store.CardMonth, error) {
		return s.DB.CardMonth(c.UserContext(), c.Params("secret"), code, month, mostOfMonth)
	}
	month, err := time.ParseInLocation(monthOnly, c.Query("mes"), now.Location())
	if err != nil || month.Year() < 2000 || month.After(now.AddDate(0, 0, 1)) {
		month = now
	}
	m, err := read(month)
	// Where the consumer lives a month may begin hours before or after ours.
	switch here := now.In(m.Month.Location()); {
	case err != nil:
	case month.Equal(now) && here.Month() != now.Month() || m.Month.After(now):
		m, err = read(time.Date(here.Year(), here.Month(), 1, 0, 0, 0, 0, now.Location()))
	}
	if loyalty.CodeOf(err) == loyalty.CodeCardNotFound {
		return s.cardGone(c)
	}
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.CardMonth(w, monthView(ownURL(c), &m)) })
}

func monthView(own string, m *store.CardMonth) templates.CardMonthView {
	v := templates.CardMonthView{BackURL: own, Month: m.Month, Full: m.Full, Older: m.Earlier, Newer: m.Later}
	if !m.Earlier.IsZero() {
		v.OlderURL = own + "/historial?mes=" + m.Earlier.Format(monthOnly)
	}
	if !m.Later.IsZero() {
		v.NewerURL = own + "/historial?mes=" + m.Later.Format(monthOnly)
	}
	var sum monthSum
	for i := range m.Bought {
		b := &m.Bought[i]
		line := boughtView(b)
		if line.Reversed { // what was taken back stands on its own line, at its own time
			line.Reversed, line.Note = false, "devuelta"
		}
		for _, e := range b.Earned {
			sum.add("Ganaste", e.Unit, e.Amount)
		}
		v.Lines = append(v.Lines, line)
	}
	for i := range m.Moved {
		line, name := movedView(&m.Moved[i], m.Month.Location())
		sum.add(name, m.Moved[i].Unit, m.Moved[i].Amount)
		v.Lines = append(v.Lines, line)
	}
	slices.SortStableFunc(v.Lines, func(a, b templates.CardPurchase) int { return b.At.Compare(a.At) })
	if !m.Full {
		v.Totals = sum.totals()
	}
	return v
}

// movedView is a change of a balance in words, and the name under which it is
// summed up.
func movedView(m *store.CardMove, here *time.Location) (v templates.CardPurchase, sum string) {
	if m.TimeZone != "" {
		here = loyalty.Zone(m.TimeZone)
	}
	v = templates.CardPurchase{At: m.At.In(here), Items: []string{m.Campaign}, Less: m.Amount < 0}
	amount := m.Amount
	sign := "+"
	if amount < 0 {
		amount, sign = -amount, "−"
	}
	v.Earned = []string{sign + unitWords(m.Unit, amount)}
	switch {
	case m.Kind == "redeem":
		v.Reward, v.Shop, v.Items = true, m.Shop, []string{m.Reward}
		switch m.Redemption {
		case "requested":
			v.Note = "por recoger"
		case "cancelled":
			v.Note = "cancelado"
		case "expired":
			v.Note = "no recogido"
		}
		return v, "Gastaste"
	case m.Kind == "reverse" && m.Reward != "":
		v.What, v.Items = "Recuperaste lo de un premio", []string{m.Reward}
		return v, "Recuperaste"
	case m.Kind == "reverse":
		v.What = "Devolución"
		if m.Shop != "" {
			v.What += " en " + m.Shop
		}
		return v, "Por devoluciones"
	case m.Kind == "expire":
		v.What = "Se venció lo que no usaste"
		return v, "Se vencieron"
	}
	v.What = "Corrección"
	if m.Reason != "" {
		v.Items[0] += ": " + m.Reason
	}
	return v, "Correcciones"
}

// monthSum adds up what a month brought and took, by name and unit.
type monthSum map[string]map[loyalty.Unit]int64

func (s *monthSum) add(name string, unit loyalty.Unit, n int64) {
	if *s == nil {
		*s = monthSum{}
	}
	if (*s)[name] == nil {
		(*s)[name] = map[loyalty.Unit]int64{}
	}
	(*s)[name][unit] += n
}

func (s monthSum) totals() (all []templates.CardTotal) {
	for _, name := range []string{"Ganaste", "Gastaste", "Recuperaste", "Por devoluciones", "Se vencieron", "Correcciones"} {
		v := templates.CardTotal{Name: name}
		for _, unit := range []loyalty.Unit{loyalty.Stamp, loyalty.Point} {
			switch n := s[name][unit]; {
			case n > 0:
				v.Much = append(v.Much, "+"+unitWords(unit, n))
			case n < 0:
				v.Much, v.Minus = append(v.Much, "−"+unitWords(unit, -n)), true
			}
		}
		if len(v.Much) > 0 {
			all = append(all, v)
		}
	}
	return all
}
