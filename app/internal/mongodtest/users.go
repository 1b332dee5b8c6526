package mongodtest

import (
	"slices"

	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Role is one of a user's roles.
type Role struct {
	Role string `bson:"role"`
	DB   string `bson:"db"`
}

// User is a user as it was written, with its password.
type User struct {
	Password string
	Roles    []Role
}

type user struct {
	User
	credentials scram.StoredCredentials
}

func newUser(name, password string, roles []Role) (*user, error) {
	client, err := scram.SHA256.NewClient(name, password, "")
	if err != nil {
		return nil, err
	}
	stored, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt of " + name, Iters: 4096})
	if err != nil {
		return nil, err
	}
	return &user{User{password, roles}, stored}, nil
}

// role is a role that createRole made. Only its actions on the cluster count here.
type role struct {
	privileges bson.A
	roles      []Role
	actions    []string
}

// builtInRoles are the actions on the cluster of the built-in roles that matter here; root may do everything.
var builtInRoles = map[string][]string{
	"root":           nil,
	"read":           nil,
	"readWrite":      nil,
	"dbAdmin":        nil,
	"backup":         nil,
	"clusterMonitor": {"replSetGetStatus", "replSetGetConfig"},
	"clusterManager": {"replSetGetStatus", "replSetGetConfig", "replSetConfigure", "replSetStateChange"},
	"clusterAdmin":   {"replSetGetStatus", "replSetGetConfig", "replSetConfigure", "replSetStateChange"},
}

// allowed reports whether a user may perform an action on the cluster, or manage users if the action is empty.
func (d *data) allowed(name, action string) bool {
	u := d.users[name]
	return u != nil && d.grants(u.Roles, action, 0)
}

func (d *data) grants(roles []Role, action string, depth int) bool {
	for _, r := range roles {
		if r == (Role{"root", "admin"}) {
			return true
		}
		if action == "" || r.DB != "admin" {
			continue
		}
		if slices.Contains(builtInRoles[r.Role], action) {
			return true
		}
		if own := d.roles[r.Role]; own != nil && depth < 10 && (slices.Contains(own.actions, action) || d.grants(own.roles, action, depth+1)) {
			return true
		}
	}
	return false
}

// writeUser is createUser, updateUser and dropUser.
func (m *Mongod) writeUser(command bson.D) (bson.D, *failure) {
	verb := command[0].Key
	name := text(command, verb)
	var fields struct {
		Roles *[]Role `bson:"roles"`
	}
	raw, err := bson.Marshal(command)
	if err != nil || bson.Unmarshal(raw, &fields) != nil || name == "" {
		return nil, failBadValue
	}
	if !m.primary {
		return nil, failNotPrimary
	}
	known, password := m.data.users[name], text(command, "pwd")
	var changed *user
	switch {
	case verb == "createUser" && known != nil:
		return nil, failUserExists
	case verb != "createUser" && known == nil:
		return nil, failUserNotFound
	case verb == "createUser" && (password == "" || fields.Roles == nil):
		return nil, failBadValue
	case verb == "dropUser":
	default:
		roles := fields.Roles
		if known != nil {
			if roles == nil {
				roles = &known.Roles
			}
			if password == "" {
				password = known.Password
			}
		}
		if !m.rolesExist(*roles) {
			return nil, failRoleNotFound
		}
		if changed, err = newUser(name, password, *roles); err != nil {
			return nil, failBadValue
		}
	}
	return m.writeWithConcern(operation{kind: opUser, name: name, user: changed}, command)
}

func (m *Mongod) rolesExist(roles []Role) bool {
	for _, r := range roles {
		if _, builtIn := builtInRoles[r.Role]; !builtIn && (r.DB != "admin" || m.data.roles[r.Role] == nil) {
			return false
		}
	}
	return true
}

// writeRole is createRole, updateRole and dropRole.
func (m *Mongod) writeRole(command bson.D) (bson.D, *failure) {
	verb := command[0].Key
	name := text(command, verb)
	var fields struct {
		Privileges *[]struct {
			Resource struct {
				Cluster bool `bson:"cluster"`
			} `bson:"resource"`
			Actions []string `bson:"actions"`
		} `bson:"privileges"`
		Roles *[]Role `bson:"roles"`
	}
	raw, err := bson.Marshal(command)
	if err != nil || bson.Unmarshal(raw, &fields) != nil || name == "" {
		return nil, failBadValue
	}
	if !m.primary {
		return nil, failNotPrimary
	}
	known := m.data.roles[name]
	var changed *role
	switch {
	case verb == "createRole" && known != nil:
		return nil, failRoleExists
	case verb != "createRole" && known == nil:
		return nil, failRoleNotFound
	case verb == "createRole" && (fields.Privileges == nil || fields.Roles == nil):
		return nil, failBadValue
	case verb == "dropRole":
	default:
		changed = &role{privileges: bson.A{}, roles: []Role{}}
		if known != nil {
			*changed = *known
		}
		if fields.Roles != nil {
			if !m.rolesExist(*fields.Roles) {
				return nil, failRoleNotFound
			}
			changed.roles = *fields.Roles
		}
		if fields.Privileges != nil {
			changed.privileges, _ = field(command, "privileges").(bson.A)
			changed.actions = nil
			for _, p := range *fields.Privileges {
				if p.Resource.Cluster {
					changed.actions = append(changed.actions, p.Actions...)
				}
			}
		}
	}
	return m.writeWithConcern(operation{kind: opRole, name: name, role: changed}, command)
}

// wanted returns the name in usersInfo or rolesInfo, in either of its forms.
func wanted(command bson.D, key string) string {
	if d, ok := command[0].Value.(bson.D); ok {
		return text(d, key)
	}
	return text(command, command[0].Key)
}

func (m *Mongod) usersInfo(command bson.D) bson.D {
	users, name := bson.A{}, wanted(command, "user")
	if u := m.data.users[name]; u != nil {
		users = append(users, bson.D{{Key: "_id", Value: "admin." + name}, {Key: "user", Value: name}, {Key: "db", Value: "admin"}, {Key: "roles", Value: u.Roles}, {Key: "mechanisms", Value: bson.A{"SCRAM-SHA-256"}}})
	}
	return bson.D{{Key: "users", Value: users}}
}

func (m *Mongod) rolesInfo(command bson.D) bson.D {
	roles, name := bson.A{}, wanted(command, "role")
	if r := m.data.roles[name]; r != nil {
		found := bson.D{{Key: "_id", Value: "admin." + name}, {Key: "role", Value: name}, {Key: "db", Value: "admin"}, {Key: "isBuiltin", Value: false}, {Key: "roles", Value: r.roles}}
		if truth(command, "showPrivileges") {
			found = append(found, bson.E{Key: "privileges", Value: r.privileges})
		}
		roles = append(roles, found)
	}
	return bson.D{{Key: "roles", Value: roles}}
}
