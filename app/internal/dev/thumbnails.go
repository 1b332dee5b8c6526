package dev

import (
	"context"
	"log/slog"
	"runtime"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cinema-database/app/internal/thumbnailer"
)

// thumbnails makes the renditions of uploaded images, like the Lambda function: a few at a time, each with its own time
// limit, so that a slow image does not delay the others.
type thumbnails struct {
	maker thumbnailer.Thumbnailer
	slots chan struct{}
	work  sync.WaitGroup
	// stopping ends when the server closes.
	stopping context.Context
	stop     context.CancelFunc
}

func newThumbnails(client *s3.Client, log *slog.Logger) *thumbnails {
	// At least two, so that one slow image never is in the way of all others.
	t := &thumbnails{maker: thumbnailer.Thumbnailer{S3: client, Log: log}, slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
	t.stopping, t.stop = context.WithCancel(context.Background())
	return t
}

// uploaded is api.Options.Uploaded. The images whose turn has not come when the server closes have no thumbnail.
func (t *thumbnails) uploaded(id, key string) {
	t.work.Go(func() {
		select {
		case t.slots <- struct{}{}:
			defer func() { <-t.slots }()
		case <-t.stopping.Done():
			return
		}
		// It logs failures itself.
		_ = t.maker.Make(t.stopping, thumbnailer.Original{Bucket: BucketName, Key: key, ID: id})
	})
}

// close cancels the work and waits until it has ended.
func (t *thumbnails) close() error {
	t.stop()
	t.work.Wait()
	return nil
}
