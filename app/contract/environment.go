package contract

// Environment variables of the binaries on the hosts. User data writes them, the binaries read them.
const (
	// EnvRegion is the AWS region of the buckets.
	EnvRegion = "AWS_REGION"
	// EnvCredentialsURI is the credentials object: s3://bucket/key.
	EnvCredentialsURI = "CREDENTIALS_URI"
	// EnvCredentialsKMSKey is the ARN of the KMS key that encrypts the credentials object.
	EnvCredentialsKMSKey = "CREDENTIALS_KMS_KEY"
	// EnvImagesBucket is the name of the images bucket.
	EnvImagesBucket = "AWS_UPLOAD_BUCKET_NAME"
	// EnvPort is the API's TCP port, APIPort where unset.
	EnvPort = "PORT"
	// EnvAllowedOrigin is the one other origin that browsers may call the API from.
	EnvAllowedOrigin = "ALLOWED_ORIGIN"
	// EnvBehindProxy is "true" where every request comes through one load balancer.
	EnvBehindProxy = "BEHIND_PROXY"
	// EnvStack is the stack's name, the dimension of the metric.
	EnvStack = "STACK"
	// EnvMongoDBVolume is the mount point of the data volume.
	EnvMongoDBVolume = "MONGODB_VOLUME"
	// EnvMongoDBHost is the name that the API reaches the database by.
	EnvMongoDBHost = "MONGODB_HOST"
)
