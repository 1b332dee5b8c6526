package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// planned are the measurements of a plan, by the unit that BenchmarkPlan reports each in.
var planned = map[string]struct {
	name, unit string
	scale      float64
	atMost     *float64
}{
	"ns/op":                    {"time", "ms", 1e-6, most(150)},
	"allocs/op":                {"allocations", "", 1, nil},
	"B/op":                     {"memory allocated", "MiB", 1.0 / mebibyte, nil},
	"resources":                {"resources", "", 1, nil},
	"in-a-row":                 {"longest chain", "resources", 1, nil},
	"api-user-data-bytes":      {"user data of an API instance", "bytes", 1, most(6 << 10)},
	"database-user-data-bytes": {"user data of the database host", "bytes", 1, most(6 << 10)},
}

// measurePlan runs the benchmark of the whole Pulumi program, which is a test of the package that it is in: one
// plan of each stack, with AWS's answers modelled. The names along the longest chain go before the figures.
func measurePlan(ctx context.Context, _ options) ([]figure, error) {
	bench := exec.CommandContext(ctx, "go", "test", "cinema-database", "-run", "^$", "-bench", "^BenchmarkPlan$", "-benchmem", "-benchtime", "30x")
	out, err := bench.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return planFigures(out)
}

func planFigures(out []byte) ([]figure, error) {
	var figures []figure
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if _, said, ok := strings.Cut(lines.Text(), "bench_test.go:"); ok {
			_, said, _ = strings.Cut(said, ": ")
			fmt.Println(said)
		}
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "BenchmarkPlan/") {
			continue
		}
		stack, _, _ := strings.Cut(strings.TrimPrefix(fields[0], "BenchmarkPlan/"), "-")
		for i := 2; i+1 < len(fields); i += 2 { // after the name and the count: pairs of value and unit
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", lines.Text(), err)
			}
			if p, ok := planned[fields[i+1]]; ok {
				figures = append(figures, figure{name: "plan of " + stack + ", " + p.name, value: value * p.scale, unit: p.unit, atMost: p.atMost})
			}
		}
	}
	if len(figures) == 0 || len(figures)%len(planned) != 0 {
		return nil, fmt.Errorf("%d figures instead of %d for each stack:\n%s", len(figures), len(planned), out)
	}
	return figures, nil
}
