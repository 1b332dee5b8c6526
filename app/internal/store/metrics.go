package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"cinema-database/app/contract"
	"cinema-database/app/internal/databasemetrics"
)

// VolumeUsage returns how full the volume with the primary's files is.
func (s *Store) VolumeUsage(ctx context.Context) (databasemetrics.Usage, error) {
	var stats struct {
		Used  float64 `bson:"fsUsedSize"`
		Total float64 `bson:"fsTotalSize"`
	}
	if err := s.db.RunCommand(ctx, bson.D{{Key: "dbStats", Value: 1}}).Decode(&stats); err != nil {
		return databasemetrics.Usage{}, failure(err)
	}
	return databasemetrics.Usage{Used: stats.Used, Total: stats.Total}, nil
}

// The server's error codes (mongo/base/error_codes.yml) of a user without the right, and of a server without a replica set.
const unauthorized = 13

var noReplicaSet = []int32{
	59, // CommandNotFound
	76, // NoReplicationEnabled
	94, // NotYetInitialized
	notImplemented,
}

// setStatus is what matters here of replSetGetStatus.
type setStatus struct {
	Members []struct {
		State  string    `bson:"stateStr"`
		Optime time.Time `bson:"optimeDate"`
	} `bson:"members"`
}

// ReplicaSet returns the state of the replica set, as the primary sees it or, without one, another member. It is the zero
// value where the server is not a member of one. The error is databasemetrics.ErrNotPermitted if the user lacks the role.
func (s *Store) ReplicaSet(ctx context.Context) (databasemetrics.ReplicaSet, error) {
	// Without a primary, its absence is what a member reports.
	preferred := readpref.PrimaryPreferred()
	var status setStatus
	err := s.client.Database("admin").RunCommand(ctx, bson.D{{Key: "replSetGetStatus", Value: 1}},
		options.RunCmd().SetReadPreference(preferred)).Decode(&status)
	var refused mongo.CommandError
	if errors.As(err, &refused) && slices.Contains(noReplicaSet, refused.Code) {
		return databasemetrics.ReplicaSet{}, nil
	}
	if err != nil {
		return databasemetrics.ReplicaSet{}, refusal(err)
	}
	set := status.replicaSet()
	if set.Members < 2 {
		return set, nil
	}
	window, err := s.oplogWindow(ctx, preferred)
	if err == nil {
		set.OplogWindow = &window
	}
	return set, refusal(err)
}

// refusal is failure, but tells a missing role apart.
func refusal(err error) error {
	var refused mongo.CommandError
	if errors.As(err, &refused) && refused.Code == unauthorized {
		return databasemetrics.ErrNotPermitted
	}
	return failure(err)
}

func (s setStatus) replicaSet() databasemetrics.ReplicaSet {
	set := databasemetrics.ReplicaSet{Members: len(s.Members)}
	var primary time.Time
	for _, m := range s.Members {
		if m.State == contract.StatePrimary && (!set.Primary || m.Optime.After(primary)) {
			set.Primary, primary = true, m.Optime
		}
	}
	for _, m := range s.Members {
		switch m.State {
		case contract.StatePrimary:
			set.Healthy++
		case contract.StateSecondary:
			set.Healthy++
			if !set.Primary {
				continue
			}
			// The primary's own optime is newer than what it knows of a secondary's, except for a moment after an election.
			lag := max(0, primary.Sub(m.Optime))
			if set.Lag == nil || lag > *set.Lag {
				set.Lag = &lag
			}
		}
	}
	return set
}

// oplogWindow returns how long the oplog of a member reaches back once it is full, at the rate so far: the oplog of a young
// replica set reaches back to its beginning only, and is not short because of that.
func (s *Store) oplogWindow(ctx context.Context, from *readpref.ReadPref) (time.Duration, error) {
	// The oplog is a collection of each member's own: there is no majority for it.
	oplog := s.client.Database("local").Collection("oplog.rs", options.Collection().SetReadPreference(from).SetReadConcern(readconcern.Local()))
	entry := func(order int) (at bson.Timestamp, err error) {
		var found struct {
			At bson.Timestamp `bson:"ts"`
		}
		err = oplog.FindOne(ctx, bson.D{}, options.FindOne().SetSort(bson.D{{Key: "$natural", Value: order}}).
			SetProjection(bson.D{{Key: "ts", Value: 1}})).Decode(&found)
		return found.At, err
	}
	first, err := entry(1)
	if err != nil {
		return 0, err
	}
	last, err := entry(-1)
	if err != nil {
		return 0, err
	}
	cursor, err := oplog.Aggregate(ctx, bson.A{bson.D{{Key: "$collStats", Value: bson.D{{Key: "storageStats", Value: bson.D{}}}}}})
	if err != nil {
		return 0, err
	}
	var stats []struct {
		Storage struct {
			Size    float64 `bson:"size"`
			MaxSize float64 `bson:"maxSize"`
		} `bson:"storageStats"`
	}
	if err := cursor.All(ctx, &stats); err != nil {
		return 0, err
	}
	window := float64(last.T - min(first.T, last.T))
	if len(stats) == 1 && stats[0].Storage.Size > 0 {
		window *= max(1, stats[0].Storage.MaxSize/stats[0].Storage.Size)
	}
	// A duration holds 292 years. An idle set's oplog would hold more.
	const longest = 365 * 24 * time.Hour
	return time.Duration(min(window, longest.Seconds())) * time.Second, nil
}
