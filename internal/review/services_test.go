package review

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/plan"
)

const (
	registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com/"
	demoName = "cinema-dev-containers-demo-1a2b3c4"
	nginx    = "public.ecr.aws/nginx/nginx:1.29-alpine"
)

// registered is a resource of a recording. Its ARN and its id are made of its type and name.
func registered(typ, name string, inputs ...any) *plan.Resource {
	r := &plan.Resource{URN: "urn:pulumi:dev::cinema::" + typ + "::" + name, Type: typ, Name: name, Custom: true, Inputs: m(inputs...)}
	r.ID = strings.ReplaceAll(strings.ToLower(short(typ)), " ", "-") + "-id-of-" + name
	r.State = r.Inputs.Copy()
	r.State["arn"] = resource.NewProperty(arn(typ, name))
	return r
}

func arn(typ, name string) string {
	return "arn:aws:test:us-east-1:123456789012:" + short(typ) + "/" + name
}

func strs(all ...string) []any {
	var list []any
	for _, s := range all {
		list = append(list, s)
	}
	return list
}

// twoServices is a stack with demo at a path and preview at a host name, behind the edge, without NAT.
func twoServices(change func(name string, r *plan.Resource), more ...*plan.Resource) *view {
	id := func(typ, name string) string { return registered(typ, name).ID }
	var all []*plan.Resource
	add := func(typ, name string, inputs ...any) { all = append(all, registered(typ, name, inputs...)) }
	add(vpcType, "network-vpc", "cidrBlock", "10.0.0.0/16")
	var subnets []string
	for i, zone := range []string{"a", "b"} {
		add(subnetType, "network-private-"+zone, "availabilityZone", "us-east-1"+zone, "cidrBlock", fmt.Sprintf("10.0.%d.0/24", i), "tags", map[string]any{"Tier": "private"})
		subnets = append(subnets, id(subnetType, "network-private-"+zone))
	}
	rule := func(from, to string, port int, why string) {
		for _, side := range []struct{ typ, own, other string }{{"egress", from, to}, {"ingress", to, from}} {
			add(ruleType, "network-"+side.own+"-"+side.typ+"-"+side.other, "type", side.typ, "securityGroupId", id(groupType, "network-"+side.own),
				"sourceSecurityGroupId", id(groupType, "network-"+side.other), "protocol", "tcp", "fromPort", port, "toPort", port, "description", why)
		}
	}
	for _, peer := range []string{"load-balancer", "service-demo", "service-preview", "endpoints"} {
		add(groupType, "network-"+peer)
	}
	for _, name := range []string{"demo", "preview"} {
		rule("load-balancer", "service-"+name, 8080, "requests and health checks")
		rule("service-"+name, "endpoints", 443, "image registry, logs and other AWS services")
	}
	for _, service := range []string{"ecr-api", "logs"} {
		add(endpointType, "network-endpoint-"+service, "vpcEndpointType", "Interface", "serviceName", "com.amazonaws.us-east-1."+service,
			"subnetIds", strs(subnets...), "securityGroupIds", strs(id(groupType, "network-endpoints")))
	}
	add(balancerType, "api-origin-lb", "internal", true, "subnets", strs(subnets...), "securityGroups", strs(id(groupType, "network-load-balancer")))
	add(listenerType, "api-origin-http", "loadBalancerArn", arn(balancerType, "api-origin-lb"), "port", 80)
	add(vpcOriginType, "edge-api-http", "vpcOriginEndpointConfig", map[string]any{"arn": arn(balancerType, "api-origin-lb")})
	origins := []any{map[string]any{"originId": "api", "domainName": "lb.example", "vpcOriginConfig": map[string]any{"vpcOriginId": id(vpcOriginType, "edge-api-http")}}}
	behavior := func(path string) map[string]any {
		return map[string]any{"pathPattern": path, "targetOriginId": "api", "viewerProtocolPolicy": "https-only"}
	}
	add(distributionType, "edge-distribution", "enabled", true, "aliases", strs("films.example.com"), "origins", origins,
		"orderedCacheBehaviors", []any{behavior("/api/*"), behavior("/demo"), behavior("/demo/*")}, "defaultCacheBehavior", behavior(""))
	add(distributionType, "edge-service-preview", "enabled", true, "aliases", strs("preview.example.com"), "origins", origins, "defaultCacheBehavior", behavior(""))
	add(clusterType, "containers-fargate", "name", "cinema-dev-containers-fargate-1a2b3c4", "settings", []any{map[string]any{"name": "containerInsights", "value": "enabled"}})
	add(repositoryType, "containers-demo", "name", demoName, "imageTagMutability", "IMMUTABLE", "forceDelete", true)
	for _, s := range []struct{ name, image, condition, values string }{
		{"demo", registry + demoName + ":v1", "pathPattern", "/demo /demo/*"}, {"preview", nginx, "hostHeader", "preview.example.com"},
	} {
		route := "containers-origin-" + s.name
		add(targetGroupType, route)
		add(listenerRuleType, route, "listenerArn", arn(listenerType, "api-origin-http"),
			"conditions", []any{map[string]any{s.condition: map[string]any{"values": strs(strings.Fields(s.values)...)}}},
			"actions", []any{map[string]any{"targetGroupArn": arn(targetGroupType, route)}})
		add(definitionType, "containers-"+s.name, "cpu", "256", "memory", "512", "requiresCompatibilities", strs("FARGATE"),
			"runtimePlatform", map[string]any{"cpuArchitecture": "ARM64"}, "containerDefinitions", fmt.Sprintf(`[{"name":%q,"image":%q}]`, s.name, s.image))
		add(ecsServiceType, "services-"+s.name, "name", "cinema-dev-services-"+s.name+"-1a2b3c4", "cluster", arn(clusterType, "containers-fargate"),
			"taskDefinition", arn(definitionType, "containers-"+s.name), "desiredCount", 2, "alarms", map[string]any{"enable": true},
			"capacityProviderStrategies", []any{map[string]any{"capacityProvider": "FARGATE", "weight": 1}},
			"networkConfiguration", map[string]any{"subnets": strs(subnets...), "securityGroups": strs(id(groupType, "network-service-"+s.name))},
			"loadBalancers", []any{map[string]any{"targetGroupArn": arn(targetGroupType, route), "containerName": s.name, "containerPort": 8080}})
		add(scalableType, "services-"+s.name, "resourceId", "service/cinema-dev-containers-fargate-1a2b3c4/cinema-dev-services-"+s.name+"-1a2b3c4", "minCapacity", 2, "maxCapacity", 4)
		add(gateType, "services-"+s.name+"-gate", "input", map[string]any{"container": s.name, "image": s.image, "port": "8080",
			"definition": arn(definitionType, "containers-"+s.name) + ":1", "targets": arn(targetGroupType, route)})
	}
	r := &plan.Recording{}
	for _, res := range append(all, more...) {
		if change != nil {
			change(res.Name, res)
		}
		r.Resources = append(r.Resources, res)
	}
	return newView(r)
}

func TestServicesAreShown(t *testing.T) {
	v := twoServices(nil)
	top := v.topology()
	shown := map[string]string{}
	for _, n := range top.nodes() {
		shown[n.Name] = strings.Join(append([]string{n.Title}, n.Notes...), "; ")
	}
	assert.Equal(t, "Service demo; 2 to 4 tasks × 0.25 vCPU, 0.5 GB; on Fargate; /demo/*; image v1", shown["services-demo"])
	assert.Equal(t, "Service preview; 2 to 4 tasks × 0.25 vCPU, 0.5 GB; on Fargate; preview.example.com; image "+nginx, shown["services-preview"])
	assert.Equal(t, "Interface endpoints; network-endpoint-ecr-api; network-endpoint-logs", shown["network-endpoints"])
	assert.Equal(t, "CloudFront distribution; preview.example.com", shown["edge-service-preview"])
	assert.Equal(t, "Repository; container images of demo; tags cannot be overwritten", shown["containers-demo"])
	assert.Equal(t, "edge-distribution", top.Distribution.Name)
	var flows []string
	for _, f := range top.Flows {
		flows = append(flows, f.From+" → "+f.To+": "+f.Label)
	}
	assert.Contains(t, flows, "lb LoadBalancer api-origin-lb → ecs Cluster containers-fargate: 8080")
	assert.Contains(t, flows, "ecs Cluster containers-fargate → ec2 SecurityGroup network-endpoints: 443")
	assert.Contains(t, flows, "internet → cloudfront Distribution edge-service-preview: 443")
	for _, d := range []*drawing{top.wide(), top.narrow()} {
		assert.Empty(t, crossings(d))
		assert.Len(t, d.Arrows, len(top.Flows))
	}

	var traffic []string
	for _, row := range v.trafficRows() {
		traffic = append(traffic, strings.Join(row, " | "))
	}
	assert.Contains(t, traffic, "network-load-balancer | network-service-demo | tcp 8080 | requests and health checks")
	assert.Equal(t, []string{"network-endpoints", servicesPeer}, slices.Sorted(slices.Values(v.matrix(v.connections()).To)))

	var public []string
	for _, e := range v.public() {
		public = append(public, e.Name+": "+e.Why)
	}
	assert.Equal(t, []string{
		"edge-distribution: serves /api/* from api-origin-lb, /demo/* from demo through api-origin-lb, other paths from api-origin-lb",
		"edge-service-preview: serves other paths from preview through api-origin-lb",
	}, public)
}

// Without the edge, the load balancer is public.
func TestPublicBalancerNamesItsServices(t *testing.T) {
	v := twoServices(func(name string, r *plan.Resource) {
		if r.Type == balancerType {
			r.Inputs["internal"] = resource.NewProperty(false)
		}
	})
	for _, e := range v.public() {
		if e.Name == "api-origin-lb" {
			assert.Equal(t, "; /demo/* from demo; preview.example.com from preview", e.Why)
			return
		}
	}
	require.Fail(t, "the load balancer is not public")
}

func TestEstimateOfServices(t *testing.T) {
	e := twoServices(nil).estimate()
	lines := map[string]float64{}
	for _, l := range e.Lines {
		lines[l.What] = l.USD
	}
	assert.Empty(t, e.Unknown)
	assert.InDelta(t, 2*0.25*0.03238*730, lines["demo: 2 tasks × 0.25 vCPU"], 1e-9)
	assert.InDelta(t, 2*0.5*0.00356*730, lines["demo: 2 tasks × 0.5 GB"], 1e-9)
	assert.InDelta(t, 4*0.01*730, lines["2 interface endpoints, 4 network interfaces"], 1e-9)
	assert.InDelta(t, 0.01, lines["interface endpoints: data"], 1e-9)
	assert.InDelta(t, 0.10, lines["containers-demo: repository"], 1e-9)
	assert.InDelta(t, (13+2*25)*0.30, lines["containers-fargate: metrics of Container Insights"], 1e-9)
	assert.Zero(t, lines["edge-service-preview: data to viewers"])
	assert.NotContains(t, lines, "edge-service-preview: requests", "its traffic is part of the stack's")
	assert.Equal(t, "The estimate counts demo at its minimum, 2 tasks; its maximum, 4 tasks, adds $14.42. "+
		"The estimate counts preview at its minimum, 2 tasks; its maximum, 4 tasks, adds $14.42", e.Maximum)

	amd := twoServices(func(name string, r *plan.Resource) {
		if r.Type == definitionType {
			r.Inputs["runtimePlatform"] = resource.NewProperty(m("cpuArchitecture", "X86_64"))
		}
	}).estimate()
	assert.InDelta(t, e.USD+2*730*(0.5*(0.04048-0.03238)+1*(0.004445-0.00356)), amd.USD, 1e-9)
}

// onHosts runs the tasks on instances of a type.
func onHosts(typ string) *view {
	const hosts = "containers-hosts"
	template := registered(templateType, hosts, "instanceType", typ, "blockDeviceMappings", []any{map[string]any{"ebs": map[string]any{"volumeSize": 30}}})
	return twoServices(func(_ string, r *plan.Resource) {
		switch r.Type {
		case ecsServiceType:
			r.Inputs["capacityProviderStrategies"] = resource.NewPropertyValue([]any{map[string]any{"capacityProvider": "cinema-dev-containers-hosts-1a2b3c4"}})
		case definitionType:
			r.Inputs["requiresCompatibilities"] = resource.NewPropertyValue(strs("EC2"))
		}
	}, template,
		registered(scalingType, hosts, "minSize", 0, "maxSize", 4, "launchTemplate", map[string]any{"id": template.ID},
			"vpcZoneIdentifiers", strs(registered(subnetType, "network-private-a").ID)),
		registered(capacityType, hosts, "autoScalingGroupProvider", map[string]any{"autoScalingGroupArn": arn(scalingType, hosts)}))
}

// Each task has a network interface of its own, which a small instance has few of.
func TestEstimateOfContainerHosts(t *testing.T) {
	for typ, hosts := range map[string]float64{"t4g.small": 2, "t4g.micro": 4, "t4g.xlarge": 2, "m7g.4xlarge": 1} {
		e := onHosts(typ).estimate()
		assert.Empty(t, e.Unknown)
		what := fmt.Sprintf("containers-hosts: %s × %s", amount(hosts), typ)
		found := false
		for _, l := range e.Lines {
			assert.NotContains(t, l.What, "vCPU", "tasks on hosts cost nothing themselves")
			if l.What == what {
				found = true
				assert.InDelta(t, hosts*instancePrices[typ]*730, l.USD, 1e-9)
			}
		}
		assert.True(t, found, what)
	}
	assert.Contains(t, onHosts("t4g.small").estimate().Maximum, "The estimate counts containers-hosts at its size for the least number of tasks, 2; its maximum size, 4, adds $29.33")
	assert.Equal(t, []string{"containers-hosts: instances for the tasks: the size of x9.huge is not in the price list", "containers-hosts: the price of x9.huge is not in the price list"},
		onHosts("x9.huge").estimate().Unknown)

	for _, n := range onHosts("t4g.small").topology().nodes() {
		switch n.Name {
		case "containers-hosts":
			assert.Equal(t, []string{"Container hosts", "0 to 4 × t4g.small"}, append([]string{n.Title}, n.Notes...))
		case "services-demo":
			assert.Contains(t, n.Notes, "on containers-hosts")
		}
	}
}

func TestAccessToRepositories(t *testing.T) {
	role := registered(roleType, "iam-service-demo-start", "name", "cinema-dev-iam-service-demo-start-1a2b3c4", "assumeRolePolicy", `{"Statement":[]}`)
	v := twoServices(nil, role, registered(rolePolicyType, "iam-service-demo-start-image", "role", "cinema-dev-iam-service-demo-start-1a2b3c4", "policy",
		`{"Statement":[{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"},`+
			`{"Effect":"Allow","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],"Resource":"`+arn(repositoryType, "containers-demo")+`"},`+
			`{"Effect":"Allow","Action":"ssm:GetParameters","Resource":"arn:aws:ssm:us-east-1:123456789012:parameter/cinema/dev/token"}]}`))
	cards, matrix, roles := v.access()
	require.Len(t, cards, 1)
	assert.Equal(t, []string{"containers-demo", "repository"}, []string{cards[0].Name, cards[0].Kind})
	require.Len(t, cards[0].Grants, 1, "the log-in is of the registry")
	assert.Equal(t, []string{"pull"}, cards[0].Grants[0].Verbs)
	assert.Empty(t, matrix.Cells)
	require.Len(t, roles, 1)
	require.Len(t, roles[0].Other, 2)
	assert.Equal(t, []string{"read"}, roles[0].Other[1].Verbs)
	assert.Equal(t, "arn:aws:ssm:us-east-1:(account):parameter/cinema/dev/token", roles[0].Other[1].Targets[0].Text)
}

// An interface endpoint limits what reaches its own service, and says nothing of the rest.
func TestAccessThroughInterfaceEndpoints(t *testing.T) {
	for service, cards := range map[string]int{"ecr.api": 1, "ecr.dkr": 1, "logs": 0, "ssm": 0} {
		v := twoServices(nil, registered(endpointType, "endpoint", "vpcEndpointType", "Interface", "serviceName", "com.amazonaws.us-east-1."+service,
			"policy", `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`))
		all, _, _ := v.access()
		assert.Len(t, all, cards, service)
		c := &changes{Planned: true, Steps: []step{{Op: opCreate, Type: endpointType, Name: "endpoint"}}, comparison: comparison{Access: compareAccess(twoServices(nil), v, func(grant) bool { return true })}}
		assert.NotEmpty(t, c.Access)
		c.judge(v)
		assert.Equal(t, []effect{{changesIt, "Nothing that a user notices: 1 created."}}, c.Effects, "it allows nothing by itself")
	}
}

func TestShortImage(t *testing.T) {
	v := twoServices(nil)
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for ref, want := range map[string]string{
		registry + demoName + ":v1":                  "v1",
		registry + demoName + "@" + digest:           "sha256:0123456789ab…",
		nginx:                                        nginx,
		"localhost:5000/films":                       "localhost:5000/films",
		"ghcr.io/films/films@" + digest:              "ghcr.io/films/films@sha256:0123456789ab…",
		registry + "cinema-dev-containers-gone-1:v1": "(account).dkr.ecr.us-east-1.amazonaws.com/cinema-dev-containers-gone-1:v1",
	} {
		assert.Equal(t, want, v.shortImage(ref))
	}
}

// The effects on services, from the steps of a plan.
func TestEffectsOfServices(t *testing.T) {
	v := twoServices(nil)
	find := func(typ, name string) *plan.Resource {
		for _, r := range v.ByType(typ) {
			if r.Name == name {
				return r
			}
		}
		require.Fail(t, "not there", name)
		return nil
	}
	// changed is a step of a resource, from what it is to what it was before with other inputs.
	changed := func(op, typ, name string, before ...any) step {
		is := find(typ, name).Inputs
		was := is.Copy()
		for k, value := range m(before...) {
			was[k] = value
		}
		return step{Op: op, Type: typ, Name: name, was: was, is: is}
	}
	gate := func(image, port, definition string) step {
		s := changed(opUpdate, gateType, "services-demo-gate")
		input := s.was["input"].ObjectValue().Copy()
		input["image"], input["port"], input["definition"] = resource.NewProperty(image), resource.NewProperty(port), resource.NewProperty(definition)
		s.was["input"] = resource.NewProperty(input)
		return s
	}
	definition := func(before ...any) step {
		s := changed(opReplace, definitionType, "containers-demo", before...)
		s.Replaces = []string{"containerDefinitions"}
		return s
	}
	rolled := func(why string) effect {
		return effect{tasksRoll, "demo: 2 to 4 tasks roll: " + why + ". Each old task stops once a new one is healthy. A deployment that fails its health checks or raises an alarm goes back by itself, and the update fails."}
	}
	gone := func(all ...step) []step {
		for i := range all {
			all[i].Op, all[i].is = opDelete, nil
		}
		return all
	}
	service, repository := changed(opDelete, ecsServiceType, "services-demo"), changed(opDelete, repositoryType, "containers-demo")
	kept, guarded := repository, repository
	kept.Retained = true
	guarded.was = m("forceDelete", false)
	replaced := changed(opReplace, ecsServiceType, "services-demo", "cluster", "another")
	replaced.Replaces = []string{"cluster"}
	renamed := changed(opReplace, ecsServiceType, "services-demo", "name", "another")
	renamed.Replaces = []string{"name"}
	created := func(s step) step { s.Op, s.was = opCreate, nil; return s }
	const image1, image2 = registry + demoName + ":v0", registry + demoName + ":v1"
	variables := func(level, token, more string) string {
		return fmt.Sprintf(`[{"name":"demo","image":%q,"environment":[{"name":"LOG_LEVEL","value":%q},{"name":"PORT","value":"8080"}],"secrets":[{"name":"TOKEN","valueFrom":%q}]%s}]`, image2, level, token, more)
	}
	for name, c := range map[string]struct {
		now   *view
		steps []step
		want  []effect
	}{
		"image":                         {v, []step{gate(image1, "8080", "old"), definition("containerDefinitions", `[{"name":"demo","image":"`+image1+`"}]`)}, []effect{rolled("image v0 → v1")}},
		"image from another registry":   {v, []step{gate(nginx, "8080", "old")}, []effect{rolled("image " + nginx + " → v1")}},
		"port":                          {v, []step{gate(image2, "9090", "old")}, []effect{rolled("port 9090 → 8080")}},
		"size":                          {v, []step{gate(image2, "8080", "old"), definition("cpu", "512", "memory", "1024")}, []effect{rolled("CPU 512 → 256, memory 1024 → 512 MiB")}},
		"definition alone":              {v, []step{definition("family", "another")}, []effect{rolled("another task definition")}},
		"definition that is not known":  {v, []step{gate(image2, "8080", "old")}, []effect{rolled("another task definition")}},
		"tags of the definition":        {v, []step{changed(opUpdate, definitionType, "containers-demo", "tags", m("a", "b"))}, []effect{{changesIt, "Nothing that a user notices: 1 changed in place."}}},
		"security group of the service": {v, []step{changed(opUpdate, ecsServiceType, "services-demo", "networkConfiguration", m("securityGroups", strs("sg-1")))}, []effect{rolled("subnets, security groups")}},
		"grace period":                  {v, []step{changed(opUpdate, ecsServiceType, "services-demo", "healthCheckGracePeriodSeconds", 30)}, []effect{{changesIt, "Nothing that a user notices: 1 changed in place."}}},
		"service gone":                  {v, gone(service), []effect{{stops, "The service demo stops serving."}}},
		"with its repository":           {v, gone(service, repository), []effect{{losesData, "The service demo stops serving, and its repository with its images is deleted."}}},
		"its repository stays":          {v, gone(service, kept), []effect{{stops, "The service demo stops serving, and its repository containers-demo stays on AWS with its images, and Pulumi manages it no longer."}}},
		"its repository has images":     {v, gone(service, guarded), []effect{{stops, "The service demo stops serving, and its repository is deleted, which AWS refuses while it holds images."}}},
		"repository gone":               {v, gone(repository), []effect{{losesData, "The service demo stays, and its repository with its images is deleted."}}},
		"repository replaced": {v, []step{changed(opReplace, repositoryType, "containers-demo", "name", "another")},
			[]effect{{losesData, "The service demo stays, and its repository is replaced: its images are deleted, and must be pushed again before tasks can start."}}},
		"other capacity": {v, []step{replaced}, []effect{{stops, "The service demo is replaced (cluster): its tasks stop before the new ones start, and requests to it fail meanwhile, some minutes."}}},
		"other name":     {v, []step{renamed}, []effect{{tasksRoll, "The service demo is replaced (name): the old one goes once the new one is healthy."}}},
		"new service":    {v, []step{created(service)}, []effect{{changesIt, "The service demo starts: 2 to 4 tasks of image v1, for requests to /demo/*."}}},
		"another path": {v, []step{changed(opUpdate, listenerRuleType, "containers-origin-demo", "conditions", []any{map[string]any{"pathPattern": map[string]any{"values": strs("/old", "/old/*")}}})},
			[]effect{{addresses, "Requests to /demo/* go to demo, and those to /old/* no longer do."}}},
		"a path instead of a host": {v, []step{changed(opUpdate, listenerRuleType, "containers-origin-demo", "conditions", []any{map[string]any{"hostHeader": map[string]any{"values": strs("demo.example.com")}}})},
			[]effect{{addresses, "Requests to /demo/* go to demo, and those to demo.example.com no longer do."}}},
		"another priority":     {v, []step{changed(opUpdate, listenerRuleType, "containers-origin-demo", "priority", 7)}, []effect{{changesIt, "Nothing that a user notices: 1 changed in place."}}},
		"target group":         {v, []step{changed(opReplace, targetGroupType, "containers-origin-demo")}, []effect{{stops, "The target group of demo is replaced: requests to it fail until its tasks are healthy in the new one."}}},
		"more tasks":           {v, []step{changed(opUpdate, scalableType, "services-demo", "minCapacity", 1, "maxCapacity", 3)}, []effect{{changesIt, "The service demo runs 2 to 4 tasks, before 1 to 3 tasks."}}},
		"cluster replaced":     {v, []step{changed(opReplace, clusterType, "containers-fargate")}, []effect{{stops, "The cluster containers-fargate is replaced, with every service in it."}}},
		"cluster gone":         {v, gone(changed(opDelete, clusterType, "containers-fargate")), []effect{{changesIt, "The cluster containers-fargate goes: no service is left."}}},
		"another cluster":      {v, append(gone(changed(opDelete, clusterType, "containers-fargate")), step{Op: opCreate, Type: clusterType, Name: "containers-ec2"}), []effect{{tasksRoll, "The services move from the cluster containers-fargate to containers-ec2."}}},
		"image not pushed yet": {newView(&plan.Recording{}), []step{created(definition())}, []effect{{changesIt, "The service demo does not start yet: push its image, then run `pulumi up` again."}}},
		"variables": {twoServices(func(name string, r *plan.Resource) {
			if r.Type == definitionType && name == "containers-demo" {
				r.Inputs["containerDefinitions"] = resource.NewProperty(variables("debug", "b", ""))
			}
		}), []step{{Op: opReplace, Type: definitionType, Name: "containers-demo", was: m("containerDefinitions", variables("info", "a", `,"user":"1"`)), is: m("containerDefinitions", variables("debug", "b", ""))}},
			[]effect{rolled("environment LOG_LEVEL, secrets TOKEN, user")}},
		"hosts' template": {onHosts("t4g.small"), []step{{Op: opUpdate, Type: templateType, Name: "containers-hosts", was: m("userData", "a", "tags", m("a", "b")), is: m("userData", "b")}},
			[]effect{{rolls, "The container hosts containers-hosts are replaced, one after the other: their launch template changes (userData). ECS moves their tasks first."}}},
		"size of the hosts' group": {onHosts("t4g.small"), []step{{Op: opUpdate, Type: scalingType, Name: "containers-hosts", was: m("minSize", 0, "maxSize", 2), is: m("minSize", 0, "maxSize", 4)}},
			[]effect{{changesIt, "containers-hosts runs 0 to 4 instances, before 0 to 2."}}},
		"hosts gone": {v, []step{{Op: opDelete, Type: scalingType, Name: "containers-hosts"}, {Op: opDelete, Type: capacityType, Name: "containers-hosts"}},
			[]effect{{changesIt, "The container hosts containers-hosts go once no task runs on them."}}},
		"hosts replaced": {onHosts("t4g.small"), []step{{Op: opReplace, Type: scalingType, Name: "containers-hosts", Replaces: []string{"name"}}},
			[]effect{{stops, "The container hosts containers-hosts are replaced (name): the tasks on them stop."}}},
	} {
		t.Run(name, func(t *testing.T) {
			all := &changes{Planned: true, Steps: c.steps}
			all.judge(c.now)
			assert.Equal(t, c.want, all.Effects)
		})
	}

	fewer := &changes{Planned: true, Steps: []step{{Op: opUpdate, Type: scalableType, Name: "services-demo", was: m("minCapacity", 2, "maxCapacity", 4), is: m("minCapacity", 1, "maxCapacity", 1)}}}
	fewer.judge(v)
	assert.Equal(t, []effect{{weakens, "The service demo runs 1 task, before 2 to 4 tasks: with one task, a failure is an outage of the service."}}, fewer.Effects)

	one := &changes{Planned: true, Steps: []step{gate(image1, "8080", "old")}}
	one.judge(twoServices(func(_ string, r *plan.Resource) {
		switch r.Type {
		case scalableType:
			r.Inputs["minCapacity"], r.Inputs["maxCapacity"] = resource.NewProperty(1.0), resource.NewProperty(1.0)
		case ecsServiceType:
			delete(r.Inputs, "alarms")
		}
	}))
	assert.Equal(t, []effect{{tasksRoll, "demo: 1 task rolls: image v0 → v1. Each old task stops once a new one is healthy. A deployment that fails its health checks goes back by itself, and the update fails."}}, one.Effects)
	assert.Equal(t, "Tasks are replaced, the services stay up", one.Verdict)
}

// A release of the API counts the instances of the API alone.
func TestContainerHostsAreNotTheAPI(t *testing.T) {
	v := onHosts("t4g.small")
	c := &changes{Planned: true, Steps: []step{{Op: opUpdate, Name: "api-gate", Type: gateType, was: m("input", m("release", "1")), is: m("input", m("release", "2"))}}}
	c.judge(v)
	require.Len(t, c.Effects, 1)
	assert.Contains(t, c.Effects[0].Text, "The API's instances are replaced")
}

// A service that comes or goes changes what a way in serves. It is told alone.
func TestEffectsOfWaysIn(t *testing.T) {
	with := twoServices(nil)
	without := twoServices(func(name string, r *plan.Resource) {
		if name == "edge-distribution" {
			behaviors := r.Inputs["orderedCacheBehaviors"].ArrayValue()
			r.Inputs["orderedCacheBehaviors"] = resource.NewProperty(behaviors[:1])
		}
	})
	open := func(was, is *view) (all []effect) {
		c := &changes{Planned: true, comparison: comparison{Compared: true, then: was, Ways: compareRows(was.ways(), is.ways())}}
		c.judge(is)
		return c.Effects
	}
	const what = "/demo/* from demo through api-origin-lb"
	assert.Equal(t, []effect{{opens, "Open from the internet: edge-distribution (CloudFront distribution), now with " + what + "."}}, open(without, with))
	assert.Equal(t, []effect{{changesIt, "No longer open from the internet: " + what + " at edge-distribution (CloudFront distribution)."}}, open(with, without))
	walled := twoServices(func(name string, r *plan.Resource) {
		if name == "edge-distribution" {
			r.Inputs["webAclId"] = resource.NewProperty("wall-of-another")
		}
	})
	assert.Equal(t, []effect{{opens, "Open from the internet: edge-distribution (CloudFront distribution), now with no firewall."}}, open(walled, with))
}
