// Command cinema is the application's HTTP API, and the operator's commands.
//
//	cinema serve    serve the API until SIGINT or SIGTERM, then finish the current requests
//	cinema seed     write the sample movies to the database; idempotent
//	cinema help     list the other commands
//
// All read their settings from the environment:
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
// Only serve needs all of them: seed, user and movie read those of the database, image also those of the images bucket, and
// bucket those of the buckets.
package main

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal terminates the process immediately
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run runs a command line and returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, in io.Reader, out, errout io.Writer) int {
	p := &process{getenv: getenv, in: in, out: out, errout: errout, watches: isTerminal(errout)}
	p.asks = p.watches && isTerminal(in)
	return dispatch(ctx, p, commands(), args)
}

// commands lists all commands, in the order of the overview.
func commands() []command {
	// service gives a command of the service its log: JSON on standard output, for the CloudWatch agent.
	service := func(run func(ctx context.Context, p *process, lines io.Writer, log *slog.Logger) error) func(*flag.FlagSet) func(context.Context, *process, []string) error {
		return plain(func(ctx context.Context, p *process, _ []string) error {
			lines := &lineWriter{out: p.out} // log lines and metrics share it
			return run(ctx, p, lines, slog.New(slog.NewJSONHandler(lines, nil)))
		})
	}
	return slices.Concat([]command{
		{name: "serve", summary: "serve the API", define: service(func(ctx context.Context, p *process, lines io.Writer, log *slog.Logger) error {
			return serve(ctx, p.getenv, lines, log)
		})},
		{name: "seed", summary: "write the sample movies to the database; idempotent", define: service(func(ctx context.Context, p *process, _ io.Writer, log *slog.Logger) error {
			return seedMovies(ctx, p.getenv, log)
		})},
	}, userCommands(), movieCommands(), imageCommands(), bucketCommands())
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
