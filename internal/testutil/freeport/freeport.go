// Package freeport gives tests TCP ports that are listened on later, by what they start or start again.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Get returns a port of 127.0.0.1 that nothing listens on. It is below the range that the kernel assigns from
// (from 32768 on Linux, 49152 elsewhere), so that nothing else comes to have it meanwhile.
func Get(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
