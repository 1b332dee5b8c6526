// Command cinema-db prepares the database host. See package dbhost for what it guarantees.
//
//	cinema-db prepare   before each start of mongod: folders, secrets, certificates, key file, mongod.conf
//	cinema-db init      after each start: waits for mongod, replica set, users, credentials object
//	cinema-db renew     daily: renews the server certificate in time, without a restart
//	cinema-db rotate    gives the API another database user and password; -sessions also another JWT key
//	cinema-db retire    drops the user that rotate replaced, once every API instance has moved over
//	cinema-db config    prints the mongod.conf that prepare writes
//
// Every command may be run any number of times and killed at any time. All but config run as root. One works on the
// volume at a time, and the others wait. Only init waits for mongod; renew, rotate and retire fail at once where it is
// not ready, as its start waits for them.
//
// # Settings
//
// Flags, or environment variables where a flag is not given:
//
//	-volume       MONGODB_VOLUME       mount point of the data volume (default /data)
//	-name         MONGODB_HOST         the host's private DNS name (default mongo.cinema.internal)
//	-owner        MONGODB_USER         account that mongod runs as (default mongod)
//	-config       MONGODB_CONFIG       mongod.conf that prepare writes (default /etc/mongod.conf)
//	-credentials  CREDENTIALS_URI      where init and rotate write the credentials object: s3://bucket/key
//	-kms-key      CREDENTIALS_KMS_KEY  key that S3 encrypts the object with; the bucket's default if empty
//	-timeout                           how long to wait for another cinema-db, for S3 and, with init, for mongod (default 9m)
//
// The region comes from AWS_REGION or the instance's metadata. The role needs s3:PutObject on the credentials object and,
// with a key, kms:GenerateDataKey through S3; nothing is read from the bucket, and no other AWS service is called.
//
// # Units
//
// The data volume must be mounted before prepare: it refuses a folder that is no mount point. The private name must
// resolve to this host before mongod starts, as mongod binds to it.
//
//	# mongod.service
//	[Unit]
//	RequiresMountsFor=/data
//	[Service]
//	User=mongod
//	ExecStartPre=+/opt/cinema/bin/cinema-db prepare
//	ExecStart=/opt/mongodb/bin/mongod --config /etc/mongod.conf
//
//	# cinema-db-init.service: Type=oneshot, After= and BindsTo=mongod.service, Restart=on-failure
//	ExecStart=/opt/cinema/bin/cinema-db init
//
//	# cinema-db-renew.service, started daily by a timer
//	ExecStart=/opt/cinema/bin/cinema-db renew
package main
