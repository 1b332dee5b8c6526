// Package flags holds what the program's commands share of their command lines.
package flags

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// New returns an empty set of flags that prints nothing of its own: Parse gives what is wrong.
func New(command string) *flag.FlagSet {
	fs := flag.NewFlagSet(command, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	return fs
}

// Parse reads a command line that has only flags. The error is flag.ErrHelp for -h, --help and help.
func Parse(fs *flag.FlagSet, args []string) error {
	if len(args) > 0 && args[0] == "help" {
		return flag.ErrHelp
	}
	err := fs.Parse(args)
	if err == nil && fs.NArg() > 0 {
		err = fmt.Errorf("argument %q: not known", fs.Arg(0))
	}
	return err
}

// File adds --stack and -s: a stack that has a Pulumi.<name>.yaml, so its name is letters, digits, - and _. Without the
// flag it is dev.
func File(fs *flag.FlagSet) *string {
	stack := "dev"
	set := func(s string) error {
		if s == "" || strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return errors.New("not a stack name; letters, digits, - and _")
		}
		stack = s
		return nil
	}
	fs.Func("stack", "", set)
	fs.Func("s", "", set)
	return &stack
}

// Config adds -c and --config, each KEY=VALUE and repeatable; the map is filled by Parse, by the keys as they were given.
func Config(fs *flag.FlagSet) map[string]string {
	config := map[string]string{}
	set := func(s string) error {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return errors.New("not KEY=VALUE")
		}
		config[key] = value
		return nil
	}
	fs.Func("c", "", set)
	fs.Func("config", "", set)
	return config
}
