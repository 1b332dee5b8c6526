// Command dev runs the whole application on this machine, with the sample movies, at http://localhost:8081: the client at
// /, the API at /api, with the headers that the edge sends.
//
//	go run ./app/cmd/dev [-addr 127.0.0.1:8081] [-data folder | -temporary] [-v]
//
// It keeps accounts and images in the folder .dev.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"cinema-database/app/contract"
	"cinema-database/app/internal/dev"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl+C terminates the process immediately
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit code: 0, 1 if the server failed, 2 for a wrong command line.
func run(ctx context.Context, args []string, out, errout io.Writer) int {
	fs := flag.NewFlagSet("dev", flag.ContinueOnError)
	fs.SetOutput(errout)
	addr := fs.String("addr", fmt.Sprintf("127.0.0.1:%d", contract.APIPort), "address to listen on, host:port; port 0 for a free one")
	data := fs.String("data", ".dev", "folder that keeps accounts and images")
	temporary := fs.Bool("temporary", false, "keep nothing: use a folder that is removed at the end, instead of -data")
	verbose := fs.Bool("v", false, "write the API's log to standard error")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case fs.NArg() > 0:
		fmt.Fprintf(errout, "dev: argument %q: not known; flags only, see -h\n", fs.Arg(0))
		return 2
	case *data == "":
		fmt.Fprintln(errout, "dev: -data is empty; name a folder, or use -temporary")
		return 2
	}

	o := dev.Options{Addr: *addr, DataDir: *data, Log: slog.New(slog.DiscardHandler)}
	if *verbose {
		o.Log = slog.New(slog.NewJSONHandler(errout, nil))
	}
	kept := "Nothing is kept: accounts and images are removed at the end."
	if *temporary {
		o.DataDir = ""
	} else {
		path, err := filepath.Abs(*data)
		if err != nil {
			fmt.Fprintln(errout, err)
			return 1
		}
		kept = fmt.Sprintf("Accounts and images are kept in %s. To start afresh, stop the server and remove that folder.", path)
	}
	s, err := dev.Start(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			return 0 // interrupted
		}
		fmt.Fprintln(errout, err)
		if errors.Is(err, syscall.EADDRINUSE) {
			fmt.Fprintln(errout, "-addr sets the address: go run ./app/cmd/dev -addr 127.0.0.1:0")
		}
		return 1
	}
	fmt.Fprintf(out, "cinema is running at %s; press Ctrl+C to stop\n%s\n", strings.Replace(s.URL, "127.0.0.1", "localhost", 1), kept)
	<-ctx.Done()
	if err := s.Close(); err != nil {
		fmt.Fprintln(errout, err)
		return 1
	}
	return 0
}
