package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cinema-database/internal/component"
	"cinema-database/internal/problem"
)

// AWS's limits on tags (Tagging AWS Resources user guide, "Tag naming limits"): 50 on each resource, of which the stack
// itself sets up to ten; 128 characters in a key, 256 in a value.
const (
	maxTags     = 40
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(l *problem.List, tags map[string]string) {
	if len(tags) > maxTags {
		l.Add("tags", len(tags), "tags are more than AWS accepts next to the stack's own", fmt.Sprintf("keep at most %d", maxTags))
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		at := "tags." + key
		switch {
		case slices.Contains(component.Reserved, key):
			l.Add(at, tags[key], "is a tag that the stack sets itself", "choose another key")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			l.Add(at, tags[key], "has the prefix that AWS reserves", "choose another key")
		case key == "" || len(key) > maxTagKey || len(tags[key]) > maxTagValue:
			l.Add(at, tags[key], "is empty or longer than AWS accepts",
				fmt.Sprintf("keep keys to %d and values to %d characters", maxTagKey, maxTagValue))
		}
	}
}
