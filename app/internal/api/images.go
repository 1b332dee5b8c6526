package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/contract"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/store"
)

const (
	// cleanUpTimeout limits work that continues after the client has disconnected.
	cleanUpTimeout = 10 * time.Second
	// defaultPage and maxPage are numbers of images on a page.
	defaultPage, maxPage = 24, 100
	// renditionTime is how long after the upload a missing view may still be in the making. Later, the image is one from
	// before there were views, and its original is sent instead.
	renditionTime = time.Hour
)

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
	// Owner is the name of the account that uploaded the image; empty if the account does not exist any more.
	Owner   string `json:"owner"`
	Caption string `json:"caption"`
	// The URLs are paths on the API's origin, which need the session's token.
	URL          string `json:"url"`
	ViewURL      string `json:"viewUrl"`
	ThumbnailURL string `json:"thumbnailUrl"`
}

func imagePath(id string) string { return base + "/images/" + id }

func imageJSON(i store.Image, c *call, owner string) image {
	return image{
		ID: i.Image, ContentType: i.ContentType, Bytes: i.Bytes, Width: i.Width, Height: i.Height,
		Created: i.Created.UTC().Format(time.RFC3339), Mine: i.Owner == c.session.Account, Owner: owner, Caption: i.Caption,
		URL: imagePath(i.Image), ViewURL: imagePath(i.Image) + "/view", ThumbnailURL: imagePath(i.Image) + "/thumbnail",
	}
}

// detached returns a context that does not end with the request.
func detached(c *call) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.Context()), cleanUpTimeout)
}

func (a *API) listImages(w http.ResponseWriter, c *call) error {
	q, err := query(c.URL, "limit", "before")
	if err != nil {
		return err
	}
	limit, err := pageLimit(q, defaultPage, maxPage)
	if err != nil {
		return err
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
		// Total is the number of all images.
		Total int64 `json:"total"`
	}{Images: []image{}}
	if len(records) > limit {
		records = records[:limit]
		page.Next = records[limit-1].Seq.Hex()
	}
	var owners []bson.ObjectID
	for _, i := range records {
		owners = append(owners, i.Owner)
	}
	names, err := c.state.Store.UserNames(c.Context(), owners)
	if err != nil {
		return err
	}
	for _, i := range records {
		page.Images = append(page.Images, imageJSON(i, c, names[i.Owner]))
	}
	if page.Total, err = c.state.Store.CountImages(c.Context()); err != nil {
		return err
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
		return a.noRendition(c, i)
	}
	return err
}

func (a *API) getView(w http.ResponseWriter, c *call) error {
	i, err := a.imageRecord(c)
	if err != nil {
		return err
	}
	err = a.stream(w, c, contract.ViewKey(i.Image), "image/jpeg", "")
	if !errors.Is(err, images.ErrNotFound) {
		return err
	}
	missing := a.noRendition(c, i)
	var p *problem
	if errors.As(missing, &p) && p.RetryAfter > 0 && a.now().Sub(i.Created) > renditionTime {
		return a.stream(w, c, images.OriginalKey(i.Image, i.Extension), i.ContentType, "")
	}
	return missing
}

// noRendition returns why an image has no thumbnail or view: not yet, or never.
func (a *API) noRendition(c *call, i store.Image) error {
	never, err := a.bucket.Exists(c.Context(), contract.ThumbnailErrorKey(i.Image))
	switch {
	case err != nil:
		return err
	case never:
		return problemf(http.StatusNotFound, "This image is damaged; it has no thumbnail.")
	default:
		return &problem{Status: http.StatusNotFound, Detail: "The thumbnail does not exist yet; try again shortly.", RetryAfter: 2 * time.Second}
	}
}

// ownImage returns the record of the image in the path, if it is the session's.
func (a *API) ownImage(c *call) (store.Image, error) {
	i, err := a.imageRecord(c)
	if err == nil && i.Owner != c.session.Account {
		err = problemf(http.StatusForbidden, "This image belongs to another account.")
	}
	return i, err
}

// captionBody is the body of PUT of an image.
type captionBody struct{ Caption string }

func (a *API) putImage(w http.ResponseWriter, c *call) error {
	i, err := a.ownImage(c)
	if err != nil {
		return err
	}
	var body captionBody
	if err := decodeJSON(c, &body); err != nil {
		return err
	}
	if i.Caption, err = cleanCaption(body.Caption); err != nil {
		return err
	}
	if err := c.state.Store.SetCaption(c.Context(), i.Image, i.Caption); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, imageJSON(i, c, c.session.Username))
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
	i, err := a.ownImage(c)
	if err != nil {
		return err
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
