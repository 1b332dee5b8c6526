// Command dev runs the whole application on this machine, with the sample movies, at http://localhost:8081: the client at
// /, the API at /api, with the headers that the edge sends.
//
//	go run ./app/cmd/dev [-addr 127.0.0.1:8081] [-data folder]
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"cinema-database/app/contract"
	"cinema-database/app/internal/dev"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	addr := flag.String("addr", fmt.Sprintf("127.0.0.1:%d", contract.APIPort), "address to listen on, host:port")
	data := flag.String("data", "", "folder that stores accounts and images; empty for a temporary one")
	verbose := flag.Bool("v", false, "write the API's log to standard error")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	log := slog.New(slog.DiscardHandler)
	if *verbose {
		log = slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	s, err := dev.Start(ctx, dev.Options{Addr: *addr, DataDir: *data, Log: log})
	if err != nil {
		return err
	}
	fmt.Printf("cinema is running at %s; press Ctrl+C to stop\n", strings.Replace(s.URL, "127.0.0.1", "localhost", 1))
	<-ctx.Done()
	stop() // a second Ctrl+C terminates the process immediately
	return s.Close()
}
