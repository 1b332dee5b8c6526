package dev

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/s3test"
	"cinema-database/app/internal/testimage"
)

// TestThumbnailsDoNotWaitForEachOther: an image that never ends does not hold up another's thumbnail, nor the end.
func TestThumbnailsDoNotWaitForEachOther(t *testing.T) {
	s3 := s3test.Start(t, BucketName)
	slow, good := images.NewID(), images.NewID()
	started := make(chan struct{})
	s3.Intercept = func(r *http.Request) int {
		if strings.Contains(r.URL.Path, contract.OriginalsPrefix+slow) {
			close(started)
			<-r.Context().Done()
			return http.StatusServiceUnavailable
		}
		return 0
	}
	thumbs := newThumbnails(s3.Client, slog.New(slog.DiscardHandler))
	photo := testimage.JPEG(64, 64)
	_, err := s3.Objects.PutObject(BucketName, images.OriginalKey(good, "jpg"), nil, bytes.NewReader(photo), int64(len(photo)), nil)
	require.NoError(t, err)
	thumbs.uploaded(slow, images.OriginalKey(slow, "jpg"))
	<-started
	thumbs.uploaded(good, images.OriginalKey(good, "jpg"))
	for _, key := range []string{contract.ThumbnailKey(good), contract.ViewKey(good)} {
		require.Eventually(t, func() bool {
			_, err := s3.Objects.HeadObject(BucketName, key)
			return err == nil
		}, time.Minute, time.Millisecond)
	}
	assert.NoError(t, thumbs.close(), "ends although an image is not finished")
}
