// Package dbhost prepares the host of one member of the replica set: certificates, key file and mongod.conf before mongod
// starts; replica set, users and the credentials object after; the members of the set while it runs. The set has one
// member or three. All hosts run the same program, and any of them may be killed at any time.
//
// # What the hosts agree on
//
// Hosts reach each other's mongod and the artifacts bucket, nothing else. The secrets object in the bucket holds what all
// members share: CA, key file, administrator, the API's user. It is created once, by a conditional write, so of hosts that
// start at the same time one makes it and the others take it. Each volume keeps a copy (state/state.json: one file,
// written atomically, readable by root only), with which mongod also starts while S3 is away. No secret is made again:
//
//   - A volume that has the secrets puts its copy back if the object is missing.
//   - A volume of another cluster than the object's is refused, and so is a database without its state file.
//   - A blank volume makes the secrets only if nothing has ever published credentials.
//
// The stack's list of members (contract.Members) is in the bucket too.
//
// # The life of a member
//
// The first host that finds no claim in the object claims to initiate the replica set. From the time before the API gets
// credentials no member initiates one again: a blank volume gives up its vote, copies the data of the others, and gets
// its vote back from the primary. The primary's agent adds and removes members, by one step at a time (nextStep).
//
// A volume whose state names another volume was made from a snapshot. Its mongod first runs with a key file of its own, so
// that no member with newer data reaches it; init makes it the only member of its set, and mongod starts again.
//
// # Layout of the data volume
//
//	state/          0700 root    the secrets; only this program reads them
//	db/             0700 mongod  the database (dbPath)
//	run/            0755 root    written from the state at each start:
//	  ca.pem        0444         the CA's certificate
//	  server.pem    0400 mongod  the server's certificate and key
//	  keyfile       0400 mongod  by which members trust each other
//
// mongod.conf is also written at each start, by default to /etc/mongod.conf.
//
// # The localhost exception
//
// While mongod with authorization has no users, it lets a client on loopback initiate the replica set and create the
// first user, and nothing else. That user is the administrator, which does all further steps. If there are users and
// mongod refuses the administrator's password, the program stops. It never disables authorization.
package dbhost
