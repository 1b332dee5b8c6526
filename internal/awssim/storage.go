package awssim

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

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
	"aws:s3/bucketPolicy:BucketPolicy": func() kind {
		k := bucketPart()
		k.refuse, k.refuseUpdate = refusePublicPolicy, onUpdate(refusePublicPolicy)
		return k
	}(),
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

// refusePublicPolicy refuses a policy that lets everybody into a bucket whose public access block blocks such policies. A bucket
// without a block of its own has the one that S3 sets on new buckets (S3 user guide, "Blocking public access to your Amazon S3
// storage").
func refusePublicPolicy(a *Account, in Properties) error {
	blocked := true
	for _, r := range a.ofType("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock") {
		if text(r.State, "bucket") == text(in, "bucket") {
			v := r.State["blockPublicPolicy"]
			blocked = v.IsBool() && v.BoolValue()
		}
	}
	if (blocked || a.conditions.NewAccount) && public(text(in, "policy")) {
		return refusal("AccessDenied", "s3:PutBucketPolicy on bucket %s: public policies are blocked by the BlockPublicPolicy block public access setting",
			text(in, "bucket"))
	}
	return nil
}

// public reports whether a bucket policy lets everybody in (S3 user guide, "The meaning of 'public'"): it allows a wildcard
// principal without a condition that limits it to fixed values.
func public(policy string) bool {
	var document struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(policy), &document) != nil {
		return false
	}
	type statement struct {
		Effect    string
		Principal any
		Condition map[string]map[string]any
	}
	var statements []statement
	if json.Unmarshal(document.Statement, &statements) != nil {
		statements = make([]statement, 1)
		if json.Unmarshal(document.Statement, &statements[0]) != nil {
			return false
		}
	}
	return slices.ContainsFunc(statements, func(s statement) bool {
		who := s.Principal
		if m, ok := who.(map[string]any); ok {
			who = m["AWS"]
		}
		return s.Effect == "Allow" && slices.Contains(oneOrMore(who), "*") && !limited(s.Condition)
	})
}

// limits are the condition keys, in lower case, whose fixed values make a policy not public.
var limits = []string{"aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount", "aws:sourcearn", "aws:sourceip",
	"aws:sourceorgid", "aws:sourceorgpaths", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid", "s3:dataaccesspointaccount",
	"s3:dataaccesspointarn", "s3:x-amz-server-side-encryption-aws-kms-key-id"}

// limited reports whether a statement's conditions admit fixed values of one of the limits only. A negated operator does not,
// nor one that a request without the key satisfies, nor an address range that is wider than /8 (IPv6: /32).
func limited(conditions map[string]map[string]any) bool {
	for operator, keys := range conditions {
		if strings.Contains(operator, "Not") || strings.HasSuffix(operator, "IfExists") || operator == "Null" {
			continue
		}
		for key, value := range keys {
			values := oneOrMore(value)
			wide := slices.ContainsFunc(values, func(v string) bool {
				if strings.EqualFold(key, "aws:SourceIp") {
					block, err := netip.ParsePrefix(v)
					return err == nil && (block.Addr().Is4() && block.Bits() < 8 || block.Addr().Is6() && block.Bits() < 32)
				}
				return strings.ContainsAny(v, "*?$")
			})
			if slices.Contains(limits, strings.ToLower(key)) && len(values) > 0 && !wide {
				return true
			}
		}
	}
	return false
}

// oneOrMore lists the strings of a JSON string or list.
func oneOrMore(v any) (all []string) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, e := range list {
		if s, ok := e.(string); ok {
			all = append(all, s)
		}
	}
	return all
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
