// Package format recognizes the forms of names and identifiers of AWS, DNS and cryptography that several packages
// accept as input. Each form has one definition, with its source. The functions report only whether the form is
// right, not whether the named thing exists.
//
// It imports nothing but the standard library, so that the application can use it too.
package format

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// The greatest lengths, in characters.
const (
	// RegionMax leaves room: the longest region so far is us-isob-east-1 or ap-northeast-1, with 14.
	RegionMax = 24
	// BucketMax is S3's.
	BucketMax = 63
	// ObjectKeyMax is S3's, in bytes of UTF-8.
	ObjectKeyMax = 1024
	// HostNameMax is that of a domain name as text (RFC 1035, section 2.3.4).
	HostNameMax = 253
)

const region = `[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}`

var (
	regionName = regexp.MustCompile(`^` + region + `$`)
	// A zone of a region is followed by a letter; a Local Zone and a Wavelength Zone name their city too.
	zoneName = regexp.MustCompile(`^` + region + `([a-z]|-[a-z]{3}-[0-9]{1,2}[a-z]|(-wl[0-9])?-[a-z]{3}-wlz-[0-9]{1,2}[a-z]?)$`)

	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	objectKey  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)

	// The last label starts with a letter, so an IPv4 address is not a host name.
	hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

	sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Region reports whether s has the form of an AWS region, in any partition: us-east-1, us-gov-west-1, eusc-de-east-1.
func Region(s string) bool { return len(s) <= RegionMax && regionName.MatchString(s) }

// AvailabilityZone reports whether s has the form of the name of an availability zone, a Local Zone or a Wavelength
// Zone, in any partition: us-east-1a, us-west-2-lax-1a, us-east-1-wl1-bos-wlz-1.
func AvailabilityZone(s string) bool { return zoneName.MatchString(s) }

// Prefixes and suffixes that S3 reserves.
var (
	reservedPrefixes = []string{"xn--", "sthree-", "amzn-s3-demo-"}
	reservedSuffixes = []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"}
)

// Bucket reports whether s follows the rules for names of general purpose buckets:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func Bucket(s string) bool {
	_, notIP := netip.ParseAddr(s)
	return bucketName.MatchString(s) && !strings.Contains(s, "..") && notIP != nil &&
		!slices.ContainsFunc(reservedPrefixes, func(p string) bool { return strings.HasPrefix(s, p) }) &&
		!slices.ContainsFunc(reservedSuffixes, func(p string) bool { return strings.HasSuffix(s, p) })
}

// ObjectURI splits s3://bucket/key. The key may hold letters, digits and ._/- only, so that it needs no quoting in a
// URL or a shell, and starts with a letter or digit.
func ObjectURI(s string) (bucket, key string, ok bool) {
	rest, ok := strings.CutPrefix(s, "s3://")
	bucket, key, _ = strings.Cut(rest, "/")
	if !ok || !Bucket(bucket) || len(key) > ObjectKeyMax || !objectKey.MatchString(key) {
		return "", "", false
	}
	return bucket, key, true
}

// HostName reports whether s is a host name of at least two labels (RFC 1123, section 2.1), in lower case and without
// the final dot.
func HostName(s string) bool { return len(s) <= HostNameMax && hostName.MatchString(s) }

// SHA256 reports whether s is a SHA-256 digest in hexadecimal: 64 lower-case digits.
func SHA256(s string) bool { return sha256Hex.MatchString(s) }
