package contract

// Keys and prefixes in the artifacts bucket.
const (
	// ReleasesPrefix is the prefix of every binary's key.
	ReleasesPrefix = "releases/"
	// PackagesPrefix is the prefix of every MongoDB package's key.
	PackagesPrefix = "packages/"
	// CredentialsKey is the key of the credentials object, with the API's database user and token key. A database host
	// writes it, the API reads it.
	CredentialsKey = "credentials/api.json"
)

// Prefixes in the images bucket.
const (
	// OriginalsPrefix is the prefix of every image as uploaded: orig/<id>.<extension>.
	OriginalsPrefix = "orig/"
	// ThumbnailsPrefix is the prefix of everything that the thumbnailer writes: thumb/<id>.jpg, thumb/<id>-view.jpg and
	// thumb/<id>.error.
	ThumbnailsPrefix = "thumb/"
)

// ExecutableKey returns the key of a binary in the form Executable: releases/<sha256>/<name>. In a policy, digest may
// be "*".
func ExecutableKey(name, digest string) string { return ReleasesPrefix + digest + "/" + name }

// LambdaZipKey returns the key of a binary in the form LambdaZip: releases/<sha256>/<name>.zip.
func LambdaZipKey(name, digest string) string { return ExecutableKey(name, digest) + ".zip" }

// ThumbnailKey returns the key of the thumbnail of the image with that id.
func ThumbnailKey(id string) string { return ThumbnailsPrefix + id + ".jpg" }

// ViewKey returns the key of the middle-sized rendition of the image with that id, for the viewer.
func ViewKey(id string) string { return ThumbnailsPrefix + id + "-view.jpg" }

// ThumbnailErrorKey returns the key of the object that says why the image with that id has no thumbnail and never will:
// JSON, {"error": "..."}.
func ThumbnailErrorKey(id string) string { return ThumbnailsPrefix + id + ".error" }
