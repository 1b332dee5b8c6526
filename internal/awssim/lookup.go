package awssim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Lookup answers a data source, e.g. "aws:index/getAvailabilityZones:getAvailabilityZones". The model has what AWS provides
// (availability zones, images); Find has what the account holds. A look-up that is not modelled, or that finds nothing, is an
// error.
func (c Cloud) Lookup(token string, args Properties) (Properties, error) {
	f, ok := lookups[token]
	if !ok {
		return nil, fmt.Errorf("awssim: look-up %s is not modelled; modelled are %s", token,
			strings.Join(slices.Sorted(maps.Keys(lookups)), ", "))
	}
	answer, err := f(c, args)
	if err != nil {
		return nil, fmt.Errorf("awssim: %s: %w", token, err)
	}
	out := Properties{}
	for k, v := range args {
		if !v.IsNull() {
			out[k] = v
		}
	}
	for k, v := range answer {
		if p, ok := v.(resource.PropertyValue); ok {
			out[resource.PropertyKey(k)] = p
		} else {
			out[resource.PropertyKey(k)] = resource.NewPropertyValue(v)
		}
	}
	return out, nil
}

type fields map[string]any

var lookups = map[string]func(Cloud, Properties) (fields, error){
	"aws:index/getAvailabilityZones:getAvailabilityZones": func(c Cloud, args Properties) (fields, error) {
		var names, ids []string
		without := append(list(args, "excludeNames"), list(args, "excludeZoneIds")...)
		for i, z := range c.zones() {
			if i == 1 && text(args, "state") == "available" { // the second zone is in trouble
				continue
			}
			if !slices.Contains(without, z) && !slices.Contains(without, c.zoneID(i)) {
				names, ids = append(names, z), append(ids, c.zoneID(i))
			}
		}
		return fields{"id": c.region(), "names": strs(names...), "zoneIds": strs(ids...), "groupNames": strs(c.region())}, nil
	},
	"aws:index/getAvailabilityZone:getAvailabilityZone": func(c Cloud, args Properties) (fields, error) {
		for i, z := range c.zones() {
			if z == text(args, "name") || c.zoneID(i) == text(args, "zoneId") {
				return fields{"id": z, "name": z, "zoneId": c.zoneID(i), "nameSuffix": z[len(c.region()):], "region": c.region(),
					"groupName": c.region(), "networkBorderGroup": c.region(), "state": "available", "zoneType": "availability-zone",
					"optInStatus": "opt-in-not-required", "parentZoneId": "", "parentZoneName": ""}, nil
			}
		}
		return nil, fmt.Errorf("no zone %q in %s", text(args, "name")+text(args, "zoneId"), c.region())
	},
	"aws:index/getCallerIdentity:getCallerIdentity": func(c Cloud, _ Properties) (fields, error) {
		arn := "arn:" + c.partition() + ":iam::" + AccountID + ":user/sandbox"
		if c.AssumedRole != "" {
			arn = "arn:" + c.partition() + ":sts::" + AccountID + ":assumed-role/" + c.AssumedRole + "/sandbox"
		}
		return fields{"id": AccountID, "accountId": AccountID, "userId": "AIDASIMULATEDUSER0000", "arn": arn}, nil
	},
	"aws:index/getRegion:getRegion": func(c Cloud, _ Properties) (fields, error) {
		return fields{"id": c.region(), "name": c.region(), "description": "Region " + c.region(),
			"endpoint": "ec2." + c.region() + ".amazonaws.com"}, nil
	},
	"aws:index/getPartition:getPartition": func(c Cloud, _ Properties) (fields, error) {
		suffix, reverse := "amazonaws.com", "com.amazonaws"
		if c.partition() == "aws-cn" {
			suffix, reverse = "amazonaws.com.cn", "cn.com.amazonaws"
		}
		return fields{"id": c.partition(), "partition": c.partition(), "dnsSuffix": suffix, "reverseDnsPrefix": reverse}, nil
	},
	"aws:index/getDefaultTags:getDefaultTags": func(Cloud, Properties) (fields, error) {
		return fields{"id": "aws", "tags": resource.NewProperty(Properties{})}, nil
	},
	"aws:index/getServicePrincipal:getServicePrincipal": func(c Cloud, args Properties) (fields, error) {
		s := text(args, "serviceName")
		return fields{"id": s + "." + c.region() + ".amazonaws.com", "name": s + ".amazonaws.com", "region": c.region(),
			"suffix": "amazonaws.com"}, nil
	},
	"aws:iam/getPolicy:getPolicy": func(c Cloud, args Properties) (fields, error) {
		for _, policy := range c.list("aws:iam/policy:Policy") {
			if policy.ID == text(args, "arn") {
				return fields{"id": policy.ID, "name": policy.State["name"], "policy": policy.State["policy"]}, nil
			}
		}
		return nil, fmt.Errorf("NoSuchEntity: Policy %s does not exist", text(args, "arn"))
	},
	"aws:iam/getRole:getRole": func(c Cloud, args Properties) (fields, error) {
		for _, role := range c.list("aws:iam/role:Role") {
			if role.ID == text(args, "name") {
				return fields{"id": role.ID, "arn": role.State["arn"], "assumeRolePolicy": role.State["assumeRolePolicy"], "tags": role.State["tags"]}, nil
			}
		}
		return nil, fmt.Errorf("NoSuchEntity: The role with name %s cannot be found", text(args, "name"))
	},
	"aws:ssm/getParameter:getParameter": func(c Cloud, args Properties) (fields, error) {
		name := text(args, "name")
		arn := "arn:" + c.partition() + ":ssm:" + c.region() + ":" + AccountID + ":parameter/" + strings.TrimPrefix(name, "/")
		if strings.HasPrefix(name, "/aws/service/ami-amazon-linux-latest/") {
			arch := lastOf(name, "-")
			if arch != "arm64" && arch != "x86_64" {
				return nil, fmt.Errorf("ParameterNotFound: %q: an image name ends in -arm64 or -x86_64", name)
			}
			arn = strings.Replace(arn, ":"+AccountID+":", "::", 1)
			image := c.Image(arch, 0)
			return fields{"id": name, "arn": arn, "type": "String", "value": image, "insecureValue": image, "version": num(75)}, nil
		}
		if arch, ok := containerImages[name]; ok {
			image := c.ContainerImage(arch)
			return fields{"id": name, "arn": strings.Replace(arn, ":"+AccountID+":", "::", 1), "type": "String", "value": image, "insecureValue": image,
				"version": num(110)}, nil
		}
		state, ok := c.lookup(name)
		if !ok {
			return nil, fmt.Errorf("ParameterNotFound: no parameter %q", name)
		}
		return fields{"id": name, "arn": arn, "type": state["type"], "value": state["value"], "insecureValue": state["value"],
			"version": state["version"]}, nil
	},
	"aws:ec2/getAmi:getAmi": func(c Cloud, args Properties) (fields, error) {
		arch := "x86_64"
		walk(resource.NewProperty(args), func(s string) {
			if strings.Contains(s, "arm64") {
				arch = "arm64"
			}
		})
		id := c.Image(arch, 0)
		if ids := filterValues(args, "image-id"); len(ids) > 0 {
			var known bool
			if id, arch, known = c.findImage(ids[0]); !known {
				return nil, fmt.Errorf("no image has the id %s", ids[0])
			}
		}
		return fields{"id": id, "imageId": id, "architecture": arch, "arn": "arn:" + c.partition() + ":ec2:" + c.region() + "::image/" + id,
			"name": "al2023-ami-2023.7.20250101.0-kernel-6.12-" + arch, "creationDate": stamp, "ownerId": "137112412989",
			"imageOwnerAlias": "amazon", "rootDeviceName": "/dev/xvda", "rootDeviceType": "ebs", "state": "available", "public": true,
			"virtualizationType": "hvm", "hypervisor": "xen", "imageType": "machine", "enaSupport": true, "bootMode": "uefi-preferred"}, nil
	},
	"aws:ec2/getInstances:getInstances": func(c Cloud, args Properties) (fields, error) {
		ids := c.tagged("aws:ec2/instance:Instance", args["instanceTags"])
		return fields{"id": c.region(), "ids": strs(ids...), "privateIps": strs(), "publicIps": strs(), "ipv6Addresses": strs()}, nil
	},
	"aws:ec2/getInstance:getInstance": func(c Cloud, args Properties) (fields, error) {
		state, ok := c.lookup(text(args, "instanceId"))
		if !ok {
			return nil, fmt.Errorf("InvalidInstanceID.NotFound: The instance ID '%s' does not exist", text(args, "instanceId"))
		}
		return fields{"id": text(args, "instanceId"), "instanceType": state["instanceType"], "ami": state["ami"],
			"availabilityZone": state["availabilityZone"], "tags": state["tagsAll"]}, nil
	},
	"aws:ebs/getEbsVolumes:getEbsVolumes": func(c Cloud, args Properties) (fields, error) {
		return fields{"id": c.region(), "ids": strs(c.tagged("aws:ebs/volume:Volume", args["tags"])...)}, nil
	},
	"aws:ebs/getVolume:getVolume": func(c Cloud, args Properties) (fields, error) {
		ids := filterValues(args, "volume-id")
		if len(ids) != 1 {
			return nil, fmt.Errorf("the filter volume-id has %d values: the simulation wants one", len(ids))
		}
		state, ok := c.lookup(ids[0])
		if !ok {
			return nil, fmt.Errorf("your query returned no results")
		}
		return fields{"id": ids[0], "volumeId": ids[0], "availabilityZone": state["availabilityZone"], "size": state["size"], "tags": state["tagsAll"]}, nil
	},
	"aws:ec2/getEips:getEips": func(c Cloud, args Properties) (fields, error) {
		ids := c.tagged("aws:ec2/eip:Eip", args["tags"])
		if !args.HasValue("tags") {
			ids = append(ids, c.profile().addresses...)
		}
		return fields{"id": c.region(), "allocationIds": strs(ids...), "publicIps": strs()}, nil
	},
	"aws:ec2/getVpcs:getVpcs": func(c Cloud, args Properties) (fields, error) {
		ids := c.tagged("aws:ec2/vpc:Vpc", args["tags"])
		if !args.HasValue("tags") {
			ids = append(ids, c.profile().vpcs...)
		}
		return fields{"id": c.region(), "ids": strs(ids...)}, nil
	},
	"aws:servicequotas/getServiceQuota:getServiceQuota": func(c Cloud, args Properties) (fields, error) {
		code := text(args, "quotaCode")
		value, ok := c.profile().quotas[text(args, "serviceCode")+"/"+code]
		if !ok {
			return nil, fmt.Errorf("NoSuchResourceException: no quota %q of service %q", code, text(args, "serviceCode"))
		}
		return fields{"id": code, "value": num(value), "defaultValue": num(value), "adjustable": true, "globalQuota": false}, nil
	},
	"aws:s3/getAccountPublicAccessBlock:getAccountPublicAccessBlock": func(c Cloud, _ Properties) (fields, error) {
		if !c.NewAccount {
			return nil, fmt.Errorf("reading S3 Account Public Access Block (%s): couldn't find resource", AccountID)
		}
		return fields{"id": AccountID, "blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true}, nil
	},
	"aws:index/getRegions:getRegions": func(c Cloud, _ Properties) (fields, error) {
		return fields{"id": c.partition(), "names": strs(enabledRegions...)}, nil
	},
	"aws:ec2/getSubnets:getSubnets": func(c Cloud, args Properties) (fields, error) {
		return fields{"id": c.region(), "ids": strs(c.tagged("aws:ec2/subnet:Subnet", args["tags"])...)}, nil
	},
	"aws:ec2/getSubnet:getSubnet": func(c Cloud, args Properties) (fields, error) {
		state, ok := c.lookup(text(args, "id"))
		if !ok {
			return nil, fmt.Errorf("InvalidSubnetID.NotFound: The subnet ID '%s' does not exist", text(args, "id"))
		}
		return fields{"id": text(args, "id"), "cidrBlock": state["cidrBlock"], "availabilityZone": state["availabilityZone"], "vpcId": state["vpcId"]}, nil
	},
	"aws:lb/getLbs:getLbs": func(c Cloud, args Properties) (fields, error) {
		return fields{"id": c.region(), "arns": strs(c.tagged("aws:lb/loadBalancer:LoadBalancer", args["tags"])...)}, nil
	},
	"aws:lb/getLoadBalancer:getLoadBalancer": func(c Cloud, args Properties) (fields, error) {
		state, ok := c.lookup(text(args, "arn"))
		if !ok {
			return nil, fmt.Errorf("LoadBalancerNotFound: Load balancer '%s' not found", text(args, "arn"))
		}
		return fields{"id": text(args, "arn"), "arn": text(args, "arn"), "name": state["name"], "internal": state["internal"],
			"enableDeletionProtection": state["enableDeletionProtection"], "tags": state["tagsAll"]}, nil
	},
	"aws:ec2/getPrefixList:getPrefixList": func(c Cloud, args Properties) (fields, error) {
		id, name := c.prefixList(args)
		return fields{"id": id, "name": name, "cidrBlocks": strs("3.5.0.0/19", "52.216.0.0/15")}, nil
	},
	"aws:ec2/getManagedPrefixList:getManagedPrefixList": func(c Cloud, args Properties) (fields, error) {
		id, name := c.prefixList(args)
		entries := 0
		switch {
		case name == cloudFrontPrefixList:
			entries = c.prefixListWeight(id)
		case !strings.HasPrefix(name, "com.amazonaws."+c.region()+"."):
			return nil, fmt.Errorf("no matching EC2 Managed Prefix List found: %s has no list %q", c.region(), name)
		}
		return fields{"id": id, "name": name, "addressFamily": "IPv4", "arn": "arn:" + c.partition() + ":ec2:" + c.region() + ":aws:prefix-list/" + id,
			"maxEntries": num(entries), "ownerId": "AWS", "version": num(0), "tags": resource.NewProperty(Properties{}),
			"entries": resource.NewProperty([]resource.PropertyValue{})}, nil
	},
	"aws:elb/getServiceAccount:getServiceAccount": func(c Cloud, args Properties) (fields, error) {
		region := text(args, "region")
		if region == "" {
			region = c.region()
		}
		id, ok := balancerAccounts[region]
		if !ok {
			return nil, fmt.Errorf("region %s has no load balancer account; use the service principal logdelivery.elasticloadbalancing.amazonaws.com", region)
		}
		return fields{"id": id, "arn": "arn:" + c.partition() + ":iam::" + id + ":root"}, nil
	},
	"aws:lb/getHostedZoneId:getHostedZoneId": func(c Cloud, _ Properties) (fields, error) {
		return fields{"id": loadBalancerHostedZone(c.region())}, nil
	},
	"aws:route53/getZone:getZone": func(c Cloud, args Properties) (fields, error) {
		name, id := strings.TrimSuffix(text(args, "name"), "."), text(args, "zoneId")
		if name == "" && id == "" {
			return nil, fmt.Errorf("neither name nor zoneId is given")
		}
		if id == "" {
			id = "Z0" + strings.ToUpper(hash("zone|"+name, 18))
		}
		if s, ok := c.lookup(id); ok {
			name = text(s, "name")
		}
		return fields{"id": id, "zoneId": id, "name": name, "arn": "arn:" + c.partition() + ":route53:::hostedzone/" + id,
			"callerReference": "", "comment": "", "nameServers": nameServers(id), "primaryNameServer": "ns-0.awsdns-00.com",
			"resourceRecordSetCount": num(2), "tags": resource.NewProperty(Properties{}), "linkedServiceDescription": "",
			"linkedServicePrincipal": ""}, nil
	},
	"aws:ec2/getInstanceType:getInstanceType": func(_ Cloud, args Properties) (fields, error) {
		t := text(args, "instanceType")
		if t == "" {
			return nil, fmt.Errorf("no instanceType is given")
		}
		if n := vcpus(t); !slices.Contains(sizes, n) {
			return nil, fmt.Errorf("api error InvalidInstanceType: The following supplied instance types do not exist: [%s]", t)
		}
		hypervisor := "nitro"
		if xen.MatchString(t) {
			hypervisor = "xen"
		}
		return fields{"id": t, "supportedArchitectures": strs(architecture(t)), "defaultVcpus": num(vcpus(t)), "memorySize": num(4096),
			"currentGeneration": hypervisor == "nitro", "ebsEncryptionSupport": "supported", "hypervisor": hypervisor}, nil
	},
	"aws:ec2/getInstanceTypeOffering:getInstanceTypeOffering": func(_ Cloud, args Properties) (fields, error) {
		types := append(list(args, "preferredInstanceTypes"), filterValues(args, "instance-type")...)
		if len(types) == 0 {
			return nil, fmt.Errorf("no instance type is given")
		}
		return fields{"id": types[0], "instanceType": types[0]}, nil
	},
	"aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": func(c Cloud, args Properties) (fields, error) {
		offeredIn := []string{c.region()}
		switch text(args, "locationType") {
		case "availability-zone":
			offeredIn = c.zones()
		case "availability-zone-id":
			offeredIn = nil
			for i := range c.zones() {
				offeredIn = append(offeredIn, c.zoneID(i))
			}
		}
		if requested := filterValues(args, "location"); len(requested) > 0 {
			offeredIn = slices.DeleteFunc(slices.Clone(offeredIn), func(p string) bool { return !slices.Contains(requested, p) })
		}
		var types, locations, kinds []string
		for _, t := range filterValues(args, "instance-type") {
			for _, p := range offeredIn {
				if p == oldZone && !strings.HasPrefix(t, "t2.") {
					continue
				}
				types, locations, kinds = append(types, t), append(locations, p), append(kinds, text(args, "locationType"))
			}
		}
		return fields{"id": c.region(), "instanceTypes": strs(types...), "locations": strs(locations...), "locationTypes": strs(kinds...)}, nil
	},
	"aws:kms/getKey:getKey": func(c Cloud, args Properties) (fields, error) {
		id := lastOf(text(args, "keyId"), "/")
		if strings.HasPrefix(text(args, "keyId"), "alias/aws/") {
			id = uuid(hash("aws/"+id+c.region(), 32))
		}
		return fields{"id": id, "keyId": text(args, "keyId"), "arn": "arn:" + c.partition() + ":kms:" + c.region() + ":" + AccountID + ":key/" + id,
			"awsAccountId": AccountID, "enabled": true, "keyManager": "AWS", "keySpec": "SYMMETRIC_DEFAULT",
			"customerMasterKeySpec": "SYMMETRIC_DEFAULT", "keyState": "Enabled", "keyUsage": "ENCRYPT_DECRYPT", "origin": "AWS_KMS",
			"multiRegion": false, "creationDate": stamp, "description": ""}, nil
	},
	"aws:kms/getAlias:getAlias": func(c Cloud, args Properties) (fields, error) {
		name := text(args, "name")
		base := "arn:" + c.partition() + ":kms:" + c.region() + ":" + AccountID + ":"
		id := uuid(hash(strings.TrimPrefix(name, "alias/")+c.region(), 32))
		if s, ok := c.lookup(name); ok {
			id = lastOf(text(s, "targetKeyArn"), "/")
		} else if !strings.HasPrefix(name, "alias/aws/") {
			return nil, fmt.Errorf("NotFoundException: no alias %q", name)
		}
		return fields{"id": base + name, "arn": base + name, "targetKeyArn": base + "key/" + id, "targetKeyId": id}, nil
	},
	"aws:ecr/getImage:getImage":              Cloud.imageOf,
	"aws:ecs/getService:getService":          Cloud.serviceAnswer,
	"aws:secretsmanager/getSecret:getSecret": Cloud.secretOf,
	"aws:s3/getCanonicalUserId:getCanonicalUserId": func(Cloud, Properties) (fields, error) {
		return fields{"id": hash(AccountID, 64), "displayName": "sandbox"}, nil
	},
}

func (c Cloud) lookup(id string) (Properties, bool) {
	if c.Find == nil {
		return nil, false
	}
	return c.Find(id)
}

func (c Cloud) list(typ string) []Resource {
	if c.List == nil {
		return nil
	}
	return c.List(typ)
}

// tagged returns the ids of a type's resources that have all of the tags: of all resources without tags.
func (c Cloud) tagged(typ string, tags resource.PropertyValue) (ids []string) {
	for _, r := range c.list(typ) {
		matches := true
		if tags.IsObject() {
			for key, value := range tags.ObjectValue() {
				matches = matches && r.State["tagsAll"].ObjectValue()[key].DeepEquals(value)
			}
		}
		if matches {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// Image is the id of an Amazon Linux 2023 image for an architecture (arm64, x86_64), earlier than the newest by a number of releases.
func (c Cloud) Image(arch string, earlier int) string {
	release := "image|" + c.region() + "|/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.12-" + arch
	if earlier > 0 {
		release += fmt.Sprint("|", earlier)
	}
	return "ami-0" + hash(release, 16)
}

// containerImages are the parameters with the ids of the latest ECS-optimized images of Amazon Linux 2023, and their architectures (ECS
// developer guide, "Retrieving Amazon ECS-optimized Linux AMI metadata").
var containerImages = map[string]string{
	"/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id": "arm64",
	"/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id":       "x86_64",
}

// ContainerImage is the id of the latest ECS-optimized image of Amazon Linux 2023 for an architecture (arm64, x86_64).
func (c Cloud) ContainerImage(arch string) string {
	return "ami-0" + hash("image|"+c.region()+"|ecs-optimized|"+arch, 16)
}

// findImage returns the architecture of the image with an id: one of the two latest.
func (c Cloud) findImage(id string) (found, arch string, ok bool) {
	for _, arch := range []string{"arm64", "x86_64"} {
		for earlier := range 2 {
			if c.Image(arch, earlier) == id {
				return id, arch, true
			}
		}
	}
	return "", "", false
}

// oldZone is an availability zone without instance types of the current generation, as each us-east-1 account has one.
const oldZone = "us-east-1e"

// zones lists the names of the region's availability zones.
func (c Cloud) zones() []string {
	letters, ok := map[string]string{"us-east-1": "abcdef", "us-west-1": "ac", "us-west-2": "abcd", "ap-northeast-1": "acd",
		"ap-northeast-2": "abcd", "ca-central-1": "abd"}[c.region()]
	if !ok {
		letters = "abc"
	}
	var names []string
	for _, l := range letters {
		names = append(names, c.region()+string(l))
	}
	return names
}

// zoneNumbers are the numbers of a region's availability zones in the order of their names, where the simulated account has
// not the order of their ids. As in most accounts, the zone without current instance types is use1-az3.
var zoneNumbers = map[string][]int{"us-east-1": {6, 1, 2, 4, 3, 5}}

// zoneID returns the id of the i-th availability zone, e.g. euw1-az1.
func (c Cloud) zoneID(i int) string {
	parts := strings.Split(c.region(), "-")
	short := parts[0]
	for _, p := range parts[1:] {
		short += p[:1]
	}
	number := i + 1
	if numbers := zoneNumbers[c.region()]; numbers != nil {
		number = numbers[i]
	}
	return fmt.Sprintf("%s-az%d", short, number)
}

// prefixList returns the id and name of the AWS-managed prefix list that a look-up requests.
func (c Cloud) prefixList(args Properties) (id, name string) {
	name = text(args, "name")
	if v := filterValues(args, "prefix-list-name"); name == "" && len(v) > 0 {
		name = v[0]
	}
	id = text(args, "prefixListId") + text(args, "id")
	if name == "" {
		name = "com.amazonaws." + c.region() + ".s3"
		if id == prefixListID(c.region(), cloudFrontPrefixList) {
			name = cloudFrontPrefixList
		}
	}
	if id == "" {
		id = prefixListID(c.region(), name)
	}
	return id, name
}

// filterValues returns the values of the filter with a name.
func filterValues(args Properties, name string) []string {
	v, ok := args["filters"]
	if !ok || !v.IsArray() {
		return nil
	}
	for _, f := range v.ArrayValue() {
		if f.IsObject() && text(f.ObjectValue(), "name") == name {
			return list(f.ObjectValue(), "values")
		}
	}
	return nil
}

// architecture returns the architecture of an instance type: Graviton families have a g after the generation (t4g, m7gd).
func architecture(instanceType string) string {
	family, _, _ := strings.Cut(instanceType, ".")
	if i := strings.IndexAny(family, "0123456789"); i >= 0 && strings.HasPrefix(strings.TrimLeft(family[i:], "0123456789"), "g") || family == "a1" {
		return "arm64"
	}
	return "x86_64"
}

// balancerAccounts are the accounts that deliver load balancers' access logs in the regions opened before August 2022
// (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html).
var balancerAccounts = map[string]string{
	"us-east-1": "127311923021", "us-east-2": "033677994240", "us-west-1": "027434742980", "us-west-2": "797873946194",
	"eu-central-1": "054676820928", "eu-west-1": "156460612806", "eu-west-2": "652711504416", "eu-west-3": "009996457667",
	"eu-north-1": "897822967062", "eu-south-1": "635631232127", "ap-northeast-1": "582318560864", "ap-northeast-2": "600734575887",
	"ap-southeast-1": "114774131450", "ap-southeast-2": "783225319266", "ap-south-1": "718504428378", "ca-central-1": "985666609251",
	"sa-east-1": "507241528517",
}
