// Package problem collects what is wrong with an input, so that one run names everything.
package problem

import (
	"errors"
	"fmt"
)

// List gathers problems under one scope: a component ("network: ") or a config namespace ("cinema:").
type List struct {
	scope string
	errs  []error
}

// In starts a list whose every line begins with scope.
func In(scope string) *List { return &List{scope: scope} }

// Add records one problem as `scope field: "value" reason; fix`.
func (l *List) Add(field string, value any, reason, fix string) {
	shown := fmt.Sprint(value)
	if s, ok := value.(string); ok {
		shown = fmt.Sprintf("%q", s)
	}
	l.errs = append(l.errs, fmt.Errorf("%s%s: %s %s; %s", l.scope, field, shown, reason, fix))
}

// Err joins everything added, one problem to a line; nil where there is none.
func (l *List) Err() error { return errors.Join(l.errs...) }
