package component

import (
	"runtime/debug"
	"strings"
)

// ProviderVersion is the version of the AWS provider that the program's SDK is made for, such as 6.83.4. It is empty in a
// program without build information.
func ProviderVersion() string {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if m.Path == "github.com/pulumi/pulumi-aws/sdk/v6" {
				return strings.TrimPrefix(m.Version, "v")
			}
		}
	}
	return ""
}
