package templates

import (
	"testing"
	"time"
)

func TestFormats(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 5, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{viewMoney(0), "$0.00"}, {viewMoney(123456789), "$1,234,567.89"}, {viewMoney(-5), "−$0.05"},
		{viewPesos(149), "$1"}, {viewPesos(150), "$2"}, {viewPesos(-150), "−$2"},
		{viewNumber(999), "999"}, {viewNumber(int64(1000)), "1,000"}, {viewNumber(-1234567), "−1,234,567"},
		{viewPlural(1, "sello", "sellos"), "1 sello"}, {viewPlural(0, "sello", "sellos"), "0 sellos"},
		{viewCode("7h2kq9m4"), "7H2K-Q9M4"}, {viewCode("7H2K-Q9M4"), "7H2K-Q9M4"}, {viewCode("K7M2QR"), "K7M2QR"},
		{viewDay(at), "3 nov"}, {viewLongDay(at), "3 de noviembre de 2026"}, {viewMoment(at), "3 nov, 09:05"}, {viewDay(time.Time{}), "—"},
		{viewList(nil), ""}, {viewList([]string{"papas"}), "papas"}, {viewList([]string{"papas", "agua"}), "papas y agua"},
		{viewList([]string{"papas", "Iguanitas"}), "papas e Iguanitas"}, {viewList([]string{"agua", "hielo"}), "agua y hielo"},
		{viewList([]string{"a", "b", "c"}), "a, b y c"},
		{viewInitial("¡Ñandú!"), "Ñ"}, {viewInitial(""), "Q"},
		{Chart{Money: true}.axisLabel(1200000), "$12 mil"}, {Chart{Money: true}.axisLabel(150000000), "$1.5 M"}, {Chart{Money: true}.axisLabel(-50000), "−$500"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestCampaignArithmetic(t *testing.T) {
	for _, c := range []struct {
		balance, missing, filled, ready, debt int
	}{
		{-2, 12, 0, 0, 2}, {0, 10, 0, 0, 0}, {5, 5, 5, 0, 0}, {9, 1, 9, 0, 0}, {10, 0, 10, 1, 0}, {23, 0, 10, 1, 0},
	} {
		// The first is out of stock: nobody works for it.
		rewards := []CardReward{{ID: "a", Name: "vaso", Cost: 5, Locked: true, Why: "Se agotó"}, {ID: "b", Name: "refresco", Cost: 10, Locked: c.balance < 10}}
		campaign := CardBalance{Stamps: true, Balance: c.balance, Goal: 10, Rewards: rewards}
		if got := campaign.Missing(); got != c.missing {
			t.Errorf("balance %d: missing %d, want %d", c.balance, got, c.missing)
		}
		if got := campaign.Filled(); got != c.filled {
			t.Errorf("balance %d: filled %d, want %d", c.balance, got, c.filled)
		}
		if got := len(campaign.Ready()); got != c.ready {
			t.Errorf("balance %d: %d rewards ready, want %d", c.balance, got, c.ready)
		}
		if got := campaign.Debt(); got != c.debt {
			t.Errorf("balance %d: debt %d, want %d", c.balance, got, c.debt)
		}
		filled := 0
		for _, slot := range campaign.Slots() {
			if slot.Filled {
				filled++
			}
		}
		if want := min(max(c.balance, 0), 10); filled != want {
			t.Errorf("balance %d: %d stamps drawn, want %d", c.balance, filled, want)
		}
	}
	for goal, drawn := range map[int]bool{0: false, 1: true, 10: true, 20: true, 21: false} {
		if got := (CardBalance{Stamps: true, Goal: goal}).Drawn(); got != drawn {
			t.Errorf("goal %d: drawn %t", goal, got)
		}
	}
	if got := (CardBalance{Campaign: "Junta", Stamps: true, Balance: 1}).Progress(); got != "Junta: 1 sello" {
		t.Errorf("progress %q", got)
	}
}
