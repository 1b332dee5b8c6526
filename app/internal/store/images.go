package store

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
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
	// Caption is the owner's; empty if there is none.
	Caption string `bson:"Caption"`
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

// CountImages returns about how many images there are: after an unclean stop, the database may be wrong by a few.
func (s *Store) CountImages(ctx context.Context) (int64, error) {
	if err := s.Prepare(ctx); err != nil {
		return 0, err
	}
	n, err := s.db.Collection(Images).EstimatedDocumentCount(ctx)
	return n, failure(err)
}

// ImagesUse returns the number of an account's images and their size in bytes.
func (s *Store) ImagesUse(ctx context.Context, owner bson.ObjectID) (count int, bytes int64, err error) {
	if err := s.Prepare(ctx); err != nil {
		return 0, 0, err
	}
	var sizes []struct {
		Bytes int64 `bson:"Bytes"`
	}
	if err := s.all(ctx, Images, bson.D{{Key: "Owner", Value: owner}}, "Bytes", &sizes); err != nil {
		return 0, 0, err
	}
	for _, image := range sizes {
		bytes += image.Bytes
	}
	return len(sizes), bytes, nil
}

// UserNames returns the names of the accounts with these ids. Accounts that do not exist are left out.
func (s *Store) UserNames(ctx context.Context, ids []bson.ObjectID) (map[bson.ObjectID]string, error) {
	names := map[bson.ObjectID]string{}
	if len(ids) == 0 {
		return names, nil
	}
	if err := s.Prepare(ctx); err != nil {
		return nil, err
	}
	var users []User
	if err := s.all(ctx, Users, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}, "Username", &users); err != nil {
		return nil, err
	}
	for _, u := range users {
		names[u.ID] = u.Username
	}
	return names, nil
}

// all decodes one field and the id of all documents that match filter into to, a pointer to a slice.
func (s *Store) all(ctx context.Context, collection string, filter bson.D, field string, to any) error {
	cursor, err := s.db.Collection(collection).Find(ctx, filter, options.Find().SetProjection(bson.D{{Key: field, Value: 1}}))
	if err != nil {
		return failure(err)
	}
	return failure(cursor.All(ctx, to))
}

// SetCaption changes an image's caption. The error is ErrNotFound if the image does not exist.
func (s *Store) SetCaption(ctx context.Context, id, caption string) error {
	if err := s.Prepare(ctx); err != nil {
		return err
	}
	result, err := s.db.Collection(Images).UpdateOne(ctx, bson.D{{Key: "Image", Value: id}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "Caption", Value: caption}}}})
	if err == nil && result.MatchedCount == 0 {
		return ErrNotFound
	}
	return failure(err)
}

// RemoveImages removes the records of the images with these ids. Missing records are ignored.
func (s *Store) RemoveImages(ctx context.Context, ids ...string) error {
	if err := s.Prepare(ctx); err != nil {
		return err
	}
	if len(ids) == 0 {
		return nil
	}
	// One by one in one command: the driver does not retry a deletion of many.
	var removals []mongo.WriteModel
	for _, id := range ids {
		removals = append(removals, mongo.NewDeleteOneModel().SetFilter(bson.D{{Key: "Image", Value: id}}))
	}
	_, err := s.db.Collection(Images).BulkWrite(ctx, removals, options.BulkWrite().SetOrdered(false))
	return failure(err)
}
