package contract

// Environment variables of the binaries on the instances. User data sets them, the binaries read them.
const (
	// EnvRegion is the AWS region of the buckets.
	EnvRegion = "AWS_REGION"
	// EnvCredentialsURI is the URI of the credentials object: s3://bucket/key.
	EnvCredentialsURI = "CREDENTIALS_URI"
	// EnvCredentialsKMSKey is the ARN of the KMS key that encrypts the credentials object.
	EnvCredentialsKMSKey = "CREDENTIALS_KMS_KEY"
	// EnvImagesBucket is the name of the images bucket.
	EnvImagesBucket = "AWS_UPLOAD_BUCKET_NAME"
	// EnvPort is the API's TCP port; if unset, APIPort.
	EnvPort = "PORT"
	// EnvAllowedOrigins are the other origins that browsers may call the API from, separated by spaces.
	EnvAllowedOrigins = "ALLOWED_ORIGINS"
	// EnvProxies is how many proxies every request comes through: 1 for the load balancer, 2 with the edge before it. Each
	// appends the address that it was called from to X-Forwarded-For. If unset, 0.
	EnvProxies = "PROXIES"
	// EnvStack is the stack's name, the dimension of the metric.
	EnvStack = "STACK"
	// EnvMongoDBVolume is the mount point of the data volume.
	EnvMongoDBVolume = "MONGODB_VOLUME"
	// EnvMongoDBHost is the DNS name of the member of the replica set on this host.
	EnvMongoDBHost = "MONGODB_HOST"
	// EnvMongoDBZone is the availability zone of the host, which names the member.
	EnvMongoDBZone = "MONGODB_ZONE"
	// EnvMongoDBVolumeID is the id of the data volume, by which a copy of another volume is recognized.
	EnvMongoDBVolumeID = "MONGODB_VOLUME_ID"
)

// MaxProxies is the greatest value of EnvProxies.
const MaxProxies = 2
