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
)

// outcome is what came of one write.
type outcome struct {
	image    bool
	accepted bool
}

// TestOutages takes the database and then the bucket away and back while accounts are made and images uploaded.
// Every request is answered, in time, with success or 503; the API recovers with no help; and whatever it
// accepted is there in the end.
func TestOutages(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var tokens []string // several, since each account may have so many images only
	for n := range 4 {
		tokens = append(tokens, h.signUp(fmt.Sprintf("uploader%d", n)))
	}
	picture := pngOf(t, 8, 8)

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	outcomes := make(chan outcome)
	var (
		mu       sync.Mutex
		accounts []string
		uploads  []imageAnswer
		workers  sync.WaitGroup
	)
	report := func(o outcome) bool {
		select {
		case outcomes <- o:
			return true
		case <-ctx.Done():
			return false
		}
	}
	judge := func(a answer, err error) (accepted, ok bool) {
		if !assert.NoError(t, err, "every request is answered") {
			return false, false
		}
		switch a.status {
		case http.StatusCreated:
			return true, true
		case http.StatusServiceUnavailable:
			assert.NotEmpty(t, a.header.Get("Retry-After"))
			return false, true
		default:
			return false, assert.Fail(t, "neither accepted nor 503", "%d: %s", a.status, a.body)
		}
	}
	for w := range 4 {
		workers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name := fmt.Sprintf("user-%d-%d", w, n)
				start := time.Now()
				a, err := h.try("POST", "/users", account(name))
				assert.Less(t, time.Since(start), 14*time.Second)
				accepted, ok := judge(a, err)
				if accepted {
					mu.Lock()
					accounts = append(accounts, name)
					mu.Unlock()
				}
				if !ok || !report(outcome{accepted: accepted}) {
					return
				}
			}
		})
		workers.Go(func() {
			for ctx.Err() == nil {
				body, contentType := form("image", "x", picture)
				a, err := h.try("POST", "/images", body, contentType, bearer(tokens[w]))
				accepted, ok := judge(a, err)
				if accepted {
					var i imageAnswer
					a.json(t, &i)
					mu.Lock()
					uploads = append(uploads, i)
					mu.Unlock()
				}
				if !ok || !report(outcome{image: true, accepted: accepted}) {
					return
				}
			}
		})
	}
	// until waits for writes of both kinds to come out as wanted, some times over.
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
				require.Fail(t, "did not come to pass in time")
			}
		}
	}
	// ready asks /readyz past the second for which an outcome stands, while the writes go on.
	ready := func(want int) (p problem) {
		t.Helper()
		for {
			a := h.do("GET", "/readyz", nil)
			if a.status == want {
				if want != http.StatusOK {
					p = a.problem(t, want)
				}
				return p
			}
			select {
			case <-outcomes:
			case <-ctx.Done():
				require.Fail(t, "/readyz did not become", "%d", want)
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
	assert.Equal(t, http.StatusOK, h.do("GET", "/healthz", nil).status, "the process is well")
	db, err := dev.StartDatabase(dev.DatabaseOptions{Dir: h.dir, Addr: h.db.Addr})
	require.NoError(t, err)
	h.db = db
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
	require.NotEmpty(t, accounts)
	require.NotEmpty(t, uploads)
	cursor, err := h.store.Collection(store.Users).Find(context.Background(), bson.D{})
	require.NoError(t, err)
	var stored []store.User
	require.NoError(t, cursor.All(context.Background(), &stored))
	names := map[string]bool{}
	for _, u := range stored {
		names[u.Username] = true
	}
	for _, name := range accounts {
		assert.True(t, names[name], name)
	}
	listed := map[string]bool{}
	for next := ""; ; {
		var page struct {
			Images []imageAnswer
			Next   string
		}
		h.do("GET", "/images?limit=100"+next, nil, bearer(tokens[0])).json(t, &page)
		for _, i := range page.Images {
			listed[i.ID] = true
			assert.Equal(t, picture, h.do("GET", i.URL, nil, bearer(tokens[0])).body, "what is listed is there")
		}
		if page.Next == "" {
			break
		}
		next = "&before=" + page.Next
	}
	for _, i := range uploads {
		assert.True(t, listed[i.ID], i.ID)
	}
	t.Logf("%d accounts and %d images accepted", len(accounts), len(uploads))
}

// TestStartWithoutDatabase starts the API before its database.
func TestStartWithoutDatabase(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.db.Stop()
	h.url = h.serve()
	assert.Equal(t, http.StatusOK, h.do("GET", "/healthz", nil).status)
	a := h.do("POST", "/users", account("ada"))
	a.problem(t, http.StatusServiceUnavailable)
	assert.NotEmpty(t, a.header.Get("Retry-After"))
	assert.NotContains(t, string(a.body), h.db.Addr, "no driver's words")

	db, err := dev.StartDatabase(dev.DatabaseOptions{Dir: h.dir, Addr: h.db.Addr})
	require.NoError(t, err)
	h.db = db
	assert.Eventually(t, func() bool {
		a, err := h.try("POST", "/users", account("ada"))
		return err == nil && a.status == http.StatusCreated
	}, time.Minute, 50*time.Millisecond)
	// The unique indexes were made although the database came later.
	h.do("POST", "/users", account("ada")).problem(t, http.StatusConflict)
}
