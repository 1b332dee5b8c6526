package electiontest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"cinema-database/app/internal/dev"
	"cinema-database/app/internal/electiontest"
	"cinema-database/internal/testutil/must"
)

func start(t *testing.T) *electiontest.Set {
	t.Helper()
	db := must.OK(dev.StartDatabase(dev.DatabaseOptions{Dir: t.TempDir()}))(t)
	t.Cleanup(db.Stop)
	set := must.OK(electiontest.Start(db.Addr))(t)
	t.Cleanup(set.Stop)
	return set
}

// connect returns a collection, with a driver that waits as long as the test.
func connect(t *testing.T, uri string) *mongo.Collection {
	t.Helper()
	client := must.OK(mongo.Connect(options.Client().ApplyURI(uri).SetServerSelectionTimeout(time.Minute).SetTimeout(time.Minute)))(t)
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	return client.Database("cinema").Collection("test")
}

// TestEveryMomentOfAStepDown: the driver goes on with the next primary, and each write is applied once.
func TestEveryMomentOfAStepDown(t *testing.T) {
	ctx := t.Context()
	for _, moment := range []electiontest.Moment{electiontest.Idle, electiontest.Before, electiontest.After, electiontest.Unconfirmed} {
		t.Run(moment.String(), func(t *testing.T) {
			set := start(t)
			c := connect(t, set.URI())
			count := func() error {
				return c.FindOneAndUpdate(ctx, bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}},
					options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)).Err()
			}
			require.NoError(t, count())
			stepped := make(chan error, 1)
			go func() {
				err := set.StepDown(ctx, moment, 0, nil)
				set.Elect(set.Hosts()[1])
				stepped <- err
			}()
			if moment == electiontest.Idle {
				require.NoError(t, <-stepped)
			}
			for moment != electiontest.Idle && len(stepped) == 0 {
				before := number(t, c)
				require.NoError(t, count())
				assert.Equal(t, before+1, number(t, c))
			}
			before := number(t, c)
			require.NoError(t, count())
			assert.Equal(t, before+1, number(t, c))

			figures := set.Figures()
			assert.Equal(t, 2, figures.Elections)
			again := moment == electiontest.After || moment == electiontest.Unconfirmed
			assert.Equal(t, again, figures.Replayed == 1, "%+v", figures)
			assert.Equal(t, moment == electiontest.Before || moment == electiontest.After, figures.Cut > 0, "%+v", figures)
		})
	}
}

// number returns the counter of the document.
func number(t *testing.T, c *mongo.Collection) (n int) {
	t.Helper()
	var d struct{ N int }
	require.NoError(t, c.FindOne(t.Context(), bson.D{{Key: "_id", Value: 1}}).Decode(&d))
	return d.N
}

func TestOnlyThePrimaryWritesAndReads(t *testing.T) {
	ctx := t.Context()
	set := start(t)
	secondary := connect(t, "mongodb://"+set.Hosts()[1]+"/?directConnection=true&retryWrites=false&retryReads=false")
	_, err := secondary.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}})
	var refused mongo.CommandError
	require.ErrorAs(t, err, &refused)
	assert.EqualValues(t, 10107, refused.Code)
	// The driver itself lets a secondary answer what is read through a direct connection to it.
	primary := connect(t, set.URI())
	_, err = primary.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}})
	require.NoError(t, err)
	assert.NoError(t, secondary.FindOne(ctx, bson.D{}).Err())

	require.NoError(t, set.StepDown(ctx, electiontest.Idle, 0, nil))
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	assert.Error(t, primary.FindOne(short, bson.D{}).Err(), "there is no primary")
	anyMember := primary.Clone(options.Collection().SetReadPreference(readpref.SecondaryPreferred()))
	assert.NoError(t, anyMember.FindOne(ctx, bson.D{}).Err())
	set.Elect(set.Hosts()[2])
	assert.NoError(t, primary.FindOne(ctx, bson.D{}).Err())
	require.NoError(t, primary.Database().Client().Ping(ctx, nil))
	assert.Equal(t, 2, set.Figures().Elections)
}

// TestAStepDownThatNoWriteCauses ends with its context.
func TestAStepDownThatNoWriteCauses(t *testing.T) {
	set := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, set.StepDown(ctx, electiontest.Before, 0, nil), context.Canceled)
	_, err := connect(t, set.URI()).InsertOne(t.Context(), bson.D{})
	require.NoError(t, err)
	assert.Zero(t, set.Figures().Cut)
}
