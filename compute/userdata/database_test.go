package userdata

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
)

func databaseParams() DatabaseParams {
	return DatabaseParams{
		Artifacts: "cinema-artifacts-1a2b3c4", Region: "us-east-1", Volume: "vol-0123456789abcdef0", Zone: zone, Host: "mongo-b.cinema.internal",
		PackageKey: contract.PackagesPrefix + "mongodb-linux-aarch64-amazon2023-8.0.15.tgz", PackageDigest: digestB, Digest: digestA,
		Credentials: "s3://cinema-artifacts-1a2b3c4/" + contract.CredentialsKey,
		Key:         "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef",
	}
}

func TestDatabaseGolden(t *testing.T) {
	s, err := Database(databaseParams())
	require.NoError(t, err)
	golden(t, "database.sh", s.Text)
	lint(t, s)
	t.Logf("Database: %d bytes, %d compressed", len(s.Text), s.Size())
	longest, err := Database(DatabaseParams{}.Longest())
	require.NoError(t, err)
	lint(t, longest)
	t.Logf("Database at its longest: %d bytes, %d compressed", len(longest.Text), longest.Size())
	assert.Less(t, s.Size(), longest.Size())
	assert.LessOrEqual(t, longest.Size(), 6<<10, "target of the database's user data, in bytes")
}

func TestDatabaseRefuses(t *testing.T) {
	refuses(t, Database, DatabaseParams{}, []string{
		`userdata: Database.Artifacts: "" is not a bucket name; use`,
		`userdata: Database.Region: "" is not a region; use`,
		`userdata: Database.Volume: "" is not a volume id; write`,
		`userdata: Database.PackageKey: "" is not the key of a package; write`,
		`userdata: Database.PackageDigest: "" is not a SHA-256 digest; use`,
		`userdata: Database.Digest: "" is not a SHA-256 digest; use`,
		`userdata: Database.Zone: "" is not an availability zone; use`,
		`userdata: Database.Host: "" is not a full host name in lower case; write`,
		`userdata: Database.Credentials: "" is not the URI of an S3 object; write`,
		`userdata: Database.Key: "" is not the ARN of a KMS key; write`,
	}, databaseParams, map[string]func(*DatabaseParams){
		"a command in the volume":      func(p *DatabaseParams) { p.Volume = "vol-0123456789abcdef$(reboot)" },
		"a quote in the volume":        func(p *DatabaseParams) { p.Volume = `vol-0123456789abcde"` },
		"a parent folder in the key":   func(p *DatabaseParams) { p.PackageKey = contract.PackagesPrefix + "../credentials/api.tgz" },
		"a region as the zone":         func(p *DatabaseParams) { p.Zone = "us-east-1" },
		"a command in the zone":        func(p *DatabaseParams) { p.Zone = "us-east-1b$(reboot)" },
		"a zone that is too long":      func(p *DatabaseParams) { p.Zone = "us-" + filler(letters, zoneMax) + "-1b" },
		"a host that is too long":      func(p *DatabaseParams) { p.Host = filler(letters, hostMax-8) + ".internal" },
		"a space in the host":          func(p *DatabaseParams) { p.Host = "mongo .cinema" },
		"a pattern in the host":        func(p *DatabaseParams) { p.Host = "mongo.*" },
		"a new line in the KMS key":    func(p *DatabaseParams) { p.Key += "\nreboot" },
		"no object in the credentials": func(p *DatabaseParams) { p.Credentials = "s3://bucket/" },
	})
	assert.Equal(t, databaseParams(), databaseParams().Longest(), "known values are kept")
}
