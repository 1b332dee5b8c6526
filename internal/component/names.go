package component

import (
	"fmt"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/environment"
)

// naming is how AWS names the resources of one type.
type naming struct {
	// field of the resource's args that holds the name.
	field string
	// limit is the longest name in characters, from the service's API reference.
	limit int
	// prefix comes before every name.
	prefix string
	// replacing are the fields whose change makes AWS make another resource: they are part of the name.
	replacing []string
}

// namings are the types whose resources have a name in the account. The AWS provider would name the resources of a type
// that is missing here at random; the simulated account refuses them.
var namings = map[string]naming{
	"aws:appautoscaling/policy:Policy":                             {field: "Name", limit: 256},
	"aws:autoscaling/group:Group":                                  {field: "Name", limit: 255},
	"aws:autoscaling/policy:Policy":                                {field: "Name", limit: 255},
	"aws:backup/plan:Plan":                                         {field: "Name", limit: 50},
	"aws:backup/selection:Selection":                               {field: "Name", limit: 50},
	"aws:backup/vault:Vault":                                       {field: "Name", limit: 50},
	"aws:budgets/budget:Budget":                                    {field: "Name", limit: 100},
	"aws:cloudfront/originAccessControl:OriginAccessControl":       {field: "Name", limit: 64},
	"aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy":   {field: "Name", limit: 128},
	"aws:cloudwatch/dashboard:Dashboard":                           {field: "DashboardName", limit: 255},
	"aws:cloudwatch/eventRule:EventRule":                           {field: "Name", limit: 64},
	"aws:cloudwatch/eventTarget:EventTarget":                       {field: "TargetId", limit: 64},
	"aws:cloudwatch/logGroup:LogGroup":                             {field: "Name", limit: 512},
	"aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": {field: "Name", limit: 60},
	"aws:cloudwatch/logDeliverySource:LogDeliverySource":           {field: "Name", limit: 60},
	"aws:cloudwatch/metricAlarm:MetricAlarm":                       {field: "Name", limit: 255},
	"aws:ec2/launchTemplate:LaunchTemplate":                        {field: "Name", limit: 128},
	"aws:ec2/securityGroup:SecurityGroup":                          {field: "Name", limit: 255, replacing: []string{"Description"}},
	"aws:ecr/repository:Repository":                                {field: "Name", limit: 256},
	"aws:ecs/capacityProvider:CapacityProvider":                    {field: "Name", limit: 255},
	"aws:ecs/cluster:Cluster":                                      {field: "Name", limit: 255},
	"aws:ecs/service:Service":                                      {field: "Name", limit: 255},
	"aws:ecs/taskDefinition:TaskDefinition":                        {field: "Family", limit: 255},
	"aws:iam/instanceProfile:InstanceProfile":                      {field: "Name", limit: 128},
	"aws:iam/policy:Policy":                                        {field: "Name", limit: 128},
	"aws:iam/role:Role":                                            {field: "Name", limit: 64},
	"aws:iam/rolePolicy:RolePolicy":                                {field: "Name", limit: 128},
	"aws:kms/alias:Alias":                                          {field: "Name", limit: 256, prefix: "alias/"},
	"aws:lambda/function:Function":                                 {field: "Name", limit: 64},
	"aws:lambda/permission:Permission":                             {field: "StatementId", limit: 100},
	"aws:lb/loadBalancer:LoadBalancer":                             {field: "Name", limit: 32},
	"aws:lb/targetGroup:TargetGroup":                               {field: "Name", limit: 32},
	"aws:s3/bucketV2:BucketV2":                                     {field: "Bucket", limit: 63},
	"aws:sns/topic:Topic":                                          {field: "Name", limit: 256},
	"aws:sqs/queue:Queue":                                          {field: "Name", limit: 80},
	"aws:wafv2/webAcl:WebAcl":                                      {field: "Name", limit: 128},
}

// PhysicalName is the name on AWS of the resource of that type with that logical name. replacing are the values of the
// type's replacing fields.
func PhysicalName(env environment.Environment, typ, logical string, replacing ...string) string {
	n := namingOf(typ)
	return n.prefix + env.PhysicalName(logical, n.limit-len(n.prefix), replacing...)
}

// PhysicalPattern is the IAM pattern of the names on AWS of the resources of that type whose logical names start with
// prefix, see environment.PhysicalPattern.
func PhysicalPattern(env environment.Environment, typ, prefix string) string {
	n := namingOf(typ)
	return n.prefix + env.PhysicalPattern(prefix, n.limit-len(n.prefix))
}

func namingOf(typ string) naming {
	n, known := namings[typ]
	if !known {
		panic(fmt.Sprintf("component: %s has no physical name", typ))
	}
	return n
}

// physicalNames names every child of a component that the component does not name itself.
func physicalNames(env environment.Environment) pulumi.ResourceTransformation {
	return func(r *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		n, named := namings[r.Type]
		if !named {
			return nil
		}
		args := reflect.New(reflect.TypeOf(r.Props).Elem())
		args.Elem().Set(reflect.ValueOf(r.Props).Elem())
		field := args.Elem().FieldByName(n.field)
		if !field.IsNil() {
			return nil
		}
		var replacing []string
		for _, name := range n.replacing {
			if literal, ok := args.Elem().FieldByName(name).Interface().(pulumi.String); ok {
				replacing = append(replacing, string(literal))
			}
		}
		field.Set(reflect.ValueOf(pulumi.String(PhysicalName(env, r.Type, r.Name, replacing...))))
		return &pulumi.ResourceTransformationResult{Props: args.Interface().(pulumi.Input), Opts: r.Opts}
	}
}
