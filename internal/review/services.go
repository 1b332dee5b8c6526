package review

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/internal/plan"
)

// serviceName is the name in the stack's config of the service that a repository, a task definition, an ECS service or its
// scaling belongs to, "" for none. Their logical names begin with that of their component.
func serviceName(logical string) string {
	for _, component := range []string{"containers-", "services-"} {
		if name, ok := strings.CutPrefix(logical, component); ok {
			return name
		}
	}
	return ""
}

// ecsService is a further service: tasks of containers behind the load balancer.
type ecsService struct {
	*plan.Resource
	// name is the service's in the stack's config.
	name string
	// definition of its tasks, nil where the stack has none.
	definition *plan.Resource
	// targets is the target group of its tasks, nil where the stack has none, and rules are those of the load balancer that
	// send requests there.
	targets *plan.Resource
	rules   []*plan.Resource
	// image is the reference of the image that its tasks run, "" where it is not known.
	image string
	// least and most are how many tasks run.
	least, most int
}

// services are the further services, by name.
func (v *view) services() (all []ecsService) {
	for _, r := range v.ByType(ecsServiceType) {
		s := ecsService{Resource: r, name: cmp.Or(serviceName(r.Name), r.Name)}
		s.least = int(number(r.Inputs, "desiredCount"))
		s.most = s.least
		for _, t := range v.ByType(scalableType) {
			if strings.HasSuffix(t.Text("resourceId"), "/"+r.Text("name")) || t.Name == r.Name {
				s.least, s.most = int(number(t.Inputs, "minCapacity")), int(number(t.Inputs, "maxCapacity"))
			}
		}
		for _, d := range v.ByType(definitionType) {
			// A service that is deployed has the definition that it began with: its rollouts replace that.
			if v.byID[r.Text("taskDefinition")] == d || serviceName(d.Name) == s.name {
				s.definition = d
			}
		}
		if s.definition != nil {
			if c := containerOf(s.definition.Text("containerDefinitions")); c != nil {
				s.image, _ = c["image"].(string)
			}
		}
		for _, l := range objects(r.Inputs, "loadBalancers") {
			s.targets = v.byID[text(l, "targetGroupArn")]
		}
		for _, g := range v.ByType(gateType) {
			if text(g.Inputs, "input.container") == s.name { // what runs, where a service has what it began with
				s.image = cmp.Or(text(g.Inputs, "input.image"), s.image)
				s.targets = cmp.Or(v.byID[text(g.Inputs, "input.targets")], s.targets)
			}
		}
		for _, rule := range v.ByType(listenerRuleType) {
			if group := v.forwards(rule); group != nil && group == s.targets {
				s.rules = append(s.rules, rule)
			}
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b ecsService) int { return strings.Compare(a.name, b.name) })
	return all
}

// service is the service of a name, nil for none.
func (v *view) service(name string) *ecsService {
	if v == nil {
		return nil
	}
	for _, s := range v.services() {
		if s.name == name {
			return &s
		}
	}
	return nil
}

// taskGroups are the security groups of the services' tasks.
func (v *view) taskGroups() (all []*plan.Resource) {
	for _, s := range v.services() {
		for _, id := range list(s.Inputs, "networkConfiguration.securityGroups") {
			if g := v.byID[id]; g != nil && !slices.Contains(all, g) {
				all = append(all, g)
			}
		}
	}
	return all
}

// reached says which other groups of the stack the tasks of a service connect to.
func (v *view) reached(s ecsService) (all []string) {
	for _, c := range v.connections() {
		if c.From.Group == nil || c.To.Group == nil || c.Blocked != "" || v.holdsEndpoints(c.To.Group) {
			continue
		}
		if slices.ContainsFunc(list(s.Inputs, "networkConfiguration.securityGroups"), func(id string) bool { return v.byID[id] == c.From.Group }) {
			all = append(all, c.Label()+" to "+c.To.Name)
		}
	}
	return all
}

// holdsEndpoints reports whether a security group is that of interface endpoints.
func (v *view) holdsEndpoints(group *plan.Resource) bool {
	return slices.ContainsFunc(v.ByType(endpointType), func(e *plan.Resource) bool {
		return slices.ContainsFunc(list(e.Inputs, "securityGroupIds"), func(id string) bool { return v.byID[id] == group })
	})
}

// containerOf is the first container of a task definition, nil where it is not known.
func containerOf(definitions string) map[string]any {
	var all []map[string]any
	if json.Unmarshal([]byte(definitions), &all) != nil || len(all) == 0 {
		return nil
	}
	return all[0]
}

// forwards is the target group that a rule of the load balancer sends requests to, nil where it is not in the stack.
func (v *view) forwards(rule *plan.Resource) *plan.Resource {
	for _, a := range objects(rule.Inputs, "actions") {
		if group := v.byID[text(a, "targetGroupArn")]; group != nil {
			return group
		}
		for _, t := range objects(a, "forward.targetGroups") {
			if group := v.byID[text(t, "arn")]; group != nil {
				return group
			}
		}
	}
	return nil
}

// route lists the host names and paths of a rule's conditions. /demo/* stands for /demo too, where both are there.
func route(rule resource.PropertyMap) string {
	var hosts, paths []string
	for _, c := range objects(rule, "conditions") {
		hosts = append(hosts, list(c, "hostHeader.values")...)
		patterns := list(c, "pathPattern.values")
		paths = append(paths, only(patterns, func(p string) bool { return !slices.Contains(patterns, p+"/*") })...)
	}
	switch where := strings.Join(hosts, ", "); {
	case len(paths) == 0:
		return where
	case where == "":
		return strings.Join(paths, ", ")
	default:
		return strings.Join(paths, ", ") + " on " + where
	}
}

// route lists the host names and paths whose requests go to the service.
func (s ecsService) route() string {
	var all []string
	for _, r := range s.rules {
		if where := route(r.Inputs); !slices.Contains(all, where) {
			all = append(all, where)
		}
	}
	return strings.Join(all, ", ")
}

// onFargate reports whether AWS runs the tasks on machines of its own.
func (s ecsService) onFargate() bool {
	if s.Text("launchType") == "FARGATE" {
		return true
	}
	strategies := objects(s.Inputs, "capacityProviderStrategies")
	if len(strategies) == 0 && s.definition != nil && s.Text("launchType") == "" {
		return slices.Equal(list(s.definition.Inputs, "requiresCompatibilities"), []string{"FARGATE"})
	}
	return slices.ContainsFunc(strategies, func(m resource.PropertyMap) bool {
		return strings.HasPrefix(text(m, "capacityProvider"), "FARGATE")
	})
}

// size is the vCPUs and the memory in GB of each task.
func (s ecsService) size() (cpus, gb float64) {
	if s.definition == nil {
		return 0, 0
	}
	return number(s.definition.Inputs, "cpu") / 1024, number(s.definition.Inputs, "memory") / 1024
}

// tasks counts tasks.
func tasks(least, most int) string {
	if least == most {
		return counted(most, "task")
	}
	return fmt.Sprintf("%d to %d tasks", least, most)
}

// containerHosts are the Auto Scaling groups whose instances run tasks.
func (v *view) containerHosts() (all []*plan.Resource) {
	for _, p := range v.ByType(capacityType) {
		if g := v.byID[p.Text("autoScalingGroupProvider.autoScalingGroupArn")]; g != nil && g.Type == scalingType && !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	return all
}

// shortImage is a reference without its registry and repository where those are the stack's own, and with a short digest.
func (v *view) shortImage(ref string) string {
	if i := strings.Index(ref, "sha256:"); i >= 0 && len(ref) > i+len("sha256:")+12 {
		ref = ref[:i+len("sha256:")+12] + "…"
	}
	if repository, version := splitImage(ref); v.isRepository(repository) {
		return version
	}
	return v.readable(ref)
}

// splitImage splits the reference of an image into its repository and its tag or digest.
func splitImage(ref string) (repository, version string) {
	if repository, version, ok := strings.Cut(ref, "@"); ok {
		return repository, version
	}
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		return ref[:i], ref[i+1:]
	}
	return ref, ""
}

// isRepository reports whether the URL of a repository is that of one of the stack's.
func (v *view) isRepository(url string) bool {
	_, name, _ := strings.Cut(url, "/")
	return name != "" && slices.ContainsFunc(v.ByType(repositoryType), func(r *plan.Resource) bool {
		return text(r.State, "repositoryUrl") == url || r.Text("name") == name && strings.Contains(url, ".dkr.ecr.")
	})
}

// front is the stack's main distribution: the one with the client, and those of services come after it. Where there is
// none, nil.
func (v *view) front() *plan.Resource {
	all := v.ByType(distributionType)
	for _, d := range all {
		if slices.ContainsFunc(v.origins(d), func(o origin) bool { return o.resource != nil && o.resource.Type == bucketType }) {
			return d
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return nil
}
