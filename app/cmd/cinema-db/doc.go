// Command cinema-db prepares the host of one member of the database. Package dbhost describes its guarantees.
//
//	cinema-db prepare   before each start of mongod: folders, secrets, certificates, key file, mongod.conf
//	cinema-db init      after each start: initiates the replica set, or waits to be added; users, credentials object
//	cinema-db agent     runs for ever: members of the replica set, and this member's report
//	cinema-db stepdown  before mongod stops: hands over to another member if this one is primary
//	cinema-db renew     daily: renews the server certificate if it expires soon, without a restart
//	cinema-db rotate    switches the API to another database user and password; -sessions also changes the JWT key
//	cinema-db retire    drops the user that rotate replaced; run it when every API instance uses the new one
//	cinema-db recover   after the data of most members is lost: lets this member go on alone
//	cinema-db config    prints the mongod.conf that prepare writes
//
// Every command is idempotent, may be killed at any time, and may run on all hosts at once. All except config need root.
// Only one command at a time runs on the volume; the others wait, but agent and stepdown change nothing on it and do not.
// Only init waits for mongod. The others return an error if it is not ready, because its start waits for them.
//
// # Settings
//
// Flags, or else environment variables:
//
//	-volume       MONGODB_VOLUME       mount point of the data volume (default /data)
//	-volume-id    MONGODB_VOLUME_ID    id of the data volume, by which the copy of another volume is recognized
//	-zone         MONGODB_ZONE         availability zone of the host, by which the list of members names it
//	-name         MONGODB_HOST         private DNS name of this member (default mongo-a.cinema.internal)
//	-owner        MONGODB_USER         account that mongod runs as (default mongod)
//	-config       MONGODB_CONFIG       mongod.conf that prepare writes (default /etc/mongod.conf)
//	-credentials  CREDENTIALS_URI      credentials object that the primary's host writes: s3://bucket/key
//	-kms-key      CREDENTIALS_KMS_KEY  KMS key that encrypts the objects with secrets (default: the bucket's)
//	-timeout                           how long to wait for another cinema-db, for S3 and, with init, for mongod (default 9m;
//	                                   stepdown 30s)
//
// The region comes from AWS_REGION or the instance metadata. In the bucket of the credentials object, the role needs
// s3:ListBucket, s3:GetObject on the list of members, s3:GetObject and s3:PutObject on the secrets object, and
// s3:PutObject on the credentials object and the report; with a KMS key also kms:GenerateDataKey and kms:Decrypt through
// S3.
//
// # Units
//
// The data volume must be mounted before prepare, which refuses a folder that is not a mount point. The private name must
// resolve to this host before mongod starts, because mongod binds to it.
//
//	# mongod.service
//	[Unit]
//	RequiresMountsFor=/data
//	[Service]
//	User=mongod
//	ExecStartPre=+/opt/cinema/bin/cinema-db prepare
//	ExecStart=/opt/mongodb/bin/mongod --config /etc/mongod.conf
//	ExecStop=-+/opt/cinema/bin/cinema-db stepdown
//
//	# cinema-db-init.service: Type=oneshot, After= and BindsTo=mongod.service, Restart=on-failure
//	ExecStart=/opt/cinema/bin/cinema-db init
//
//	# cinema-db-agent.service: Restart=always
//	ExecStart=/opt/cinema/bin/cinema-db agent
//
//	# cinema-db-renew.service, started daily by a timer
//	ExecStart=/opt/cinema/bin/cinema-db renew
package main
