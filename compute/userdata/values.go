package userdata

import (
	"math/rand/v2"
	"regexp"

	"cinema-database/app/contract"
	"cinema-database/internal/format"
	"cinema-database/internal/problem"
)

// The greatest lengths, in characters.
const (
	// packageKeyMax is far below S3's limit, and longer than the key of any package.
	packageKeyMax = 200
	// zoneMax is that of a Wavelength Zone.
	zoneMax = format.RegionMax + len("-wl1-bos-wlz-10a")
	// hostMax is that of a certificate's common name (RFC 5280, appendix A.1, ub-common-name).
	hostMax = 64
	// stackMax is Pulumi's.
	stackMax = 100
	// logGroupMax is that of CloudWatch Logs (CreateLogGroup).
	logGroupMax = 512
)

var (
	volumeID     = regexp.MustCompile(`^vol-([0-9a-f]{8}|[0-9a-f]{17})$`)
	packageKey   = regexp.MustCompile(`^` + regexp.QuoteMeta(contract.PackagesPrefix) + `[A-Za-z0-9][A-Za-z0-9._-]*\.tgz$`)
	kmsKeyARN    = regexp.MustCompile(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`)
	stackName    = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	logGroupName = regexp.MustCompile(`^[A-Za-z0-9_./#-]+$`)
)

func checkBucket(l *problem.List, field, value string) {
	if !format.Bucket(value) {
		l.Add(field, value, "is not a bucket name", "use 3 to 63 lower-case letters, digits, dots and hyphens")
	}
}

func checkRegion(l *problem.List, field, value string) {
	if !format.Region(value) {
		l.Add(field, value, "is not a region", "use one such as us-east-1")
	}
}

func checkDigest(l *problem.List, field, value string) {
	if !format.SHA256(value) {
		l.Add(field, value, "is not a SHA-256 digest", "use 64 lower-case hex digits")
	}
}

func checkCredentials(l *problem.List, field, value string) {
	if _, _, ok := format.ObjectURI(value); !ok {
		l.Add(field, value, "is not the URI of an S3 object", "write it like s3://bucket/"+contract.CredentialsKey)
	}
}

// filler returns n characters that compress as badly as any value of that alphabet can, the same every time.
func filler(alphabet string, n int) string {
	source := rand.New(rand.NewPCG(1, uint64(n)))
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[source.IntN(len(alphabet))]
	}
	return string(out)
}

const (
	letters = "abcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
	hex     = "0123456789abcdef"
)

func longestBucket() string { return filler(letters+digits, format.BucketMax) }

func longestDigest() string { return filler(hex, 64) }

func longestRegion() string { return "us-" + filler(letters, format.RegionMax-len("us--1")) + "-1" }

func longestCredentials() string { return "s3://" + longestBucket() + "/" + contract.CredentialsKey }

func longestZone() string { return longestRegion() + "-wl1-bos-wlz-10a" }

func longestHost() string { return filler(letters, hostMax-len(".internal")) + ".internal" }

// orLongest sets an empty value.
func orLongest(value *string, longest func() string) {
	if *value == "" {
		*value = longest()
	}
}
