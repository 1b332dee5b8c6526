package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/app/internal/api"
	"cinema-database/app/internal/testimage"
	"cinema-database/internal/testutil/must"
)

// document is openapi.json as the API serves it.
type document map[string]any

func (d document) resolve(v any) map[string]any {
	m, _ := v.(map[string]any)
	for {
		ref, found := m["$ref"].(string)
		if !found {
			return m
		}
		var at any = map[string]any(d)
		for step := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			at = at.(map[string]any)[step]
		}
		m = at.(map[string]any)
	}
}

// check returns the differences between value and a schema. An unknown keyword counts as a difference, so that no keyword
// is ignored.
func (d document) check(schema any, value any, at string) []string {
	var out []string
	bad := func(format string, args ...any) { out = append(out, at+": "+fmt.Sprintf(format, args...)) }
	s := d.resolve(schema)
	for keyword, want := range s {
		switch keyword {
		case "type":
			ok := false
			switch v := value.(type) {
			case string:
				ok = want == "string"
			case bool:
				ok = want == "boolean"
			case float64:
				ok = want == "number" || want == "integer" && v == float64(int64(v))
			case []any:
				ok = want == "array"
			case map[string]any:
				ok = want == "object"
			}
			if !ok {
				bad("%v is not of type %s", value, want)
			}
		case "properties":
			object, _ := value.(map[string]any)
			for name, v := range object {
				if p, known := want.(map[string]any)[name]; known {
					out = append(out, d.check(p, v, at+"."+name)...)
				} else if s["additionalProperties"] == false {
					bad("property %s is not described", name)
				}
			}
		case "required":
			object, _ := value.(map[string]any)
			for _, name := range want.([]any) {
				if _, there := object[name.(string)]; !there {
					bad("property %s is missing", name)
				}
			}
		case "items":
			list, _ := value.([]any)
			for i, v := range list {
				out = append(out, d.check(want, v, fmt.Sprintf("%s[%d]", at, i))...)
			}
		case "allOf":
			for _, one := range want.([]any) {
				out = append(out, d.check(one, value, at)...)
			}
		case "enum":
			if !slices.Contains(want.([]any), value) {
				bad("%v is none of %v", value, want)
			}
		case "pattern":
			if text, _ := value.(string); !regexp.MustCompile(want.(string)).MatchString(text) {
				bad("%q does not match %s", text, want)
			}
		case "minimum":
			if n, _ := value.(float64); n < want.(float64) {
				bad("%v is less than %v", n, want)
			}
		case "maximum":
			if n, _ := value.(float64); n > want.(float64) {
				bad("%v is more than %v", n, want)
			}
		case "minLength":
			if text, _ := value.(string); len([]rune(text)) < int(want.(float64)) {
				bad("%q is shorter than %v", text, want)
			}
		case "maxLength":
			if text, _ := value.(string); len([]rune(text)) > int(want.(float64)) {
				bad("%q is longer than %v", text, want)
			}
		case "description", "format", "default", "additionalProperties":
		default:
			bad("keyword %s is not known to this test", keyword)
		}
	}
	return out
}

func (h *harness) document() document {
	h.t.Helper()
	var d document
	a := h.do("GET", "/api/openapi.json", nil)
	require.Equal(h.t, 200, a.status)
	a.json(h.t, &d)
	return d
}

// operations returns all operations by "METHOD /path". The path starts with that of the server that the document names,
// for all paths or for this one.
func (d document) operations() map[string]map[string]any {
	server := func(of map[string]any) string {
		servers := of["servers"].([]any)
		return strings.TrimSuffix(servers[0].(map[string]any)["url"].(string), "/")
	}
	all := map[string]map[string]any{}
	for path, item := range d["paths"].(map[string]any) {
		methods := item.(map[string]any)
		at := server(d)
		if _, own := methods["servers"]; own {
			at = server(methods)
		}
		for method, op := range methods {
			if method != "servers" {
				all[strings.ToUpper(method)+" "+at+path] = op.(map[string]any)
			}
		}
	}
	return all
}

// TestDocumentHasAllRoutes: the document has exactly the API's routes.
func TestDocumentHasAllRoutes(t *testing.T) {
	h := newHarness(t)
	a := must.OK(api.New(h.options()))(t)
	var described []string
	for name := range h.document().operations() {
		described = append(described, name)
	}
	assert.ElementsMatch(t, a.Routes(), described)
}

// TestDocumentDescribesEveryAnswer calls every operation and compares the request and the answer with the document:
// status, type, headers and every property.
func TestDocumentDescribesEveryAnswer(t *testing.T) {
	h := newHarness(t)
	h.seed()
	d := h.document()
	operations := d.operations()
	called := map[string]bool{}

	var token string
	// call sends one request of an operation. values are the path's parameters, in order.
	call := func(operation string, want int, query string, body any, values []string, edits ...edit) answer {
		t.Helper()
		op := operations[operation]
		require.NotNil(t, op, operation)
		called[operation] = true
		method, path, _ := strings.Cut(operation, " ")
		for _, v := range values {
			open, end := strings.Index(path, "{"), strings.Index(path, "}")
			path = path[:open] + url.PathEscape(v) + path[end+1:]
		}
		require.NotContains(t, path, "{")
		security, special := op["security"].([]any)
		if !special || len(security) > 0 {
			edits = append(edits, bearer(token))
		}
		if want < 300 && body != nil {
			if _, isForm := body.(string); !isForm {
				schema := d.resolve(op["requestBody"])["content"].(map[string]any)["application/json"].(map[string]any)["schema"]
				assert.Empty(t, d.check(schema, roundTrip(t, body), operation+" request"))
			}
		}
		a := h.do(method, path+query, body, edits...)
		require.Equal(t, want, a.status, "%s: %s", operation, a.body)

		response, described := op["responses"].(map[string]any)[fmt.Sprint(want)]
		require.True(t, described, "%s: status %d is not described", operation, want)
		content, _ := d.resolve(response)["content"].(map[string]any)
		for name, described := range mapOf(d.resolve(response)["headers"]) {
			if mapOf(described)["required"] == false {
				continue
			}
			assert.NotEmpty(t, a.header.Get(name), "%s: header %s", operation, name)
		}
		if len(content) == 0 {
			assert.Empty(t, a.body, operation)
			return a
		}
		mediaType, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
		require.NoError(t, err, operation)
		media, described := content[mediaType].(map[string]any)
		require.True(t, described, "%s: type %s is not described", operation, mediaType)
		if strings.HasSuffix(mediaType, "json") {
			var v any
			a.json(t, &v)
			assert.Empty(t, d.check(media["schema"], v, operation))
		}
		return a
	}

	call("GET /healthz", 200, "", nil, nil)
	call("GET /api/readyz", 200, "", nil, nil)
	call("GET /api/metrics", 200, "", nil, nil)
	call("GET /api/openapi.json", 200, "", nil, nil)

	ada := map[string]string{"Username": "Ada", "Password": password, "Email": "ada@example.com", "Birthday": "1990-12-10"}
	call("POST /api/users", 201, "", ada, nil)
	call("POST /api/users", 409, "", ada, nil)
	call("POST /api/users", 400, "", map[string]string{"Username": "a"}, nil)
	call("POST /api/users", 415, "", "x", nil, header("Content-Type", "text/plain"))
	call("POST /api/users", 413, "", strings.Repeat(" ", 20<<10), nil)
	login := map[string]string{"Username": "Ada", "Password": password}
	token = as[sessionAnswer](t, call("POST /api/login", 200, "", login, nil)).Token
	call("POST /api/login", 401, "", map[string]string{"Username": "Ada", "Password": "wrong"}, nil)
	call("POST /api/login", 400, "", map[string]int{"Username": 1}, nil)

	call("GET /api/users/{username}", 200, "", nil, []string{"Ada"})
	call("GET /api/users/{username}", 403, "", nil, []string{"bob"})
	good := token
	token = "forged"
	call("GET /api/users/{username}", 401, "", nil, []string{"Ada"})
	token = good
	id := h.movieID()
	call("POST /api/users/{username}/movies/{id}", 200, "", nil, []string{"ada", id})
	call("POST /api/users/{username}/movies/{id}", 404, "", nil, []string{"ada", strings.Repeat("0", 24)})
	call("POST /api/users/{username}/movies/{id}", 400, "", nil, []string{"ada", "x"})
	call("GET /api/users/{username}", 200, "", nil, []string{"ada"}) // with a favorite
	call("DELETE /api/users/{username}/movies/{id}", 200, "", nil, []string{"ada", id})
	a := call("PUT /api/users/{username}", 200, "", current("Username", "ada", "Email", "ada@example.org", "Password", "another good phrase"), []string{"ada"})
	token = as[sessionAnswer](t, a).Token
	call("PUT /api/users/{username}", 400, "", map[string]string{"Username": "ada"}, []string{"ada"})

	a = call("GET /api/movies", 200, "", nil, nil)
	call("GET /api/movies", 304, "", nil, nil, header("If-None-Match", a.header.Get("ETag")))
	call("GET /api/movies", 200, "?q=kurosawa&genre=Drama", nil, nil)
	call("GET /api/movies", 200, "?director=Orson+Welles&limit=1", nil, nil)
	call("GET /api/movies", 400, "?x=1", nil, nil)
	call("GET /api/genres", 200, "", nil, nil)
	call("GET /api/directors", 200, "", nil, nil)
	call("GET /api/users/{username}/movies", 200, "", nil, []string{"ada"})
	call("GET /api/movies/{title}", 200, "", nil, []string{"Dr. Strangelove"})
	call("GET /api/movies/{title}", 404, "", nil, []string{"Nope"})
	call("GET /api/genres/{name}", 200, "", nil, []string{"Science fiction"})
	call("GET /api/directors/{name}", 200, "", nil, []string{"Orson Welles"})
	call("GET /api/directors/{name}", 200, "", nil, []string{"Greta Gerwig"}) // living: no Death

	ids := map[string]string{}
	for name, data := range map[string][]byte{"png": testimage.PNG(3, 2), "jpg": testimage.JPEG(3, 2)} {
		body, contentType := form(file{"image", "x", data})
		i := as[imageAnswer](t, call("POST /api/images", 201, "", body, nil, contentType))
		ids[name] = i.ID
		call("GET /api/images/{id}", 200, "", nil, []string{i.ID})
	}
	body, contentType := form(file{"image", "x", []byte("text")})
	call("POST /api/images", 415, "", body, nil, contentType)
	body, contentType = form(file{"other", "x", testimage.PNG(3, 2)})
	call("POST /api/images", 400, "", body, nil, contentType)
	call("GET /api/images", 200, "", nil, nil)
	call("GET /api/images", 200, "?limit=1", nil, nil) // with a next page
	call("GET /api/images", 400, "?limit=x", nil, nil)
	a = call("GET /api/images/{id}", 200, "", nil, []string{ids["png"]})
	call("GET /api/images/{id}", 304, "", nil, []string{ids["png"]}, header("If-None-Match", a.header.Get("ETag")))
	call("GET /api/images/{id}", 404, "", nil, []string{strings.Repeat("a", 26)})
	call("GET /api/images/{id}/thumbnail", 404, "", nil, []string{ids["png"]})
	require.NoError(t, h.s3.Put(context.Background(), "cinema-images", contract.ThumbnailKey(ids["png"]), testimage.JPEG(2, 2)))
	call("GET /api/images/{id}/thumbnail", 200, "", nil, []string{ids["png"]})
	call("GET /api/images/{id}/view", 404, "", nil, []string{ids["png"]})
	require.NoError(t, h.s3.Put(context.Background(), "cinema-images", contract.ViewKey(ids["png"]), testimage.JPEG(2, 2)))
	call("GET /api/images/{id}/view", 200, "", nil, []string{ids["png"]})
	call("PUT /api/images/{id}", 200, "", map[string]string{"Caption": "The old cinema"}, []string{ids["png"]})
	call("PUT /api/images/{id}", 400, "", map[string]string{"Caption": "two\nlines"}, []string{ids["png"]})
	call("PUT /api/images/{id}", 404, "", map[string]string{"Caption": ""}, []string{strings.Repeat("a", 26)})
	body, contentType = form(file{"image", "x", testimage.JPEG(3, 2)[:60]})
	call("POST /api/images", 422, "", body, nil, contentType)
	call("DELETE /api/images/{id}", 204, "", nil, []string{ids["png"]})
	call("DELETE /api/users/{username}", 403, "", map[string]string{"CurrentPassword": "wrong"}, []string{"ada"})
	call("DELETE /api/users/{username}", 400, "", map[string]string{"CurrentPassword": ""}, []string{"ada"})
	call("DELETE /api/users/{username}", 204, "", map[string]string{"CurrentPassword": "another good phrase"}, []string{"ada"})
	h.signUp("eve")
	token = h.logIn("eve", password)
	call("POST /api/logout", 204, "", nil, nil)
	call("POST /api/logout", 401, "", nil, nil)

	for name := range operations {
		assert.True(t, called[name], "%s was not called", name)
	}
}

func mapOf(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func roundTrip(t *testing.T, v any) any {
	t.Helper()
	b := must.OK(json.Marshal(v))(t)
	var out any
	require.NoError(t, json.Unmarshal(b, &out))
	return out
}
