// Package freeport finds TCP ports for the servers that tests start or restart.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Get returns a free port of 127.0.0.1. It is below the kernel's range for port 0 (from 32768 on Linux, 49152 elsewhere), so
// that no other process gets it before the test's server listens.
func Get(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no free port found")
	return 0
}
