package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

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

// tagText matches what every service accepts in keys and values; IAM accepts nothing else (IAM API reference, Tag).
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

func checkTags(l *problem.List, tags map[string]string) {
	if len(tags) > maxTags {
		l.Add("tags", len(tags), "tags are more than AWS accepts next to the stack's own", fmt.Sprintf("keep at most %d", maxTags))
	}
	keys := slices.Sorted(maps.Keys(tags))
	for i, key := range keys {
		at := "tags." + key
		// IAM takes keys that differ only in case for the same key (IAM user guide, "Tags for IAM resources").
		same := func(other string) bool { return strings.EqualFold(key, other) }
		switch {
		case slices.ContainsFunc(component.Reserved, same):
			l.Add(at, tags[key], "is a tag that the stack sets itself", "choose another key, which differs in more than case")
		case slices.ContainsFunc(keys[:i], same):
			l.Add(at, tags[key], "has the key of another tag but for case", "choose another key")
		case !tagText.MatchString(key) || !tagText.MatchString(tags[key]):
			l.Add(at, tags[key], "has a character that AWS refuses", "use letters, digits, spaces and _ . : / = + - @")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			l.Add(at, tags[key], "has the prefix that AWS reserves", "choose another key")
		case key == "" || utf8.RuneCountInString(key) > maxTagKey || utf8.RuneCountInString(tags[key]) > maxTagValue:
			l.Add(at, tags[key], "is empty or longer than AWS accepts",
				fmt.Sprintf("keep keys to %d and values to %d characters", maxTagKey, maxTagValue))
		}
	}
}
