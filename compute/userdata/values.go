package userdata

import (
	"math/rand/v2"
	"net/url"
	"regexp"
	"strings"

	"cinema-database/internal/problem"
)

// The longest values, in characters.
const (
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
	bucketMax = 63
	// A domain name as text, RFC 1035, section 2.3.4.
	hostMax = 253
	// The longest region's name so far has 14 characters (ap-northeast-1).
	regionMax = 24
	// S3 allows 1,024 bytes; a package's key needs far less.
	keyMax = 200
)

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	regionName = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+){1,3}-[0-9]{1,2}$`)
	sha256Hex  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	volumeID   = regexp.MustCompile(`^vol-([0-9a-f]{8}|[0-9a-f]{17})$`)
	hostName   = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	packageKey = regexp.MustCompile(`^packages/[A-Za-z0-9][A-Za-z0-9._-]*\.tgz$`)
	objectURI  = regexp.MustCompile(`^s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$`)
	kmsKeyARN  = regexp.MustCompile(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$`)
)

func checkBucket(l *problem.List, field, value string) {
	if !bucketName.MatchString(value) {
		l.Add(field, value, "is not a bucket's name", "give 3 to 63 lower-case letters, digits, dots and hyphens")
	}
}

func checkRegion(l *problem.List, field, value string) {
	if !regionName.MatchString(value) || len(value) > regionMax {
		l.Add(field, value, "is not a region", "use one such as us-east-1")
	}
}

func checkDigest(l *problem.List, field, value string) {
	if !sha256Hex.MatchString(value) {
		l.Add(field, value, "is not a SHA-256", "give 64 lower-case hex digits")
	}
}

func checkObject(l *problem.List, field, value string) {
	if !objectURI.MatchString(value) {
		l.Add(field, value, "is not an object's address", "write it like s3://bucket/credentials/api.json")
	}
}

// isOrigin tells an origin as browsers send it: scheme, host, and a port where it is not the scheme's own.
func isOrigin(value string) bool {
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != value {
		return false
	}
	// RFC 6454, section 6.2, with hosts in ASCII.
	return !strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"'`\\<>{}|^", r) })
}

// filler gives n characters that compress as badly as any value of that alphabet can, the same every time.
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

func longestBucket() string { return filler(letters+digits, bucketMax) }

func longestDigest() string { return filler(hex, 64) }

func longestRegion() string { return "us-" + filler(letters, regionMax-len("us--1")) + "-1" }

func longestObject() string { return "s3://" + longestBucket() + "/credentials/api.json" }

// longestHost has labels of at most 63 characters, as RFC 1035 has them.
func longestHost() string {
	name := []byte(filler(letters, hostMax))
	for dot := 63; dot < hostMax-1; dot += 64 {
		name[dot] = '.'
	}
	return string(name)
}

// orLongest keeps a value that is known.
func orLongest(value *string, longest func() string) {
	if *value == "" {
		*value = longest()
	}
}

// Bounds of names: Pulumi's of a stack's, CloudWatch Logs' of a group's (CreateLogGroup).
const (
	stackMax    = 100
	logGroupMax = 512
)

var (
	stackName    = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	logGroupName = regexp.MustCompile(`^[A-Za-z0-9_./#-]+$`)
)
