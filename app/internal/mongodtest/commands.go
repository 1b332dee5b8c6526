package mongodtest

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// failure is an error with mongod's code (src/mongo/base/error_codes.yml).
type failure struct {
	code          int32
	name, message string
}

func (f *failure) because(message string) *failure { return &failure{f.code, f.name, message} }

var (
	failBadValue       = &failure{2, "BadValue", "bad value"}
	failUserNotFound   = &failure{11, "UserNotFound", "no such user"}
	failUnauthorized   = &failure{13, "Unauthorized", "not authorized, or the command requires authentication"}
	failTypeMismatch   = &failure{14, "TypeMismatch", "wrong type"}
	failAuthentication = &failure{18, "AuthenticationFailed", "Authentication failed."}
	failInitialized    = &failure{23, "AlreadyInitialized", "already initialized"}
	failRoleNotFound   = &failure{31, "RoleNotFound", "no such role"}
	failTimeExpired    = &failure{50, "MaxTimeMSExpired", "operation exceeded time limit"}
	failUnknown        = &failure{59, "CommandNotFound", "no such command"}
	failWriteConcern   = &failure{64, "WriteConcernTimeout", "waiting for replication timed out"}
	failNodeNotFound   = &failure{74, "NodeNotFound", "node not found"}
	failInvalidConfig  = &failure{93, "InvalidReplicaSetConfig", "Our replica set config is invalid or we are not a member of it"}
	failNotInitialized = &failure{94, "NotYetInitialized", "no replset config has been received"}
	failIncompatible   = &failure{103, "NewReplicaSetConfigurationIncompatible", "incompatible configuration"}
	failNotElectable   = &failure{104, "NodeNotElectable", "This node is not electable under the new configuration"}
	failSteppedDown    = &failure{189, "PrimarySteppedDown", "primary stepped down while waiting for replication"}
	failTimeLimit      = &failure{262, "ExceededTimeLimit", "exceeded time limit"}
	failNotCommitted   = &failure{308, "CurrentConfigNotCommittedYet", "New config is rejected: the current config is not committed yet"}
	failNotPrimary     = &failure{10107, "NotWritablePrimary", "not primary"}
	failUnknownField   = &failure{40415, "Location40415", "unknown field"}
	failRoleExists     = &failure{51002, "Location51002", "role already exists"}
	failUserExists     = &failure{51003, "Location51003", "user already exists"}
)

// actions are the actions that commands need; users and roles need an administrator.
var actions = map[string]string{
	"replSetGetStatus": "replSetGetStatus", "replSetGetConfig": "replSetGetConfig", "replSetStepDown": "replSetStateChange",
	"replSetInitiate": "replSetConfigure", "replSetReconfig": "replSetConfigure",
}

// run runs a command. The caller holds the cluster's lock.
func (m *Mongod) run(p *peer, command bson.D) (bson.D, *failure) {
	name := command[0].Key
	switch name {
	case "hello", "isMaster", "ismaster":
		return m.hello(), nil
	case "ping", "endSessions":
		return nil, nil
	case "saslStart", "saslContinue":
		return m.authenticate(p, name, command)
	}
	// All clients of these tests are on the same host, so the localhost exception applies to all of them.
	exempt := len(m.data.users) == 0 && (name == "replSetInitiate" || name == "createUser")
	if !exempt && !m.data.allowed(p.user, actions[name]) {
		return nil, failUnauthorized
	}
	switch name {
	case "replSetInitiate":
		return nil, m.initiate(command)
	case "replSetReconfig":
		return nil, m.reconfigure(command)
	case "replSetGetConfig":
		if !m.loaded || m.disk.config == nil {
			return nil, failNotInitialized
		}
		return bson.D{{Key: "config", Value: m.disk.config.document()}}, nil
	case "replSetGetStatus":
		return m.status()
	case "replSetStepDown":
		return nil, m.stepDownCommand(command)
	case "createUser", "updateUser", "dropUser":
		return m.writeUser(command)
	case "createRole", "updateRole", "dropRole":
		return m.writeRole(command)
	case "usersInfo":
		return m.usersInfo(command), nil
	case "rolesInfo":
		return m.rolesInfo(command), nil
	case "rotateCertificates":
		if err := m.server.loadCertificate(); err != nil {
			return nil, failBadValue.because(err.Error())
		}
		return nil, nil
	default:
		return nil, failUnknown
	}
}

// writeWithConcern writes with the command's write concern; without one, as mongod does, to a majority.
func (m *Mongod) writeWithConcern(o operation, command bson.D) (bson.D, *failure) {
	concern, _ := field(command, "writeConcern").(bson.D)
	if w, ok := number(concern, "w"); ok && w <= 1 {
		m.log(o)
		m.cluster.advance()
		return nil, nil
	}
	ticks := patience
	if limit, ok := number(concern, "wtimeout"); ok && limit > 0 {
		ticks = int(time.Duration(limit) * time.Millisecond / heartbeat)
	}
	// The write itself succeeded, so mongod does not answer with an error of the command.
	if failed := m.write(o, ticks); failed != nil {
		return bson.D{{Key: "writeConcernError", Value: bson.D{{Key: "code", Value: failed.code}, {Key: "codeName", Value: failed.name}, {Key: "errmsg", Value: failed.message}}}}, nil
	}
	return nil, nil
}

// hello answers as mongod does: without a configuration that lists the member, it is not in a set.
func (m *Mongod) hello() bson.D {
	state := m.state()
	out := bson.D{
		{Key: "helloOk", Value: true}, {Key: "maxBsonObjectSize", Value: int32(16 << 20)}, {Key: "maxMessageSizeBytes", Value: int32(48_000_000)},
		{Key: "maxWriteBatchSize", Value: int32(100_000)}, {Key: "minWireVersion", Value: int32(0)}, {Key: "maxWireVersion", Value: int32(25)},
		{Key: "readOnly", Value: false}, {Key: "isWritablePrimary", Value: state == "PRIMARY"}, {Key: "ismaster", Value: state == "PRIMARY"},
		{Key: "secondary", Value: state == "SECONDARY"},
	}
	if state == "STARTUP" || state == "REMOVED" {
		return append(out, bson.E{Key: "isreplicaset", Value: true}, bson.E{Key: "info", Value: "Does not have a valid replica set config"})
	}
	config := m.disk.config
	hosts, passives := bson.A{}, bson.A{}
	for _, member := range config.Members {
		if member.electable() {
			hosts = append(hosts, member.Host)
		} else {
			passives = append(passives, member.Host)
		}
	}
	out = append(out, bson.E{Key: "setName", Value: config.Name}, bson.E{Key: "setVersion", Value: int32(config.Version)},
		bson.E{Key: "hosts", Value: hosts}, bson.E{Key: "me", Value: config.member(m.host).Host})
	if len(passives) > 0 {
		out = append(out, bson.E{Key: "passives", Value: passives})
	}
	if primary := m.knownPrimary(); primary != "" {
		out = append(out, bson.E{Key: "primary", Value: primary})
	}
	if state == "PRIMARY" {
		var id bson.ObjectID
		id[0], id[1], id[2], id[3] = 0x7f, 0xff, 0xff, 0xff // mongod's electionId
		binary.BigEndian.PutUint64(id[4:], uint64(m.term))
		out = append(out, bson.E{Key: "electionId", Value: id})
	}
	return out
}

// knownPrimary returns the primary, with its port, that the member knows.
func (m *Mongod) knownPrimary() string {
	if m.disk.config == nil {
		return ""
	}
	for _, member := range m.disk.config.Members {
		v := m.views[member.name()]
		if member.name() == m.host && m.primary || v.healthy && v.state == "PRIMARY" && v.term == m.term {
			return member.Host
		}
	}
	return ""
}

var stateNumbers = map[string]int32{
	"STARTUP": 0, "PRIMARY": 1, "SECONDARY": 2, "STARTUP2": 5, "UNKNOWN": 6, "(not reachable/healthy)": 8, "ROLLBACK": 9, "REMOVED": 10,
}

func (m *Mongod) status() (bson.D, *failure) {
	if !m.loaded || m.disk.config == nil {
		return nil, failNotInitialized
	}
	if !m.listed() {
		return bson.D{{Key: "state", Value: int32(10)}, {Key: "stateStr", Value: "REMOVED"}}, failInvalidConfig
	}
	config := m.disk.config
	members := bson.A{}
	for _, member := range config.Members {
		v := m.views[member.name()]
		if member.name() == m.host {
			v = view{healthy: true, state: m.state(), last: m.lastEntry()}
		}
		health := 0.0
		if v.healthy {
			health = 1
		} else if v.state == "" {
			v.state = "(not reachable/healthy)"
		}
		at := v.last.at
		if at.IsZero() {
			at = time.Unix(0, 0)
		}
		d := bson.D{
			{Key: "_id", Value: member.ID}, {Key: "name", Value: member.Host}, {Key: "health", Value: health},
			{Key: "state", Value: stateNumbers[v.state]}, {Key: "stateStr", Value: v.state},
			{Key: "optime", Value: bson.D{{Key: "ts", Value: bson.Timestamp{T: uint32(at.Unix()), I: uint32(v.last.timestamp)}}, {Key: "t", Value: v.last.term}}},
			{Key: "optimeDate", Value: at}, {Key: "configVersion", Value: int32(config.Version)}, {Key: "configTerm", Value: int32(config.Term)},
		}
		if member.name() == m.host {
			d = append(d, bson.E{Key: "self", Value: true})
		} else {
			d = append(d, bson.E{Key: "lastHeartbeat", Value: v.at})
		}
		members = append(members, d)
	}
	return bson.D{
		{Key: "set", Value: config.Name}, {Key: "date", Value: m.cluster.now}, {Key: "myState", Value: stateNumbers[m.state()]}, {Key: "term", Value: m.term},
		{Key: "heartbeatIntervalMillis", Value: heartbeat.Milliseconds()}, {Key: "majorityVoteCount", Value: int32(config.majority())},
		{Key: "votingMembersCount", Value: int32(len(config.voters()))}, {Key: "members", Value: members},
	}, nil
}

func (m *Mongod) stepDownCommand(command bson.D) *failure {
	seconds, _ := number(command, "replSetStepDown")
	o := stepDownOptions{force: truth(command, "force")}
	catchUp, ok := number(command, "secondaryCatchUpPeriodSecs")
	if !ok && !o.force {
		catchUp = 10
	}
	seconds = cmp.Or(seconds, 60)
	if seconds < 0 || catchUp < 0 || seconds < catchUp {
		return failBadValue.because("stepdown period must be longer than secondaryCatchUpPeriodSecs")
	}
	if !m.primary {
		return failNotPrimary.because("not primary so can't step down")
	}
	o.catchUp, o.freeze = time.Duration(catchUp)*time.Second, time.Duration(seconds)*time.Second
	return m.stepDown(o)
}

func (m *Mongod) initiate(command bson.D) *failure {
	d, _ := field(command, "replSetInitiate").(bson.D)
	if !m.loaded || m.disk.config != nil {
		return failInitialized
	}
	config, failed := parseConfig(d)
	if failed != nil {
		return failInvalidConfig.because(failed.message)
	}
	me := config.member(m.host)
	switch {
	case config.Version != 1:
		return failInvalidConfig.because("the version of the first configuration is 1")
	case me == nil:
		return failInvalidConfig.because("No host described in new configuration maps to this node")
	case !me.electable():
		return failInvalidConfig.because(failNotElectable.message)
	}
	for _, member := range config.Members {
		other := m.cluster.find(member.name())
		switch {
		case other == m:
		case !m.reaches(other):
			return failNodeNotFound.because("replSetInitiate quorum check failed because not all proposed set members responded affirmatively: " + member.Host)
		case other.disk.config != nil:
			return failIncompatible.because("Our config version of 1 is no larger than the version on " + member.Host)
		}
	}
	binary.BigEndian.PutUint64(config.SetID[:], m.cluster.random.Uint64())
	m.disk.config, m.silent = config, 0
	m.log(operation{})
	return nil
}

func (m *Mongod) reconfigure(command bson.D) *failure {
	d, ok := field(command, "replSetReconfig").(bson.D)
	if !ok {
		return failBadValue.because("no configuration specified")
	}
	ticks := patience
	if limit, ok := number(command, "maxTimeMS"); ok && limit > 0 {
		ticks = min(ticks, int(time.Duration(limit)*time.Millisecond/heartbeat))
	}
	force, term := truth(command, "force"), m.term
	if !m.loaded || m.disk.config == nil {
		return failNotInitialized
	}
	stillPrimary := func() bool { return m.primary && m.term == term }
	if !force {
		if !stillPrimary() {
			return failNotPrimary.because("New config is rejected: replSetReconfig should only be run on a writable PRIMARY. Current state " + m.state())
		}
		if !m.cluster.wait(ticks, func() bool { return !stillPrimary() || m.committed() }) {
			return failNotCommitted
		}
		if !stillPrimary() {
			return failNotPrimary
		}
	}
	config, failed := parseConfig(d)
	if failed != nil {
		return failInvalidConfig.because(failed.message)
	}
	old := m.disk.config
	if config.SetID.IsZero() {
		config.SetID = old.SetID
	}
	config.Term = m.term
	if force {
		config.Term = forced
		config.Version = max(config.Version, old.Version) + 10_000 + m.cluster.random.Int64N(90_000)
	}
	for i := range config.Members {
		added := &config.Members[i]
		before := slices.IndexFunc(old.Members, func(o ConfigMember) bool { return o.ID == added.ID })
		// mongod waits with the vote of a member that is added with one.
		added.newlyAdded = !force && added.Votes > 0 && (before < 0 || old.Members[before].newlyAdded)
	}
	if failed := config.compatible(old, force); failed != nil {
		return failed
	}
	me := config.member(m.host)
	switch {
	case me == nil:
		return failNodeNotFound.because("No host described in new configuration maps to this node")
	case force:
		m.install(config)
		return nil
	case !me.electable():
		return failNotElectable
	}
	if failed := m.quorumCheck(config); failed != nil {
		return failed
	}
	m.install(config)
	if !m.cluster.wait(ticks, func() bool { return !stillPrimary() || m.configCommitted() }) {
		return failTimeExpired.because("Reconfig finished but failed to propagate to a majority")
	}
	if !stillPrimary() {
		return failSteppedDown.because("Reconfig finished but failed to propagate to a majority")
	}
	return nil
}

// quorumCheck checks that a majority of the voting members answers, and none has a newer configuration.
func (m *Mongod) quorumCheck(config *Config) *failure {
	voters := 0
	for _, member := range config.Members {
		other := m.cluster.find(member.name())
		if other != m {
			if !m.reaches(other) {
				continue
			}
			if !config.newer(other.disk.config) {
				return failIncompatible.because("Our config version is no larger than the version on " + member.Host)
			}
		}
		if member.voting() {
			voters++
		}
	}
	if voters < config.majority() {
		return failNodeNotFound.because("Quorum check failed because not enough voting nodes responded")
	}
	return nil
}
