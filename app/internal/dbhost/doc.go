// Package dbhost prepares the host that runs mongod: certificates, key file and mongod.conf before it starts;
// replica set, users and the credentials object after.
//
// # Idempotence
//
// Every secret is generated once, and stored on the data volume (state/state.json: one file, written atomically,
// readable by root only) before anything uses it. Every step checks the current state and does only the missing part.
// So the next run completes a run that was killed at any point, with the same secrets. A database without its state file
// is refused: new secrets would lock everyone out.
//
// # Layout of the data volume
//
//	state/          0700 root    the secrets; only this program reads them
//	db/             0700 mongod  the database (dbPath)
//	run/            0755 root    written from the state at each start:
//	  ca.pem        0444         the CA's certificate
//	  server.pem    0400 mongod  the server's certificate and key
//	  keyfile       0400 mongod  required by mongod for a replica set with authorization
//
// mongod.conf is also written at each start, by default to /etc/mongod.conf.
//
// # The localhost exception
//
// While mongod with authorization has no users, it lets a client on loopback initiate the replica set and create the
// first user, and nothing else. That user is the administrator, which does all further steps. If there are users and
// mongod refuses the administrator's password, the program stops. It never disables authorization.
package dbhost
