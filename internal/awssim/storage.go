package awssim

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

var storageKinds = map[string]kind{
	"aws:s3/bucketV2:BucketV2":                                                                   bucket,
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               bucketPart(),
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       bucketPart(),
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     bucketPart(),
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     bucketPart(),
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": bucketPart(),
	"aws:s3/bucketLoggingV2:BucketLoggingV2":                                                     bucketPart(),
	"aws:s3/bucketPolicy:BucketPolicy":                                                           bucketPart(),
	"aws:s3/bucketNotification:BucketNotification": func() kind {
		k := bucketPart()
		k.refuse = refuseNotification
		return k
	}(),
	"aws:s3/bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2": func() kind {
		k := bucketPart()
		k.outputs = func(d *draft) {
			d.set("websiteDomain", websiteDomain(d.cloud.region()))
			d.set("websiteEndpoint", d.text("bucket")+"."+websiteDomain(d.cloud.region()))
		}
		return k
	}(),
	"aws:s3/bucketObjectv2:BucketObjectv2": object,
	"aws:kms/key:Key": {
		id:  func(d *draft) string { return uuid(d.hash("id", 32)) },
		arn: "kms:{region}:{account}:key/{id}", tagged: true,
		outputs: func(d *draft) {
			d.set("keyId", d.id)
			d.set("customerMasterKeySpec", "SYMMETRIC_DEFAULT")
			d.set("keyUsage", "ENCRYPT_DECRYPT")
			d.set("isEnabled", true)
			d.set("enableKeyRotation", false)
			d.set("multiRegion", false)
			d.set("rotationPeriodInDays", num(365))
		},
		replace: []string{"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"},
	},
	"aws:kms/alias:Alias": {
		id: same("name"), arn: "kms:{region}:{account}:{name}", name: naming{property: "name", limit: 256},
		outputs: func(d *draft) {
			key := d.text("targetKeyId")
			if len(key) > 4 && key[:4] == "arn:" {
				d.set("targetKeyArn", key)
			}
			d.set("targetKeyArn", d.expand("kms:{region}:{account}:key/"+key))
		},
		replace: []string{"name", "namePrefix"}, unique: pick("name"), needs: need1("targetKeyId", "aws:kms/key:Key"), part: "targetKeyId",
	},
	"aws:backup/vault:Vault": {
		id: same("name"), arn: "backup:{region}:{account}:backup-vault:{name}", tagged: true, name: naming{property: "name", limit: 50},
		outputs: func(d *draft) {
			d.set("recoveryPoints", num(0))
			d.set("kmsKeyArn", d.expand("kms:{region}:{account}:key/"+uuid(hash("aws/backup"+d.cloud.region(), 32))))
		},
		replace: []string{"kmsKeyArn", "name"}, unique: pick("name"),
	},
	"aws:backup/plan:Plan": {
		id: func(d *draft) string { return uuid(d.hash("id", 32)) }, arn: "backup:{region}:{account}:backup-plan:{id}", tagged: true,
		name:    naming{property: "name", limit: 50},
		outputs: func(d *draft) { d.set("version", d.hash("version", 48)) },
		replace: []string{"name"}, moving: []string{"version"}, unique: pick("name"),
	},
	"aws:backup/selection:Selection": {
		id: func(d *draft) string { return uuid(d.hash("id", 32)) }, name: naming{property: "name", limit: 50},
		replace: []string{"conditions", "iamRoleArn", "name", "notResources", "planId", "resources", "selectionTags"},
		unique:  pick("planId", "name"),
		needs:   []need{{"planId", []string{"aws:backup/plan:Plan"}}, {"iamRoleArn", []string{"aws:iam/role:Role"}}},
	},
}

// refuseNotification refuses events to a function that S3 may not invoke.
func refuseNotification(a *Account, in Properties) error {
	functions := in["lambdaFunctions"]
	if !functions.IsArray() {
		return nil
	}
	for _, f := range functions.ArrayValue() {
		arn, allowed := text(f.ObjectValue(), "lambdaFunctionArn"), false
		for _, p := range a.ofType("aws:lambda/permission:Permission") {
			to := text(p.State, "function")
			allowed = allowed || text(p.State, "principal") == "s3.amazonaws.com" && (to == arn || to == lastOf(arn, ":"))
		}
		if !allowed {
			return refusal("InvalidArgument", "Unable to validate the following destination configurations: %s does not let S3 invoke it", arn)
		}
	}
	return nil
}

// bucket leaves out the deprecated inline settings: each has its own resource type.
var bucket = kind{
	id: same("bucket"), arn: "s3:::{id}", tagged: true, name: naming{property: "bucket", limit: 63},
	outputs: func(d *draft) {
		d.set("bucketDomainName", d.id+".s3.amazonaws.com")
		d.set("bucketRegionalDomainName", d.expand("{id}.s3.{region}.amazonaws.com"))
		d.set("hostedZoneId", websiteHostedZone(d.cloud.region()))
		d.set("region", d.cloud.region())
		d.set("forceDestroy", false)
		d.set("objectLockEnabled", false)
		d.set("websiteDomain", "")
		d.set("websiteEndpoint", "")
	},
	replace: []string{"bucket", "bucketPrefix", "objectLockConfiguration.objectLockEnabled", "objectLockEnabled"},
	unique:  pick("bucket"),
	keep: func(a *Account, r Resource) error {
		if v, ok := r.State["forceDestroy"]; ok && v.IsBool() && v.BoolValue() {
			return nil
		}
		for _, o := range a.ofType("aws:s3/bucketObjectv2:BucketObjectv2") {
			if text(o.State, "bucket") == r.ID {
				return refusal("BucketNotEmpty", "The bucket you tried to delete is not empty (%s holds %s)", r.ID, o.ID)
			}
		}
		return nil
	},
}

// bucketPart returns the kind of a resource that configures a bucket: a bucket has at most one of each type.
func bucketPart() kind {
	return kind{id: same("bucket"), replace: []string{"bucket", "expectedBucketOwner"}, unique: pick("bucket"), part: "bucket",
		needs: need1("bucket", "aws:s3/bucketV2:BucketV2")}
}

var object = kind{
	id: joined("/", "bucket", "key"), tagged: true, needs: need1("bucket", "aws:s3/bucketV2:BucketV2"), part: "bucket",
	outputs: func(d *draft) {
		d.set("arn", d.expand("s3:::"+d.text("bucket")+"/"+d.text("key")))
		d.set("etag", d.hash("etag", 32))
		d.set("versionId", d.hash("version", 32))
		d.set("contentType", "application/octet-stream")
		d.set("storageClass", "STANDARD")
		d.set("serverSideEncryption", "AES256")
		d.set("forceDestroy", false)
		for _, sum := range []string{"checksumCrc32", "checksumCrc32c", "checksumCrc64nvme", "checksumSha1", "checksumSha256"} {
			d.set(sum, "")
		}
	},
	replace: []string{"bucket", "key"},
	moving:  []string{"etag", "versionId"},
	// A rollback puts the object of an earlier release, which the bucket has kept, again.
	overwrites: true,
}

// websiteDomain returns the domain of a region's bucket websites. Older regions have a dash before the region
// (https://docs.aws.amazon.com/general/latest/gr/s3.html).
func websiteDomain(region string) string {
	switch region {
	case "us-east-1", "us-west-1", "us-west-2", "eu-west-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1":
		return "s3-website-" + region + ".amazonaws.com"
	}
	return "s3-website." + region + ".amazonaws.com"
}

func websiteHostedZone(region string) string {
	ids := map[string]string{"us-east-1": "Z3AQBSTGFYJSTF", "us-west-2": "Z3BJ6K6RIION7M", "eu-west-1": "Z1BKCTXD74EZPE", "eu-central-1": "Z21DNDUVLTQW6Q"}
	if id, ok := ids[region]; ok {
		return id
	}
	return "Z" + hash("website"+region, 13)
}

// mentions reports whether a value contains a string, at any depth.
func mentions(v resource.PropertyValue, s string) bool {
	found := false
	walk(v, func(t string) { found = found || t == s })
	return found
}

// walk calls f with every string in a value.
func walk(v resource.PropertyValue, f func(string)) {
	switch {
	case v.IsString():
		f(v.StringValue())
	case v.IsArray():
		for _, e := range v.ArrayValue() {
			walk(e, f)
		}
	case v.IsObject():
		for _, e := range v.ObjectValue() {
			walk(e, f)
		}
	case v.IsSecret():
		walk(v.SecretValue().Element, f)
	case v.IsOutput():
		walk(v.OutputValue().Element, f)
	}
}
