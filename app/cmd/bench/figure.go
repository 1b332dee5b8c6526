package main

import "fmt"

// figure is one measurement.
type figure struct {
	name  string
	value float64
	unit  string
	// atLeast and atMost are the target; nil for none.
	atLeast, atMost *float64
}

func least(v float64) *float64 { return &v }
func most(v float64) *float64  { return &v }

func (f figure) met() bool {
	return (f.atLeast == nil || f.value >= *f.atLeast) && (f.atMost == nil || f.value <= *f.atMost)
}

// String returns one line: name, value, unit, target, and whether the value meets it.
func (f figure) String() string {
	line := fmt.Sprintf("%-44s %12.1f %-11s", f.name, f.value, f.unit)
	switch {
	case f.atLeast != nil:
		line += fmt.Sprintf(" target >= %.1f", *f.atLeast)
	case f.atMost != nil:
		line += fmt.Sprintf(" target <= %.1f", *f.atMost)
	default:
		return line + " no target"
	}
	if f.met() {
		return line + "  pass"
	}
	return line + "  FAIL"
}
