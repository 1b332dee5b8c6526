package awssim

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

var balancerKinds = map[string]kind{
	"aws:lb/loadBalancer:LoadBalancer": {
		id:     arnID("elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/"),
		tagged: true, name: naming{property: "name", limit: 32},
		outputs: func(d *draft) {
			d.set("loadBalancerType", "application")
			short := map[string]string{"application": "app", "network": "net", "gateway": "gwy"}[d.text("loadBalancerType")]
			suffix := short + "/" + d.text("name") + "/" + d.hash("arn", 16)
			d.id = d.expand("elasticloadbalancing:{region}:{account}:loadbalancer/" + suffix)
			d.set("arn", d.id)
			d.set("arnSuffix", suffix)
			d.set("internal", false)
			host := d.text("name") + "-" + number(d.req.seed(), 10) + d.expand(".{region}.elb.amazonaws.com")
			if d.on("internal") {
				host = "internal-" + host
			}
			d.set("dnsName", host)
			d.set("zoneId", loadBalancerHostedZone(d.cloud.region()))
			if subnets := list(d.state, "subnets"); len(subnets) > 0 && d.cloud.Find != nil {
				if s, ok := d.cloud.Find(subnets[0]); ok {
					d.set("vpcId", text(s, "vpcId"))
				}
			}
			d.set("vpcId", derived("vpc", d.id))
			d.set("ipAddressType", "ipv4")
			d.set("idleTimeout", num(60))
			d.set("enableDeletionProtection", false)
			d.set("enableHttp2", true)
		},
		inUse:   "ResourceInUse",
		replace: []string{"customerOwnedIpv4Pool", "internal", "loadBalancerType", "name", "namePrefix"},
		unique:  pick("name"),
		refuse:  refuseBalancer,
		keep: keepProtected("enableDeletionProtection", "OperationNotPermitted",
			"Load balancer '%s' cannot be deleted because deletion protection is enabled"),
	},
	"aws:lb/targetGroup:TargetGroup": {
		id:     arnID("elasticloadbalancing:{region}:{account}:targetgroup/{name}/"),
		tagged: true, name: naming{property: "name", limit: 32},
		outputs: func(d *draft) {
			suffix := "targetgroup/" + d.text("name") + "/" + d.hash("arn", 16)
			d.id = d.expand("elasticloadbalancing:{region}:{account}:" + suffix)
			d.set("arn", d.id)
			d.set("arnSuffix", suffix)
			d.set("targetType", "instance")
			d.set("protocolVersion", "HTTP1")
			d.set("ipAddressType", "ipv4")
			d.set("deregistrationDelay", num(300))
			d.set("loadBalancerArns", strs())
		},
		replace: []string{"ipAddressType", "name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId"},
		unique:  pick("name"),
		keep: func(a *Account, r Resource) error {
			for _, t := range []string{"aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule"} {
				for _, o := range a.ofType(t) {
					if mentions(resource.NewProperty(o.Inputs), r.ID) {
						return refusal("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule (%s)", r.ID, o.ID)
					}
				}
			}
			return nil
		},
	},
	"aws:lb/listener:Listener": {
		id: func(d *draft) string {
			return strings.Replace(d.text("loadBalancerArn"), ":loadbalancer/", ":listener/", 1) + "/" + d.hash("arn", 16)
		},
		tagged: true,
		outputs: func(d *draft) {
			d.set("arn", d.id)
			if d.text("certificateArn") != "" {
				d.set("protocol", "HTTPS")
				d.set("sslPolicy", "ELBSecurityPolicy-2016-08")
			}
			d.set("protocol", "HTTP")
		},
		replace: []string{"loadBalancerArn"}, unique: pick("loadBalancerArn", "port"), part: "loadBalancerArn",
		needs:  []need{{"loadBalancerArn", []string{"aws:lb/loadBalancer:LoadBalancer"}}, {"certificateArn", []string{"aws:acm/certificate:Certificate"}}},
		refuse: refuseSecondBalancer, refuseUpdate: onUpdate(refuseSecondBalancer),
	},
	"aws:lb/listenerRule:ListenerRule": {
		id: func(d *draft) string {
			return strings.Replace(d.text("listenerArn"), ":listener/", ":listener-rule/", 1) + "/" + d.hash("arn", 16)
		},
		tagged: true,
		outputs: func(d *draft) {
			d.set("arn", d.id)
			d.set("priority", num(1))
		},
		replace: []string{"listenerArn"}, unique: pick("listenerArn", "priority"), part: "listenerArn",
		needs:  need1("listenerArn", "aws:lb/listener:Listener"),
		refuse: refuseSecondBalancer, refuseUpdate: onUpdate(refuseSecondBalancer),
	},
	"aws:acm/certificate:Certificate": {
		id: func(d *draft) string {
			return d.expand("acm:{region}:{account}:certificate/" + uuid(d.hash("id", 32)))
		},
		tagged: true,
		outputs: func(d *draft) {
			d.set("arn", d.id)
			var options []resource.PropertyValue
			for _, domain := range append([]string{d.text("domainName")}, list(d.state, "subjectAlternativeNames")...) {
				base := strings.TrimPrefix(domain, "*.")
				options = append(options, resource.NewProperty(Properties{
					"domainName":          resource.NewProperty(domain),
					"resourceRecordName":  resource.NewProperty("_" + hash(base, 32) + "." + base + "."),
					"resourceRecordType":  resource.NewProperty("CNAME"),
					"resourceRecordValue": resource.NewProperty("_" + hash("acm"+base, 32) + ".acm-validations.aws."),
				}))
			}
			d.set("domainValidationOptions", resource.NewProperty(options))
			d.set("keyAlgorithm", "RSA_2048")
			d.set("status", "PENDING_VALIDATION")
			d.set("type", "AMAZON_ISSUED")
			d.set("renewalEligibility", "INELIGIBLE")
			d.set("pendingRenewal", false)
			d.set("subjectAlternativeNames", strs(d.text("domainName")))
			d.set("validationEmails", strs())
		},
		inUse: "ResourceInUseException",
		replace: []string{"certificateAuthorityArn", "domainName", "keyAlgorithm", "subjectAlternativeNames", "validationMethod",
			"validationOptions"},
	},
	"aws:acm/certificateValidation:CertificateValidation": {
		id:      func(d *draft) string { return stamp + "-" + d.hash("id", 8) },
		replace: []string{"certificateArn", "validationRecordFqdns"},
	},
	"aws:route53/zone:Zone": {
		id:  func(d *draft) string { return "Z0" + strings.ToUpper(d.hash("zone", 18)) },
		arn: "route53:::hostedzone/{id}", tagged: true,
		outputs: func(d *draft) {
			d.set("zoneId", d.id)
			d.set("comment", "Managed by Pulumi")
			d.set("forceDestroy", false)
			d.set("nameServers", nameServers(d.id))
			d.set("primaryNameServer", "ns-0.awsdns-00.com")
		},
		replace: []string{"delegationSetId", "name"},
		keep: func(a *Account, r Resource) error {
			for _, o := range a.ofType("aws:route53/record:Record") {
				if force := r.State["forceDestroy"]; text(o.State, "zoneId") == r.ID && !(force.IsBool() && force.BoolValue()) {
					return refusal("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets (%s)", o.ID)
				}
			}
			return nil
		},
	},
	"aws:route53/record:Record": {
		id: func(d *draft) string {
			s := d.text("zoneId") + "_" + d.text("name") + "_" + d.text("type")
			if set := d.text("setIdentifier"); set != "" {
				s += "_" + set
			}
			return s
		},
		outputs: func(d *draft) {
			name := strings.TrimSuffix(d.text("name"), ".")
			hostedZone := strings.TrimSuffix(text(d.find("zoneId"), "name"), ".")
			switch {
			case name == "":
				name = hostedZone
			case hostedZone != "" && name != hostedZone && !strings.HasSuffix(name, "."+hostedZone):
				name += "." + hostedZone
			}
			d.set("fqdn", name)
		},
		replace: []string{"name", "zoneId"},
		unique:  pick("zoneId", "name", "type", "setIdentifier"),
	},
}

// refuseBalancer refuses a load balancer in a single availability zone, a public one in a VPC without an internet gateway, and
// access logs to a bucket without a policy.
func refuseBalancer(a *Account, in Properties) error {
	zones := map[string]bool{}
	for _, id := range list(in, "subnets") {
		s, _ := a.find(id)
		zones[text(s, "availabilityZone")] = true
	}
	if text(in, "loadBalancerType") == "application" && in.HasValue("subnets") && len(zones) < 2 {
		return refusal("ValidationError", "At least two subnets in two different Availability Zones must be specified")
	}
	if i := in["internal"]; !(i.IsBool() && i.BoolValue()) && !a.hasGateway(text(in, "vpcId")) {
		return refusal("InvalidSubnet", "VPC %s has no internet gateway", text(in, "vpcId"))
	}
	logs := in["accessLogs"]
	if !logs.IsObject() {
		return nil
	}
	if on := logs.ObjectValue()["enabled"]; on.IsBool() && on.BoolValue() {
		bucket := text(logs.ObjectValue(), "bucket")
		for _, p := range a.ofType("aws:s3/bucketPolicy:BucketPolicy") {
			if text(p.State, "bucket") == bucket {
				return nil
			}
		}
		return refusal("InvalidConfigurationRequest", "Access Denied for bucket: %s. Please check S3bucket permission", bucket)
	}
	return nil
}

// refuseSecondBalancer refuses a listener or a rule that forwards to a target group of another load balancer: a target group
// can belong to one (Elastic Load Balancing, "Target groups for your Application Load Balancers").
func refuseSecondBalancer(a *Account, in Properties) error {
	var taken []string
	walk(resource.NewProperty(in), func(group string) {
		if !strings.Contains(group, ":targetgroup/") {
			return
		}
		for _, t := range []string{"aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule"} {
			for _, o := range a.ofType(t) {
				if a.balancerOf(o.State) != a.balancerOf(in) && mentions(resource.NewProperty(o.State), group) && !slices.Contains(taken, group) {
					taken = append(taken, group)
				}
			}
		}
	})
	if len(taken) > 0 {
		return refusal("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s",
			strings.Join(taken, ", "))
	}
	return nil
}

// balancerOf returns the ARN of a listener's or a rule's load balancer.
func (a *Account) balancerOf(in Properties) string {
	if listener, ok := a.find(text(in, "listenerArn")); ok {
		in = listener
	}
	return text(in, "loadBalancerArn")
}

func nameServers(hostedZone string) resource.PropertyValue {
	h := number(hostedZone, 4)
	return strs("ns-1"+h[:3]+".awsdns-00.org", "ns-1"+h[1:]+".awsdns-10.co.uk", "ns-2"+h[:2]+".awsdns-20.com", "ns-6"+h[2:]+".awsdns-30.net")
}

// loadBalancerHostedZone returns the hosted zone of a region's application load balancers
// (https://docs.aws.amazon.com/general/latest/gr/elb.html), a made-up one for a region that is not listed.
func loadBalancerHostedZone(region string) string {
	zones := map[string]string{
		"us-east-1": "Z35SXDOTRQ7X7K", "us-east-2": "Z3AADJGX6KTTL2", "us-west-1": "Z368ELLRRE2KJ0", "us-west-2": "Z1H1FL5HABSF5",
		"eu-central-1": "Z215JYRZR1TBD5", "eu-west-1": "Z32O12XQLNTSW2", "eu-west-2": "ZHURV8PSTC4K8", "eu-north-1": "Z23TAZ6LKFMNIO",
	}
	if z, ok := zones[region]; ok {
		return z
	}
	return "Z" + strings.ToUpper(hash(region, 13))
}
