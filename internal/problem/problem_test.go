package problem_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/assert"

	"cinema-database/internal/problem"
)

func TestList(t *testing.T) {
	l := problem.In("cinema:")
	assert.NoError(t, l.Err())
	l.Hide("alarms", "hush", "hush hush", "is")
	l.Add("size", 3, "is small", "raise it")
	l.Add("name", "a\nb", "has a line break", "remove it")
	l.Add("list", problem.Literal(`["a"]`), "is a list", "write text")
	l.Add("alarms.email", "hush hush", "is like hush hush", "do not write hush")
	l.Add("alarmsLog", "x", "is no field of alarms", "remove it")
	l.AddError(nil)
	assert.True(t, l.Has("size"))
	assert.False(t, l.Has("alarms"))
	assert.EqualError(t, l.Err(), `cinema:size: 3 is small; raise it
cinema:name: "a\nb" has a line break; remove it
cinema:list: ["a"] is a list; write text
cinema:alarms.email: [secret] is like [secret]; do not write [secret]
cinema:alarmsLog: "x" is no field of alarms; remove it`)
}

func TestWhatFollowsFromAnUnreadValueIsNoProblem(t *testing.T) {
	l := problem.In("")
	l.AddUnread("zones[1]", 2, "is a number", "write text")
	l.Add("zones[1]", "", "is empty", "name one")
	l.Add("zones", 1, "is too few", "name two")
	l.Add("zones[1].name", "", "is empty", "name one")
	l.Add("zones[10]", "x", "is no zone", "name one")
	assert.EqualError(t, l.Err(), "zones[1]: 2 is a number; write text\nzones[10]: \"x\" is no zone; name one")
}

// The SDK appends what a program returns to a *multierror.Error.
func TestEachProblemCounts(t *testing.T) {
	joined := errors.Join(errors.New("one"), errors.Join(errors.New("two"), errors.New("three")))
	sdk := func(err error) error { return multierror.Append(nil, err) }
	assert.EqualError(t, sdk(problem.Each(joined)), "3 errors occurred:\n\t* one\n\t* two\n\t* three\n\n")
	assert.EqualError(t, sdk(problem.Each(errors.New("one"))), "1 error occurred:\n\t* one\n\n")
	assert.EqualError(t, problem.Lines(fmt.Errorf("run: %w", sdk(problem.Each(joined)))), "one\ntwo\nthree")
	plain := errors.New("plain")
	assert.Equal(t, plain, problem.Lines(plain))
	assert.NoError(t, problem.Lines(nil))
}
