package store

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"cinema-database/app/internal/volumeusage"
)

// VolumeUsage returns how full the volume with the database's files is.
func (s *Store) VolumeUsage(ctx context.Context) (volumeusage.Usage, error) {
	var stats struct {
		Used  float64 `bson:"fsUsedSize"`
		Total float64 `bson:"fsTotalSize"`
	}
	if err := s.db.RunCommand(ctx, bson.D{{Key: "dbStats", Value: 1}}).Decode(&stats); err != nil {
		return volumeusage.Usage{}, failure(err)
	}
	return volumeusage.Usage{Used: stats.Used, Total: stats.Total}, nil
}
