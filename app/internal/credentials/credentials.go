// Package credentials defines the content of the credentials object (contract.CredentialsKey), which a database host
// writes and the API reads.
package credentials

// Credentials is the object's JSON form.
type Credentials struct {
	// MongoDBURI is a connection string with the application user's name and password, e.g.
	// mongodb://cinema-a:…@mongo-a.cinema.internal:27017/cinema?replicaSet=rs0&tls=true.
	MongoDBURI string `json:"mongodbUri"`
	// CACertificate is the PEM certificate of the CA that signed the server's; empty if the URI has no TLS.
	CACertificate string `json:"caCertificate,omitempty"`
	// JWTKey signs session tokens (HS256): 32 random bytes, base64 (RFC 4648, padded).
	JWTKey string `json:"jwtKey"`
}
