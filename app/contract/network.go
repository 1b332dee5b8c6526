package contract

// TCP ports.
const (
	// APIPort is where the API listens, plain HTTP, behind the load balancer.
	APIPort = 8081
	// MongoDBPort is where mongod listens, TLS only.
	MongoDBPort = 27017
)

// Paths that are asked for without a token.
const (
	// HealthPath answers 200 while the process runs. It never asks the database.
	HealthPath = "/healthz"
	// ReadyPath answers 200 while the API can serve: database and images bucket answer too.
	ReadyPath = "/readyz"
)
