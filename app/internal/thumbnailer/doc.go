// Package thumbnailer makes the renditions of uploaded images: for each object under contract.OriginalsPrefix, it writes
// a view to contract.ViewKey and a thumbnail to contract.ThumbnailKey. The Lambda function gets the images from S3 event
// notifications; the server for a laptop calls [Thumbnailer.Make].
//
// # Ignored events, and errors
//
// Other keys, events other than ObjectCreated, and images that were deleted before they could be read are logged and
// ignored.
//
// An image whose pixels are damaged never gets a thumbnail. That is recorded at contract.ThumbnailErrorKey, where the API
// finds it, and is a warning in the log. It is no error: retries cannot help, and neither can an operator.
//
// Every other failure is returned as an error, so that Lambda's asynchronous retries and failure destination work. So
// every message in the failure queue is a fault of the system, e.g. of S3, or an image that took longer than the limit.
//
// Every attempt writes the same objects, so repeated and reordered events are harmless.
//
// # Permissions
//
// s3:GetObject on the originals; s3:PutObject and s3:DeleteObject under contract.ThumbnailsPrefix; s3:ListBucket, without
// which S3 answers 403 rather than 404 for a deleted image.
package thumbnailer
