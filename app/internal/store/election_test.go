package store_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"cinema-database/app/internal/dev"
	"cinema-database/app/internal/electiontest"
	"cinema-database/app/internal/store"
	"cinema-database/app/internal/tokens"
	"cinema-database/internal/testutil/must"
)

// openSet returns a replica set and a store on it.
func openSet(t *testing.T) (*electiontest.Set, *store.Store) {
	t.Helper()
	db := must.OK(dev.StartDatabase(dev.DatabaseOptions{Dir: t.TempDir()}))(t)
	t.Cleanup(db.Stop)
	set := must.OK(electiontest.Start(db.Addr))(t)
	t.Cleanup(set.Stop)
	s := must.OK(store.Open(set.URI(), ""))(t)
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return set, s
}

// during runs f while the primary steps down at its write number skip, and another is elected. It reports whether f wrote
// so much.
func during(t *testing.T, set *electiontest.Set, moment electiontest.Moment, skip int, f func()) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stepped := make(chan error, 1)
	armed := make(chan struct{})
	elections := set.Figures().Elections
	go func() {
		err := set.StepDown(ctx, moment, skip, armed)
		if err == nil {
			set.Elect(set.Hosts()[elections%3])
		}
		stepped <- err
	}()
	<-armed
	f()
	cancel()
	err := <-stepped
	if err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	return err == nil
}

// operation is a use of the store: run changes it, check finds the change exactly once.
type operation struct {
	run   func() error
	check func()
}

// TestEveryWriteThroughAnElection makes the primary step down at each write of each operation, before and after it is
// executed. The operation succeeds with the next primary, and is applied once.
func TestEveryWriteThroughAnElection(t *testing.T) {
	ctx := t.Context()
	for _, moment := range []electiontest.Moment{electiontest.Before, electiontest.After, electiontest.Unconfirmed} {
		t.Run(moment.String(), func(t *testing.T) {
			t.Parallel()
			set, s := openSet(t)
			require.NoError(t, s.Prepare(ctx))
			n := 0
			name := func() string { n++; return fmt.Sprintf("user-%d", n) }
			user := func() store.User {
				u := name()
				return must.OK(s.AddUser(ctx, store.User{Username: u, Email: u + "@example.com", PasswordHash: []byte("x")}))(t)
			}
			login := func() (store.User, tokens.Session) {
				u, session, err := s.StartSession(ctx, user(), time.Now())
				require.NoError(t, err)
				return u, session
			}
			image := func(owner bson.ObjectID) store.Image {
				return must.OK(s.AddImage(ctx, store.Image{Image: name(), Owner: owner}))(t)
			}
			for what, begin := range map[string]func() operation{
				"AddUser": func() operation {
					u := name()
					var added store.User
					return operation{func() (err error) {
						added, err = s.AddUser(ctx, store.User{Username: u, Email: u + "@example.com"})
						return err
					}, func() { assert.Equal(t, added.ID, must.OK(s.UserByName(ctx, u))(t).ID) }}
				},
				"AddUser, taken": func() operation {
					u := user()
					var err error
					return operation{func() error {
						_, err = s.AddUser(ctx, store.User{Username: u.Username, Email: "other@example.com"})
						return nil
					}, func() {
						var taken *store.TakenError
						require.ErrorAs(t, err, &taken)
						assert.Equal(t, "Username", taken.Field)
					}}
				},
				"StartSession": func() operation {
					u := user()
					for range 20 { // so many that the next one ends the first
						u, _, _ = s.StartSession(ctx, u, time.Now())
					}
					return operation{func() error {
						_, _, err := s.StartSession(ctx, u, time.Now())
						return err
					}, func() {
						after := must.OK(s.UserByName(ctx, u.Username))(t)
						require.Len(t, after.Sessions, 20)
						assert.Equal(t, u.Sessions[1:], after.Sessions[:19])
					}}
				},
				"EndSession": func() operation {
					_, session := login()
					return operation{func() error { return s.EndSession(ctx, session) }, func() {
						_, err := s.UserOf(ctx, session)
						assert.ErrorIs(t, err, store.ErrNotFound)
					}}
				},
				"ChangeUser": func() operation {
					_, session := login()
					to := name()
					return operation{func() (err error) {
						_, session, err = s.ChangeUser(ctx, session, store.UserChange{Username: to, Email: to + "@example.com"}, time.Now())
						return err
					}, func() { assert.Equal(t, to, must.OK(s.UserOf(ctx, session))(t).Username) }}
				},
				"ResetPassword": func() operation {
					u := user()
					return operation{func() error { return s.ResetPassword(ctx, u.Username, []byte("y")) }, func() {
						assert.Equal(t, []byte("y"), must.OK(s.UserByName(ctx, u.Username))(t).PasswordHash)
					}}
				},
				"AddFavorite": func() operation {
					_, session := login()
					movie := bson.NewObjectID()
					return operation{func() error { _, err := s.AddFavorite(ctx, session, movie); return err }, func() {
						assert.Equal(t, []bson.ObjectID{movie}, must.OK(s.UserOf(ctx, session))(t).FavoriteMovies)
					}}
				},
				"RemoveFavorite": func() operation {
					_, session := login()
					movie := bson.NewObjectID()
					must.OK(s.AddFavorite(ctx, session, movie))(t)
					return operation{func() error { _, err := s.RemoveFavorite(ctx, session, movie); return err }, func() {
						assert.Empty(t, must.OK(s.UserOf(ctx, session))(t).FavoriteMovies)
					}}
				},
				"RemoveUser": func() operation {
					u, session := login()
					return operation{func() error { return s.RemoveUser(ctx, session) }, func() {
						_, err := s.UserByName(ctx, u.Username)
						assert.ErrorIs(t, err, store.ErrNotFound)
					}}
				},
				"Attempt": func() operation {
					key := name()
					var count int
					return operation{func() (err error) {
						count, err = s.Attempt(ctx, key, time.Now().Add(time.Hour))
						return err
					}, func() {
						assert.Equal(t, 1, count)
						assert.Equal(t, 2, must.OK(s.Attempt(ctx, key, time.Now().Add(time.Hour)))(t))
					}}
				},
				"AddImage": func() operation {
					owner := bson.NewObjectID()
					return operation{func() error {
						_, err := s.AddImage(ctx, store.Image{Image: name(), Owner: owner})
						return err
					}, func() { assert.Len(t, must.OK(s.ImagesOf(ctx, owner, 10))(t), 1) }}
				},
				"SetCaption": func() operation {
					i := image(bson.NewObjectID())
					return operation{func() error { return s.SetCaption(ctx, i.Image, "Home") }, func() {
						assert.Equal(t, "Home", must.OK(s.ImageByID(ctx, i.Image))(t).Caption)
					}}
				},
				"RemoveImages": func() operation {
					owner := bson.NewObjectID()
					first, second, kept := image(owner), image(owner), image(owner)
					return operation{func() error { return s.RemoveImages(ctx, first.Image, second.Image, "missing") }, func() {
						left := must.OK(s.ImagesOf(ctx, owner, 10))(t)
						require.Len(t, left, 1)
						assert.Equal(t, kept.Image, left[0].Image)
					}}
				},
				"WriteMovies": func() operation {
					titles := []string{name(), name()}
					var written int
					return operation{func() (err error) {
						written, err = s.WriteMovies(ctx, []store.Movie{{Title: titles[0]}, {Title: titles[1]}})
						return err
					}, func() {
						assert.Equal(t, 2, written)
						c := must.OK(s.Collection(store.Movies).CountDocuments(ctx, bson.D{{Key: "Title", Value: bson.D{{Key: "$in", Value: titles}}}}))(t)
						assert.EqualValues(t, 2, c)
					}}
				},
				"RemoveMovie": func() operation {
					title := name()
					must.OK(s.WriteMovies(ctx, []store.Movie{{Title: title}}))(t)
					return operation{func() error { return s.RemoveMovie(ctx, title) }, func() {
						assert.ErrorIs(t, s.RemoveMovie(ctx, title), store.ErrNotFound)
					}}
				},
			} {
				steps := 0
				for ; ; steps++ {
					o := begin()
					if !during(t, set, moment, steps, func() { assert.NoError(t, o.run(), "%s, write %d", what, steps) }) {
						break
					}
					o.check()
				}
				assert.Positive(t, steps, "%s writes", what)
			}
			t.Logf("%+v", set.Figures())
		})
	}
}

// TestPrepareThroughAnElection: the driver does not retry the creation of an index, but the next operation does.
func TestPrepareThroughAnElection(t *testing.T) {
	set, s := openSet(t)
	require.True(t, during(t, set, electiontest.Before, 2, func() {
		assert.ErrorIs(t, s.Prepare(t.Context()), store.ErrUnavailable)
	}))
	require.NoError(t, s.Prepare(t.Context()))
	must.OK(s.AddUser(t.Context(), store.User{Username: "ada", Email: "ada@example.com"}))(t)
	_, err := s.AddUser(t.Context(), store.User{Username: "ada", Email: "bob@example.com"})
	var taken *store.TakenError
	assert.ErrorAs(t, err, &taken)
}

// TestWithoutPrimary: writes fail in bounded time, movies are answered from memory, the state of the set is known, and all
// goes on with the next primary.
func TestWithoutPrimary(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	set, s := openSet(t)
	must.OK(s.WriteMovies(ctx, []store.Movie{{Title: "Ran"}}))(t)
	require.Len(t, movies(t, s), 1)
	// An oplog of a young set: it is nearly empty, and will reach back further.
	local := s.Collection(store.Users).Database().Client().Database("local")
	require.NoError(t, local.CreateCollection(ctx, "oplog.rs", options.CreateCollection().SetCapped(true).SetSizeInBytes(1<<20)))
	for _, at := range []uint32{1_700_000_000, 1_700_000_100, 1_700_003_600} {
		must.OK(local.Collection("oplog.rs").InsertOne(ctx, bson.D{{Key: "ts", Value: bson.Timestamp{T: at}}}))(t)
	}
	state := must.OK(s.ReplicaSet(ctx))(t)
	assert.Equal(t, []any{3, 3, true}, []any{state.Members, state.Healthy, state.Primary})
	require.NotNil(t, state.OplogWindow)
	assert.Greater(t, state.OplogWindow.Hours(), 1.0)
	require.NotNil(t, state.Lag)
	assert.Zero(t, *state.Lag)

	require.NoError(t, set.StepDown(ctx, electiontest.Idle, 0, nil))
	_, err := s.AddUser(ctx, store.User{Username: "ada", Email: "ada@example.com"})
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.ErrorIs(t, s.Ping(ctx), store.ErrUnavailable)
	assert.Len(t, movies(t, s), 1)
	state = must.OK(s.ReplicaSet(ctx))(t)
	assert.Equal(t, []any{3, 3, false}, []any{state.Members, state.Healthy, state.Primary})

	set.Elect(set.Hosts()[2])
	must.OK(s.AddUser(ctx, store.User{Username: "ada", Email: "ada@example.com"}))(t)
	require.NoError(t, s.Ping(ctx))
}

// TestOptionsDoNotComeFromTheURI: what the answers rely on holds with any connection string.
func TestOptionsDoNotComeFromTheURI(t *testing.T) {
	set, _ := openSet(t)
	s := must.OK(store.Open(set.URI()+"&retryWrites=false&retryReads=false&w=1&readConcernLevel=local&readPreference=secondary", ""))(t)
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	require.NoError(t, s.Prepare(t.Context()))
	require.True(t, during(t, set, electiontest.After, 0, func() {
		must.OK(s.AddUser(t.Context(), store.User{Username: "ada", Email: "ada@example.com"}))(t)
	}))
	c := s.Collection(store.Users)
	require.NoError(t, set.StepDown(t.Context(), electiontest.Idle, 0, nil))
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	assert.Error(t, c.FindOne(short, bson.D{}).Err(), "a secondary is not asked")
}

// TestCertificatesOfSeveralHosts: each host of the connection string must have a certificate for its own name.
func TestCertificatesOfSeveralHosts(t *testing.T) {
	key := must.OK(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	signed := must.OK(x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key))(t)
	accepted := make(chan string, 100)
	var hosts []string
	for i, name := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.1"} {
		address := fmt.Sprintf("127.0.0.%d", i+1)
		leaf := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP(name)}}
		certificate := tls.Certificate{Certificate: [][]byte{must.OK(x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), key))(t)}, PrivateKey: key}
		listener := must.OK(net.Listen("tcp", address+":0"))(t)
		t.Cleanup(func() { listener.Close() })
		hosts = append(hosts, listener.Addr().String())
		go func() {
			for {
				c, err := listener.Accept()
				if err != nil {
					return
				}
				server := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}})
				err = server.Handshake()
				var refused *net.OpError
				switch {
				case err == nil:
					accepted <- address
				case errors.As(err, &refused) && strings.Contains(err.Error(), "bad certificate"):
					accepted <- "not " + address
				}
				_ = c.Close()
			}
		}()
	}
	s := must.OK(store.Open("mongodb://"+strings.Join(hosts, ",")+"/cinema?replicaSet=cinema&tls=true",
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}))))(t)
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	seen := map[string]bool{}
	for len(seen) < 3 {
		seen[<-accepted] = true
	}
	assert.Equal(t, map[string]bool{"127.0.0.1": true, "127.0.0.2": true, "not 127.0.0.3": true}, seen)
}
