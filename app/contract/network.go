package contract

// TCP ports.
const (
	// APIPort is the port of the API: plain HTTP, behind the load balancer.
	APIPort = 8081
	// MongoDBPort is the port of mongod: TLS only.
	MongoDBPort = 27017
)

// Paths of health checks, which need no token.
const (
	// HealthPath answers 200 while the process runs. It does not check the database.
	HealthPath = "/healthz"
	// ReadyPath answers 200 while the database and the images bucket are available too.
	ReadyPath = "/readyz"
)
