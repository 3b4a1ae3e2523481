package store

import (
	"context"
	"time"
)

// Cloud is the name of the channel through Meta's Cloud API.
const Cloud = "cloud"

// CloudMedia is Meta's ID of a picture that was uploaded before, or "" where
// there is none, or hardly any time is left of it.
func (tx *Tx) CloudMedia(ctx context.Context, phoneID, media, ref string) (id string, err error) {
	err = tx.tx.QueryRow(ctx, `
		SELECT media_id FROM cloud_media WHERE phone_id = $1 AND media = $2 AND media_ref = $3 AND expires_at > $4`,
		phoneID, media, ref, tx.now).Scan(&id)
	if none(err) {
		return "", nil
	}
	return id, err
}

// SaveCloudMedia keeps Meta's ID of a picture for as long as Meta keeps the
// picture.
func (tx *Tx) SaveCloudMedia(ctx context.Context, phoneID, media, ref, id string, life time.Duration) error {
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO cloud_media (phone_id, media, media_ref, media_id, uploaded_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (phone_id, media, media_ref) DO UPDATE
		SET media_id = excluded.media_id, uploaded_at = excluded.uploaded_at, expires_at = excluded.expires_at`,
		phoneID, media, ref, id, tx.now, tx.now.Add(life))
	return err
}

// ForgetCloudMedia forgets the picture of a message, so that it is uploaded again.
// It says whether there was one from an earlier message, which is to say not of
// the last minute.
func (tx *Tx) ForgetCloudMedia(ctx context.Context, phoneID, messageID string) (forgot bool, err error) {
	err = tx.tx.QueryRow(ctx, `
		WITH gone AS (
			DELETE FROM cloud_media c USING outbox o
			WHERE o.message_id = $2 AND c.phone_id = $1 AND c.media = o.media AND c.media_ref = o.media_ref
			RETURNING c.uploaded_at < $3::timestamptz - interval '1 minute' AS old
		)
		SELECT coalesce(bool_or(old), false) FROM gone`, phoneID, messageID, tx.now).Scan(&forgot)
	return forgot, err
}

// CloudNumber is how a number at Meta is.
type CloudNumber struct {
	Phone   string    // in E.164; "" before Meta has said it
	Problem string    // why it cannot send; "" while it can
	Since   time.Time // that it is so
}

// CloudNumber gives what is known of a number; all empty where nothing is.
func (tx *Tx) CloudNumber(ctx context.Context, phoneID string) (n CloudNumber, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT phone, problem, since FROM cloud_numbers WHERE phone_id = $1`, phoneID).Scan(&n.Phone, &n.Problem, &n.Since)
	if none(err) {
		return CloudNumber{}, nil
	}
	return n, err
}

// SaveCloudPhone notes a number's phone.
func (tx *Tx) SaveCloudPhone(ctx context.Context, phoneID, phone string) error {
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO cloud_numbers (phone_id, phone, since, updated_at) VALUES ($1, $2, $3, $3)
		ON CONFLICT (phone_id) DO UPDATE SET phone = excluded.phone, updated_at = excluded.updated_at
		WHERE cloud_numbers.phone <> excluded.phone`, phoneID, phone, tx.now)
	return err
}

// SaveCloudProblem notes why a number cannot send, or by "" that it can.
func (tx *Tx) SaveCloudProblem(ctx context.Context, phoneID, problem string) error {
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO cloud_numbers (phone_id, problem, since, updated_at) VALUES ($1, $2, $3, $3)
		ON CONFLICT (phone_id) DO UPDATE SET problem = excluded.problem, since = excluded.since, updated_at = excluded.updated_at
		WHERE cloud_numbers.problem <> excluded.problem`, phoneID, problem, tx.now)
	return err
}
