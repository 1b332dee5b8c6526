package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
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
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/lambdaruntime"
	"cinema-database/app/internal/manifest"
	"cinema-database/app/internal/testimage"
)

const (
	// thumbnails is the number of measured invocations for a photo.
	thumbnails = 9
	mebibyte   = 1 << 20
)

// measureArtifacts builds the binaries and measures their sizes, and the time, CPU and memory of the thumbnailer.
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
			size.atMost = most(20)
		}
		figures = append(figures, size, figure{name: entry.Name + " for arm64, embedded", value: float64(packed.Size()) / mebibyte, unit: "MiB"})
	}
	made, err := measureThumbnailer(ctx, dir)
	return append(figures, made...), err
}

// measureThumbnailer measures a 12-megapixel JPEG, and the slowest images that the API accepts.
func measureThumbnailer(ctx context.Context, dir string) (_ []figure, err error) {
	binary := filepath.Join(dir, "bootstrap")
	if err := unpack(filepath.Join(dir, manifest.FileName(contract.Thumbnailer, runtime.GOARCH)), binary); err != nil {
		return nil, err
	}
	storage := s3mem.New()
	if err := storage.CreateBucket(imagesBucket); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: gofakes3.New(storage).Server(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	endpoint := "AWS_ENDPOINT_URL_S3=http://" + listener.Addr().String()

	photo, err := measureRenditions(ctx, storage, testimage.JPEG(4000, 3000), thumbnails, binary, endpoint)
	if err != nil {
		return nil, err
	}
	var worst renditions
	var name string
	for _, kind := range slices.Sorted(maps.Keys(testimage.Slow)) {
		data, megapixels := largestAccepted(testimage.Slow[kind])
		// Lambda assigns less than one CPU.
		made, err := measureRenditions(ctx, storage, data, 3, binary, endpoint, "GOMAXPROCS=1")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		if made.fastest > worst.fastest {
			worst.fastest, name = made.fastest, fmt.Sprintf("%s of %d MP", kind, megapixels)
		}
		worst.peak = max(worst.peak, made.peak)
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return []figure{
		// The targets are for the fastest one. On a busy machine, the others include time in which the process had to wait.
		{name: "renditions of a 12-megapixel JPEG, fastest", value: ms(photo.fastest), unit: "ms", atMost: most(300)},
		{name: "renditions of a 12-megapixel JPEG, median", value: ms(photo.median), unit: "ms"},
		{name: "renditions of a 12-megapixel JPEG, CPU time", value: ms(photo.processor), unit: "ms"},
		{name: "thumbnailer, peak memory", value: float64(photo.peak) / mebibyte, unit: "MiB", atMost: most(200)},
		{name: "slowest image: " + name, value: ms(worst.fastest), unit: "ms", atMost: most(2000)},
		// The function has 1024 MB.
		{name: "largest accepted images, peak memory", value: float64(worst.peak) / mebibyte, unit: "MiB", atMost: most(900)},
	}, nil
}

const imagesBucket = "images"

// largestAccepted returns the largest image that the API accepts, in steps of two megapixels, and its megapixels.
func largestAccepted(make func(pixels int) []byte) (data []byte, megapixels int) {
	for megapixels = images.MaxPixels / 1_000_000; ; megapixels -= 2 {
		data = make(megapixels * 1_000_000)
		if _, _, err := images.Prepare(data); err == nil && len(data) <= images.MaxBytes {
			return data, megapixels
		}
	}
}

// renditions is what several invocations for one image took.
type renditions struct {
	fastest, median time.Duration
	// processor is the CPU time of one invocation.
	processor time.Duration
	// peak is in bytes.
	peak int64
}

// measureRenditions invokes the function several times for one image, each from the event to the answer, including S3 on
// loopback.
func measureRenditions(ctx context.Context, storage *s3mem.Backend, image []byte, times int, binary string, env ...string) (_ renditions, err error) {
	const (
		id  = "photo"
		key = contract.OriginalsPrefix + id + ".jpg"
	)
	if _, err := storage.PutObject(imagesBucket, key, nil, bytes.NewReader(image), int64(len(image)), nil); err != nil {
		return renditions{}, err
	}
	function, err := lambdaruntime.Start(ctx, binary, env...)
	if err != nil {
		return renditions{}, err
	}
	defer function.Close()
	outputs := []string{contract.ThumbnailKey(id), contract.ViewKey(id)}
	for _, output := range outputs {
		if _, err := storage.DeleteObject(imagesBucket, output); err != nil {
			return renditions{}, err
		}
	}
	var all []time.Duration
	for range times {
		start := time.Now()
		answer, err := function.Invoke(ctx, fmt.Appendf(nil, `{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":%q},"object":{"key":%q}}}]}`, imagesBucket, key))
		if err != nil {
			return renditions{}, err
		}
		if answer.Failed {
			return renditions{}, fmt.Errorf("thumbnailer: %s", answer.Payload)
		}
		all = append(all, time.Since(start))
	}
	for _, output := range outputs {
		if _, err := storage.HeadObject(imagesBucket, output); err != nil {
			return renditions{}, fmt.Errorf("no rendition: %w\n%s", err, function.Output())
		}
	}
	peak, err := function.PeakMemory()
	if err != nil {
		return renditions{}, err
	}
	processor, err := function.CPUTime()
	if err != nil {
		return renditions{}, err
	}
	slices.Sort(all)
	return renditions{fastest: all[0], median: all[len(all)/2], processor: processor / time.Duration(times), peak: peak}, nil
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
