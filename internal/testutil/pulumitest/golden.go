package pulumitest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cinema-database/internal/plan"
)

var update = flag.Bool("update", false, "write the tests' results to their golden files")

// Golden compares text with a file. With -update it writes the file instead.
func Golden(t testing.TB, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if want := string(data); got != want {
		t.Errorf("%s differs from the program's registrations (if that is intended, run the test with -update):\n%s", path, lineDiff(want, got))
	}
}

// lineDiff lists the lines that only one of the texts has.
func lineDiff(want, got string) string {
	count := map[string]int{}
	for _, l := range strings.Split(want, "\n") {
		count[l]++
	}
	var b strings.Builder
	for _, l := range strings.Split(got, "\n") {
		if count[l]--; count[l] < 0 {
			fmt.Fprintf(&b, "+ %s\n", l)
		}
	}
	for _, l := range strings.Split(want, "\n") {
		if count[l] > 0 {
			count[l]--
			fmt.Fprintf(&b, "- %s\n", l)
		}
	}
	if b.Len() == 0 {
		return "the same lines in a different order\n"
	}
	return b.String()
}

// StackConfig reads a stack's file of the project "cinema". It ends the test if the file cannot be read.
func StackConfig(t testing.TB, path string) map[string]string {
	t.Helper()
	values, err := plan.StackConfig(path, "cinema", nil)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := plan.Texts(values)
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
