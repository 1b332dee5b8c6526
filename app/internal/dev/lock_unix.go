//go:build unix

package dev

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes a lock, which ends when the file is closed or the process ends. It reports whether the lock was free.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
