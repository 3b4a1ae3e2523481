package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// Queue is a queue of tasks as its page shows it.
type Queue struct {
	Name                                        string
	Paused                                      bool
	Pending, Active, Scheduled, Retry, Archived int
	Latency                                     time.Duration // age of the oldest that waits
	Processed, Failed                           int           // today
}

// Task is one task: IDs only.
type Task struct {
	Queue, ID, Kind, Payload, State string
	Retried, Retries                int
	Problem                         string
	FailedAt, NextAt                time.Time
}

// Queues looks into the queues and changes what is in them. A verb is run, archive
// or delete.
type Queues interface {
	Queues(ctx context.Context) ([]Queue, error)
	Tasks(ctx context.Context, queue, state string, page, size int) ([]Task, error)
	Act(ctx context.Context, queue, id, verb string) error
	ActAll(ctx context.Context, queue, state, verb string) (int, error)
	Pause(ctx context.Context, queue string, stop bool) error
}

const (
	jobsURL      = "/admin/trabajos"
	tasksPerPage = 30
)

// scheduled are the jobs of the schedule, in words.
var scheduled = []struct{ name, words, explain string }{
	{"nudges", "Recordatorios", "Cada hora, de día: a quien le falta poco y lleva días sin comprar."},
	{"digests", "Resumen para tenderos", "Los lunes a las 9:00: lo que Qoa vendió en la semana, y a pedir."},
	{"roi", "Resumen para marcas", "Los lunes a las 9:30: el retorno de cada campaña en la semana."},
	{"warnings", "Avisos de vencimiento", "Cada hora, de día: a quien se le vencen sellos o puntos."},
	{"tiers", "Niveles", "Cada hora: cierra los periodos y avisa de los niveles."},
	{"versions", "Cambios programados", "Cada minuto: pone en vigor las versiones de campañas."},
	{"mature", "Compras por confirmar", "Cada minuto: confirma las que ya esperaron lo suficiente."},
	{"budgets", "Presupuestos", "Cada minuto: avisa al 80 y al 100 %."},
	{"balances", "Saldos vencidos", "Cada minuto: quita lo que venció."},
	{"expire", "Premios sin recoger", "Cada minuto: los devuelve al saldo."},
	{"dates", "Fechas de vencimiento", "Cada hora: anota las que faltan."},
	{"rollup", "Resultados", "Cada minuto: suma las ventas nuevas a los reportes."},
	{"rebuild", "Resultados, otra vez", "Cada noche a las 3:00: los calcula de nuevo desde las ventas."},
	{"segments", "Segmentos", "Cada noche a las 2:00: forma los que llevan criterios."},
	{"verify", "Verificación de saldos", "Cada noche a las 4:00: recalcula una muestra desde el libro de movimientos."},
	{"quotas", "Límites viejos", "Cada noche a las 4:00: borra los de periodos que ya pasaron."},
	{"imports", "Importaciones", "Cada minuto: sigue con las que quedaron a medias."},
	{"tidy", "Limpieza", "Cada 5 minutos: borra lo que ya no abre nada."},
}

// queueWords call the queues by what is in them.
var queueWords = map[string]string{"talk": "Conversaciones y recibos", "notices": "Avisos en cantidad", "time": "Trabajos por horario"}

// taskStates are the lists of a queue, in words.
var taskStates = []struct{ state, words string }{
	{"pending", "En espera"}, {"active", "En marcha"}, {"scheduled", "Para después"}, {"retry", "Por reintentar"}, {"archived", "Detenidas"},
}

func (s *server) jobsPage(c *fiber.Ctx) error {
	return s.drawJobs(c, http.StatusOK, func(v *templates.BoardView) {
		v.Flash = jobFlash(c.Query("trabajo"), c.Query("mensajes"))
		switch c.Query("hecho") {
		case "pausa":
			v.Flash = "Listo: la fila está en pausa. Lo que llega a ella espera."
		case "sigue":
			v.Flash = "Listo: la fila sigue."
		}
	})
}

func (s *server) drawJobs(c *fiber.Ctx, status int, add func(*templates.BoardView)) error {
	v := templates.BoardView{Title: "Trabajos", Intro: "Lo que corre por horario, y las filas por las que pasa todo lo demás."}
	add(&v)
	queues := s.queuesPart(c.UserContext())
	return s.board(c, status, askedOf(c), &v, func(ctx context.Context, t *store.Tx, _ store.Page) (loyalty.ID, error) {
		runs, err := t.LastRuns(ctx)
		part := templates.BoardPart{Title: "Por horario", Icon: "clock"}
		for _, j := range scheduled {
			row := templates.BoardRow{Name: j.words, Sub: j.explain}
			if at := runs[j.name]; at.IsZero() {
				row.Facts = []templates.BoardFact{{Name: "Última vez", Text: "todavía no"}}
			} else {
				row.Facts = []templates.BoardFact{{Name: "Última vez", At: at.In(loyalty.Zone(""))}}
			}
			if runnable(j.name) {
				row.Acts = []templates.BoardAct{{Label: "Ejecutar ahora", About: j.words, Action: jobsURL + "/" + j.name + "/ejecutar"}}
			}
			part.Rows = append(part.Rows, row)
		}
		v.Parts = []templates.BoardPart{queues, part}
		return "", err
	})
}

func (s *server) queuesPart(ctx context.Context) templates.BoardPart {
	part := templates.BoardPart{Title: "Filas", Icon: "send", Empty: "No se sabe cómo están las filas: Redis no responde. Los mensajes siguen saliendo, por barrido."}
	if s.Queues == nil {
		return part
	}
	ctx, cancel := context.WithTimeout(ctx, healthWait)
	defer cancel()
	all, err := s.Queues.Queues(ctx)
	if err != nil {
		return part
	}
	for _, q := range all {
		part.Rows = append(part.Rows, queueRow(q))
	}
	return part
}

func queueRow(q Queue) templates.BoardRow {
	count := func(n int) string { return loyalty.Thousands(int64(n)) }
	row := templates.BoardRow{
		Name: queueWords[q.Name], Sub: q.Name, URL: jobsURL + "/filas/" + q.Name, State: templates.OutboxStatus{Word: "trabajando", Tone: "ok"},
		Facts: []templates.BoardFact{
			{Name: "En espera", Text: count(q.Pending)}, {Name: "En marcha", Text: count(q.Active)}, {Name: "Para después", Text: count(q.Scheduled)},
			{Name: "Por reintentar", Text: count(q.Retry)}, {Name: "Detenidas", Text: count(q.Archived)},
			{Name: "Espera la más vieja", Text: seconds(q.Latency)}, {Name: "Hoy", Text: count(q.Processed) + " hechas, " + count(q.Failed) + " con fallas"},
		},
	}
	act := templates.BoardAct{Label: "Pausar", About: queueWords[q.Name], Action: row.URL + "/pausa", Danger: true, Fields: []templates.ConfirmField{{Name: "stop", Value: "1"}}}
	if q.Paused {
		row.State = templates.OutboxStatus{Word: "en pausa", Tone: "degraded"}
		act.Label, act.Danger, act.Fields = "Reanudar", false, []templates.ConfirmField{{Name: "stop", Value: "0"}}
	} else if q.Archived+q.Retry > 0 {
		row.State = templates.OutboxStatus{Word: "con tareas detenidas", Tone: "degraded"}
	}
	row.Acts = []templates.BoardAct{act}
	return row
}

// seconds says how long something waits, also when that is not long.
func seconds(d time.Duration) string {
	switch {
	case d < time.Second:
		return "nada"
	case d < time.Minute:
		return countWords(int64(d/time.Second), "segundo", "segundos")
	case d < time.Hour:
		return countWords(int64(d/time.Minute), "minuto", "minutos")
	case d < 48*time.Hour:
		return countWords(int64(d/time.Hour), "hora", "horas")
	}
	return countWords(int64(d/(24*time.Hour)), "día", "días")
}

// runJobForm runs a job and says on the page how many messages will go.
func (s *server) runJobForm(c *fiber.Ctx) error {
	job := c.Params("job")
	if !runnable(job) {
		return fiber.ErrNotFound
	}
	n, err := s.runNow(c, job, nil)
	if err != nil {
		return err
	}
	return c.Redirect(jobsURL+"?trabajo="+job+"&mensajes="+strconv.Itoa(n), http.StatusSeeOther)
}

func jobFlash(job, messages string) string {
	n, err := strconv.Atoi(messages)
	if err != nil || !runnable(job) {
		return ""
	}
	if n == 0 {
		return "Listo: no hay mensajes que enviar."
	}
	return "Listo: se " + verbOf(n, "enviará", "enviarán") + " " + countWords(int64(n), "mensaje", "mensajes") + "."
}

func verbOf(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func (s *server) queuePage(c *fiber.Ctx) error {
	return s.drawQueue(c, http.StatusOK, func(v *templates.BoardView) {
		if n, err := strconv.Atoi(c.Query("tareas")); err == nil {
			v.Flash = "Listo: " + countWords(int64(n), "tarea", "tareas") + "."
		}
	})
}

// drawQueue lists the tasks of a queue in one state.
func (s *server) drawQueue(c *fiber.Ctx, status int, add func(*templates.BoardView)) error {
	name, state := c.Params("queue"), c.Query("estado", formText(c, "estado"))
	if queueWords[name] == "" || s.Queues == nil {
		return fiber.ErrNotFound
	}
	if state == "" {
		state = "archived"
	}
	page := max(1, c.QueryInt("pagina", 1))
	at := jobsURL + "/filas/" + name
	v := templates.BoardView{
		Title: queueWords[name], Intro: "Las tareas llevan solo identificadores. Lo que se borra aquí y sigue pendiente en la base, vuelve a su fila solo.",
		Back: &templates.DeskLink{Name: "Trabajos", URL: jobsURL}, TabsName: "Qué tareas", Action: at, NextName: "Siguientes",
	}
	for _, o := range taskStates {
		v.Tabs = append(v.Tabs, templates.OutboxFilter{Name: o.words, URL: at + "?estado=" + o.state, Here: o.state == state})
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), healthWait)
	defer cancel()
	tasks, err := s.Queues.Tasks(ctx, name, state, page, tasksPerPage)
	if err != nil {
		return err
	}
	part := templates.BoardPart{Empty: "Ninguna."}
	for i := range tasks {
		part.Rows = append(part.Rows, s.taskRow(&tasks[i], at))
	}
	if verb, label := bulkOf(state); verb != "" && len(tasks) > 0 {
		v.Bulk = &templates.BoardAct{Label: label, Action: at + "/todas", Fields: []templates.ConfirmField{{Name: "estado", Value: state}, {Name: "verb", Value: verb}}}
	}
	add(&v)
	turn := func(n int) string {
		return at + "?" + url.Values{"estado": {state}, "pagina": {strconv.Itoa(n)}}.Encode()
	}
	if len(tasks) == tasksPerPage {
		v.NextURL = turn(page + 1)
	}
	if page > 1 {
		v.FirstURL = turn(1)
	}
	next, first := v.NextURL, v.FirstURL
	return s.board(c, status, askedOf(c), &v, func(context.Context, *store.Tx, store.Page) (loyalty.ID, error) {
		v.Parts, v.NextURL, v.FirstURL = []templates.BoardPart{part}, next, first
		return "", nil
	})
}

// bulkOf is what can be done to all tasks of a state at once.
func bulkOf(state string) (verb, label string) {
	switch state {
	case "retry", "scheduled":
		return "run", "Correr todas ahora"
	case "archived":
		return "run", "Volver a correr todas"
	}
	return "", ""
}

func (s *server) taskRow(t *Task, at string) templates.BoardRow {
	row := templates.BoardRow{
		Name: t.Kind, Sub: t.ID, Wrong: s.masked(t.Problem),
		Facts: []templates.BoardFact{{Name: "Sobre", Text: t.Payload, Code: true}, {Name: "Intentos", Text: strconv.Itoa(t.Retried) + " de " + strconv.Itoa(t.Retries)}},
	}
	zone := loyalty.Zone("")
	if !t.FailedAt.IsZero() {
		row.Facts = append(row.Facts, templates.BoardFact{Name: "Falló", At: t.FailedAt.In(zone)})
	}
	if !t.NextAt.IsZero() && (t.State == "retry" || t.State == "scheduled") {
		row.Facts = append(row.Facts, templates.BoardFact{Name: "Le toca", At: t.NextAt.In(zone)})
	}
	if t.State == "active" {
		return row
	}
	act := func(label, verb string, danger bool) {
		row.Acts = append(row.Acts, templates.BoardAct{
			Label: label, About: t.Kind + " " + t.ID, Action: at + "/tareas", Danger: danger,
			Fields: []templates.ConfirmField{{Name: "id", Value: t.ID}, {Name: "verb", Value: verb}, {Name: "estado", Value: t.State}},
		})
	}
	if t.State != "pending" {
		act("Correr ahora", "run", false)
	}
	if t.State != "archived" {
		act("Detener", "archive", false)
	}
	act("Borrar", "delete", true)
	return row
}

// onQueue changes something in a queue, in the transaction that notes it.
func (s *server) onQueue(c *fiber.Ctx, verb store.Verb, noun, label string, change func(context.Context) error) error {
	if s.Queues == nil || queueWords[c.Params("queue")] == "" {
		return fiber.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), healthWait)
	defer cancel()
	return s.DB.InTx(ctx, func(t *store.Tx) error {
		if err := t.Note(ctx, scopeOf(c), verb, noun, "", label); err != nil {
			return err
		}
		return change(ctx)
	})
}

func (s *server) pauseQueueForm(c *fiber.Ctx) error {
	queue, stop := c.Params("queue"), formText(c, "stop") == "1"
	verb, done := store.Unpaused, "sigue"
	if stop {
		verb, done = store.Paused, "pausa"
	}
	err := s.onQueue(c, verb, "queue", queueWords[queue], func(ctx context.Context) error { return s.Queues.Pause(ctx, queue, stop) })
	if err != nil {
		return err
	}
	return c.Redirect(jobsURL+"?hecho="+done, http.StatusSeeOther)
}

// taskVerbs are what can be done to tasks, and how the audit calls it.
var taskVerbs = map[string]store.Verb{"run": store.Ran, "archive": store.Paused, "delete": store.Deleted}

func (s *server) actTaskForm(c *fiber.Ctx) error {
	queue, id, verb := c.Params("queue"), formText(c, "id"), formText(c, "verb")
	return s.didTasks(c, verb, id, func(ctx context.Context) (int, error) { return 1, s.Queues.Act(ctx, queue, id, verb) })
}

func (s *server) actTasksForm(c *fiber.Ctx) error {
	queue, state, verb := c.Params("queue"), formText(c, "estado"), formText(c, "verb")
	return s.didTasks(c, verb, queue+" / "+state, func(ctx context.Context) (int, error) { return s.Queues.ActAll(ctx, queue, state, verb) })
}

func (s *server) didTasks(c *fiber.Ctx, verb, label string, do func(context.Context) (int, error)) error {
	done := 0
	err := s.onQueue(c, taskVerbs[verb], "task", label, func(ctx context.Context) error {
		if taskVerbs[verb] == "" {
			return loyalty.NotFound(loyalty.CodeNotFound, "Eso no se le puede hacer a una tarea.")
		}
		n, err := do(ctx)
		done = n
		return err
	})
	if p, ok := refused(err); err != nil && ok && p.Status == http.StatusConflict {
		return s.drawQueue(c, p.Status, func(v *templates.BoardView) { v.Error = words(p) })
	}
	if err != nil {
		return err
	}
	q := url.Values{"estado": {formText(c, "estado")}, "tareas": {strconv.Itoa(done)}}
	return c.Redirect(jobsURL+"/filas/"+c.Params("queue")+"?"+q.Encode(), http.StatusSeeOther)
}

// ScheduledJobs are those that the page has words for.
func ScheduledJobs() (names []string) {
	for _, j := range scheduled {
		names = append(names, j.name)
	}
	return names
}
