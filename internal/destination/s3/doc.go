// Package s3 is the destination in a bucket of S3 or of a service that speaks its language, or in a part of one. It knows
// nothing of what is stored.
//
//	s3://BUCKET[/PREFIX][?endpoint=URL][&region=NAME]
//
// Without an endpoint it is Amazon's. Plain http is for this machine alone. The credential is that of AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else of the profile AWS_PROFILE in AWS_SHARED_CREDENTIALS_FILE
// (~/.aws/credentials); the region that of the URL, else AWS_REGION, else AWS_DEFAULT_REGION, else Amazon is asked, and
// another service is told us-east-1.
//
// # Uploads
//
// An object of up to 64 MiB is one PUT, which streams while the content is read. It is signed with the object's SHA-256,
// which the service compares. The last byte is held back until Commit, so that nothing is visible before and a wrong
// digest never is. A PUT that breaks off is begun again: Offset says 0.
//
// A larger object is a multipart upload with parts of 16 MiB, sent with their MD5. A later process finds the upload
// under the object's name and asks which parts have arrived. Since nothing but their MD5 is known of those, Offset says 0
// there too, and Send reads the content from the start and passes over the parts that have the same MD5: read again, and
// not sent again. Parts that this process has seen are not even read again. Commit compares the digest of all that
// passed.
//
// Create, and Commit, are create-if-absent by If-None-Match, which a service must know: Probe finds out.
//
// Rights: s3:ListBucket, s3:ListBucketMultipartUploads, s3:PutObject, s3:GetObject, s3:ListMultipartUploadParts,
// s3:AbortMultipartUpload; to unpack s3:ListBucket and s3:GetObject. An upload that nobody goes on with stays until a rule of
// the bucket removes it.
//
// # Limits
//
// The bucket must exist. An object has at most 10,000 parts, 167 GB. Four parts are on their way at once, 64 MiB, whatever
// the number of workers.
//
// # Why
//
// The SDK (minio-go) would do all of an upload by itself, and knows no way to go on with one in another process; so its
// calls of one request each are used. Its own retries are off, since destination.Retry repeats.
package s3
