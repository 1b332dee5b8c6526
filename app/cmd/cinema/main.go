// Command cinema is the application: its HTTP API, and its sample movies.
//
//	cinema serve   answer the API until a signal, then let the requests under way finish
//	cinema seed    put the sample movies into the database; safe to run any number of times
//
// Both read their settings from the environment:
//
//	MONGODB_URI             connection string of the database, or else
//	CREDENTIALS_URI         s3://bucket/key of the credentials object, which holds it
//	JWT_KEY                 with MONGODB_URI: key that signs sessions, 32 random bytes in base64
//	AWS_UPLOAD_BUCKET_NAME  images bucket
//	AWS_REGION              region of the buckets
//	PORT                    port to listen on; 8081
//	ALLOWED_ORIGIN          the one origin that browsers may call from; none
//	BEHIND_PROXY            true behind the load balancer: believe its X-Forwarded-For entry
//	STACK                   name of the stack: publish how full the database's volume is; empty: don't
//	AWS_ENDPOINT_URL_S3     another S3 server, on a laptop
//
// seed needs the database's alone.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

const usage = "usage: cinema serve | cinema seed"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("cinema: %d arguments; %s", len(args), usage)
	}
	lines := &lines{out: out} // log lines and metrics share it
	log := slog.New(slog.NewJSONHandler(lines, nil))
	switch args[0] {
	case "serve":
		return serve(ctx, getenv, lines, log)
	case "seed":
		return seedMovies(ctx, getenv, log)
	default:
		return fmt.Errorf("cinema: command %q: not known; %s", args[0], usage)
	}
}

// lines keeps what several write at once whole: one Write, one line.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}
