package userdata

import (
	"strconv"

	"cinema-database/app/contract"
	"cinema-database/internal/format"
)

// mongodUID is the user id of mongod, a number chosen once. Every host must use it, because the data volume outlives the
// host.
const mongodUID = 27017

// DatabaseParams are the values of a database host's script.
type DatabaseParams struct {
	// Artifacts is the name of the artifacts bucket.
	Artifacts string
	// Region is the AWS region of the bucket, e.g. us-east-1.
	Region string
	// Volume is the data volume's id, e.g. vol-0123456789abcdef0.
	Volume string
	// PackageKey is the MongoDB server package's key in the artifacts bucket: a .tgz file under contract.PackagesPrefix.
	PackageKey string
	// PackageDigest is the package's SHA-256, 64 hex digits.
	PackageDigest string
	// Digest is the SHA-256 of contract.CinemaDB, 64 hex digits. It is part of the binary's key (contract.ExecutableKey).
	Digest string
	// Zone is the availability zone of the host, which names the member of the replica set, e.g. us-east-1b.
	Zone string
	// Host is the member's own name, by which the API and the other members reach it, e.g. mongo-b.cinema.internal.
	Host string
	// Credentials is the URI that `cinema-db` writes the credentials object to, s3://bucket/key.
	Credentials string
	// Key is the ARN of the KMS key that encrypts the credentials object.
	Key string
}

// Longest returns p with a value of the greatest length in every empty field, for values that are unknown in a preview.
// Its script is as large as the script of p can become.
func (p DatabaseParams) Longest() DatabaseParams {
	orLongest(&p.Artifacts, longestBucket)
	orLongest(&p.Region, longestRegion)
	orLongest(&p.Volume, func() string { return "vol-" + filler(hex, 17) })
	orLongest(&p.PackageKey, func() string {
		return contract.PackagesPrefix + filler(letters+digits, packageKeyMax-len(contract.PackagesPrefix+".tgz")) + ".tgz"
	})
	orLongest(&p.PackageDigest, longestDigest)
	orLongest(&p.Digest, longestDigest)
	orLongest(&p.Zone, longestZone)
	orLongest(&p.Host, longestHost)
	orLongest(&p.Credentials, longestCredentials)
	orLongest(&p.Key, func() string {
		return "arn:aws-us-gov:kms:" + longestRegion() + ":" + filler(digits, 12) + ":key/mrk-" + filler(hex, 32)
	})
	return p
}

func (p DatabaseParams) check() error {
	l := problems("Database")
	checkBucket(l, "Artifacts", p.Artifacts)
	checkRegion(l, "Region", p.Region)
	if !volumeID.MatchString(p.Volume) {
		l.Add("Volume", p.Volume, "is not a volume id", "write it like vol-0123456789abcdef0")
	}
	if !packageKey.MatchString(p.PackageKey) || len(p.PackageKey) > packageKeyMax {
		l.Add("PackageKey", p.PackageKey, "is not the key of a package", "write it like "+contract.PackagesPrefix+"mongodb-linux-aarch64-amazon2023-8.0.15.tgz")
	}
	checkDigest(l, "PackageDigest", p.PackageDigest)
	checkDigest(l, "Digest", p.Digest)
	if !format.AvailabilityZone(p.Zone) || len(p.Zone) > zoneMax {
		l.Add("Zone", p.Zone, "is not an availability zone", "use one such as us-east-1b")
	}
	if !format.HostName(p.Host) || len(p.Host) > hostMax {
		l.Add("Host", p.Host, "is not a full host name in lower case", "write it like mongo-b.cinema.internal")
	}
	checkCredentials(l, "Credentials", p.Credentials)
	if !kmsKeyARN.MatchString(p.Key) {
		l.Add("Key", p.Key, "is not the ARN of a KMS key", "write it like arn:aws:kms:us-east-1:123456789012:key/0123abcd-…")
	}
	return l.Err()
}

// Database returns the script of a database host. The script installs the MongoDB server and `cinema-db`, mounts the
// data volume at /data, formats it only if it is blank, and runs mongod.service with the files that `cinema-db`
// prepares. It ends when the database accepts the application's connections, and publishes each phase as the host's
// status (contract.Status). The units start the database after a reboot, and when the volume is attached later; the script
// then checks the host and publishes its status again. A new host that gets an old volume keeps its data and secrets. The
// error lists every problem with p, or says that the script is too large for EC2.
//
// The host reaches nothing but S3, through a gateway endpoint, so the script installs only files from the artifacts
// bucket. It relies on the standard Amazon Linux 2023 AMI (awscli-2, xfsprogs, and the libraries of curl and OpenSSL,
// which mongod links to), and reports the first of its commands that is missing.
// https://www.mongodb.com/docs/v8.0/tutorial/install-mongodb-on-amazon-tarball/
func Database(p DatabaseParams) (Script, error) {
	if err := p.check(); err != nil {
		return Script{}, err
	}
	role := contract.DatabaseRole(p.Zone)
	settings := environment(
		assignment{contract.EnvRegion, p.Region},
		assignment{contract.EnvCredentialsURI, p.Credentials},
		assignment{contract.EnvCredentialsKMSKey, p.Key},
		assignment{contract.EnvMongoDBVolume, "/data"},
		assignment{contract.EnvMongoDBHost, p.Host},
		assignment{contract.EnvMongoDBZone, p.Zone},
		assignment{contract.EnvMongoDBVolumeID, p.Volume},
	)
	var b builder
	b.head("Installs and starts the Cinema database",
		assignment{"bucket", p.Artifacts},
		assignment{"region", p.Region},
		assignment{"volume", p.Volume},
		assignment{"package_key", p.PackageKey},
		assignment{"package_digest", p.PackageDigest},
		assignment{"artifact_key", contract.ExecutableKey(contract.CinemaDB, p.Digest)},
		assignment{"digest", p.Digest},
		assignment{"host", p.Host},
		assignment{"mongod_uid", strconv.Itoa(mongodUID)},
		assignment{"settings", settings},
		assignment{"role", role},
		assignment{"status_key", contract.StatusKey(role)},
		assignment{"starting", contract.PhaseStarting},
		assignment{"fetching", contract.PhaseFetching},
		assignment{"waiting", contract.PhaseVolume},
		assignment{"installing", contract.PhaseInstalling},
		assignment{"initializing", contract.PhaseInitializing},
		assignment{"ready", contract.PhaseReady},
	)
	b.setup()
	b.function("units", putFile("0644", "/etc/sysctl.d/90-mongod.conf", "sysctl.conf")+
		putFile("0644", "/etc/tmpfiles.d/mongod.conf", "tmpfiles.conf")+
		putFile("0644", "/etc/systemd/system/mongod.service", "mongod.service")+
		putFile("0644", "/etc/systemd/system/cinema-db-.service.d/sandbox.conf", "sandbox.conf")+
		putFile("0644", "/etc/systemd/system/cinema-db-init.service", "cinema-db-init.service")+
		putFile("0644", "/etc/systemd/system/cinema-db-agent.service", "cinema-db-agent.service")+
		putFile("0644", "/etc/systemd/system/cinema-db-renew.service", "cinema-db-renew.service")+
		putFile("0644", "/etc/systemd/system/cinema-db-renew.timer", "cinema-db-renew.timer"))
	b.script("database.sh")
	s := Script{Text: b.text.String(), name: "Database"}
	if b.err != nil {
		return Script{}, b.err
	}
	return s, s.Check()
}
