// Package mirror copies a published file, the MongoDB server package, into a bucket and verifies its digest.
//
// The object appears at its key only after all bytes are verified: the copy is a multipart upload that is completed
// when the digest is right and aborted otherwise. A copy needs memory for one part ([PartSize]), regardless of the file's
// size. If the source breaks off, the download resumes where it stopped, a bounded number of times.
//
// The object's metadata holds the digest (x-amz-meta-sha256), so a second call with the same digest finds the copy and
// transfers nothing.
//
// # Permissions
//
// s3:GetObject, s3:PutObject and s3:AbortMultipartUpload on contract.PackagesPrefix; s3:ListBucket, without which S3
// answers 403 rather than 404 where there is no copy yet. The bucket's default encryption applies. A function that is
// killed cannot abort its upload: the bucket's lifecycle rule for incomplete uploads removes it.
package mirror
