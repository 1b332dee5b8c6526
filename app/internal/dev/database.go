package dev

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// Database is a running FerretDB on SQLite files.
type Database struct {
	// Addr is where it listens, host:port.
	Addr string
	stop func()
}

// ferretMu keeps starts apart: New sets variables of the whole process.
var ferretMu sync.Mutex

// pragmas are FerretDB's own, and no wait for the disk after each write: what was acknowledged outlives the process, though not
// a power cut.
const pragmas = "_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)"

// StartDatabase starts a database on the files in dir, at addr (127.0.0.1:0 for a free port).
func StartDatabase(dir, addr string) (*Database, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("dev: database: %w", err)
	}
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	ferretMu.Lock()
	defer ferretMu.Unlock()
	f, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: addr},
		Handler:   "sqlite",
		SQLiteURL: (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: dir + "/"}).EscapedPath(), RawQuery: pragmas}).String(),
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, fmt.Errorf("dev: database: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = f.Run(ctx) // always nil
	}()
	u, err := url.Parse(f.MongoDBURI())
	if err != nil {
		cancel()
		<-done
		return nil, fmt.Errorf("dev: database: %w", err)
	}
	return &Database{Addr: u.Host, stop: func() { cancel(); <-done }}, nil
}

// URI is the connection string.
func (d *Database) URI() string { return "mongodb://" + d.Addr + "/cinema" }

// Stop stops the database; what it acknowledged is in its files.
func (d *Database) Stop() { d.stop() }
