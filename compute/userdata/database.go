package userdata

// DatabaseParams are the values of the database host's script.
type DatabaseParams struct {
	// Artifacts is the name of the artifacts bucket.
	Artifacts string
	// Region is the AWS region of the bucket, e.g. us-east-1.
	Region string
	// Volume is the data volume's id, e.g. vol-0123456789abcdef0.
	Volume string
	// PackageKey is the MongoDB server package's key in the artifacts bucket: packages/<name>.tgz.
	PackageKey string
	// PackageDigest is the package's SHA-256, 64 hex digits.
	PackageDigest string
	// Digest is the SHA-256 of the binary `cinema-db`, 64 hex digits. It lies at releases/<digest>/cinema-db.
	Digest string
	// Host is the name that the API reaches the database by, e.g. mongo.cinema.internal.
	Host string
	// Credentials is where `cinema-db` writes the credentials object, e.g. s3://cinema-artifacts/credentials/api.json.
	Credentials string
	// Key is the ARN of the KMS key that encrypts the credentials object.
	Key string
}

// Longest is p with every empty field filled with a value of the greatest length, to learn what size the script
// can reach while a preview does not know them.
func (p DatabaseParams) Longest() DatabaseParams {
	orLongest(&p.Artifacts, longestBucket)
	orLongest(&p.Region, longestRegion)
	orLongest(&p.Volume, func() string { return "vol-" + filler(hex, 17) })
	orLongest(&p.PackageKey, func() string { return "packages/" + filler(letters+digits, keyMax-len("packages/.tgz")) + ".tgz" })
	orLongest(&p.PackageDigest, longestDigest)
	orLongest(&p.Digest, longestDigest)
	orLongest(&p.Host, longestHost)
	orLongest(&p.Credentials, longestObject)
	orLongest(&p.Key, func() string {
		return "arn:aws-us-gov:kms:us-" + filler(letters, regionMax-len("us--1")) + "-1:" + filler(digits, 12) + ":key/mrk-" + filler(hex, 32)
	})
	return p
}

func (p DatabaseParams) check() error {
	l := problems("Database")
	checkBucket(l, "Artifacts", p.Artifacts)
	checkRegion(l, "Region", p.Region)
	if !volumeID.MatchString(p.Volume) {
		l.Add("Volume", p.Volume, "is not a volume's id", "write it like vol-0123456789abcdef0")
	}
	if !packageKey.MatchString(p.PackageKey) || len(p.PackageKey) > keyMax {
		l.Add("PackageKey", p.PackageKey, "is not a package's key", "write it like packages/mongodb-linux-aarch64-amazon2023-8.0.15.tgz")
	}
	checkDigest(l, "PackageDigest", p.PackageDigest)
	checkDigest(l, "Digest", p.Digest)
	if !hostName.MatchString(p.Host) || len(p.Host) > hostMax {
		l.Add("Host", p.Host, "is not a full host name in lower case", "write it like mongo.cinema.internal")
	}
	checkObject(l, "Credentials", p.Credentials)
	if !kmsKeyARN.MatchString(p.Key) {
		l.Add("Key", p.Key, "is not a KMS key's ARN", "write it like arn:aws:kms:us-east-1:123456789012:key/0123abcd-…")
	}
	return l.Err()
}

// Database is the script of the database host. It installs the MongoDB server and `cinema-db`, mounts the data
// volume at /data, formats it only where it is blank, and runs mongod.service with what `cinema-db` prepares. It
// ends when the database takes the application's connections. A reboot needs no user data; a replaced host that
// gets the old volume keeps its data and secrets. Every problem with p is named at once; a script that EC2 would
// not take is refused.
//
// The host has no way out but S3 through a gateway endpoint, so the script installs nothing but what the artifacts
// bucket holds. It relies on what the standard Amazon Linux 2023 image has (awscli-2, xfsprogs, curl's and
// OpenSSL's libraries, which mongod links to), and says so where something is missing.
// https://www.mongodb.com/docs/v8.0/tutorial/install-mongodb-on-amazon-tarball/
func Database(p DatabaseParams) (Script, error) {
	if err := p.check(); err != nil {
		return Script{}, err
	}
	settings := environment(
		assignment{"AWS_REGION", p.Region},
		assignment{"CREDENTIALS_URI", p.Credentials},
		assignment{"CREDENTIALS_KMS_KEY", p.Key},
		assignment{"MONGODB_VOLUME", "/data"},
		assignment{"MONGODB_HOST", p.Host},
	)
	var b builder
	b.head("Installs and starts the cinema database",
		assignment{"bucket", p.Artifacts},
		assignment{"region", p.Region},
		assignment{"volume", p.Volume},
		assignment{"package_key", p.PackageKey},
		assignment{"package_digest", p.PackageDigest},
		assignment{"release_digest", p.Digest},
		assignment{"host", p.Host},
		assignment{"settings", settings},
	)
	b.script("common.sh")
	b.function("units", putFile("0644", "/etc/sysctl.d/90-mongod.conf", "sysctl.conf")+
		putFile("0644", "/etc/tmpfiles.d/mongod.conf", "tmpfiles.conf")+
		putFile("0644", "/etc/systemd/system/mongod.service", "mongod.service")+
		putFile("0644", "/etc/systemd/system/cinema-db-init.service", "cinema-db-init.service")+
		putFile("0644", "/etc/systemd/system/cinema-db-renew.service", "cinema-db-renew.service")+
		putFile("0644", "/etc/systemd/system/cinema-db-renew.timer", "cinema-db-renew.timer"))
	b.script("database.sh")
	s := Script{Text: b.text.String(), name: "Database"}
	if b.err != nil {
		return Script{}, b.err
	}
	return s, s.Check()
}
