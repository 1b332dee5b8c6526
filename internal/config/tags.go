package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cinema-database/internal/component"
	"cinema-database/internal/problem"
)

// AWS's bounds on tags (Tagging AWS Resources user guide, "Tag naming limits"): 50 a resource, of
// which the stack uses up to ten; keys of 128 characters, values of 256.
const (
	maxTags     = 40
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(l *problem.List, tags map[string]string) {
	if len(tags) > maxTags {
		l.Add("tags", len(tags), "are more than AWS leaves room for", fmt.Sprintf("keep at most %d", maxTags))
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		at := "tags." + key
		switch {
		case slices.Contains(component.Reserved, key):
			l.Add(at, tags[key], "is a tag that the stack sets itself", "choose another key")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			l.Add(at, tags[key], "has the prefix that AWS reserves", "choose another key")
		case key == "" || len(key) > maxTagKey || len(tags[key]) > maxTagValue:
			l.Add(at, tags[key], "is empty or longer than AWS takes",
				fmt.Sprintf("keep keys to %d and values to %d characters", maxTagKey, maxTagValue))
		}
	}
}
