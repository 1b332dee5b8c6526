package api_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/contract"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/seed"
	"cinema-database/app/internal/store"
	"cinema-database/app/internal/testimage"
	"cinema-database/internal/testutil/must"
)

func TestAccount(t *testing.T) {
	h := newHarness(t)
	h.seed()
	token := h.signUp("Ada")
	u := as[userAnswer](t, h.do("GET", "/api/users/ADA", nil, bearer(token)))
	assert.Equal(t, userAnswer{Username: "ada", Email: "ada@example.com", FavoriteMovies: []string{}}, u)

	id := h.movieID()
	for range 2 { // adding a movie twice has no further effect
		h.do("POST", "/api/users/ada/movies/"+id, nil, bearer(token)).json(t, &u)
		assert.Equal(t, []string{id}, u.FavoriteMovies)
	}
	for range 2 {
		u = userAnswer{}
		h.do("DELETE", "/api/users/ada/movies/"+id, nil, bearer(token)).json(t, &u)
		assert.Empty(t, u.FavoriteMovies)
	}
	h.do("POST", "/api/users/ada/movies/"+bson.NewObjectID().Hex(), nil, bearer(token)).problem(t, http.StatusNotFound)

	stored := must.OK(h.store.UserByName(context.Background(), "ada"))(t)
	assert.NotContains(t, string(stored.PasswordHash), password)
	assert.True(t, bytes.HasPrefix(stored.PasswordHash, []byte("$2a$")))
}

func TestChangedPasswordEndsSessions(t *testing.T) {
	h := newHarness(t)
	other, token := h.signUp("ada"), h.logIn("ada", password)

	// A change without a password ends no session.
	change := current("Username", "ada", "Email", "ada@example.org", "Birthday", "1990-12-10")
	h.do("PUT", "/api/users/ada", change, bearer(token)).requireStatus(t, http.StatusOK)
	h.do("GET", "/api/users/ada", nil, bearer(other)).requireStatus(t, http.StatusOK)
	h.logIn("ada", password)

	change = current("Username", "ada", "Email", "ada@example.org", "Password", "another good phrase")
	s := as[sessionAnswer](t, h.do("PUT", "/api/users/ada", change, bearer(token)).requireStatus(t, http.StatusOK))
	assert.Empty(t, s.User.Birthday, "PUT replaces all fields")
	for _, ended := range []string{other, token} {
		h.do("GET", "/api/users/ada", nil, bearer(ended)).problem(t, http.StatusUnauthorized)
		h.do("PUT", "/api/users/ada", account("ada"), bearer(ended)).problem(t, http.StatusUnauthorized)
	}
	assert.Equal(t, http.StatusOK, h.do("GET", "/api/users/ada", nil, bearer(s.Token)).status)
	h.do("POST", "/api/login", map[string]string{"Username": "ada", "Password": password}).problem(t, http.StatusUnauthorized)
	h.logIn("ada", "another good phrase")

	user := must.OK(h.store.UserByName(context.Background(), "ada"))(t)
	assert.True(t, bytes.HasPrefix(user.PasswordHash, []byte("$2a$")), "a changed password is hashed as well")
}

// TestNamesake: the token of a name's earlier account gives no access to the name's new account.
func TestNamesake(t *testing.T) {
	for _, leave := range []string{"deleted", "renamed"} {
		t.Run(leave, func(t *testing.T) {
			h := newHarness(t)
			h.seed()
			old := h.signUp("ada")
			h.do("GET", "/api/movies", nil, bearer(old)).requireStatus(t, http.StatusOK)
			if leave == "deleted" {
				h.do("DELETE", "/api/users/ada", current(), bearer(old)).requireStatus(t, http.StatusNoContent)
			} else {
				change := current("Username", "ada2", "Email", "ada2@example.com")
				h.do("PUT", "/api/users/ada", change, bearer(old)).requireStatus(t, http.StatusOK)
			}
			h.do("GET", "/api/movies", nil, bearer(old)).problem(t, http.StatusUnauthorized)

			fresh := h.signUp("ada")
			id := h.movieID()
			for _, r := range []struct{ method, path string }{
				{"GET", "/api/users/ada"}, {"POST", "/api/users/ada/movies/" + id}, {"DELETE", "/api/users/ada/movies/" + id},
			} {
				h.do(r.method, r.path, nil, bearer(old)).problem(t, http.StatusUnauthorized)
			}
			h.do("PUT", "/api/users/ada", account("ada"), bearer(old)).problem(t, http.StatusUnauthorized)
			h.do("DELETE", "/api/users/ada", current(), bearer(old)).problem(t, http.StatusUnauthorized)
			h.do("POST", "/api/logout", nil, bearer(old)).problem(t, http.StatusUnauthorized)
			h.upload(old, testimage.PNG(4, 4)).problem(t, http.StatusUnauthorized)
			u := as[userAnswer](t, h.do("GET", "/api/users/ada", nil, bearer(fresh)))
			assert.Empty(t, u.FavoriteMovies)
		})
	}
}

func TestDeletedAccountLosesItsImages(t *testing.T) {
	h := newHarness(t)
	token, other := h.signUp("ada"), h.signUp("bob")
	mine, his := as[imageAnswer](t, h.upload(token, testimage.PNG(4, 4))), as[imageAnswer](t, h.upload(other, testimage.PNG(4, 4)))
	h.do("DELETE", "/api/users/ada", current(), bearer(token)).requireStatus(t, http.StatusNoContent)
	h.do("GET", mine.URL, nil, bearer(other)).problem(t, http.StatusNotFound)
	assert.Equal(t, http.StatusOK, h.do("GET", his.URL, nil, bearer(other)).status)
	_, err := images.NewBucket(h.s3.Client(), "cinema-images").Get(context.Background(), images.OriginalKey(mine.ID, "png"))
	assert.ErrorIs(t, err, images.ErrNotFound, "the object is removed, not only the record")
}

// TestConcurrentRegistrations: of many concurrent registrations of a name on several instances, one succeeds.
func TestConcurrentRegistrations(t *testing.T) {
	h := newHarness(t)
	urls := []string{h.url, h.serve(), h.serve()}
	count := h.statuses(24, "POST", func(i int) (string, any) {
		body := account("ada")
		body["Email"] = fmt.Sprintf("ada%d@example.com", i)
		return urls[i%len(urls)] + "/api/users", body
	})
	assert.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusConflict: 23}, count)
	n := must.OK(h.store.Collection(store.Users).CountDocuments(context.Background(), bson.D{}))(t)
	assert.EqualValues(t, 1, n)
}

func TestMovies(t *testing.T) {
	h := newHarness(t)
	h.seed()
	token := h.signUp("ada")
	titles := func(query string) []string {
		t.Helper()
		titles := []string{}
		for _, m := range as[[]store.Movie](t, h.do("GET", "/api/movies"+query, nil, bearer(token)).requireStatus(t, http.StatusOK)) {
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

	m := as[store.Movie](t, h.do("GET", "/api/movies/"+url.PathEscape("8½"), nil, bearer(token)))
	assert.Equal(t, "Federico Fellini", m.Director.Name)
	g := as[store.Genre](t, h.do("GET", "/api/genres/"+url.PathEscape("Science fiction"), nil, bearer(token)))
	assert.Equal(t, "Science fiction", g.Name)
	d := as[store.Director](t, h.do("GET", "/api/directors/"+url.PathEscape("Akira Kurosawa"), nil, bearer(token)))
	assert.Equal(t, 1910, d.Birth)
	assert.Equal(t, 1998, d.Death)
	for _, path := range []string{"/api/movies/Nope", "/api/genres/Nope", "/api/directors/Nope", "/api/movies/.*"} {
		h.do("GET", path, nil, bearer(token)).problem(t, http.StatusNotFound)
	}
}

func TestImages(t *testing.T) {
	h := newHarness(t)
	token, other := h.signUp("ada"), h.signUp("bob")

	data := testimage.JPEG(30, 20)
	body, contentType := form(file{"image", "../../etc/passwd\r\n.png", data})
	a := h.do("POST", "/api/images", body, contentType, bearer(token)).requireStatus(t, http.StatusCreated)
	i := as[imageAnswer](t, a)
	assert.True(t, images.ValidID(i.ID), "the server chose the id")
	assert.Equal(t, "image/jpeg", i.ContentType, "by its bytes, not by its name")
	assert.Equal(t, []int{30, 20}, []int{i.Width, i.Height})
	assert.EqualValues(t, len(data), i.Bytes)
	assert.Equal(t, "/api/images/"+i.ID, a.header.Get("Location"))

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

	p := h.do("GET", i.ThumbnailURL, nil, bearer(token)).problem(t, http.StatusNotFound)
	assert.NotEmpty(t, p.header.Get("Retry-After"), "it may exist soon")
	thumbnail := testimage.JPEG(3, 2)
	require.NoError(t, h.s3.Put(context.Background(), "cinema-images", contract.ThumbnailKey(i.ID), thumbnail))
	a = h.do("GET", i.ThumbnailURL, nil, bearer(token))
	assert.Equal(t, thumbnail, a.body)
	assert.Equal(t, http.StatusNotModified, h.do("GET", i.ThumbnailURL, nil, bearer(token), header("If-None-Match", a.header.Get("ETag"))).status)

	h.do("DELETE", "/api/images/"+i.ID, nil, bearer(other)).problem(t, http.StatusForbidden)
	h.do("DELETE", "/api/images/"+i.ID, nil, bearer(token)).requireStatus(t, http.StatusNoContent)
	for _, path := range []string{i.URL, i.ThumbnailURL} {
		h.do("GET", path, nil, bearer(token)).problem(t, http.StatusNotFound)
	}
	h.do("DELETE", "/api/images/"+i.ID, nil, bearer(token)).problem(t, http.StatusNotFound)
}

func TestImagePages(t *testing.T) {
	h := newHarness(t)
	token, other := h.signUp("ada"), h.signUp("bob")
	var want []string
	for n := range 5 {
		i := as[imageAnswer](t, h.upload([]string{token, other}[n%2], testimage.PNG(2+n, 2)))
		want = append([]string{i.ID}, want...)
	}
	var got []string
	next := ""
	for page := 0; ; page++ {
		require.Less(t, page, 5)
		p := h.images(token, "?limit=2"+next)
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
	const other = "http://localhost:3000"
	h := newHarness(t, func(o *api.Options) { o.AllowedOrigins = []string{other, site} })
	preflight := header("Access-Control-Request-Method", "PUT")
	for _, origin := range []string{site, other} {
		a := h.do("OPTIONS", "/api/users/ada", nil, header("Origin", origin), preflight)
		assert.Equal(t, http.StatusNoContent, a.status)
		assert.Equal(t, []string{origin}, a.header.Values("Access-Control-Allow-Origin"), "only the caller's")
		assert.Contains(t, a.header.Get("Access-Control-Allow-Headers"), "Authorization")
		assert.Contains(t, a.header.Values("Vary"), "Origin")
		assert.Empty(t, a.header.Get("Access-Control-Allow-Credentials"), "the API uses no cookies")
	}
	for _, origin := range []string{"https://evil.example", "null", "", "*", site + ".evil.example", "http://cinema.example", site + " " + other} {
		a := h.do("OPTIONS", "/api/users/ada", nil, header("Origin", origin), preflight)
		assert.Empty(t, a.header.Get("Access-Control-Allow-Origin"), origin)
		assert.Empty(t, a.header.Get("Access-Control-Allow-Methods"), origin)
	}
	p := h.do("GET", "/api/movies", nil, header("Origin", site)).problem(t, http.StatusUnauthorized)
	assert.Equal(t, site, p.header.Get("Access-Control-Allow-Origin"), "the client may also read problems")
	assert.Contains(t, strings.Join(p.header.Values("Vary"), ","), "Origin")

	h.url = h.serve()
	a := h.do("OPTIONS", "/api/users/ada", nil, header("Origin", site), preflight)
	for name := range a.header {
		assert.NotContains(t, name, "Access-Control", "no other origin by default")
	}
}
