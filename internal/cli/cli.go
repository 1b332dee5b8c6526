// Package cli has the command-line conventions of the project's commands: exit codes, usage, flags and signals.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes.
const (
	ExitOK     = 0
	ExitFailed = 1 // the command failed
	ExitUsage  = 2 // the command line is wrong
)

// ErrNoCommand is the error for a command line without the command that it needs.
var ErrNoCommand = errors.New("no command")

// Command is a command of the project, e.g. `release`.
type Command struct {
	Name, Usage    string
	Stdout, Stderr io.Writer
}

// Refuse returns the exit code for a command line that does not parse. It prints the usage, and the error unless the
// user requested help or gave no command.
func (c Command) Refuse(err error) int {
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.Stdout, c.Usage)
		return ExitOK
	case errors.Is(err, ErrNoCommand):
		fmt.Fprint(c.Stdout, c.Usage)
	default:
		fmt.Fprintf(c.Stderr, "%s: %v\n\n%s", c.Name, err, c.Usage)
	}
	return ExitUsage
}

// Fail prints an error and returns the exit code for it.
func (c Command) Fail(err error) int {
	fmt.Fprintf(c.Stderr, "%s: %v\n", c.Name, err)
	return ExitFailed
}

// Interruptible returns a context that ends when the user or the system interrupts the process.
func Interruptible(ctx context.Context) (_ context.Context, stop context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}
