package dbhost

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"cinema-database/app/contract"
	"cinema-database/app/internal/credentials"
	"cinema-database/internal/format"
)

const (
	// ReplicaSet is the name of the replica set.
	ReplicaSet = "rs0"
	// Database is the application's database.
	Database = "cinema"
)

// Host is the host of one member. Every command needs Volume, VolumeID, Zone, Name, ConfigFile, Log, Bucket, Key and S3.
type Host struct {
	// Volume is the mount point of the data volume, an absolute path.
	Volume string
	// AnyFolder allows a Volume that is not a mount point. By default, such a folder is refused: it would look like a
	// new, empty database if the volume failed to mount.
	AnyFolder bool
	// VolumeID is the id of the data volume, e.g. vol-0123456789abcdef0.
	VolumeID string
	// Zone is the availability zone, by which the stack's list of members names this one.
	Zone string
	// Name is the private DNS name of this member, which the other members and clients connect to.
	Name string
	// Owner is the operating system account that mongod runs as.
	Owner Owner
	// ConfigFile is the path of the mongod.conf that Prepare writes.
	ConfigFile string
	Log        *slog.Logger

	// Bucket and Key are the location of the credentials object. The bucket has the secrets object, the list of members and
	// this member's report too.
	Bucket, Key string
	// KMSKey is the id or ARN of the KMS key that encrypts the credentials and the secrets; empty for the bucket's default.
	KMSKey string
	S3     S3

	// Dial connects to a mongod.
	Dial Dialer
	// Wait pauses between attempts while mongod is not ready or another command holds the lock. It returns early, with
	// an error, when the context ends.
	Wait func(context.Context, time.Duration) error
	Now  func() time.Time

	write func(path string, data []byte, mode fs.FileMode, owner Owner) error
	// published is what the agent has published last, and when.
	published   credentials.Credentials
	publishedAt time.Time
}

// New returns a Host with the default connection, clock, file system and credentials key.
func New(volume, name string, log *slog.Logger) *Host {
	return &Host{
		Volume: volume, Name: name, ConfigFile: "/etc/mongod.conf", Key: contract.CredentialsKey, Owner: Owner{UID: -1, GID: -1}, Log: log,
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

// Validate reports all errors of the settings at once.
func (h *Host) Validate() error {
	var problems []error
	refuse := func(field, value, reason string) {
		problems = append(problems, fmt.Errorf("dbhost: %s %q: %s", field, value, reason))
	}
	if !filepath.IsAbs(h.Volume) || filepath.Clean(h.Volume) == "/" {
		refuse("volume", h.Volume, "not the data volume's mount point; use its absolute path")
	} else if !h.AnyFolder {
		if mounted, err := isMountPoint(h.Volume); err != nil {
			refuse("volume", h.Volume, err.Error())
		} else if !mounted {
			refuse("volume", h.Volume, "nothing is mounted there; mount the data volume first")
		}
	}
	if !filepath.IsAbs(h.ConfigFile) {
		refuse("config", h.ConfigFile, "not an absolute path; mongod needs one")
	}
	if !format.HostName(h.Name) {
		refuse("name", h.Name, "not a fully qualified DNS name in lower case; use the name that clients connect to")
	}
	if h.Zone == "" {
		refuse("zone", h.Zone, "missing; use the availability zone of the host")
	}
	if h.VolumeID == "" {
		refuse("volume-id", h.VolumeID, "missing; use the id of the data volume")
	}
	if h.Bucket == "" || h.Key == "" {
		refuse("credentials", "s3://"+h.Bucket+"/"+h.Key, "no bucket or no key; set the location of the credentials object")
	}
	return errors.Join(problems...)
}

// isMountPoint reports whether a folder is on another file system than its parent.
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

// lock lets only one command at a time change the volume, and waits for another one until ctx ends. The kernel releases
// the lock when the process ends, even if it is killed.
func (h *Host) lock(ctx context.Context) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(h.stateDir(), "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("dbhost: %s: %w; run `cinema-db prepare` first", h.stateDir(), err)
	} else if err != nil {
		return nil, fmt.Errorf("dbhost: %w", err)
	}
	for {
		// A blocking flock would ignore ctx.
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if errors.Is(err, syscall.EWOULDBLOCK) {
			if err = h.Wait(ctx, pause); err == nil {
				continue
			}
			err = fmt.Errorf("another cinema-db is running on the volume: %w", err)
		}
		file.Close()
		return nil, fmt.Errorf("dbhost: lock %s: %w", file.Name(), err)
	}
}
