package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/http"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// MediaSource is a file that came with a message, as the channel announces it.
type MediaSource struct {
	Mime string
	Size int64
	Ref  []byte // what the channel needs to fetch it; kept until it is fetched
}

// MediaDue is a file that is to be fetched.
type MediaDue struct {
	Inbox    loyalty.ID `db:"inbox_id"`
	Mime     string     `db:"mime"`
	Size     int64      `db:"size"`
	Ref      []byte     `db:"ref"`
	Attempts int        `db:"attempts"` // before this one
}

// MediaFile is a file that was kept.
type MediaFile struct {
	Mime    string `db:"mime"`
	Content []byte `db:"content"`
}

// MaxMediaSize is how large a file may be that is kept.
const MaxMediaSize = 5 << 20

// mediaClaim is how long a file is one worker's to fetch, and mediaAttempts how
// often it is tried.
const (
	mediaClaim    = 2 * time.Minute
	mediaAttempts = 6
)

// expectMedia notes that a file is to be fetched; one that would not be kept is
// refused at once.
func (tx *Tx) expectMedia(in arrived) {
	m := in.Media
	status, problem, ref := "waiting", "", m.Ref
	switch {
	case m.Size > MaxMediaSize:
		status, problem, ref = "refused", "too big", nil
	case m.Mime != "" && !keptMime(m.Mime):
		status, problem, ref = "refused", "type not kept", nil
	}
	tx.later(`
		INSERT INTO media (inbox_id, number_id, status, mime, size, ref, problem, due_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
		in.id, optional(in.Number), status, cut(storable(m.Mime), 100), max(m.Size, 0), ref, problem, tx.now)
}

// DueMedia gives files that are to be fetched through a number, "" for what came
// by a channel that has none, and makes them the caller's for two minutes.
func (tx *Tx) DueMedia(ctx context.Context, number loyalty.ID, limit int) ([]MediaDue, error) {
	return collect[MediaDue](ctx, tx, `
		WITH due AS (
			SELECT inbox_id, attempts FROM media
			WHERE status = 'waiting' AND due_at <= $2 AND number_id IS NOT DISTINCT FROM $1
			ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
		)
		UPDATE media m SET due_at = $4, attempts = m.attempts + 1 FROM due WHERE m.inbox_id = due.inbox_id
		RETURNING m.inbox_id, m.mime, m.size, m.ref, due.attempts`, optional(number), tx.now, limit, tx.now.Add(mediaClaim))
}

// SaveMedia keeps a file that was fetched, if it is of a size and a type that are
// kept: what it is says its content, not its sender. What is not kept is refused
// for good, and no error.
func (tx *Tx) SaveMedia(ctx context.Context, inbox loyalty.ID, content []byte) error {
	mime := sniff(content)
	problem := ""
	switch {
	case len(content) > MaxMediaSize:
		problem = "too big"
	case mime == "":
		problem = "type not kept"
	}
	if problem != "" {
		return tx.MediaFailed(ctx, inbox, problem, true)
	}
	sum := sha256.Sum256(content)
	_, err := tx.tx.Exec(ctx, `
		UPDATE media SET status = 'stored', mime = $2, size = $3, sha256 = $4, content = $5, ref = NULL, problem = ''
		WHERE inbox_id = $1 AND status = 'waiting'`, inbox, mime, len(content), sum[:], content)
	return err
}

// MediaFailed notes that a file could not be fetched, in words without personal
// data. It is tried again later, unless that is useless or was tried often.
func (tx *Tx) MediaFailed(ctx context.Context, inbox loyalty.ID, problem string, final bool) error {
	_, err := tx.tx.Exec(ctx, `
		UPDATE media SET problem = $2, status = CASE WHEN $3 OR attempts >= $5 THEN 'refused' ELSE status END,
		  ref = CASE WHEN $3 OR attempts >= $5 THEN NULL ELSE ref END,
		  due_at = $4::timestamptz + make_interval(secs => 10 * attempts * attempts)
		WHERE inbox_id = $1 AND status = 'waiting'`, inbox, cut(problem, 300), final, tx.now, mediaAttempts)
	return err
}

// Media gives the file of a person's message (an admin). That somebody looked is
// audited, as OpenChat does; not again for each picture of a chat that they have
// open.
func (tx *Tx) Media(ctx context.Context, scope loyalty.Scope, person, inbox loyalty.ID) (MediaFile, error) {
	if err := adminOnly(scope); err != nil {
		return MediaFile{}, err
	}
	file, err := fetch[mediaOf](ctx, tx, loyalty.NotFound(loyalty.CodeNotFound, "No encontramos ese archivo."), `
		SELECT m.mime, m.content, i.person_id, coalesce(c.card_code, '') AS card_code, EXISTS (
		  SELECT FROM audit a WHERE a.subject = i.person_id AND a.noun = 'chat' AND a.actor = $3 AND a.created_at > $4) AS seen
		FROM media m JOIN inbox i ON i.id = m.inbox_id LEFT JOIN consumers c ON c.person_id = i.person_id
		WHERE m.inbox_id = $1 AND m.status = 'stored' AND i.person_id = (SELECT coalesce(p.merged_into, p.id) FROM persons p WHERE p.id = $2)`,
		inbox, person, scope.Actor(), tx.now.Add(-chatOpen))
	if err == nil && !file.Seen {
		tx.audit(scope, Opened, "chat", file.Person, file.Card)
	}
	return file.MediaFile, err
}

// chatOpen is for how long a chat that was opened counts as seen.
const chatOpen = time.Hour

// mediaOf is a file with whose it is, and whether it is noted that its chat is open.
type mediaOf struct {
	MediaFile
	Person loyalty.ID `db:"person_id"`
	Card   string     `db:"card_code"`
	Seen   bool       `db:"seen"`
}

// keptMimes are the types of files that are kept.
var keptMimes = map[string]bool{
	"image/jpeg": true, "image/png": true, "image/webp": true, "audio/ogg": true, "audio/mpeg": true, "audio/mp4": true,
	"video/mp4": true, "application/pdf": true,
}

// keptMime says whether a type, as a sender says it, is one that is kept.
func keptMime(mime string) bool {
	base, _, _ := strings.Cut(strings.ToLower(mime), ";")
	return keptMimes[strings.TrimSpace(base)]
}

// sniff gives the type of a content, "" for one that is not kept.
func sniff(b []byte) string {
	mime := http.DetectContentType(b)
	switch {
	case mime == "application/ogg":
		mime = "audio/ogg"
	case len(b) > 12 && bytes.Equal(b[4:8], []byte("ftyp")):
		mime = "video/mp4"
		if brand := string(b[8:11]); brand == "M4A" || brand == "M4B" {
			mime = "audio/mp4"
		}
	case len(b) > 2 && b[0] == 0xff && b[1]&0xe6 == 0xe2: // a frame of MPEG audio, layer III, without a tag before it
		mime = "audio/mpeg"
	}
	if !keptMimes[mime] {
		return ""
	}
	return mime
}

// cut makes a text no longer than most bytes.
func cut(s string, most int) string {
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "")
	}
	return s
}
