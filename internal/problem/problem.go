// Package problem collects the problems of an input, so that one run reports all of them.
package problem

import (
	"errors"
	"fmt"
)

// List gathers problems under one scope: a component ("network: ") or a config namespace ("cinema:").
type List struct {
	scope  string
	fields map[string]bool
	errs   []error
}

// In returns an empty list. Each of its lines will start with scope.
func In(scope string) *List { return &List{scope: scope, fields: map[string]bool{}} }

// Add records one problem as `scope field: "value" reason; fix`.
func (l *List) Add(field string, value any, reason, fix string) {
	shown := fmt.Sprint(value)
	if s, ok := value.(string); ok {
		shown = fmt.Sprintf("%q", s)
	}
	l.fields[field] = true
	l.AddError(fmt.Errorf("%s%s: %s %s; %s", l.scope, field, shown, reason, fix))
}

// AddError records a problem that is not about a field of the scope. A nil error is ignored.
func (l *List) AddError(err error) {
	if err != nil {
		l.errs = append(l.errs, err)
	}
}

// Has reports whether a problem of the field is recorded.
func (l *List) Has(field string) bool { return l.fields[field] }

// Err joins the problems, one on each line. It is nil where there are none.
func (l *List) Err() error { return errors.Join(l.errs...) }
