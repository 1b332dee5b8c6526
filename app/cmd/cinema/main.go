// Command cinema is the application's HTTP API, and the command that loads the sample movies.
//
//	cinema serve   serve the API until SIGINT or SIGTERM, then finish the current requests
//	cinema seed    write the sample movies to the database; idempotent
//
// Both read their settings from the environment:
//
//	MONGODB_URI             connection string of the database, or
//	CREDENTIALS_URI         s3://bucket/key of the credentials object, which contains it
//	JWT_KEY                 only with MONGODB_URI: key that signs sessions, 32 random bytes in base64
//	AWS_UPLOAD_BUCKET_NAME  images bucket
//	AWS_REGION              region of the buckets
//	PORT                    port to listen on; default 8081
//	ALLOWED_ORIGINS         other origins that browsers may call the API from, separated by spaces; default none
//	PROXIES                 number of proxies before the API, whose entries in X-Forwarded-For are trusted: 1 for the load
//	                        balancer, 2 with the edge before it; default 0
//	STACK                   stack name in the data volume's metric; if empty, the metric is not published
//	AWS_ENDPOINT_URL_S3     URL of an S3 server on a laptop
//
// seed reads only the settings of the database.
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
	context.AfterFunc(ctx, stop) // a second signal terminates the process immediately
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("cinema: %d arguments; %s", len(args), usage)
	}
	lines := &lineWriter{out: out} // log lines and metrics share it
	log := slog.New(slog.NewJSONHandler(lines, nil))
	switch args[0] {
	case "serve":
		return serve(ctx, getenv, lines, log)
	case "seed":
		return seedMovies(ctx, getenv, log)
	default:
		return fmt.Errorf("cinema: command %q: unknown; %s", args[0], usage)
	}
}

// lineWriter serializes concurrent writes, so that each line stays complete.
type lineWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lineWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}
