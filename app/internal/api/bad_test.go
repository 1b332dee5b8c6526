package api_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/internal/images"
	"cinema-database/app/internal/store"
	"cinema-database/app/internal/testimage"
	"cinema-database/app/internal/tokens"
	"cinema-database/internal/testutil/must"
)

func zipOf(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f := must.OK(w.Create("holiday.jpg"))(t)
	must.OK(f.Write([]byte("not an image")))(t)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// TestBadBodies sends invalid bodies to every route that has one, and checks that nothing is stored.
func TestBadBodies(t *testing.T) {
	h := newHarness(t)
	token := h.signUp("ada")
	valid := func(change string) string {
		return fmt.Sprintf(`{"Username":"mallory","Password":"long and secret","Email":"mallory@example.com"%s}`, change)
	}
	for name, c := range map[string]struct {
		body   string
		status int
		field  string
		edits  []edit
	}{
		"empty":                  {"", 400, "", nil},
		"not JSON":               {"Username=mallory", 400, "", nil},
		"cut short":              {`{"Username":"mallory"`, 400, "", nil},
		"an array":               {`[` + valid("") + `]`, 400, "", nil},
		"null":                   {`null`, 400, "", nil},
		"unknown field":          {valid(`,"Admin":true`), 400, "", nil},
		"something after":        {valid("") + valid(""), 400, "", nil},
		"a brace after":          {valid("") + "}", 400, "", nil},
		"not UTF-8":              {valid(",\"Birthday\":\"\xff\""), 400, "", nil},
		"too long":               {valid(`,"Birthday":"` + strings.Repeat("1", 20<<10) + `"`), 413, "", nil},
		"a form":                 {"Username=mallory", 415, "", []edit{header("Content-Type", "application/x-www-form-urlencoded")}},
		"no type":                {valid(""), 415, "", []edit{header("Content-Type", "")}},
		"operator as a name":     {`{"Username":{"$gt":""},"Password":"long and secret","Email":"m@example.com"}`, 400, "Username", nil},
		"operator as a password": {`{"Username":"ada","Password":{"$ne":null},"Email":"m@example.com"}`, 400, "Password", nil},
		"list as an address":     {`{"Username":"mallory","Password":"long and secret","Email":["a@example.com"]}`, 400, "Email", nil},
		"number as a name":       {`{"Username":1,"Password":"long and secret","Email":"m@example.com"}`, 400, "Username", nil},
		"dollar name":            {`{"Username":"$where","Password":"long and secret","Email":"m@example.com"}`, 400, "Username", nil},
		"path as a name":         {`{"Username":"../admin","Password":"long and secret","Email":"m@example.com"}`, 400, "Username", nil},
		"look-alike letters":     {`{"Username":"аdа","Password":"long and secret","Email":"m@example.com"}`, 400, "Username", nil},
		"name with a line break": {`{"Username":"mallory\n","Password":"long and secret","Email":"m@example.com"}`, 400, "Username", nil},
		"short name":             {`{"Username":"ab","Password":"long and secret","Email":"m@example.com"}`, 400, "Username", nil},
		"short password":         {`{"Username":"mallory","Password":"short","Email":"m@example.com"}`, 400, "Password", nil},
		"password past 72 bytes": {`{"Username":"mallory","Password":"` + strings.Repeat("ä", 37) + `","Email":"m@example.com"}`, 400, "Password", nil},
		"no address":             {`{"Username":"mallory","Password":"long and secret","Email":"nobody"}`, 400, "Email", nil},
		"two addresses":          {`{"Username":"mallory","Password":"long and secret","Email":"a@example.com, b@example.com"}`, 400, "Email", nil},
		"address with a name":    {`{"Username":"mallory","Password":"long and secret","Email":"M <m@example.com>"}`, 400, "Email", nil},
		"address with a header":  {`{"Username":"mallory","Password":"long and secret","Email":"m@example.com\r\nBcc: x@example.com"}`, 400, "Email", nil},
		"birthday in future":     {valid(`,"Birthday":"2999-01-01"`), 400, "Birthday", nil},
		"birthday not a date":    {valid(`,"Birthday":"2001-02-30"`), 400, "Birthday", nil},
		"name that is taken":     {`{"Username":"ADA","Password":"long and secret","Email":"m@example.com"}`, 409, "Username", nil},
		"address that is taken":  {`{"Username":"mallory","Password":"long and secret","Email":"Ada@Example.com"}`, 409, "Email", nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := h.do("POST", "/api/users", c.body, c.edits...).problem(t, c.status)
			if c.field != "" {
				require.Len(t, p.Errors, 1)
				assert.Equal(t, c.field, p.Errors[0].Field)
			}
			assert.NotContains(t, p.Detail, "json:", "no decoder's words")
		})
	}
	p := h.do("POST", "/api/users", `{"Username":"a","Password":"b","Email":"c","Birthday":"d"}`).problem(t, 400)
	assert.Len(t, p.Errors, 4, "every problem at once")

	for name, c := range map[string]struct {
		body   string
		status int
	}{
		"operator as a password": {`{"Username":"ada","Password":{"$ne":""}}`, 400},
		"operator as a name":     {`{"Username":{"$ne":""},"Password":"` + password + `"}`, 400},
		"regular expression":     {`{"Username":{"$regex":".*"},"Password":"` + password + `"}`, 400},
		"unknown field":          {`{"Username":"ada","Password":"` + password + `","$where":"1"}`, 400},
		"pattern as a name":      {`{"Username":"ad.","Password":"` + password + `"}`, 401},
		"nobody":                 {`{"Username":"nobody","Password":"` + password + `"}`, 401},
		"wrong password":         {`{"Username":"ada","Password":"wrong"}`, 401},
		"no password":            {`{"Username":"ada"}`, 401},
		"password and more":      {`{"Username":"ada","Password":"` + password + strings.Repeat("x", 72) + `"}`, 401},
	} {
		t.Run("login/"+name, func(t *testing.T) { h.do("POST", "/api/login", c.body).problem(t, c.status) })
	}

	body := current("Username", "ada", "Email", "bob@example.com")
	h.signUp("bob")
	h.do("PUT", "/api/users/ada", body, bearer(token)).problem(t, 409)
	body["Email"], body["Username"] = "ada@example.com", "bob"
	h.do("PUT", "/api/users/ada", body, bearer(token)).problem(t, 409)
	h.do("PUT", "/api/users/ada", `{"Username":"ada"}`, bearer(token)).problem(t, 400)

	n := must.OK(h.store.Collection(store.Users).CountDocuments(context.Background(), bson.D{}))(t)
	assert.EqualValues(t, 2, n, "only ada and bob")
}

func TestPasswordOf72Bytes(t *testing.T) {
	h := newHarness(t)
	longest := strings.Repeat("six words ", 7) + "72"
	body := account("ada")
	body["Password"] = longest
	h.do("POST", "/api/users", body).requireStatus(t, 201)
	h.logIn("ada", longest)
	h.do("POST", "/api/login", map[string]string{"Username": "ada", "Password": longest + "x"}).problem(t, 401)
}

func TestBadImages(t *testing.T) {
	h := newHarness(t)
	token := h.signUp("ada")
	good := testimage.PNG(4, 4)
	for name, c := range map[string]struct {
		data   []byte
		status int
	}{
		"nothing":               {nil, 415},
		"text":                  {[]byte("hello"), 415},
		"a page":                {[]byte("<html><script>alert(1)</script>"), 415},
		"SVG":                   {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), 415},
		"zip named .jpg":        {zipOf(t), 415},
		"magic bytes alone":     {good[:8], 422},
		"cut within its header": {good[:20], 422},
		"a truncated JPEG":      {cut(testimage.JPEG(40, 30)), 422},
		"a truncated PNG":       {cut(good), 422},
		"a JPEG of 200 scans":   {testimage.ScansJPEG(6000, 4000, 3, 200), 422},
		"animated WebP":         {[]byte("RIFF\x24\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x63\x00\x00\x63\x00\x00ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 415},
		"PNG header of 2.5 Gpx": {testimage.PNGHeader(50_000, 50_000), 413},
		"too many bytes":        {append(bytes.Clone(good), make([]byte, images.MaxBytes)...), 413},
	} {
		t.Run(name, func(t *testing.T) { h.upload(token, c.data).problem(t, c.status) })
	}

	image := file{"image", "x.png", good}
	for name, files := range map[string][]file{
		"no part": nil, "another field": {{"file", "x.png", good}}, "two images": {image, image},
		"a field more": {image, {"key", "x.png", []byte("orig/x")}},
	} {
		t.Run("form/"+name, func(t *testing.T) {
			body, contentType := form(files...)
			h.do("POST", "/api/images", body, contentType, bearer(token)).problem(t, 400)
		})
	}
	whole, contentType := form(image)
	h.do("POST", "/api/images", whole[:len(whole)-10], contentType, bearer(token)).problem(t, 400)
	h.do("POST", "/api/images", bytes.NewReader(good), header("Content-Type", "image/png"), bearer(token)).problem(t, 415)
	h.do("POST", "/api/images", whole, header("Content-Type", "multipart/form-data"), bearer(token)).problem(t, 400)
	h.do("POST", "/api/images", struct{}{}, bearer(token)).problem(t, 415)
	// The limit also applies to a body without Content-Length.
	endless := io.MultiReader(strings.NewReader(whole[:len(whole)-60]), bytes.NewReader(make([]byte, images.MaxBytes+1<<20)))
	h.do("POST", "/api/images", endless, contentType, bearer(token)).problem(t, 413)

	assert.Empty(t, h.images(token, "").Images, "nothing was stored")
	h.upload(token, good) // the account can still upload
}

func TestBadTokens(t *testing.T) {
	h := newHarness(t)
	h.seed()
	good := h.signUp("ada")
	own := session(t, good)
	claims := func(change func(jwt.MapClaims)) jwt.MapClaims {
		c := jwt.MapClaims{"iss": "cinema", "sub": "ada", "uid": own.Account.Hex(), "jti": own.ID.Hex(), "aud": "session",
			"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
		if change != nil {
			change(c)
		}
		return c
	}
	sign := func(m jwt.SigningMethod, key any, c jwt.MapClaims) string {
		s := must.OK(jwt.NewWithClaims(m, c).SignedString(key))(t)
		return s
	}
	require.Equal(t, 200, h.do("GET", "/api/users/ada", nil, bearer(sign(jwt.SigningMethodHS256, signingKey, claims(nil)))).status,
		"the unchanged token is valid")
	expired := must.OK(tokens.Sign(signingKey, own, time.Now().Add(-tokens.Lifetime-time.Minute)))(t)
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	decoded := must.OK(base64.RawURLEncoding.DecodeString(payload))(t)
	forged := base64.RawURLEncoding.EncodeToString(bytes.Replace(decoded, []byte(`"ada"`), []byte(`"bob"`), 1))
	with := func(name string, value any) jwt.MapClaims { return claims(func(c jwt.MapClaims) { c[name] = value }) }
	for name, token := range map[string]string{
		"none":             "",
		"not a token":      "hello",
		"expired":          expired,
		"unsigned":         sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil)),
		"signature gone":   head + "." + payload + ".",
		"subject changed":  head + "." + forged + "." + signature,
		"another key":      sign(jwt.SigningMethodHS256, []byte("another key, thirty-two bytes long"), claims(nil)),
		"HS512":            sign(jwt.SigningMethodHS512, signingKey, claims(nil)),
		"no expiry":        sign(jwt.SigningMethodHS256, signingKey, claims(func(c jwt.MapClaims) { delete(c, "exp") })),
		"issued later":     sign(jwt.SigningMethodHS256, signingKey, with("iat", time.Now().Add(time.Hour).Unix())),
		"another issuer":   sign(jwt.SigningMethodHS256, signingKey, with("iss", "other")),
		"another account":  sign(jwt.SigningMethodHS256, signingKey, with("uid", bson.NewObjectID().Hex())),
		"operator as id":   sign(jwt.SigningMethodHS256, signingKey, with("uid", map[string]string{"$ne": ""})),
		"operator as name": sign(jwt.SigningMethodHS256, signingKey, with("sub", map[string]string{"$ne": ""})),
		"another session":  sign(jwt.SigningMethodHS256, signingKey, with("jti", bson.NewObjectID().Hex())),
		"no session":       sign(jwt.SigningMethodHS256, signingKey, claims(func(c jwt.MapClaims) { delete(c, "jti") })),
		"a device's":       must.OK(tokens.SignDevice(signingKey, tokens.Device{Account: own.Account, ID: own.ID}, time.Now()))(t),
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/api/users/ada", "/api/movies", "/api/images"} {
				p := h.do("GET", path, nil, bearer(token)).problem(t, http.StatusUnauthorized)
				assert.Contains(t, p.header.Get("WWW-Authenticate"), "Bearer")
			}
		})
	}
	h.do("GET", "/api/movies", nil, header("Authorization", "Basic "+good)).problem(t, http.StatusUnauthorized)
	h.do("GET", "/api/movies", nil).problem(t, http.StatusUnauthorized)
	h.do("GET", "/api/movies?token="+good, nil).problem(t, http.StatusUnauthorized)
}

func TestOtherAccounts(t *testing.T) {
	h := newHarness(t)
	h.seed()
	ada := h.signUp("ada")
	h.signUp("bob")
	id := h.movieID()
	for _, name := range []string{"bob", "BOB", "nobody", "ada%00", "ada%2Fbob", "%24ne"} {
		for _, r := range []struct {
			method, path string
			body         any
		}{
			{"GET", "", nil}, {"PUT", "", account("bob")}, {"DELETE", "", nil},
			{"POST", "/movies/" + id, nil}, {"DELETE", "/movies/" + id, nil},
		} {
			h.do(r.method, "/api/users/"+name+r.path, r.body, bearer(ada)).problem(t, http.StatusForbidden)
		}
	}
	bob := must.OK(h.store.UserByName(context.Background(), "bob"))(t)
	assert.Empty(t, bob.FavoriteMovies)
	h.logIn("bob", password)
}

func TestBadPaths(t *testing.T) {
	h := newHarness(t)
	h.seed()
	token := h.signUp("ada")
	id := images.NewID()
	for status, requests := range map[int][]string{
		404: {
			"GET /nothing", "GET /", "GET /api/movies/", "GET /api//movies", "GET //api/movies", "GET /api/movies/../users/ada", "GET /api/images/../movies",
			"GET /movies", "GET /readyz", "GET /metrics", "GET /openapi.json", "GET /images", "GET /users/ada", "POST /login", "POST /users",
			"GET /api", "GET /api/", "GET /API/movies", "GET /apis/movies", "GET /api/api/movies", "GET /api/healthz", "GET /api/../healthz",
			"GET /api/movies/a/b", "GET /api/movies/a%2Fb", "GET /api/movies/%24where", "GET /api/images/" + id,
			"GET /api/images/..%2F..%2Fcredentials%2Fapi.json", "DELETE /api/images/.",
		},
		400: {
			"GET /api/movies/%FF", "GET /api/movies/a%00", "GET /api/movies/" + strings.Repeat("a", 300),
			"GET /api/images/" + strings.ToUpper(id), "GET /api/images/credentials%2Fapi.json", "GET /api/images/" + id + "%00",
			"GET /api/images/" + id + ".jpg", "GET /api/images/" + id + "%0a", "GET /api/images/%7B%22%24ne%22%3A1%7D/thumbnail",
			"DELETE /api/images/*", "POST /api/users/ada/movies/xyz", "POST /api/users/ada/movies/" + strings.Repeat("A", 24),
			"POST /api/users/ada/movies/" + strings.Repeat("a", 25), "DELETE /api/users/ada/movies/%24oid", "GET /api/movies?q[$ne]=x",
			"GET /api/movies?genre[$regex]=.*", "GET /api/movies?$where=1", "GET /api/movies?q=a&q=b", "GET /api/movies?q=%FF",
			"GET /api/movies?q=%00", "GET /api/movies?q=%zz", "GET /api/movies?q=" + strings.Repeat("a", 101),
			"GET /api/movies?q=a+b+c+d+e+f+g+h+i", "GET /api/images?limit=0", "GET /api/images?limit=101", "GET /api/images?limit=1e1",
			"GET /api/images?before=xyz", "GET /api/images?before[$gt]=",
		},
		405: {
			"PATCH /api/movies", "POST /api/movies", "DELETE /api/users", "TRACE /api/movies", "BREW /api/movies", "OPTIONS /api/movies",
		},
	} {
		for _, r := range requests {
			t.Run(r[:min(len(r), 44)], func(t *testing.T) {
				method, path, _ := strings.Cut(r, " ")
				p := h.do(method, path, nil, bearer(token)).problem(t, status)
				if status == 405 {
					assert.NotEmpty(t, p.header.Get("Allow"))
				}
			})
		}
	}
}

// cut drops the last bytes of an image.
func cut(data []byte) []byte { return data[:len(data)-12] }
