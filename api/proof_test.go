package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// sell records a purchase that nobody recorded before, and gives the status.
func sell(t *testing.T, w *apitest.World, token, key string) (status int, text string) {
	t.Helper()
	res := w.On(t).As(token).Do("POST", "/v1/purchases", change(w, nil), apitest.Key(key))
	return res.Status, res.Text()
}

// TestARecognizedCallerIsProvenAgain: the purchase's own transaction finds out
// that a caller who was known a moment ago may not any more.
func TestARecognizedCallerIsProvenAgain(t *testing.T) {
	for name, c := range map[string]struct {
		token  func(*apitest.World) string
		end    func(*testing.T, *apitest.World)
		status int
	}{
		"a revoked key": {
			func(w *apitest.World) string { return w.Key },
			func(t *testing.T, w *apitest.World) {
				t.Helper()
				apitest.Data[thing](w.As(w.Admin), http.StatusOK, "DELETE", "/v1/api-keys/"+string(w.KeyID), nil)
			}, http.StatusUnauthorized,
		},
		"an expired token": {
			func(w *apitest.World) string { return w.Keepers[0].Token },
			func(_ *testing.T, w *apitest.World) { w.Clock.Advance(24 * time.Hour) }, http.StatusUnauthorized,
		},
		"a session that was closed": {
			func(w *apitest.World) string { return w.Keepers[0].Token },
			func(t *testing.T, w *apitest.World) {
				t.Helper()
				require.Equal(t, http.StatusNoContent, w.As(w.Keepers[0].Token).Do("POST", "/v1/auth/logout", nil).Status)
			}, http.StatusUnauthorized,
		},
		"staff that was deactivated": {
			func(w *apitest.World) string { return w.Admin },
			func(t *testing.T, w *apitest.World) {
				t.Helper()
				w.Tx(t, func(ctx context.Context, tx *store.Tx) {
					all, _, err := tx.StaffMembers(ctx, loyalty.System(), store.Page{Limit: 100})
					require.NoError(t, err)
					// The last admin cannot be: somebody else stays.
					_, err = tx.CreateStaff(ctx, loyalty.System(), store.StaffInput{Email: "otra@qoa.test", Password: apitest.Password, Name: "Eva", Role: loyalty.RoleAdmin})
					require.NoError(t, err)
					for _, v := range all {
						if v.Role == loyalty.RoleAdmin {
							off := false
							_, err = tx.UpdateStaff(ctx, loyalty.System(), v.ID, store.StaffPatch{Active: &off})
							require.NoError(t, err)
						}
					}
				})
			}, http.StatusUnauthorized,
		},
		"a tendero who keeps no shop any more": {
			func(w *apitest.World) string { return w.Keepers[0].Token },
			func(t *testing.T, w *apitest.World) {
				t.Helper()
				apitest.Data[thing](w.As(w.Admin), http.StatusOK, "PATCH", "/v1/tenderos/"+string(w.Keepers[0].Tendero), obj{"active": false})
			}, http.StatusUnauthorized,
		},
		"a tendero who keeps another shop now": {
			func(w *apitest.World) string { return w.Keepers[0].Token },
			func(t *testing.T, w *apitest.World) {
				t.Helper()
				admin := w.As(w.Admin)
				apitest.Data[thing](admin, http.StatusOK, "PATCH", "/v1/tenderos/"+string(w.Keepers[0].Tendero), obj{"active": false})
				apitest.Data[thing](admin, http.StatusCreated, "POST", "/v1/tenderos", obj{
					"shop_id": w.Keepers[1].Shop.ID, "phone": w.Keepers[0].Phone, "name": "Lupita",
				})
			}, http.StatusForbidden,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := apitest.New(t)
			token := c.token(w)
			for _, key := range []string{"first", "recognized"} {
				status, text := sell(t, w, token, "proof-"+key)
				require.Equal(t, http.StatusCreated, status, text)
			}
			c.end(t, w)
			for _, key := range []string{"refused", "refused again"} {
				status, text := sell(t, w, token, "proof-"+key)
				assert.Equal(t, c.status, status, text)
			}
			card := apitest.Data[struct{ Balances []struct{ Balance int } }](w.As(enter(t, w)), http.StatusOK, "GET", "/v1/cards/"+w.Shoppers[0].Card, nil)
			assert.Equal(t, 12-10+2, card.Balances[0].Balance, "what was refused left nothing")
		})
	}
}

// enter gives a fresh token of the first consumer.
func enter(t *testing.T, w *apitest.World) (token string) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		tokens, err := tx.IssueTokens(ctx, loyalty.Scope{Role: loyalty.RoleConsumer, Person: w.Shoppers[0].Person})
		require.NoError(t, err)
		token = tokens.Access
	})
	return token
}

// TestAKeyOfAnotherNeverWorks: neither a key whose end differs, nor an access
// token in a key's place, nor one whose role may not sell, however warm memory is.
func TestAKeyOfAnotherNeverWorks(t *testing.T) {
	w := apitest.New(t)
	for _, key := range []string{"warm-1", "warm-2"} {
		status, text := sell(t, w, w.Key, key)
		require.Equal(t, http.StatusCreated, status, text)
	}
	last := "A"
	if w.Key[len(w.Key)-1:] == last {
		last = "B"
	}
	for name, c := range map[string]struct {
		token  string
		status int
	}{
		"another end":           {w.Key[:len(w.Key)-1] + last, http.StatusUnauthorized},
		"longer":                {w.Key + "A", http.StatusUnauthorized},
		"in capitals":           {"QOA_KEY_" + w.Key[len("qoa_key_"):], http.StatusUnauthorized},
		"a page's session":      {w.Keepers[0].Page, http.StatusUnauthorized},
		"a consumer's token":    {w.Shoppers[0].Token, http.StatusForbidden},
		"a brand's token":       {w.Tenants[0].Token, http.StatusForbidden},
		"another shop's keeper": {w.Keepers[1].Token, http.StatusForbidden},
	} {
		for range 2 {
			status, text := sell(t, w, c.token, "of another "+name)
			assert.Equal(t, c.status, status, "%s: %s", name, text)
		}
	}
	revoked := apitest.Data[thing](w.As(w.Admin), http.StatusCreated, "POST", "/v1/api-keys", obj{"label": "Otra caja"})
	apitest.Data[thing](w.As(w.Admin), http.StatusOK, "DELETE", "/v1/api-keys/"+string(revoked.ID), nil)
	status, _ := sell(t, w, revoked.Key, "never recognized")
	assert.Equal(t, http.StatusUnauthorized, status)
}
