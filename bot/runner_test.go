package bot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/bottest"
	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestActionsAreThoseThatFlowsDeclare(t *testing.T) {
	have := bot.ActionNames()
	slices.Sort(have)
	assert.Equal(t, flows.Actions().Names(), have)
}

func TestUndeclaredOutcomesAreErrors(t *testing.T) {
	assert.NoError(t, bot.Declared("load_profile", flows.Outcome{Name: "unknown"}))
	assert.ErrorContains(t, bot.Declared("load_profile", flows.Outcome{Name: "perhaps"}), "not declared")
	assert.ErrorContains(t, bot.Declared("load_profile", flows.Outcome{Name: "known"}), "does not set name")
}

func TestPitfall28_AMessageThatCrashesIsParkedAndTheNextIsAnswered(t *testing.T) {
	for name, fail := range map[string]func() (flows.Outcome, error){
		"panic":             func() (flows.Outcome, error) { panic("a defect") },
		"error":             func() (flows.Outcome, error) { return flows.Outcome{}, errors.New("a defect") },
		"undeclared":        func() (flows.Outcome, error) { return flows.Outcome{Name: "nonsense"}, nil },
		"missing variables": func() (flows.Outcome, error) { return flows.Outcome{Name: "some"}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			w := bottest.New(t)
			ana := w.Ana()
			w.Runner.Replace("load_balance", fail)
			ana.Writes("text", "saldo")
			ana.Writes("text", "mi tarjeta")
			for range store.MaxAttempts - 1 {
				require.Error(t, w.Runner.HandleTurns(t.Context(), ana.Person()), "to be tried again later")
				assert.Empty(t, ana.Receives(), "the next message does not overtake")
			}
			require.NoError(t, w.Runner.HandleTurns(t.Context(), ana.Person()))
			got := ana.Receives()
			require.Len(t, got, 2)
			assert.Contains(t, got[0].Text, "Tuvimos un problema")
			assert.Contains(t, got[1].Text, "/c/")
		})
	}
}

// kill runs a turn as a process does that is killed in the midst of it: nothing of
// it is committed, and nobody is told.
func kill(t *testing.T, r *bot.Runner, ana *bottest.Phone) {
	t.Helper()
	ctx, killed := context.WithCancel(t.Context())
	r.Replace("load_balance", func() (flows.Outcome, error) {
		killed()
		return flows.Outcome{}, ctx.Err()
	})
	require.Error(t, r.HandleTurns(ctx, ana.Person()))
}

func TestPitfall28_AMessageThatKillsTheProcessIsParkedAndTheNextIsAnswered(t *testing.T) {
	w := bottest.New(t)
	ana := w.Ana()
	ana.Writes("text", "saldo")
	ana.Writes("text", "mi tarjeta")
	for n := range store.MaxAttempts {
		kill(t, w.Process(fmt.Sprintf("run %d", n)), ana)
		assert.Empty(t, ana.Receives(), "the next message does not overtake")
	}
	require.NoError(t, w.Process("the last").HandleTurns(t.Context(), ana.Person()))
	got := ana.Receives()
	require.Len(t, got, 2)
	assert.Contains(t, got[0].Text, "Tuvimos un problema")
	assert.Contains(t, got[1].Text, "/c/")
	w.Do(func(tx *store.Tx) error {
		problems, _, err := tx.ParkedMessages(t.Context(), loyalty.System(), store.Page{Limit: 10})
		require.Len(t, problems, 1)
		assert.Contains(t, problems[0].Problem, "process ended")
		return err
	})
}

// What happens to a process by chance is not the message's fault.
func TestPitfall28_KilledTwiceAMessageIsAnsweredAllTheSame(t *testing.T) {
	w := bottest.New(t)
	ana := w.Ana()
	ana.Writes("text", "saldo")
	for n := range store.MaxAttempts - 1 {
		kill(t, w.Process(fmt.Sprintf("run %d", n)), ana)
	}
	require.NoError(t, w.Process("the last").HandleTurns(t.Context(), ana.Person()))
	got := ana.Receives()
	require.Len(t, got, 1)
	assert.NotContains(t, got[0].Text, "problema")
}

// A turn that a living process tries again, since the database was away, counts
// nothing.
func TestWhatTheProcessSurvivesIsNotCounted(t *testing.T) {
	w := bottest.New(t)
	ana := w.Ana()
	ana.Writes("text", "saldo")
	r := w.Process("the only run")
	for range 2 * store.MaxAttempts {
		kill(t, r, ana)
	}
	r.Replace("load_balance", func() (flows.Outcome, error) { return flows.Outcome{Name: "no_card"}, nil })
	require.NoError(t, r.HandleTurns(t.Context(), ana.Person()))
	assert.Len(t, ana.Receives(), 1)
}

func TestEachKindOfMessageHasItsAnswer(t *testing.T) {
	w := bottest.New(t)
	ana := w.Phone("+525512345678")
	for kind, want := range map[string]string{
		store.KindImage: "Recibí tu foto", store.KindAudio: "no puedo escuchar", store.KindVideo: "No puedo ver videos", store.KindSticker: "sticker",
		store.KindDocument: "documentos", store.KindLocation: "ubicación", store.KindContact: "contacto", store.KindPoll: "encuesta",
		store.KindUnsupported: "Eso no lo puedo leer",
	} {
		assert.Contains(t, ana.Sends(kind, ""), want, kind)
	}
	assert.Contains(t, ana.Sends(store.KindLocation, "Saldo"), "ubicación", "the name of a place is no question")
	assert.Contains(t, ana.Sends(store.KindImage, "saldo"), "tarjeta", "a caption is")
	for _, kind := range []string{store.KindReaction, store.KindPollVote, store.KindDelete} {
		ana.Writes(kind, "")
		require.NoError(t, w.Runner.HandleTurns(t.Context(), ana.Person()))
		assert.Empty(t, ana.Receives(), kind)
	}
	ana.Writes(store.KindUndecryptable, "")
	ana.Writes(store.KindUndecryptable, "")
	w.Clock.Advance(time.Minute)
	require.NoError(t, w.Runner.HandleTurns(t.Context(), ana.Person()))
	got := ana.Receives()
	require.Len(t, got, 1, "one asks once")
	assert.Contains(t, got[0].Text, "¿Me lo reenvías, por favor?")
}

func TestAFailureThatPassesLosesNothing(t *testing.T) {
	w := bottest.New(t)
	ana := w.Phone("+525512345678")
	ana.Writes("text", phrase)
	failures := 1
	w.Runner.Replace("load_profile", func() (flows.Outcome, error) {
		if failures--; failures >= 0 {
			return flows.Outcome{}, errors.New("bad luck")
		}
		return flows.Outcome{Name: "unknown"}, nil
	})
	require.Error(t, w.Runner.HandleTurns(t.Context(), ana.Person()))
	w.Do(func(tx *store.Tx) error {
		url, _, err := tx.ChatLink(t.Context(), ana.Person())
		assert.Empty(t, url, "what the turn did is taken back with it")
		return err
	})
	require.NoError(t, w.Runner.HandleTurns(t.Context(), ana.Person()))
	require.Len(t, ana.Receives(), 1)
}

func TestPitfall26_TheSameMessageTwiceIsAnsweredOnce(t *testing.T) {
	w := bottest.New(t)
	for range 2 {
		w.Do(func(tx *store.Tx) error {
			_, err := tx.SimReceive(t.Context(), "+525512345678", "the-same-id", phrase, "text", "")
			return err
		})
	}
	ana := w.Phone("+525512345678")
	require.NoError(t, w.Runner.HandleTurns(t.Context(), ana.Person()))
	assert.Len(t, ana.Receives(), 1)
}

func TestANewProductIsUnderstoodAMomentLater(t *testing.T) {
	w := bottest.New(t)
	ana, tendero := w.Ana(), w.Phone(bottest.TenderoPhone)
	w.Do(func(tx *store.Tx) error {
		_, err := tx.CreateProduct(t.Context(), admin, store.ProductInput{
			Brand: brandOf(t, tx), GTIN: "7501055363278", Name: "Agua Manantial 1 L", Nicknames: []string{"manantial"}, ReferencePrice: 1400,
		})
		return err
	})
	assert.Contains(t, tendero.Says(ana.Code()+" 2 manantial"), "Compra registrada: 2 Agua Manantial 1 L")
}

var admin = loyalty.System()

func brandOf(t *testing.T, tx *store.Tx) loyalty.ID {
	t.Helper()
	brands, _, err := tx.Brands(t.Context(), admin, store.BrandFilter{}, store.Page{Limit: 1})
	require.NoError(t, err)
	require.NotEmpty(t, brands)
	return brands[0].ID
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		"ANA": "Ana", "ana maría de la cruz": "Ana María de la Cruz", "  José\tLuis ": "José Luis", "McDonald": "McDonald",
		"de la Rosa": "de la Rosa", "ÁNGEL NÚÑEZ": "Ángel Núñez", "ÁNGEL ñúñez": "ÁNGEL ñúñez", "": "", "   ": "", "123": "", strings.Repeat("a", 81): "", "\xff": "",
	} {
		assert.Equal(t, want, bot.TidyName(in), in)
	}
}

func TestBirthdays(t *testing.T) {
	now := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	for _, good := range []string{"02-29", "12-31", "1990-05-12", "2000-02-29"} {
		assert.True(t, bot.IsBirthday(good, now), good)
	}
	for _, bad := range []string{"", "02-30", "13-01", "1999-02-29", "2030-01-01", "1850-01-01", "hoy", "5-12"} {
		assert.False(t, bot.IsBirthday(bad, now), bad)
	}
}

func TestTimesInWords(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return v
	}
	now := at("2026-03-06T05:30:00Z") // the evening of the 5th in Mexico City
	assert.Equal(t, "hoy a las 23:59", bot.Moment(at("2026-03-06T05:59:00Z"), now, "America/Mexico_City"))
	assert.Equal(t, "mañana a la 01:05", bot.Moment(at("2026-03-06T07:05:00Z"), now, "America/Mexico_City"))
	assert.Equal(t, "el 8 de marzo a las 12:00", bot.Moment(at("2026-03-08T18:00:00Z"), now, ""))
	assert.Equal(t, "el 6 de marzo a las 05:59", bot.Moment(at("2026-03-06T05:59:00Z"), at("2026-03-01T00:00:00Z"), "UTC"))
}
