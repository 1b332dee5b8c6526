package stack

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"cinema-database/app/contract"
	"cinema-database/internal/component"
	"cinema-database/internal/testutil/pulumitest"
)

// mutation breaks one thing in prod's plan, which its control must report.
type mutation struct {
	control, name string
	change        change
	reports       string // the resource that the control must report
}

type change = func(*testing.T, *pulumitest.Recording)

var (
	anyIPv4 = []any{"0.0.0.0/0"}
	absent  = any(nil)
)

var mutations = []mutation{
	{"EC2.2", "inline rule", set(defaultType, "network-default", "ingress", []any{map[string]any{"protocol": "-1", "self": true}}), "network-default"},
	{"EC2.2", "another rule", redirect(ruleType, "network-api-from-bastion-22", "securityGroupId", defaultType, "network-default"), "network-api-from-bastion-22"},
	{"EC2.2", "left to AWS", remove(defaultType, "network-default"), "network-vpc"},
	{"EC2.3", "data volume", set(volumeType, "database-data-us-east-1a", "encrypted", false), "database-data-us-east-1a"},
	{"EC2.3", "host's root", set(instanceType, "database-host-us-east-1a", "rootBlockDevice.encrypted", absent), "database-host-us-east-1a"},
	{"EC2.3", "host without a root device", set(instanceType, "bastion-host", "rootBlockDevice", absent), "bastion-host"},
	{"EC2.3", "further volume", set(instanceType, "bastion-host", "ebsBlockDevices", []any{map[string]any{"deviceName": "/dev/sdg"}}), "bastion-host"},
	{"EC2.3", "template", set(templateType, "api-instance", "blockDeviceMappings[0].ebs.encrypted", "false"), "api-instance"},
	{"EC2.3", "template without volumes", set(templateType, "api-instance", "blockDeviceMappings", []any{}), "api-instance"},
	{"EC2.6", "accepted traffic only", set(flowLogType, "network-flow-logs", "trafficType", "ACCEPT"), "network-vpc"},
	{"EC2.6", "none", remove(flowLogType, "network-flow-logs"), "network-vpc"},
	{"EC2.8", "instance", set(instanceType, "bastion-host", "metadataOptions.httpTokens", "optional"), "bastion-host"},
	{"EC2.8", "no options", set(instanceType, "database-host-us-east-1a", "metadataOptions", absent), "database-host-us-east-1a"},
	{"EC2.8", "template", set(templateType, "api-instance", "metadataOptions.httpTokens", "optional"), "api-instance"},
	{"EC2.9", "set", set(instanceType, "database-host-us-east-1a", "associatePublicIpAddress", true), "database-host-us-east-1a"},
	{"EC2.9", "by the subnet", set(subnetType, "network-database-us-east-1a", "mapPublicIpOnLaunch", true), "database-host-us-east-1a"},
	{"EC2.9", "elastic", redirect(addressType, "network-nat-us-east-1a", "instance", instanceType, "database-host-us-east-1a"), "database-host-us-east-1a"},
	{"EC2.9", "template", set(templateType, "api-instance", "networkInterfaces[0].associatePublicIpAddress", "true"), "api-instance"},
	{"EC2.9", "template without interfaces", set(templateType, "api-instance", "networkInterfaces", absent), "api-instance"},
	{"EC2.18", "another port", set(ruleType, "network-api-from-load-balancer-8081", "cidrBlocks", anyIPv4), "network-api-from-load-balancer-8081"},
	{"EC2.18", "a range", also(set(ruleType, "network-load-balancer-from-cloudfront", "cidrBlocks", anyIPv4), set(ruleType, "network-load-balancer-from-cloudfront", "toPort", 81)), "network-load-balancer-from-cloudfront"},
	{"EC2.18", "IPv6", set(ruleType, "network-mongodb-from-api-27017", "ipv6CidrBlocks", []any{"::/0"}), "network-mongodb-from-api-27017"},
	{"EC2.18", "inline rule of a group", set(groupType, "network-api", "ingress", []any{map[string]any{"protocol": "tcp", "fromPort": 8081, "toPort": 8081, "cidrBlocks": anyIPv4}}), "network-api"},
	{"EC2.19", "SSH", set(ruleType, "network-mongodb-from-bastion-22", "cidrBlocks", anyIPv4), "network-mongodb-from-bastion-22"},
	{"EC2.19", "every port", also(set(ruleType, "network-load-balancer-from-cloudfront", "cidrBlocks", anyIPv4), set(ruleType, "network-load-balancer-from-cloudfront", "protocol", "-1")), "network-load-balancer-from-cloudfront"},
	{"EC2.21", "SSH", set(aclType, "network-database", "ingress[3].cidrBlock", "0.0.0.0/0"), "network-database"},
	{"EC2.21", "every port", set(aclType, "network-database", "ingress[9].fromPort", 0), "network-database"},
	{"AutoScaling.1", "EC2's checks", set(scalingType, "api-group", "healthCheckType", "EC2"), "api-group"},
	{"AutoScaling.1", "no load balancer", remove("aws:autoscaling/attachment:Attachment", "api-origin-targets"), scalingType},
	{"AutoScaling.2", "one zone", set(scalingType, "api-group", "vpcZoneIdentifiers", []any{}), "api-group"},
	{"AutoScaling.2", "subnets of one zone", setAll(subnetType, "availabilityZone", "us-east-1a"), "api-group"},
	{"AutoScaling.3", "template", set(templateType, "api-instance", "metadataOptions.httpTokens", absent), "api-instance"},
	{"AutoScaling.9", "no template", set(scalingType, "api-group", "launchTemplate", absent), "api-group"},
	{"AutoScaling.9", "launch configuration", set(scalingType, "api-group", "launchConfiguration", "old"), "api-group"},
	{"ELB.4", "kept", set(balancerType, "api-origin-lb", "dropInvalidHeaderFields", absent), "api-origin-lb"},
	{"ELB.5", "off", set(balancerType, "api-origin-lb", "accessLogs.enabled", false), "api-origin-lb"},
	{"ELB.5", "unset", set(balancerType, "api-origin-lb", "accessLogs", absent), "api-origin-lb"},
	{"ELB.6", "off", set(balancerType, "api-origin-lb", "enableDeletionProtection", false), "api-origin-lb"},
	{"ELB.1", "no redirect", set(listenerType, "api-origin-https", "protocol", "HTTP"), "api-origin-https"},
	{"ELB.18", "plain HTTP", set(listenerType, "api-origin-https", "protocol", "HTTP"), "api-origin-https"},
	{"CloudFront.1", "no root object", set(distributionType, "edge-distribution", "defaultRootObject", absent), "edge-distribution"},
	{"CloudFront.3", "plain HTTP for the client", set(distributionType, "edge-distribution", "defaultCacheBehavior.viewerProtocolPolicy", "allow-all"), "edge-distribution"},
	{"CloudFront.3", "plain HTTP for the API", set(distributionType, "edge-distribution", "orderedCacheBehaviors[0].viewerProtocolPolicy", "allow-all"), "edge-distribution"},
	{"CloudFront.4", "another one", func(t *testing.T, r *pulumitest.Recording) {
		another := *the(t, r, distributionType, "edge-distribution")
		another.Name = "edge-another"
		r.Resources = append(r.Resources, &another)
	}, "edge-another"},
	{"CloudFront.5", "no logs", remove("aws:cloudwatch/logDelivery:LogDelivery", "edge-logs"), "edge-distribution"},
	{"CloudFront.6", "no firewall", set(distributionType, "edge-distribution", "webAclId", absent), "edge-distribution"},
	{"CloudFront.7", "CloudFront's certificate", set(distributionType, "edge-distribution", "viewerCertificate", map[string]any{"cloudfrontDefaultCertificate": true}), "edge-distribution"},
	{"CloudFront.8", "an address of its own", set(distributionType, "edge-distribution", "viewerCertificate.sslSupportMethod", "vip"), "edge-distribution"},
	{"CloudFront.9", "plain HTTP to the origin", set(vpcOriginType, "edge-api-https", "vpcOriginEndpointConfig.originProtocolPolicy", "http-only"), "edge-distribution"},
	{"CloudFront.10", "TLS 1.0 to the origin", set(vpcOriginType, "edge-api-https", "vpcOriginEndpointConfig.originSslProtocols.items[0]", "TLSv1"), "edge-distribution"},
	{"CloudFront.12", "no such bucket", remove(bucketType, "storage-site"), "edge-distribution"},
	{"CloudFront.13", "no access control", set(distributionType, "edge-distribution", "origins[0].originAccessControlId", absent), "edge-distribution"},
	{"viewer-tls", "TLS 1.0 for viewers", set(distributionType, "edge-distribution", "viewerCertificate.minimumProtocolVersion", "TLSv1"), "edge-distribution"},
	{"WAF.11", "no log", remove("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "edge-firewall"), "edge-distribution"},
	{"error-caching", "an error of one member for others", set(distributionType, "edge-distribution", "customErrorResponses[2].errorCachingMinTtl", 10), "edge-distribution"},
	{"S3.2", "policy", also(
		set(accessType, "storage-images", "restrictPublicBuckets", false),
		allow(bucketPolicy, "storage-images", map[string]any{"Principal": "*", "Action": "s3:GetObject", "Resource": "*"})), "storage-images"},
	{"S3.2", "every action", also(
		set(accessType, "storage-logs", "restrictPublicBuckets", absent),
		allow(bucketPolicy, "storage-logs", map[string]any{"Principal": map[string]any{"AWS": "*"}, "Action": "s3:*", "Resource": "*"})), "storage-logs"},
	{"S3.2", "ACL", set(accessType, "storage-artifacts", "ignorePublicAcls", false), "storage-artifacts"},
	{"S3.2", "the site", also(
		set(accessType, "storage-site", "restrictPublicBuckets", false),
		allow(bucketPolicy, "site-policy", map[string]any{"Principal": "*", "Action": "s3:GetObject", "Resource": "*"})), "storage-site"},
	{"S3.3", "the site", also(
		set(accessType, "storage-site", "restrictPublicBuckets", false),
		allow(bucketPolicy, "site-policy", map[string]any{"Principal": "*", "Action": "s3:PutObject", "Resource": "*"})), "storage-site"},
	{"S3.3", "all except some", also(
		set(accessType, "storage-site", "restrictPublicBuckets", false),
		allow(bucketPolicy, "site-policy", map[string]any{"Principal": "*", "NotAction": "s3:ListBucket", "Resource": "*"})), "storage-site"},
	{"S3.5", "no policy", remove(bucketPolicy, "storage-images"), "storage-images"},
	{"S3.5", "narrower", edit(bucketPolicy, "storage-artifacts", "policy", "DenyPlainHTTP", func(st map[string]any) { st["Action"] = "s3:GetObject" }), "storage-artifacts"},
	{"S3.5", "on a further condition", edit(bucketPolicy, "storage-logs", "policy", "DenyPlainHTTP", func(st map[string]any) {
		st["Condition"].(map[string]any)["StringEquals"] = map[string]any{"aws:SourceVpc": "vpc-1"}
	}), "storage-logs"},
	{"S3.8", "one setting", set(accessType, "storage-logs", "blockPublicPolicy", false), "storage-logs"},
	{"S3.8", "no block", remove(accessType, "storage-artifacts"), "storage-artifacts"},
	{"S3.9", "none", remove(loggingType, "storage-images"), "storage-images"},
	{"S3.9", "into itself", redirect(loggingType, "storage-images", "targetBucket", bucketType, "storage-images"), "storage-images"},
	{"S3.13", "none", remove(lifecycleType, "storage-logs"), "storage-logs"},
	{"S3.13", "disabled", set(lifecycleType, "storage-site", "rules", []any{map[string]any{"id": "expire", "status": "Disabled"}}), "storage-site"},
	{"Lambda.1", "every principal", set(permitType, "thumbnailer-images", "principal", "*"), "thumbnailer-images"},
	{"Lambda.1", "any account's bucket", set(permitType, "thumbnailer-images", "sourceAccount", absent), "thumbnailer-images"},
	{"Lambda.2", "old runtime", set(functionType, "mirror-function", "runtime", "go1.x"), "mirror-function"},
	{"KMS.1", "every key", allow(rolePolicy, "iam-api-release", map[string]any{"Action": "kms:Decrypt", "Resource": "*"}), "iam-api-release"},
	{"KMS.1", "every key of the account", allow(rolePolicy, "iam-api-release", map[string]any{"Action": "kms:De*", "Resource": "arn:aws:kms:us-east-1:123456789012:key/*"}), "iam-api-release"},
	{"IAM.1", "administrator", allow(rolePolicy, "mirror-role-logs", map[string]any{"Action": "*", "Resource": "*"}), "mirror-role-logs"},
	{"IAM.1", "AWS's own policy", set(roleType, "iam-bastion", "managedPolicyArns", []any{"arn:aws:iam::aws:policy/AdministratorAccess"}), "iam-bastion"},
	{"IAM.21", "whole service", allow(rolePolicy, "mirror-role-logs", map[string]any{"Action": []any{"logs:PutLogEvents", "s3:*"}, "Resource": "arn:aws:s3:::b"}), "mirror-role-logs"},
	{"CKV_AWS_46", "plain", set(instanceType, "bastion-host", "userData", "#!/bin/sh\nexport AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n"), "bastion-host"},
	{"CKV_AWS_46", "compressed", set(templateType, "api-instance", "userData", compressed("#!/bin/sh\nMONGODB_PASSWORD=correcthorse\n")), "api-instance"},
	{"CKV_AWS_46", "unreadable", set(templateType, "api-instance", "userData", "%"), "api-instance"},
	{"CKV_AWS_79", "instance", set(instanceType, "database-host-us-east-1a", "metadataOptions.httpTokens", absent), "database-host-us-east-1a"},
	{"CKV_AWS_88", "set", set(instanceType, "database-host-us-east-1a", "associatePublicIpAddress", true), "database-host-us-east-1a"},
	{"CKV_AWS_131", "kept", set(balancerType, "api-origin-lb", "dropInvalidHeaderFields", false), "api-origin-lb"},
	{"CKV_AWS_115", "unreserved", set(functionType, "thumbnailer-function", "reservedConcurrentExecutions", -1), "thumbnailer-function"},
	{"CKV_AWS_115", "unset", set(functionType, "mirror-function", "reservedConcurrentExecutions", absent), "mirror-function"},
	{"CKV_AWS_116", "no destination", set(eventsType, "thumbnailer-retries", "destinationConfig", absent), "thumbnailer-function"},

	{"kinds", "classic load balancer", func(t *testing.T, r *pulumitest.Recording) {
		the(t, r, balancerType, "api-origin-lb").Type = "aws:elb/loadBalancer:LoadBalancer"
	}, "api-origin-lb"},
	{"wildcard-action", "read", allow(rolePolicy, "thumbnailer-role-failures", map[string]any{"Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"}), "thumbnailer-role-failures"},
	{"wildcard-action", "key", allow(keyType, "iam-credentials", map[string]any{"Action": "kms:*", "Resource": "*", "Principal": "x"}), "iam-credentials"},
	{"wildcard-action", "all except", allow(bucketPolicy, "storage-logs", map[string]any{"NotAction": "s3:DeleteBucket", "Resource": "*", "Principal": "x"}), "storage-logs"},
	{"wildcard-resource", "object", edit(rolePolicy, "iam-api-release", "policy", "ReadRelease", func(st map[string]any) { st["Resource"] = "*" }), "iam-api-release"},
	{"wildcard-resource", "every bucket", edit(rolePolicy, "iam-api-release", "policy", "ReadRelease", func(st map[string]any) { st["Resource"] = "arn:aws:s3:::*" }), "iam-api-release"},
	{"wildcard-resource", "besides an action that takes none", allow(rolePolicy, "mirror-role-tracing", map[string]any{"Action": []any{"xray:PutTraceSegments", "sqs:SendMessage"}, "Resource": "*"}), "mirror-role-tracing"},
	{"status", "by another role", allow(rolePolicy, "iam-api-release", map[string]any{"Action": "s3:PutObject", "Resource": "arn:aws:s3:::*/status/*"}), "iam-api-release"},
	{"status", "of another host", edit(rolePolicy, "iam-database-artifacts", "policy", "WriteStatus", func(st map[string]any) { st["Resource"] = "arn:aws:s3:::*-artifacts-*/status/*" }), "iam-database-artifacts"},
	{"trust", "every principal", edit(roleType, "iam-api", "assumeRolePolicy", "", func(st map[string]any) { st["Principal"] = "*" }), "iam-api"},
	{"trust", "an account without conditions", edit(roleType, "iam-api", "assumeRolePolicy", "", func(st map[string]any) { st["Principal"] = map[string]any{"AWS": "arn:aws:iam::210987654321:root"} }), "iam-api"},
	{"open-ingress", "the load balancer, behind the edge", set(ruleType, "network-load-balancer-from-cloudfront", "cidrBlocks", anyIPv4), "network-load-balancer-from-cloudfront"},
	{"open-ingress", "a public load balancer, behind the edge", set(balancerType, "api-origin-lb", "internal", false), "api-origin-lb"},
	{"open-ingress", "the site to every distribution", edit(bucketPolicy, "site-policy", "policy", "DistributionRead", func(st map[string]any) { delete(st, "Condition") }), "site-policy"},
	{"open-ingress", "the API, on 80", also(set(ruleType, "network-api-from-load-balancer-8081", "cidrBlocks", anyIPv4), set(ruleType, "network-api-from-load-balancer-8081", "fromPort", 80)), "network-api-from-load-balancer-8081"},
	{"open-ingress", "the load balancer's group on a host", redirect(instanceType, "bastion-host", "vpcSecurityGroupIds[0]", groupType, "network-load-balancer"), "bastion-host"},
	{"cluster-secrets", "read by the API", allow(rolePolicy, "iam-api-release", map[string]any{"Action": "s3:GetObject", "Resource": "arn:aws:s3:::*/" + contract.SecretsKey}), "iam-api-release"},
	{"cluster-secrets", "decrypted by the API", edit(keyType, "iam-credentials", "policy", "APIReads", func(st map[string]any) {
		st["Condition"].(map[string]any)["StringEquals"].(map[string]any)["kms:EncryptionContext:aws:s3:arn"] = "arn:aws:s3:::" + component.PhysicalName(environmentOf("prod"), bucketType, "storage-artifacts") + "/" + contract.SecretsKey
	}), "iam-credentials"},
	{"cluster-secrets", "every object decrypted", edit(keyType, "iam-credentials", "policy", "DatabaseHostsShareSecrets", func(st map[string]any) { delete(st, "Condition") }), "iam-credentials"},
	{"cluster-secrets", "not read", edit(rolePolicy, "iam-database-artifacts", "policy", "ReadMembersAndSecrets", func(st map[string]any) { st["Resource"] = "arn:aws:s3:::b/x" }), "iam-database-artifacts"},
	{"secrets", "connection string", set(objectType, "site-config.js", "content", "export default { db: 'mongodb://admin:hunter22@mongo' }"), "site-config.js"},
	{"secrets", "by name", set(functionType, "mirror-function", "environment", map[string]any{"variables": map[string]any{"DB_PASSWORD": "x"}}), "mirror-function"},
	{"secrets", "private key", set(objectType, "site-config.js", "content", "-----BEGIN EC PRIVATE KEY-----"), "site-config.js"},
	{"secrets", "in the state", func(t *testing.T, r *pulumitest.Recording) {
		the(t, r, functionType, "mirror-function").Secrets = []string{"environment"}
	}, "mirror-function"},
	{"secrets", "output", func(t *testing.T, r *pulumitest.Recording) {
		r.Exports = resource.PropertyMap{"token": resource.NewProperty("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ")}
	}, "output token"},
	{"user-data-size", "too long", set(instanceType, "database-host-us-east-1a", "userDataBase64", base64.StdEncoding.EncodeToString(make([]byte, 16385))), "database-host-us-east-1a"},
	{"user-data-size", "none", set(templateType, "api-instance", "userData", absent), templateType},
	{"rule-description", "rule", set(ruleType, "network-api-from-bastion-22", "description", absent), "network-api-from-bastion-22"},
	{"rule-description", "group", set(groupType, "network-api", "description", "Managed"), "network-api"},
	{"rule-description", "inline rule of a group", set(groupType, "network-api", "egress", []any{map[string]any{"protocol": "-1"}}), "network-api"},
	{"database-routes", "a route", redirect(routeType, "network-private-us-east-1a", "routeTableId", tableType, "network-database"), "network-private-us-east-1a"},
	{"database-routes", "an inline route", set(tableType, "network-database", "routes", []any{map[string]any{"cidrBlock": "0.0.0.0/0"}}), "network-database"},
	{"database-routes", "main table", remove(assocType, "network-database-us-east-1b"), "network-database-us-east-1b"},
	{"database-routes", "another tier's table", redirect(assocType, "network-database-us-east-1b", "routeTableId", tableType, "network-public"), "network-public"},
	{"database-routes", "no such tier", setAll(subnetType, "tags.Tier", "private"), subnetType},
}

func the(t *testing.T, r *pulumitest.Recording, typ, name string) *pulumitest.Resource {
	t.Helper()
	for _, res := range r.ByType(typ) {
		if res.Name == name {
			return res
		}
	}
	t.Fatalf("the plan has no %s %s to change", typ, name)
	return nil
}

func put(t *testing.T, r *pulumitest.Resource, path string, value any) {
	t.Helper()
	p, err := resource.ParsePropertyPath(path)
	require.NoError(t, err)
	m := resource.NewProperty(r.Inputs)
	if value == nil {
		_, there := p.Get(m)
		require.True(t, there, "%s has no %s", r.Name, path)
		require.True(t, p.Delete(m), path)
		return
	}
	m, ok := p.Add(m, resource.NewPropertyValue(value))
	require.True(t, ok, path)
	r.Inputs = m.ObjectValue()
}

// set sets an input; absent removes it.
func set(typ, name, path string, value any) change {
	return func(t *testing.T, r *pulumitest.Recording) { put(t, the(t, r, typ, name), path, value) }
}

func setAll(typ, path string, value any) change {
	return func(t *testing.T, r *pulumitest.Recording) {
		for _, res := range r.ByType(typ) {
			put(t, res, path, value)
		}
	}
}

// redirect points an input at another resource.
func redirect(typ, name, path, toType, to string) change {
	return func(t *testing.T, r *pulumitest.Recording) {
		put(t, the(t, r, typ, name), path, the(t, r, toType, to).ID)
	}
}

func remove(typ, name string) change {
	return func(t *testing.T, r *pulumitest.Recording) {
		gone := the(t, r, typ, name)
		r.Resources = slices.DeleteFunc(r.Resources, func(r *pulumitest.Resource) bool { return r == gone })
	}
}

func also(changes ...change) change {
	return func(t *testing.T, r *pulumitest.Recording) {
		for _, c := range changes {
			c(t, r)
		}
	}
}

// edit changes the statement of a policy document that has that Sid.
func edit(typ, name, input, sid string, f func(map[string]any)) change {
	return func(t *testing.T, r *pulumitest.Recording) {
		rewrite(t, the(t, r, typ, name), input, func(statements []map[string]any) []map[string]any {
			i := slices.IndexFunc(statements, func(st map[string]any) bool { s, _ := st["Sid"].(string); return s == sid })
			require.GreaterOrEqual(t, i, 0, "no statement %q", sid)
			f(statements[i])
			return statements
		})
	}
}

// allow adds a statement to a policy.
func allow(typ, name string, st map[string]any) change {
	return func(t *testing.T, r *pulumitest.Recording) {
		rewrite(t, the(t, r, typ, name), "policy", func(statements []map[string]any) []map[string]any {
			added := maps.Clone(st)
			added["Effect"], added["Sid"] = "Allow", "Added"
			return append(statements, added)
		})
	}
}

func rewrite(t *testing.T, r *pulumitest.Resource, input string, f func(statements []map[string]any) []map[string]any) {
	var d struct{ Statement []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(r.Text(input)), &d))
	d.Statement = f(d.Statement)
	data, err := json.Marshal(d)
	require.NoError(t, err)
	put(t, r, input, string(data))
}

func compressed(text string) string {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write([]byte(text)) // into memory
	_ = w.Close()
	return base64.StdEncoding.EncodeToString(z.Bytes())
}
