package api_test

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// queues stand for those in Redis, which are tested where they live: one queue
// with two tasks that were given up.
type queues struct {
	mu     sync.Mutex
	tasks  []api.Task
	paused bool
	did    []string
}

func twoTasks() *queues {
	task := func(id string) api.Task {
		return api.Task{Queue: "talk", ID: id, Kind: "turn", Payload: "0194-persona", State: "archived", Retried: 3, Retries: 3, Problem: "no contesta +52 55 1234 5670", FailedAt: time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)}
	}
	return &queues{tasks: []api.Task{task("t1"), task("t2@9")}}
}

func (q *queues) Queues(context.Context) ([]api.Queue, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return []api.Queue{{Name: "talk", Archived: len(q.tasks), Paused: q.paused, Latency: 3 * time.Second, Processed: 1200}, {Name: "notices"}, {Name: "time"}}, nil
}

func (q *queues) Tasks(_ context.Context, _, state string, _, _ int) ([]api.Task, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if state != "archived" {
		return nil, nil
	}
	return q.tasks, nil
}

func (q *queues) Act(_ context.Context, queue, id, verb string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if id == "gone" {
		return &loyalty.Error{Kind: loyalty.KindConflict, Code: loyalty.CodeConflict, Detail: "Esa tarea está en marcha."}
	}
	q.did = append(q.did, verb+" "+queue+" "+id)
	return nil
}

func (q *queues) ActAll(_ context.Context, queue, state, verb string) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.did = append(q.did, verb+" "+queue+" all "+state)
	return len(q.tasks), nil
}

func (q *queues) Pause(_ context.Context, _ string, stop bool) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.paused = stop
	return nil
}

// TestQueuesOnTheirPage: what an admin does to tasks is done, and audited; what
// cannot be done is said, and is not in the audit.
func TestQueuesOnTheirPage(t *testing.T) {
	q := twoTasks()
	w := apitest.New(t, func(d *api.Deps) { d.Queues = q })
	const talk = "/admin/trabajos/filas/talk"
	get := func(path string) string { return w.Do("GET", path, nil, apitest.Cookie(w.AdminPage)).Text() }
	assert.Contains(t, get("/admin/trabajos"), "Conversaciones y recibos")
	list := get(talk)
	assert.Contains(t, list, "t2@9")
	assert.Contains(t, list, "no contesta …5670")
	require.Equal(t, http.StatusSeeOther, form(w, talk+"/tareas", w.AdminPage, "id", "t2@9", "verb", "run", "estado", "archived").Status)
	require.Equal(t, http.StatusSeeOther, form(w, talk+"/tareas", w.AdminPage, "id", "t1", "verb", "delete", "estado", "archived").Status)
	all := form(w, talk+"/todas", w.AdminPage, "verb", "run", "estado", "archived")
	assert.Contains(t, get(all.Header.Get("Location")), "Listo: 2 tareas.")
	assert.Equal(t, []string{"run talk t2@9", "delete talk t1", "run talk all archived"}, q.did)
	for _, stop := range []string{"1", "0"} {
		require.Equal(t, http.StatusSeeOther, form(w, talk+"/pausa", w.AdminPage, "stop", stop).Status)
		assert.Equal(t, stop == "1", q.paused)
	}
	assert.Len(t, auditOf(t, w, store.AuditFilter{Noun: "task"}), 3)
	assert.Len(t, auditOf(t, w, store.AuditFilter{Noun: "queue"}), 2)

	refused := form(w, talk+"/tareas", w.AdminPage, "id", "gone", "verb", "run", "estado", "archived")
	assert.Equal(t, http.StatusConflict, refused.Status)
	assert.Contains(t, refused.Text(), "en marcha")
	assert.Equal(t, http.StatusNotFound, form(w, talk+"/tareas", w.AdminPage, "id", "t1", "verb", "explode").Status)
	assert.Equal(t, http.StatusNotFound, form(w, "/admin/trabajos/filas/nada/pausa", w.AdminPage, "stop", "1").Status)
	assert.Len(t, auditOf(t, w, store.AuditFilter{Noun: "task"}), 3)
}

// TestInicioSaysWhatNeedsSomebody: all of it leads to where it is done.
func TestInicioSaysWhatNeedsSomebody(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	w.Connect(t, w.Number, "+525512340001")
	fillOutbox(t, w)
	w.BotSays(t, w.Number, store.NumberState{Status: apitest.Ref(store.NumberLoggedOut)})
	draft := apitest.Data[thing](w.As(w.Tenants[0].Token), http.StatusCreated, "POST", "/v1/campaigns", obj{
		"name": "Posada", "scheme": "stamps", "earn": []any{obj{"unit": "stamp", "per": "unit", "amount": 1}}, "goal": 5, "all_products": true, "all_shops": true,
		"margin_bps": 3000, "rewards": []any{obj{"name": "Un refresco", "threshold": 5, "cost_cents": 900}},
	})
	apitest.Data[thing](w.As(w.Tenants[0].Token), http.StatusOK, "POST", "/v1/campaigns/"+string(draft.ID)+"/transitions", obj{"to": "in_review"})
	w.Clock.Advance(3 * time.Minute)
	w.Tx(t, func(_ context.Context, tx *store.Tx) { tx.NoteVerified(2) })
	page := w.Do("GET", "/admin", nil, apitest.Cookie(w.AdminPage)).Text()
	for _, want := range []string{
		"/admin/whatsapp/" + string(w.Number), "2 saldos difieren del libro", "Hay quien espera respuesta desde hace", "/admin/mensajes?estado=parked", "/admin/mensajes?estado=failed",
		"1 caso abierto", "«Posada» espera tu aprobación", "/admin/campanas/" + string(draft.ID),
	} {
		assert.Contains(t, page, want)
	}
	health := w.Do("GET", "/admin/salud", nil, apitest.Cookie(w.AdminPage)).Text()
	for _, want := range []string{"Postgres", "Redis", "Tamaño de la base", "2 diferencias", "qoa ledger verify", "Qoa test", `data-live="/admin/salud/vivo"`} {
		assert.Contains(t, health, want)
	}
	live := w.Do("GET", "/admin/salud/vivo", nil, apitest.Cookie(w.AdminPage))
	assert.NotContains(t, live.Text(), "<html")
	assert.Contains(t, live.Text(), "2 diferencias")
}

// TestLettersOfOneReasonAreSentAgainTogether.
func TestLettersOfOneReasonAreSentAgainTogether(t *testing.T) {
	w := apitest.New(t)
	for _, problem := range []string{"sin señal", "sin señal", "bloqueado"} {
		w.Tx(t, func(ctx context.Context, tx *store.Tx) {
			_, err := tx.Notify(ctx, store.Notice{Person: w.Shoppers[0].Person, Lane: store.LaneReply, Template: "thanks.anyone"})
			require.NoError(t, err)
		})
		w.DeadLetter(t, problem)
	}
	get := func(path string) string { return w.Do("GET", path, nil, apitest.Cookie(w.AdminPage)).Text() }
	failed := get("/admin/mensajes?estado=failed")
	assert.Contains(t, failed, "Enviar otra vez los 2")
	assert.Contains(t, failed, "Enviarlo otra vez")
	only := get("/admin/mensajes?" + url.Values{"estado": {"failed"}, "causa": {"bloqueado"}}.Encode())
	assert.NotContains(t, only, `<p class="why-failed">sin señal`)
	res := form(w, "/admin/mensajes/reenvios", w.AdminPage, "problem", "sin señal")
	require.Equal(t, http.StatusSeeOther, res.Status)
	after := get(res.Header.Get("Location"))
	assert.Contains(t, after, "Listo: 2 mensajes vuelven a la fila.")
	assert.NotContains(t, after, "sin señal")
	assert.Contains(t, after, "bloqueado")
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		queued, _, err := tx.Letters(ctx, loyalty.System(), store.LetterFilter{Status: store.OutboxQueued}, store.Page{Limit: 50})
		require.NoError(t, err)
		assert.GreaterOrEqual(t, len(queued), 2)
	})
	assert.Len(t, auditOf(t, w, store.AuditFilter{Noun: "outbox"}), 1)
}

func TestOperationInABrowser(t *testing.T) {
	w := apitest.New(t, apitest.Numbers, func(d *api.Deps) { d.Queues = twoTasks() })
	w.Connect(t, w.Number, "+525512340001")
	fillOutbox(t, w)
	w.Clock.Advance(3 * time.Minute)
	b := openTab(t, w)
	b.shots("inicio")
	b.do(chromedp.Navigate(w.Base + "/admin/salud"))
	b.shots("health")
	// A page that loads anew has not this.
	b.do(chromedp.SetAttributeValue(`h1`, "data-kept", "1"))
	w.Tx(t, func(_ context.Context, tx *store.Tx) { tx.NoteVerified(0) })
	b.until("the page renewed itself", `document.querySelector('main').innerText.includes('Verificados') && !!document.querySelector('h1[data-kept]')`)
	b.do(chromedp.Navigate(w.Base + "/admin/trabajos"))
	b.shots("jobs")
	b.do(chromedp.Navigate(w.Base + "/admin/trabajos/filas/talk"))
	b.shots("queue")
	b.do(chromedp.Click(`.bulk button`))
	b.until("run again", pageText+`.includes('Listo: 2 tareas.')`)
	b.do(chromedp.Navigate(w.Base + "/admin/mensajes?estado=failed"))
	b.shots("messages-reasons")
	b.do(chromedp.Click(`.reasons button`))
	b.until("sent again", pageText+`.includes('vuelve a la fila')`)
}
