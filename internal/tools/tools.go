//go:build tools

// Package tools pins the Pulumi CLI that the sandbox runs where none is installed. It is a module of its own so that its
// dependencies do not reach the program's.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
