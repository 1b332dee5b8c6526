package contract

// MirrorRequest is the mirror's input.
type MirrorRequest struct {
	// Source is the file's https URL, on one of the allowed hosts.
	Source string `json:"source"`
	// SHA256 is the file's digest, 64 hex digits. If it is empty, the mirror reads the publisher's from Source + ".sha256".
	SHA256 string `json:"sha256"`
	// Bucket and Key are the copy's location. Key starts with PackagesPrefix.
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
}

// MirrorAnswer is the mirror's output.
type MirrorAnswer struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	// SHA256 is the object's digest, 64 lower-case hex digits.
	SHA256 string `json:"sha256"`
	// Size is the object's size in bytes.
	Size int64 `json:"size"`
	// Copied is false if the object existed already.
	Copied bool `json:"copied"`
}
