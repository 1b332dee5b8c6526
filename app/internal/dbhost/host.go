package dbhost

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"cinema-database/app/internal/credentials"
)

const (
	// ReplicaSet is the name of the replica set of one.
	ReplicaSet = "rs0"
	// Port is mongod's, on loopback and on the host's private name.
	Port = 27017
	// Database is the application's.
	Database = "cinema"
)

// Host is the database host. Volume, Name, ConfigFile and Log are needed by every command; Bucket, Key and S3
// by those that publish credentials.
type Host struct {
	// Volume is where the data volume is mounted, an absolute path.
	Volume string
	// AnyFolder allows a Volume that is no mount point. Without it, a volume that failed to mount cannot be
	// mistaken for a new, empty database.
	AnyFolder bool
	// Name is the private DNS name under which clients reach mongod.
	Name string
	// Owner is the account that mongod runs as.
	Owner Owner
	// ConfigFile is the path of the mongod.conf that Prepare writes.
	ConfigFile string
	Log        *slog.Logger

	// Bucket and Key say where the credentials object goes.
	Bucket, Key string
	// KMSKey is the id or ARN of the key that S3 encrypts the object with; the bucket's default where it is empty.
	KMSKey string
	S3     S3

	// Dial connects to mongod on loopback.
	Dial Dialer
	// Wait pauses between looks at a mongod that is not ready, or at a volume that another command works on; it
	// returns early, with an error, when the context ends.
	Wait func(context.Context, time.Duration) error
	Now  func() time.Time

	write func(path string, data []byte, mode fs.FileMode, owner Owner) error
}

// New gives a Host with the usual connection, clock and file system.
func New(volume, name string, log *slog.Logger) *Host {
	return &Host{
		Volume: volume, Name: name, ConfigFile: "/etc/mongod.conf", Key: credentials.Key, Owner: Owner{UID: -1, GID: -1}, Log: log,
		Dial: dialMongod, Wait: wait, Now: time.Now, write: writeAtomic,
	}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (h *Host) stateDir() string   { return filepath.Join(h.Volume, "state") }
func (h *Host) stateFile() string  { return filepath.Join(h.stateDir(), "state.json") }
func (h *Host) dbPath() string     { return filepath.Join(h.Volume, "db") }
func (h *Host) runDir() string     { return filepath.Join(h.Volume, "run") }
func (h *Host) caFile() string     { return filepath.Join(h.runDir(), "ca.pem") }
func (h *Host) serverFile() string { return filepath.Join(h.runDir(), "server.pem") }
func (h *Host) keyFile() string    { return filepath.Join(h.runDir(), "keyfile") }

var dnsName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Validate reports everything that is wrong with the settings at once.
func (h *Host) Validate(publishes bool) error {
	var problems []error
	refuse := func(field, value, reason string) {
		problems = append(problems, fmt.Errorf("dbhost: %s %q: %s", field, value, reason))
	}
	if !filepath.IsAbs(h.Volume) || filepath.Clean(h.Volume) == "/" {
		refuse("volume", h.Volume, "not the data volume's mount point; give its absolute path")
	} else if !h.AnyFolder {
		if mounted, err := isMountPoint(h.Volume); err != nil {
			refuse("volume", h.Volume, err.Error())
		} else if !mounted {
			refuse("volume", h.Volume, "nothing is mounted there; mount the data volume first")
		}
	}
	if !filepath.IsAbs(h.ConfigFile) {
		refuse("config", h.ConfigFile, "not a path from the root; give one, as mongod is started with it")
	}
	if len(h.Name) > 253 || !dnsName.MatchString(h.Name) {
		refuse("name", h.Name, "not a full DNS name in lower case; give the name that clients use")
	}
	if publishes && (h.Bucket == "" || h.Key == "") {
		refuse("credentials", "s3://"+h.Bucket+"/"+h.Key, "no bucket or no key; say where the credentials object goes")
	}
	return errors.Join(problems...)
}

// isMountPoint tells whether a folder lies on another file system than the folder above it.
func isMountPoint(dir string) (bool, error) {
	own, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	parent, err := os.Stat(filepath.Dir(filepath.Clean(dir)))
	if err != nil {
		return false, err
	}
	return own.Sys().(*syscall.Stat_t).Dev != parent.Sys().(*syscall.Stat_t).Dev, nil
}

// lock makes sure that one command works on the volume at a time: it waits for the other until ctx ends. The kernel
// lets go of it when the process ends, however it ends.
func (h *Host) lock(ctx context.Context) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(h.stateDir(), "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("dbhost: %s: %w; run `cinema-db prepare` first", h.stateDir(), err)
	} else if err != nil {
		return nil, fmt.Errorf("dbhost: %w", err)
	}
	for {
		// A flock that waits in the kernel would not heed ctx.
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			if err = h.Wait(ctx, pause); err == nil {
				continue
			}
			err = fmt.Errorf("another cinema-db works on the volume: %w", err)
		}
		file.Close()
		return nil, fmt.Errorf("dbhost: lock %s: %w", file.Name(), err)
	}
}
