package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"cinema-database/app/contract"
	"cinema-database/app/internal/dev"
)

// starts is how often the binary is started. The figure is the median.
const starts = 7

// measureStart builds cinema like a release and measures the time from its start to its first healthy answer, which does
// not need the database.
func measureStart(ctx context.Context, _ options) ([]figure, error) {
	dir, err := os.MkdirTemp("", "cinema-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, contract.Cinema)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary, "cinema-database/app/cmd/"+contract.Cinema)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w\n%s", err, out)
	}
	var all []time.Duration
	for range starts {
		d, err := startOnce(ctx, binary)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	slices.Sort(all)
	devStart, err := startDev(ctx)
	if err != nil {
		return nil, err
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return []figure{
		{name: "cinema serve, start to first healthy answer", value: ms(all[len(all)/2]), unit: "ms", atMost: most(100)},
		{name: "cinema serve, slowest of its starts", value: ms(all[len(all)-1]), unit: "ms"},
		{name: "dev, start with the sample movies", value: ms(devStart), unit: "ms", atMost: most(5000)},
	}, nil
}

func startOnce(ctx context.Context, binary string) (_ time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	_, port, err := net.SplitHostPort(ln.Addr().String())
	if err = errors.Join(err, ln.Close()); err != nil {
		return 0, err
	}
	var log strings.Builder
	cmd := exec.CommandContext(ctx, binary, "serve")
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Env = []string{
		contract.EnvPort + "=" + port,
		"MONGODB_URI=mongodb://127.0.0.1:1/cinema",
		"JWT_KEY=" + base64.StdEncoding.EncodeToString(make([]byte, 32)),
		contract.EnvImagesBucket + "=cinema-images",
		contract.EnvRegion + "=us-east-1",
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var took time.Duration
	for took == 0 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+contract.HealthPath, nil)
		if err != nil {
			return 0, err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			if resp.StatusCode == http.StatusOK {
				took = time.Since(start)
			}
			resp.Body.Close()
		}
		if ctx.Err() != nil {
			return 0, errors.Join(fmt.Errorf("no healthy answer: %w\n%s", ctx.Err(), log.String()), cmd.Wait())
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	return took, cmd.Wait()
}

// startDev measures the start of app/cmd/dev, including the sample movies.
func startDev(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	s, err := dev.Start(ctx, dev.Options{Addr: "127.0.0.1:0"})
	if err != nil {
		return 0, err
	}
	took := time.Since(start)
	return took, s.Close()
}
