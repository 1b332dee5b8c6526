// Package thumbnailer answers S3 event notifications: for each new orig/<id>.<ext> it writes thumb/<id>.jpg.
//
// # What is ignored, and what is an error
//
// Keys outside orig/, events other than ObjectCreated, and pictures that are gone by the time they are read are
// logged and left alone. Everything else that goes wrong is returned, so that Lambda's asynchronous retries and
// failure destination work.
//
// That includes bytes that are no picture, although trying again cannot help: Lambda offers an asynchronous
// function no other way to its failure destination, where somebody sees it, than failing. The cost is bounded: at
// most two more attempts (MaximumRetryAttempts, 0 to 2), each of which stops at the picture's header. The log line
// says "permanent": true.
//
// Every attempt writes the same object, so repeated and reordered events are harmless.
//
// # Permissions
//
// s3:GetObject on orig/*; s3:PutObject and s3:DeleteObject on thumb/*; s3:ListBucket, without which S3 answers
// 403 rather than 404 for a picture that is gone.
package thumbnailer
