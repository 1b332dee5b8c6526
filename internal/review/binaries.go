package review

import (
	"errors"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app"
)

// Finder returns a binary by its name and architecture, as app.Find does.
type Finder = func(name, arch string) (*app.Binary, error)

// Program returns the reviewed program with the binaries of find.
type Program = func(find Finder) pulumi.RunFunc

// placeholder stands for a binary. It is the same on every machine.
func placeholder(name, arch string) (*app.Binary, error) {
	return app.NewBinary(name, arch, []byte("placeholder for "+name+" on linux/"+arch+"\n")), nil
}

// orPlaceholder returns a Finder that returns a placeholder for each binary that is not built. It adds the binary's name to
// missing, unless missing is nil.
func orPlaceholder(find Finder, missing *[]string) Finder {
	return func(name, arch string) (*app.Binary, error) {
		b, err := find(name, arch)
		if !errors.Is(err, app.ErrNotBuilt) {
			return b, err
		}
		if missing != nil && !slices.Contains(*missing, name) {
			*missing = append(*missing, name)
			slices.Sort(*missing)
		}
		return placeholder(name, arch)
	}
}
