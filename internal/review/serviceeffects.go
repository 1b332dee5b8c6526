package review

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/internal/plan"
)

// services finds what the update does to the further services.
func (j *judge) services() {
	steps := j.serviceSteps()
	for _, name := range slices.Sorted(maps.Keys(steps)) {
		j.service(name, steps[name])
	}
	j.clusters()
	j.containerHosts()
}

// serviceSteps are the steps of each service, by its name and by type.
func (j *judge) serviceSteps() map[string]map[string]step {
	type route struct{ typ, name string }
	services := map[route]string{} // by target group and rule
	for _, v := range j.both() {
		for _, s := range v.services() {
			if s.targets != nil {
				services[route{targetGroupType, s.targets.Name}] = s.name
			}
			for _, r := range s.rules {
				services[route{listenerRuleType, r.Name}] = s.name
			}
		}
	}
	all := map[string]map[string]step{}
	for _, s := range j.Steps {
		name := ""
		switch s.Type {
		case gateType:
			name = cmp.Or(text(s.is, "input.container"), text(s.was, "input.container"))
		case ecsServiceType, definitionType, scalableType, repositoryType:
			name = serviceName(s.Name)
		case targetGroupType, listenerRuleType:
			// With another load balancer, they come and go.
			if s.Op == opUpdate || s.Op == opReplace {
				name = services[route{s.Type, s.Name}]
			}
		}
		if name != "" {
			if all[name] == nil {
				all[name] = map[string]step{}
			}
			all[name][s.Type] = s
		}
	}
	return all
}

// both is the view before the update, and the one after it.
func (j *judge) both() []*view {
	return only([]*view{j.then, j.now}, func(v *view) bool { return v != nil })
}

func (j *judge) service(name string, steps map[string]step) {
	now, service := j.now.service(name), steps[ecsServiceType]
	switch {
	case service.Op == opDelete:
		j.serviceGoes(name, steps[repositoryType])
		return
	case service.Op == opCreate && now != nil:
		where := ""
		if r := now.route(); r != "" {
			where = ", for requests to " + r
		}
		j.add(changesIt, "The service %s starts: %s of image %s%s.", name, tasks(now.least, now.most), j.image(now.image), where)
	case service.Op == "" && steps[definitionType].Op == opCreate:
		j.add(changesIt, "The service %s does not start yet: push its image, then run `pulumi up` again.", name)
	case service.Op == opReplace && j.deletedFirst(service):
		j.add(stops, "The service %s is replaced%s: its tasks stop before the new ones start, and requests to it fail meanwhile, some minutes.", name, because(service.Replaces))
	case service.Op == opReplace:
		j.add(tasksRoll, "The service %s is replaced%s: the old one goes once the new one is healthy.", name, because(service.Replaces))
	default:
		j.roll(name, steps)
	}
	if r := steps[repositoryType]; now != nil && (r.Op == opDelete || r.Op == opReplace) {
		what, kind := j.repositoryGoes(r)
		j.add(kind, "The service %s stays, and its %s.", name, what)
	}
	if g := steps[targetGroupType]; g.Op == opReplace {
		j.add(stops, "The target group of %s is replaced%s: requests to it fail until its tasks are healthy in the new one.", name, because(g.Replaces))
	}
	if was, is := route(steps[listenerRuleType].was), route(steps[listenerRuleType].is); was != is {
		j.add(addresses, "Requests to %s go to %s, and those to %s no longer do.", is, name, was)
	}
	if t := steps[scalableType]; t.Op == opUpdate {
		j.scaling(name, t)
	}
}

// scaling finds another number of tasks.
func (j *judge) scaling(name string, t step) {
	count := func(m resource.PropertyMap) (least int, all string) {
		least = int(number(m, "minCapacity"))
		return least, tasks(least, int(number(m, "maxCapacity")))
	}
	wasLeast, was := count(t.was)
	least, is := count(t.is)
	switch {
	case least == 1 && wasLeast > 1:
		j.add(weakens, "The service %s runs %s, before %s: with one task, a failure is an outage of the service.", name, is, was)
	case is != was:
		j.add(changesIt, "The service %s runs %s, before %s.", name, is, was)
	}
}

// deletedFirst reports whether a resource goes before the one that replaces it is made.
func (j *judge) deletedFirst(s step) bool {
	if name := text(s.was, "name"); name != "" && name == text(s.is, "name") {
		return true // AWS has no two of one name
	}
	return slices.ContainsFunc(j.now.ByType(s.Type), func(r *plan.Resource) bool { return r.Name == s.Name && r.DeleteBeforeReplace })
}

// serviceGoes finds the end of a service.
func (j *judge) serviceGoes(name string, repository step) {
	if repository.Op != opDelete {
		j.add(stops, "The service %s stops serving.", name)
		return
	}
	what, kind := j.repositoryGoes(repository)
	if kind == changesIt {
		kind = stops
	}
	j.add(kind, "The service %s stops serving, and its %s.", name, what)
}

// repositoryGoes says what happens to a repository, and of which kind the effect is.
func (j *judge) repositoryGoes(r step) (what, kind string) {
	switch {
	case r.Op == opReplace:
		return "repository is replaced" + because(r.Replaces) + ": its images are deleted, and must be pushed again before tasks can start", losesData
	case r.Retained:
		return "repository " + r.Name + " stays on AWS with its images, and Pulumi manages it no longer", changesIt
	case boolean(r.was, "forceDelete"):
		return "repository with its images is deleted", losesData
	}
	return "repository is deleted, which AWS refuses while it holds images", stops
}

// roll finds what replaces the tasks of a service that goes on.
func (j *judge) roll(name string, steps map[string]step) {
	gate, definition, service := steps[gateType], steps[definitionType], steps[ecsServiceType]
	if gate.Op == opCreate || gate.Op == opDelete {
		return // with its service
	}
	var why []string
	if was, is, ok := gate.differs("input.image"); ok {
		why = append(why, "image "+j.image(was)+" → "+j.image(is))
	}
	if was, is, ok := gate.differs("input.port"); ok {
		why = append(why, "port "+was+" → "+is)
	}
	if definition.Op == opReplace {
		why = append(why, definition.taskChanges()...)
	}
	if service.Op == opUpdate {
		for _, input := range deploying {
			if _, _, ok := service.differs(input.path); ok {
				why = append(why, input.what)
			}
		}
	}
	_, _, moved := gate.differs("input.targets")
	_, _, renewed := gate.differs("input.definition")
	switch {
	case moved:
		why = append(why, "another target group")
	case len(why) == 0 && (renewed || definition.Op == opReplace):
		why = []string{"another task definition"}
	case len(why) == 0:
		return
	}
	count, verb, alarms := "its tasks", "roll", ""
	if now := j.now.service(name); now != nil {
		count = tasks(now.least, now.most)
		if now.most == 1 {
			verb = "rolls"
		}
		if boolean(now.Inputs, "alarms.enable") {
			alarms = " or raises an alarm"
		}
	}
	j.add(tasksRoll, "%s: %s %s: %s. Each old task stops once a new one is healthy. A deployment that fails its health checks%s goes back by itself, and the update fails.",
		name, count, verb, strings.Join(why, ", "), alarms)
}

// image shortens the reference of an image, of before or after.
func (j *judge) image(ref string) string {
	for _, v := range j.both() {
		if repository, version := splitImage(ref); version != "" && v.isRepository(repository) {
			return v.shortImage(ref)
		}
	}
	return j.now.shortImage(ref)
}

// deploying are the inputs of an ECS service whose change starts a deployment, without those that its gate sets.
// Source: Amazon ECS API reference, "UpdateService".
var deploying = []struct{ path, what string }{
	{"networkConfiguration.subnets", "subnets"}, {"networkConfiguration.securityGroups", "security groups"},
	{"platformVersion", "platform version"}, {"capacityProviderStrategies", "capacity providers"},
}

// taskChanges says what a new task definition changes, without the image and the port, which its gate has.
func (s step) taskChanges() (all []string) {
	for _, input := range []struct{ path, what, unit string }{{"cpu", "CPU", ""}, {"memory", "memory", " MiB"}, {"runtimePlatform.cpuArchitecture", "architecture", ""}} {
		if was, is, ok := s.differs(input.path); ok {
			all = append(all, input.what+" "+was+" → "+is+input.unit)
		}
	}
	was, is := containerOf(text(s.was, "containerDefinitions")), containerOf(text(s.is, "containerDefinitions"))
	if was != nil && is != nil {
		for _, key := range keysOf(was, is) {
			switch {
			case reflect.DeepEqual(was[key], is[key]) || slices.Contains([]string{"image", "portMappings", "cpu", "memory"}, key):
			case key == "environment" || key == "secrets":
				all = append(all, key+" "+strings.Join(renamed(was[key], is[key]), ", "))
			default:
				all = append(all, key)
			}
		}
	}
	for _, role := range []struct{ path, what string }{{"taskRoleArn", "task role"}, {"executionRoleArn", "execution role"}} {
		if _, _, ok := s.differs(role.path); ok {
			all = append(all, role.what)
		}
	}
	return all
}

// renamed are the names of the variables that differ between two lists of a container's environment or secrets.
func renamed(was, is any) []string {
	values := func(v any) map[string]string {
		all := map[string]string{}
		list, _ := v.([]any)
		for _, e := range list {
			if m, ok := e.(map[string]any); ok {
				text, _ := json.Marshal(m)
				all[fmt.Sprint(m["name"])] = string(text)
			}
		}
		return all
	}
	b, a := values(was), values(is)
	return only(keysOf(b, a), func(name string) bool { return b[name] != a[name] })
}

// clusters finds clusters that go.
func (j *judge) clusters() {
	for _, s := range j.steps(clusterType, opReplace) {
		j.add(stops, "The cluster %s is replaced%s, with every service in it.", s.Name, because(s.Replaces))
	}
	gone, made := j.steps(clusterType, opDelete), j.steps(clusterType, opCreate)
	switch {
	case len(gone) > 0 && len(made) > 0:
		j.add(tasksRoll, "The services move from the cluster %s to %s.", names(gone), names(made))
	case len(gone) > 0:
		j.add(changesIt, "The cluster %s goes: no service is left.", names(gone))
	}
}

// inputs are the names of the inputs that an update changes, sorted, without the resource's own tags.
func (s step) inputs() (all []string) {
	for k := range s.was {
		all = append(all, string(k))
	}
	for k := range s.is {
		all = append(all, string(k))
	}
	slices.Sort(all)
	return only(slices.Compact(all), func(input string) bool {
		_, _, differs := s.differs(input)
		return differs && input != "tags" && !strings.HasPrefix(input, "__")
	})
}

// isContainerHosts reports whether a name is that of a group of container hosts, before or after.
func (j *judge) isContainerHosts(group string) bool {
	for _, v := range j.both() {
		if slices.ContainsFunc(v.containerHosts(), func(g *plan.Resource) bool { return g.Name == group }) {
			return true
		}
	}
	return slices.ContainsFunc(j.Steps, func(s step) bool { return s.Type == capacityType && s.Name == group })
}

// containerHosts finds what the update does to the instances that run tasks.
func (j *judge) containerHosts() {
	for _, g := range j.now.containerHosts() {
		template := j.now.template(g)
		if template == nil {
			continue
		}
		// AWS refreshes the instances of a group with another version of its template.
		for _, s := range only(j.steps(templateType, opUpdate), func(s step) bool { return s.Name == template.Name && len(s.inputs()) > 0 }) {
			j.add(rolls, "The container hosts %s are replaced, one after the other: their launch template changes%s. ECS moves their tasks first.", g.Name, because(s.inputs()))
		}
	}
	for _, s := range j.steps(scalingType, opReplace, opDelete) {
		if !j.isContainerHosts(s.Name) {
			continue
		}
		if s.Op == opDelete {
			j.add(changesIt, "The container hosts %s go once no task runs on them.", s.Name)
			continue
		}
		j.add(stops, "The container hosts %s are replaced%s: the tasks on them stop.", s.Name, because(s.Replaces))
	}
}
