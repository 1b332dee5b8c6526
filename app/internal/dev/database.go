package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// Database is a running FerretDB on SQLite files.
type Database struct {
	// Addr is the address that it listens on, host:port.
	Addr string
	stop func()
}

// ferretMu serializes starts, because ferretdb.New sets global variables.
var ferretMu sync.Mutex

// pragmas are FerretDB's defaults, and synchronous(off): writes do not wait for the disk. An acknowledged write survives
// the process, but not a power failure.
const pragmas = "_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)"

// DatabaseOptions are the options of StartDatabase.
type DatabaseOptions struct {
	// Dir is the folder of the database's files; required.
	Dir string
	// Addr is the address to listen on, host:port; empty for a free port on loopback.
	Addr string
}

// StartDatabase starts a database.
func StartDatabase(o DatabaseOptions) (*Database, error) {
	if o.Dir == "" {
		return nil, errors.New("dev: database: Dir is empty; set the folder of the database's files")
	}
	if err := checkLocation(o.Dir, &o.Addr); err != nil {
		return nil, fmt.Errorf("dev: database: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("dev: database: %w", err)
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("dev: database: %w", err)
	}
	ferretMu.Lock()
	defer ferretMu.Unlock()
	f, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: "127.0.0.1:0"},
		Handler:   "sqlite",
		SQLiteURL: (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: o.Dir + "/"}).EscapedPath(), RawQuery: pragmas}).String(),
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("dev: database: %w", err), listener.Close())
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
		return nil, errors.Join(fmt.Errorf("dev: database: %w", err), listener.Close())
	}
	proxy := newSerializer(listener, u.Host)
	return &Database{Addr: listener.Addr().String(), stop: func() { proxy.close(); cancel(); <-done }}, nil
}

// URI returns the connection string.
func (d *Database) URI() string { return "mongodb://" + d.Addr + "/cinema" }

// Stop stops the database. Its files contain every acknowledged write.
func (d *Database) Stop() { d.stop() }

// checkLocation checks a folder and an address, so that one is never taken for the other: a folder named like an address
// would be created in the current directory. An empty address becomes a free port on loopback.
func checkLocation(dir string, addr *string) error {
	if strings.Contains(strings.TrimPrefix(dir, filepath.VolumeName(dir)), ":") {
		return fmt.Errorf("folder %q: contains a colon, like an address; use a folder without one", dir)
	}
	if *addr == "" {
		*addr = "127.0.0.1:0"
	}
	_, port, err := net.SplitHostPort(*addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("address %q: not host:port; use one such as 127.0.0.1:0", *addr)
	}
	return nil
}
