package api_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// auditedAs says what each operation that changes something leaves in the audit,
// and "" for what is nobody's administration: every route that is not a GET has a
// line.
var auditedAs = map[string]string{
	"POST /v1/cpgs":                               "create cpg",
	"PATCH /v1/cpgs/:id":                          "update cpg",
	"PUT /v1/cpgs/:id/shops/:shop_id":             "update cpg_shop",
	"POST /v1/brands":                             "create brand",
	"PATCH /v1/brands/:id":                        "update brand",
	"POST /v1/products":                           "create product",
	"PATCH /v1/products/:id":                      "update product",
	"POST /v1/shops":                              "create shop",
	"PATCH /v1/shops/:id":                         "update shop",
	"POST /v1/tenderos":                           "create tendero",
	"PATCH /v1/tenderos/:id":                      "update tendero",
	"POST /v1/campaigns":                          "create campaign",
	"PATCH /v1/campaigns/:id":                     "update campaign",
	"DELETE /v1/campaigns/:id":                    "delete campaign",
	"POST /v1/campaigns/:id/transitions":          "move campaign",
	"DELETE /v1/campaigns/:id/versions/:version":  "cancel campaign",
	"PUT /v1/campaigns/:id/participants/:shop_id": "update participant",
	"POST /v1/campaigns/:id/rewards":              "update campaign",
	"PATCH /v1/rewards/:id":                       "update campaign",
	"POST /v1/segments":                           "create segment",
	"PATCH /v1/segments/:id":                      "update segment",
	"POST /v1/segments/:id/members":               "update segment",
	"DELETE /v1/segments/:id/members":             "update segment",
	"POST /v1/staff":                              "create staff",
	"PATCH /v1/staff/:id":                         "update staff",
	"POST /v1/api-keys":                           "create api_key",
	"DELETE /v1/api-keys/:id":                     "revoke api_key",
	"POST /v1/adjustments":                        "adjust balance",
	"POST /v1/cases/:id/close":                    "close case",
	"POST /v1/outbox/:id/redrive":                 "redrive outbox",
	"POST /v1/inbox/:id/redrive":                  "redrive inbox",
	"POST /v1/whatsapp/numbers":                   "create number",
	"PATCH /v1/whatsapp/numbers/:id":              "update number",
	"DELETE /v1/whatsapp/numbers/:id":             "delete number",
	"POST /v1/jobs/:job/runs":                     "run job",

	"POST /v1/campaigns/:id/simulations":      "", // changes nothing
	"POST /v1/campaigns/:id/enrollments":      "", // a consumer's own
	"POST /v1/auth/login":                     "",
	"POST /v1/auth/refresh":                   "",
	"POST /v1/auth/otp":                       "",
	"POST /v1/auth/otp/verify":                "",
	"POST /v1/auth/logout":                    "",
	"POST /v1/purchases":                      "", // a purchase says who recorded it
	"POST /v1/purchases/:id/confirmation":     "",
	"POST /v1/purchases/:id/reversal":         "", // by a till; that of staff is audited, see TestStaffLeaveATrace
	"POST /v1/redemptions/:code/delivery":     "",
	"POST /v1/redemptions/:code/cancellation": "",
	"POST /v1/rewards/:id/redemptions":        "",
	"POST /v1/whatsapp/numbers/:id/pairing":   "", // of one that is being paired already; see TestStaffLeaveATrace
}

// everyChangeIsAudited looks, once every operation went well, at what they left.
func everyChangeIsAudited(t *testing.T, w *apitest.World) {
	t.Helper()
	left := map[string]bool{}
	for _, row := range auditOf(t, w, store.AuditFilter{}) {
		if row.Name == "Ada" {
			left[string(row.Verb)+" "+row.Noun] = true
		}
	}
	lines := map[string]bool{}
	for _, r := range api.Routes(false) {
		if r.Door != api.Bearer && (r.Door != api.Open || len(r.Path) < 4 || r.Path[:4] != "/v1/") || r.Method == http.MethodGet {
			continue
		}
		name := r.Method + " " + r.Path
		lines[name] = true
		want, listed := auditedAs[name]
		assert.True(t, listed, "%s: say in auditedAs what it leaves", name)
		assert.True(t, want == "" || left[want], "%s left no %q", name, want)
	}
	for name := range auditedAs {
		assert.True(t, lines[name], "%s is no route", name)
	}
}

// TestStaffLeaveATrace: what an admin does with a consumer's things is audited as
// well, by whoever's rules it goes.
func TestStaffLeaveATrace(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	admin := w.As(w.Admin)
	apitest.Data[obj](admin, http.StatusCreated, "POST", "/v1/purchases/"+string(w.Purchase)+"/reversal", obj{"reason": "Prueba"})
	w.Connect(t, w.Number, "+525512340001")
	w.BotSays(t, w.Number, store.NumberState{Status: apitest.Ref(store.NumberLoggedOut)})
	apitest.Data[thing](admin, http.StatusOK, "POST", "/v1/whatsapp/numbers/"+string(w.Number)+"/pairing", nil)
	rows := auditOf(t, w, store.AuditFilter{})
	did := make([]string, len(rows))
	for i, row := range rows {
		did[i] = string(row.Verb) + " " + row.Noun
	}
	assert.Contains(t, did, "reverse purchase")
	assert.Contains(t, did, "resume number")
	assert.True(t, slices.IsSortedFunc(rows, func(a, b store.AuditRow) int { return b.CreatedAt.Compare(a.CreatedAt) }))
}

func auditOf(t *testing.T, w *apitest.World, f store.AuditFilter) (rows []store.AuditRow) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		var err error
		rows, _, err = tx.Audit(ctx, loyalty.System(), f, store.Page{Limit: 1000})
		require.NoError(t, err)
	})
	return rows
}
