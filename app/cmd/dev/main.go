// Command dev runs all of cinema on this machine: the page and the API, seeded, at http://localhost:8081.
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

	"cinema-database/app/internal/dev"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	addr := flag.String("addr", "127.0.0.1:8081", "address to listen on")
	data := flag.String("data", "", "folder that keeps accounts and images; empty for one that goes with the process")
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
	fmt.Printf("cinema is at %s; press Ctrl+C to stop\n", strings.Replace(s.URL, "127.0.0.1", "localhost", 1))
	<-ctx.Done()
	stop() // a second Ctrl+C ends at once
	return s.Close()
}
