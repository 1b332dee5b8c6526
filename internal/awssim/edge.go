package awssim

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	vpcOrigin           = "aws:cloudfront/vpcOrigin:VpcOrigin"
	distribution        = "aws:cloudfront/distribution:Distribution"
	accessControl       = "aws:cloudfront/originAccessControl:OriginAccessControl"
	headersPolicy       = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"
	webACL              = "aws:wafv2/webAcl:WebAcl"
	deliverySource      = "aws:cloudwatch/logDeliverySource:LogDeliverySource"
	deliveryDestination = "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination"
)

// edgeRegion is the region of what CloudFront uses: certificates, web ACLs and log deliveries.
const edgeRegion = "us-east-1"

// edgeKinds are CloudFront, AWS WAF and the delivery of CloudFront's access logs. A property that is not in replace is changed in
// place by the provider, names included.
var edgeKinds = map[string]kind{
	vpcOrigin: {
		id: func(d *draft) string { return "vo_" + d.hash("id", 22) }, arn: "cloudfront::{account}:vpcorigin/{id}", tagged: true,
		outputs: etag, moving: []string{"etag"},
		needs:   need1("vpcOriginEndpointConfig.arn", "aws:lb/loadBalancer:LoadBalancer", "aws:ec2/instance:Instance"),
		missing: map[string]string{"vpcOriginEndpointConfig.arn": "InvalidArgument"},
		inUse:   "CannotDeleteEntityWhileInUse",
		refuse:  refuseVPCOrigin, refuseUpdate: refuseVPCOriginUpdate,
	},
	distribution: {
		id: cloudFrontID, arn: "cloudfront::{account}:distribution/{id}", tagged: true,
		outputs: func(d *draft) {
			etag(d)
			d.set("domainName", "d"+d.hash("domain", 13)+".cloudfront.net")
			d.set("hostedZoneId", "Z2FDTNDATAQYW2") // the same for every distribution
			d.set("callerReference", "terraform-"+number(d.req.seed(), 26))
			d.set("continuousDeploymentPolicyId", "")
			d.set("inProgressValidationBatches", num(0))
			d.set("lastModifiedTime", stamp)
			d.set("status", "Deployed")
			d.set("httpVersion", "http2")
			d.set("isIpv6Enabled", false)
			d.set("priceClass", "PriceClass_All")
			d.set("retainOnDelete", false)
			d.set("staging", false)
			d.set("waitForDeployment", true)
			nobody := resource.NewProperty([]resource.PropertyValue{resource.NewProperty(Properties{"enabled": resource.NewProperty(false)})})
			d.set("trustedKeyGroups", nobody)
			d.set("trustedSigners", nobody)
		},
		replace: []string{"staging"}, moving: []string{"etag"},
		needs: []need{
			{"origins.originAccessControlId", []string{accessControl}},
			{"origins.vpcOriginConfig.vpcOriginId", []string{vpcOrigin}},
			{"defaultCacheBehavior.responseHeadersPolicyId", []string{headersPolicy}},
			{"orderedCacheBehaviors.responseHeadersPolicyId", []string{headersPolicy}},
			{"viewerCertificate.acmCertificateArn", []string{"aws:acm/certificate:Certificate"}},
			{"webAclId", []string{webACL}},
		},
		// CloudFront API reference, "CreateDistribution", errors.
		missing: map[string]string{
			"origins.originAccessControlId":                 "InvalidOriginAccessControl",
			"origins.vpcOriginConfig.vpcOriginId":           "EntityNotFound",
			"defaultCacheBehavior.responseHeadersPolicyId":  "NoSuchResponseHeadersPolicy",
			"orderedCacheBehaviors.responseHeadersPolicyId": "NoSuchResponseHeadersPolicy",
			"viewerCertificate.acmCertificateArn":           "InvalidViewerCertificate",
			"webAclId":                                      "InvalidWebACLId",
		},
		// "DeleteDistribution" does not say whether a delivery source is such a use. The model refuses, as a source without a
		// distribution would remain.
		inUse:        "ResourceInUse",
		refuse:       func(a *Account, in Properties) error { return a.refuseDistribution("", in) },
		refuseUpdate: func(a *Account, old Resource, in Properties) error { return a.refuseDistribution(old.ID, in) },
	},
	accessControl: {
		id: cloudFrontID, arn: "cloudfront::{account}:origin-access-control/{id}", name: naming{property: "name", limit: 64},
		outputs: func(d *draft) {
			etag(d)
			d.set("description", "Managed by Pulumi")
		},
		moving: []string{"etag"}, unique: pick("name"), inUse: "OriginAccessControlInUse",
	},
	headersPolicy: {
		id:  func(d *draft) string { return uuid(d.hash("id", 32)) },
		arn: "cloudfront::{account}:response-headers-policy/{id}", name: naming{property: "name", limit: 128},
		outputs: etag, moving: []string{"etag"}, unique: pick("name"), inUse: "ResponseHeadersPolicyInUse",
	},
	"aws:cloudfront/monitoringSubscription:MonitoringSubscription": {
		id: same("distributionId"), replace: []string{"distributionId"}, unique: pick("distributionId"), part: "distributionId",
		needs: need1("distributionId", distribution), missing: map[string]string{"distributionId": "NoSuchDistribution"},
	},
	webACL: {
		id: func(d *draft) string { return uuid(d.hash("id", 32)) }, tagged: true, name: naming{property: "name", limit: 128},
		outputs: func(d *draft) {
			region, scope := d.cloud.region(), "regional"
			if d.text("scope") == "CLOUDFRONT" {
				region, scope = edgeRegion, "global"
			}
			d.set("arn", d.expand("wafv2:"+region+":{account}:"+scope+"/webacl/{name}/{id}"))
			d.set("lockToken", uuid(d.hash("lock", 32)))
			d.set("applicationIntegrationUrl", "")
			d.state["capacity"] = num(capacity(d.state))
		},
		replace: []string{"name", "namePrefix", "scope"}, moving: []string{"lockToken"}, unique: pick("scope", "name"),
		inUse:  "WAFAssociatedItemException",
		refuse: refuseWebACL, refuseUpdate: onUpdate(refuseWebACL),
	},
	"aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration": {
		id: same("resourceArn"), replace: []string{"logDestinationConfigs", "resourceArn"}, unique: pick("resourceArn"), part: "resourceArn",
		needs: need1("resourceArn", webACL), missing: map[string]string{"resourceArn": "WAFNonexistentItemException"},
		refuse: refuseWebACLLogging,
	},
	deliverySource: {
		id: same("name"), arn: "logs:{region}:{account}:delivery-source:{name}", tagged: true, name: naming{property: "name", limit: 60},
		outputs: func(d *draft) { d.set("service", arnService(d.text("resourceArn"))) },
		replace: []string{"logType", "name", "resourceArn"}, unique: pick("name"),
		needs: need1("resourceArn", distribution), missing: map[string]string{"resourceArn": "ResourceNotFoundException"},
		inUse: "ConflictException", refuse: refuseDeliverySource, // CloudWatch Logs API reference, "DeleteDeliverySource"
	},
	deliveryDestination: {
		id: same("name"), arn: "logs:{region}:{account}:delivery-destination:{name}", tagged: true, name: naming{property: "name", limit: 60},
		outputs: func(d *draft) { d.set("deliveryDestinationType", destinationTypes[arnService(destinationOf(d.state))]) },
		replace: []string{"name", "outputFormat"}, replaces: replacedDestination, unique: pick("name"),
		inUse:  "ConflictException",
		refuse: refuseDeliveryDestination, refuseUpdate: onUpdate(refuseDeliveryDestination),
	},
	"aws:cloudwatch/logDelivery:LogDelivery": {
		id: func(d *draft) string { return d.hash("id", 16) }, arn: "logs:{region}:{account}:delivery:{id}", tagged: true,
		outputs: func(d *draft) { d.set("fieldDelimiter", "") },
		replace: []string{"deliveryDestinationArn", "deliverySourceName"},
		needs:   []need{{"deliverySourceName", []string{deliverySource}}, {"deliveryDestinationArn", []string{deliveryDestination}}},
		missing: map[string]string{"deliverySourceName": "ResourceNotFoundException", "deliveryDestinationArn": "ResourceNotFoundException"},
		refuse:  refuseDelivery,
	},
}

// managedHeadersPolicies are the ids of the response headers policies that CloudFront provides (CloudFront developer guide, "Use
// managed response headers policies").
var managedHeadersPolicies = []string{
	"60669652-455b-4ae9-85a4-c4c02393f86c", // SimpleCORS
	"5cc3b908-e619-4b99-88e5-2cf7f45965bd", // CORS-With-Preflight
	"67f7725c-6f97-4210-82d7-5512b31e9d03", // SecurityHeadersPolicy
	"e61eb60c-9c35-4d20-a928-2b84e02af89c", // CORS-and-SecurityHeadersPolicy
	"eaab4381-ed33-4a86-88ca-d9558dc6cd63", // CORS-with-preflight-and-SecurityHeadersPolicy
}

func cloudFrontID(d *draft) string { return "E" + strings.ToUpper(d.hash("id", 13)) }

func etag(d *draft) { d.set("etag", "E"+strings.ToUpper(d.hash("etag", 13))) }

// refuseVPCOrigin refuses an origin in a VPC without an internet gateway, which CloudFront requires although no traffic uses it
// (CloudFront developer guide, "Restrict access with VPC origins"). The page does not name the error code.
func refuseVPCOrigin(a *Account, in Properties) error {
	for _, arn := range named(in, "vpcOriginEndpointConfig.arn") {
		for _, b := range a.ofType("aws:lb/loadBalancer:LoadBalancer") {
			if vpc := text(b.State, "vpcId"); b.is(arn) && !a.hasGateway(vpc) {
				return refusal("InvalidArgument", "The VPC %s of the VPC origin %s has no internet gateway", vpc, arn)
			}
		}
	}
	return nil
}

// refuseVPCOriginUpdate refuses the change of an origin that a distribution uses (CloudFront API reference, "UpdateVpcOrigin").
// The provider changes tags by another request, which CloudFront accepts.
func refuseVPCOriginUpdate(a *Account, old Resource, in Properties) error {
	if in["vpcOriginEndpointConfig"].DeepEquals(old.State["vpcOriginEndpointConfig"]) {
		return nil
	}
	for _, d := range a.ofType(distribution) {
		if slices.Contains(named(d.State, "origins.vpcOriginConfig.vpcOriginId"), old.ID) {
			return refusal("CannotUpdateEntityWhileInUse", "The specified VPC origin is currently associated with one or more distributions (%s). "+
				"Please disassociate the VPC origin from all distributions before updating or deleting", d.ID)
		}
	}
	return refuseVPCOrigin(a, in)
}

// refuseDistribution refuses the state of a distribution, "" for a new one (CloudFront developer guide, "Requirements for using
// alternate domain names"; CloudFront API reference, "CreateDistribution").
func (a *Account) refuseDistribution(id string, in Properties) error {
	aliases := list(in, "aliases")
	for _, other := range a.ofType(distribution) {
		for _, alias := range list(other.State, "aliases") {
			if other.ID != id && slices.ContainsFunc(aliases, func(mine string) bool { return strings.EqualFold(mine, alias) }) {
				return refusal("CNAMEAlreadyExists", "One or more of the CNAMEs you provided are already associated with a different resource (%s: %s).",
					other.ID, alias)
			}
		}
	}
	origins := append(named(in, "origins.originId"), named(in, "originGroups.originId")...)
	for _, target := range append(named(in, "defaultCacheBehavior.targetOriginId"), named(in, "orderedCacheBehaviors.targetOriginId")...) {
		if !slices.Contains(origins, target) {
			return refusal("NoSuchOrigin", "One or more of your origins or origin groups do not exist (%s).", target)
		}
	}
	if acl := text(in, "webAclId"); strings.HasPrefix(acl, "arn:") && (arnRegion(acl) != edgeRegion || !strings.Contains(acl, ":global/webacl/")) {
		return refusal("InvalidWebACLId", "Web ACL %s is not of scope CLOUDFRONT", acl)
	}
	return a.refuseViewerCertificate(aliases, in)
}

// refuseViewerCertificate refuses alternate domain names that no certificate covers, and a certificate that CloudFront cannot use:
// one of another region, or one that ACM has not issued yet.
func (a *Account) refuseViewerCertificate(aliases []string, in Properties) error {
	certificates := named(in, "viewerCertificate.acmCertificateArn")
	if len(certificates) == 0 {
		if len(aliases) > 0 && len(named(in, "viewerCertificate.iamCertificateId")) == 0 {
			return refusal("InvalidViewerCertificate", "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a "+
				"trusted certificate that validates your authorization to use the domain name.")
		}
		return nil
	}
	arn := certificates[0]
	state, _ := a.find(arn)
	if arnRegion(arn) != edgeRegion || !a.issued(arn, state) {
		return refusal("InvalidViewerCertificate", "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or "+
			"doesn't include a valid certificate chain (%s).", arn)
	}
	names := append(list(state, "subjectAlternativeNames"), text(state, "domainName"))
	for _, alias := range aliases {
		if !slices.ContainsFunc(names, func(name string) bool { return covers(name, alias) }) {
			return refusal("InvalidViewerCertificate", "The certificate that is attached to your distribution doesn't cover the alternate domain "+
				"name (CNAME) that you're trying to add (%s).", alias)
		}
	}
	return nil
}

// issued reports whether a certificate is imported, or a resource has waited for its validation.
func (a *Account) issued(arn string, state Properties) bool {
	if state.HasValue("privateKey") {
		return true
	}
	for _, v := range a.ofType("aws:acm/certificateValidation:CertificateValidation") {
		if text(v.State, "certificateArn") == arn {
			return true
		}
	}
	return false
}

// covers reports whether a certificate's name, perhaps with a wildcard for one label, covers a host name.
func covers(name, host string) bool {
	if parent, ok := strings.CutPrefix(name, "*."); ok {
		_, rest, dotted := strings.Cut(host, ".")
		return dotted && strings.EqualFold(rest, parent)
	}
	return strings.EqualFold(name, host)
}

// capacities are the web ACL capacity units of AWS's rule groups (AWS WAF developer guide, "AWS Managed Rules rule groups list").
var capacities = map[string]int{
	"AWSManagedRulesCommonRuleSet": 700, "AWSManagedRulesAdminProtectionRuleSet": 100, "AWSManagedRulesKnownBadInputsRuleSet": 200,
	"AWSManagedRulesSQLiRuleSet": 200, "AWSManagedRulesLinuxRuleSet": 200, "AWSManagedRulesUnixRuleSet": 100,
	"AWSManagedRulesWindowsRuleSet": 200, "AWSManagedRulesPHPRuleSet": 100, "AWSManagedRulesWordPressRuleSet": 100,
	"AWSManagedRulesAmazonIpReputationList": 25, "AWSManagedRulesAnonymousIpList": 50, "AWSManagedRulesATPRuleSet": 50,
	"AWSManagedRulesACFPRuleSet": 50, "AWSManagedRulesBotControlRuleSet": 50, "AWSManagedRulesAntiDDoSRuleSet": 50,
}

// capacity returns the capacity units that a web ACL's rules use: of AWS's rule groups and rate limits the documented ones, 1 of
// any other statement, which AWS may count higher.
func capacity(in Properties) (units int) {
	for _, rule := range objects(in["rules"]) {
		for _, statement := range objects(resource.NewProperty([]resource.PropertyValue{rule["statement"]})) {
			groups := named(statement, "managedRuleGroupStatement.name")
			switch {
			case len(groups) > 0:
				units += capacities[groups[0]]
			case statement.HasValue("rateBasedStatement"):
				units += 2
			default:
				units++
			}
		}
	}
	return units
}

// refuseWebACL refuses a web ACL for CloudFront outside us-east-1 (AWS WAF API reference, "CreateWebACL", Scope), rules that AWS WAF
// does not accept (AWS WAF developer guide, "Setting rule priority in a web ACL" and "Rule actions in AWS WAF"), and more capacity
// than a web ACL has ("AWS WAF quotas").
func refuseWebACL(a *Account, in Properties) error {
	const invalid = "Error reason: %s, field: %s, parameter: %v"
	if text(in, "scope") == "CLOUDFRONT" && a.cloud().region() != edgeRegion {
		return refusal("WAFInvalidParameterException", invalid, "The scope is not valid.", "SCOPE_VALUE", "CLOUDFRONT")
	}
	var priorities []float64
	for _, rule := range objects(in["rules"]) {
		if p := rule["priority"]; p.IsNumber() {
			if slices.Contains(priorities, p.NumberValue()) {
				return refusal("WAFInvalidParameterException", invalid, "You have used the same priority for two rules.", "RULE", p.NumberValue())
			}
			priorities = append(priorities, p.NumberValue())
		}
		// A rule group has actions of its own, which an override replaces.
		group := len(named(rule, "statement.managedRuleGroupStatement.name"))+len(named(rule, "statement.ruleGroupReferenceStatement.arn")) > 0
		if rule.HasValue("action") == group || rule.HasValue("overrideAction") != group {
			return refusal("WAFInvalidParameterException", invalid, "A rule group has an override action, any other rule an action.", "RULE",
				text(rule, "name"))
		}
	}
	if units := capacity(in); units > 5000 {
		return refusal("WAFLimitsExceededException", "the rules use %d of 5000 web ACL capacity units", units)
	}
	return nil
}

// refuseWebACLLogging refuses log destinations that AWS WAF cannot use (AWS WAF developer guide, "Logging AWS WAF web ACL traffic"
// and "Logging destinations"): other than one, with another name than aws-waf-logs-…, that does not exist, or in another region
// than the web ACL's.
func refuseWebACLLogging(a *Account, in Properties) error {
	const invalid = "Error reason: %s, field: LOG_DESTINATION, parameter: %s"
	destinations := list(in, "logDestinationConfigs")
	if len(destinations) != 1 {
		return refusal("WAFInvalidParameterException", invalid, "A web ACL has one log destination.", strings.Join(destinations, ", "))
	}
	arn := destinations[0]
	name := lastOf(strings.TrimSuffix(arn, ":*"), ":")
	exists := true
	switch arnService(arn) {
	case "logs":
		exists = a.has([]string{"aws:cloudwatch/logGroup:LogGroup"}, strings.TrimSuffix(arn, ":*"))
	case "s3":
		exists = a.has([]string{"aws:s3/bucketV2:BucketV2"}, arn)
	case "firehose":
		name = strings.TrimPrefix(name, "deliverystream/")
	default:
		name = ""
	}
	switch {
	case !strings.HasPrefix(name, "aws-waf-logs-"):
		return refusal("WAFInvalidParameterException", invalid, "The ARN isn't valid: the name of a log destination starts with aws-waf-logs-.", arn)
	case !exists:
		return refusal("WAFNonexistentItemException", "AWS WAF couldn't find the log destination %s", arn)
	case elsewhere(arn, text(in, "resourceArn")):
		return refusal("WAFInvalidParameterException", invalid, "The log destination is in another region than the web ACL.", arn)
	}
	return nil
}

// refuseDeliverySource refuses a source for CloudFront outside us-east-1, and a second one for a distribution (CloudFront developer
// guide, "Configure standard logging (v2)").
func refuseDeliverySource(a *Account, in Properties) error {
	of := text(in, "resourceArn")
	if region := a.cloud().region(); arnService(of) == "cloudfront" && region != edgeRegion {
		return refusal("ValidationException", "PutDeliverySource action is not supported for this LogType in region %s", region)
	}
	for _, o := range a.ofType(deliverySource) {
		if text(o.State, "resourceArn") == of && text(o.State, "logType") == text(in, "logType") {
			return refusal("ConflictException", "This ResourceId has already been used in another Delivery Source in this account (%s).", o.ID)
		}
	}
	return nil
}

// destinationTypes are the types of delivery destinations by the service of their ARN.
var destinationTypes = map[string]string{"logs": "CWL", "s3": "S3", "firehose": "FH"}

// destinationOf returns the ARN of a delivery destination's log group, bucket or stream.
func destinationOf(in Properties) string {
	if arns := named(in, "deliveryDestinationConfiguration.destinationResourceArn"); len(arns) > 0 {
		return arns[0]
	}
	return ""
}

// replacedDestination reports whether another resource replaces a delivery destination: where it is of another service, or unknown
// in a preview.
func replacedDestination(olds, news Properties, path string) bool {
	return strings.HasPrefix(path, "deliveryDestinationConfiguration") &&
		(news["deliveryDestinationConfiguration"].ContainsUnknowns() || arnService(destinationOf(olds)) != arnService(destinationOf(news)))
}

// refuseDeliveryDestination refuses a log group or bucket that does not exist. The ARN of a bucket may end in a prefix.
func refuseDeliveryDestination(a *Account, in Properties) error {
	arn := destinationOf(in)
	exists := true
	switch service := arnService(arn); {
	case destinationTypes[service] == "":
		return refusal("ValidationException", "The destination %q is no log group, bucket or delivery stream", arn)
	case text(in, "outputFormat") == "parquet" && service != "s3":
		return refusal("ValidationException", "Only Amazon S3 takes logs in Apache Parquet (%s)", arn)
	case service == "logs":
		exists = a.has([]string{"aws:cloudwatch/logGroup:LogGroup"}, strings.TrimSuffix(arn, ":*"))
	case service == "s3":
		bucket, _, _ := strings.Cut(arn, "/")
		exists = a.has([]string{"aws:s3/bucketV2:BucketV2"}, bucket)
	}
	if !exists {
		return refusal("ResourceNotFoundException", "The destination %s does not exist", arn)
	}
	return nil
}

// refuseDelivery refuses a delivery in another region than its source and destination, and a source's second one to destinations of
// a type (CloudFront developer guide, "Configure standard logging (v2)": a source has "deliveries to destination type that you want";
// the code is that of a resource that exists in "CreateDelivery").
func refuseDelivery(a *Account, in Properties) error {
	to := func(arn string) string {
		for _, d := range a.ofType(deliveryDestination) {
			if d.is(arn) {
				return text(d.State, "deliveryDestinationType")
			}
		}
		return ""
	}
	region := a.cloud().region()
	source, arn := text(in, "deliverySourceName"), text(in, "deliveryDestinationArn")
	if !slices.ContainsFunc(a.ofType(deliverySource), func(s Resource) bool { return s.ID == source && arnRegion(text(s.State, "arn")) == region }) {
		return refusal("ResourceNotFoundException", "Requested Delivery Source %s does not exist in %s", source, region)
	}
	if arnRegion(arn) != region {
		return refusal("ValidationException", "The Delivery Destination %s is not in %s", arn, region)
	}
	for _, o := range a.ofType("aws:cloudwatch/logDelivery:LogDelivery") {
		if text(o.State, "deliverySourceName") == source && to(text(o.State, "deliveryDestinationArn")) == to(arn) {
			return refusal("ConflictException", "Delivery source %s already has the delivery %s to a destination of type %s", source, o.ID, to(arn))
		}
	}
	return nil
}

// arnService and arnRegion return a part of an ARN, "" where there is none.
func arnService(arn string) string { return arnPart(arn, 2) }
func arnRegion(arn string) string  { return arnPart(arn, 3) }

func arnPart(arn string, i int) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[i]
	}
	return ""
}
