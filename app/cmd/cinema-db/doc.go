// Command cinema-db prepares the database host. Package dbhost describes its guarantees.
//
//	cinema-db prepare   before each start of mongod: folders, secrets, certificates, key file, mongod.conf
//	cinema-db init      after each start: waits for mongod, then replica set, users, credentials object
//	cinema-db renew     daily: renews the server certificate if it expires soon, without a restart
//	cinema-db rotate    switches the API to another database user and password; -sessions also changes the JWT key
//	cinema-db retire    drops the user that rotate replaced; run it when every API instance uses the new one
//	cinema-db config    prints the mongod.conf that prepare writes
//
// Every command is idempotent and may be killed at any time. All except config need root. Only one command at a time
// runs on the volume; the others wait. Only init waits for mongod. renew, rotate and retire return an error if mongod is
// not ready, because its start waits for them.
//
// # Settings
//
// Flags, or else environment variables:
//
//	-volume       MONGODB_VOLUME       mount point of the data volume (default /data)
//	-name         MONGODB_HOST         private DNS name of the host (default mongo.cinema.internal)
//	-owner        MONGODB_USER         account that mongod runs as (default mongod)
//	-config       MONGODB_CONFIG       mongod.conf that prepare writes (default /etc/mongod.conf)
//	-credentials  CREDENTIALS_URI      credentials object that init and rotate write: s3://bucket/key
//	-kms-key      CREDENTIALS_KMS_KEY  KMS key that encrypts the object (default: the bucket's)
//	-timeout                           how long to wait for another cinema-db, for S3 and, with init, for mongod (default 9m)
//
// The region comes from AWS_REGION or the instance metadata. The role needs s3:PutObject on the credentials object and,
// with a KMS key, kms:GenerateDataKey through S3. The command reads nothing from the bucket and calls no other service.
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
//
//	# cinema-db-init.service: Type=oneshot, After= and BindsTo=mongod.service, Restart=on-failure
//	ExecStart=/opt/cinema/bin/cinema-db init
//
//	# cinema-db-renew.service, started daily by a timer
//	ExecStart=/opt/cinema/bin/cinema-db renew
package main
