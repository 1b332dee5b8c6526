package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/contract"
	"cinema-database/app/internal/dev"
	"cinema-database/app/internal/images"
	"cinema-database/app/internal/store"
	"cinema-database/internal/testutil/must"
)

func openStore(t *testing.T, db *dev.Database) *store.Store {
	t.Helper()
	s := must.OK(store.Open(db.URI(), ""))(t)
	t.Cleanup(func() { assert.NoError(t, s.Close(context.Background())) })
	return s
}

func TestImages(t *testing.T) {
	db, s3, env := startServers(t)
	env["MONGODB_URI"] = db.URI()
	ctx := context.Background()
	s := openStore(t, db)
	ada := must.OK(s.AddUser(ctx, store.User{Username: "ada", Email: "ada@example.com"}))(t)
	bucket := images.NewBucket(s3.Client(), dev.BucketName)
	jpeg := images.Kind{Extension: "jpg", ContentType: "image/jpeg"}
	upload := func(owner bson.ObjectID, caption string) string {
		id := images.NewID()
		require.NoError(t, bucket.Put(ctx, id, jpeg, []byte("x")))
		require.NoError(t, s3.Put(ctx, dev.BucketName, contract.ThumbnailKey(id), []byte("x")))
		must.OK(s.AddImage(ctx, store.Image{Image: id, Owner: owner, Extension: "jpg", Bytes: 1234, Width: 4000, Height: 300, Caption: caption,
			Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}))(t)
		return id
	}
	hers, orphan := upload(ada.ID, "A \x1b[31mred rose"), upload(bson.NewObjectID(), "")

	all := cinema(ctx, env, "", "image", "list").requireOK(t)
	assert.Equal(t, orphan+"  2026-01-02T03:04:05Z    1.2 kB   4000x300    -  \"\"\n"+
		hers+"  2026-01-02T03:04:05Z    1.2 kB   4000x300    ada  \"A \\x1b[31mred rose\"\n", all)
	assert.Equal(t, strings.SplitAfter(all, "\n")[1], cinema(ctx, env, "", "image", "list", "-owner", "ada").requireOK(t))
	cinema(ctx, env, "", "image", "list", "-owner", "eve").assertFails(t, exitFailed, `user "eve": not found`)

	missing := images.NewID()
	cinema(ctx, env, "", "image", "remove", hers, missing).assertFails(t, exitFailed, `image "`+missing+`": not found`)
	assert.Equal(t, all, cinema(ctx, env, "", "image", "list").requireOK(t), "nothing is removed")
	assert.Equal(t, "removed 1 image\n", cinema(ctx, env, "", "image", "remove", hers, hers).requireOK(t))
	assert.Equal(t, strings.SplitAfter(all, "\n")[0], cinema(ctx, env, "", "image", "list").requireOK(t))
	for _, key := range []string{images.OriginalKey(hers, "jpg"), contract.ThumbnailKey(hers)} {
		assert.False(t, must.OK(bucket.Exists(ctx, key))(t), key)
	}
	assert.True(t, must.OK(bucket.Exists(ctx, images.OriginalKey(orphan, "jpg")))(t))
	delete(env, "AWS_UPLOAD_BUCKET_NAME")
	cinema(ctx, env, "", "image", "remove", orphan).assertFails(t, exitFailed, "AWS_UPLOAD_BUCKET_NAME")
}

// TestImagePages: the list continues after the records that are read at once.
func TestImagePages(t *testing.T) {
	db, _, env := startServers(t)
	env["MONGODB_URI"] = db.URI()
	ctx := context.Background()
	s := openStore(t, db)
	require.NoError(t, s.Prepare(ctx))
	var records []any
	for range imagesPage + 1 {
		records = append(records, store.Image{Seq: bson.NewObjectID(), Image: images.NewID()})
	}
	must.OK(s.Collection(store.Images).InsertMany(ctx, records))(t)
	assert.Equal(t, imagesPage+1, bytes.Count([]byte(cinema(ctx, env, "", "image", "list").requireOK(t)), []byte("\n")))
}
