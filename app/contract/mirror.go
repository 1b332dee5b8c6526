package contract

// MirrorRequest names a file and where its copy goes.
type MirrorRequest struct {
	// Source is the file's https URL, on one of the allowed hosts.
	Source string `json:"source"`
	// SHA256 is the file's digest, 64 hex digits. Where it is empty, the publisher's is read from Source + ".sha256".
	SHA256 string `json:"sha256"`
	// Bucket and Key say where the copy goes. Key is under PackagesPrefix.
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// MirrorAnswer says what is at the key.
type MirrorAnswer struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	// SHA256 is the object's digest, 64 lower-case hex digits.
	SHA256 string `json:"sha256"`
	// Size is the object's, in bytes.
	Size int64 `json:"size"`
	// Copied is false where the object was there already.
	Copied bool `json:"copied"`
}
