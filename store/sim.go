package store

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Sim is the name of the simulator's channel.
const Sim = "sim"

// SimMessage is a message as the simulated phone shows it.
type SimMessage struct {
	Seq       int64     `db:"seq"`
	ID        string    `db:"message_id"`
	Direction string    `db:"direction"` // in: to the bot; out: from it
	Text      string    `db:"text"`
	MediaType string    `db:"media_type"`
	Media     string    `db:"media"`
	MediaRef  string    `db:"media_ref"`
	At        time.Time `db:"at"`
}

// SimReceive is a simulated person writing to the bot. The same id twice is one
// message; an empty id gets one.
func (tx *Tx) SimReceive(ctx context.Context, from loyalty.Phone, id, text, kind, trace string) (string, error) {
	if id == "" {
		id = messageID(tx.newID())
	}
	// One at a time writes into a chat: its order on the phone is that of the inbox.
	tx.later(`SELECT `+lockChat, string(from))
	repeated, err := tx.Receive(ctx, Inbound{Channel: Sim, From: from, MessageID: id, Kind: kind, Text: text, TraceID: trace})
	if err != nil || repeated {
		return id, err
	}
	media := ""
	if kind != "text" {
		media = kind
	}
	tx.simWrite(string(from), SimMessage{ID: id, Direction: "in", Text: storable(text), MediaType: media})
	return id, nil
}

// SimDeliver shows a message of the bot on the simulated phone, which ignores
// one that it has, as a real one does.
func (tx *Tx) SimDeliver(chat string, m SimMessage) {
	m.Direction = "out"
	tx.simWrite(chat, m)
}

// lockChat holds the chat $1 until the commit. So numbers are given in the order of
// commits, and who has seen a message has seen all before it.
const lockChat = `pg_advisory_xact_lock(hashtextextended('chat:' || $1, 0))`

func (tx *Tx) simWrite(chat string, m SimMessage) {
	tx.later(`
		INSERT INTO sim_messages (chat, direction, message_id, text, media_type, media, media_ref, at)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8 FROM (SELECT `+lockChat+`) AS held
		ON CONFLICT ON CONSTRAINT sim_messages_key DO NOTHING`,
		chat, m.Direction, m.ID, m.Text, m.MediaType, m.Media, m.MediaRef, tx.now)
}

// SimChat gives the chat with a simulated person, oldest first; after is the
// ID of the last message that the caller has, or "".
func (tx *Tx) SimChat(ctx context.Context, phone loyalty.Phone, after string) ([]SimMessage, error) {
	rows, err := tx.tx.Query(ctx, `
		SELECT seq, message_id, direction, text, media_type, media, media_ref, at FROM sim_messages
		WHERE chat = $1 AND seq > coalesce((SELECT max(seq) FROM sim_messages WHERE chat = $1 AND message_id = $2), 0)
		ORDER BY seq`, phone, after)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[SimMessage])
}

// SimMedia gives what a picture in a simulated chat shows: media is card_qr or
// shop_qr, ref the code. seq is the number in the picture's address.
func (tx *Tx) SimMedia(ctx context.Context, seq string) (media, ref string, err error) {
	n, err := strconv.ParseInt(seq, 10, 64)
	if err == nil {
		err = tx.tx.QueryRow(ctx, `SELECT media, media_ref FROM sim_messages WHERE seq = $1 AND media <> ''`, n).Scan(&media, &ref)
	}
	var notNumber *strconv.NumError
	if none(err) || errors.As(err, &notNumber) {
		return "", "", loyalty.NotFound(loyalty.CodeNotFound, "Esa imagen no existe.")
	}
	return media, ref, err
}
