package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/testimage"
	"cinema-database/internal/testutil/must"
)

// hanging is an upload whose body begins and never ends.
type hanging struct {
	end    func()
	answer chan answer
}

// hang starts an upload, and returns when the API is reading it.
func (h *harness) hang(token string) hanging {
	h.t.Helper()
	r, w := io.Pipe()
	up := hanging{answer: make(chan answer, 1), end: func() { w.CloseWithError(io.ErrUnexpectedEOF) }}
	go func() {
		a, _ := h.try("POST", "/api/images", r, header("Content-Type", "multipart/form-data; boundary=x"), bearer(token))
		up.answer <- a
	}()
	_, _ = io.WriteString(w, "--x\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n") // fails if the API has answered already
	return up
}

// TestIdleUploads: forty uploads on which nothing arrives are in nobody's way. Another one of the same account is refused.
func TestIdleUploads(t *testing.T) {
	h := newHarness(t, func(o *api.Options) { o.UploadPace = api.UploadPace{Bytes: 160 << 10, Window: time.Hour} })
	var all []hanging
	for n := range 40 {
		all = append(all, h.hang(h.signUp(fmt.Sprintf("idle%d", n))))
	}
	busy := h.logIn("idle0", password)
	good := testimage.PNG(4, 4)
	body, contentType := form(file{"image", "x", good})
	refused := h.eventually(http.StatusTooManyRequests, "POST", "/api/images", body, contentType, bearer(busy))
	assert.NotEmpty(t, refused.header.Get("Retry-After"))
	h.upload(h.signUp("ada"), good).requireStatus(t, http.StatusCreated)
	for _, up := range all {
		up.end()
		<-up.answer
	}
	h.eventually(http.StatusCreated, "POST", "/api/images", body, contentType, bearer(busy))
}

// TestSlowUploadsEnd: an upload below the minimum rate is answered with 408, and its memory is free again.
func TestSlowUploadsEnd(t *testing.T) {
	h := newHarness(t)
	o := h.options()
	o.UploadPace = api.UploadPace{Bytes: 100 << 10, Window: 50 * time.Millisecond}
	a := must.OK(api.New(o))(t)
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	h.url = server.URL
	token := h.signUp("ada")
	up := h.hang(token)
	defer up.end()
	p := (<-up.answer).problem(t, http.StatusRequestTimeout)
	assert.Contains(t, p.Detail, "at least 100 KiB must arrive within 50ms")
	require.Eventually(t, a.FreeUploadMemory, time.Minute, time.Millisecond)
	require.Eventually(t, func() bool { return strings.Contains(h.log.String(), `"status":408`) }, time.Minute, time.Millisecond)
}

// TestFailedUploadsFreeTheirMemory: after refused and accepted uploads, no memory is held.
func TestFailedUploadsFreeTheirMemory(t *testing.T) {
	h := newHarness(t)
	a := must.OK(api.New(h.options()))(t)
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	h.url = server.URL
	token := h.signUp("ada")
	for _, data := range [][]byte{testimage.PNG(4, 4), []byte("text"), cut(testimage.PNG(4, 4)), make([]byte, images.MaxBytes+1), make([]byte, 3<<20)} {
		h.upload(token, data)
	}
	up := h.hang(token)
	up.end()
	<-up.answer
	require.Eventually(t, a.FreeUploadMemory, time.Minute, time.Millisecond)
}

// TestLongUpload: an upload may take longer than other requests, while it keeps the minimum rate.
func TestLongUpload(t *testing.T) {
	h := newHarness(t, func(o *api.Options) { o.UploadPace = api.UploadPace{Bytes: 16, Window: time.Minute} })
	token := h.signUp("ada")
	body, contentType := form(file{"image", "x", testimage.PNG(4, 4)})
	h.do("POST", "/api/images", iotest.OneByteReader(strings.NewReader(body)), contentType, bearer(token)).requireStatus(t, http.StatusCreated)
}

func TestCaptionsAndOwners(t *testing.T) {
	h := newHarness(t)
	ada, bob := h.signUp("ada"), h.signUp("bob")
	body, contentType := form(file{"image", "x", testimage.PNG(4, 4)}, file{"caption", "", []byte("  The old cinema ")})
	i := as[imageAnswer](t, h.do("POST", "/api/images", body, contentType, bearer(ada)).requireStatus(t, http.StatusCreated))
	assert.Equal(t, "The old cinema", i.Caption)
	assert.Equal(t, "ada", i.Owner)
	body, contentType = form(file{"caption", "", []byte("first")}, file{"image", "x", testimage.PNG(4, 4)})
	h.do("POST", "/api/images", body, contentType, bearer(bob)).requireStatus(t, http.StatusCreated)
	for _, caption := range []string{"two\nlines", strings.Repeat("a", 201), "\xff"} {
		body, contentType := form(file{"image", "x", testimage.PNG(4, 4)}, file{"caption", "", []byte(caption)})
		h.do("POST", "/api/images", body, contentType, bearer(bob)).problem(t, http.StatusBadRequest)
	}
	h.do("PUT", "/api/images/"+i.ID, map[string]string{"Caption": "mine"}, bearer(bob)).problem(t, http.StatusForbidden)
	h.do("PUT", "/api/images/"+i.ID, map[string]string{"Caption": strings.Repeat("ä", 200)}, bearer(ada)).requireStatus(t, http.StatusOK)
	page := h.images(bob, "?limit=1")
	assert.Equal(t, 2, page.Total)
	page = h.images(bob, "")
	require.Len(t, page.Images, 2)
	assert.Equal(t, []string{"first", "bob"}, []string{page.Images[0].Caption, page.Images[0].Owner})
	assert.Equal(t, []string{strings.Repeat("ä", 200), "ada"}, []string{page.Images[1].Caption, page.Images[1].Owner})
}

// TestMetadataIsRemoved: no member can read where an image was taken.
func TestMetadataIsRemoved(t *testing.T) {
	h := newHarness(t)
	token := h.signUp("ada")
	data := testimage.JPEG(30, 20)
	exif := "Exif\x00\x00GPS 52.5200 13.4050"
	with := fmt.Appendf(append([]byte{}, data[:2]...), "\xff\xe1%c%c%s", 0, len(exif)+2, exif)
	with = append(with, data[2:]...)
	i := as[imageAnswer](t, h.upload(token, append(with, "moov 52.5200"...)).requireStatus(t, http.StatusCreated))
	a := h.do("GET", i.URL, nil, bearer(token)).requireStatus(t, http.StatusOK)
	assert.Equal(t, data, a.body)
	assert.EqualValues(t, len(data), i.Bytes)
}

// TestBytesPerAccount: an account's images have a limit in bytes, which counts what is stored now.
func TestBytesPerAccount(t *testing.T) {
	h := newHarness(t)
	a := must.OK(api.New(h.options()))(t)
	data := testimage.PNG(4, 4)
	a.LimitImages(int64(2*len(data)) + 1)
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	h.url = server.URL
	token := h.signUp("ada")
	first := as[imageAnswer](t, h.upload(token, data).requireStatus(t, http.StatusCreated))
	h.upload(token, data).requireStatus(t, http.StatusCreated)
	h.upload(token, data).problem(t, http.StatusConflict)
	h.upload(h.signUp("bob"), data).requireStatus(t, http.StatusCreated)
	h.do("DELETE", "/api/images/"+first.ID, nil, bearer(token)).requireStatus(t, http.StatusNoContent)
	h.upload(token, data).requireStatus(t, http.StatusCreated)
}

// TestRenditions: a thumbnail and a view are not there yet, or never, or an old image has no view.
func TestRenditions(t *testing.T) {
	now := time.Now()
	h := newHarness(t, func(o *api.Options) { o.Now = func() time.Time { return now } })
	token := h.signUp("ada")
	data := testimage.PNG(4, 4)
	i := as[imageAnswer](t, h.upload(token, data).requireStatus(t, http.StatusCreated))
	for _, path := range []string{i.ViewURL, i.ThumbnailURL} {
		p := h.do("GET", path, nil, bearer(token)).problem(t, http.StatusNotFound)
		assert.NotEmpty(t, p.header.Get("Retry-After"), path)
	}
	now = now.Add(2 * time.Hour)
	a := h.do("GET", i.ViewURL, nil, bearer(token)).requireStatus(t, http.StatusOK)
	assert.Equal(t, data, a.body, "an image from before there were views")

	put := func(key string) {
		require.NoError(t, h.s3.Put(context.Background(), "cinema-images", key, []byte("{}")))
	}
	put(contract.ThumbnailErrorKey(i.ID))
	for _, path := range []string{i.ViewURL, i.ThumbnailURL} {
		p := h.do("GET", path, nil, bearer(token)).problem(t, http.StatusNotFound)
		assert.Empty(t, p.header.Get("Retry-After"), path)
		assert.Equal(t, "This image is damaged; it has no thumbnail.", p.Detail)
	}
	put(contract.ViewKey(i.ID))
	a = h.do("GET", i.ViewURL, nil, bearer(token)).requireStatus(t, http.StatusOK)
	assert.Equal(t, "image/jpeg", a.header.Get("Content-Type"))

	h.do("DELETE", "/api/images/"+i.ID, nil, bearer(token)).requireStatus(t, http.StatusNoContent)
	bucket := images.NewBucket(h.s3.Client(), "cinema-images")
	for _, key := range []string{contract.ViewKey(i.ID), contract.ThumbnailErrorKey(i.ID)} {
		assert.False(t, must.OK(bucket.Exists(context.Background(), key))(t), key)
	}
}
