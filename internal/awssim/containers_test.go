package awssim

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	lifecycleType     = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
	scalingPolicyType = "aws:appautoscaling/policy:Policy"
	endpointType      = "aws:ec2/vpcEndpoint:VpcEndpoint"
	logsService       = "com.amazonaws.us-east-1.logs"
)

// definition returns the containers of a task definition as JSON: one, "demo", on port 8080.
func definition(t *testing.T, image string) string {
	data, err := json.Marshal([]any{map[string]any{"name": "demo", "image": image, "portMappings": []any{map[string]any{"containerPort": 8080}}}})
	require.NoError(t, err)
	return string(data)
}

// defined returns the inputs of a task definition for Fargate, with changes.
func (s *site) defined(image string, change func(map[string]any)) map[string]any {
	in := map[string]any{"family": "demo", "containerDefinitions": definition(s.t, image), "requiresCompatibilities": []any{"FARGATE"},
		"networkMode": "awsvpc", "cpu": "256", "memory": "512", "executionRoleArn": "$start.arn"}
	if change != nil {
		change(in)
	}
	return in
}

// released returns the inputs of a service on Fargate behind the load balancer, with changes.
func released(change func(map[string]any)) map[string]any {
	in := map[string]any{
		"cluster": "$cluster", "taskDefinition": "$v1", "desiredCount": 4.0,
		"capacityProviderStrategies": []any{map[string]any{"capacityProvider": "FARGATE", "weight": 1.0}},
		"networkConfiguration":       map[string]any{"subnets": []any{"$a", "$b"}},
		"loadBalancers":              []any{map[string]any{"containerName": "demo", "containerPort": 8080.0, "targetGroupArn": "$ip"}},
		"deploymentCircuitBreaker":   map[string]any{"enable": true, "rollback": true},
		"alarms":                     map[string]any{"enable": true, "rollback": true, "alarmNames": []any{"unhealthy"}},
	}
	if change != nil {
		change(in)
	}
	return in
}

// cluster makes a cluster on Fargate, a repository, the definitions v1 to v3, and a target group behind a load balancer.
func (s *site) cluster() {
	s.network()
	s.make(ecsCluster, "cluster", map[string]any{})
	s.make(clusterCapacity, "capacity", map[string]any{"clusterName": "cluster", "capacityProviders": []any{"FARGATE"}})
	s.make(ecrRepository, "films", map[string]any{})
	s.make(roleType, "start", map[string]any{})
	for _, tag := range []string{"v1", "v2", "v3"} {
		s.make(taskDefinition, tag, s.defined("123456789012.dkr.ecr.us-east-1.amazonaws.com/films:"+tag, nil))
	}
	s.make(targetType, "ip", map[string]any{"vpcId": "$vpc", "targetType": "ip"})
	s.make(balancerType, "balancer", map[string]any{"subnets": []any{"$a", "$b"}})
	s.make(listenerType, "listener", map[string]any{"loadBalancerArn": "$balancer", "port": 80.0})
	s.make(listenerRuleType, "rule", map[string]any{"listenerArn": "$listener", "priority": 5.0,
		"actions": []any{map[string]any{"type": "forward", "targetGroupArn": "$ip"}}})
}

func (s *site) service() {
	s.cluster()
	s.make(ecsService, "demo", released(nil))
}

// hosts makes an Auto Scaling group for a capacity provider.
func (s *site) hosts() {
	s.network()
	s.make(templateType, "template", map[string]any{})
	s.make(scalingType, "hosts", map[string]any{"launchTemplate": map[string]any{"id": "$template", "version": "1"}, "protectFromScaleIn": true})
}

func provided(scaling, protection string) map[string]any {
	return map[string]any{"autoScalingGroupProvider": map[string]any{"autoScalingGroupArn": "$hosts.arn", "managedTerminationProtection": protection,
		"managedScaling": map[string]any{"status": scaling}}}
}

func endpointIn(change func(map[string]any)) map[string]any {
	in := map[string]any{"vpcId": "$dns", "vpcEndpointType": "Interface", "serviceName": logsService, "privateDnsEnabled": true}
	if change != nil {
		change(in)
	}
	return in
}

// resolved makes a VPC with DNS names and an interface endpoint in it.
func (s *site) resolved() {
	s.make(vpcType, "dns", map[string]any{"cidrBlock": "10.1.0.0/16", "enableDnsHostnames": true})
	s.make(subnetType, "d1", map[string]any{"vpcId": "$dns", "cidrBlock": "10.1.0.0/24", "availabilityZone": "us-east-1a"})
	s.make(subnetType, "d2", map[string]any{"vpcId": "$dns", "cidrBlock": "10.1.1.0/24", "availabilityZone": "us-east-1a"})
	s.make(endpointType, "logs", endpointIn(func(m map[string]any) { m["subnetIds"] = []any{"$d1"} }))
}

func TestContainerOutputs(t *testing.T) {
	s := newSite(t)
	s.service()
	out := func(typ, name string) Properties {
		r, err := s.Read(typ, s.ids[name], urn(typ, name))
		require.NoError(t, err)
		return r.State
	}
	assert.Equal(t, "arn:aws:ecs:us-east-1:123456789012:cluster/cluster", s.ids["cluster"])
	assert.Equal(t, s.ids["cluster"], text(out(ecsCluster, "cluster"), "arn"))
	assert.Equal(t, "arn:aws:ecs:us-east-1:123456789012:service/cluster/demo", s.ids["demo"])
	assert.Equal(t, "LATEST", text(out(ecsService, "demo"), "platformVersion"))
	assert.Equal(t, "123456789012.dkr.ecr.us-east-1.amazonaws.com/films", text(out(ecrRepository, "films"), "repositoryUrl"))
	assert.Equal(t, "arn:aws:ecs:us-east-1:123456789012:task-definition/demo:3", text(out(taskDefinition, "v3"), "arn"))
	assert.Equal(t, "arn:aws:ecs:us-east-1:123456789012:task-definition/demo", text(out(taskDefinition, "v3"), "arnWithoutRevision"))
	assert.EqualValues(t, 3, out(taskDefinition, "v3")["revision"].NumberValue())

	for want := range 2 {
		require.NoError(t, s.Delete(taskDefinition, s.ids["v3"], urn(taskDefinition, "v3")))
		s.make(taskDefinition, "v3", s.defined("films:v3", func(m map[string]any) { m["family"] = "single" }))
		assert.Equal(t, fmt.Sprint("arn:aws:ecs:us-east-1:123456789012:task-definition/single:", want+2), s.ids["v3"], "an earlier creation had the number before")
	}

	s.resolved()
	assert.Len(t, out(endpointType, "logs")["networkInterfaceIds"].ArrayValue(), 1)
	assert.Contains(t, list(out(endpointType, "logs"), "securityGroupIds"), derived("sg", s.ids["dns"]))
}

func TestContainerReplacements(t *testing.T) {
	strategy := func(provider string, force bool) map[string]any {
		in := map[string]any{"forceNewDeployment": force}
		if provider != "" {
			in["capacityProviderStrategies"] = []any{map[string]any{"capacityProvider": provider}}
		}
		return in
	}
	group := func(arn, draining string) map[string]any {
		return map[string]any{"autoScalingGroupProvider": map[string]any{"autoScalingGroupArn": arn, "managedDraining": draining}}
	}
	for name, c := range map[string]struct {
		typ        string
		olds, news map[string]any
		replaced   bool
	}{
		"containers":           {taskDefinition, map[string]any{"containerDefinitions": "[1]"}, map[string]any{"containerDefinitions": "[2]"}, true},
		"task role":            {taskDefinition, map[string]any{"taskRoleArn": "a"}, map[string]any{"taskRoleArn": "b"}, true},
		"tags of a definition": {taskDefinition, map[string]any{}, map[string]any{"tags": map[string]any{"a": "b"}}, false},
		"skipDestroy":          {taskDefinition, map[string]any{}, map[string]any{"skipDestroy": true}, false},
		"cluster":              {ecsService, map[string]any{"cluster": "a"}, map[string]any{"cluster": "b"}, true},
		"launch type":          {ecsService, map[string]any{"launchType": "EC2"}, map[string]any{"launchType": "FARGATE"}, true},
		"controller": {ecsService, map[string]any{"deploymentController": map[string]any{"type": "ECS"}},
			map[string]any{"deploymentController": map[string]any{"type": "EXTERNAL"}}, true},
		"balancer": {ecsService, map[string]any{"loadBalancers": []any{map[string]any{"containerPort": 1.0}}},
			map[string]any{"loadBalancers": []any{map[string]any{"containerPort": 2.0}}}, false},
		"definition of a service":   {ecsService, map[string]any{"taskDefinition": "a"}, map[string]any{"taskDefinition": "b"}, false},
		"strategy":                  {ecsService, strategy("FARGATE", false), strategy("hosts", false), true},
		"strategy, new deployment":  {ecsService, strategy("FARGATE", true), strategy("hosts", true), false},
		"no strategy any more":      {ecsService, strategy("FARGATE", true), strategy("", true), true},
		"group of a provider":       {capacityProvider, group("a", "ENABLED"), group("b", "ENABLED"), true},
		"draining of a provider":    {capacityProvider, group("a", "ENABLED"), group("a", "DISABLED"), false},
		"providers of a cluster":    {clusterCapacity, map[string]any{"capacityProviders": []any{"a"}}, map[string]any{"capacityProviders": []any{"b"}}, false},
		"mutability":                {ecrRepository, map[string]any{"imageTagMutability": "MUTABLE"}, map[string]any{"imageTagMutability": "IMMUTABLE"}, false},
		"encryption":                {ecrRepository, map[string]any{}, map[string]any{"encryptionConfigurations": []any{map[string]any{"encryptionType": "KMS"}}}, true},
		"lifecycle":                 {lifecycleType, map[string]any{"policy": "{}"}, map[string]any{"policy": "[]"}, true},
		"capacity":                  {scalableTarget, map[string]any{"maxCapacity": 1.0}, map[string]any{"maxCapacity": 2.0}, false},
		"target":                    {scalableTarget, map[string]any{"resourceId": "a"}, map[string]any{"resourceId": "b"}, true},
		"policy of another service": {scalingPolicyType, map[string]any{"resourceId": "a"}, map[string]any{"resourceId": "b"}, true},
		"policy type":               {scalingPolicyType, map[string]any{"policyType": "a"}, map[string]any{"policyType": "b"}, false},
	} {
		d := Diff(c.typ, props(c.olds), props(c.news))
		assert.False(t, d.None(), name)
		assert.Equal(t, c.replaced, len(d.Replaces) > 0, "%s: %v", name, d.Replaces)
	}
	olds, news := props(map[string]any{"family": "f", "cpu": "1"}), props(map[string]any{"family": "f", "cpu": "2"})
	assert.False(t, Diff(taskDefinition, olds, news).DeleteBefore, "two revisions can exist")
}

func TestRefusedContainerCreations(t *testing.T) {
	service := func(key string, value any) map[string]any {
		return released(func(m map[string]any) { m[key] = value })
	}
	balanced := func(container string, port float64, group string) map[string]any {
		return service("loadBalancers", []any{map[string]any{"containerName": container, "containerPort": port, "targetGroupArn": group}})
	}
	strategy := func(provider string) []any { return []any{map[string]any{"capacityProvider": provider}} }
	scaled := func(id string, least float64) map[string]any {
		return map[string]any{"serviceNamespace": "ecs", "scalableDimension": "ecs:service:DesiredCount", "resourceId": id, "minCapacity": least, "maxCapacity": 4.0}
	}
	for name, c := range map[string]struct {
		setUp func(*site)
		typ   string
		in    func(*site) map[string]any
		code  string
	}{
		"service in no cluster":   {(*site).cluster, ecsService, func(*site) map[string]any { return service("cluster", "other") }, "ClusterNotFoundException"},
		"service, no definition":  {(*site).cluster, ecsService, func(*site) map[string]any { return service("taskDefinition", "demo:9") }, "ClientException: TaskDefinition not found"},
		"service without network": {(*site).cluster, ecsService, func(*site) map[string]any { return service("networkConfiguration", map[string]any{}) }, "Network Configuration must be provided"},
		"service, unknown provider": {(*site).cluster, ecsService, func(*site) map[string]any {
			return service("capacityProviderStrategies", strategy("hosts"))
		}, "InvalidParameterException"},
		"service, provider of no cluster": {(*site).cluster, ecsService, func(*site) map[string]any {
			return service("capacityProviderStrategies", strategy("FARGATE_SPOT"))
		}, "not associated with the cluster"},
		"service with both":          {(*site).cluster, ecsService, func(*site) map[string]any { return service("launchType", "FARGATE") }, "Specifying both a launch type"},
		"service, no such container": {(*site).cluster, ecsService, func(*site) map[string]any { return balanced("web", 8080, "$ip") }, "The container web does not exist"},
		"service, no such port":      {(*site).cluster, ecsService, func(*site) map[string]any { return balanced("demo", 80, "$ip") }, "did not have a container port 80"},
		"service, no such group":     {(*site).cluster, ecsService, func(*site) map[string]any { return balanced("demo", 8080, "arn:none") }, "The target group arn:none does not exist"},
		"service twice":              {(*site).service, ecsService, func(*site) map[string]any { return service("name", "demo") }, "AlreadyExists"},
		"service, definition for EC2": {(*site).cluster, ecsService, func(s *site) map[string]any {
			s.make(taskDefinition, "ec2", s.defined("x", func(m map[string]any) { m["family"], m["requiresCompatibilities"] = "ec2", []any{"EC2"} }))
			return service("taskDefinition", "$ec2")
		}, "does not support launch_type FARGATE"},
		"service, instances as targets": {(*site).cluster, ecsService, func(s *site) map[string]any {
			s.make(targetType, "instances", map[string]any{"vpcId": "$vpc"})
			return balanced("demo", 8080, "$instances")
		}, "has target type instance, which is incompatible with the awsvpc network mode"},
		"service, group of no balancer": {(*site).cluster, ecsService, func(s *site) map[string]any {
			s.make(targetType, "free", map[string]any{"vpcId": "$vpc", "targetType": "ip"})
			return balanced("demo", 8080, "$free")
		}, "does not have an associated load balancer"},
		"definition, size": {(*site).cluster, taskDefinition, func(s *site) map[string]any {
			return s.defined("x", func(m map[string]any) { m["memory"] = "1536" })
		}, "No Fargate configuration exists for given values: 256 CPU, 1536 memory"},
		"definition, network": {(*site).cluster, taskDefinition, func(s *site) map[string]any {
			return s.defined("x", func(m map[string]any) { delete(m, "networkMode") })
		}, "Fargate only supports network mode 'awsvpc'"},
		"definition, no size": {(*site).cluster, taskDefinition, func(s *site) map[string]any {
			return s.defined("x", func(m map[string]any) { delete(m, "cpu") })
		}, "Fargate requires that 'cpu' and 'memory' be defined"},
		"definition, no execution role": {(*site).cluster, taskDefinition, func(s *site) map[string]any {
			return s.defined("1.dkr.ecr.us-east-1.amazonaws.com/x:1", func(m map[string]any) { delete(m, "executionRoleArn") })
		}, "Fargate requires task definition to have execution role ARN"},
		"definition, no role": {(*site).cluster, taskDefinition, func(s *site) map[string]any {
			return s.defined("x", func(m map[string]any) { m["taskRoleArn"] = "arn:aws:iam::123456789012:role/none" })
		}, "ClientException"},
		"definition, no containers": {(*site).cluster, taskDefinition, func(s *site) map[string]any {
			return s.defined("x", func(m map[string]any) { m["containerDefinitions"] = "[]" })
		}, "Container list cannot be empty"},
		"definition, not JSON": {(*site).cluster, taskDefinition, func(s *site) map[string]any {
			return s.defined("x", func(m map[string]any) { m["containerDefinitions"] = "demo" })
		}, "Container definitions are not valid"},
		"default strategy": {(*site).cluster, clusterCapacity, func(s *site) map[string]any {
			s.make(ecsCluster, "second", map[string]any{})
			return map[string]any{"clusterName": "second", "capacityProviders": []any{"FARGATE"}, "defaultCapacityProviderStrategies": strategy("FARGATE_SPOT")}
		}, "not associated with the cluster"},
		"capacity of no cluster": {nil, clusterCapacity, func(*site) map[string]any { return map[string]any{"clusterName": "none"} }, "ClusterNotFoundException"},
		"provider name": {(*site).hosts, capacityProvider, func(*site) map[string]any {
			in := provided("ENABLED", "ENABLED")
			in["name"] = "ecs-hosts"
			return in
		}, "cannot be prefixed with"},
		"protection without scaling": {(*site).hosts, capacityProvider, func(*site) map[string]any { return provided("DISABLED", "ENABLED") }, "you must enable managed scaling"},
		"protection without the group's": {func(s *site) {
			s.hosts()
			require.NoError(s.t, s.Change(scalingType, "hosts", func(p Properties) { p["protectFromScaleIn"] = resource.NewProperty(false) }))
		}, capacityProvider, func(*site) map[string]any { return provided("ENABLED", "ENABLED") }, "must have instance protection from scale in enabled"},
		"group of another provider": {func(s *site) { s.hosts(); s.make(capacityProvider, "p", provided("ENABLED", "ENABLED")) }, capacityProvider,
			func(*site) map[string]any { return provided("ENABLED", "ENABLED") }, "already being used by another capacity provider"},
		"same repository":         {(*site).cluster, ecrRepository, func(*site) map[string]any { return map[string]any{"name": "films"} }, "AlreadyExists"},
		"policy of no repository": {nil, lifecycleType, func(*site) map[string]any { return map[string]any{"repository": "none", "policy": "{}"} }, "RepositoryNotFoundException"},
		"policy that is not JSON": {(*site).cluster, lifecycleType, func(*site) map[string]any { return map[string]any{"repository": "films", "policy": "no"} }, "InvalidParameterException"},
		"target of no service":    {(*site).cluster, scalableTarget, func(*site) map[string]any { return scaled("service/cluster/demo", 1) }, "ECS service doesn't exist"},
		"target's limits":         {(*site).service, scalableTarget, func(*site) map[string]any { return scaled("service/cluster/demo", 5) }, "Maximum capacity cannot be less"},
		"policy of no target": {(*site).service, scalingPolicyType, func(*site) map[string]any {
			return map[string]any{"serviceNamespace": "ecs", "resourceId": "service/cluster/demo", "scalableDimension": "ecs:service:DesiredCount"}
		}, "ObjectNotFoundException"},
		"same priority": {(*site).cluster, listenerRuleType, func(*site) map[string]any {
			return map[string]any{"listenerArn": "$listener", "priority": 5.0}
		}, "AlreadyExists"},
		"endpoint without DNS names": {(*site).network, endpointType, func(*site) map[string]any {
			return endpointIn(func(m map[string]any) { m["vpcId"] = "$vpc" })
		}, "Enabling private DNS requires both"},
		"second endpoint": {(*site).resolved, endpointType, func(*site) map[string]any { return endpointIn(nil) }, "already a conflicting DNS domain"},
		"two subnets in a zone": {(*site).resolved, endpointType, func(*site) map[string]any {
			return endpointIn(func(m map[string]any) {
				m["serviceName"], m["subnetIds"] = "com.amazonaws.us-east-1.ssm", []any{"$d1", "$d2"}
			})
		}, "DuplicateSubnetsInSameZone"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			if c.setUp != nil {
				c.setUp(s)
			}
			s.refusesCreation(c.typ, c.in(s), c.code)
		})
	}
}

func TestRefusedContainerDeletions(t *testing.T) {
	pulled := func(force bool) func(*site) {
		return func(s *site) {
			s.service()
			require.NoError(s.t, s.Change(ecrRepository, "films", func(p Properties) { p["forceDelete"] = resource.NewProperty(force) }))
			s.describe()
			s.describe()
		}
	}
	for name, c := range map[string]struct {
		setUp           func(*site)
		typ, what, code string
	}{
		"cluster with services":        {(*site).service, ecsCluster, "cluster", "ClusterContainsServicesException"},
		"capacity that a service uses": {(*site).service, clusterCapacity, "capacity", "ResourceInUseException"},
		"default capacity": {func(s *site) {
			s.cluster()
			require.NoError(s.t, s.Change(clusterCapacity, "cluster", func(p Properties) {
				p["defaultCapacityProviderStrategies"] = resource.NewProperty([]resource.PropertyValue{resource.NewProperty(props(map[string]any{"capacityProvider": "FARGATE"}))})
			}))
			s.make(ecsService, "demo", released(func(m map[string]any) { delete(m, "capacityProviderStrategies") }))
		}, clusterCapacity, "capacity", "ResourceInUseException"},
		"provider of a cluster": {func(s *site) {
			s.hosts()
			s.make(capacityProvider, "p", provided("ENABLED", "ENABLED"))
			s.make(ecsCluster, "cluster", map[string]any{})
			s.make(clusterCapacity, "capacity", map[string]any{"clusterName": "cluster", "capacityProviders": []any{"$p"}})
		}, capacityProvider, "p", "ClientException"},
		"group of a provider":    {func(s *site) { s.hosts(); s.make(capacityProvider, "p", provided("ENABLED", "ENABLED")) }, scalingType, "hosts", "DependencyViolation"},
		"repository with images": {pulled(false), ecrRepository, "films", "RepositoryNotEmptyException"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			c.setUp(s)
			s.refusesDeletion(c.typ, c.what, c.code)
		})
	}

	s := newSite(t)
	s.cluster()
	s.make(lifecycleType, "keep", map[string]any{"repository": "films", "policy": "{}"})
	before := len(s.Resources())
	require.NoError(t, s.Delete(ecrRepository, "films", urn(ecrRepository, "films")), "no task has pulled an image")
	require.NoError(t, s.Delete(ecsCluster, s.ids["cluster"], urn(ecsCluster, "cluster")))
	assert.Len(t, s.Resources(), before-4, "with the lifecycle policy and the capacity providers")

	s = newSite(t)
	pulled(true)(s)
	require.NoError(t, s.Delete(ecrRepository, "films", urn(ecrRepository, "films")), "forced")
	s.make(ecrRepository, "films", map[string]any{})
	require.NoError(t, s.Delete(ecrRepository, "films", urn(ecrRepository, "films")), "the new one is empty")

	s = newSite(t)
	s.service()
	scaling := func() map[string]any {
		return map[string]any{"serviceNamespace": "ecs", "resourceId": "service/cluster/demo", "scalableDimension": "ecs:service:DesiredCount"}
	}
	s.make(scalableTarget, "count", scaling())
	s.make(scalingPolicyType, "cpu", scaling())
	before = len(s.Resources())
	require.NoError(t, s.Delete(scalableTarget, s.ids["count"], urn(scalableTarget, "count")))
	assert.Len(t, s.Resources(), before-2, "with its policy")
	old, err := s.Read(clusterCapacity, "cluster", urn(clusterCapacity, "capacity"))
	require.NoError(t, err)
	update := func(providers ...any) error {
		news := props(map[string]any{"clusterName": "cluster", "capacityProviders": providers})
		_, err := s.Update(clusterCapacity, "cluster", old.URN, old.State, news, []string{"capacityProviders"}, false)
		return err
	}
	require.ErrorContains(t, update("FARGATE_SPOT"), "ResourceInUseException")
	require.NoError(t, update("FARGATE", "FARGATE_SPOT"))
}

func TestContainerLookups(t *testing.T) {
	const image, secret, parameter, service = "aws:ecr/getImage:getImage", "aws:secretsmanager/getSecret:getSecret", "aws:ssm/getParameter:getParameter", "aws:ecs/getService:getService"
	s := newSite(t)
	s.cluster()
	look := func(token string, args map[string]any) Properties {
		t.Helper()
		out, err := s.Lookup(token, props(args))
		require.NoError(t, err)
		return out
	}
	fails := func(token string, args map[string]any, want string) {
		t.Helper()
		_, err := s.Lookup(token, props(args))
		require.ErrorContains(t, err, want)
	}
	optimized := "/aws/service/ecs/optimized-ami/amazon-linux-2023/"
	arm := look(parameter, map[string]any{"name": optimized + "arm64/recommended/image_id"})
	assert.Regexp(t, `^ami-0[0-9a-f]{16}$`, text(arm, "value"))
	assert.NotEqual(t, text(arm, "value"), text(look(parameter, map[string]any{"name": optimized + "recommended/image_id"}), "value"))
	fails(parameter, map[string]any{"name": optimized + "riscv/recommended/image_id"}, "ParameterNotFound")

	tagged := map[string]any{"repositoryName": "films", "imageTag": "v1"}
	found := look(image, tagged)
	digest := text(found, "imageDigest")
	assert.Regexp(t, `^sha256:[0-9a-f]{64}$`, digest)
	assert.Equal(t, "123456789012.dkr.ecr.us-east-1.amazonaws.com/films@"+digest, text(found, "imageUri"))
	assert.Equal(t, []string{"v1"}, list(found, "imageTags"))
	assert.Equal(t, digest, text(look(image, map[string]any{"repositoryName": "films", "imageDigest": digest}), "imageDigest"))
	assert.NotEqual(t, digest, text(look(image, map[string]any{"repositoryName": "films", "mostRecent": true}), "imageDigest"))
	fails(image, map[string]any{"repositoryName": "films"}, "one of imageTag, imageDigest and mostRecent is required")
	named := look(secret, map[string]any{"name": "cinema/dev/key"})
	assert.Regexp(t, `^arn:aws:secretsmanager:us-east-1:123456789012:secret:cinema/dev/key-[0-9a-f]{6}$`, text(named, "arn"))
	assert.Equal(t, "cinema/dev/key", text(look(secret, map[string]any{"arn": text(named, "arn")}), "name"))

	s.SetConditions(Conditions{MissingImages: []string{"v1"}, MissingSecrets: []string{"cinema/dev/key"}})
	fails(image, tagged, "ImageNotFoundException")
	fails(image, map[string]any{"repositoryName": "films", "imageDigest": digest}, "ImageNotFoundException")
	look(image, map[string]any{"repositoryName": "films", "imageTag": "v12"})
	fails(secret, map[string]any{"name": "cinema/dev/key"}, "ResourceNotFoundException")
	look(secret, map[string]any{"name": "cinema/dev/other"})

	fails(service, map[string]any{"clusterArn": "none", "serviceName": "demo"}, "ClusterNotFoundException")
	fails(service, map[string]any{"clusterArn": s.ids["cluster"], "serviceName": "demo"}, "couldn't find resource")
	s.make(ecsService, "demo", released(nil))
	assert.Equal(t, s.ids["v1"], text(look(service, map[string]any{"clusterArn": s.ids["cluster"], "serviceName": "demo"}), "taskDefinition"))
}
