package format

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestForms(t *testing.T) {
	isObjectURI := func(s string) bool { _, _, ok := ObjectURI(s); return ok }
	label := strings.Repeat("a", 63)
	for name, c := range map[string]struct {
		is           func(string) bool
		right, wrong []string
	}{
		"region": {Region,
			[]string{"us-east-1", "us-gov-west-1", "cn-northwest-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1",
				"eusc-de-east-1", "ap-southeast-7", "mx-central-1"},
			[]string{"", "moon", "us-east", "us-east-1a", "US-EAST-1", "us-east-1\n", "us-" + strings.Repeat("a", RegionMax) + "-1"}},
		"availability zone": {AvailabilityZone,
			[]string{"us-east-1a", "us-gov-west-1c", "eusc-de-east-1b", "us-west-2-lax-1a", "us-east-1-wl1-bos-wlz-1", "eu-west-3-cmn-wlz-1a"},
			[]string{"", "us-east-1", "us-east-1A", "use1-az1", "us-west-2-lax-1", "us-east-1aa"}},
		"bucket": {Bucket,
			[]string{"abc", "cinema-images-1a2b3c4", "a.b.c", "1.2.3.4.5", label},
			[]string{"", "ab", label + "a", "Bad_Name", "-abc", "abc-", "abc.", "a..b", "192.168.5.4", "xn--abc", "images-s3alias", "images--x-s3"}},
		"host name": {HostName,
			[]string{"cinema.example", "mongo.cinema.internal", "1and1.de", label + ".example", "a.xn--p1ai"},
			[]string{"", "localhost", "Cinema.example", "a..b", "a.b.", "-a.b", "a-.b", "a_b.c", "10.0.0.1", label + "a.example", strings.Repeat("a.", 126) + "ab"}},
		"digest": {SHA256,
			[]string{strings.Repeat("0a", 32)},
			[]string{"", strings.Repeat("0A", 32), strings.Repeat("0a", 31), strings.Repeat("0g", 32), strings.Repeat("0a", 32) + "\n"}},
		"object URI": {isObjectURI,
			[]string{"s3://bucket/key", "s3://cinema-artifacts/credentials/api.json"},
			[]string{"", "s3://bucket", "s3://bucket/", "s3:///key", "s3://Bucket/key", "https://bucket/key", "s3://bucket/a b", "s3://bucket//key",
				"s3://bucket/" + strings.Repeat("a", ObjectKeyMax+1)}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range c.right {
				assert.True(t, c.is(s), "%q", s)
			}
			for _, s := range c.wrong {
				assert.False(t, c.is(s), "%q", s)
			}
		})
	}
	bucket, key, _ := ObjectURI("s3://artifacts/credentials/api.json")
	assert.Equal(t, []string{"artifacts", "credentials/api.json"}, []string{bucket, key})
}
