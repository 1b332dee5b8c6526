package store

import (
	"context"
	"errors"

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
	// Generation counts the changes that ended earlier sessions.
	Generation int64 `bson:"Generation" json:"-"`
}

// Session returns the session for a new token of this account.
func (u User) Session() tokens.Session {
	return tokens.Session{Username: u.Username, Account: u.ID, Generation: u.Generation}
}

// account returns the filter for the account of a session. It excludes a newer account with the same name, and the account
// itself after its password has changed.
func account(s tokens.Session) bson.D {
	return bson.D{
		{Key: "_id", Value: s.Account},
		{Key: "Username", Value: s.Username},
		{Key: "Generation", Value: s.Generation},
	}
}

// AddUser stores an account and returns it with its id. The error is a *TakenError if the name or the address is taken.
func (s *Store) AddUser(ctx context.Context, u User) (User, error) {
	if err := s.Prepare(ctx); err != nil {
		return User{}, err
	}
	u.ID = bson.NewObjectID()
	u.FavoriteMovies = []bson.ObjectID{}
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

// ChangeUser changes the account of a session and returns it. A changed name or password ends the account's sessions. The
// error is ErrNotFound if the session has ended, a *TakenError if the name or the address is taken.
func (s *Store) ChangeUser(ctx context.Context, session tokens.Session, c UserChange) (User, error) {
	set := bson.D{
		{Key: "Username", Value: c.Username},
		{Key: "Email", Value: c.Email},
		{Key: "Birthday", Value: c.Birthday},
	}
	if c.PasswordHash != nil {
		set = append(set, bson.E{Key: "PasswordHash", Value: c.PasswordHash})
	}
	if c.PasswordHash != nil || c.Username != session.Username {
		set = append(set, bson.E{Key: "Generation", Value: session.Generation + 1})
	}
	u, err := s.updateUser(ctx, session, bson.D{{Key: "$set", Value: set}})
	// FerretDB reports a duplicate in an update as an internal error, so check for one after any server error.
	var serverErr mongo.ServerError
	if errors.As(err, &serverErr) {
		var taken *TakenError
		if why := s.taken(ctx, User{ID: session.Account, Username: c.Username, Email: c.Email}); errors.As(why, &taken) {
			return User{}, taken
		}
	}
	return u, err
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
	if err := s.Prepare(ctx); err != nil {
		return User{}, err
	}
	var u User
	err := s.db.Collection(Users).FindOneAndUpdate(ctx, account(session), update,
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
