package stack

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cinema-database/internal/testutil/pulumitest"
)

// longestChain is the longest row of resources of which each waits for the one before: as many creations as
// `up` takes one after another at least, however much it does at once. Of several, it is the first by name.
// A child waits for its parent only where that is a resource of AWS: a component is there at once.
func longestChain(r *pulumitest.Recording) []*pulumitest.Resource {
	byURN := map[string]*pulumitest.Resource{}
	for _, res := range custom(r) {
		byURN[res.URN] = res
	}
	chains := map[string][]*pulumitest.Resource{}
	var chain func(*pulumitest.Resource) []*pulumitest.Resource
	chain = func(res *pulumitest.Resource) []*pulumitest.Resource {
		if known, ok := chains[res.URN]; ok {
			return known
		}
		var longest []*pulumitest.Resource
		for _, urn := range append(slices.Clone(res.Dependencies), res.Parent) {
			if before := byURN[urn]; before != nil {
				if c := chain(before); len(c) > len(longest) {
					longest = c
				}
			}
		}
		chains[res.URN] = append(slices.Clip(slices.Clone(longest)), res)
		return chains[res.URN]
	}
	var longest []*pulumitest.Resource
	for _, res := range custom(r) { // by type and URN
		if c := chain(res); len(c) > len(longest) {
			longest = c
		}
	}
	return longest
}

// The chain is a golden file, so that a step more in it shows in a review.
func TestLongestChain(t *testing.T) {
	var all strings.Builder
	for _, name := range stacks {
		r := planned(t, name, nil)
		fmt.Fprintf(&all, "%s\n", name)
		for i, res := range longestChain(r) {
			fmt.Fprintf(&all, "%4d %s %s\n", i+1, res.Type, res.Name)
		}
	}
	pulumitest.Golden(t, "stack/testdata/chain.golden", all.String())
}
