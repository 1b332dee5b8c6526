package review

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/internal/plan"
	"cinema-database/internal/awssim"
)

// view is a recording with what it takes to find one's way in it.
type view struct {
	*plan.Recording
	region string

	byURN map[string]*plan.Resource
	byID  map[string]*plan.Resource // ids, ARNs and names that AWS gave, each to the resource that is called so
	names *strings.Replacer         // the same, each to its logical name
}

func newView(r *plan.Recording) *view {
	v := &view{Recording: r, byURN: map[string]*plan.Resource{}, byID: map[string]*plan.Resource{}}
	for _, res := range r.Resources {
		v.byURN[res.URN] = res
	}
	for _, res := range r.Resources {
		if !res.Custom {
			continue
		}
		for _, key := range []resource.PropertyKey{"arn", "bucket", "name", "dnsName", "websiteEndpoint", "invokeArn", "keyId", "publicIp", "privateIp"} {
			if s := res.State[key]; s.IsString() {
				v.call(s.StringValue(), res)
			}
		}
		v.call(res.ID, res)
	}
	ids := make([]string, 0, len(v.byID))
	for id := range v.byID {
		ids = append(ids, id)
	}
	// A replacer takes the first that fits: the longest must come first.
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	var pairs []string
	for _, id := range ids {
		pairs = append(pairs, id, v.byID[id].Name)
	}
	v.names = strings.NewReplacer(append(pairs, awssim.AccountID, "(account)")...)
	v.region = "us-east-1"
	for _, vpc := range r.ByType(vpcType) {
		if parts := strings.Split(text(vpc.State, "arn"), ":"); len(parts) > 3 {
			v.region = parts[3]
		}
	}
	return v
}

// call notes what AWS calls a resource. A bucket's settings go by the bucket's own name: the shortest type wins.
func (v *view) call(id string, res *plan.Resource) {
	if len(id) < 8 || id == res.Name {
		return // too short to be found in other text without mistakes
	}
	if old := v.byID[id]; old == nil || cmp.Or(len(res.Type)-len(old.Type), strings.Compare(res.URN, old.URN)) < 0 {
		v.byID[id] = res
	}
}

// readable puts logical names in the place of what AWS calls things.
func (v *view) readable(s string) string { return v.names.Replace(s) }

// component is the outermost component that a resource belongs to, nil for one outside of any.
func (v *view) component(r *plan.Resource) *plan.Resource {
	var outer *plan.Resource
	for p := v.byURN[r.Parent]; p != nil; p = v.byURN[p.Parent] {
		outer = p
	}
	return outer
}

// text is the string at a path of a property map, "" where there is none.
func text(m resource.PropertyMap, path string) string {
	if v := plan.At(m, path); v.IsString() {
		return v.StringValue()
	}
	return ""
}

func number(m resource.PropertyMap, path string) float64 {
	switch v := plan.At(m, path); {
	case v.IsNumber():
		return v.NumberValue()
	case v.IsString():
		var n float64
		if _, err := fmt.Sscan(v.StringValue(), &n); err == nil {
			return n
		}
	}
	return 0
}

func boolean(m resource.PropertyMap, path string) bool {
	v := plan.At(m, path)
	return v.IsBool() && v.BoolValue() || v.IsString() && v.StringValue() == "true"
}

// list are the strings of a list at a path.
func list(m resource.PropertyMap, path string) []string {
	var all []string
	if v := plan.At(m, path); v.IsArray() {
		for _, e := range v.ArrayValue() {
			if e.IsString() {
				all = append(all, e.StringValue())
			}
		}
	}
	return all
}

// objects are the maps of a list at a path.
func objects(m resource.PropertyMap, path string) []resource.PropertyMap {
	var all []resource.PropertyMap
	if v := plan.At(m, path); v.IsArray() {
		for _, e := range v.ArrayValue() {
			if e.IsObject() {
				all = append(all, e.ObjectValue())
			}
		}
	}
	return all
}

// short is a type token without what every one of them repeats: aws:ec2/vpc:Vpc is ec2 Vpc.
func short(typ string) string {
	parts := strings.Split(typ, ":")
	if len(parts) != 3 {
		return typ
	}
	module, _, _ := strings.Cut(parts[1], "/")
	return module + " " + strings.TrimSuffix(strings.TrimSuffix(parts[2], "V2"), "v2")
}

// The types that the page knows by name.
const (
	vpcType          = "aws:ec2/vpc:Vpc"
	subnetType       = "aws:ec2/subnet:Subnet"
	gatewayType      = "aws:ec2/internetGateway:InternetGateway"
	natType          = "aws:ec2/natGateway:NatGateway"
	addressType      = "aws:ec2/eip:Eip"
	endpointType     = "aws:ec2/vpcEndpoint:VpcEndpoint"
	groupType        = "aws:ec2/securityGroup:SecurityGroup"
	ruleType         = "aws:ec2/securityGroupRule:SecurityGroupRule"
	aclType          = "aws:ec2/networkAcl:NetworkAcl"
	routeType        = "aws:ec2/route:Route"
	associationType  = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	instanceType     = "aws:ec2/instance:Instance"
	templateType     = "aws:ec2/launchTemplate:LaunchTemplate"
	volumeType       = "aws:ebs/volume:Volume"
	attachmentType   = "aws:ec2/volumeAttachment:VolumeAttachment"
	scalingType      = "aws:autoscaling/group:Group"
	balancerType     = "aws:lb/loadBalancer:LoadBalancer"
	bucketType       = "aws:s3/bucketV2:BucketV2"
	bucketPolicyType = "aws:s3/bucketPolicy:BucketPolicy"
	websiteType      = "aws:s3/bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2"
	notifyType       = "aws:s3/bucketNotification:BucketNotification"
	functionType     = "aws:lambda/function:Function"
	functionURLType  = "aws:lambda/functionUrl:FunctionUrl"
	invokeType       = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
	permissionType   = "aws:lambda/permission:Permission"
	queueType        = "aws:sqs/queue:Queue"
	keyType          = "aws:kms/key:Key"
	roleType         = "aws:iam/role:Role"
	rolePolicyType   = "aws:iam/rolePolicy:RolePolicy"
)
