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

// decodeJSON decodes the body, which must be one JSON object without unknown fields, into v.
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
		return problemf(http.StatusBadRequest, "The body is incomplete.")
	}
	return parseJSON(data, v)
}

func parseJSON(data []byte, v any) error {
	// encoding/json would replace invalid UTF-8, so the stored text would differ from the sent one.
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
			return &problem{Status: http.StatusBadRequest, Detail: "A field has the wrong type.",
				Fields: []fieldProblem{{wrong.Field, "must be a " + wrong.Type.String()}}}
		case strings.HasPrefix(err.Error(), "json: unknown field"):
			return problemf(http.StatusBadRequest, "The body contains an unknown field.")
		default:
			return problemf(http.StatusBadRequest, "The body is not valid JSON.")
		}
	}
	if _, err := d.Token(); err != io.EOF {
		return problemf(http.StatusBadRequest, "The body contains data after the JSON object.")
	}
	return nil
}

// query parses the query string. Each of the named parameters may occur once; other parameters are errors.
func query(u *url.URL, names ...string) (url.Values, error) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, problemf(http.StatusBadRequest, "The query string is malformed.")
	}
	for name, v := range values {
		if !slices.Contains(names, name) {
			return nil, problemf(http.StatusBadRequest, "The query string may contain only %s.", strings.Join(names, ", "))
		}
		if len(v) != 1 {
			return nil, problemf(http.StatusBadRequest, "The query string contains %s more than once.", name)
		}
		if !utf8.ValidString(v[0]) || strings.ContainsRune(v[0], 0) {
			return nil, problemf(http.StatusBadRequest, "%s is not valid text.", name)
		}
	}
	return values, nil
}
