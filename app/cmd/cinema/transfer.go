package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"
)

const (
	// transfers is how many files are transferred at once, and partsAtOnce how many parts of each, of 8 MiB: together they need
	// up to 128 MiB of memory.
	transfers   = 4
	partsAtOnce = 4
)

// transfer is one file to download or to upload.
type transfer struct {
	location
	file  string // slash-separated, relative to the folder of the command
	bytes int64
}

// transferAll runs f for all files, a few at a time. The first failure stops it.
func transferAll(ctx context.Context, client *s3.Client, p *process, verb string, all []transfer,
	f func(ctx context.Context, manager *transfermanager.Client, t transfer) error) error {
	progress := newProgress(p, verb, all)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(transfers)
	for _, t := range all {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			manager := transfermanager.New(client, func(o *transfermanager.Options) {
				o.Concurrency = partsAtOnce
				o.ObjectProgressListeners.Register(&fileProgress{progress: progress})
			})
			if err := f(ctx, manager, t); err != nil {
				return err
			}
			progress.done(t)
			return nil
		})
	}
	err := group.Wait()
	progress.end(err == nil)
	return err
}

func getObjects(ctx context.Context, p *process, args []string, all bool) error {
	client, l, err := openLocation(ctx, p, args[0])
	if err != nil {
		return err
	}
	target := "."
	if len(args) == 2 {
		target = args[1]
	}
	var (
		list    []transfer
		refused []error
	)
	if all {
		l = l.folder()
		objects, _, err := below(ctx, client, l)
		if err != nil {
			return err
		}
		for _, o := range objects {
			t := transfer{location{l.bucket, o.key}, strings.TrimPrefix(o.key, l.key), o.bytes}
			switch {
			case strings.HasSuffix(o.key, "/") || t.file == "": // what consoles create as an empty folder
			case path.Clean(t.file) != t.file || !filepath.IsLocal(filepath.FromSlash(t.file)):
				refused = append(refused, fmt.Errorf("%s: left out, because the key is not the path of a file below the folder", t.location))
			default:
				list = append(list, t)
			}
		}
	} else {
		o, err := head(ctx, client, l)
		if err != nil {
			return err
		}
		name := base(l.key)
		if info, err := os.Stat(target); err != nil && !strings.HasSuffix(target, "/") || err == nil && !info.IsDir() {
			target, name = filepath.Dir(target), filepath.Base(target)
		}
		if name == "" || !filepath.IsLocal(name) {
			return usageError(fmt.Sprintf("%s: the key has no file name; name the target file", l))
		}
		list = []transfer{{l, name, o.bytes}}
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	// The root refuses paths that symbolic links lead out of the folder.
	root, err := os.OpenRoot(target)
	if err != nil {
		return err
	}
	defer root.Close()
	err = transferAll(ctx, client, p, "downloaded", list, func(ctx context.Context, manager *transfermanager.Client, t transfer) error {
		return download(ctx, manager, root, t)
	})
	return errors.Join(append([]error{err}, refused...)...)
}

// download writes an object to a temporary file, and renames it when it is complete.
func download(ctx context.Context, manager *transfermanager.Client, root *os.Root, t transfer) (err error) {
	file := filepath.FromSlash(t.file)
	folder, name := filepath.Split(file)
	if folder != "" {
		if err := root.MkdirAll(filepath.Clean(folder), 0o755); err != nil {
			return fmt.Errorf("%s: %w", t.location, err)
		}
	}
	// Without the name, which may have the maximum length already.
	temporary := filepath.Join(folder, ".cinema-"+rand.Text())
	f, err := root.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("%s: %w", t.location, err)
	}
	_, err = manager.DownloadObject(ctx, &transfermanager.DownloadObjectInput{Bucket: &t.bucket, Key: &t.key, WriterAt: f})
	if err != nil {
		err = bucketError(err, t.location)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = root.Rename(temporary, filepath.Join(folder, name))
	}
	if err != nil {
		return errors.Join(err, root.Remove(temporary))
	}
	return nil
}

func putObjects(ctx context.Context, p *process, args []string, all bool) error {
	client, l, err := openLocation(ctx, p, args[1])
	if err != nil {
		return err
	}
	source := args[0]
	info, err := os.Stat(source)
	switch {
	case err != nil:
		return err
	case info.IsDir() && !all:
		return usageError(fmt.Sprintf("%s: is a folder; use -recursive", source))
	case !info.IsDir() && all:
		return usageError(fmt.Sprintf("%s: is not a folder; leave out -recursive", source))
	}
	var list []transfer
	if all {
		l = l.folder()
		list, err = files(p, source, l)
		if err == nil && len(list) == 0 {
			err = fmt.Errorf("%s: there are no files", source)
		}
		if err != nil {
			return err
		}
	} else {
		if l.key == "" || strings.HasSuffix(l.key, "/") {
			l.key += filepath.Base(source)
		}
		list = []transfer{{l, filepath.Base(source), info.Size()}}
		source = filepath.Dir(source)
	}
	return transferAll(ctx, client, p, "uploaded", list, func(ctx context.Context, manager *transfermanager.Client, t transfer) error {
		return upload(ctx, manager, filepath.Join(source, filepath.FromSlash(t.file)), t)
	})
}

// files returns the files of a folder. It names those that are no files.
func files(p *process, folder string, l location) (list []transfer, err error) {
	err = filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !entry.Type().IsRegular() {
			fmt.Fprintf(p.errout, "%s: left out, because it is not a regular file\n", printable(file))
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		list = append(list, transfer{location{l.bucket, l.key + relative}, relative, info.Size()})
		return nil
	})
	return list, err
}

func upload(ctx context.Context, manager *transfermanager.Client, file string, t transfer) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	input := &transfermanager.UploadObjectInput{Bucket: &t.bucket, Key: &t.key, Body: f}
	if kind := mime.TypeByExtension(path.Ext(t.key)); kind != "" {
		input.ContentType = &kind
	}
	if _, err := manager.UploadObject(ctx, input); err != nil {
		return bucketError(err, t.location)
	}
	return nil
}
