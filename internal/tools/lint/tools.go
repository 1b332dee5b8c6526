//go:build tools

// Package lint pins the linters of Go and of GitHub's workflows, in a module of its own: their dependencies are not the CLI's.
package lint

import (
	_ "github.com/rhysd/actionlint/cmd/actionlint"
	_ "honnef.co/go/tools/cmd/staticcheck"
)
