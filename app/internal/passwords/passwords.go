// Package passwords hashes and checks passwords with bcrypt, and limits the CPU that this uses.
package passwords

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const (
	// MinBytes is the minimum length of a password (NIST SP 800-63B, section 5.1.1.2).
	MinBytes = 8
	// MaxBytes is the maximum length: bcrypt ignores further bytes.
	MaxBytes = 72
	// DefaultCost is the minimum work factor of OWASP's Password Storage Cheat Sheet.
	DefaultCost = 10
	// maxWait limits the wait for a free slot, in addition to the request's deadline.
	maxWait = 10 * time.Second
)

// ErrBusy means that no slot became free in time. The caller should retry later.
var ErrBusy = errors.New("passwords: all slots are in use")

// ErrWrong means that the password is not the account's.
var ErrWrong = errors.New("passwords: wrong password")

// Hasher hashes and checks passwords. The number of concurrent operations is limited to its slots.
type Hasher struct {
	cost  int
	slots chan struct{}
	// decoy is the hash for unknown accounts, so that checking takes as long as for a known account.
	decoy []byte
}

// New returns a hasher with the given bcrypt cost (4 to 31; each step doubles the work). If there are several CPUs, it
// leaves one free for other requests.
func New(cost int) (*Hasher, error) {
	if cost < bcrypt.MinCost || cost > bcrypt.MaxCost {
		return nil, fmt.Errorf("passwords: cost %d: out of range; use %d to %d", cost, bcrypt.MinCost, bcrypt.MaxCost)
	}
	return &Hasher{
		cost:  cost,
		slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)),
		// Comparing with any text of a hash's form costs as much as with a real hash, and this one needs no hashing.
		decoy: fmt.Appendf(nil, "$2a$%02d$%s", cost, strings.Repeat("A", 53)),
	}, nil
}

// Hash hashes a password of MinBytes to MaxBytes bytes. The error is ErrBusy if no slot became free in time.
func (h *Hasher) Hash(ctx context.Context, password string) ([]byte, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return bcrypt.GenerateFromPassword([]byte(password), h.cost)
}

// Check compares a password with an account's hash, and returns nil, ErrWrong or ErrBusy. A nil hash means that the
// account does not exist: Check does the same work and returns ErrWrong.
func (h *Hasher) Check(ctx context.Context, hash []byte, password string) error {
	release, err := h.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	exists := hash != nil
	if !exists {
		hash = h.decoy
	}
	// No account has a longer password, but bcrypt would compare the first 72 bytes.
	fits := len(password) <= MaxBytes
	if !fits {
		password = password[:MaxBytes]
	}
	if err := bcrypt.CompareHashAndPassword(hash, []byte(password)); err != nil || !exists || !fits {
		return ErrWrong
	}
	return nil
}

func (h *Hasher) acquire(ctx context.Context) (release func(), err error) {
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, ErrBusy
	case <-timer.C:
		return nil, ErrBusy
	}
}
