package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"cinema-database/app/contract"
	"cinema-database/app/internal/lambdaruntime"
	"cinema-database/app/internal/manifest"
	"cinema-database/app/internal/testimage"
)

const (
	// thumbnails is the number of measured invocations.
	thumbnails = 9
	mebibyte   = 1 << 20
)

// measureArtifacts builds the binaries and measures their sizes, and the time, CPU and memory of the thumbnailer for a
// 12-megapixel JPEG, from the event to the answer, including S3 on loopback.
func measureArtifacts(ctx context.Context, _ options) (_ []figure, err error) {
	dir, err := os.MkdirTemp("", "cinema-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	arches := "arm64"
	if runtime.GOARCH != "arm64" {
		arches += "," + runtime.GOARCH
	}
	build := exec.CommandContext(ctx, "go", "run", "cinema-database/app/cmd/build", "-arch", arches, "-o", dir)
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, manifest.Name))
	if err != nil {
		return nil, err
	}
	built, err := manifest.Decode(data)
	if err != nil {
		return nil, err
	}
	var figures []figure
	for _, entry := range built.Binaries {
		if entry.Arch != "arm64" {
			continue
		}
		packed, err := os.Stat(filepath.Join(dir, manifest.FileName(entry.Name, entry.Arch)))
		if err != nil {
			return nil, err
		}
		size := figure{name: entry.Name + " for arm64", value: float64(entry.Size) / mebibyte, unit: "MiB"}
		if entry.Name == contract.Cinema {
			size.atMost = most(16)
		}
		figures = append(figures, size, figure{name: entry.Name + " for arm64, embedded", value: float64(packed.Size()) / mebibyte, unit: "MiB"})
	}
	made, err := measureThumbnailer(ctx, dir)
	return append(figures, made...), err
}

func measureThumbnailer(ctx context.Context, dir string) (_ []figure, err error) {
	binary := filepath.Join(dir, "bootstrap")
	if err := unpack(filepath.Join(dir, manifest.FileName(contract.Thumbnailer, runtime.GOARCH)), binary); err != nil {
		return nil, err
	}
	source := testimage.JPEG(4000, 3000)
	storage := s3mem.New()
	const (
		bucket = "images"
		id     = "photo"
		key    = contract.OriginalsPrefix + id + ".jpg"
	)
	if err := storage.CreateBucket(bucket); err != nil {
		return nil, err
	}
	if _, err := storage.PutObject(bucket, key, nil, bytes.NewReader(source), int64(len(source)), nil); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: gofakes3.New(storage).Server(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	function, err := lambdaruntime.Start(ctx, binary, "AWS_ENDPOINT_URL_S3=http://"+listener.Addr().String())
	if err != nil {
		return nil, err
	}
	defer function.Close()
	var all []time.Duration
	for range thumbnails {
		start := time.Now()
		answer, err := function.Invoke(ctx, fmt.Appendf(nil, `{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":%q},"object":{"key":%q}}}]}`, bucket, key))
		if err != nil {
			return nil, err
		}
		if answer.Failed {
			return nil, fmt.Errorf("thumbnailer: %s", answer.Payload)
		}
		all = append(all, time.Since(start))
	}
	if _, err := storage.HeadObject(bucket, contract.ThumbnailKey(id)); err != nil {
		return nil, fmt.Errorf("no thumbnail: %w", err)
	}
	peak, err := function.PeakMemory()
	if err != nil {
		return nil, err
	}
	processor, err := function.CPUTime()
	if err != nil {
		return nil, err
	}
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return []figure{
		// The target is for the fastest one. On a busy machine, the others include time in which the process had to wait.
		{name: "thumbnail of a 12-megapixel JPEG, fastest", value: ms(all[0]), unit: "ms", atMost: most(400)},
		{name: "thumbnail of a 12-megapixel JPEG, median", value: ms(all[len(all)/2]), unit: "ms"},
		{name: "thumbnail of a 12-megapixel JPEG, CPU time", value: ms(processor) / thumbnails, unit: "ms"},
		{name: "thumbnailer, peak memory", value: float64(peak) / mebibyte, unit: "MiB", atMost: most(200)},
	}, nil
}

// unpack decompresses a binary and makes it executable.
func unpack(from, to string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}
