package dbhost

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// role is one of a user's roles, in the form of usersInfo.
type role struct {
	Role string `bson:"role"`
	DB   string `bson:"db"`
}

// monitorRole lets the API read the state of the replica set, and the entries and the size of the oplog, for the metrics.
const monitorRole = "cinema-monitor"

// applicationRoles lets the API read, write and index only its own database.
var applicationRoles = []role{{"readWrite", Database}, {monitorRole, "admin"}}

// ensureMonitor creates monitorRole.
func (s *session) ensureMonitor(ctx context.Context, admin Conn) error {
	var found struct {
		Roles []role `bson:"roles"`
	}
	err := run(ctx, admin, bson.D{{Key: "rolesInfo", Value: bson.D{{Key: "role", Value: monitorRole}, {Key: "db", Value: "admin"}}}}, &found)
	if err != nil || len(found.Roles) > 0 {
		return err
	}
	_, err = admin.Run(ctx, bson.D{
		{Key: "createRole", Value: monitorRole},
		{Key: "privileges", Value: bson.A{
			bson.D{{Key: "resource", Value: bson.D{{Key: "cluster", Value: true}}}, {Key: "actions", Value: bson.A{"replSetGetStatus"}}},
			bson.D{{Key: "resource", Value: bson.D{{Key: "db", Value: "local"}, {Key: "collection", Value: "oplog.rs"}}}, {Key: "actions", Value: bson.A{"find", "collStats"}}},
		}},
		{Key: "roles", Value: bson.A{}},
		durable,
	})
	const roleExists = 51002
	if err != nil && !hasCode(err, roleExists) {
		return fmt.Errorf("dbhost: createRole %q: %w", monitorRole, err)
	}
	s.Log.InfoContext(ctx, "createRole", "role", monitorRole)
	return nil
}

// ensureUser creates the application's user, or restores its password and roles.
func (s *session) ensureUser(ctx context.Context, admin Conn, a application) error {
	var found struct {
		Users []struct {
			Roles []role `bson:"roles"`
		} `bson:"users"`
	}
	if err := run(ctx, admin, bson.D{{Key: "usersInfo", Value: bson.D{{Key: "user", Value: a.User}, {Key: "db", Value: "admin"}}}}, &found); err != nil {
		return fmt.Errorf("dbhost: look up %q: %w", a.User, err)
	}
	verb := "createUser"
	if len(found.Users) > 0 {
		user, err := s.Dial(ctx, s.primary, s.ca, &Login{a.User, a.Password})
		switch {
		case err == nil:
			_ = user.Close(ctx)
			if sameRoles(found.Users[0].Roles, applicationRoles) {
				return nil
			}
		case !errors.Is(err, ErrPassword):
			return err
		}
		verb = "updateUser"
	}
	_, err := admin.Run(ctx, bson.D{
		{Key: verb, Value: a.User}, {Key: "pwd", Value: a.Password},
		{Key: "roles", Value: applicationRoles},
		{Key: "mechanisms", Value: bson.A{"SCRAM-SHA-256"}},
		durable,
	})
	if hasCode(err, codeUserExists) {
		return fmt.Errorf("dbhost: %s %q: another host has just created it: %w", verb, a.User, err)
	} else if err != nil {
		return fmt.Errorf("dbhost: %s %q: %w", verb, a.User, err)
	}
	s.Log.InfoContext(ctx, verb, "user", a.User)
	return nil
}

// sameRoles compares two sets of roles: mongod does not keep their order.
func sameRoles(a, b []role) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(r role) bool { return !slices.Contains(b, r) })
}
