package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Attempt counts an attempt under a key, for all instances together, and returns how many there are with this one. The count
// is removed some time after expires. Keys are stored as hashes: they contain names and addresses.
func (s *Store) Attempt(ctx context.Context, key string, expires time.Time) (int, error) {
	if err := s.Prepare(ctx); err != nil {
		return 0, err
	}
	sum := sha256.Sum256([]byte(key))
	count := func() (n struct {
		Count int `bson:"Count"`
	}, err error) {
		err = s.db.Collection(attempts).FindOneAndUpdate(ctx, bson.D{{Key: "_id", Value: hex.EncodeToString(sum[:])}}, bson.D{
			{Key: "$inc", Value: bson.D{{Key: "Count", Value: 1}}},
			{Key: "$setOnInsert", Value: bson.D{{Key: "Expires", Value: expires.UTC()}}},
		}, options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)).Decode(&n)
		return n, err
	}
	n, err := count()
	if mongo.IsDuplicateKeyError(err) {
		n, err = count() // another instance has inserted it meanwhile
	}
	return n.Count, failure(err)
}
