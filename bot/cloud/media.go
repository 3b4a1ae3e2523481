package cloud

import (
	"context"
	"errors"
	"time"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/store"
)

// mediaLife is how long we count on a picture that was uploaded; Meta keeps it
// for thirty days.
const mediaLife = 25 * 24 * time.Hour

// badMedia are Meta's codes for a message whose picture it cannot find or read.
var badMedia = map[int]bool{100: true, 131009: true, 131052: true, 131053: true}

// picture gives Meta's ID of a message's picture, and uploads it where Meta does
// not have it yet.
func (c *Channel) picture(ctx context.Context, m store.Outbound) (id string, err error) {
	err = c.db.InTx(ctx, func(tx *store.Tx) (err error) {
		id, err = tx.CloudMedia(ctx, c.opt.PhoneID, m.Media, m.MediaRef)
		return err
	})
	if err != nil {
		return "", &bot.SendError{What: "the database does not say which picture", Err: err}
	}
	if id != "" {
		return id, nil
	}
	png, err := bot.Picture(c.db.PublicURL(), m)
	if err != nil {
		return "", &bot.SendError{What: "no picture of " + m.Media, Final: true, Err: err}
	}
	id, err = c.graph.upload(ctx, c.opt.PhoneID, "image/png", m.Media+".png", png)
	if err != nil {
		return "", uploadError(err)
	}
	err = c.db.InTx(ctx, func(tx *store.Tx) error {
		return tx.SaveCloudMedia(ctx, c.opt.PhoneID, m.Media, m.MediaRef, id, mediaLife)
	})
	if err != nil {
		return "", &bot.SendError{What: "the picture is not noted", Err: err}
	}
	return id, nil
}

// uploadError is a failure before the message itself was tried: there is no doubt
// about whether the person has it.
func uploadError(err error) error {
	var g graphError
	if errors.As(err, &g) {
		return err
	}
	return &bot.SendError{What: "Meta did not take the picture", Err: err}
}

// forgetPicture forgets that Meta has the picture of a message. It says whether
// there was an old one to forget: a picture that is refused when it is new is no
// better the next time.
func (c *Channel) forgetPicture(ctx context.Context, messageID string) (forgot bool) {
	err := c.db.InTx(ctx, func(tx *store.Tx) (err error) {
		forgot, err = tx.ForgetCloudMedia(ctx, c.opt.PhoneID, messageID)
		return err
	})
	if err != nil {
		c.log.WarnContext(ctx, "a picture that Meta has lost is still noted", "error", err)
	}
	return forgot
}

// How often to look for files to be fetched, and how many at once.
const (
	fetchEvery = 2 * time.Second
	fetchBatch = 10
)

// fetchMedia fetches what messages announced, until the context ends.
func (c *Channel) fetchMedia(ctx context.Context) {
	tick := time.NewTicker(fetchEvery)
	defer tick.Stop()
	for {
		for c.fetchDue(ctx) {
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-c.arrived:
		}
	}
}

// fetchDue fetches one batch; more says whether there may be another.
func (c *Channel) fetchDue(ctx context.Context) (more bool) {
	var due []store.MediaDue
	err := c.db.InTx(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueMedia(ctx, "", fetchBatch)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			c.log.WarnContext(ctx, "files to be fetched are not known", "error", err)
		}
		return false
	}
	for _, d := range due {
		if ctx.Err() != nil {
			return false // others take them when our claim ends
		}
		if err := c.fetchOne(ctx, d); err != nil {
			c.log.WarnContext(ctx, "a file is not kept", "inbox_id", string(d.Inbox), "error", err)
		}
	}
	return len(due) == fetchBatch
}

// fetchOne fetches a file; the error is the database's.
func (c *Channel) fetchOne(ctx context.Context, d store.MediaDue) error {
	content, err := c.graph.download(ctx, string(d.Ref), store.MaxMediaSize)
	if ctx.Err() != nil {
		return nil
	}
	return c.db.InTx(ctx, func(tx *store.Tx) error {
		if err == nil {
			return tx.SaveMedia(ctx, d.Inbox, content)
		}
		var g graphError
		switch {
		case errors.Is(err, errTooLarge):
			return tx.MediaFailed(ctx, d.Inbox, "too big", true)
		case errors.As(err, &g):
			return tx.MediaFailed(ctx, d.Inbox, g.what(), g.class() == permanent)
		}
		return tx.MediaFailed(ctx, d.Inbox, "not fetched", false)
	})
}
