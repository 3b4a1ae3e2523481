package store_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Beginnings of files of the types that are kept, and of some that are not.
var (
	png  = []byte("\x89PNG\r\n\x1a\n and more")
	webp = []byte("RIFF\x10\x00\x00\x00WEBPVP8 and more")
)

// What a file is says its content; what is too big or of another type is refused.
func TestAFileIsKeptByWhatItIs(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	for i, c := range []struct {
		said    string
		content []byte
		mime    string // "": refused
	}{
		{"image/png", png, "image/png"},
		{"image/jpeg", png, "image/png"},
		{"image/jpeg", []byte("\xff\xd8\xff\xe0\x00\x10JFIF"), "image/jpeg"},
		{"image/webp", webp, "image/webp"},
		{"audio/ogg; codecs=opus", []byte("OggS\x00\x02 and more"), "audio/ogg"},
		{"audio/mpeg", []byte("ID3\x03\x00 and more"), "audio/mpeg"},
		{"audio/mpeg", []byte("\xff\xfb\x90\x44 and more"), "audio/mpeg"},
		{"audio/mp4", []byte("\x00\x00\x00\x1cftypM4A \x00\x00"), "audio/mp4"},
		{"video/mp4", []byte("\x00\x00\x00\x1cftypisom\x00\x00"), "video/mp4"},
		{"application/pdf", []byte("%PDF-1.7 and more"), "application/pdf"},
		{"image/png", []byte("<html><script>alert(1)</script>"), ""},
		{"image/png", []byte("MZ\x90\x00 a program"), ""},
		{"image/png", []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), ""},
		{"image/png", nil, ""},
		{"image/png", append(bytes.Clone(png), make([]byte, store.MaxMediaSize)...), ""},
	} {
		w.gets(store.Inbound{MessageID: string(rune('a' + i)), Kind: store.KindImage, Media: &store.MediaSource{Mime: c.said, Size: 10, Ref: []byte("key")}})
		var due []store.MediaDue
		w.do(func(tx *store.Tx) (err error) {
			due, err = tx.DueMedia(ctx, "", 10)
			return err
		})
		require.Len(t, due, 1, "%d", i)
		require.Equal(t, []byte("key"), due[0].Ref)
		w.do(func(tx *store.Tx) error { return tx.SaveMedia(ctx, due[0].Inbox, c.content) })
		var got store.MediaFile
		err := w.db.InTx(ctx, func(tx *store.Tx) (err error) {
			person, err := tx.PersonByPhone(ctx, ana["phone"].Phone)
			require.NoError(t, err)
			got, err = tx.Media(ctx, w.admin, person, due[0].Inbox)
			return err
		})
		if c.mime == "" {
			require.Equal(t, loyalty.CodeNotFound, loyalty.CodeOf(err), "%d", i)
			continue
		}
		require.NoError(t, err, "%d", i)
		require.Equal(t, c.mime, got.Mime, "%d", i)
		require.Equal(t, c.content, got.Content)
	}
	require.Zero(t, w.count(`SELECT count(*) FROM media WHERE ref IS NOT NULL`), "keys go with the fetching")
}

// What would not be kept is not fetched; what fails is tried again, later and
// later, and not for ever; two workers do not fetch the same.
func TestFetchingAFileIsTriedAgain(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	due := func(number loyalty.ID) (all []store.MediaDue) {
		w.do(func(tx *store.Tx) (err error) {
			all, err = tx.DueMedia(ctx, number, 10)
			return err
		})
		return all
	}
	w.gets(store.Inbound{MessageID: "big", Kind: store.KindVideo, Media: &store.MediaSource{Mime: "video/mp4", Size: store.MaxMediaSize + 1}})
	w.gets(store.Inbound{MessageID: "exe", Kind: store.KindDocument, Media: &store.MediaSource{Mime: "application/x-msdownload", Size: 1}})
	require.Empty(t, due(""))
	n := w.number("uno", time.Hour)
	w.gets(store.Inbound{MessageID: "ok", Number: n.ID, Kind: store.KindImage, Media: &store.MediaSource{Mime: "image/png", Size: 9, Ref: []byte("key")}})
	require.Empty(t, due(""), "it is the number's to fetch")
	all := due(n.ID)
	require.Len(t, all, 1)
	require.Empty(t, due(n.ID), "another has it")
	w.clock.Advance(3 * time.Minute)
	require.Len(t, due(n.ID), 1, "whoever had it is gone")
	fails := 0
	for {
		w.do(func(tx *store.Tx) error { return tx.MediaFailed(ctx, all[0].Inbox, "timed out", false) })
		require.Empty(t, due(n.ID), "not at once")
		w.clock.Advance(time.Hour)
		if len(due(n.ID)) == 0 {
			break
		}
		fails++
		require.Less(t, fails, 10)
	}
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM media WHERE status = 'refused' AND problem = 'timed out' AND ref IS NULL`))
	w.gets(store.Inbound{MessageID: "gone", Number: n.ID, Kind: store.KindImage, Media: &store.MediaSource{Mime: "image/png", Ref: []byte("key")}})
	last := due(n.ID)
	w.do(func(tx *store.Tx) error { return tx.MediaFailed(ctx, last[0].Inbox, "gone", true) })
	w.clock.Advance(time.Hour)
	require.Empty(t, due(n.ID))
}

// Erasing a person forgets their files, with what it takes to fetch them.
func TestErasingForgetsFiles(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	for _, id := range []string{"fetched", "waiting"} {
		w.gets(store.Inbound{MessageID: id, Kind: store.KindImage, Media: &store.MediaSource{Mime: "image/png", Ref: []byte("key")}})
	}
	w.do(func(tx *store.Tx) error {
		due, err := tx.DueMedia(ctx, "", 1)
		require.NoError(t, err)
		require.NoError(t, tx.SaveMedia(ctx, due[0].Inbox, png))
		person, err := tx.FindPhone(ctx, anaPhone)
		require.NoError(t, err)
		return tx.Erase(ctx, person, "borrar")
	})
	require.Zero(t, w.count(`SELECT count(*) FROM media WHERE content IS NOT NULL OR sha256 IS NOT NULL OR ref IS NOT NULL OR status = 'waiting'`))
}
