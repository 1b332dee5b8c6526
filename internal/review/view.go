package review

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/internal/awssim"
	"cinema-database/internal/plan"
)

// view is a recording without its providers, with indexes to look up its resources.
type view struct {
	*plan.Recording
	region, account string
	// cloudFrontList is the id of the prefix list of the addresses from which CloudFront calls origins, in the region.
	cloudFrontList string

	byURN map[string]*plan.Resource
	byID  map[string]*plan.Resource // by id, ARN, physical name and address
	ids   map[string][]string       // the keys of byID by their first shortestID bytes, longest first

	// regions holds the region of each provider, by the reference that its resources have.
	regions map[string]string
}

func newView(r *plan.Recording) *view {
	shown := *r
	// A provider is a setting of the program, not a resource on AWS.
	shown.Resources = slices.DeleteFunc(slices.Clone(r.Resources), func(res *plan.Resource) bool { return strings.HasPrefix(res.Type, providerPrefix) })
	v := &view{Recording: &shown, regions: map[string]string{}, byURN: map[string]*plan.Resource{}, byID: map[string]*plan.Resource{}, ids: map[string][]string{}}
	for _, res := range r.Resources {
		if strings.HasPrefix(res.Type, providerPrefix) {
			v.regions[res.URN+"::"+res.ID] = res.Text("region")
		}
	}
	r = &shown
	for _, res := range r.Resources {
		v.byURN[res.URN] = res
	}
	for _, res := range r.Resources {
		if !res.Custom {
			continue
		}
		for _, key := range []resource.PropertyKey{"arn", "bucket", "bucketRegionalDomainName", "name", "dnsName", "invokeArn", "keyId", "publicIp", "privateIp"} {
			if s := res.State[key]; s.IsString() {
				v.index(s.StringValue(), res)
			}
		}
		// Only here: the domain name of a certificate is a host name, which the page shows.
		if res.Type == distributionType {
			v.index(text(res.State, "domainName"), res)
		}
		v.index(res.ID, res)
	}
	for id := range v.byID {
		v.ids[id[:shortestID]] = append(v.ids[id[:shortestID]], id)
	}
	for _, ids := range v.ids {
		slices.SortFunc(ids, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	}
	v.region, v.account = "us-east-1", awssim.AccountID
	for _, vpc := range r.ByType(vpcType) {
		if parts := strings.Split(text(vpc.State, "arn"), ":"); len(parts) > 4 {
			v.region, v.account = parts[3], parts[4]
		}
	}
	// The program's own look-up has had the same answer.
	found, err := awssim.Cloud{Region: v.region}.Lookup("aws:ec2/getManagedPrefixList:getManagedPrefixList",
		resource.PropertyMap{"name": resource.NewProperty("com.amazonaws.global.cloudfront.origin-facing")})
	if err == nil {
		v.cloudFrontList = text(found, "id")
	}
	return v
}

// shortestID is the shortest id that is found in other text, in bytes. Shorter ones occur there by chance.
const shortestID = 8

// index adds a name to byID. A bucket's settings have the bucket's own name as their id: the shortest type wins.
func (v *view) index(id string, res *plan.Resource) {
	if len(id) < shortestID || id == res.Name {
		return
	}
	if old := v.byID[id]; old == nil || cmp.Or(len(res.Type)-len(old.Type), strings.Compare(res.URN, old.URN)) < 0 {
		v.byID[id] = res
	}
}

// readable replaces ids, ARNs and physical names in a text by logical names. It replaces whole names only, so that
// cinema-prod does not match in cinema-prod-images.
func (v *view) readable(s string) string {
	inName := func(i int) bool {
		return i >= 0 && i < len(s) && (s[i] == '-' || '0' <= s[i] && s[i] <= '9' || 'a' <= s[i]|0x20 && s[i]|0x20 <= 'z')
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if i+shortestID <= len(s) && !inName(i-1) {
			ids := v.ids[s[i:i+shortestID]]
			if n := slices.IndexFunc(ids, func(id string) bool { return strings.HasPrefix(s[i:], id) && !inName(i+len(id)) }); n >= 0 {
				b.WriteString(v.byID[ids[n]].Name)
				i += len(ids[n])
				continue
			}
		}
		b.WriteByte(s[i])
		i++
	}
	return strings.ReplaceAll(b.String(), v.account, "(account)")
}

// component is the outermost component that contains a resource, nil for none.
func (v *view) component(r *plan.Resource) *plan.Resource {
	var outer *plan.Resource
	for p := v.byURN[r.Parent]; p != nil; p = v.byURN[p.Parent] {
		outer = p
	}
	return outer
}

// text is the string at a path of a property map, "" for none.
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

// list returns the strings of the list at a path.
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

// objects returns the maps of the list at a path.
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

// short abbreviates a type token: aws:ec2/vpc:Vpc becomes ec2 Vpc.
func short(typ string) string {
	if typ == gateType {
		return "gate" // what it does here
	}
	parts := strings.Split(typ, ":")
	if len(parts) != 3 {
		return typ
	}
	module, _, _ := strings.Cut(parts[1], "/")
	return module + " " + strings.TrimSuffix(strings.TrimSuffix(parts[2], "V2"), "v2")
}

// providerPrefix begins the type tokens of providers.
const providerPrefix = "pulumi:providers:"

// The type tokens that the page treats by name.
const (
	vpcType            = "aws:ec2/vpc:Vpc"
	subnetType         = "aws:ec2/subnet:Subnet"
	gatewayType        = "aws:ec2/internetGateway:InternetGateway"
	natType            = "aws:ec2/natGateway:NatGateway"
	addressType        = "aws:ec2/eip:Eip"
	endpointType       = "aws:ec2/vpcEndpoint:VpcEndpoint"
	groupType          = "aws:ec2/securityGroup:SecurityGroup"
	ruleType           = "aws:ec2/securityGroupRule:SecurityGroupRule"
	aclType            = "aws:ec2/networkAcl:NetworkAcl"
	routeType          = "aws:ec2/route:Route"
	associationType    = "aws:ec2/routeTableAssociation:RouteTableAssociation"
	instanceType       = "aws:ec2/instance:Instance"
	templateType       = "aws:ec2/launchTemplate:LaunchTemplate"
	volumeType         = "aws:ebs/volume:Volume"
	attachmentType     = "aws:ec2/volumeAttachment:VolumeAttachment"
	scalingType        = "aws:autoscaling/group:Group"
	balancerType       = "aws:lb/loadBalancer:LoadBalancer"
	listenerType       = "aws:lb/listener:Listener"
	distributionType   = "aws:cloudfront/distribution:Distribution"
	vpcOriginType      = "aws:cloudfront/vpcOrigin:VpcOrigin"
	subscriptionType   = "aws:cloudfront/monitoringSubscription:MonitoringSubscription"
	firewallType       = "aws:wafv2/webAcl:WebAcl"
	bucketType         = "aws:s3/bucketV2:BucketV2"
	bucketPolicyType   = "aws:s3/bucketPolicy:BucketPolicy"
	replicationType    = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
	vaultType          = "aws:backup/vault:Vault"
	gateType           = "pulumi:index:Stash"
	notifyType         = "aws:s3/bucketNotification:BucketNotification"
	functionType       = "aws:lambda/function:Function"
	functionURLType    = "aws:lambda/functionUrl:FunctionUrl"
	invokeType         = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
	permissionType     = "aws:lambda/permission:Permission"
	queueType          = "aws:sqs/queue:Queue"
	keyType            = "aws:kms/key:Key"
	roleType           = "aws:iam/role:Role"
	rolePolicyType     = "aws:iam/rolePolicy:RolePolicy"
	roleAttachmentType = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	queuePolicyType    = "aws:sqs/queuePolicy:QueuePolicy"
	topicType          = "aws:sns/topic:Topic"
	topicPolicyType    = "aws:sns/topicPolicy:TopicPolicy"
	hostedZoneType     = "aws:route53/zone:Zone"
	logGroupType       = "aws:cloudwatch/logGroup:LogGroup"
	alarmType          = "aws:cloudwatch/metricAlarm:MetricAlarm"
	dashboardType      = "aws:cloudwatch/dashboard:Dashboard"
	flowLogType        = "aws:ec2/flowLog:FlowLog"
	backupPlanType     = "aws:backup/plan:Plan"
	clusterType        = "aws:ecs/cluster:Cluster"
	ecsServiceType     = "aws:ecs/service:Service"
	definitionType     = "aws:ecs/taskDefinition:TaskDefinition"
	capacityType       = "aws:ecs/capacityProvider:CapacityProvider"
	scalableType       = "aws:appautoscaling/target:Target"
	repositoryType     = "aws:ecr/repository:Repository"
	targetGroupType    = "aws:lb/targetGroup:TargetGroup"
	listenerRuleType   = "aws:lb/listenerRule:ListenerRule"
)
