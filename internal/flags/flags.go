// Package flags has the old names of package cli's functions, for commands that still use them.
package flags

import "cinema-database/internal/cli"

// The functions of package cli.
var (
	New    = cli.Flags
	Parse  = cli.Parse
	File   = cli.StackFile
	Config = cli.Config
)
