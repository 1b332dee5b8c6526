// Package lookup runs look-ups on AWS at the same time, because every command waits for them.
package lookup

import "sync"

// Together runs look-ups at the same time. It returns their errors in their order, nil where one succeeds.
func Together(lookups ...func() error) []error {
	failed := make([]error, len(lookups))
	var group sync.WaitGroup
	for i, lookup := range lookups {
		group.Go(func() { failed[i] = lookup() })
	}
	group.Wait()
	return failed
}

// Each looks everything in ids up at the same time. The results have the order of ids. Where look-ups fail, there are no results,
// and the error is that of the first id among them.
func Each[T any](ids []string, lookup func(id string) (T, error)) ([]T, error) {
	found, lookups := make([]T, len(ids)), make([]func() error, len(ids))
	for i, id := range ids {
		lookups[i] = func() (err error) { found[i], err = lookup(id); return err }
	}
	for _, err := range Together(lookups...) {
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
