//go:build unix

package filelock

import (
	"errors"
	"os"
	"syscall"
)

// Try takes a lock, which ends when the last process with the open file closes it or ends. It reports whether the lock was
// free. Where the system is not Unix, it always is.
func Try(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
