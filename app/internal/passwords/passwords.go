// Package passwords hashes and checks passwords with bcrypt, on a bounded share of the CPU.
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
	// MinBytes is the shortest password accepted (NIST SP 800-63B, section 5.1.1.2).
	MinBytes = 8
	// MaxBytes is the longest: bcrypt reads no further.
	MaxBytes = 72
	// DefaultCost is the least work factor that OWASP's Password Storage Cheat Sheet accepts.
	DefaultCost = 10
	// maxWait bounds the wait for a free slot, in addition to the request's own deadline.
	maxWait = 10 * time.Second
)

// ErrBusy says that no slot came free in time: the caller should try again later.
var ErrBusy = errors.New("passwords: every slot is taken")

// ErrWrong says that the password is not the account's.
var ErrWrong = errors.New("passwords: wrong password")

// Hasher hashes and checks passwords, never more at once than it has slots.
type Hasher struct {
	cost  int
	slots chan struct{}
	// decoy is compared against where there is no account, so that the answer takes as long as for one.
	decoy []byte
}

// New makes a hasher of the given bcrypt cost (4 to 31; each step doubles the work). It keeps one CPU free
// for other requests where there are several.
func New(cost int) (*Hasher, error) {
	if cost < bcrypt.MinCost || cost > bcrypt.MaxCost {
		return nil, fmt.Errorf("passwords: cost %d: out of range; use %d to %d", cost, bcrypt.MinCost, bcrypt.MaxCost)
	}
	return &Hasher{
		cost:  cost,
		slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)),
		// Any text of a hash's form costs as much to compare as a real one, and this one costs nothing to make.
		decoy: fmt.Appendf(nil, "$2a$%02d$%s", cost, strings.Repeat("A", 53)),
	}, nil
}

// Hash hashes a password of MinBytes to MaxBytes bytes; ErrBusy where no slot came free.
func (h *Hasher) Hash(ctx context.Context, password string) ([]byte, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return bcrypt.GenerateFromPassword([]byte(password), h.cost)
}

// Check compares a password with an account's hash: nil, ErrWrong or ErrBusy. A nil hash stands for an
// account that does not exist: the same work, and ErrWrong.
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
	// Longer than MaxBytes cannot have been registered, but bcrypt would compare its first 72 bytes.
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
