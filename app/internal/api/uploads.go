package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/sync/semaphore"

	"cinema-database/app/internal/images"
	"cinema-database/app/internal/store"
)

const (
	// uploadMemory is the memory for the bodies of all uploads that are being received, in bytes.
	uploadMemory = 128 << 20
	// maxUploads is the maximum number of received images that are checked and stored at the same time.
	maxUploads = 8
	// uploadWait is how long an upload waits for memory, and for its turn to be stored.
	uploadWait = 10 * time.Second
	// firstBuffer is the memory of an upload before its first byte. It doubles whenever it is full.
	firstBuffer = 64 << 10
	// multipartOverhead is the maximum size of the form around an image, in bytes.
	multipartOverhead = 64 << 10
	// maxCaption is the maximum length of a caption, in characters.
	maxCaption = 200
	// maxImages and maxImageBytes limit the images of an account. Uploads to several instances at the same time can exceed
	// them by one image for each instance.
	maxImages     = 500
	maxImageBytes = 2 << 30
)

// UploadPace is the minimum rate of an upload: each Bytes of it must arrive within Window.
type UploadPace struct {
	Bytes  int64
	Window time.Duration
}

// uploadPace is 16 KiB/s: an image of images.MaxBytes takes up to 17 minutes.
var uploadPace = UploadPace{Bytes: 160 << 10, Window: 10 * time.Second}

// longest is the time limit of an upload at the minimum rate, with the work after it.
func (p UploadPace) longest() time.Duration {
	return time.Duration((images.MaxBytes+multipartOverhead)/p.Bytes+1)*p.Window + transfer
}

// uploads limits the uploads of this instance. An upload first receives its body, with memory only for what has arrived, and
// only then takes one of the slots: a connection on which nothing arrives is in nobody's way.
type uploads struct {
	pace   UploadPace
	memory *semaphore.Weighted
	slots  chan struct{}

	mu      sync.Mutex
	current map[bson.ObjectID]bool // the accounts with an upload
}

func newUploads(pace UploadPace) *uploads {
	if pace == (UploadPace{}) {
		pace = uploadPace
	}
	return &uploads{
		pace: pace, memory: semaphore.NewWeighted(uploadMemory), slots: make(chan struct{}, maxUploads),
		current: map[bson.ObjectID]bool{},
	}
}

// enter starts an account's only upload.
func (u *uploads) enter(account bson.ObjectID) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.current[account] {
		return false
	}
	u.current[account] = true
	return true
}

func (u *uploads) leave(account bson.ObjectID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.current, account)
}

func errFull() *problem {
	return &problem{Status: http.StatusServiceUnavailable, Detail: "Too many uploads at once; try again shortly.", RetryAfter: retryAfter}
}

// slot waits for a slot.
func (u *uploads) slot(ctx context.Context) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, uploadWait)
	defer cancel()
	select {
	case u.slots <- struct{}{}:
		return func() { <-u.slots }, nil
	case <-ctx.Done():
		return nil, errFull()
	}
}

// buffer holds an image while it arrives, in memory that counts against uploads.memory.
type buffer struct {
	uploads *uploads
	data    []byte
}

// readAll reads up to limit bytes. A longer body is a *http.MaxBytesError.
func (b *buffer) readAll(ctx context.Context, r io.Reader, limit int) error {
	for {
		if len(b.data) == cap(b.data) {
			if err := b.grow(ctx, limit); err != nil {
				return err
			}
		}
		n, err := r.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		switch {
		case len(b.data) > limit:
			return &http.MaxBytesError{Limit: int64(limit)}
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// grow doubles the memory, up to one byte above limit.
func (b *buffer) grow(ctx context.Context, limit int) error {
	size := min(max(2*cap(b.data), firstBuffer), limit+1)
	ctx, cancel := context.WithTimeout(ctx, uploadWait)
	defer cancel()
	if b.uploads.memory.Acquire(ctx, int64(size)) != nil {
		return errFull()
	}
	grown := make([]byte, len(b.data), size)
	copy(grown, b.data)
	b.uploads.memory.Release(int64(cap(b.data)))
	b.data = grown
	return nil
}

func (b *buffer) free() {
	b.uploads.memory.Release(int64(cap(b.data)))
	b.data = nil
}

// pacedReader fails with os.ErrDeadlineExceeded if the body arrives more slowly than the pace.
type pacedReader struct {
	io.Reader
	pace    UploadPace
	control *http.ResponseController
	// rest is how many bytes must arrive before the present deadline.
	rest int64
}

func (p *pacedReader) Read(b []byte) (int, error) {
	if p.rest <= 0 {
		p.rest = p.pace.Bytes
		// A writer without a connection, as in some tests, has no deadlines.
		_ = p.control.SetReadDeadline(time.Now().Add(p.pace.Window))
	}
	n, err := p.Reader.Read(b)
	p.rest -= int64(n)
	return n, err
}

// upload is a received form.
type upload struct {
	image   *buffer
	caption string
}

// receive reads the form: one part named image, and optionally one named caption, in any order. It ignores the image's file
// name and type, which the client chooses. The caller frees the image.
func (a *API) receive(w http.ResponseWriter, c *call) (_ upload, err error) {
	up := upload{image: &buffer{uploads: a.uploads}}
	defer func() {
		if err != nil {
			up.image.free()
		}
	}()
	if t, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || t != "multipart/form-data" {
		return upload{}, problemf(http.StatusUnsupportedMediaType, "The body must be multipart/form-data with a part named image.")
	}
	tooLong := problemf(http.StatusRequestEntityTooLarge, "The image is longer than %d MiB.", images.MaxBytes>>20)
	if c.ContentLength > images.MaxBytes+multipartOverhead {
		return upload{}, tooLong
	}
	c.Body = http.MaxBytesReader(w, struct {
		io.Reader
		io.Closer
	}{&pacedReader{Reader: c.Body, pace: a.uploads.pace, control: c.control}, c.Body}, images.MaxBytes+multipartOverhead)
	form, err := c.MultipartReader()
	if err != nil {
		return upload{}, problemf(http.StatusBadRequest, "The form is malformed.")
	}
	readError := func(err error) error {
		var long *http.MaxBytesError
		var p *problem
		switch {
		case errors.As(err, &p):
			return p
		case errors.As(err, &long):
			return tooLong
		case errors.Is(err, os.ErrDeadlineExceeded) || c.Context().Err() == context.DeadlineExceeded:
			return problemf(http.StatusRequestTimeout, "The image arrives too slowly: at least %d KiB must arrive within %v.", a.uploads.pace.Bytes>>10, a.uploads.pace.Window)
		case errors.Is(err, multipart.ErrMessageTooLarge):
			return problemf(http.StatusBadRequest, "The form's headers are too long.")
		default:
			return problemf(http.StatusBadRequest, "The form is incomplete.")
		}
	}
	seen := map[string]bool{}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return upload{}, readError(err)
		}
		name := part.FormName()
		if name != "image" && name != "caption" || seen[name] {
			return upload{}, problemf(http.StatusBadRequest, "The form may have one part named image and one named caption.")
		}
		seen[name] = true
		if name == "image" {
			if err := up.image.readAll(c.Context(), part, images.MaxBytes); err != nil {
				return upload{}, readError(err)
			}
			continue
		}
		text, err := io.ReadAll(io.LimitReader(part, 4*maxCaption+1))
		if err != nil {
			return upload{}, readError(err)
		}
		if up.caption, err = cleanCaption(string(text)); err != nil {
			return upload{}, err
		}
	}
	if !seen["image"] {
		return upload{}, problemf(http.StatusBadRequest, "The form has no part named image.")
	}
	return up, nil
}

// cleanCaption returns a caption without white space around it.
func cleanCaption(text string) (string, error) {
	text = strings.TrimSpace(text)
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || utf8.RuneCountInString(text) > maxCaption {
		return "", &problem{Status: http.StatusBadRequest, Detail: "Some fields are invalid.",
			Fields: []fieldProblem{{"Caption", "must be one line of text with at most 200 characters"}}}
	}
	return text, nil
}

func (a *API) postImage(w http.ResponseWriter, c *call) (err error) {
	defer func() {
		if err != nil {
			// Send the answer immediately, without reading the rest of the body.
			w.Header().Set("Connection", "close")
		}
	}()
	if !a.uploads.enter(c.session.Account) {
		return &problem{Status: http.StatusTooManyRequests, Detail: "Another upload of this account is running; wait until it has ended.", RetryAfter: retryAfter}
	}
	defer a.uploads.leave(c.session.Account)
	up, err := a.receive(w, c)
	// The server's write timeout counts from the request's header, which may be long ago.
	_ = c.control.SetWriteDeadline(time.Now().Add(transfer + quick))
	if err != nil {
		return err
	}
	defer up.image.free()
	ctx, cancel := context.WithTimeout(c.Context(), transfer)
	defer cancel()
	c.Request = c.WithContext(ctx)
	release, err := a.uploads.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	kind, data, err := images.Prepare(up.image.data)
	if err != nil {
		return imageProblem(err)
	}
	if err := a.checkQuota(c, int64(len(data))); err != nil {
		return err
	}
	record, err := a.storeImage(c, kind, data, up.caption)
	if err != nil {
		return err
	}
	if a.uploaded != nil {
		a.uploaded(record.Image, images.OriginalKey(record.Image, record.Extension))
	}
	w.Header().Set("Location", imagePath(record.Image))
	return writeJSON(w, http.StatusCreated, imageJSON(record, c, c.session.Username))
}

// imageProblem returns the answer to an image that images.Prepare refuses.
func imageProblem(err error) error {
	switch {
	case errors.Is(err, images.ErrTooManyPixels):
		return problemf(http.StatusRequestEntityTooLarge, "The image has more than %d megapixels.", images.MaxPixels/1_000_000)
	case errors.Is(err, images.ErrAnimated):
		return problemf(http.StatusUnsupportedMediaType, "Animated WebP is not supported; use a GIF or a still image.")
	case errors.Is(err, images.ErrDamaged):
		return problemf(http.StatusUnprocessableEntity, "The image is damaged or incomplete; upload it again, or another copy.")
	case errors.Is(err, images.ErrTooComplex):
		return problemf(http.StatusUnprocessableEntity, "The image takes too long to decode; save it again, without progressive or interlaced storage.")
	default:
		return problemf(http.StatusUnsupportedMediaType, "The file is not a JPEG, PNG, GIF or WebP image.")
	}
}

// checkQuota checks that the account may store another image of that size.
func (a *API) checkQuota(c *call, size int64) error {
	count, bytes, err := c.state.Store.ImagesUse(c.Context(), c.session.Account)
	switch {
	case err != nil:
		return err
	case count >= maxImages:
		return problemf(http.StatusConflict, "This account already has %d images; delete some first.", maxImages)
	case bytes+size > a.maxImageBytes:
		return problemf(http.StatusConflict, "The images of this account would have more than %d MiB; delete some first.", a.maxImageBytes>>20)
	}
	return nil
}

// storeImage stores the object before the record, so that every record has its object. From the record on, everything is
// completed even if the client disconnects.
func (a *API) storeImage(c *call, kind images.Kind, data []byte, caption string) (store.Image, error) {
	id := images.NewID()
	if err := a.bucket.Put(c.Context(), id, kind, data); err != nil {
		return store.Image{}, err
	}
	ctx, cancel := detached(c)
	defer cancel()
	record, err := c.state.Store.AddImage(ctx, store.Image{
		Image: id, Owner: c.session.Account, Extension: kind.Extension, ContentType: kind.ContentType, Caption: caption,
		Bytes: int64(len(data)), Width: kind.Width, Height: kind.Height, Created: a.now().UTC(),
	})
	if err != nil {
		// The record may exist although the answer was lost, so remove it before the object. An object without a record is
		// harmless.
		ctx, cancel := detached(c)
		defer cancel()
		cleanupErr := c.state.Store.RemoveImages(ctx, id)
		if cleanupErr == nil {
			cleanupErr = a.bucket.Remove(ctx, images.Name{ID: id, Extension: kind.Extension})
		}
		if cleanupErr != nil {
			a.log.Warn("cannot remove the image of a failed upload", "image", id, "error", cleanupErr.Error())
		}
		return store.Image{}, err
	}
	// If the account was deleted meanwhile, nobody could delete the image.
	if _, err := c.state.Store.UserOf(ctx, c.session); errors.Is(err, store.ErrNotFound) {
		if err := a.removeImages(ctx, c.state.Store, record); err != nil {
			return store.Image{}, err
		}
		return store.Image{}, errEnded()
	}
	return record, nil
}
