package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"

	"cinema-database/app/internal/credentialwatch"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/settings"
	"cinema-database/app/internal/store"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the command failed
	exitUsage  = 2 // the command line is wrong
)

// process is what a command uses of its process.
type process struct {
	getenv      func(string) string
	in          io.Reader
	out, errout io.Writer
	// asks reports whether a person reads errout and answers on in, watches whether a person reads errout.
	asks, watches bool
}

// log returns the log of the operator's commands: warnings as text.
func (p *process) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(p.errout, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// command is a command of the binary.
type command struct {
	// name is one word, or a group and a word: "serve", "user show".
	name, summary string
	// args describes the arguments in the usage: "TITLE", "ID...". min and max are their number; max -1 is any.
	args     string
	min, max int
	// about follows the first line of the usage; it ends with a newline unless it is empty.
	about string
	// define adds the flags, and returns what runs the command with the arguments that are no flags.
	define func(*flag.FlagSet) func(ctx context.Context, p *process, args []string) error
}

// plain is the definition of a command without flags.
func plain(run func(ctx context.Context, p *process, args []string) error) func(*flag.FlagSet) func(context.Context, *process, []string) error {
	return func(*flag.FlagSet) func(context.Context, *process, []string) error { return run }
}

// usageError is an error of the command line that only the command itself finds.
type usageError string

func (e usageError) Error() string { return string(e) }

// dispatch runs the command that args name and returns the exit code.
func dispatch(ctx context.Context, p *process, commands []command, args []string) int {
	helps := func(s string) bool { return s == "help" || s == "-h" || s == "-help" || s == "--help" }
	help := len(args) > 0 && args[0] == "help"
	if help {
		args = args[1:]
	}
	if len(args) == 0 || helps(args[0]) {
		fmt.Fprint(p.out, overview(commands, ""))
		if help || len(args) > 0 {
			return exitOK
		}
		return exitUsage
	}
	group, name, rest := "", args[0], args[1:]
	if slices.ContainsFunc(commands, func(c command) bool { return strings.HasPrefix(c.name, args[0]+" ") }) {
		group = name
		if len(rest) == 0 || helps(rest[0]) {
			fmt.Fprint(p.out, overview(commands, group))
			if help || len(rest) > 0 {
				return exitOK
			}
			return exitUsage
		}
		name, rest = name+" "+rest[0], rest[1:]
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == name })
	if i < 0 {
		fmt.Fprintf(p.errout, "cinema: command %q: not known\n\n%s", name, overview(commands, group))
		return exitUsage
	}
	if help {
		rest = []string{"-h"}
	}
	return commands[i].run(ctx, p, rest)
}

func (c command) run(ctx context.Context, p *process, args []string) int {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	run := c.define(fs)
	words, err := parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(p.out, c.usage(fs))
		return exitOK
	}
	switch {
	case err != nil:
	case len(words) < c.min:
		err = fmt.Errorf("%d arguments; needs %s", len(words), c.args)
	case c.max >= 0 && len(words) > c.max:
		err = fmt.Errorf("argument %q: not known", words[c.max])
	default:
		err = run(ctx, p, words)
		var wrong usageError
		if err == nil {
			return exitOK
		}
		if !errors.As(err, &wrong) {
			fmt.Fprintf(p.errout, "cinema %s: %v\n", c.name, err)
			return exitFailed
		}
	}
	fmt.Fprintf(p.errout, "cinema %s: %v\n\n%s", c.name, err, c.usage(fs))
	return exitUsage
}

// parse reads flags anywhere between the arguments, and returns the arguments. All that follows -- is an argument.
func parse(fs *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		rest := fs.Args()
		if parsed := len(args) - len(rest); len(rest) == 0 || parsed > 0 && args[parsed-1] == "--" {
			return append(words, rest...), nil
		}
		words, args = append(words, rest[0]), rest[1:]
	}
}

func (c command) usage(fs *flag.FlagSet) string {
	var flags strings.Builder
	w := tabwriter.NewWriter(&flags, 0, 0, 2, ' ', 0)
	line := "cinema " + c.name
	fs.VisitAll(func(f *flag.Flag) {
		value, text := flag.UnquoteUsage(f)
		form := strings.TrimSpace("-" + f.Name + " " + value)
		line += " [" + form + "]"
		fmt.Fprintf(w, "  %s\t%s\n", form, text)
	})
	w.Flush()
	if c.args != "" {
		line += " " + c.args
	}
	text := "usage: " + line + "\n\n" + c.summary + "\n"
	if c.about != "" {
		text += "\n" + c.about
	}
	if flags.Len() > 0 {
		text += "\nflags, anywhere on the command line\n" + flags.String()
	}
	return text
}

// overview returns the list of the commands, or of those of a group.
func overview(commands []command, group string) string {
	var text strings.Builder
	text.WriteString("usage: " + strings.Join(strings.Fields("cinema "+group+" COMMAND"), " ") + "; -h after a command describes it\n\n")
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, c := range commands {
		if group == "" || strings.HasPrefix(c.name, group+" ") {
			fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
		}
	}
	w.Flush()
	return text.String()
}

// isTerminal reports whether v is a terminal.
func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// withStore runs f with a connection to the database.
func (p *process) withStore(ctx context.Context, f func(*store.Store) error) error {
	s, err := settings.LoadDatabase(p.getenv)
	if err != nil {
		return err
	}
	return withStore(ctx, s, p.log(), f)
}

func withStore(ctx context.Context, s settings.Settings, log *slog.Logger, f func(*store.Store) error) error {
	db, err := openDatabase(ctx, s, log)
	if err != nil {
		return err
	}
	err = f(db)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, db.Close(closing))
}

func openDatabase(ctx context.Context, s settings.Settings, log *slog.Logger) (*store.Store, error) {
	if s.MongoDBURI != "" {
		return store.Open(s.MongoDBURI, "")
	}
	s3, err := images.NewClient(ctx, s.Region, s.PathStyle, log)
	if err != nil {
		return nil, err
	}
	state, err := (&credentialwatch.Watcher{Client: s3, Object: s.Credentials, Log: log}).Read(ctx)
	if err != nil {
		return nil, err
	}
	return state.Store, nil
}

// notFound gives store.ErrNotFound the name of what is missing.
func notFound(err error, kind, name string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%s %q: not found", kind, name)
	}
	return err
}

// printable quotes a text that could change what a terminal shows.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}
