package api_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/internal/api"
	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/electiontest"
	"cinema-database/app/internal/store"
	"cinema-database/app/internal/testimage"
	"cinema-database/internal/testutil/must"
)

// electionLoad sends requests to two instances of the API while the database has elections, and counts the answers.
type electionLoad struct {
	*harness
	ctx  context.Context
	urls []string
	// answered receives whether a request was answered with something else than 503.
	answered chan bool

	mu sync.Mutex
	// counts are the answers by kind of request and status.
	counts map[string]map[int]int
}

// send sends a request until its answer is not 503, which is the client's to repeat. The status must be one of expected, or,
// if the request was refused before, one of repeated: the database may have applied it all the same. It is 0 at the end of
// the test.
func (l *electionLoad) send(kind string, instance int, method, path string, body any, expected, repeated []int, edits ...edit) (answer, bool) {
	for refused := false; ; refused = true {
		if l.ctx.Err() != nil {
			return answer{}, refused
		}
		a, err := l.try(method, l.urls[instance%len(l.urls)]+path, body, edits...)
		if !assert.NoError(l.t, err, "%s: every request is answered", kind) {
			return answer{}, refused
		}
		l.mu.Lock()
		if l.counts[kind] == nil {
			l.counts[kind] = map[int]int{}
		}
		l.counts[kind][a.status]++
		l.mu.Unlock()
		select {
		case l.answered <- a.status != http.StatusServiceUnavailable:
		case <-l.ctx.Done():
		}
		if a.status == http.StatusServiceUnavailable {
			assert.NotEmpty(l.t, a.header.Get("Retry-After"), kind)
			continue
		}
		if !slices.Contains(expected, a.status) && !(refused && slices.Contains(repeated, a.status)) {
			assert.Fail(l.t, "a wrong answer", "%s: %d after a refusal: %v: %s", kind, a.status, refused, a.body)
			return answer{}, refused
		}
		return a, refused
	}
}

// TestElections steps the primary down, at every moment of a write and between writes, while clients create accounts, change
// favorites, upload and delete images, and read. Every answer is right or 503, what was accepted is stored, nothing is
// applied twice, and the API goes on by itself.
func TestElections(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.seed()
	set := must.OK(electiontest.Start(h.db.Addr))(t)
	t.Cleanup(set.Stop)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	l := &electionLoad{harness: h, ctx: ctx, answered: make(chan bool), counts: map[string]map[int]int{}}
	for range 2 {
		s := must.OK(store.Open(set.URI(), ""))(t)
		t.Cleanup(func() { _ = s.Close(context.Background()) })
		l.urls = append(l.urls, h.serve(func(o *api.Options) {
			o.Source = credentialwatch.Fixed(credentialwatch.State{Store: s, Key: signingKey})
		}))
	}
	h.url = l.urls[0]
	const clients = 3
	var readers, fans, uploaders []string
	for w := range clients {
		readers = append(readers, h.signUp(fmt.Sprintf("reader%d", w)))
		fans = append(fans, h.signUp(fmt.Sprintf("fan%d", w)))
		uploaders = append(uploaders, h.signUp(fmt.Sprintf("uploader%d", w)))
	}
	all, _ := must.OK(h.store.Catalogue(ctx))(t).Search(store.MovieFilter{}, nil, 1000)
	counted := h.attempts()

	var (
		workers  sync.WaitGroup
		accepted [clients][]string                               // names
		favorite [clients]map[string]bool                        // ids of movies
		known    [clients]map[string]bool                        // ids of images
		unknown  = [clients]map[string]bool{0: {}, 1: {}, 2: {}} // ids of images whose deletion has no answer
		answers  = func(status ...int) []int { return status }   // what an answer may be
		path     = func(w int) string { return fmt.Sprintf("/api/users/fan%d/movies", w) }
		pending  [clients]string // the movie of a change without an answer
	)
	for w := range clients {
		workers.Go(func() {
			for n := 0; ; n++ {
				name := fmt.Sprintf("user-%d-%d", w, n)
				a, _ := l.send("sign-up", n, "POST", "/api/users", account(name), answers(http.StatusCreated), answers(http.StatusConflict))
				if a.status == 0 {
					return
				}
				accepted[w] = append(accepted[w], name)
				login := map[string]string{"Username": name, "Password": password}
				if a, _ = l.send("log-in", n+1, "POST", "/api/login", login, answers(http.StatusOK), nil); a.status == 0 {
					return
				}
			}
		})
		workers.Go(func() {
			favorite[w] = map[string]bool{}
			for n := 0; ; n++ {
				id, method := all[(n*7+w)%len(all)].ID.Hex(), "POST"
				if favorite[w][id] {
					method = "DELETE"
				}
				pending[w] = id
				a, _ := l.send("favorite", n, method, path(w)+"/"+id, nil, answers(http.StatusOK), nil, bearer(fans[w]))
				if a.status == 0 {
					return
				}
				pending[w] = ""
				if method == "POST" {
					favorite[w][id] = true
				} else {
					delete(favorite[w], id)
				}
				assert.ElementsMatch(t, slices.Collect(maps.Keys(favorite[w])), as[userAnswer](t, a).FavoriteMovies)
			}
		})
		workers.Go(func() {
			known[w] = map[string]bool{}
			body, contentType := form(file{"image", "x", testimage.PNG(8, 8)})
			var order []string
			for n := 0; ; n++ {
				a, _ := l.send("upload", n, "POST", "/api/images", body, answers(http.StatusCreated), nil, contentType, bearer(uploaders[w]))
				if a.status == 0 {
					return
				}
				id := as[imageAnswer](t, a).ID
				known[w][id] = true
				if order = append(order, id); len(order) < 20 {
					continue
				}
				id, order = order[0], order[1:]
				delete(known[w], id)
				unknown[w][id] = true
				if a, _ = l.send("deletion", n+1, "DELETE", "/api/images/"+id, nil, answers(http.StatusNoContent), answers(http.StatusNotFound), bearer(uploaders[w])); a.status == 0 {
					return
				}
				delete(unknown[w], id)
			}
		})
		workers.Go(func() {
			for n := 0; ; n++ {
				path := []string{"/api/movies", fmt.Sprintf("/api/users/reader%d", w), "/api/images", fmt.Sprintf("/api/users/reader%d/movies", w)}[n%4]
				if a, _ := l.send("read", n, "GET", path, nil, answers(http.StatusOK), nil, bearer(readers[w])); a.status == 0 {
					return
				}
			}
		})
	}
	// until waits for so many answers, or refusals.
	until := func(answered bool, n int) {
		t.Helper()
		for n > 0 {
			select {
			case got := <-l.answered:
				if got == answered {
					n--
				}
			case <-ctx.Done():
				require.Fail(t, "the requests were not answered as expected in time")
			}
		}
	}
	until(true, 50)
	moments := []electiontest.Moment{electiontest.Before, electiontest.After, electiontest.Unconfirmed, electiontest.Idle}
	for round := range 12 {
		stepped := make(chan error, 1)
		go func() { stepped <- set.StepDown(ctx, moments[round%len(moments)], round%7, nil) }()
		for waiting := true; waiting; { // the load must go on, or no write arrives
			select {
			case err := <-stepped:
				require.NoError(t, err)
				waiting = false
			case <-l.answered:
			}
		}
		if round%6 == 4 { // a long election
			until(false, 3)
			assert.Equal(t, http.StatusOK, must.OK(h.try("GET", "/healthz", nil))(t).status, "the load balancer keeps the instances")
		}
		set.Elect(set.Hosts()[(round+1)%3])
		until(true, 40)
	}
	go func() {
		for range l.answered { // until the workers have ended
		}
	}()
	cancel()
	workers.Wait()
	close(l.answered)

	requests := map[int]int{}
	for _, kind := range slices.Sorted(maps.Keys(l.counts)) {
		for status, n := range l.counts[kind] {
			requests[status] += n
		}
		t.Logf("%s: %v", kind, l.counts[kind])
	}
	t.Logf("all: %v; %+v", requests, set.Figures())

	ctx = context.Background()
	for w := range clients {
		for _, name := range accepted[w] {
			n := must.OK(h.store.Collection(store.Users).CountDocuments(ctx, bson.D{{Key: "Username", Value: name}}))(t)
			assert.EqualValues(t, 1, n, name)
		}
		fan := must.OK(h.store.UserOf(ctx, session(t, fans[w])))(t)
		stored := map[string]bool{}
		for _, id := range fan.FavoriteMovies {
			assert.False(t, stored[id.Hex()], "a favorite is added twice")
			stored[id.Hex()] = true
		}
		delete(stored, pending[w])
		delete(favorite[w], pending[w])
		assert.Equal(t, favorite[w], stored)

		images := map[string]int{}
		for _, i := range must.OK(h.store.ImagesOf(ctx, session(t, uploaders[w]).Account, 10_000))(t) {
			images[i.Image]++
			assert.Equal(t, http.StatusOK, h.do("GET", "/api/images/"+i.Image, nil, bearer(uploaders[w])).status, "every record has its image")
		}
		for id := range known[w] {
			assert.Equal(t, 1, images[id], "an accepted image")
			delete(images, id)
		}
		for id := range unknown[w] {
			delete(images, id)
		}
		// The rest are uploads that were refused and stored all the same.
		assert.LessOrEqual(t, len(images), l.counts["upload"][http.StatusServiceUnavailable]+1)
	}
	// Every attempt that was answered is counted once, one that was refused at most once. A log-in counts in three limits.
	signUps, logIns := l.counts["sign-up"], l.counts["log-in"]
	n := h.attempts() - counted
	assert.GreaterOrEqual(t, n, signUps[http.StatusCreated]+signUps[http.StatusConflict]+3*logIns[http.StatusOK])
	assert.LessOrEqual(t, n, total(signUps)+3*total(logIns))
}

func total(counts map[int]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// attempts returns the sum of all limits' counts.
func (h *harness) attempts() (n int) {
	h.t.Helper()
	var counts []struct{ Count int }
	cursor := must.OK(h.store.Collection("attempts").Find(context.Background(), bson.D{}))(h.t)
	require.NoError(h.t, cursor.All(context.Background(), &counts))
	for _, c := range counts {
		n += c.Count
	}
	return n
}
