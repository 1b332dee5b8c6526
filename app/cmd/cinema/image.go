package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/internal/images"
	"cinema-database/app/internal/settings"
	"cinema-database/app/internal/store"
)

func imageCommands() []command {
	return []command{
		{name: "image list", summary: "list the uploaded images, newest first",
			about: "Each line has the id, the time, the size, the owner and the caption.\n",
			define: func(fs *flag.FlagSet) func(context.Context, *process, []string) error {
				owner := fs.String("owner", "", "only the images of the account `NAME`")
				return func(ctx context.Context, p *process, _ []string) error { return listImages(ctx, p, *owner) }
			}},
		{name: "image remove", summary: "remove images", args: "ID...", min: 1, max: -1,
			about: "Removes the objects in the images bucket, then the records. Nothing is removed if an image does not exist. The bucket's\n" +
				"lifecycle removes old versions of the objects within days.\n",
			define: plain(removeImages)},
	}
}

// imagesPage is how many records are read at once.
const imagesPage = 500

func listImages(ctx context.Context, p *process, owner string) error {
	return p.withStore(ctx, func(db *store.Store) error {
		if owner != "" {
			u, err := db.UserByName(ctx, store.Username(owner))
			if err != nil {
				return notFound(err, "user", owner)
			}
			all, err := db.ImagesOf(ctx, u.ID, math.MaxInt32) // the API limits the number
			if err != nil {
				return err
			}
			return printImages(ctx, p, db, all)
		}
		var before bson.ObjectID
		for {
			page, err := db.ListImages(ctx, before, imagesPage)
			if err != nil {
				return err
			}
			if err := printImages(ctx, p, db, page); err != nil {
				return err
			}
			if len(page) < imagesPage {
				return nil
			}
			before = page[len(page)-1].Seq
		}
	})
}

func printImages(ctx context.Context, p *process, db *store.Store, page []store.Image) error {
	var ids []bson.ObjectID
	for _, i := range page {
		if !slices.Contains(ids, i.Owner) {
			ids = append(ids, i.Owner)
		}
	}
	names, err := db.UserNames(ctx, ids)
	if err != nil {
		return err
	}
	for _, i := range page {
		owner := names[i.Owner]
		if owner == "" {
			owner = "-" // the account is gone
		}
		_, err := fmt.Fprintf(p.out, "%s  %s  %8s  %5dx%-5d  %s  %q\n", i.Image, i.Created.UTC().Format(time.RFC3339), size(i.Bytes), i.Width, i.Height,
			printable(owner), i.Caption)
		if err != nil {
			return err
		}
	}
	return nil
}

func removeImages(ctx context.Context, p *process, ids []string) error {
	s, err := settings.LoadImages(p.getenv)
	if err != nil {
		return err
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return withStore(ctx, s, p.log(), func(db *store.Store) error {
		var names []images.Name
		var problems []error
		for _, id := range ids {
			i, err := db.ImageByID(ctx, id)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if err != nil {
				problems = append(problems, notFound(err, "image", id))
			}
			names = append(names, images.Name{ID: i.Image, Extension: i.Extension})
		}
		if len(problems) > 0 {
			return errors.Join(problems...)
		}
		client, err := images.NewClient(ctx, s.Region, s.PathStyle, p.log())
		if err != nil {
			return err
		}
		// The records last: after a failure they still list the images, so that the command can be repeated.
		if err := images.NewBucket(client, s.Bucket).Remove(ctx, names...); err != nil {
			return err
		}
		if err := db.RemoveImages(ctx, ids...); err != nil {
			return err
		}
		fmt.Fprintf(p.out, "removed %s\n", count(len(ids), "image"))
		return nil
	})
}
