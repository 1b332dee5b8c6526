package dev

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"cinema-database/app/internal/images"
	"cinema-database/app/internal/thumbnail"
)

func newBytes(data []byte) io.ReadSeeker { return bytes.NewReader(data) }

// thumbnailer makes thumbnails one at a time, as the Lambda function does for each event.
type thumbnailer struct {
	bucket *images.Bucket
	log    *slog.Logger
	turn   sync.Mutex
	work   sync.WaitGroup
}

// uploaded is api.Options.Uploaded.
func (t *thumbnailer) uploaded(ctx context.Context, id string, original []byte) {
	t.work.Go(func() {
		t.turn.Lock()
		defer t.turn.Unlock()
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		small, err := thumbnail.Make(bytes.NewReader(original))
		if err == nil {
			err = t.bucket.PutThumbnail(ctx, id, small)
		}
		if err != nil {
			t.log.Warn("thumbnail not made", "image", id, "error", err.Error())
		}
	})
}

func (t *thumbnailer) wait() { t.work.Wait() }
