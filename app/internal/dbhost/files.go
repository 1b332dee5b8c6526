package dbhost

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Owner is a file's user and group id; -1 leaves an id unchanged.
type Owner struct{ UID, GID int }

// unchanged leaves both. The units of `init` and `agent` may not make the system call, even to change nothing.
var unchanged = Owner{UID: -1, GID: -1}

// set calls chown unless it would change nothing.
func (o Owner) set(chown func(uid, gid int) error) error {
	if o == unchanged {
		return nil
	}
	return chown(o.UID, o.GID)
}

// writeAtomic replaces the file at path. If the machine stops at any point, either the old or the new file exists,
// complete and with its mode and owner.
func writeAtomic(path string, data []byte, mode fs.FileMode, owner Owner) error {
	dir := filepath.Dir(path)
	temporary, err := os.CreateTemp(dir, temporaryPrefix+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("dbhost: %w", err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	if err := errors.Join(err, owner.set(temporary.Chown), temporary.Chmod(mode), temporary.Sync(), temporary.Close()); err != nil {
		return fmt.Errorf("dbhost: %w", err)
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return fmt.Errorf("dbhost: %w", err)
	}
	return syncDir(dir)
}

// temporaryPrefix is the prefix of the names of files that writeAtomic has not renamed yet.
const temporaryPrefix = ".new-"

// removeTemporaries removes the files of a writeAtomic that was killed: they may contain secrets.
func removeTemporaries(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, temporaryPrefix+"*"))
	if err != nil {
		return fmt.Errorf("dbhost: %w", err)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("dbhost: %w", err)
		}
	}
	return nil
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	folder, err := os.Open(dir)
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	if err != nil {
		return fmt.Errorf("dbhost: sync %s: %w", dir, err)
	}
	return nil
}

// ensureFile writes a file unless it exists already with that content, mode and owner.
func (h *Host) ensureFile(path string, data []byte, mode fs.FileMode, owner Owner) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode() == mode && owned(info, owner) {
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
			return nil
		}
	}
	return h.write(path, data, mode, owner)
}

func owned(info fs.FileInfo, owner Owner) bool {
	stat := info.Sys().(*syscall.Stat_t)
	return (owner.UID < 0 || int(stat.Uid) == owner.UID) && (owner.GID < 0 || int(stat.Gid) == owner.GID)
}

// ensureDir creates a folder if needed, and sets its mode and owner.
func ensureDir(path string, mode fs.FileMode, owner Owner) error {
	if err := os.Mkdir(path, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("dbhost: %w", err)
	}
	chown := func(uid, gid int) error { return os.Chown(path, uid, gid) }
	if err := errors.Join(os.Chmod(path, mode), owner.set(chown)); err != nil {
		return fmt.Errorf("dbhost: %w", err)
	}
	return syncDir(filepath.Dir(path))
}
