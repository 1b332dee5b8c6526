package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// decodeJSON decodes the body, which must be one JSON object without unknown fields, into v.
func decodeJSON(c *call, v any) error {
	if t, _, err := mime.ParseMediaType(c.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return problemf(http.StatusUnsupportedMediaType, "The body must be application/json.")
	}
	// A writer without a connection, as in some tests, has no deadlines.
	_ = c.control.SetReadDeadline(time.Now().Add(c.bodyTime))
	data, err := io.ReadAll(c.Body)
	_ = c.control.SetReadDeadline(time.Time{})
	if err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return err
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return problemf(http.StatusRequestTimeout, "The body did not arrive within %v.", c.bodyTime)
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
	if err := checkKeys(data, v); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(v); err != nil {
		var wrong *json.UnmarshalTypeError
		switch {
		case errors.As(err, &wrong) && wrong.Field != "":
			return &problem{Status: http.StatusBadRequest, Detail: "A field has the wrong type.",
				Fields: []fieldProblem{{wrong.Field, "must be a " + wrong.Type.String()}}}
		default:
			return problemf(http.StatusBadRequest, "The body is not valid JSON.")
		}
	}
	if _, err := d.Token(); err != io.EOF {
		return problemf(http.StatusBadRequest, "The body contains data after the JSON object.")
	}
	return nil
}

// checkKeys checks that the keys of an object are exactly those of v's fields, each at most once, and that no value is null:
// encoding/json also accepts keys in another case, keys that occur twice, and null for every type. It leaves broken JSON to
// the decoder.
func checkKeys(data []byte, v any) error {
	known := map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeOf(v).Elem()) {
		if !field.Anonymous {
			known[field.Name] = true
		}
	}
	var fields []fieldProblem
	unknown := false
	seen := map[string]bool{}
	d := json.NewDecoder(bytes.NewReader(data))
	_, err := d.Token()
	for err == nil && d.More() {
		var key json.Token
		var value json.RawMessage
		if key, err = d.Token(); err == nil {
			err = d.Decode(&value)
		}
		name, _ := key.(string)
		switch {
		case err != nil:
		case !known[name]:
			unknown = true
		case seen[name]:
			fields = append(fields, fieldProblem{name, "occurs more than once"})
		case string(value) == "null":
			fields = append(fields, fieldProblem{name, "must not be null; leave it out"})
		}
		seen[name] = true
	}
	switch {
	case unknown:
		names := slices.Sorted(maps.Keys(known))
		return &problem{Status: http.StatusBadRequest, Detail: "The body contains an unknown field; the fields are " + strings.Join(names, ", ") + ".", Fields: fields}
	case len(fields) > 0:
		return &problem{Status: http.StatusBadRequest, Detail: "Some fields are invalid.", Fields: fields}
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
