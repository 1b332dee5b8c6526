package api_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/internal/dev"
	"cinema-database/app/internal/store"
	"cinema-database/app/internal/testimage"
	"cinema-database/internal/testutil/must"
)

// outcome is the result of one write.
type outcome struct {
	image    bool
	accepted bool
}

// TestOutages stops and restarts the database, then the bucket, while clients create accounts and upload images. Every
// request is answered in time with success or 503, the API recovers by itself, and everything that it accepted is stored.
func TestOutages(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var tokens []string // several, because an account has a maximum number of images
	for n := range 4 {
		tokens = append(tokens, h.signUp(fmt.Sprintf("uploader%d", n)))
	}
	data := testimage.PNG(8, 8)

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	outcomes := make(chan outcome)
	var (
		mu      sync.Mutex
		kept    = map[bool][]answer{} // the accepted images and accounts
		workers sync.WaitGroup
	)
	write := func(image bool, send func(n int) (answer, error)) {
		for n := 0; ctx.Err() == nil; n++ {
			a, err := send(n)
			if !assert.NoError(t, err, "every request is answered") {
				return
			}
			switch a.status {
			case http.StatusCreated:
				mu.Lock()
				kept[image] = append(kept[image], a)
				mu.Unlock()
			case http.StatusServiceUnavailable:
				assert.NotEmpty(t, a.header.Get("Retry-After"))
			default:
				assert.Fail(t, "neither accepted nor 503", "%d: %s", a.status, a.body)
				return
			}
			select {
			case outcomes <- outcome{image, a.status == http.StatusCreated}:
			case <-ctx.Done():
			}
		}
	}
	for w := range 4 {
		workers.Go(func() {
			write(false, func(n int) (answer, error) {
				start := time.Now()
				defer func() { assert.Less(t, time.Since(start), 14*time.Second) }()
				return h.try("POST", "/api/users", account(fmt.Sprintf("user-%d-%d", w, n)))
			})
		})
		workers.Go(func() {
			body, contentType := form(file{"image", "x", data})
			write(true, func(int) (answer, error) { return h.try("POST", "/api/images", body, contentType, bearer(tokens[w])) })
		})
	}
	// until waits until several writes of both kinds have the expected result.
	until := func(image, account bool) {
		t.Helper()
		left := map[bool]int{true: 4, false: 4}
		for left[true] > 0 || left[false] > 0 {
			select {
			case o := <-outcomes:
				if want := map[bool]bool{true: image, false: account}[o.image]; o.accepted == want {
					left[o.image]--
				}
			case <-ctx.Done():
				require.Fail(t, "the writes did not have the expected results in time")
			}
		}
	}
	// ready waits until /readyz has the expected status, while the writes continue. A result is cached for a second.
	ready := func(want int) (p problem) {
		t.Helper()
		for {
			a := h.do("GET", "/api/readyz", nil)
			if a.status == want {
				if want != http.StatusOK {
					p = a.problem(t, want)
				}
				return p
			}
			select {
			case <-outcomes:
			case <-ctx.Done():
				require.Fail(t, "/api/readyz did not have the expected status in time", "%d", want)
			}
		}
	}

	until(true, true)
	ready(http.StatusOK)
	h.db.Stop()
	until(false, false)
	p := ready(http.StatusServiceUnavailable)
	require.Len(t, p.Errors, 1)
	assert.Equal(t, "database", p.Errors[0].Field)
	assert.Equal(t, http.StatusOK, h.do("GET", "/healthz", nil).status, "the process is healthy")
	h.db = must.OK(dev.StartDatabase(dev.DatabaseOptions{Dir: h.dir, Addr: h.db.Addr}))(t)
	until(true, true)
	ready(http.StatusOK)

	h.s3.Stop()
	until(false, true)
	p = ready(http.StatusServiceUnavailable)
	require.Len(t, p.Errors, 1)
	assert.Equal(t, "bucket", p.Errors[0].Field)
	require.NoError(t, h.s3.Resume())
	until(true, true)
	ready(http.StatusOK)

	cancel()
	workers.Wait()
	require.NotEmpty(t, kept[false])
	require.NotEmpty(t, kept[true])
	cursor := must.OK(h.store.Collection(store.Users).Find(context.Background(), bson.D{}))(t)
	var stored []store.User
	require.NoError(t, cursor.All(context.Background(), &stored))
	names := map[string]bool{}
	for _, u := range stored {
		names[u.Username] = true
	}
	for _, a := range kept[false] {
		assert.True(t, names[as[userAnswer](t, a).Username], "%s", a.body)
	}
	listed := map[string]bool{}
	for next := ""; ; {
		page := h.images(tokens[0], "?limit=100"+next)
		for _, i := range page.Images {
			listed[i.ID] = true
			assert.Equal(t, data, h.do("GET", i.URL, nil, bearer(tokens[0])).body, "every listed image exists")
		}
		if page.Next == "" {
			break
		}
		next = "&before=" + page.Next
	}
	for _, a := range kept[true] {
		assert.True(t, listed[as[imageAnswer](t, a).ID], "%s", a.body)
	}
	t.Logf("%d accounts and %d images accepted", len(kept[false]), len(kept[true]))
}

// TestStartWithoutDatabase starts the API before its database.
func TestStartWithoutDatabase(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.db.Stop()
	h.url = h.serve()
	assert.Equal(t, http.StatusOK, h.do("GET", "/healthz", nil).status)
	a := h.do("POST", "/api/users", account("ada"))
	a.problem(t, http.StatusServiceUnavailable)
	assert.NotEmpty(t, a.header.Get("Retry-After"))
	assert.NotContains(t, string(a.body), h.db.Addr, "no text of the driver")

	h.db = must.OK(dev.StartDatabase(dev.DatabaseOptions{Dir: h.dir, Addr: h.db.Addr}))(t)
	h.eventually(http.StatusCreated, "POST", "/api/users", account("ada"))
	// The unique indexes exist although the database started later.
	h.do("POST", "/api/users", account("ada")).problem(t, http.StatusConflict)
}
