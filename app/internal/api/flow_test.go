package api_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/internal/api"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/seed"
	"cinema-database/app/internal/store"
	"cinema-database/app/internal/testimage"
)

type userAnswer struct {
	Username, Email, Birthday string
	FavoriteMovies            []string
}

func TestAccount(t *testing.T) {
	h := newHarness(t)
	h.seed()
	token := h.signUp("Ada")
	var u userAnswer
	h.do("GET", "/users/ADA", nil, bearer(token)).json(t, &u)
	assert.Equal(t, userAnswer{Username: "ada", Email: "ada@example.com", FavoriteMovies: []string{}}, u)

	id := h.movieID()
	for range 2 { // adding a movie twice has no further effect
		h.do("POST", "/users/ada/movies/"+id, nil, bearer(token)).json(t, &u)
		assert.Equal(t, []string{id}, u.FavoriteMovies)
	}
	for range 2 {
		u = userAnswer{}
		h.do("DELETE", "/users/ada/movies/"+id, nil, bearer(token)).json(t, &u)
		assert.Empty(t, u.FavoriteMovies)
	}
	h.do("POST", "/users/ada/movies/"+bson.NewObjectID().Hex(), nil, bearer(token)).problem(t, http.StatusNotFound)

	stored, err := h.store.UserByName(context.Background(), "ada")
	require.NoError(t, err)
	assert.NotContains(t, string(stored.PasswordHash), password)
	assert.True(t, bytes.HasPrefix(stored.PasswordHash, []byte("$2a$")))
}

func TestChangedPasswordEndsSessions(t *testing.T) {
	h := newHarness(t)
	other, token := h.signUp("ada"), h.logIn("ada", password)

	// A change without a password ends no session.
	a := h.do("PUT", "/users/ada", map[string]string{"Username": "ada", "Email": "ada@example.org", "Birthday": "1990-12-10"}, bearer(token))
	require.Equal(t, http.StatusOK, a.status, "%s", a.body)
	require.Equal(t, http.StatusOK, h.do("GET", "/users/ada", nil, bearer(other)).status)
	h.logIn("ada", password)

	a = h.do("PUT", "/users/ada", map[string]string{"Username": "ada", "Email": "ada@example.org", "Password": "another password"}, bearer(token))
	require.Equal(t, http.StatusOK, a.status, "%s", a.body)
	var s struct {
		Token string
		User  userAnswer
	}
	a.json(t, &s)
	assert.Empty(t, s.User.Birthday, "PUT replaces all fields")
	for _, ended := range []string{other, token} {
		h.do("GET", "/users/ada", nil, bearer(ended)).problem(t, http.StatusUnauthorized)
		h.do("PUT", "/users/ada", account("ada"), bearer(ended)).problem(t, http.StatusUnauthorized)
	}
	assert.Equal(t, http.StatusOK, h.do("GET", "/users/ada", nil, bearer(s.Token)).status)
	h.do("POST", "/login", map[string]string{"Username": "ada", "Password": password}).problem(t, http.StatusUnauthorized)
	h.logIn("ada", "another password")

	user, err := h.store.UserByName(context.Background(), "ada")
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(user.PasswordHash, []byte("$2a$")), "a changed password is hashed as well")
}

// TestNamesake: the token of a name's earlier account gives no access to the name's new account.
func TestNamesake(t *testing.T) {
	for _, leave := range []string{"deleted", "renamed"} {
		t.Run(leave, func(t *testing.T) {
			h := newHarness(t)
			h.seed()
			old := h.signUp("ada")
			require.Equal(t, http.StatusOK, h.do("GET", "/movies", nil, bearer(old)).status)
			if leave == "deleted" {
				require.Equal(t, http.StatusNoContent, h.do("DELETE", "/users/ada", nil, bearer(old)).status)
			} else {
				a := h.do("PUT", "/users/ada", map[string]string{"Username": "ada2", "Email": "ada2@example.com"}, bearer(old))
				require.Equal(t, http.StatusOK, a.status, "%s", a.body)
			}
			h.do("GET", "/movies", nil, bearer(old)).problem(t, http.StatusUnauthorized)

			fresh := h.signUp("ada")
			id := h.movieID()
			for _, r := range []struct{ method, path string }{
				{"GET", "/users/ada"}, {"DELETE", "/users/ada"}, {"POST", "/users/ada/movies/" + id}, {"DELETE", "/users/ada/movies/" + id},
			} {
				h.do(r.method, r.path, nil, bearer(old)).problem(t, http.StatusUnauthorized)
			}
			h.do("PUT", "/users/ada", account("ada"), bearer(old)).problem(t, http.StatusUnauthorized)
			h.upload(old, testimage.PNG(4, 4)).problem(t, http.StatusUnauthorized)
			var u userAnswer
			h.do("GET", "/users/ada", nil, bearer(fresh)).json(t, &u)
			assert.Empty(t, u.FavoriteMovies)
		})
	}
}

func TestDeletedAccountLosesItsImages(t *testing.T) {
	h := newHarness(t)
	token, other := h.signUp("ada"), h.signUp("bob")
	var mine, his imageAnswer
	h.upload(token, testimage.PNG(4, 4)).json(t, &mine)
	h.upload(other, testimage.PNG(4, 4)).json(t, &his)
	require.Equal(t, http.StatusNoContent, h.do("DELETE", "/users/ada", nil, bearer(token)).status)
	h.do("GET", mine.URL, nil, bearer(other)).problem(t, http.StatusNotFound)
	assert.Equal(t, http.StatusOK, h.do("GET", his.URL, nil, bearer(other)).status)
	_, err := images.NewBucket(h.s3.Client(), "cinema-images").Get(context.Background(), images.OriginalKey(mine.ID, "png"))
	assert.ErrorIs(t, err, images.ErrNotFound, "the object is removed, not only the record")
}

// TestConcurrentRegistrations: of many concurrent registrations of a name on several instances, one succeeds.
func TestConcurrentRegistrations(t *testing.T) {
	h := newHarness(t)
	urls := []string{h.url, h.serve(), h.serve()}
	var created, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			body := account("ada")
			body["Email"] = fmt.Sprintf("ada%d@example.com", i)
			a, err := h.try("POST", urls[i%len(urls)]+"/users", body)
			if !assert.NoError(t, err) {
				return
			}
			switch a.status {
			case http.StatusCreated:
				created.Add(1)
			case http.StatusConflict:
				refused.Add(1)
			default:
				assert.Fail(t, "neither created nor taken", "%d: %s", a.status, a.body)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 1, created.Load())
	assert.EqualValues(t, 23, refused.Load())
	n, err := h.store.Collection(store.Users).CountDocuments(context.Background(), bson.D{})
	require.NoError(t, err)
	assert.EqualValues(t, 1, n)
}

func TestMovies(t *testing.T) {
	h := newHarness(t)
	h.seed()
	token := h.signUp("ada")
	titles := func(query string) []string {
		t.Helper()
		a := h.do("GET", "/movies"+query, nil, bearer(token))
		require.Equal(t, http.StatusOK, a.status, "%s", a.body)
		var movies []store.Movie
		a.json(t, &movies)
		titles := []string{}
		for _, m := range movies {
			titles = append(titles, m.Title)
		}
		return titles
	}
	all := titles("")
	assert.Len(t, all, len(seed.Movies()))
	assert.IsIncreasing(t, all)
	assert.Equal(t, []string{"Amélie"}, titles("?q=amelie"), "without accents")
	assert.Equal(t, []string{"Amélie"}, titles("?q=AM%C3%89LIE"), "in another case")
	assert.Equal(t, []string{"Casablanca"}, titles("?q=bogart"), "by an actor")
	assert.Equal(t, []string{"Psycho", "Rear Window", "Vertigo"}, titles("?q=hitchcock"), "by the director")
	assert.Equal(t, []string{"Vertigo"}, titles("?q=hitchcock+novak"), "every word must occur")
	assert.Equal(t, []string{"Once Upon a Time in the West", "The Good, the Bad and the Ugly"}, titles("?genre=Western"))
	assert.Equal(t, []string{"Once Upon a Time in the West"}, titles("?genre=Western&q=fonda"))
	for _, q := range []string{".*", "^a", "a|b", "[a-z]", "(?i)a", `\w`, "$", "nosuchfilm"} {
		assert.Empty(t, titles("?q="+url.QueryEscape(q)), "%q is text, not a pattern", q)
	}
	assert.Empty(t, titles("?genre=western"), "a genre's name is case-sensitive")

	var m store.Movie
	h.do("GET", "/movies/"+url.PathEscape("8½"), nil, bearer(token)).json(t, &m)
	assert.Equal(t, "Federico Fellini", m.Director.Name)
	var g store.Genre
	h.do("GET", "/genres/"+url.PathEscape("Science fiction"), nil, bearer(token)).json(t, &g)
	assert.Equal(t, "Science fiction", g.Name)
	var d store.Director
	h.do("GET", "/directors/"+url.PathEscape("Akira Kurosawa"), nil, bearer(token)).json(t, &d)
	assert.Equal(t, 1910, d.Birth)
	assert.Equal(t, 1998, d.Death)
	for _, path := range []string{"/movies/Nope", "/genres/Nope", "/directors/Nope", "/movies/.*"} {
		h.do("GET", path, nil, bearer(token)).problem(t, http.StatusNotFound)
	}
}

func TestImages(t *testing.T) {
	h := newHarness(t)
	token, other := h.signUp("ada"), h.signUp("bob")

	data := testimage.JPEG(30, 20)
	body, contentType := form("image", "../../etc/passwd\r\n.png", data)
	a := h.do("POST", "/images", body, contentType, bearer(token))
	require.Equal(t, http.StatusCreated, a.status, "%s", a.body)
	var i imageAnswer
	a.json(t, &i)
	assert.True(t, images.ValidID(i.ID), "the server chose the id")
	assert.Equal(t, "image/jpeg", i.ContentType, "by its bytes, not by its name")
	assert.Equal(t, []int{30, 20}, []int{i.Width, i.Height})
	assert.EqualValues(t, len(data), i.Bytes)
	assert.Equal(t, "/images/"+i.ID, a.header.Get("Location"))

	a = h.do("GET", i.URL, nil, bearer(other))
	require.Equal(t, http.StatusOK, a.status)
	assert.Equal(t, data, a.body)
	assert.Equal(t, "image/jpeg", a.header.Get("Content-Type"))
	assert.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	assert.Contains(t, a.header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.Contains(t, a.header.Get("Cache-Control"), "private")
	again := h.do("GET", i.URL, nil, bearer(other), header("If-None-Match", a.header.Get("ETag")))
	assert.Equal(t, http.StatusNotModified, again.status)
	assert.Empty(t, again.body)

	p := h.do("GET", i.ThumbnailURL, nil, bearer(token))
	p.problem(t, http.StatusNotFound)
	assert.NotEmpty(t, p.header.Get("Retry-After"), "it may exist soon")
	thumbnail := testimage.JPEG(3, 2)
	require.NoError(t, images.NewBucket(h.s3.Client(), "cinema-images").PutThumbnail(context.Background(), i.ID, thumbnail))
	a = h.do("GET", i.ThumbnailURL, nil, bearer(token))
	assert.Equal(t, thumbnail, a.body)
	assert.Equal(t, http.StatusNotModified, h.do("GET", i.ThumbnailURL, nil, bearer(token), header("If-None-Match", a.header.Get("ETag"))).status)

	h.do("DELETE", "/images/"+i.ID, nil, bearer(other)).problem(t, http.StatusForbidden)
	require.Equal(t, http.StatusNoContent, h.do("DELETE", "/images/"+i.ID, nil, bearer(token)).status)
	for _, path := range []string{i.URL, i.ThumbnailURL} {
		h.do("GET", path, nil, bearer(token)).problem(t, http.StatusNotFound)
	}
	h.do("DELETE", "/images/"+i.ID, nil, bearer(token)).problem(t, http.StatusNotFound)
}

func TestImagePages(t *testing.T) {
	h := newHarness(t)
	token, other := h.signUp("ada"), h.signUp("bob")
	var want []string
	for n := range 5 {
		var i imageAnswer
		h.upload([]string{token, other}[n%2], testimage.PNG(2+n, 2)).json(t, &i)
		want = append([]string{i.ID}, want...)
	}
	var got []string
	next := ""
	for page := 0; ; page++ {
		require.Less(t, page, 5)
		var p struct {
			Images []imageAnswer
			Next   string
		}
		h.do("GET", "/images?limit=2"+next, nil, bearer(token)).json(t, &p)
		require.LessOrEqual(t, len(p.Images), 2)
		for _, i := range p.Images {
			got = append(got, i.ID)
			assert.Equal(t, i.Width%2 == 0, i.Mine, "ada's are those of even width")
		}
		if p.Next == "" {
			break
		}
		next = "&before=" + p.Next
	}
	assert.Equal(t, want, got, "each image once, newest first")
}

func TestCORS(t *testing.T) {
	const site = "https://cinema.example"
	h := newHarness(t, func(o *api.Options) { o.AllowedOrigin = site })
	preflight := header("Access-Control-Request-Method", "PUT")
	a := h.do("OPTIONS", "/users/ada", nil, header("Origin", site), preflight)
	assert.Equal(t, http.StatusNoContent, a.status)
	assert.Equal(t, site, a.header.Get("Access-Control-Allow-Origin"))
	assert.Contains(t, a.header.Get("Access-Control-Allow-Headers"), "Authorization")
	for _, origin := range []string{"https://evil.example", "null", site + ".evil.example", "http://cinema.example"} {
		a := h.do("OPTIONS", "/users/ada", nil, header("Origin", origin), preflight)
		assert.Empty(t, a.header.Get("Access-Control-Allow-Origin"), origin)
		assert.Empty(t, a.header.Get("Access-Control-Allow-Methods"), origin)
	}
	a = h.do("GET", "/movies", nil, header("Origin", site))
	a.problem(t, http.StatusUnauthorized)
	assert.Equal(t, site, a.header.Get("Access-Control-Allow-Origin"), "the client may also read problems")
	assert.Contains(t, strings.Join(a.header.Values("Vary"), ","), "Origin")
}
