package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"cinema-database/app/internal/tokens"
)

// User is an account. Its JSON form has no secrets.
type User struct {
	ID       bson.ObjectID `bson:"_id,omitempty" json:"-"`
	Username string        `bson:"Username" json:"Username"`
	Email    string        `bson:"Email" json:"Email"`
	// Birthday is a date, YYYY-MM-DD; empty if unknown.
	Birthday string `bson:"Birthday" json:"Birthday"`
	// FavoriteMovies are ids of movies, in the order in which they were added.
	FavoriteMovies []bson.ObjectID `bson:"FavoriteMovies" json:"FavoriteMovies"`
	// PasswordHash is bcrypt's.
	PasswordHash []byte `bson:"PasswordHash" json:"-"`
	// Sessions are the ids of the sessions that have not ended. Each contains the time of its log-in.
	Sessions []bson.ObjectID `bson:"Sessions" json:"-"`
	// Generation does not change any more. Releases from before there were Sessions compare it, and can be rolled back to.
	Generation int64 `bson:"Generation" json:"-"`
	// Blocked accounts cannot log in.
	Blocked bool `bson:"Blocked,omitempty" json:"-"`
}

// Username returns the stored form of a name: names that differ only in case are the same name.
func Username(name string) string { return strings.ToLower(name) }

// maxSessions is the maximum number of an account's sessions. A further log-in ends the oldest.
const maxSessions = 20

// account returns the filter for the account of a session. It excludes a newer account with the same name, and the account
// itself after the session has ended.
func account(s tokens.Session) bson.D {
	return bson.D{
		{Key: "_id", Value: s.Account},
		{Key: "Username", Value: s.Username},
		{Key: "Sessions", Value: s.ID},
	}
}

// StartSession begins a session of an account, as the caller has just read it. The error is ErrNotFound if its password, its
// name or its block has changed since then.
func (s *Store) StartSession(ctx context.Context, u User, now time.Time) (User, tokens.Session, error) {
	id := bson.NewObjectIDFromTimestamp(now)
	filter := bson.D{{Key: "_id", Value: u.ID}, {Key: "Username", Value: u.Username}, {Key: "PasswordHash", Value: u.PasswordHash},
		{Key: "Blocked", Value: bson.D{{Key: "$ne", Value: true}}}}
	u, err := s.changeUser(ctx, filter, bson.D{{Key: "$push", Value: bson.D{{Key: "Sessions", Value: id}}}})
	if err != nil {
		return User{}, tokens.Session{}, err
	}
	session := tokens.Session{Username: u.Username, Account: u.ID, ID: id}
	if old := u.surplus(now); len(old) > 0 {
		u, err = s.updateUser(ctx, session, bson.D{{Key: "$pullAll", Value: bson.D{{Key: "Sessions", Value: old}}}})
	}
	return u, session, err
}

// surplus returns the sessions that have expired, and the oldest above maxSessions.
func (u User) surplus(now time.Time) (old []bson.ObjectID) {
	for i, id := range u.Sessions {
		if i < len(u.Sessions)-maxSessions || now.Sub(id.Timestamp()) > tokens.Lifetime {
			old = append(old, id)
		}
	}
	return old
}

// EndSession ends a session. The error is ErrNotFound if it has ended already.
func (s *Store) EndSession(ctx context.Context, session tokens.Session) error {
	_, err := s.updateUser(ctx, session, bson.D{{Key: "$pull", Value: bson.D{{Key: "Sessions", Value: session.ID}}}})
	return err
}

// ResetPassword sets a password's hash and ends all sessions of an account. The error is ErrNotFound if there is none with
// that name.
func (s *Store) ResetPassword(ctx context.Context, username string, hash []byte) error {
	return s.setByName(ctx, username, bson.D{{Key: "PasswordHash", Value: hash}, {Key: "Sessions", Value: bson.A{}}})
}

// BlockUser blocks an account and ends all its sessions, or removes the block. The error is ErrNotFound if there is none with
// that name.
func (s *Store) BlockUser(ctx context.Context, username string, blocked bool) error {
	return s.setByName(ctx, username, bson.D{{Key: "Blocked", Value: blocked}, {Key: "Sessions", Value: bson.A{}}})
}

func (s *Store) setByName(ctx context.Context, username string, set bson.D) error {
	_, err := s.changeUser(ctx, bson.D{{Key: "Username", Value: username}}, bson.D{{Key: "$set", Value: set}})
	return err
}

// AddUser stores an account and returns it with its id. The error is a *TakenError if the name or the address is taken.
func (s *Store) AddUser(ctx context.Context, u User) (User, error) {
	if err := s.Prepare(ctx); err != nil {
		return User{}, err
	}
	u.ID = bson.NewObjectID()
	u.FavoriteMovies, u.Sessions = []bson.ObjectID{}, []bson.ObjectID{}
	_, err := s.db.Collection(Users).InsertOne(ctx, u)
	if mongo.IsDuplicateKeyError(err) {
		if why := s.taken(ctx, u); why != nil {
			return User{}, why
		}
		// The other account was deleted meanwhile, so a retry will succeed.
	}
	return u, failure(err)
}

// taken returns a *TakenError for the unique field that another account has, or nil for none.
func (s *Store) taken(ctx context.Context, u User) error {
	for _, field := range []struct{ name, value string }{{"Username", u.Username}, {"Email", u.Email}} {
		var other User
		err := s.db.Collection(Users).FindOne(ctx, bson.D{
			{Key: field.name, Value: field.value},
			{Key: "_id", Value: bson.D{{Key: "$ne", Value: u.ID}}},
		}).Decode(&other)
		switch {
		case err == nil:
			return &TakenError{field.name}
		case !errors.Is(err, mongo.ErrNoDocuments):
			return failure(err)
		}
	}
	return nil
}

// UserByName returns the account with exactly that name, or ErrNotFound.
func (s *Store) UserByName(ctx context.Context, username string) (User, error) {
	return s.oneUser(ctx, bson.D{{Key: "Username", Value: username}})
}

// UserOf returns the account of a session, or ErrNotFound if the session has ended.
func (s *Store) UserOf(ctx context.Context, session tokens.Session) (User, error) {
	return s.oneUser(ctx, account(session))
}

func (s *Store) oneUser(ctx context.Context, filter bson.D) (User, error) {
	if err := s.Prepare(ctx); err != nil {
		return User{}, err
	}
	var u User
	err := s.db.Collection(Users).FindOne(ctx, filter).Decode(&u)
	return u, failure(err)
}

// UserChange has the new values of an account's fields.
type UserChange struct {
	Username, Email, Birthday string
	// PasswordHash is bcrypt's; nil keeps the password.
	PasswordHash []byte
}

// ChangeUser changes the account of a session. If the password or the name changes, all its sessions end, and the returned
// session replaces this one. The error is ErrNotFound if the session has ended, a *TakenError if the name or the address is
// taken.
func (s *Store) ChangeUser(ctx context.Context, session tokens.Session, c UserChange, now time.Time) (User, tokens.Session, error) {
	set := bson.D{
		{Key: "Username", Value: c.Username},
		{Key: "Email", Value: c.Email},
		{Key: "Birthday", Value: c.Birthday},
	}
	if c.PasswordHash != nil {
		set = append(set, bson.E{Key: "PasswordHash", Value: c.PasswordHash})
	}
	next := session
	if c.PasswordHash != nil || c.Username != session.Username {
		next = tokens.Session{Username: c.Username, Account: session.Account, ID: bson.NewObjectIDFromTimestamp(now)}
		set = append(set, bson.E{Key: "Sessions", Value: bson.A{next.ID}})
	}
	u, err := s.updateUser(ctx, session, bson.D{{Key: "$set", Value: set}})
	// FerretDB reports a duplicate in an update as an internal error, so check for one after any server error.
	var serverErr mongo.ServerError
	if errors.As(err, &serverErr) {
		var taken *TakenError
		if why := s.taken(ctx, User{ID: session.Account, Username: c.Username, Email: c.Email}); errors.As(why, &taken) {
			return User{}, tokens.Session{}, taken
		}
	}
	return u, next, err
}

// AddFavorite adds a movie to the favorites of a session's account, if it is not one already.
func (s *Store) AddFavorite(ctx context.Context, session tokens.Session, movie bson.ObjectID) (User, error) {
	return s.updateUser(ctx, session, bson.D{{Key: "$addToSet", Value: bson.D{{Key: "FavoriteMovies", Value: movie}}}})
}

// RemoveFavorite removes a movie from the favorites of a session's account, if it is one.
func (s *Store) RemoveFavorite(ctx context.Context, session tokens.Session, movie bson.ObjectID) (User, error) {
	return s.updateUser(ctx, session, bson.D{{Key: "$pull", Value: bson.D{{Key: "FavoriteMovies", Value: movie}}}})
}

func (s *Store) updateUser(ctx context.Context, session tokens.Session, update bson.D) (User, error) {
	return s.changeUser(ctx, account(session), update)
}

func (s *Store) changeUser(ctx context.Context, filter, update bson.D) (User, error) {
	if err := s.Prepare(ctx); err != nil {
		return User{}, err
	}
	var u User
	err := s.db.Collection(Users).FindOneAndUpdate(ctx, filter, update,
		options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&u)
	return u, failure(err)
}

// RemoveUser removes the account of a session with its favorites. The error is ErrNotFound if the session has ended.
func (s *Store) RemoveUser(ctx context.Context, session tokens.Session) error {
	if err := s.Prepare(ctx); err != nil {
		return err
	}
	result, err := s.db.Collection(Users).DeleteOne(ctx, account(session))
	if err != nil {
		return failure(err)
	}
	if result.DeletedCount == 0 {
		return ErrNotFound
	}
	return nil
}
