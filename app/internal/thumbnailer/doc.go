// Package thumbnailer handles S3 event notifications: for each new object under contract.OriginalsPrefix, it writes the
// thumbnail to contract.ThumbnailKey.
//
// # Ignored events, and errors
//
// Other keys, events other than ObjectCreated, and images that were deleted before they could be read are logged and
// ignored. Every other failure is returned as an error, so that Lambda's asynchronous retries and failure destination
// work.
//
// That includes bytes that are not an image, although a retry cannot help: returning an error is the only way for an
// asynchronous function to reach its failure destination, where an operator sees it. The cost is limited to two more
// attempts (MaximumRetryAttempts, 0 to 2), each of which stops at the image's header. The log line says
// "permanent": true.
//
// Every attempt writes the same object, so repeated and reordered events are harmless.
//
// # Permissions
//
// s3:GetObject on the originals; s3:PutObject and s3:DeleteObject on the thumbnails; s3:ListBucket, without which S3
// answers 403 rather than 404 for a deleted image.
package thumbnailer
