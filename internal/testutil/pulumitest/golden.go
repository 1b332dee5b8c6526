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

var update = flag.Bool("update", false, "write what the tests see into their golden files")

// Golden compares text with a file, and with -update writes the file instead.
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
		t.Errorf("%s differs from what the program registers (run the test with -update if that is meant):\n%s", path, lineDiff(want, got))
	}
}

// lineDiff lists the lines that only one of two sorted-ish texts has.
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
		return "the same lines in another order\n"
	}
	return b.String()
}

// StackConfig is plan.StackConfig; a file that cannot be read ends the test.
func StackConfig(t testing.TB, path string) map[string]string {
	t.Helper()
	values, err := plan.StackConfig(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return values
}
