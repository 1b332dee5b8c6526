package api_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"cinema-database/app/internal/api"
)

// FuzzBody: every accepted body is one JSON object that fits its schema in openapi.json, and stays the same when it is encoded
// and parsed again.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"Username":"ada","Password":"long enough","Email":"ada@example.com","Birthday":"1990-12-10"}`, `{"CurrentPassword":"x"}`,
		`{}`, `{"Username":{"$gt":""}}`, `{"Username":"a"}{"Username":"b"}`, `[]`, `null`, `{"username":"ada"}`, "{\"Email\":\"\xff\"}", `{"a":1}`, ` {} x`,
		`{"Username":"a","Username":"b"}`, `{"Caption":null}`, `{"Caption":"a","caption":"b"}`, `{"Device":"a","Password":"\u0000"}`, `{"Caption":1e3}`,
	} {
		f.Add([]byte(s))
	}
	var d document
	if err := json.Unmarshal(api.Document(), &d); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, body := range api.Bodies() {
			if err := api.ParseJSON(data, body); err != nil {
				continue
			}
			var value map[string]any
			if err := json.Unmarshal(data, &value); err != nil || !utf8.Valid(data) {
				t.Fatalf("%s accepted %q: %v", name, data, err)
			}
			properties := mapOf(mapOf(mapOf(d["components"])["schemas"])[name])["properties"]
			for key, v := range value {
				schema, known := mapOf(properties)[key]
				if _, text := v.(string); !known || !text || mapOf(schema)["type"] != "string" {
					t.Fatalf("%s accepted %q: %s", name, data, key)
				}
			}
			again, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			second := api.Bodies()[name]
			if err := api.ParseJSON(again, second); err != nil || !reflect.DeepEqual(body, second) {
				t.Fatalf("%q reads as %+v, and then as %+v: %v", data, body, second, err)
			}
		}
	})
}
