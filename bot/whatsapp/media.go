package whatsapp

import (
	"context"
	"errors"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"github.com/qoa-conectados/qoa/store"
)

// Files come after their messages: a message is persisted and answered at once,
// and a file that cannot be had now is tried again later.

// mostFile is how many bytes of a file are read, with what encryption adds.
const mostFile = store.MaxMediaSize + 64

// mediaTime is how long one file may take.
const mediaTime = time.Minute

// fetchFiles says that there may be files to fetch.
func (s *session) fetchFiles() {
	select {
	case s.files <- struct{}{}:
	default:
	}
}

// fetchAll fetches files as long as the session lives.
func (s *session) fetchAll() {
	again := time.NewTicker(s.fleet.opt.Timing.MediaWait)
	defer again.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-again.C:
		case <-s.files:
		}
		for s.ctx.Err() == nil && s.isConnected() && s.fetchNext() {
		}
	}
}

// fetchNext fetches the file that is due next; more says that there was one.
func (s *session) fetchNext() (more bool) {
	var due []store.MediaDue
	err := s.fleet.opt.DB.InTx(s.ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueMedia(s.ctx, s.id(), 1)
		return err
	})
	if err != nil && s.ctx.Err() == nil {
		s.log.Warn("files that are due not found", "error", err)
	}
	if err != nil || len(due) == 0 {
		return false
	}
	s.fetch(due[0])
	return true
}

func (s *session) fetch(m store.MediaDue) {
	ctx, cancel := context.WithTimeout(s.ctx, mediaTime)
	defer cancel()
	content, err := s.download(ctx, m.Ref)
	// What was fetched is kept, also when the process is told to stop meanwhile.
	ctx = context.WithoutCancel(ctx)
	txErr := s.fleet.opt.DB.InTx(ctx, func(tx *store.Tx) error {
		if err != nil {
			problem, final := mediaProblem(err)
			return tx.MediaFailed(ctx, m.Inbox, problem, final)
		}
		return tx.SaveMedia(ctx, m.Inbox, content)
	})
	if err = errors.Join(err, txErr); err != nil {
		s.log.Info("file not fetched", "inbox_id", string(m.Inbox), "error", withoutNumbers(err))
	}
}

func (s *session) download(ctx context.Context, ref []byte) ([]byte, error) {
	var m waE2E.Message
	if err := proto.Unmarshal(ref, &m); err != nil {
		return nil, errBadRef
	}
	for _, file := range []whatsmeow.DownloadableMessage{
		m.GetImageMessage(), m.GetVideoMessage(), m.GetAudioMessage(), m.GetDocumentMessage(), m.GetStickerMessage(),
	} {
		if file.GetDirectPath() != "" {
			return s.current().Download(ctx, file)
		}
	}
	return nil, errBadRef
}

var errBadRef = errors.New("the file's address is not readable")

// mediaProblem says what happened without personal data, and whether trying again
// is useless.
func mediaProblem(err error) (problem string, final bool) {
	switch {
	case errors.Is(err, errTooLarge):
		return "too big", true
	case errors.Is(err, errBadRef), errors.Is(err, whatsmeow.ErrNoURLPresent):
		return "no address", true
	case errors.Is(err, whatsmeow.ErrMediaDownloadFailedWith403), errors.Is(err, whatsmeow.ErrMediaDownloadFailedWith404), errors.Is(err, whatsmeow.ErrMediaDownloadFailedWith410):
		return "gone from WhatsApp's servers", true
	case errors.Is(err, whatsmeow.ErrInvalidMediaHMAC), errors.Is(err, whatsmeow.ErrInvalidMediaEncSHA256), errors.Is(err, whatsmeow.ErrInvalidMediaSHA256):
		return "damaged", false
	}
	return "not downloaded", false
}
