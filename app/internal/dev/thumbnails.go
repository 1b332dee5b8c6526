package dev

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"

	"cinema-database/app/internal/images"
	"cinema-database/app/internal/thumbnail"
)

// thumbnailer makes thumbnails, one at a time.
type thumbnailer struct {
	bucket *images.Bucket
	log    *slog.Logger
	mu     sync.Mutex
	work   sync.WaitGroup
}

// uploaded is api.Options.Uploaded.
func (t *thumbnailer) uploaded(ctx context.Context, id string, original []byte) {
	t.work.Go(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		data, err := thumbnail.Make(bytes.NewReader(original))
		if err == nil {
			err = t.bucket.PutThumbnail(ctx, id, data)
		}
		if err != nil {
			t.log.Warn("cannot make a thumbnail", "image", id, "error", err.Error())
		}
	})
}

func (t *thumbnailer) wait() { t.work.Wait() }
