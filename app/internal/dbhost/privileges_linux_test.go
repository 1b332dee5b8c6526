package dbhost

import (
	"path/filepath"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestStateIsWrittenWithoutPrivileges: the units of `init` and `agent` filter privileged system calls (SystemCallFilter),
// among them those that change an owner.
func TestStateIsWrittenWithoutPrivileges(t *testing.T) {
	dir := t.TempDir()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the thread ends with its filter
		if err := refuseChown(); err != nil {
			done <- err
			return
		}
		path := filepath.Join(dir, "state")
		assert.ErrorIs(t, ensureDir(path, 0o700, Owner{UID: 0, GID: 0}), unix.EPERM, "the filter holds")
		assert.NoError(t, ensureDir(path, 0o700, unchanged))
		assert.NoError(t, writeAtomic(filepath.Join(path, "state.json"), []byte("{}"), 0o600, unchanged))
		done <- nil
	}()
	require.NoError(t, <-done)
}

// refuseChown makes the thread's calls of chown fail with EPERM.
func refuseChown() error {
	const load, equal, answer = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{{Code: load, K: 0}} // the number of the call
	for i, call := range chownCalls {
		filter = append(filter, unix.SockFilter{Code: equal, K: call, Jt: uint8(len(chownCalls) - i)})
	}
	filter = append(filter, unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ALLOW}, unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

// chownCalls are the system calls that Go makes to change an owner: os.Chown makes SYS_FCHOWNAT on arm64, and number 92 on
// amd64, where unix.SYS_CHOWN is that number.
var chownCalls = []uint32{unix.SYS_FCHOWN, unix.SYS_FCHOWNAT, chownNumber[runtime.GOARCH]}

var chownNumber = map[string]uint32{"amd64": 92, "arm64": unix.SYS_FCHOWNAT}
