package api_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"cinema-database/app/internal/api"
)

// FuzzParseJSON: every accepted body is one JSON object, and stays the same when it is encoded and parsed again.
func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{
		`{"Username":"ada","Password":"long enough","Email":"ada@example.com","Birthday":"1990-12-10"}`,
		`{}`, `{"Username":{"$gt":""}}`, `{"Username":"a"}{"Username":"b"}`, `[]`, `null`, `{"username":"ada"}`, "{\"Email\":\"\xff\"}", `{"a":1}`, ` {} x`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var body api.AccountBody
		if err := api.ParseJSON(data, &body); err != nil {
			return
		}
		if !utf8.Valid(data) || !json.Valid(data) {
			t.Fatalf("accepted invalid JSON: %q", data)
		}
		if bytes.TrimLeft(data, " \t\r\n")[0] != '{' {
			t.Fatalf("accepted a value that is not an object: %q", data)
		}
		again, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var second api.AccountBody
		if err := api.ParseJSON(again, &second); err != nil || second != body {
			t.Fatalf("%q reads as %+v, and then as %+v: %v", data, body, second, err)
		}
	})
}
