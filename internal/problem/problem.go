// Package problem collects the problems of an input, so that one run reports all of them.
package problem

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
	"github.com/texttheater/golang-levenshtein/levenshtein"
)

// List gathers problems under one scope: a component ("network: ") or a config namespace ("cinema:").
type List struct {
	scope  string
	fields map[string]bool
	// unread are fields whose values could not be read.
	unread []string
	// secrets are fields whose values are not shown, with the texts in them.
	secrets map[string][]string
	errs    []error
}

// In returns an empty list. Each of its lines will start with scope.
func In(scope string) *List {
	return &List{scope: scope, fields: map[string]bool{}, secrets: map[string][]string{}}
}

// Literal is a value that is shown as it is, without quotes.
type Literal string

// Add records one problem as `scope field: "value" reason; fix`. It leaves out what follows from an unread field.
func (l *List) Add(field string, value any, reason, fix string) {
	if slices.ContainsFunc(l.unread, func(unread string) bool { return within(field, unread) || within(unread, field) }) {
		return
	}
	shown := fmt.Sprint(value)
	if s, ok := value.(string); ok {
		shown = fmt.Sprintf("%q", s)
	}
	for secret, texts := range l.secrets {
		if within(field, secret) {
			shown = Hidden
			for _, text := range texts {
				reason, fix = strings.ReplaceAll(reason, text, Hidden), strings.ReplaceAll(fix, text, Hidden)
			}
		}
	}
	l.fields[field] = true
	l.AddError(fmt.Errorf("%s%s: %s %s; %s", l.scope, field, shown, reason, fix))
}

// AddUnread records a value that could not be read. Later problems of the field, of what it holds and of what holds it
// follow from this one.
func (l *List) AddUnread(field string, value any, reason, fix string) {
	l.Add(field, value, reason, fix)
	l.unread = append(l.unread, field)
}

// Hidden is shown instead of a secret.
const Hidden = "[secret]"

// minSecret is the length of the shortest text that is replaced in a sentence: a shorter one is part of other words.
const minSecret = 3

// Hide keeps the value of a field, and the texts in it, out of problems that are added later.
func (l *List) Hide(field string, texts ...string) {
	texts = slices.DeleteFunc(texts, func(text string) bool { return len(text) < minSecret })
	slices.SortFunc(texts, func(a, b string) int { return len(b) - len(a) }) // a text may hold another
	l.secrets[field] = texts
}

// within reports whether field is of, or one that of holds: a field of a map follows a dot, an element of a list a bracket.
func within(field, of string) bool {
	rest, ok := strings.CutPrefix(field, of)
	return ok && (rest == "" || strings.ContainsAny(rest[:1], ".["))
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

// Each returns err as the Pulumi SDK counts it: the SDK reports joined errors as one.
func Each(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var all *multierror.Error
	for _, e := range joined.Unwrap() {
		all = multierror.Append(all, Each(e))
	}
	return all.ErrorOrNil()
}

// Edits is the number of letters to change, ignoring case, from one name to another: a problem names the nearest ones.
func Edits(a, b string) int {
	return levenshtein.DistanceForStrings([]rune(strings.ToLower(a)), []rune(strings.ToLower(b)), levenshtein.DefaultOptionsWithSub)
}

// Lines returns the errors that the Pulumi SDK has counted, one on each line and without the count.
func Lines(err error) error {
	var all *multierror.Error
	if errors.As(err, &all) {
		return errors.Join(all.Errors...)
	}
	return err
}
