package awssim

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

var networkKinds = map[string]kind{
	"aws:ec2/vpc:Vpc": {
		prefix: "vpc", arn: "ec2:{region}:{account}:vpc/{id}", tagged: true,
		outputs: func(d *draft) {
			owner(d)
			d.set("defaultNetworkAclId", derived("acl", d.id))
			d.set("defaultRouteTableId", derived("rtb", d.id))
			d.set("mainRouteTableId", derived("rtb", d.id))
			d.set("defaultSecurityGroupId", derived("sg", d.id))
			d.set("dhcpOptionsId", "dopt-0"+hash(AccountID+d.cloud.region(), 16))
			d.set("instanceTenancy", "default")
			d.set("enableDnsSupport", true)
			d.set("enableDnsHostnames", false)
			d.set("enableNetworkAddressUsageMetrics", false)
		},
		replace: []string{"cidrBlock", "instanceTenancy", "ipv4IpamPoolId", "ipv4NetmaskLength"},
	},
	"aws:ec2/subnet:Subnet": {
		prefix: "subnet", arn: "ec2:{region}:{account}:subnet/{id}", tagged: true,
		outputs: func(d *draft) {
			owner(d)
			zones := d.cloud.zones()
			zone := d.text("availabilityZone")
			for i, z := range zones {
				if z == zone || zone == "" && text(d.state, "availabilityZoneId") == d.cloud.zoneID(i) {
					d.set("availabilityZone", z)
					d.set("availabilityZoneId", d.cloud.zoneID(i))
				}
			}
			d.set("availabilityZone", zones[0])
			d.set("availabilityZoneId", d.cloud.zoneID(0))
			d.set("mapPublicIpOnLaunch", false)
			d.set("privateDnsHostnameTypeOnLaunch", "ip-name")
		},
		replace: []string{"availabilityZone", "availabilityZoneId", "cidrBlock", "ipv6Native", "outpostArn", "vpcId"},
		refuse:  refuseSubnet,
	},
	"aws:ec2/internetGateway:InternetGateway": {
		prefix: "igw", arn: "ec2:{region}:{account}:internet-gateway/{id}", tagged: true, outputs: owner,
		unique: pick("vpcId"), keep: keepGateway,
	},
	"aws:ec2/natGateway:NatGateway": {
		prefix: "nat", tagged: true,
		outputs: func(d *draft) {
			d.set("associationId", d.ec2ID("eipassoc", ""))
			d.set("networkInterfaceId", d.ec2ID("eni", ""))
			if ip := text(d.find("allocationId"), "publicIp"); ip != "" {
				d.set("publicIp", ip)
			} else {
				d.set("publicIp", d.publicIP())
			}
			d.set("privateIp", d.privateIP("subnetId"))
			d.set("connectivityType", "public")
		},
		replace: []string{"allocationId", "connectivityType", "privateIp", "subnetId"},
		unique:  pick("allocationId"),
		refuse: func(a *Account, in Properties) error {
			subnet, ok := a.find(text(in, "subnetId"))
			if vpc := text(subnet, "vpcId"); ok && text(in, "connectivityType") == "public" && !a.hasGateway(vpc) {
				return refusal("Gateway.NotAttached", "Network %s has no Internet gateway attached", vpc)
			}
			return nil
		},
	},
	"aws:ec2/eip:Eip": {
		prefix: "eipalloc", arn: "ec2:{region}:{account}:elastic-ip/{id}", tagged: true,
		outputs: func(d *draft) {
			d.set("allocationId", d.id)
			d.set("publicIp", d.publicIP())
			d.set("publicDns", d.publicDNS(d.text("publicIp")))
			d.set("domain", "vpc")
			d.set("networkBorderGroup", d.cloud.region())
			d.set("publicIpv4Pool", "amazon")
		},
		replace: []string{"address", "domain", "ipamPoolId", "networkBorderGroup", "publicIpv4Pool", "vpc"},
	},
	"aws:ec2/routeTable:RouteTable": {
		prefix: "rtb", arn: "ec2:{region}:{account}:route-table/{id}", tagged: true,
		outputs: func(d *draft) {
			owner(d)
			d.set("routes", resource.NewProperty([]resource.PropertyValue{}))
			d.set("propagatingVgws", strs())
		},
		replace: []string{"vpcId"},
	},
	"aws:ec2/route:Route": {
		id: func(d *draft) string {
			to := d.text("destinationCidrBlock") + d.text("destinationIpv6CidrBlock") + d.text("destinationPrefixListId")
			return "r-" + d.text("routeTableId") + number(to, 10)
		},
		outputs: func(d *draft) {
			d.set("origin", "CreateRoute")
			d.set("state", "active")
		},
		replace: []string{"destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId", "routeTableId"},
		part:    "routeTableId",
		unique:  pick("routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"),
	},
	"aws:ec2/routeTableAssociation:RouteTableAssociation": {
		prefix: "rtbassoc", replace: []string{"gatewayId", "subnetId"}, unique: pick("subnetId", "gatewayId"), part: "subnetId",
	},
	"aws:ec2/vpcEndpoint:VpcEndpoint": {
		prefix: "vpce", arn: "ec2:{region}:{account}:vpc-endpoint/{id}", tagged: true,
		outputs: func(d *draft) {
			owner(d)
			d.set("vpcEndpointType", "Gateway")
			d.set("state", "available")
			d.set("requesterManaged", false)
			d.set("ipAddressType", "ipv4")
			if d.text("vpcEndpointType") == "Gateway" {
				d.set("prefixListId", prefixListID(d.cloud.region(), d.text("serviceName")))
				d.set("cidrBlocks", strs("3.5.0.0/19", "52.216.0.0/15"))
				d.set("networkInterfaceIds", strs())
				d.set("routeTableIds", strs())
				return
			}
			subnets := list(d.state, "subnetIds")
			interfaces := make([]string, len(subnets))
			for i, subnet := range subnets {
				interfaces[i] = derived("eni", d.id+subnet)
			}
			d.state["networkInterfaceIds"] = strs(interfaces...)
			d.set("securityGroupIds", strs(derived("sg", d.text("vpcId"))))
			d.set("subnetIds", strs())
			d.set("privateDnsEnabled", false)
			host := d.id + "-" + d.hash("dns", 8) + "." + lastOf(d.text("serviceName"), ".") + "." + d.cloud.region() + ".vpce.amazonaws.com"
			d.set("dnsEntries", resource.NewProperty([]resource.PropertyValue{resource.NewProperty(Properties{
				"dnsName": resource.NewProperty(host), "hostedZoneId": resource.NewProperty("Z7HUB22UULQXV"),
			})}))
		},
		replace: []string{"resourceConfigurationArn", "serviceName", "serviceNetworkArn", "serviceRegion", "vpcEndpointType", "vpcId"},
		refuse:  func(a *Account, in Properties) error { return a.refuseEndpoint("", in) },
		refuseUpdate: func(a *Account, old Resource, in Properties) error {
			return a.refuseEndpoint(old.ID, in)
		},
	},
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {
		id:  func(d *draft) string { return derived("sg", d.text("vpcId")) },
		arn: "ec2:{region}:{account}:security-group/{id}", tagged: true,
		outputs: func(d *draft) {
			owner(d)
			d.set("name", "default")
			d.set("description", "default VPC security group")
		},
		replace: []string{"vpcId"},
	},
	"aws:ec2/securityGroup:SecurityGroup": {
		prefix: "sg", arn: "ec2:{region}:{account}:security-group/{id}", tagged: true, name: naming{property: "name", limit: 255},
		outputs: func(d *draft) {
			owner(d)
			d.set("description", "Managed by Pulumi")
			d.set("revokeRulesOnDelete", false)
		},
		replace: []string{"description", "name", "namePrefix", "vpcId"},
		unique:  pick("vpcId", "name"),
		refuse:  func(a *Account, in Properties) error { return a.refuseRules("", in) },
		refuseUpdate: func(a *Account, old Resource, in Properties) error {
			return a.refuseRules(old.ID, in)
		},
	},
	"aws:ec2/securityGroupRule:SecurityGroupRule": {
		prefix: "sgrule",
		outputs: func(d *draft) {
			d.set("securityGroupRuleId", d.ec2ID("sgr", ""))
			d.set("self", false)
		},
		replace: []string{"cidrBlocks", "fromPort", "ipv6CidrBlocks", "prefixListIds", "protocol", "securityGroupId", "self",
			"sourceSecurityGroupId", "toPort", "type"},
		unique: pick("type", "securityGroupId", "protocol", "fromPort", "toPort", "cidrBlocks", "ipv6CidrBlocks", "prefixListIds",
			"sourceSecurityGroupId"),
		refuse: func(a *Account, in Properties) error {
			direction, group := text(in, "type"), text(in, "securityGroupId")
			state, _ := a.find(group)
			rules := append(a.attachedRules(group, direction), objects(state[resource.PropertyKey(direction)])...)
			return a.refuseWeight(append(rules, in))
		},
	},
	"aws:ec2/networkAcl:NetworkAcl": {
		prefix: "acl", arn: "ec2:{region}:{account}:network-acl/{id}", tagged: true,
		outputs: func(d *draft) {
			owner(d)
			d.set("subnetIds", strs())
		},
		replace: []string{"vpcId"},
	},
	"aws:ec2/flowLog:FlowLog": {
		prefix: "fl", arn: "ec2:{region}:{account}:vpc-flow-log/{id}", tagged: true,
		outputs: func(d *draft) {
			d.set("logDestinationType", "cloud-watch-logs")
			d.set("maxAggregationInterval", num(600))
			d.set("logFormat", "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} "+
				"${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}")
		},
		part: "vpcId",
		replace: []string{"deliverCrossAccountRole", "destinationOptions", "eniId", "iamRoleArn", "logDestination", "logDestinationType",
			"logFormat", "logGroupName", "maxAggregationInterval", "subnetId", "trafficType", "transitGatewayAttachmentId",
			"transitGatewayId", "vpcId"},
	},
}

func owner(d *draft) { d.set("ownerId", AccountID) }

// derived returns the id of a resource that AWS creates with a VPC.
func derived(prefix, vpcID string) string { return prefix + "-0" + hash(prefix+"|default|"+vpcID, 16) }

func prefixListID(region, service string) string { return "pl-" + hash(region+service, 8) }

// publicIP returns an address in 203.0.113.0/24 or 198.51.100.0/24, which RFC 5737 reserves for documentation.
func (d *draft) publicIP() string {
	v := d.uint16("public")
	if v%2 == 0 {
		return fmt.Sprintf("203.0.113.%d", 1+v/2%254)
	}
	return fmt.Sprintf("198.51.100.%d", 1+v/2%254)
}

func (d *draft) publicDNS(ip string) string {
	return "ec2-" + dashes(ip) + "." + d.cloud.computeDomain()
}

func (c Cloud) computeDomain() string {
	if c.region() == "us-east-1" {
		return "compute-1.amazonaws.com"
	}
	return c.region() + ".compute.amazonaws.com"
}

// privateIP returns an address in the subnet whose id is in a property, after the first four, which AWS reserves.
func (d *draft) privateIP(subnet string) string {
	v := d.uint16("private")
	block, err := netip.ParsePrefix(text(d.find(subnet), "cidrBlock"))
	if err != nil || !block.Addr().Is4() {
		return fmt.Sprintf("10.0.%d.%d", v/256, 4+v%250)
	}
	size := uint32(1) << (32 - block.Bits())
	b := block.Masked().Addr().As4()
	at := binary.BigEndian.Uint32(b[:]) + 4
	if size > 5 {
		at += uint32(v) % (size - 5)
	}
	binary.BigEndian.PutUint32(b[:], at)
	return netip.AddrFrom4(b).String()
}

// uint16 returns a number below 65,536 that derives from the request's seed and a label.
func (d *draft) uint16(label string) int {
	v, err := strconv.ParseUint(d.hash(label, 4), 16, 16)
	if err != nil {
		panic("awssim: " + err.Error()) // a hash is hexadecimal
	}
	return int(v)
}

func dashes(ip string) string {
	out := []byte(ip)
	for i, c := range out {
		if c == '.' {
			out[i] = '-'
		}
	}
	return string(out)
}

// hasGateway reports whether a VPC has an internet gateway.
func (a *Account) hasGateway(vpc string) bool {
	for _, r := range a.ofType("aws:ec2/internetGateway:InternetGateway") {
		if text(r.State, "vpcId") == vpc {
			return true
		}
	}
	return false
}

// keepGateway refuses the deletion of an internet gateway while its VPC uses public addresses.
func keepGateway(a *Account, r Resource) error {
	vpc := text(r.State, "vpcId")
	for _, t := range []string{"aws:ec2/natGateway:NatGateway", "aws:ec2/instance:Instance", "aws:lb/loadBalancer:LoadBalancer"} {
		for _, o := range a.ofType(t) {
			subnet, _ := a.find(text(o.State, "subnetId"))
			public := text(o.State, "publicIp") != "" && text(subnet, "vpcId") == vpc
			if t == "aws:lb/loadBalancer:LoadBalancer" {
				internal := o.State["internal"]
				public = text(o.State, "vpcId") == vpc && !(internal.IsBool() && internal.BoolValue())
			}
			if public {
				return refusal("DependencyViolation", "Network %s has some mapped public address(es) (%s %s). Please unmap those public "+
					"address(es) before detaching the gateway", vpc, shortType(t), o.ID)
			}
		}
	}
	return nil
}

// refuseSubnet refuses a subnet that is outside its VPC or overlaps another subnet.
func refuseSubnet(a *Account, in Properties) error {
	cidr, err := netip.ParsePrefix(text(in, "cidrBlock"))
	if err != nil {
		return nil // an IPv6-only subnet
	}
	vpc := text(in, "vpcId")
	if state, ok := a.find(vpc); ok {
		block, err := netip.ParsePrefix(text(state, "cidrBlock"))
		if err == nil && (!block.Contains(cidr.Addr()) || cidr.Bits() < block.Bits()) {
			return refusal("InvalidSubnet.Range", "The CIDR '%s' is invalid: it is not within %s (%s).", cidr, vpc, block)
		}
	}
	for _, r := range a.ofType("aws:ec2/subnet:Subnet") {
		other, err := netip.ParsePrefix(text(r.State, "cidrBlock"))
		if err == nil && text(r.State, "vpcId") == vpc && other.Overlaps(cidr) {
			return refusal("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet (%s, %s).", cidr, r.ID, other)
		}
	}
	return nil
}

// refuseEndpoint refuses an endpoint, "" for a new one: a second gateway endpoint to a service on one route table, and an interface
// endpoint that cannot have its addresses or its DNS names (EC2 API reference, "CreateVpcEndpoint"; AWS PrivateLink guide, "Interface
// endpoints": one subnet of each availability zone, and for private DNS names both DNS attributes of the VPC).
func (a *Account) refuseEndpoint(id string, in Properties) error {
	vpc, service := text(in, "vpcId"), text(in, "serviceName")
	if text(in, "vpcEndpointType") == "Interface" {
		zones := map[string]string{}
		for _, subnet := range list(in, "subnetIds") {
			state, _ := a.find(subnet)
			zone := text(state, "availabilityZone")
			if other := zones[zone]; other != "" {
				return refusal("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of %s (%s). VPC endpoint subnets should be "+
					"in different availability zones supported by the VPC endpoint service.", subnet, other)
			}
			zones[zone] = subnet
		}
		if on := in["privateDnsEnabled"]; !on.IsBool() || !on.BoolValue() {
			return nil
		}
		state, _ := a.find(vpc)
		for _, attribute := range []resource.PropertyKey{"enableDnsSupport", "enableDnsHostnames"} {
			if on := state[attribute]; !on.IsBool() || !on.BoolValue() {
				return refusal("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", vpc)
			}
		}
	}
	for _, r := range a.ofType("aws:ec2/vpcEndpoint:VpcEndpoint") {
		if r.ID == id || text(r.State, "vpcEndpointType") != text(in, "vpcEndpointType") || text(r.State, "serviceName") != service {
			continue
		}
		if on := r.State["privateDnsEnabled"]; text(r.State, "vpcId") == vpc && on.IsBool() && on.BoolValue() {
			return refusal("InvalidParameter", "private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s (%s)",
				service, vpc, r.ID)
		}
		taken := list(r.State, "routeTableIds")
		for _, table := range list(in, "routeTableIds") {
			if slices.Contains(taken, table) {
				return refusal("RouteAlreadyExists", "route table %s already has a route with destination-prefix-list-id %s", table,
					text(r.State, "prefixListId"))
			}
		}
	}
	return nil
}

// list returns the strings of a list property.
func list(m Properties, key string) []string {
	v, ok := m[resource.PropertyKey(key)]
	if !ok || !v.IsArray() {
		return nil
	}
	var out []string
	for _, e := range v.ArrayValue() {
		if e.IsString() {
			out = append(out, e.StringValue())
		}
	}
	return out
}

// refuseRules refuses a security group, "" for a new one, whose own rules, with those that refer to it, are too many.
func (a *Account) refuseRules(id string, in Properties) error {
	for _, direction := range []string{"ingress", "egress"} {
		own := objects(in[resource.PropertyKey(direction)])
		if err := a.refuseWeight(append(own, a.attachedRules(id, direction)...)); err != nil {
			return err
		}
	}
	return nil
}

// attachedRules lists the rules of a security group in a direction (ingress, egress) that are resources of their own.
func (a *Account) attachedRules(group, direction string) (rules []Properties) {
	for _, r := range a.ofType("aws:ec2/securityGroupRule:SecurityGroupRule") {
		if text(r.State, "securityGroupId") == group && text(r.State, "type") == direction {
			rules = append(rules, r.State)
		}
	}
	return rules
}

// refuseWeight refuses the rules of a security group in one direction where there are more of them than the quota "Inbound or
// outbound rules per security group". It applies to IPv4 and IPv6 separately. Each address range counts as a rule, a prefix list
// as its weight, and another security group as a rule of both (VPC user guide, "Amazon VPC quotas" and "Security group rules").
func (a *Account) refuseWeight(rules []Properties) error {
	var ipv4, ipv6 int
	for _, r := range rules {
		ipv4 += len(list(r, "cidrBlocks"))
		ipv6 += len(list(r, "ipv6CidrBlocks"))
		for _, id := range list(r, "prefixListIds") {
			ipv4 += a.cloud().prefixListWeight(id)
		}
		groups := len(list(r, "securityGroups"))
		if text(r, "sourceSecurityGroupId") != "" {
			groups++
		}
		if self := r["self"]; self.IsBool() && self.BoolValue() {
			groups++
		}
		ipv4, ipv6 = ipv4+groups, ipv6+groups
	}
	if limit := a.cloud().profile().quotas["vpc/L-0EA8095F"]; max(ipv4, ipv6) > limit {
		return refusal("RulesPerSecurityGroupLimitExceeded",
			"The maximum number of rules per security group has been reached: the rules count as %d, the quota is %d", max(ipv4, ipv6), limit)
	}
	return nil
}

// cloudFrontPrefixList is the AWS-managed prefix list of the addresses from which CloudFront connects to origins. Its id differs
// from region to region.
const cloudFrontPrefixList = "com.amazonaws.global.cloudfront.origin-facing"

// prefixListWeight returns how many rules an AWS-managed prefix list counts as (VPC user guide, "AWS-managed prefix list weight":
// 55 for CloudFront's, 1 for those of S3 and DynamoDB).
func (c Cloud) prefixListWeight(id string) int {
	if id == prefixListID(c.region(), cloudFrontPrefixList) {
		return 55
	}
	return 1
}

// objects lists the objects of a list property.
func objects(v resource.PropertyValue) (all []Properties) {
	if !v.IsArray() {
		return nil
	}
	for _, e := range v.ArrayValue() {
		if e.IsObject() {
			all = append(all, e.ObjectValue())
		}
	}
	return all
}
