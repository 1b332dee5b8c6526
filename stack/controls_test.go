package stack

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/app/contract"
	"cinema-database/internal/testutil/pulumitest"
)

const (
	vpcType       = "aws:ec2/vpc:Vpc"
	subnetType    = "aws:ec2/subnet:Subnet"
	defaultType   = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	ruleType      = "aws:ec2/securityGroupRule:SecurityGroupRule"
	groupType     = "aws:ec2/securityGroup:SecurityGroup"
	aclType       = "aws:ec2/networkAcl:NetworkAcl"
	instanceType  = "aws:ec2/instance:Instance"
	templateType  = "aws:ec2/launchTemplate:LaunchTemplate"
	launchType    = "aws:ec2/launchConfiguration:LaunchConfiguration"
	volumeType    = "aws:ebs/volume:Volume"
	scalingType   = "aws:autoscaling/group:Group"
	balancerType  = "aws:lb/loadBalancer:LoadBalancer"
	gateType      = "pulumi:index:Stash"
	bucketType    = "aws:s3/bucketV2:BucketV2"
	bucketPolicy  = "aws:s3/bucketPolicy:BucketPolicy"
	functionType  = "aws:lambda/function:Function"
	roleType      = "aws:iam/role:Role"
	rolePolicy    = "aws:iam/rolePolicy:RolePolicy"
	keyType       = "aws:kms/key:Key"
	tableType     = "aws:ec2/routeTable:RouteTable"
	routeType     = "aws:ec2/route:Route"
	assocType     = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	eventsType    = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
	permitType    = "aws:lambda/permission:Permission"
	addressType   = "aws:ec2/eip:Eip"
	accessType    = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	loggingType   = "aws:s3/bucketLoggingV2:BucketLoggingV2"
	lifecycleType = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	objectType    = "aws:s3/bucketObjectv2:BucketObjectv2"
	flowLogType   = "aws:ec2/flowLog:FlowLog"

	distributionType = "aws:cloudfront/distribution:Distribution"
	vpcOriginType    = "aws:cloudfront/vpcOrigin:VpcOrigin"
)

// controls are the rules that every plan of the stack keeps, from AWS Security Hub's user guide ("Security Hub controls
// reference") and Checkov's policy index. Where Security Hub checks running instances, these check what the instances
// are launched from.
var controls = []control{
	{"EC2.2", "the VPC's default security group allows no traffic", func(s *audit) {
		rules := s.rules()
		s.each(vpcType, func(vpc *pulumitest.Resource) {
			managed := s.referring(defaultType, "vpcId", vpc)
			s.require(len(managed) == 1, vpc, "%d resources manage its default security group", len(managed))
			for _, group := range managed {
				s.require(len(list(group, "ingress"))+len(list(group, "egress")) == 0, group, "has rules")
				for _, r := range rules {
					s.require(r.group != group.ID, r.on, "adds to the default security group")
				}
			}
		})
	}},
	{"EC2.3", "volumes are encrypted", func(s *audit) {
		s.each(volumeType, func(r *pulumitest.Resource) {
			s.require(r.Text("encrypted") == "true", r, "encrypted is %q", r.Text("encrypted"))
		})
		s.each(instanceType, func(r *pulumitest.Resource) {
			s.require(r.Text("rootBlockDevice.encrypted") == "true", r, "its root volume is not encrypted")
			for i := range list(r, "ebsBlockDevices") {
				s.require(r.Text(fmt.Sprintf("ebsBlockDevices[%d].encrypted", i)) == "true", r, "volume %d is not encrypted", i)
			}
		})
		s.each(templateType, func(r *pulumitest.Resource) {
			devices := list(r, "blockDeviceMappings")
			s.require(len(devices) > 0, r, "its root volume is as the image has it, encrypted or not")
			for i := range devices {
				s.require(r.Text(fmt.Sprintf("blockDeviceMappings[%d].ebs.encrypted", i)) == "true", r, "volume %d is not encrypted", i)
			}
		})
	}},
	{"EC2.6", "every VPC has flow logs", func(s *audit) {
		s.each(vpcType, func(vpc *pulumitest.Resource) {
			s.require(slices.ContainsFunc(s.referring(flowLogType, "vpcId", vpc), func(log *pulumitest.Resource) bool {
				return log.Text("trafficType") == "ALL" || log.Text("trafficType") == "REJECT"
			}), vpc, "no flow log records refused traffic")
		})
	}},
	{"EC2.8", "instances answer IMDSv2 only", requireIMDSv2},
	{"EC2.9", "instances have no public IPv4 address", noPublicAddress},
	{"EC2.18", "security groups admit every address on ports 80 and 443 only", func(s *audit) {
		for _, r := range s.rules() {
			s.require(!r.open || r.protocol == "tcp" && r.from == r.to && (r.from == 80 || r.from == 443), r.on,
				"admits every address on %s %d-%d", r.protocol, r.from, r.to)
		}
	}},
	{"EC2.19", "security groups do not admit every address on high-risk ports", func(s *audit) {
		for _, r := range s.rules() {
			for _, port := range []int{20, 21, 22, 23, 25, 110, 135, 143, 445, 1433, 1434, 3000, 3306, 3389, 4333, 5000, 5432, 5500, 5601, 8080, 8088, 8888, 9200, 9300} {
				s.require(!r.open || !r.covers(port), r.on, "admits every address on %d", port)
			}
		}
	}},
	{"EC2.21", "network ACLs do not admit every address on ports 22 and 3389", func(s *audit) {
		check := func(r accessRule, action string) {
			for _, port := range []int{22, 3389} {
				s.require(action != "allow" || !r.open || !r.covers(port), r.on, "admits every address on %d", port)
			}
		}
		s.each(aclType, func(acl *pulumitest.Resource) {
			for _, e := range list(acl, "ingress") {
				check(newAccessRule(acl, "", e.ObjectValue()), as[string](e.ObjectValue()["action"]))
			}
		})
		s.any(func(r *pulumitest.Resource) {
			if r.Text("egress") != "true" {
				check(newAccessRule(r, "", r.Inputs), r.Text("ruleAction"))
			}
		}, "aws:ec2/networkAclRule:NetworkAclRule")
	}},
	{"AutoScaling.1", "groups behind a load balancer use its health checks", func(s *audit) {
		behind := 0
		s.each(scalingType, func(r *pulumitest.Resource) {
			attached := len(list(r, "targetGroupArns")) + len(list(r, "loadBalancers")) + len(list(r, "trafficSources"))
			s.any(func(a *pulumitest.Resource) {
				if a.Text("autoscalingGroupName") == r.ID {
					attached++
				}
			}, "aws:autoscaling/attachment:Attachment", "aws:autoscaling/trafficSourceAttachment:TrafficSourceAttachment")
			if attached > 0 {
				behind++
				s.require(r.Text("healthCheckType") == "ELB", r, "healthCheckType is %q", r.Text("healthCheckType"))
			}
		})
		s.expect(behind > 0, scalingType, "none is behind a load balancer")
	}},
	{"AutoScaling.2", "groups cover several availability zones", func(s *audit) {
		s.each(scalingType, func(r *pulumitest.Resource) {
			zones := map[string]bool{}
			for _, z := range texts(list(r, "availabilityZones")) {
				zones[z] = true
			}
			for _, subnet := range s.withID(subnetType, texts(list(r, "vpcZoneIdentifiers"))...) {
				zones[subnet.Text("availabilityZone")] = true
			}
			s.require(len(zones) >= 2, r, "covers %d", len(zones))
		})
	}},
	{"AutoScaling.3", "instances of groups require IMDSv2", func(s *audit) {
		s.each(scalingType, func(r *pulumitest.Resource) {
			for _, template := range s.withID(templateType, launchTemplateIDs(r)...) {
				s.require(template.Text("metadataOptions.httpTokens") == "required", template, "accepts IMDSv1 in %s", r.Name)
			}
		})
		s.any(func(r *pulumitest.Resource) {
			s.require(r.Text("metadataOptions.httpTokens") == "required", r, "accepts IMDSv1")
		}, launchType)
	}},
	{"AutoScaling.9", "groups use a launch template", every(scalingType, "has none", func(r *pulumitest.Resource) bool {
		return len(launchTemplateIDs(r)) > 0 && r.Text("launchConfiguration") == ""
	})},
	{"ELB.4", "load balancers drop invalid header fields", dropInvalidHeaders},
	{"ELB.5", "load balancers log requests", every(balancerType, "does not", func(r *pulumitest.Resource) bool {
		return r.Text("accessLogs.enabled") == "true" && r.Text("accessLogs.bucket") != ""
	})},
	{"ELB.6", "load balancers are protected from deletion", every(balancerType, "is not", func(r *pulumitest.Resource) bool {
		return r.Text("enableDeletionProtection") == "true"
	})},
	{"ELB.1", "load balancers redirect HTTP to HTTPS", func(s *audit) {
		s.each(listenerType, func(r *pulumitest.Resource) {
			s.require(r.Text("protocol") == "HTTPS" || r.Text("defaultActions[0].type") == "redirect" && r.Text("defaultActions[0].redirect.protocol") == "HTTPS", r, "answers over plain HTTP")
		})
	}},
	{"ELB.18", "listeners are encrypted", func(s *audit) {
		s.each(listenerType, func(r *pulumitest.Resource) {
			s.require(r.Text("protocol") == "HTTPS" || r.Text("defaultActions[0].type") == "redirect", r, "protocol %q", r.Text("protocol"))
		})
	}},
	{"CloudFront.1", "distributions have a root object", every(distributionType, "has none", func(r *pulumitest.Resource) bool {
		return r.Text("defaultRootObject") != ""
	})},
	{"CloudFront.3", "viewers get HTTPS only", func(s *audit) {
		s.each(distributionType, func(r *pulumitest.Resource) {
			policies := []string{r.Text("defaultCacheBehavior.viewerProtocolPolicy")}
			for i := range list(r, "orderedCacheBehaviors") {
				policies = append(policies, r.Text(fmt.Sprintf("orderedCacheBehaviors[%d].viewerProtocolPolicy", i)))
			}
			for _, p := range policies {
				s.require(p == "redirect-to-https" || p == "https-only", r, "viewerProtocolPolicy is %q", p)
			}
		})
	}},
	{"CloudFront.4", "distributions have a failover of origins", every(distributionType, "has none", func(r *pulumitest.Resource) bool {
		return len(list(r, "originGroups")) > 0
	})},
	{"CloudFront.5", "distributions log requests", func(s *audit) {
		s.each(distributionType, func(r *pulumitest.Resource) {
			delivered := slices.ContainsFunc(s.ByType("aws:cloudwatch/logDeliverySource:LogDeliverySource"), func(source *pulumitest.Resource) bool {
				return source.Text("resourceArn") == as[string](r.State["arn"]) && slices.ContainsFunc(s.ByType("aws:cloudwatch/logDelivery:LogDelivery"), func(d *pulumitest.Resource) bool {
					return d.Text("deliverySourceName") == source.Text("name")
				})
			})
			s.require(delivered, r, "does not")
		})
	}},
	{"CloudFront.6", "distributions have a firewall", every(distributionType, "has none", func(r *pulumitest.Resource) bool { return r.Text("webAclId") != "" })},
	{"CloudFront.7", "distributions have a certificate of their own", every(distributionType, "has CloudFront's", func(r *pulumitest.Resource) bool {
		return r.Text("viewerCertificate.acmCertificateArn") != ""
	})},
	{"CloudFront.8", "distributions use SNI", every(distributionType, "does not", func(r *pulumitest.Resource) bool {
		return r.Text("viewerCertificate.acmCertificateArn") == "" || r.Text("viewerCertificate.sslSupportMethod") == "sni-only"
	})},
	{"CloudFront.9", "origins are called over HTTPS", func(s *audit) {
		s.vpcOrigins(func(distribution, origin *pulumitest.Resource) {
			s.require(origin.Text("vpcOriginEndpointConfig.originProtocolPolicy") == "https-only", distribution, "calls %s over plain HTTP", origin.Name)
		})
	}},
	{"CloudFront.10", "origins are called with TLS 1.2", func(s *audit) {
		s.vpcOrigins(func(distribution, origin *pulumitest.Resource) {
			s.require(slices.Equal(texts(list(origin, "vpcOriginEndpointConfig.originSslProtocols.items")), []string{"TLSv1.2"}), distribution, "calls %s with an older TLS", origin.Name)
		})
	}},
	{"CloudFront.12", "origins are buckets that exist", func(s *audit) {
		s.each(distributionType, func(r *pulumitest.Resource) {
			for i := range list(r, "origins") {
				host := r.Text(fmt.Sprintf("origins[%d].domainName", i))
				s.require(!strings.Contains(host, ".s3.") || slices.ContainsFunc(s.ByType(bucketType), func(b *pulumitest.Resource) bool { return strings.HasPrefix(host, b.ID+".s3.") }),
					r, "there is no bucket of %s", host)
			}
		})
	}},
	{"CloudFront.13", "buckets are read with origin access control", func(s *audit) {
		s.each(distributionType, func(r *pulumitest.Resource) {
			for i := range list(r, "origins") {
				at := fmt.Sprintf("origins[%d].", i)
				s.require(!strings.Contains(r.Text(at+"domainName"), ".s3.") || r.Text(at+"originAccessControlId") != "", r, "reads %s as everybody", r.Text(at+"domainName"))
			}
		})
	}},
	{"viewer-tls", "viewers use TLS 1.2 or later", every(distributionType, "accepts an older one", func(r *pulumitest.Resource) bool {
		// With CloudFront's own certificate, AWS sets the policy.
		return r.Text("viewerCertificate.acmCertificateArn") == "" || strings.HasPrefix(r.Text("viewerCertificate.minimumProtocolVersion"), "TLSv1.2_2021")
	})},
	{"error-caching", "distributions keep no error", func(s *audit) {
		s.each(distributionType, func(r *pulumitest.Resource) {
			kept := map[string]string{}
			for i := range list(r, "customErrorResponses") {
				at := fmt.Sprintf("customErrorResponses[%d].", i)
				kept[r.Text(at+"errorCode")] = r.Text(at + "errorCachingMinTtl")
			}
			for _, code := range []string{"400", "403", "404", "405", "414", "416", "500", "501", "502", "503", "504"} {
				s.require(kept[code] == "0", r, "keeps %s for %q seconds", code, kept[code])
			}
		})
	}},
	{"WAF.11", "firewalls log requests", func(s *audit) {
		s.each(distributionType, func(r *pulumitest.Resource) {
			s.require(r.Text("webAclId") == "" || slices.ContainsFunc(s.ByType("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration"), func(l *pulumitest.Resource) bool {
				return l.Text("resourceArn") == r.Text("webAclId")
			}), r, "that of this distribution does not")
		})
	}},
	{"S3.2", "buckets have no public read access", func(s *audit) { s.publicAccess("s3:Get", "s3:List") }},
	{"S3.3", "buckets have no public write access", func(s *audit) { s.publicAccess("s3:Put", "s3:Delete", "s3:Replicate", "s3:Abort", "s3:Restore") }},
	{"S3.5", "buckets refuse plain HTTP", func(s *audit) {
		policies := s.documents()
		s.each(bucketType, func(bucket *pulumitest.Resource) {
			refuses := slices.ContainsFunc(policies, func(st statement) bool {
				arn := bucketARN(bucket)
				return st.effect == "Deny" && st.on.Type == bucketPolicy && st.on.Text("bucket") == bucket.ID &&
					slices.Equal(st.principals, []string{"*"}) && len(st.actions) == 1 && strings.EqualFold(st.actions[0], "s3:*") &&
					slices.Contains(st.resources, arn) && slices.Contains(st.resources, arn+"/*") &&
					len(st.conditions) == 1 && len(st.conditions["Bool"]) == 1 && slices.Equal(words(st.conditions["Bool"]["aws:SecureTransport"]), []string{"false"})
			})
			s.require(refuses, bucket, "its policy does not")
		})
	}},
	{"S3.8", "buckets block public access", func(s *audit) {
		s.each(bucketType, func(bucket *pulumitest.Resource) {
			blocks := s.referring(accessType, "bucket", bucket)
			s.require(len(blocks) == 1, bucket, "%d public access blocks", len(blocks))
			for _, b := range blocks {
				for _, setting := range []string{"blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets"} {
					s.require(b.Text(setting) == "true", bucket, "%s is %q", setting, b.Text(setting))
				}
			}
		})
	}},
	{"S3.9", "buckets log access", func(s *audit) {
		s.each(bucketType, func(bucket *pulumitest.Resource) {
			s.require(slices.ContainsFunc(s.referring(loggingType, "bucket", bucket), func(r *pulumitest.Resource) bool {
				return r.Text("targetBucket") != "" && r.Text("targetBucket") != bucket.ID
			}), bucket, "does not")
		})
	}},
	{"S3.13", "buckets have a lifecycle", func(s *audit) {
		s.each(bucketType, func(bucket *pulumitest.Resource) {
			s.require(slices.ContainsFunc(s.referring(lifecycleType, "bucket", bucket), func(r *pulumitest.Resource) bool {
				return slices.ContainsFunc(inputs(r), func(l leaf) bool { return strings.HasSuffix(l.path, "].status") && l.text == "Enabled" })
			}), bucket, "no rule is enabled")
		})
	}},
	{"Lambda.1", "only the account calls functions", func(s *audit) {
		s.has(functionType)
		s.each(permitType, func(r *pulumitest.Resource) {
			s.require(r.Text("principal") != "*", r, "lets every principal call")
			if r.Text("principal") == "s3.amazonaws.com" {
				s.require(regexp.MustCompile(`^\d{12}$`).MatchString(r.Text("sourceAccount")), r, "does not limit the calling bucket to an account")
			}
		})
		s.any(func(r *pulumitest.Resource) {
			s.require(r.Text("authorizationType") == "AWS_IAM", r, "answers without authorization")
		}, "aws:lambda/functionUrl:FunctionUrl")
	}},
	{"Lambda.2", "functions use supported runtimes", func(s *audit) {
		// Lambda developer guide, "Lambda runtimes": Amazon Linux 2023 until 2029-06-30.
		supported := []string{"provided.al2023"}
		s.each(functionType, func(r *pulumitest.Resource) {
			s.require(slices.Contains(supported, r.Text("runtime")) || r.Text("packageType") == "Image", r, "runtime %q", r.Text("runtime"))
		})
	}},
	{"KMS.1", "no identity decrypts with every KMS key", func(s *audit) {
		for _, st := range s.allowed(rolePolicy) {
			decrypts := slices.ContainsFunc([]string{"kms:Decrypt", "kms:ReEncryptFrom"}, func(a string) bool { return matches(st.actions, a) }) || len(st.notActions) > 0
			all := len(st.notTargets) > 0 || slices.ContainsFunc(st.resources, func(r string) bool { return wholeService(r) || strings.HasSuffix(r, ":key/*") })
			s.require(!st.identity || !decrypts || !all, st.on, "%s", st)
		}
	}},
	{"IAM.1", "no identity is a full administrator", func(s *audit) {
		for _, st := range s.allowed(rolePolicy) {
			everything := slices.Contains(st.actions, "*") && slices.Contains(st.resources, "*") || len(st.notActions) > 0
			s.require(!st.identity || !everything, st.on, "%s", st)
		}
		s.any(func(r *pulumitest.Resource) {
			for _, l := range inputs(r) {
				s.require(!regexp.MustCompile(`:policy/(AdministratorAccess|PowerUserAccess|IAMFullAccess)$`).MatchString(l.text), r, "%s", l.text)
			}
		}, roleType, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws:iam/policyAttachment:PolicyAttachment", "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive")
	}},
	{"IAM.21", "no identity has all of a service's actions", func(s *audit) {
		for _, st := range s.allowed(rolePolicy) {
			for _, a := range st.actions {
				s.require(!st.identity || !strings.HasSuffix(a, ":*"), st.on, "%s: %s", st, a)
			}
		}
	}},
	{"CKV_AWS_46", "user data holds no secret", func(s *audit) {
		check := func(r *pulumitest.Resource) {
			plain, _, err := script(r)
			s.require(err == nil, r, "user data: %v", err)
			s.require(len(secretsIn(plain)) == 0, r, "user data: %s", secretsIn(plain))
		}
		s.each(instanceType, check)
		s.each(templateType, check)
		s.any(check, launchType)
	}},
	{"CKV_AWS_79", "IMDSv1 is off", requireIMDSv2},
	{"CKV_AWS_88", "instances have no public address", noPublicAddress},
	{"CKV_AWS_131", "load balancers drop invalid header fields", dropInvalidHeaders},
	{"CKV_AWS_115", "functions limit their concurrency", every(functionType, "does not", func(r *pulumitest.Resource) bool {
		n := r.Input("reservedConcurrentExecutions")
		return n.IsNumber() && n.NumberValue() >= 0
	})},
	{"CKV_AWS_116", "failed events go to a queue", func(s *audit) {
		s.each(functionType, func(fn *pulumitest.Resource) {
			// A failure destination is Lambda's newer form of a dead-letter queue; its messages hold the reason.
			caught := fn.Text("deadLetterConfig.targetArn") != "" || slices.ContainsFunc(s.referring(eventsType, "functionName", fn), func(r *pulumitest.Resource) bool {
				return r.Text("destinationConfig.onFailure.destination") != ""
			})
			s.require(caught, fn, "has neither a dead-letter queue nor a failure destination")
		})
	}},

	{"kinds", "every resource is of a type that these controls check, and keeps no key in the state", func(s *audit) {
		s.has(vpcType)
		for _, r := range s.Resources {
			s.require(forbiddenTypes[r.Type] == "", r, "%s: %s", r.Type, forbiddenTypes[r.Type])
		}
	}},
	{"wildcard-action", "no policy allows * actions", func(s *audit) {
		for _, st := range s.allowed(rolePolicy, bucketPolicy, keyType) {
			s.require(len(st.notActions) == 0, st.on, "%s allows all except some actions", st)
			for _, a := range st.actions {
				s.require(!strings.ContainsAny(a, "*?"), st.on, "%s: %s", st, a)
			}
		}
	}},
	{"wildcard-resource", "identities name the resources of actions that take an ARN", func(s *audit) {
		for _, st := range s.allowed(rolePolicy) {
			if !st.identity || !slices.ContainsFunc(st.resources, wholeService) && len(st.notTargets) == 0 {
				continue
			}
			for _, a := range st.actions {
				s.require(slices.Contains(withoutARN, a) || slices.Contains(accountWide, a), st.on, "%s: %s on every resource", st, a)
			}
		}
	}},
	{"status", "the database hosts alone write their reports, and nothing else under that prefix", func(s *audit) {
		own, others := "", []string{}
		s.each(bucketType, func(r *pulumitest.Resource) {
			if r.Name == "storage-artifacts" {
				arn := "arn:aws:s3:::" + r.Text("bucket") + "/"
				own, others = arn+contract.StatusKey(contract.DatabaseRole("*")), []string{
					arn + contract.StatusKey(contract.DatabaseRole("us-east-1a")), arn + contract.ReportKey("us-east-1a"), arn + contract.StatusKey("api"), arn + contract.StatusPrefix + "a/b"}
			}
		})
		writers := 0
		for _, st := range s.allowed(rolePolicy) {
			// A boundary allows nothing by itself.
			if !st.identity || !matches(st.actions, "s3:PutObject") || strings.HasSuffix(st.on.Name, "-boundary") {
				continue
			}
			for _, resource := range st.resources {
				if slices.ContainsFunc(append(others, own), func(arn string) bool { return likeARN(resource, arn) }) {
					s.require(st.on.Name == "iam-database-artifacts" && resource == own, st.on, "%s: %s", st, resource)
					writers++
				}
			}
		}
		s.expect(writers > 0, "iam-database-artifacts", "does not write the status")
	}},
	{"cluster-secrets", "the database hosts alone read and write the cluster's secrets, and decrypt them", func(s *audit) {
		secrets, database := "", ""
		s.each(bucketType, func(r *pulumitest.Resource) {
			if r.Name == "storage-artifacts" {
				secrets = "arn:aws:s3:::" + r.Text("bucket") + "/" + contract.SecretsKey
			}
		})
		s.each(roleType, func(r *pulumitest.Resource) {
			if r.Name == "iam-database" {
				database = as[string](r.State["arn"])
			}
		})
		readers := 0
		for _, st := range s.allowed(rolePolicy, bucketPolicy) {
			opens := slices.ContainsFunc([]string{"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"}, func(a string) bool { return matches(st.actions, a) })
			// A boundary allows nothing by itself, nor does an endpoint's policy.
			if !opens || !st.identity && st.on.Type != bucketPolicy || strings.HasSuffix(st.on.Name, "-boundary") || !st.reaches(secrets) {
				continue
			}
			s.require(st.on.Name == "iam-database-artifacts", st.on, "%s", st)
			if matches(st.actions, "s3:GetObject") {
				readers++
			}
		}
		s.expect(readers > 0, "iam-database-artifacts", "does not read the secrets")
		for _, st := range s.allowed(keyType) {
			if st.on.Type != keyType {
				continue
			}
			of := words(st.conditions["StringEquals"]["kms:EncryptionContext:aws:s3:arn"])
			s.require(!matches(st.actions, "kms:Decrypt") || len(of) == 1 && (of[0] != secrets || slices.Equal(st.principals, []string{database})), st.on, "%s decrypts %s", st.principals, of)
		}
	}},
	{"trust", "roles are assumed by a service, or by a named principal on conditions", func(s *audit) {
		for _, st := range s.allowed(roleType) {
			if st.on.Type != roleType || st.identity {
				continue
			}
			conditional := slices.ContainsFunc(slices.Collect(maps.Keys(st.conditions)), func(operator string) bool {
				return !strings.HasSuffix(operator, "IfExists") // such a condition holds where the caller leaves the key out
			})
			for _, p := range st.principals {
				s.require(strings.HasSuffix(p, ".amazonaws.com") || !strings.Contains(p, "*") && conditional, st.on, "%s may assume it", p)
			}
		}
	}},
	{"open-ingress", "the internet reaches the distribution alone: nothing in the VPC, and no bucket", func(s *audit) {
		balancerGroups, edge := map[string]bool{}, len(s.ByType(distributionType)) > 0
		s.each(balancerType, func(r *pulumitest.Resource) {
			s.require(!edge || r.Text("internal") == "true", r, "is public")
			for _, id := range texts(list(r, "securityGroups")) {
				balancerGroups[id] = true
			}
		})
		for _, r := range s.rules() {
			s.require(!r.open || balancerGroups[r.group] && !edge, r.on, "admits every address")
		}
		for _, st := range s.allowed(bucketPolicy) {
			if st.on.Type != bucketPolicy {
				continue
			}
			s.require(!slices.Contains(st.principals, "*"), st.on, "%s for every principal", st)
			bound := len(words(st.conditions["StringEquals"]["aws:SourceArn"])) == 1
			s.require(!slices.Contains(st.principals, "cloudfront.amazonaws.com") || bound, st.on, "%s for every distribution", st)
		}
		s.any(func(r *pulumitest.Resource) {
			for _, l := range inputs(r) {
				s.require(!balancerGroups[l.text], r, "is in the load balancer's group (%s)", l.path)
			}
		}, instanceType, templateType)
	}},
	{"secrets", "no input or output holds a secret", func(s *audit) {
		s.has(templateType)
		for _, r := range s.Resources {
			for _, l := range inputs(r) {
				s.require(len(secretsIn(l.text)) == 0, r, "%s: %s", l.path, secretsIn(l.text))
				s.require(!secretName.MatchString(l.path) || l.text == "", r, "%s is named like a secret and is plain text", l.path)
			}
			s.require(len(r.Secrets) == 0, r, "%v are secret: the state must hold no secret", r.Secrets)
		}
		for _, k := range s.Exports.StableKeys() {
			for _, l := range leaves(string(k), s.Exports[k]) {
				s.expect(len(secretsIn(l.text)) == 0, "output "+l.path, "%s", secretsIn(l.text))
			}
		}
	}},
	{"user-data-size", "user data is at most EC2's 16,384 bytes", func(s *audit) {
		withScript := map[string]bool{}
		check := func(r *pulumitest.Resource) {
			_, size, err := script(r)
			s.require(err == nil && size <= 16384, r, "%d bytes, %v", size, err)
			withScript[r.Type] = withScript[r.Type] || size > 0
		}
		s.each(instanceType, check)
		s.each(templateType, check)
		for _, typ := range []string{instanceType, templateType} {
			s.expect(withScript[typ], typ, "the API's or the database's user data is missing")
		}
	}},
	{"rule-description", "every security group and rule has a description", func(s *audit) {
		described := func(r *pulumitest.Resource) {
			s.require(len(r.Text("description")) >= 8, r, "description %q", r.Text("description"))
		}
		s.each(groupType, func(r *pulumitest.Resource) {
			described(r)
			s.require(len(list(r, "ingress"))+len(list(r, "egress")) == 0, r, "has inline rules: make each a resource of its own")
		})
		s.each(ruleType, described)
		s.any(described, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")
	}},
	{"database-routes", "the database tier has no routes", func(s *audit) {
		tables := map[string]bool{}
		found := false
		s.each(subnetType, func(subnet *pulumitest.Resource) {
			if subnet.Text("tags.Tier") != "database" {
				return
			}
			found = true
			associations := s.referring(assocType, "subnetId", subnet)
			s.require(len(associations) == 1, subnet, "%d route tables are associated: without one it uses the VPC's main table", len(associations))
			for _, a := range associations {
				tables[a.Text("routeTableId")] = true
			}
		})
		s.expect(found, subnetType, "none is in the database tier")
		s.each(tableType, func(r *pulumitest.Resource) {
			s.require(!tables[r.ID] || len(list(r, "routes")) == 0, r, "has routes")
		})
		s.each(routeType, func(r *pulumitest.Resource) {
			s.require(!tables[r.Text("routeTableId")], r, "is in the database tier's table")
		})
	}},
}

// forbiddenTypes are types that the controls do not check, with what to use instead.
var forbiddenTypes = map[string]string{
	"aws:s3/bucket:Bucket":                            "use BucketV2 and a resource for each setting",
	"aws:s3/bucketAclV2:BucketAclV2":                  "use the bucket's policy",
	"aws:alb/loadBalancer:LoadBalancer":               "use lb.LoadBalancer",
	"aws:elb/loadBalancer:LoadBalancer":               "use lb.LoadBalancer",
	"aws:ec2/networkInterface:NetworkInterface":       "let the instance create it",
	"aws:ec2/spotInstanceRequest:SpotInstanceRequest": "use a launch template",
	"aws:ec2/spotFleetRequest:SpotFleetRequest":       "use an Auto Scaling group",
	"aws:ec2/fleet:Fleet":                             "use an Auto Scaling group",
	"aws:ec2/keyPair:KeyPair":                         "use EC2 Instance Connect",
	"aws:iam/accessKey:AccessKey":                     "use a role: a user's key would be in the state",
	"aws:iam/user:User":                               "use a role",
	"aws:iam/userLoginProfile:UserLoginProfile":       "use a role: the password would be in the state",
	"aws:secretsmanager/secretVersion:SecretVersion":  "its value would be in the state",
	"aws:ssm/parameter:Parameter":                     "its value would be in the state",
}

// withoutARN are the actions that take no resource, so that a policy can only allow "*" (Service Authorization
// Reference, each service's "Actions" table: no resource type), and ssm:UpdateInstanceInformation, whose resource the
// service does not know when an agent first calls (Systems Manager user guide, "Add Session Manager permissions to an
// existing IAM role").
var withoutARN = []string{
	"ec2:DescribeInstances", "ecr:GetAuthorizationToken", "ecs:DiscoverPollEndpoint", "logs:DescribeLogGroups", "ssm:UpdateInstanceInformation",
	"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
	"xray:PutTelemetryRecords", "xray:PutTraceSegments",
}

func requireIMDSv2(s *audit) {
	check := func(r *pulumitest.Resource) {
		s.require(r.Text("metadataOptions.httpTokens") == "required" || r.Text("metadataOptions.httpEndpoint") == "disabled", r,
			"httpTokens is %q", r.Text("metadataOptions.httpTokens"))
	}
	s.each(instanceType, check)
	s.each(templateType, check)
	s.any(check, launchType)
}

func noPublicAddress(s *audit) {
	addressed := map[string]string{}
	s.any(func(r *pulumitest.Resource) {
		for _, input := range []string{"instance", "instanceId"} {
			addressed[r.Text(input)] = r.Name
		}
	}, addressType, "aws:ec2/eipAssociation:EipAssociation")
	s.each(instanceType, func(r *pulumitest.Resource) {
		s.require(r.Text("associatePublicIpAddress") != "true", r, "gets a public address")
		s.require(addressed[r.ID] == "", r, "has the public address %s", addressed[r.ID])
		if r.Text("associatePublicIpAddress") == "false" {
			return
		}
		for _, subnet := range s.withID(subnetType, r.Text("subnetId")) {
			s.require(subnet.Text("mapPublicIpOnLaunch") != "true", r, "its subnet assigns public addresses")
		}
	})
	s.each(templateType, func(r *pulumitest.Resource) {
		s.require(len(list(r, "networkInterfaces")) > 0, r, "lets the subnet decide on public addresses")
		for i := range list(r, "networkInterfaces") {
			s.require(r.Text(fmt.Sprintf("networkInterfaces[%d].associatePublicIpAddress", i)) == "false", r, "interface %d may get a public address", i)
		}
	})
	s.any(func(r *pulumitest.Resource) {
		s.require(r.Text("associatePublicIpAddress") == "false", r, "may assign public addresses")
	}, launchType)
}

var dropInvalidHeaders = every(balancerType, "does not", func(r *pulumitest.Resource) bool {
	return r.Text("dropInvalidHeaderFields") == "true" || r.Text("loadBalancerType") == "network"
})

// vpcOrigins calls f with each distribution and VPC origin that it uses.
func (s *audit) vpcOrigins(f func(distribution, origin *pulumitest.Resource)) {
	used := 0
	s.each(distributionType, func(r *pulumitest.Resource) {
		for i := range list(r, "origins") {
			for _, origin := range s.withID(vpcOriginType, r.Text(fmt.Sprintf("origins[%d].vpcOriginConfig.vpcOriginId", i))) {
				used++
				f(r, origin)
			}
		}
	})
	s.expect(used > 0, vpcOriginType, "no distribution uses one")
}

// publicAccess reports buckets on which every principal may use actions with these prefixes.
func (s *audit) publicAccess(prefixes ...string) {
	opens := func(st statement) bool {
		return st.effect == "Allow" && slices.Contains(st.principals, "*") && len(st.conditions) == 0 && (len(st.notActions) > 0 ||
			slices.ContainsFunc(st.actions, func(a string) bool {
				return slices.ContainsFunc(prefixes, func(p string) bool {
					literal, _, wild := strings.Cut(a, "*")
					return strings.HasPrefix(a, p) || wild && strings.HasPrefix(p, literal)
				})
			}))
	}
	policies := s.documents()
	s.has(bucketPolicy)
	s.each(bucketType, func(bucket *pulumitest.Resource) {
		blocksPolicies, blocksACLs := false, false
		for _, b := range s.referring(accessType, "bucket", bucket) {
			blocksPolicies = blocksPolicies || b.Text("restrictPublicBuckets") == "true"
			blocksACLs = blocksACLs || b.Text("ignorePublicAcls") == "true"
		}
		for _, st := range policies {
			ofBucket := st.on.Type == bucketPolicy && st.on.Text("bucket") == bucket.ID
			s.require(!ofBucket || !opens(st) || blocksPolicies, bucket, "%s allows every principal", st)
		}
		// Without the block, an ACL that is added later opens the bucket.
		s.require(blocksACLs, bucket, "public ACLs are not ignored")
	})
}

func bucketARN(bucket *pulumitest.Resource) string { return "arn:aws:s3:::" + bucket.ID }

// wholeService reports whether a policy's resource is everything, or everything of a service.
func wholeService(arn string) bool {
	parts := strings.SplitN(arn, ":", 6) // arn:partition:service:region:account:resource
	return arn == "*" || len(parts) == 6 && parts[5] == "*"
}

// accessRule is the ingress that a security group's or network ACL's rule allows.
type accessRule struct {
	on       *pulumitest.Resource
	group    string // the security group's id
	protocol string
	from, to int
	open     bool // to every address
}

func (r accessRule) covers(port int) bool {
	switch r.protocol {
	case "-1", "all":
		return true
	case "tcp", "6", "udp", "17":
		return r.from <= port && port <= r.to
	}
	return false
}

// newAccessRule reads a rule from inputs, under the names that the resource types have for them.
func newAccessRule(on *pulumitest.Resource, group string, m resource.PropertyMap) accessRule {
	r := accessRule{on: on, group: group, from: int(as[float64](m["fromPort"])), to: int(as[float64](m["toPort"]))}
	r.protocol = cmp.Or(as[string](m["protocol"]), as[string](m["ipProtocol"]))
	for _, key := range []resource.PropertyKey{"cidrBlock", "ipv6CidrBlock", "cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIpv6"} {
		r.open = r.open || slices.ContainsFunc(leaves("", m[key]), func(l leaf) bool { return strings.HasSuffix(l.text, "/0") })
	}
	return r
}

// rules are the ingress rules of all security groups, from every resource type that holds them. The plan must have some.
func (s *audit) rules() []accessRule {
	s.has(ruleType)
	var all []accessRule
	s.any(func(r *pulumitest.Resource) {
		if r.Type != ruleType || r.Text("type") == "ingress" {
			all = append(all, newAccessRule(r, r.Text("securityGroupId"), r.Inputs))
		}
	}, ruleType, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
	s.any(func(r *pulumitest.Resource) {
		for _, e := range list(r, "ingress") {
			all = append(all, newAccessRule(r, r.ID, e.ObjectValue()))
		}
	}, groupType, defaultType)
	return all
}

// launchTemplateIDs are the launch templates of an Auto Scaling group.
func launchTemplateIDs(group *pulumitest.Resource) []string {
	mixed := group.Text("mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.launchTemplateId")
	return slices.DeleteFunc([]string{group.Text("launchTemplate.id"), mixed}, func(id string) bool { return id == "" })
}

// matches reports whether a statement's actions, which may hold wildcards, include the action.
func matches(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(strings.ToLower(p), strings.ToLower(action))
		return err == nil && ok
	})
}

var (
	// secretName matches the path of an input that is named like a secret.
	secretName = regexp.MustCompile(`(?i)(^|[._a-z])(password|passwd|secret|secretkey|privatekey|accesskey|apikey|jwtkey|authtoken)$`)

	secretForms = map[string]*regexp.Regexp{
		"an AWS access key id":     regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`),
		"an AWS secret access key": regexp.MustCompile(`(?i)secret_?access_?key["']?\s*[=:]\s*["']?[A-Za-z0-9/+]{40}\b`),
		"a private key":            regexp.MustCompile(`-----BEGIN ([A-Z]+ )*PRIVATE KEY-----`),
		"a URI with a password":    regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^/\s:@"'$<{]+:[^/\s@"'$<{]+@`),
		"a JSON web token":         regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}`),
		"a plain-text password":    regexp.MustCompile(`(?i)\b[A-Z_]*(PASSWORD|SECRET|JWT_?KEY|API_?KEY|AUTH_?TOKEN)=["']?[A-Za-z0-9/+!@#%^&*_-]{8,}`),
		"a GitHub token":           regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{36}\b`),
	}
)

func secretsIn(text string) []string {
	var found []string
	for what, form := range secretForms {
		if form.MatchString(text) {
			found = append(found, what)
		}
	}
	slices.Sort(found)
	return found
}
