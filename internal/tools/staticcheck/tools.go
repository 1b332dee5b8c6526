//go:build tools

// Package staticcheck pins the linter, in a module of its own: its dependencies are not the CLI's.
package staticcheck

import _ "honnef.co/go/tools/cmd/staticcheck"
