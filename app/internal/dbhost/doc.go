// Package dbhost prepares the host that runs mongod: certificates, key file and mongod.conf before it starts;
// replica set, users and the credentials object after.
//
// # What keeps it safe to repeat and to kill
//
// Every secret is made once, and is on the data volume (state/state.json: one file, written atomically, for root
// only) before anything uses it. Every step looks at what is there, then does what is missing. So a run that is
// killed anywhere is finished by the next one with the same secrets. A database without its state file is refused:
// new secrets would lock everyone out.
//
// # Layout of the data volume
//
//	state/          0700 root    the secrets; nothing but this program reads them
//	db/             0700 mongod  the database (dbPath)
//	run/            0755 root    made from the state at each start:
//	  ca.pem        0444         the CA's certificate
//	  server.pem    0400 mongod  the server's certificate and key
//	  keyfile       0400 mongod  what mongod demands of a replica set with authorization
//
// mongod.conf is written beside them, at each start, to the path that is asked for (/etc/mongod.conf).
//
// # The localhost exception
//
// A mongod with authorization and no users lets a client on loopback initiate the replica set and create the first
// user, and nothing else. That user is the administrator; all further steps are its own. Where the exception is
// closed and the administrator's password is refused, the program stops: it never tries to get around it.
package dbhost
