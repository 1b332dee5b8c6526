package store

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Image is the record of an uploaded image. The images bucket stores its bytes.
type Image struct {
	// Seq orders records by the time of upload, as far as the instances' clocks agree.
	Seq bson.ObjectID `bson:"_id"`
	// Image is the image's id.
	Image string `bson:"Image"`
	// Owner is the id of the account that uploaded the image. Names can change.
	Owner bson.ObjectID `bson:"Owner"`
	// Extension of the object's key, e.g. jpg.
	Extension   string `bson:"Extension"`
	ContentType string `bson:"ContentType"`
	// Bytes, Width and Height (pixels) of the original.
	Bytes   int64     `bson:"Bytes"`
	Width   int       `bson:"Width"`
	Height  int       `bson:"Height"`
	Created time.Time `bson:"Created"`
}

// AddImage stores an image's record and returns it with its Seq.
func (s *Store) AddImage(ctx context.Context, i Image) (Image, error) {
	if err := s.Prepare(ctx); err != nil {
		return Image{}, err
	}
	i.Seq = bson.NewObjectID()
	_, err := s.db.Collection(Images).InsertOne(ctx, i)
	return i, failure(err)
}

// ListImages returns up to limit records, newest first. If before is not zero, they are older than that Seq.
func (s *Store) ListImages(ctx context.Context, before bson.ObjectID, limit int) ([]Image, error) {
	filter := bson.D{}
	if !before.IsZero() {
		filter = bson.D{{Key: "_id", Value: bson.D{{Key: "$lt", Value: before}}}}
	}
	return s.images(ctx, filter, limit)
}

// ImagesOf returns up to limit records of an account's images.
func (s *Store) ImagesOf(ctx context.Context, owner bson.ObjectID, limit int) ([]Image, error) {
	return s.images(ctx, bson.D{{Key: "Owner", Value: owner}}, limit)
}

func (s *Store) images(ctx context.Context, filter bson.D, limit int) ([]Image, error) {
	if err := s.Prepare(ctx); err != nil {
		return nil, err
	}
	cursor, err := s.db.Collection(Images).Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: -1}}).SetLimit(int64(limit)))
	if err != nil {
		return nil, failure(err)
	}
	images := []Image{}
	if err := cursor.All(ctx, &images); err != nil {
		return nil, failure(err)
	}
	return images, nil
}

// ImageByID returns an image's record, or ErrNotFound.
func (s *Store) ImageByID(ctx context.Context, id string) (Image, error) {
	if err := s.Prepare(ctx); err != nil {
		return Image{}, err
	}
	var i Image
	err := s.db.Collection(Images).FindOne(ctx, bson.D{{Key: "Image", Value: id}}).Decode(&i)
	return i, failure(err)
}

// CountImages returns the number of an account's images.
func (s *Store) CountImages(ctx context.Context, owner bson.ObjectID) (int64, error) {
	if err := s.Prepare(ctx); err != nil {
		return 0, err
	}
	n, err := s.db.Collection(Images).CountDocuments(ctx, bson.D{{Key: "Owner", Value: owner}})
	return n, failure(err)
}

// RemoveImages removes the records of the images with these ids. Missing records are ignored.
func (s *Store) RemoveImages(ctx context.Context, ids ...string) error {
	if err := s.Prepare(ctx); err != nil {
		return err
	}
	_, err := s.db.Collection(Images).DeleteMany(ctx, bson.D{{Key: "Image", Value: bson.D{{Key: "$in", Value: ids}}}})
	return failure(err)
}
