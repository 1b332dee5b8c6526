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
	// uploadWait is how long an upload waits for a place.
	uploadWait = 10 * time.Second
	// cleanUp bounds what is finished after the client has gone.
	cleanUp = 10 * time.Second
	// maxUploads is how many uploads are in memory at once, each of up to images.MaxBytes.
	maxUploads = 8
	// multipartRoom is what the form around an image may take, in bytes.
	multipartRoom = 64 << 10
	// maxImages is the most images of one account.
	maxImages = 500
	// defaultPage and maxPage are lengths of a page of the gallery.
	defaultPage, maxPage = 24, 100
)

// perAccount is how many uploads of one account are under way at once: a few slow ones must not take every place.
const perAccount = 3

// counter counts what each account has under way.
type counter struct {
	mu    sync.Mutex
	count map[bson.ObjectID]int
}

func (c *counter) enter(account bson.ObjectID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count[account] >= perAccount {
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

// image is an image as clients see it.
type image struct {
	ID          string `json:"id"`
	ContentType string `json:"contentType"`
	Bytes       int64  `json:"bytes"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	// Created is when the image was uploaded, RFC 3339.
	Created string `json:"created"`
	// Mine says whether this session may delete the image.
	Mine bool `json:"mine"`
	// URL and ThumbnailURL are paths on this API, and need the session's token.
	URL          string `json:"url"`
	ThumbnailURL string `json:"thumbnailUrl"`
}

func shown(i store.Image, c *call) image {
	return image{
		ID: i.Image, ContentType: i.ContentType, Bytes: i.Bytes, Width: i.Width, Height: i.Height,
		Created: i.Created.UTC().Format(time.RFC3339), Mine: i.Owner == c.session.Account,
		URL: "/images/" + i.Image, ThumbnailURL: "/images/" + i.Image + "/thumbnail",
	}
}

func (a *API) postImage(w http.ResponseWriter, c *call) (err error) {
	defer func() {
		if err != nil {
			// The answer goes out at once, and does not wait for what is left of the body.
			w.Header().Set("Connection", "close")
		}
	}()
	if !a.uploading.enter(c.session.Account) {
		return &problem{Status: http.StatusTooManyRequests, Detail: "This account has uploads under way; wait for them.", RetryAfter: retryAfter}
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
		return problemf(http.StatusUnsupportedMediaType, "An animated WebP is not taken; a GIF or a still image is.")
	case err != nil:
		return problemf(http.StatusUnsupportedMediaType, "The file is not a JPEG, PNG, GIF or WebP image.")
	}
	have, err := c.state.Store.CountImages(c.Context(), c.session.Account)
	if err != nil {
		return err
	}
	if have >= maxImages {
		return problemf(http.StatusConflict, "This account has %d images already; delete some first.", maxImages)
	}

	// The object comes first: a record always has its image. From the record on, all is finished also where the client has gone.
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
		// The record may be there although the answer was lost: only once it is gone may the object go, which alone hurts nobody.
		ctx, cancel := detached(c)
		defer cancel()
		gone := c.state.Store.RemoveImages(ctx, id)
		if gone == nil {
			gone = a.bucket.Remove(ctx, images.Name{ID: id, Extension: kind.Extension})
		}
		if gone != nil {
			a.log.Warn("image of a failed upload left behind", "image", id, "error", gone.Error())
		}
		return err
	}
	// An account that was deleted meanwhile leaves no image that nobody could delete.
	if _, err := c.state.Store.UserOf(ctx, c.session); errors.Is(err, store.ErrNotFound) {
		if err := a.removeImages(ctx, c.state.Store, record); err != nil {
			return err
		}
		return errEnded()
	}
	if a.uploaded != nil {
		a.uploaded(context.WithoutCancel(c.Context()), id, data)
	}
	w.Header().Set("Location", "/images/"+id)
	return writeJSON(w, http.StatusCreated, shown(record, c))
}

// detached is a context that does not end with the request.
func detached(c *call) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.Context()), cleanUp)
}

// readImage reads the form's one part, named image. Its file name and its type are the client's claims, and not read.
func readImage(w http.ResponseWriter, c *call) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || t != "multipart/form-data" {
		return nil, problemf(http.StatusUnsupportedMediaType, "The body must be multipart/form-data with one part, image.")
	}
	tooLong := problemf(http.StatusRequestEntityTooLarge, "The image is longer than %d MiB.", images.MaxBytes>>20)
	if c.ContentLength > images.MaxBytes+multipartRoom {
		return nil, tooLong
	}
	c.Body = http.MaxBytesReader(w, c.Body, images.MaxBytes+multipartRoom)
	form, err := c.MultipartReader()
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "The form is malformed.")
	}
	broken := func(err error) error {
		var long *http.MaxBytesError
		switch {
		case errors.As(err, &long):
			return tooLong
		case errors.Is(err, os.ErrDeadlineExceeded) || c.Context().Err() == context.DeadlineExceeded:
			return problemf(http.StatusRequestTimeout, "The image did not arrive within %d seconds.", int(transfer.Seconds()))
		case errors.Is(err, multipart.ErrMessageTooLarge):
			return problemf(http.StatusBadRequest, "The form's headers are too long.")
		default:
			return problemf(http.StatusBadRequest, "The form did not arrive whole.")
		}
	}
	part, err := form.NextPart()
	if err == io.EOF {
		return nil, problemf(http.StatusBadRequest, "The form has no part named image.")
	}
	if err != nil {
		return nil, broken(err)
	}
	if part.FormName() != "image" {
		return nil, problemf(http.StatusBadRequest, "The form may have one part only, named image.")
	}
	data, err := io.ReadAll(io.LimitReader(part, images.MaxBytes+1))
	if err != nil {
		return nil, broken(err)
	}
	if len(data) > images.MaxBytes {
		return nil, tooLong
	}
	switch _, err := form.NextPart(); {
	case err == nil:
		return nil, problemf(http.StatusBadRequest, "The form may have one part only, named image.")
	case err != io.EOF:
		return nil, broken(err)
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
			return problemf(http.StatusBadRequest, "before must be what an earlier page gave as next.")
		}
	}
	// One more than asked for tells whether there is another page.
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
		page.Images = append(page.Images, shown(i, c))
	}
	return writeJSON(w, http.StatusOK, page)
}

// imageRecord finds the image that the path names.
func (a *API) imageRecord(c *call) (store.Image, error) {
	id := c.PathValue("id")
	if !images.ValidID(id) {
		return store.Image{}, problemf(http.StatusBadRequest, "An image's id is 26 characters a-z and 2-7.")
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
		return &problem{Status: http.StatusNotFound, Detail: "The thumbnail is not made yet; try again shortly.", RetryAfter: 2 * time.Second}
	}
	return err
}

// stream sends an object. The tag is known beforehand for what never changes; otherwise it is S3's.
func (a *API) stream(w http.ResponseWriter, c *call, key, contentType, tag string) error {
	h := w.Header()
	cached := func() bool {
		h.Set("ETag", tag)
		h.Set("Cache-Control", "private, max-age=3600")
		h.Add("Vary", "Authorization")
		return confirms(c.Header.Values("If-None-Match"), tag)
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
		return problemf(http.StatusForbidden, "This image is another's.")
	}
	if err := a.removeImages(c.Context(), c.state.Store, i); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// removeImages removes the bytes, then the records: stopped half-way, it can be asked for again, and nothing is
// left that nobody can find.
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
