package awssim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	ecsCluster       = "aws:ecs/cluster:Cluster"
	clusterCapacity  = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
	capacityProvider = "aws:ecs/capacityProvider:CapacityProvider"
	taskDefinition   = "aws:ecs/taskDefinition:TaskDefinition"
	ecsService       = "aws:ecs/service:Service"
	ecrRepository    = "aws:ecr/repository:Repository"
	scalableTarget   = "aws:appautoscaling/target:Target"
)

// serviceRole is the service-linked role of ECS, as the provider reads it from a service.
const serviceRole = "/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"

// containerKinds are Elastic Container Service, Elastic Container Registry and Application Auto Scaling.
var containerKinds = map[string]kind{
	ecsCluster: {
		id: arnID("ecs:{region}:{account}:cluster/{name}"), tagged: true, name: naming{property: "name", limit: 255},
		outputs: func(d *draft) {
			d.set("arn", d.id)
			d.set("settings", resource.NewProperty([]resource.PropertyValue{resource.NewProperty(Properties{
				"name": resource.NewProperty("containerInsights"), "value": resource.NewProperty("disabled"),
			})}))
		},
		replace: []string{"name"}, unique: pick("name"), inUse: "ClusterContainsServicesException",
	},
	clusterCapacity: {
		id: same("clusterName"), replace: []string{"clusterName"}, unique: pick("clusterName"), part: "clusterName",
		needs: []need{
			{"clusterName", []string{ecsCluster}},
			{"capacityProviders", []string{capacityProvider}},
			{"defaultCapacityProviderStrategies.capacityProvider", []string{capacityProvider}},
		},
		missing: map[string]string{
			"clusterName":       "ClusterNotFoundException",
			"capacityProviders": "InvalidParameterException",
			"defaultCapacityProviderStrategies.capacityProvider": "InvalidParameterException",
		},
		refuse: func(_ *Account, in Properties) error {
			return refuseStrategy(named(in, "defaultCapacityProviderStrategies.capacityProvider"), in)
		},
		refuseUpdate: func(a *Account, old Resource, in Properties) error {
			return errors.Join(refuseStrategy(named(in, "defaultCapacityProviderStrategies.capacityProvider"), in), a.keepCapacity(old, in))
		},
		keep: func(a *Account, r Resource) error { return a.keepCapacity(r, nil) },
	},
	capacityProvider: {
		id: arnID("ecs:{region}:{account}:capacity-provider/{name}"), tagged: true, name: naming{property: "name", limit: 255},
		outputs: func(d *draft) { d.set("arn", d.id) },
		replace: []string{"autoScalingGroupProvider.autoScalingGroupArn", "name"}, unique: pick("name"),
		needs:   need1("autoScalingGroupProvider.autoScalingGroupArn", scalingGroup),
		missing: map[string]string{"autoScalingGroupProvider.autoScalingGroupArn": "ClientException"},
		inUse:   "ClientException",
		refuse:  func(a *Account, in Properties) error { return a.refuseCapacityProvider("", in) },
		refuseUpdate: func(a *Account, old Resource, in Properties) error {
			return a.refuseCapacityProvider(old.ID, in)
		},
	},
	taskDefinition: {
		// The provider's id is the family, which all revisions share. Here each revision has its ARN as its id: an account finds a
		// resource by its id alone.
		id: func(d *draft) string { return definitionFamily(d) + ":" + strconv.Itoa(revision(d)) }, tagged: true,
		name: naming{property: "family", limit: 255, revisions: true},
		outputs: func(d *draft) {
			d.set("revision", num(revision(d)))
			d.set("arnWithoutRevision", definitionFamily(d))
			d.set("arn", d.id)
			d.set("networkMode", "bridge")
			d.set("enableFaultInjection", false)
			d.set("skipDestroy", false)
			d.set("trackLatest", false)
		},
		replace: []string{"containerDefinitions", "cpu", "enableFaultInjection", "ephemeralStorage", "executionRoleArn", "family",
			"inferenceAccelerators", "ipcMode", "memory", "networkMode", "pidMode", "placementConstraints", "proxyConfiguration",
			"requiresCompatibilities", "runtimePlatform", "taskRoleArn", "volumes"},
		unique:  pick("family", "revision"),
		needs:   []need{{"executionRoleArn", []string{"aws:iam/role:Role"}}, {"taskRoleArn", []string{"aws:iam/role:Role"}}},
		missing: map[string]string{"executionRoleArn": "ClientException", "taskRoleArn": "ClientException"},
		refuse:  func(_ *Account, in Properties) error { return refuseTaskDefinition(in) },
	},
	ecsService: {
		id: func(d *draft) string {
			cluster := d.text("cluster")
			if cluster == "" {
				cluster = "default"
			}
			return d.expand("ecs:{region}:{account}:service/" + lastOf(cluster, "/") + "/{name}")
		},
		tagged: true, name: naming{property: "name", limit: 255},
		outputs: func(d *draft) {
			d.set("cluster", "default")
			d.set("launchType", launchType(d))
			d.set("platformVersion", platformVersion(d.state))
			d.set("iamRole", serviceRole)
			d.set("availabilityZoneRebalancing", "DISABLED")
			d.set("deploymentMaximumPercent", num(200))
			d.set("deploymentMinimumHealthyPercent", num(100))
			d.set("desiredCount", num(0))
			d.set("schedulingStrategy", "REPLICA")
			d.set("enableEcsManagedTags", false)
			d.set("enableExecuteCommand", false)
			d.set("waitForSteadyState", false)
			d.set("propagateTags", "NONE")
			d.set("triggers", resource.NewProperty(Properties{}))
		},
		replace:  []string{"cluster", "deploymentController.type", "iamRole", "launchType", "name", "schedulingStrategy"},
		replaces: replacedStrategy,
		// Application Auto Scaling changes the count, and UpdateService everything.
		changes: []string{"desiredCount", "loadBalancers", "taskDefinition"},
		unique:  pick("cluster", "name"),
		needs: []need{
			{"cluster", []string{ecsCluster}},
			{"capacityProviderStrategies.capacityProvider", []string{capacityProvider}},
		},
		missing: map[string]string{
			"cluster": "ClusterNotFoundException",
			"capacityProviderStrategies.capacityProvider": "InvalidParameterException",
		},
		refuse: func(a *Account, in Properties) error { return a.refuseService(Properties{}, in) },
		refuseUpdate: func(a *Account, old Resource, in Properties) error {
			return a.refuseService(old.State, in)
		},
	},
	ecrRepository: {
		id: same("name"), arn: "ecr:{region}:{account}:repository/{name}", tagged: true, name: naming{property: "name", limit: 256},
		outputs: func(d *draft) {
			d.set("registryId", AccountID)
			d.set("repositoryUrl", d.cloud.registry()+"/"+d.text("name"))
			d.set("imageTagMutability", "MUTABLE")
			d.set("forceDelete", false)
		},
		replace: []string{"encryptionConfigurations", "name"}, unique: pick("name"), keep: keepRepository,
	},
	"aws:ecr/lifecyclePolicy:LifecyclePolicy": {
		id:      same("repository"),
		outputs: func(d *draft) { d.set("registryId", AccountID) },
		replace: []string{"policy", "repository"}, unique: pick("repository"), part: "repository",
		needs: need1("repository", ecrRepository), missing: map[string]string{"repository": "RepositoryNotFoundException"},
		refuse: func(_ *Account, in Properties) error {
			if !json.Valid([]byte(text(in, "policy"))) {
				return refusal("InvalidParameterException", "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: not JSON'")
			}
			return nil
		},
	},
	scalableTarget: {
		id: same("resourceId"), tagged: true,
		outputs: func(d *draft) {
			d.set("arn", d.expand("application-autoscaling:{region}:{account}:scalable-target/"+d.hash("arn", 34)))
			d.set("roleArn", d.expand("iam::{account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService"))
		},
		replace: []string{"resourceId", "scalableDimension", "serviceNamespace"},
		unique:  pick("serviceNamespace", "resourceId", "scalableDimension"),
		refuse:  refuseScalableTarget, refuseUpdate: onUpdate(refuseScalableTarget),
	},
	"aws:appautoscaling/policy:Policy": {
		id: same("name"), name: naming{property: "name", limit: 256},
		outputs: func(d *draft) {
			d.set("arn", d.expand("autoscaling:{region}:{account}:scalingPolicy:"+uuid(d.hash("arn", 32))+":resource/"+
				d.text("serviceNamespace")+"/"+d.text("resourceId")+":policyName/{name}"))
			d.set("policyType", "StepScaling")
			d.set("alarmArns", strs())
		},
		replace: []string{"name", "resourceId", "scalableDimension", "serviceNamespace"},
		unique:  pick("serviceNamespace", "resourceId", "scalableDimension", "name"),
		needs:   need1("resourceId", scalableTarget), missing: map[string]string{"resourceId": "ObjectNotFoundException"}, part: "resourceId",
	},
}

// fargateProviders are the capacity providers that AWS provides. A cluster has them once they are in its list.
var fargateProviders = []string{"FARGATE", "FARGATE_SPOT"}

// registry returns the host of the account's registry.
func (c Cloud) registry() string {
	host := AccountID + ".dkr.ecr." + c.region() + ".amazonaws.com"
	if c.partition() == "aws-cn" {
		host += ".cn"
	}
	return host
}

// imageDigest returns the digest of the image with a tag in a repository.
func imageDigest(repository, tag string) string {
	return "sha256:" + hash("image|"+repository+":"+tag, 64)
}

// splitReference splits a reference to an image of an ECR registry. An image of another registry has no repository.
func splitReference(reference string) (repository, tag, digest string) {
	host, rest, _ := strings.Cut(reference, "/")
	if !strings.Contains(host, ".dkr.ecr.") {
		return "", "", ""
	}
	rest, digest, _ = strings.Cut(rest, "@")
	repository, tag, _ = strings.Cut(rest, ":")
	return repository, tag, digest
}

// listsImage reports whether a list has a reference: whole, or its tag or digest, or the tag of the image with its digest.
func listsImage(list []string, reference string) bool {
	repository, _, digest := splitReference(reference)
	return slices.ContainsFunc(list, func(entry string) bool {
		return reference == entry || strings.HasSuffix(reference, ":"+entry) || strings.HasSuffix(reference, "@"+entry) ||
			digest != "" && digest == imageDigest(repository, entry)
	})
}

// definitionFamily returns the ARN of a task definition's family.
func definitionFamily(d *draft) string {
	return d.expand("ecs:{region}:{account}:task-definition/" + d.text("family"))
}

// revision returns the number of a task definition in its family. The numbers of one URN grow, also where earlier revisions are gone.
func revision(d *draft) int {
	if n := d.state["revision"]; n.IsNumber() {
		return int(n.NumberValue())
	}
	next := d.req.earlier + 1
	for _, r := range d.cloud.list(taskDefinition) {
		if text(r.State, "arnWithoutRevision") == definitionFamily(d) {
			next = max(next, int(r.State["revision"].NumberValue())+1)
		}
	}
	return next
}

// launchType returns what a service's tasks run on, "" where capacity providers decide: the service's or its cluster's.
func launchType(d *draft) string {
	if len(named(d.state, "capacityProviderStrategies.capacityProvider")) > 0 {
		return ""
	}
	for _, c := range d.cloud.list(clusterCapacity) {
		if c.ID == lastOf(d.text("cluster"), "/") && len(named(c.State, "defaultCapacityProviderStrategies.capacityProvider")) > 0 {
			return ""
		}
	}
	return "EC2"
}

func platformVersion(in Properties) string {
	for _, p := range append(named(in, "capacityProviderStrategies.capacityProvider"), text(in, "launchType")) {
		if strings.HasPrefix(p, "FARGATE") {
			return "LATEST"
		}
	}
	return ""
}

// replacedStrategy reports whether a service is replaced because its capacity providers change: the provider changes them in place
// only with forceNewDeployment, from some to others.
func replacedStrategy(olds, news Properties, path string) bool {
	if !forces([]string{"capacityProviderStrategies"}, path) {
		return false
	}
	on := news["forceNewDeployment"]
	some := func(in Properties) bool { return len(named(in, "capacityProviderStrategies.capacityProvider")) > 0 }
	return !(on.IsBool() && on.BoolValue()) || some(olds) != some(news)
}

// refuseStrategy refuses a strategy with a capacity provider that the cluster does not have.
func refuseStrategy(strategy []string, cluster Properties) error {
	has := list(cluster, "capacityProviders")
	for _, p := range strategy {
		if !slices.ContainsFunc(has, func(h string) bool { return lastOf(h, "/") == lastOf(p, "/") }) {
			return refusal("InvalidParameterException", "The specified capacity provider strategy cannot contain a capacity provider that is not "+
				"associated with the cluster. Associate the capacity provider with the cluster and try again. (%s)", p)
		}
	}
	return nil
}

// keepCapacity refuses that a cluster loses capacity providers that its services use, given the properties that it is to have.
func (a *Account) keepCapacity(r Resource, in Properties) error {
	left := list(in, "capacityProviders")
	for _, p := range list(r.State, "capacityProviders") {
		if slices.Contains(left, p) {
			continue
		}
		for _, s := range a.ofType(ecsService) {
			used := slices.ContainsFunc(a.strategyOf(s.State), func(u string) bool { return lastOf(u, "/") == lastOf(p, "/") })
			if used && lastOf(text(s.State, "cluster"), "/") == r.ID {
				return refusal("ResourceInUseException", "The specified capacity provider is in use and cannot be removed. (%s, service %s)", p, s.ID)
			}
		}
	}
	return nil
}

// strategyOf returns the capacity providers of a service: its own, or those of its cluster.
func (a *Account) strategyOf(service Properties) []string {
	if own := named(service, "capacityProviderStrategies.capacityProvider"); len(own) > 0 || text(service, "launchType") != "" {
		return own
	}
	return named(a.capacityOf(service), "defaultCapacityProviderStrategies.capacityProvider")
}

// capacityOf returns the properties of the ClusterCapacityProviders of a service's cluster, nil where it has none.
func (a *Account) capacityOf(service Properties) Properties {
	for _, c := range a.ofType(clusterCapacity) {
		if c.ID == lastOf(text(service, "cluster"), "/") {
			return c.State
		}
	}
	return nil
}

// refuseCapacityProvider refuses a capacity provider, "" for a new one (ECS API reference, "CreateCapacityProvider" and
// "AutoScalingGroupProvider").
func (a *Account) refuseCapacityProvider(id string, in Properties) error {
	name := strings.ToLower(text(in, "name"))
	for _, prefix := range []string{"aws", "ecs", "fargate"} {
		if strings.HasPrefix(name, prefix) {
			return refusal("ClientException", "The specified capacity provider name is invalid. The name cannot be prefixed with \"aws\", \"ecs\", or "+
				"\"fargate\". Specify a valid name and try again. (%s)", text(in, "name"))
		}
	}
	groups := named(in, "autoScalingGroupProvider.autoScalingGroupArn")
	for _, other := range a.ofType(capacityProvider) {
		if other.ID != id && slices.Equal(groups, named(other.State, "autoScalingGroupProvider.autoScalingGroupArn")) {
			return refusal("ClientException", "The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a "+
				"unique Auto Scaling group ARN and try again. (%s)", other.ID)
		}
	}
	if !slices.Contains(named(in, "autoScalingGroupProvider.managedTerminationProtection"), "ENABLED") {
		return nil
	}
	if !slices.Contains(named(in, "autoScalingGroupProvider.managedScaling.status"), "ENABLED") {
		return refusal("ClientException", "The managed termination protection setting for the capacity provider is invalid. To enable managed "+
			"termination protection for a capacity provider, you must enable managed scaling.")
	}
	for _, g := range a.ofType(scalingGroup) {
		protected := g.State["protectFromScaleIn"]
		if slices.ContainsFunc(groups, g.is) && !(protected.IsBool() && protected.BoolValue()) {
			return refusal("ClientException", "The managed termination protection setting for the capacity provider is invalid. To enable managed "+
				"termination protection for a capacity provider, the Auto Scaling group must have instance protection from scale in enabled.")
		}
	}
	return nil
}

// containersOf returns the containers of a task definition.
func containersOf(definition Properties) (all []ecstypes.ContainerDefinition, err error) {
	if err := json.Unmarshal([]byte(text(definition, "containerDefinitions")), &all); err != nil {
		return nil, refusal("ClientException", "Container definitions are not valid: %v", err)
	}
	return all, nil
}

// fargateMemory are the sizes of tasks on Fargate: by CPU units, the least memory, the most, and the step, in MiB (ECS developer
// guide, "Task CPU and memory"). Of the smallest, 1,536 is missing.
var fargateMemory = map[int][3]int{
	256: {512, 2048, 512}, 512: {1024, 4096, 1024}, 1024: {2048, 8192, 1024}, 2048: {4096, 16384, 1024}, 4096: {8192, 30720, 1024},
	8192: {16384, 61440, 4096}, 16384: {32768, 122880, 8192},
}

// refuseTaskDefinition refuses a task definition without containers, and one for Fargate that Fargate cannot run.
func refuseTaskDefinition(in Properties) error {
	containers, err := containersOf(in)
	if err != nil {
		return err
	}
	if len(containers) == 0 {
		return refusal("ClientException", "Container list cannot be empty.")
	}
	if !slices.Contains(list(in, "requiresCompatibilities"), "FARGATE") {
		return nil
	}
	if text(in, "networkMode") != "awsvpc" {
		return refusal("ClientException", "Fargate only supports network mode 'awsvpc'.")
	}
	cpu, noCPU := strconv.Atoi(text(in, "cpu"))
	memory, noMemory := strconv.Atoi(text(in, "memory"))
	if noCPU != nil || noMemory != nil {
		return refusal("ClientException", "Fargate requires that 'cpu' and 'memory' be defined at the task level, in units and in MiB.")
	}
	size, known := fargateMemory[cpu]
	if !known || memory < size[0] || memory > size[1] || memory%size[2] != 0 || cpu == 256 && memory == 1536 {
		return refusal("ClientException", "No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for "+
			"the valid values.", cpu, memory)
	}
	for _, c := range containers {
		logs := c.LogConfiguration != nil && c.LogConfiguration.LogDriver == ecstypes.LogDriverAwslogs
		private := c.Image != nil && strings.Contains(*c.Image, ".dkr.ecr.")
		if text(in, "executionRoleArn") == "" && (logs || private || len(c.Secrets) > 0) {
			return refusal("ClientException", "Fargate requires task definition to have execution role ARN to support ECR images, log driver awslogs "+
				"and secrets.")
		}
	}
	return nil
}

// definition returns the task definition with an ARN, a family and revision, or a family, of which it is the newest revision.
func (a *Account) definition(ref string) (newest Resource, ok bool) {
	ref = lastOf(ref, "/")
	for _, r := range a.ofType(taskDefinition) {
		switch lastOf(r.ID, "/") {
		case ref:
			return r, true
		case ref + ":" + strconv.Itoa(int(r.State["revision"].NumberValue())):
			if !ok || r.State["revision"].NumberValue() > newest.State["revision"].NumberValue() {
				newest, ok = r, true
			}
		}
	}
	return newest, ok
}

// refuseService refuses a service (ECS API reference, "CreateService"), given what it was, empty for a new one. A definition and
// load balancers that stay are not checked: they may be gone since.
func (a *Account) refuseService(was, in Properties) error {
	if !a.has([]string{ecsCluster}, text(in, "cluster")) {
		return refusal("ClusterNotFoundException", "Cluster not found. (%s)", text(in, "cluster"))
	}
	strategy := named(in, "capacityProviderStrategies.capacityProvider")
	if len(strategy) > 0 && text(in, "launchType") != "" {
		return refusal("InvalidParameterException", "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	if err := refuseStrategy(strategy, a.capacityOf(in)); err != nil {
		return err
	}
	if in["taskDefinition"].DeepEquals(was["taskDefinition"]) && in["loadBalancers"].DeepEquals(was["loadBalancers"]) {
		return nil
	}
	definition, ok := a.definition(text(in, "taskDefinition"))
	if !ok {
		return refusal("ClientException", "TaskDefinition not found. (%s)", text(in, "taskDefinition"))
	}
	onFargate := slices.ContainsFunc(append(a.strategyOf(in), text(in, "launchType")), func(p string) bool { return strings.HasPrefix(p, "FARGATE") })
	if onFargate && !slices.Contains(list(definition.State, "requiresCompatibilities"), "FARGATE") {
		return refusal("InvalidParameterException", "Task definition does not support launch_type FARGATE. (%s)", definition.ID)
	}
	if text(definition.State, "networkMode") == "awsvpc" && len(named(in, "networkConfiguration.subnets")) == 0 {
		return refusal("InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	}
	return a.refuseServiceBalancers(definition, balancersOf(in))
}

// balancer is one load balancer of a service: a container and the target group that its port is in.
type balancer struct {
	Container string `json:"container"`
	Port      int    `json:"port"`
	Group     string `json:"group"`
}

func balancersOf(service Properties) (all []balancer) {
	for _, o := range objects(service["loadBalancers"]) {
		b := balancer{Container: text(o, "containerName"), Group: text(o, "targetGroupArn")}
		if port := o["containerPort"]; port.IsNumber() {
			b.Port = int(port.NumberValue())
		}
		all = append(all, b)
	}
	return all
}

func balancersProperty(all []balancer) resource.PropertyValue {
	out := make([]resource.PropertyValue, len(all))
	for i, b := range all {
		out[i] = resource.NewProperty(Properties{"containerName": resource.NewProperty(b.Container), "containerPort": num(b.Port),
			"targetGroupArn": resource.NewProperty(b.Group)})
	}
	return resource.NewProperty(out)
}

// refuseServiceBalancers refuses load balancers that do not match a task definition, and target groups that no load balancer uses.
func (a *Account) refuseServiceBalancers(definition Resource, balancers []balancer) error {
	containers, err := containersOf(definition.State)
	if err != nil {
		return err
	}
	for _, b := range balancers {
		i := slices.IndexFunc(containers, func(c ecstypes.ContainerDefinition) bool { return c.Name != nil && *c.Name == b.Container })
		if i < 0 {
			return refusal("InvalidParameterException", "The container %s does not exist in the task definition.", b.Container)
		}
		if !slices.ContainsFunc(containers[i].PortMappings, func(p ecstypes.PortMapping) bool { return p.ContainerPort != nil && int(*p.ContainerPort) == b.Port }) {
			return refusal("InvalidParameterException", "The container %s did not have a container port %d defined.", b.Container, b.Port)
		}
		group, ok := a.find(b.Group)
		if !ok {
			return refusal("InvalidParameterException", "Unable to assume role and validate the specified targetGroupArn. The target group %s does not exist.", b.Group)
		}
		if kind := text(group, "targetType"); text(definition.State, "networkMode") == "awsvpc" && kind != "ip" {
			return refusal("InvalidParameterException", "The provided target group %s has target type %s, which is incompatible with the awsvpc network "+
				"mode specified in the task definition.", b.Group, kind)
		}
		if !a.attached(b.Group) {
			return refusal("InvalidParameterException", "The target group with targetGroupArn %s does not have an associated load balancer.", b.Group)
		}
	}
	return nil
}

// attached reports whether a listener or a rule forwards to a target group.
func (a *Account) attached(group string) bool {
	for _, t := range []string{"aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule"} {
		for _, o := range a.ofType(t) {
			if mentions(resource.NewProperty(o.State), group) {
				return true
			}
		}
	}
	return false
}

// keepRepository refuses the deletion of a repository with images: those that tasks have pulled.
func keepRepository(a *Account, r Resource) error {
	if force := r.State["forceDelete"]; len(a.pulled[r.ID]) == 0 || force.IsBool() && force.BoolValue() {
		return nil
	}
	return refusal("RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images",
		r.ID, AccountID)
}

// refuseScalableTarget refuses limits that exclude each other, and a service that does not exist (Application Auto Scaling API
// reference, "RegisterScalableTarget").
func refuseScalableTarget(a *Account, in Properties) error {
	if least, most := in["minCapacity"], in["maxCapacity"]; least.IsNumber() && most.IsNumber() && most.NumberValue() < least.NumberValue() {
		return refusal("ValidationException", "Maximum capacity cannot be less than minimum capacity")
	}
	id := text(in, "resourceId")
	if text(in, "serviceNamespace") != "ecs" || slices.ContainsFunc(a.ofType(ecsService), func(s Resource) bool { return strings.HasSuffix(s.ID, ":"+id) }) {
		return nil
	}
	return refusal("ValidationException", "ECS service doesn't exist: %s", id)
}

// imageOf answers ecr.getImage. Each image exists that is not in Cloud.MissingImages, also before the stack has made its
// repository: nobody pushes images to this account.
func (c Cloud) imageOf(args Properties) (fields, error) {
	name, tag, digest := text(args, "repositoryName"), text(args, "imageTag"), text(args, "imageDigest")
	latest := args["mostRecent"]
	url, reference := c.registry()+"/"+name, ""
	switch {
	case tag != "":
		reference = url + ":" + tag
		if digest == "" {
			digest = imageDigest(name, tag)
		}
	case digest != "":
		reference = url + "@" + digest
	case latest.IsBool() && latest.BoolValue():
		tag = "latest"
		reference, digest = url+":"+tag, imageDigest(name, tag)
	default:
		return nil, errors.New("one of imageTag, imageDigest and mostRecent is required")
	}
	if listsImage(c.MissingImages, reference) {
		return nil, fmt.Errorf("ImageNotFoundException: The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the repository with name '%s' "+
			"in the registry with id '%s'", text(args, "imageDigest"), tag, name, AccountID)
	}
	var tags []string
	if tag != "" {
		tags = []string{tag}
	}
	return fields{"id": digest, "imageDigest": digest, "imageTags": strs(tags...), "imageUri": url + "@" + digest, "imagePushedAt": num(1735689600),
		"imageSizeInBytes": num(8 << 20), "registryId": AccountID}, nil
}

// serviceAnswer answers ecs.getService.
func (c Cloud) serviceAnswer(args Properties) (fields, error) {
	cluster, name := text(args, "clusterArn"), text(args, "serviceName")
	if !slices.ContainsFunc(c.list(ecsCluster), func(r Resource) bool { return r.is(cluster) }) {
		return nil, fmt.Errorf("ClusterNotFoundException: Cluster not found. (%s)", cluster)
	}
	for _, s := range c.list(ecsService) {
		if s.is(name) && lastOf(text(s.State, "cluster"), "/") == lastOf(cluster, "/") {
			return fields{"id": s.ID, "arn": s.ID, "desiredCount": s.State["desiredCount"], "launchType": s.State["launchType"], "tags": s.State["tagsAll"],
				"schedulingStrategy": s.State["schedulingStrategy"], "taskDefinition": s.State["taskDefinition"],
				"availabilityZoneRebalancing": s.State["availabilityZoneRebalancing"]}, nil
		}
	}
	return nil, fmt.Errorf("reading ECS Service (%s): couldn't find resource", name)
}

// secretOf answers secretsmanager.getSecret. Each secret exists that is not in Cloud.MissingSecrets.
func (c Cloud) secretOf(args Properties) (fields, error) {
	prefix := "arn:" + c.partition() + ":secretsmanager:" + c.region() + ":" + AccountID + ":secret:"
	name, arn := text(args, "name"), text(args, "arn")
	if name == "" {
		name = strings.TrimPrefix(arn, prefix)
		if i := strings.LastIndex(name, "-"); i == len(name)-7 && i >= 0 { // AWS adds six characters to each name
			name = name[:i]
		}
	}
	if name == "" || slices.Contains(c.MissingSecrets, name) {
		return nil, errors.New("ResourceNotFoundException: Secrets Manager can't find the specified secret")
	}
	arn = prefix + name + "-" + hash("secret|"+name, 6)
	return fields{"id": arn, "arn": arn, "name": name, "createdDate": stamp, "lastChangedDate": stamp, "description": "", "kmsKeyId": "", "policy": "",
		"tags": resource.NewProperty(Properties{})}, nil
}
