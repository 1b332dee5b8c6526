// Package mirror copies a published file, the MongoDB server package, into a bucket, and vouches for its digest.
//
// The object appears at its key only after every byte matched: the copy is a multipart upload that is completed
// when the digest is right and aborted otherwise. Memory is one part ([PartSize]) whatever the file's size. A
// source that breaks off is resumed where it stopped, a bounded number of times.
//
// The digest is kept in the object's metadata (x-amz-meta-sha256), so that a second call with the same digest
// finds the copy and transfers nothing.
//
// # Permissions
//
// s3:GetObject, s3:PutObject and s3:AbortMultipartUpload on packages/*; s3:ListBucket, without which S3 answers 403
// rather than 404 where there is no copy yet. Encryption is the bucket's default. A function that is killed outright
// cannot abort: the bucket's lifecycle rule for incomplete uploads removes what it leaves.
package mirror
