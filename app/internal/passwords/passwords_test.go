package passwords

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/crypto/bcrypt"

	"cinema-database/internal/testutil/must"
)

func TestCheck(t *testing.T) {
	ctx := context.Background()
	h := must.OK(New(bcrypt.MinCost))(t)
	hash := must.OK(h.Hash(ctx, "correct horse"))(t)
	assert.NoError(t, h.Check(ctx, hash, "correct horse"))
	assert.ErrorIs(t, h.Check(ctx, hash, "Correct horse"), ErrWrong)
	assert.ErrorIs(t, h.Check(ctx, hash, ""), ErrWrong)
	assert.ErrorIs(t, h.Check(ctx, nil, "correct horse"), ErrWrong)

	longest := strings.Repeat("p", MaxBytes)
	hash = must.OK(h.Hash(ctx, longest))(t)
	assert.NoError(t, h.Check(ctx, hash, longest))
	assert.ErrorIs(t, h.Check(ctx, hash, longest+"x"), ErrWrong, "bytes that bcrypt ignores count")
	_, err := h.Hash(ctx, longest+"x")
	assert.Error(t, err)
}

func TestGeneratedPasswordsAreAccepted(t *testing.T) {
	assert.NoError(t, Validate(Generate(), "ada", "ada@example.com"))
	assert.NotEqual(t, Generate(), Generate())
}

// TestLongPasswords: every length up to the maximum is accepted, with letters of any length.
func TestLongPasswords(t *testing.T) {
	assert.NoError(t, Validate("a sentence of many words, of which each is common, but not all together"))
	assert.NoError(t, Validate("кит летит над старым кино"))
	assert.ErrorContains(t, Validate(strings.Repeat("ä", 37)), "at most 72 bytes")
	assert.ErrorContains(t, Validate("ä short"), "at least 8 characters")
}

// TestDecoyCostsAsMuch: for an unknown account, bcrypt compares with a hash of the same cost.
func TestDecoyCostsAsMuch(t *testing.T) {
	for _, cost := range []int{bcrypt.MinCost, DefaultCost} {
		h := must.OK(New(cost))(t)
		assert.Equal(t, cost, must.OK(bcrypt.Cost(h.decoy))(t))
		assert.ErrorIs(t, bcrypt.CompareHashAndPassword(h.decoy, []byte("anything")), bcrypt.ErrMismatchedHashAndPassword,
			"it is compared, not refused as malformed")
	}
}

func TestSlots(t *testing.T) {
	h := must.OK(New(bcrypt.MinCost))(t)
	assert.Equal(t, max(1, runtime.GOMAXPROCS(0)-1), cap(h.slots))
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := h.Hash(ctx, "long enough")
	assert.ErrorIs(t, err, ErrBusy, "the wait ends with the request")
	assert.ErrorIs(t, h.Check(ctx, nil, "long enough"), ErrBusy)
	h.waiting.Store(int64(maxWaiting * cap(h.slots)))
	assert.ErrorIs(t, h.Check(context.Background(), nil, "long enough"), ErrBusy, "a full queue is refused at once")
	h.waiting.Store(0)
	<-h.slots
	_, err = h.Hash(context.Background(), "long enough")
	assert.NoError(t, err)
	assert.Len(t, h.slots, cap(h.slots)-1, "the slot is free again")
}

func TestNewRefuses(t *testing.T) {
	for _, cost := range []int{0, bcrypt.MinCost - 1, bcrypt.MaxCost + 1} {
		_, err := New(cost)
		assert.ErrorContains(t, err, "cost")
	}
}
