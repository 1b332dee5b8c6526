// Package credentials is the one object that the database host writes and the API reads:
// everything the API needs to reach the database and to sign sessions.
package credentials

// Key is the object's key in the artifacts bucket.
const Key = "credentials/api.json"

// Credentials is the object's JSON form.
type Credentials struct {
	// MongoDBURI is a connection string with the application user's name and password,
	// TLS required, e.g. mongodb://cinema:…@mongo.cinema.internal:27017/cinema?replicaSet=rs0&tls=true.
	MongoDBURI string `json:"mongodbUri"`
	// CACertificate is the PEM certificate that signed the server's; empty where the URI has no TLS.
	CACertificate string `json:"caCertificate,omitempty"`
	// JWTKey signs session tokens (HS256): 32 random bytes, base64 (RFC 4648, padded).
	JWTKey string `json:"jwtKey"`
}
