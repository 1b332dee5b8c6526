package contract

// Keys and prefixes in the artifacts bucket.
const (
	// ReleasesPrefix comes before every binary's key.
	ReleasesPrefix = "releases/"
	// PackagesPrefix comes before every MongoDB package's key.
	PackagesPrefix = "packages/"
	// CredentialsKey is the object with the API's database user and token key. The database host writes it, the API reads it.
	CredentialsKey = "credentials/api.json"
)

// Prefixes in the images bucket.
const (
	// OriginalsPrefix comes before the key of every image as uploaded: orig/<id>.<extension>.
	OriginalsPrefix = "orig/"
	// ThumbnailsPrefix comes before the key of every thumbnail: thumb/<id>.jpg.
	ThumbnailsPrefix = "thumb/"
)

// ExecutableKey is the key of a binary stored as Executable: releases/<sha256>/<name>. digest may be "*" in a policy.
func ExecutableKey(name, digest string) string { return ReleasesPrefix + digest + "/" + name }

// LambdaZipKey is the key of a binary stored as LambdaZip: releases/<sha256>/<name>.zip.
func LambdaZipKey(name, digest string) string { return ExecutableKey(name, digest) + ".zip" }

// ThumbnailKey is the key of the thumbnail of the image with that id.
func ThumbnailKey(id string) string { return ThumbnailsPrefix + id + ".jpg" }
