package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Flags returns an empty flag set that prints nothing: the errors of Parse have the text.
func Flags(command string) *flag.FlagSet {
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

// defaultStack is the stack of a command line without --stack.
const defaultStack = "dev"

// Stack adds --stack: a stack in Pulumi's backend, in every form that Pulumi accepts.
func Stack(fs *flag.FlagSet) *string { return fs.String("stack", defaultStack, "") }

// StackFile adds --stack and -s: a stack that has a Pulumi.<name>.yaml. The name has only letters, digits, - and _.
func StackFile(fs *flag.FlagSet) *string {
	stack := defaultStack
	set := func(s string) error {
		if strings.Contains(s, ".") && !strings.Contains(s, "/") {
			return errors.New("has a dot, which Pulumi allows in a stack name and this command does not; use letters, digits, - and _")
		}
		if s == "" || strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return errors.New("not a stack name; use letters, digits, - and _")
		}
		stack = s
		return nil
	}
	fs.Func("stack", "", set)
	fs.Func("s", "", set)
	return &stack
}

// Config adds -c and --config, each KEY=VALUE and repeatable. Parse fills the map, by the keys as the user wrote them.
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
