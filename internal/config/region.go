package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/aws-sdk-go-base/v2/endpoints"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/format"
	"cinema-database/internal/problem"
)

// directions are the second to last words of all regions, also of those that the kept list is too old for.
var directions = []string{"north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest"}

// checkRegion adds a problem for a region that is mistyped, and returns the region if it is not. Config may leave it to the
// environment.
func checkRegion(ctx *pulumi.Context, l *problem.List) string {
	const key = "aws:region"
	region, given := ctx.GetConfig(key)
	if near, mistyped := mistypedRegion(region); given && mistyped {
		if ctx.IsConfigSecret(key) {
			region = problem.Hidden
		}
		l.AddError(fmt.Errorf("%s: %q is not an AWS region; did you mean %s?", key, region, near))
		return ""
	}
	return region
}

// mistypedRegion returns the region that s may stand for, where s is none.
func mistypedRegion(s string) (near string, mistyped bool) {
	var known []string
	for _, p := range endpoints.DefaultPartitions() {
		known = slices.AppendSeq(known, maps.Keys(p.Regions()))
	}
	words := strings.Split(s, "-")
	if slices.Contains(known, s) || format.Region(s) && slices.Contains(directions, words[len(words)-2]) {
		return "", false
	}
	near, ok := nearest(s, known)
	if !ok {
		near = "us-east-1"
	}
	return near, true
}
