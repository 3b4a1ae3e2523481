package forms

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestASegmentSurvivesTheForm(t *testing.T) {
	criteria := store.Criteria{
		States: []string{"Jalisco", "Puebla"}, Cities: []string{"Cholula"}, WithinDays: 90, MinPurchases: 3, MinSpend: 20_050, InactiveDays: 10, BirthdayMonth: 12,
	}
	everyField(t, reflect.ValueOf(criteria), "Criteria")
	for name, want := range map[string]Segment{
		"by what they buy": {Name: "Frecuentes", Criteria: &criteria}, "by hand": {Name: "VIP"}, "all who bought": {Name: "Todos", Criteria: new(store.Criteria)},
	} {
		drawn, shown := New(nil), want
		drawn.Segment(&shown, true, catalogue)
		f := New(send(t, draw(t, drawn)))
		var got Segment
		f.Segment(&got, true, catalogue)
		require.NoError(t, f.Err(), name)
		require.Equal(t, want, got, name)
	}
	typed := map[string][]string{"name": {"X"}, "criteria": {"1"}, "card_codes": {"AAAA"}}
	f := New(typed)
	f.Segment(new(Segment), false, catalogue)
	var wrong *loyalty.Error
	require.ErrorAs(t, f.Err(), &wrong)
	require.Equal(t, "card_codes", wrong.Fields[0].Field)
}

func TestCodesAreListedInAnyWay(t *testing.T) {
	require.Equal(t, []string{"7H2K-Q9M4", "ABCD", "EFGH"}, Codes("7H2K-Q9M4,\r\n ABCD;EFGH\n\n"))
	require.Empty(t, Codes(" \n"))
}
