package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/contract"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/store"
)

const (
	// uploadWait is how long an upload waits for a free slot.
	uploadWait = 10 * time.Second
	// cleanUpTimeout limits work that continues after the client has disconnected.
	cleanUpTimeout = 10 * time.Second
	// maxUploads is the maximum number of uploads in memory, each of up to images.MaxBytes.
	maxUploads = 8
	// multipartOverhead is the maximum size of the form around an image, in bytes.
	multipartOverhead = 64 << 10
	// maxImages is the maximum number of images per account.
	maxImages = 500
	// defaultPage and maxPage are numbers of images on a page.
	defaultPage, maxPage = 24, 100
)

// uploadsPerAccount is the maximum number of concurrent uploads per account, so that the slow uploads of one account
// cannot use all slots.
const uploadsPerAccount = 3

// counter counts the current uploads of each account.
type counter struct {
	mu    sync.Mutex
	count map[bson.ObjectID]int
}

func (c *counter) enter(account bson.ObjectID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count[account] >= uploadsPerAccount {
		return false
	}
	c.count[account]++
	return true
}

func (c *counter) leave(account bson.ObjectID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count[account]--; c.count[account] == 0 {
		delete(c.count, account)
	}
}

// image is an image's JSON form.
type image struct {
	ID          string `json:"id"`
	ContentType string `json:"contentType"`
	Bytes       int64  `json:"bytes"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	// Created is when the image was uploaded, RFC 3339.
	Created string `json:"created"`
	// Mine is true if this session may delete the image.
	Mine bool `json:"mine"`
	// URL and ThumbnailURL are paths on the API's origin, which need the session's token.
	URL          string `json:"url"`
	ThumbnailURL string `json:"thumbnailUrl"`
}

func imagePath(id string) string { return base + "/images/" + id }

func imageJSON(i store.Image, c *call) image {
	return image{
		ID: i.Image, ContentType: i.ContentType, Bytes: i.Bytes, Width: i.Width, Height: i.Height,
		Created: i.Created.UTC().Format(time.RFC3339), Mine: i.Owner == c.session.Account,
		URL: imagePath(i.Image), ThumbnailURL: imagePath(i.Image) + "/thumbnail",
	}
}

func (a *API) postImage(w http.ResponseWriter, c *call) (err error) {
	defer func() {
		if err != nil {
			// Send the answer immediately, without reading the rest of the body.
			w.Header().Set("Connection", "close")
		}
	}()
	if !a.uploading.enter(c.session.Account) {
		return &problem{Status: http.StatusTooManyRequests, Detail: "This account has too many uploads at once; wait until they are finished.", RetryAfter: retryAfter}
	}
	defer a.uploading.leave(c.session.Account)
	wait, cancel := context.WithTimeout(c.Context(), uploadWait)
	defer cancel()
	select {
	case a.uploads <- struct{}{}:
		defer func() { <-a.uploads }()
	case <-wait.Done():
		return &problem{Status: http.StatusServiceUnavailable, Detail: "Too many uploads at once; try again shortly.", RetryAfter: retryAfter}
	}
	data, err := readImage(w, c)
	if err != nil {
		return err
	}
	kind, err := images.Sniff(data)
	switch {
	case errors.Is(err, images.ErrTooManyPixels):
		return problemf(http.StatusRequestEntityTooLarge, "The image has more than %d megapixels.", images.MaxPixels/1_000_000)
	case errors.Is(err, images.ErrAnimated):
		return problemf(http.StatusUnsupportedMediaType, "Animated WebP is not supported; use a GIF or a still image.")
	case err != nil:
		return problemf(http.StatusUnsupportedMediaType, "The file is not a JPEG, PNG, GIF or WebP image.")
	}
	have, err := c.state.Store.CountImages(c.Context(), c.session.Account)
	if err != nil {
		return err
	}
	if have >= maxImages {
		return problemf(http.StatusConflict, "This account already has %d images; delete some first.", maxImages)
	}

	// Store the object before the record, so that every record has its object. From the record on, everything is completed
	// even if the client disconnects.
	id := images.NewID()
	if err := a.bucket.Put(c.Context(), id, kind, data); err != nil {
		return err
	}
	ctx, cancel := detached(c)
	defer cancel()
	record, err := c.state.Store.AddImage(ctx, store.Image{
		Image: id, Owner: c.session.Account, Extension: kind.Extension, ContentType: kind.ContentType,
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
		return err
	}
	// If the account was deleted meanwhile, nobody could delete the image.
	if _, err := c.state.Store.UserOf(ctx, c.session); errors.Is(err, store.ErrNotFound) {
		if err := a.removeImages(ctx, c.state.Store, record); err != nil {
			return err
		}
		return errEnded()
	}
	if a.uploaded != nil {
		a.uploaded(context.WithoutCancel(c.Context()), id, data)
	}
	w.Header().Set("Location", imagePath(id))
	return writeJSON(w, http.StatusCreated, imageJSON(record, c))
}

// detached returns a context that does not end with the request.
func detached(c *call) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.Context()), cleanUpTimeout)
}

// readImage reads the form's only part, named image. It ignores the file name and type, which the client chooses.
func readImage(w http.ResponseWriter, c *call) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || t != "multipart/form-data" {
		return nil, problemf(http.StatusUnsupportedMediaType, "The body must be multipart/form-data with one part, image.")
	}
	tooLong := problemf(http.StatusRequestEntityTooLarge, "The image is longer than %d MiB.", images.MaxBytes>>20)
	if c.ContentLength > images.MaxBytes+multipartOverhead {
		return nil, tooLong
	}
	c.Body = http.MaxBytesReader(w, c.Body, images.MaxBytes+multipartOverhead)
	form, err := c.MultipartReader()
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "The form is malformed.")
	}
	readError := func(err error) error {
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			return tooLong
		case errors.Is(err, os.ErrDeadlineExceeded) || c.Context().Err() == context.DeadlineExceeded:
			return problemf(http.StatusRequestTimeout, "The image did not arrive within %d seconds.", int(transfer.Seconds()))
		case errors.Is(err, multipart.ErrMessageTooLarge):
			return problemf(http.StatusBadRequest, "The form's headers are too long.")
		default:
			return problemf(http.StatusBadRequest, "The form is incomplete.")
		}
	}
	part, err := form.NextPart()
	if err == io.EOF {
		return nil, problemf(http.StatusBadRequest, "The form has no part named image.")
	}
	if err != nil {
		return nil, readError(err)
	}
	if part.FormName() != "image" {
		return nil, problemf(http.StatusBadRequest, "The form may have only one part, named image.")
	}
	data, err := io.ReadAll(io.LimitReader(part, images.MaxBytes+1))
	if err != nil {
		return nil, readError(err)
	}
	if len(data) > images.MaxBytes {
		return nil, tooLong
	}
	switch _, err := form.NextPart(); {
	case err == nil:
		return nil, problemf(http.StatusBadRequest, "The form may have only one part, named image.")
	case err != io.EOF:
		return nil, readError(err)
	}
	return data, nil
}

func (a *API) listImages(w http.ResponseWriter, c *call) error {
	q, err := query(c.URL, "limit", "before")
	if err != nil {
		return err
	}
	limit := defaultPage
	if q.Has("limit") {
		n, err := strconv.Atoi(q.Get("limit"))
		if err != nil || n < 1 || n > maxPage {
			return problemf(http.StatusBadRequest, "limit must be a number from 1 to %d.", maxPage)
		}
		limit = n
	}
	var before bson.ObjectID
	if q.Has("before") {
		if before, err = bson.ObjectIDFromHex(q.Get("before")); err != nil {
			return problemf(http.StatusBadRequest, "before must be the next of an earlier page.")
		}
	}
	// One more record than requested shows whether there is another page.
	records, err := c.state.Store.ListImages(c.Context(), before, limit+1)
	if err != nil {
		return err
	}
	page := struct {
		Images []image `json:"images"`
		// Next is the next page's before; left out on the last page.
		Next string `json:"next,omitempty"`
	}{Images: []image{}}
	if len(records) > limit {
		records = records[:limit]
		page.Next = records[limit-1].Seq.Hex()
	}
	for _, i := range records {
		page.Images = append(page.Images, imageJSON(i, c))
	}
	return writeJSON(w, http.StatusOK, page)
}

// imageRecord returns the record of the image in the path.
func (a *API) imageRecord(c *call) (store.Image, error) {
	id := c.PathValue("id")
	if !images.ValidID(id) {
		return store.Image{}, problemf(http.StatusBadRequest, "An image's id has 26 characters a-z and 2-7.")
	}
	return c.state.Store.ImageByID(c.Context(), id)
}

func (a *API) getImage(w http.ResponseWriter, c *call) error {
	i, err := a.imageRecord(c)
	if err != nil {
		return err
	}
	return a.stream(w, c, images.OriginalKey(i.Image, i.Extension), i.ContentType, `"`+i.Image+`"`)
}

func (a *API) getThumbnail(w http.ResponseWriter, c *call) error {
	i, err := a.imageRecord(c)
	if err != nil {
		return err
	}
	err = a.stream(w, c, contract.ThumbnailKey(i.Image), "image/jpeg", "")
	if errors.Is(err, images.ErrNotFound) {
		return &problem{Status: http.StatusNotFound, Detail: "The thumbnail does not exist yet; try again shortly.", RetryAfter: 2 * time.Second}
	}
	return err
}

// stream sends an object. An empty tag means the object's own ETag; a known tag saves the request to S3.
func (a *API) stream(w http.ResponseWriter, c *call, key, contentType, tag string) error {
	h := w.Header()
	cached := func() bool {
		h.Set("ETag", tag)
		h.Set("Cache-Control", "private, max-age=3600")
		h.Add("Vary", "Authorization")
		return matchesTag(c.Header.Values("If-None-Match"), tag)
	}
	if tag != "" && cached() {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	object, err := a.bucket.Get(c.Context(), key)
	if err != nil {
		return err
	}
	defer object.Close()
	if tag == "" {
		if tag = object.ETag; cached() {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.FormatInt(object.Bytes, 10))
	w.WriteHeader(http.StatusOK)
	if c.Method == http.MethodHead {
		return nil
	}
	_, err = io.Copy(w, object)
	return err
}

func (a *API) deleteImage(w http.ResponseWriter, c *call) error {
	i, err := a.imageRecord(c)
	if err != nil {
		return err
	}
	if i.Owner != c.session.Account {
		return problemf(http.StatusForbidden, "This image belongs to another account.")
	}
	if err := a.removeImages(c.Context(), c.state.Store, i); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// removeImages removes the objects, then the records. If it fails between the two, the records still list the images, so
// it can be repeated.
func (a *API) removeImages(ctx context.Context, s *store.Store, all ...store.Image) error {
	var names []images.Name
	var ids []string
	for _, i := range all {
		names, ids = append(names, images.Name{ID: i.Image, Extension: i.Extension}), append(ids, i.Image)
	}
	if err := a.bucket.Remove(ctx, names...); err != nil {
		return err
	}
	return s.RemoveImages(ctx, ids...)
}
