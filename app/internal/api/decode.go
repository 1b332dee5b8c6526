package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// decodeJSON reads one JSON object into v: no unknown fields, no other types, nothing after it.
func decodeJSON(c *call, v any) error {
	if t, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return problemf(http.StatusUnsupportedMediaType, "The body must be application/json.")
	}
	data, err := io.ReadAll(c.Body)
	if err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return err
		}
		return problemf(http.StatusBadRequest, "The body did not arrive whole.")
	}
	return parseJSON(data, v)
}

func parseJSON(data []byte, v any) error {
	// encoding/json would replace what is not UTF-8, and so store another text than was sent.
	if !utf8.Valid(data) {
		return problemf(http.StatusBadRequest, "The body is not UTF-8.")
	}
	if first := strings.TrimLeft(string(data), " \t\r\n"); !strings.HasPrefix(first, "{") {
		return problemf(http.StatusBadRequest, "The body is not a JSON object.")
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		var wrong *json.UnmarshalTypeError
		switch {
		case errors.As(err, &wrong) && wrong.Field != "":
			return &problem{Status: http.StatusBadRequest, Detail: "A field has another type than it must.",
				Fields: []fieldProblem{{wrong.Field, "must be a " + wrong.Type.String()}}}
		case strings.HasPrefix(err.Error(), "json: unknown field"):
			return problemf(http.StatusBadRequest, "The body has a field that is not known here.")
		default:
			return problemf(http.StatusBadRequest, "The body is not JSON.")
		}
	}
	if _, err := d.Token(); err != io.EOF {
		return problemf(http.StatusBadRequest, "There is something after the JSON object.")
	}
	return nil
}

// query reads the query string, in which each of the named parameters may occur once, and no other.
func query(u *url.URL, names ...string) (url.Values, error) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "The query string is malformed.")
	}
	for name, v := range values {
		if !slices.Contains(names, name) {
			return nil, problemf(http.StatusBadRequest, "The query string may hold %s only.", strings.Join(names, ", "))
		}
		if len(v) != 1 {
			return nil, problemf(http.StatusBadRequest, "The query string holds %s more than once.", name)
		}
		if !utf8.ValidString(v[0]) || strings.ContainsRune(v[0], 0) {
			return nil, problemf(http.StatusBadRequest, "%s is not text.", name)
		}
	}
	return values, nil
}
