// Package passwords hashes and checks passwords with bcrypt, and limits the CPU that this uses.
package passwords

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"
)

const (
	// MinCharacters is the minimum length of a password (NIST SP 800-63B, section 5.1.1.2).
	MinCharacters = 8
	// MaxBytes is the maximum length: bcrypt ignores further bytes.
	MaxBytes = 72
	// DefaultCost is the minimum work factor of OWASP's Password Storage Cheat Sheet.
	DefaultCost = 10
	// minGuesses is the minimum number of guesses that an accepted password takes, by zxcvbn's estimate: far more than the
	// API's limits allow in a year.
	minGuesses = 1e6
	// estimated is how many bytes of a password are estimated: the worst texts take 9 ms with 20, and 56 ms with 32.
	estimated = 20
	// maxWait limits the wait for a free slot, in addition to the request's deadline.
	maxWait = 1500 * time.Millisecond
	// maxWaiting is how many may wait for each slot: less than maxWait's worth.
	maxWaiting = 12
)

// Normalize returns the form in which passwords are compared: NFC, in which a composed and a decomposed letter are the same
// (NIST SP 800-63B, section 5.1.1.2).
func Normalize(password string) string { return norm.NFC.String(password) }

// Validate returns why a password is refused, or nil: its length, or that it is easy to guess, such as a common password, a
// sequence, a repetition, or personal data. personal are texts that belong to the account, such as its name.
func Validate(password string, personal ...string) error {
	password = Normalize(password)
	switch {
	case utf8.RuneCountInString(password) < MinCharacters:
		return fmt.Errorf("must be at least %d characters long", MinCharacters)
	case len(password) > MaxBytes:
		return fmt.Errorf("must be at most %d bytes long", MaxBytes)
	}
	known := []string{"cinema"}
	for _, text := range personal {
		local, _, _ := strings.Cut(text, "@") // of an e-mail address
		known = append(known, text, local)
		known = append(known, strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })...)
	}
	start := password[:min(len(password), estimated)]
	if zxcvbn.PasswordStrength(strings.ToValidUTF8(start, ""), known).Guesses < minGuesses {
		return errors.New("is too easy to guess: avoid common passwords, names, sequences and repetitions; several unrelated words are good")
	}
	return nil
}

// Generate returns a random password with 130 bits.
func Generate() string { return rand.Text() }

// ErrBusy means that no slot became free in time. The caller should retry later.
var ErrBusy = errors.New("passwords: all slots are in use")

// ErrWrong means that the password is not the account's.
var ErrWrong = errors.New("passwords: wrong password")

// Hasher hashes and checks passwords. The number of concurrent operations is limited to its slots.
type Hasher struct {
	cost  int
	slots chan struct{}
	// waiting is how many operations wait for a slot.
	waiting atomic.Int64
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

// Hash hashes a password that Validate accepts. The error is ErrBusy if no slot became free in time.
func (h *Hasher) Hash(ctx context.Context, password string) ([]byte, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return bcrypt.GenerateFromPassword([]byte(Normalize(password)), h.cost)
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
	normal := Normalize(password)
	wrong := !matches(hash, normal)
	if wrong && normal != password {
		wrong = !matches(hash, password) // a hash from before passwords were normalized
	}
	if wrong || !exists {
		return ErrWrong
	}
	return nil
}

func matches(hash []byte, password string) bool {
	// No account has a longer password, but bcrypt would compare the first 72 bytes.
	fits := len(password) <= MaxBytes
	if !fits {
		password = password[:MaxBytes]
	}
	return bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil && fits
}

// acquire takes a slot. If too many wait already, it fails at once.
func (h *Hasher) acquire(ctx context.Context) (release func(), err error) {
	release = func() { <-h.slots }
	select {
	case h.slots <- struct{}{}:
		return release, nil
	default:
	}
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > int64(maxWaiting*cap(h.slots)) {
		return nil, ErrBusy
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return release, nil
	case <-ctx.Done():
		return nil, ErrBusy
	case <-timer.C:
		return nil, ErrBusy
	}
}
