package contract

// TCP ports.
const (
	// APIPort is the port of the API: plain HTTP, behind the load balancer.
	APIPort = 8081
	// MongoDBPort is the port of mongod: TLS only.
	MongoDBPort = 27017
)

// BasePath is the path of the API: every route but HealthPath is below it. The client calls it on its own origin.
const BasePath = "/api"

// UploadPath is the path of the request with an image. A firewall may not look for text in its body.
const UploadPath = BasePath + "/images"

// Paths of health checks, which need no token.
const (
	// HealthPath answers 200 while the process runs. It does not check the database. It is not below BasePath, so the edge
	// does not publish it.
	HealthPath = "/healthz"
	// ReadyPath answers 200 while the database and the images bucket are available too.
	ReadyPath = BasePath + "/readyz"
)
