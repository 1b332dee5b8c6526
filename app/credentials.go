package app

import "cinema-database/app/internal/credentials"

// CredentialsKey is the key, in the artifacts bucket, of the object that the database host writes and
// the API reads.
const CredentialsKey = credentials.Key
