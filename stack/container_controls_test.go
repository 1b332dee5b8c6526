package stack

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

const (
	clusterType    = "aws:ecs/cluster:Cluster"
	capacityType   = "aws:ecs/capacityProvider:CapacityProvider"
	imageRulesType = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
	taskSetType    = "aws:ecs/taskSet:TaskSet" // the stack has none
)

// containerControls are the rules that services keep besides those of controls, from AWS Security Hub's user guide ("Amazon
// ECR controls", "Amazon ECS controls").
var containerControls = []control{
	{"ECR.1", "repositories scan images", every(repositoryType, "does not", func(r *pulumitest.Resource) bool {
		return r.Text("imageScanningConfiguration.scanOnPush") == "true"
	})},
	{"ECR.2", "tags of images cannot be moved", every(repositoryType, "they can", func(r *pulumitest.Resource) bool {
		return r.Text("imageTagMutability") == "IMMUTABLE"
	})},
	{"ECR.3", "repositories have a lifecycle", func(s *audit) {
		s.each(repositoryType, func(r *pulumitest.Resource) {
			s.require(slices.ContainsFunc(s.ByType(imageRulesType), func(p *pulumitest.Resource) bool {
				var policy struct{ Rules []map[string]any }
				return p.Text("repository") == r.Text("name") && json.Unmarshal([]byte(p.Text("policy")), &policy) == nil && len(policy.Rules) > 0
			}), r, "has none")
		})
	}},
	{"ECS.1", "no container has the host's network as root", func(s *audit) {
		s.containers(func(r *pulumitest.Resource, c map[string]any) {
			user, _ := c["user"].(string)
			s.require(r.Text("networkMode") != "host" || c["privileged"] == true || !root(user), r, "%v has", c["name"])
		})
	}},
	{"ECS.2", "services have no public addresses", every(serviceType, "assigns them", noPublicTasks)},
	{"ECS.3", "tasks do not see the host's processes", every(definitionType, "they do", func(r *pulumitest.Resource) bool {
		return r.Text("pidMode") != "host"
	})},
	{"ECS.4", "containers are not privileged", func(s *audit) {
		s.containers(func(r *pulumitest.Resource, c map[string]any) {
			s.require(c["privileged"] != true, r, "%v is", c["name"])
		})
	}},
	{"ECS.5", "containers cannot write to their root file system", func(s *audit) {
		s.containers(func(r *pulumitest.Resource, c map[string]any) {
			s.require(c["readonlyRootFilesystem"] == true, r, "%v can", c["name"])
		})
	}},
	{"ECS.8", "no environment variable holds a secret", func(s *audit) {
		s.containers(func(r *pulumitest.Resource, c map[string]any) {
			for _, v := range objects(c["environment"]) {
				name, value := fmt.Sprint(v["name"]), fmt.Sprint(v["value"])
				s.require(!slices.Contains([]string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ECS_ENGINE_AUTH_DATA"}, name), r, "%s is set", name)
				s.require(len(secretsIn(name+"="+value)) == 0, r, "%s: %s", name, secretsIn(name+"="+value))
			}
			for _, v := range objects(c["secrets"]) { // the value stays where it is
				from := fmt.Sprint(v["valueFrom"])
				s.require(strings.HasPrefix(from, "arn:aws:ssm:") || strings.HasPrefix(from, "arn:aws:secretsmanager:"), r, "%v is not from SSM or Secrets Manager", v["name"])
			}
		})
	}},
	{"ECS.9", "containers have a log", func(s *audit) {
		s.containers(func(r *pulumitest.Resource, c map[string]any) {
			log, _ := c["logConfiguration"].(map[string]any)
			driver, _ := log["logDriver"].(string)
			s.require(driver != "" && driver != "none", r, "%v has none", c["name"])
		})
	}},
	{"ECS.10", "Fargate runs its latest platform version", func(s *audit) {
		s.each(serviceType, func(r *pulumitest.Resource) {
			fargate := r.Text("launchType") == "FARGATE" || strings.HasPrefix(r.Text("capacityProviderStrategies[0].capacityProvider"), "FARGATE")
			s.require(!fargate || r.Text("platformVersion") == "" || r.Text("platformVersion") == "LATEST", r, "platformVersion is %q", r.Text("platformVersion"))
		})
	}},
	{"ECS.12", "clusters use Container Insights", func(s *audit) {
		s.each(clusterType, func(r *pulumitest.Resource) {
			s.require(slices.ContainsFunc(list(r, "settings"), func(v resource.PropertyValue) bool {
				return as[string](v.ObjectValue()["name"]) == "containerInsights" && slices.Contains([]string{"enabled", "enhanced"}, as[string](v.ObjectValue()["value"]))
			}), r, "does not")
		})
	}},
	{"ECS.16", "task sets have no public addresses", func(s *audit) {
		s.has(serviceType)
		s.any(func(r *pulumitest.Resource) { s.require(noPublicTasks(r), r, "assigns them") }, taskSetType)
	}},
	{"ECS.17", "tasks do not use the host's network", every(definitionType, "they do", func(r *pulumitest.Resource) bool {
		return r.Text("networkMode") == "awsvpc"
	})},
	{"ECS.18", "file systems are reached over TLS", func(s *audit) {
		s.each(definitionType, func(r *pulumitest.Resource) {
			for i := range list(r, "volumes") {
				efs := fmt.Sprintf("volumes[%d].efsVolumeConfiguration", i)
				s.require(r.Input(efs).IsNull() || r.Text(efs+".transitEncryption") == "ENABLED", r, "volume %d is not", i)
			}
		})
	}},
	{"ECS.19", "capacity providers protect instances that run tasks", func(s *audit) {
		s.has(clusterType)
		s.any(func(r *pulumitest.Resource) {
			s.require(r.Text("autoScalingGroupProvider.managedTerminationProtection") == "ENABLED", r, "does not")
		}, capacityType)
	}},
	{"ECS.20", "containers do not run as root", func(s *audit) {
		s.containers(func(r *pulumitest.Resource, c map[string]any) {
			user, _ := c["user"].(string)
			s.require(!root(user), r, "%v names no other user", c["name"])
		})
	}},
	{"task-roles", "each service has roles of its own, which tasks alone assume", func(s *audit) {
		users := map[string]string{}
		s.each(definitionType, func(r *pulumitest.Resource) {
			for _, input := range []string{"taskRoleArn", "executionRoleArn"} {
				arn := r.Text(input)
				s.require(arn != "", r, "has no %s", input)
				s.require(users[arn] == "", r, "shares the role %s with %s", arn, users[arn])
				users[arn] = r.Name
			}
		})
		for _, st := range s.allowed(roleType) {
			if !st.identity && st.on.Type == roleType && users[as[string](st.on.State["arn"])] != "" {
				s.require(slices.Equal(st.principals, []string{"ecs-tasks.amazonaws.com"}), st.on, "%s assume it", st.principals)
			}
		}
	}},
	{"task-capabilities", "containers have no Linux capabilities", func(s *audit) {
		s.containers(func(r *pulumitest.Resource, c map[string]any) {
			linux, _ := c["linuxParameters"].(map[string]any)
			capabilities, _ := linux["capabilities"].(map[string]any)
			s.require(slices.Equal(words(capabilities["drop"]), []string{"ALL"}) && len(words(capabilities["add"])) == 0, r, "%v has %v", c["name"], capabilities)
		})
	}},
	{"task-metadata", "tasks do not reach the metadata of their instance", func(s *audit) {
		s.each(templateType, func(r *pulumitest.Resource) {
			plain, _, err := script(r)
			s.require(err == nil && (!strings.Contains(plain, "ECS_CLUSTER=") || strings.Contains(plain, "ECS_AWSVPC_BLOCK_IMDS=true")), r, "they do")
		})
	}},
}

// containerExceptions are the controls that services do not keep, on purpose. One that no longer applies fails the test.
var containerExceptions = []exception{
	{"ECS.20", "containers-demo", nil, "the image names its user, and only it knows one that it can run as; those that app/cmd/image builds are not root. Every container is without capabilities and cannot write to its root"},
	{"ECS.20", "containers-preview", nil, "as for demo"},
	{"KMS.1", "deployer-container-boundary", nil, "a boundary grants nothing: the key's own policy names the roles that decrypt, through S3 only"},
	{"CloudFront.1", "edge-service-preview", nil, "the service answers its root itself"},
	{"CloudFront.4", "edge-service-preview", nil, "as for edge-distribution: the service is its only origin"},
	{"ELB.6", "api-lb", nil, "as for api-origin-lb: cinema:protect is off"},
	{"wildcard-action", "network-endpoint-ecr-api", nil, endpointPolicy},
	{"wildcard-action", "network-endpoint-ecr-dkr", nil, endpointPolicy},
	{"wildcard-action", "network-endpoint-ecs", nil, endpointPolicy},
	{"wildcard-action", "network-endpoint-logs", nil, endpointPolicy},
	{"wildcard-action", "network-endpoint-secretsmanager", nil, endpointPolicy},
	{"wildcard-action", "network-endpoint-ssm", nil, endpointPolicy},
}

const endpointPolicy = "the endpoint refuses the principals of other accounts, and limits nobody else: what a caller may do is in its role"

// root reports whether a container's user is root, which it is where the definition names none.
func root(user string) bool {
	name, _, _ := strings.Cut(user, ":")
	return name == "" || name == "root" || name == "0"
}

func noPublicTasks(r *pulumitest.Resource) bool {
	return r.Text("networkConfiguration.assignPublicIp") != "true" && len(list(r, "networkConfiguration.subnets")) > 0
}

// objects are the objects of a decoded JSON list.
func objects(v any) (all []map[string]any) {
	entries, _ := v.([]any)
	for _, e := range entries {
		if m, ok := e.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// definedContainers decodes a task definition's containers.
func definedContainers(r *pulumitest.Resource) (all []map[string]any, err error) {
	err = json.Unmarshal([]byte(r.Text("containerDefinitions")), &all)
	return all, err
}

// containers calls f with each container of each task definition.
func (s *audit) containers(f func(*pulumitest.Resource, map[string]any)) {
	s.each(definitionType, func(r *pulumitest.Resource) {
		all, err := definedContainers(r)
		s.require(err == nil && len(all) > 0, r, "defines %d containers: %v", len(all), err)
		for _, c := range all {
			f(r, c)
		}
	})
}

// withServices is twoServices with further config.
func withServices(further map[string]string) map[string]string {
	all := twoServices()
	maps.Copy(all, further)
	return all
}

// plannedRunning is planned for a stack whose repositories exist, and have the images.
func plannedRunning(t *testing.T, name string, change map[string]string, opts ...pulumitest.Option) *pulumitest.Recording {
	t.Helper()
	return planned(t, name, change, append(opts, pulumitest.As("", planned(t, name, change, opts...)))...)
}

// servicePlans are the plans of services that are audited.
var servicePlans = []struct {
	name, stack string
	change      map[string]string
}{
	{"fargate", "full", nil},
	{"ec2", "full", map[string]string{"cinema:containers": `{"capacity":"ec2"}`}},
	{"ec2 without NAT", "full", map[string]string{"cinema:containers": `{"capacity":"ec2"}`, "cinema:natGateways": "none"}},
	{"without edge and deployer", "dev", map[string]string{"cinema:edge": "none"}},
}

func TestServicesKeepTheControls(t *testing.T) {
	used := map[*exception]bool{}
	for _, plan := range servicePlans {
		t.Run(plan.name, func(t *testing.T) {
			r := plannedRunning(t, plan.stack, withServices(plan.change))
			for _, c := range slices.Concat(controls, containerControls) {
				if plan.stack == "dev" && (strings.HasPrefix(c.id, "CloudFront.") || slices.Contains([]string{"viewer-tls", "error-caching", "WAF.11", "open-ingress"}, c.id)) {
					continue // they need the edge
				}
				t.Run(c.id+" "+c.demands, func(t *testing.T) {
					s := c.audit(r)
					require.NotEmpty(t, s.kinds, "it checks nothing")
					for _, f := range s.findings {
						i := slices.IndexFunc(containerExceptions, func(e exception) bool { return e.control == c.id && e.resource == f.resource })
						switch {
						case i >= 0:
							used[&containerExceptions[i]] = true
						case excepted(c.id, f.resource, plan.stack) == nil:
							t.Error(f)
						}
					}
				})
			}
		})
	}
	for i := range containerExceptions {
		e := &containerExceptions[i]
		assert.True(t, used[e], "%s: %s meets it: remove the exception", e.control, e.resource)
		assert.NotEmpty(t, e.reason)
	}
}

var containerMutations = []mutation{
	{"ECR.1", "off", set(repositoryType, "containers-demo", "imageScanningConfiguration.scanOnPush", false), "containers-demo"},
	{"ECR.1", "unset", set(repositoryType, "containers-preview", "imageScanningConfiguration", absent), "containers-preview"},
	{"ECR.2", "moved", set(repositoryType, "containers-demo", "imageTagMutability", "MUTABLE"), "containers-demo"},
	{"ECR.3", "none", remove(imageRulesType, "containers-demo"), "containers-demo"},
	{"ECR.3", "no rule", set(imageRulesType, "containers-demo", "policy", `{"rules":[]}`), "containers-demo"},
	{"ECS.1", "host", set(definitionType, "containers-demo", "networkMode", "host"), "containers-demo"},
	{"ECS.2", "public", set(serviceType, "services-demo", "networkConfiguration.assignPublicIp", true), "services-demo"},
	{"ECS.3", "host", set(definitionType, "containers-demo", "pidMode", "host"), "containers-demo"},
	{"ECS.4", "privileged", container("demo", func(c map[string]any) { c["privileged"] = true }), "containers-demo"},
	{"ECS.5", "writable", container("demo", func(c map[string]any) { c["readonlyRootFilesystem"] = false }), "containers-demo"},
	{"ECS.5", "unset", container("preview", func(c map[string]any) { delete(c, "readonlyRootFilesystem") }), "containers-preview"},
	{"ECS.8", "a key", container("demo", func(c map[string]any) {
		c["environment"] = []any{map[string]any{"name": "AWS_SECRET_ACCESS_KEY", "value": "x"}}
	}), "containers-demo"},
	{"ECS.8", "a password", container("demo", func(c map[string]any) {
		c["environment"] = []any{map[string]any{"name": "DB", "value": "mongodb://admin:hunter22@mongo"}}
	}), "containers-demo"},
	{"ECS.8", "a secret's value", container("preview", func(c map[string]any) {
		c["secrets"] = []any{map[string]any{"name": "TOKEN", "valueFrom": "correcthorse"}}
	}), "containers-preview"},
	{"ECS.9", "none", container("demo", func(c map[string]any) { delete(c, "logConfiguration") }), "containers-demo"},
	{"ECS.10", "pinned", set(serviceType, "services-demo", "platformVersion", "1.3.0"), "services-demo"},
	{"ECS.12", "off", set(clusterType, "containers-fargate", "settings[0].value", "disabled"), "containers-fargate"},
	{"ECS.16", "public", func(t *testing.T, r *pulumitest.Recording) {
		added := *the(t, r, serviceType, "services-demo")
		added.Type, added.Name = taskSetType, "services-demo-set"
		put(t, &added, "networkConfiguration.assignPublicIp", true)
		r.Resources = append(r.Resources, &added)
	}, "services-demo-set"},
	{"ECS.17", "host", set(definitionType, "containers-preview", "networkMode", "host"), "containers-preview"},
	{"ECS.17", "bridge", set(definitionType, "containers-preview", "networkMode", "bridge"), "containers-preview"},
	{"ECS.18", "plain", set(definitionType, "containers-demo", "volumes", []any{map[string]any{"name": "data", "efsVolumeConfiguration": map[string]any{"fileSystemId": "fs-1"}}}), "containers-demo"},
	{"ECS.19", "unprotected", func(t *testing.T, r *pulumitest.Recording) {
		added := *the(t, r, clusterType, "containers-fargate")
		added.Type, added.Name = capacityType, "containers-hosts"
		put(t, &added, "autoScalingGroupProvider", map[string]any{"managedTerminationProtection": "DISABLED"})
		r.Resources = append(r.Resources, &added)
	}, "containers-hosts"},
	{"ECS.20", "root", container("other", nil), "containers-other"},
	{"task-roles", "shared", func(t *testing.T, r *pulumitest.Recording) {
		put(t, the(t, r, definitionType, "containers-demo"), "taskRoleArn", the(t, r, definitionType, "containers-preview").Text("taskRoleArn"))
	}, "containers-preview"},
	{"task-roles", "none", set(definitionType, "containers-demo", "taskRoleArn", absent), "containers-demo"},
	{"task-roles", "an instance's", edit(roleType, "iam-service-demo-task", "assumeRolePolicy", "", func(st map[string]any) {
		st["Principal"] = map[string]any{"Service": []any{"ecs-tasks.amazonaws.com", "ec2.amazonaws.com"}}
	}), "iam-service-demo-task"},
	{"task-capabilities", "one", container("demo", func(c map[string]any) {
		c["linuxParameters"] = map[string]any{"capabilities": map[string]any{"add": []any{"SYS_ADMIN"}, "drop": []any{"ALL"}}}
	}), "containers-demo"},
	{"task-capabilities", "the usual ones", container("preview", func(c map[string]any) { delete(c, "linuxParameters") }), "containers-preview"},
	{"task-metadata", "reached", set(templateType, "api-instance", "userData", compressed("#!/bin/sh\necho ECS_CLUSTER=x\n")), "api-instance"},
}

// container changes a service's container; one that the plan does not have is a copy of demo's that runs as root.
func container(name string, f func(map[string]any)) change {
	return func(t *testing.T, r *pulumitest.Recording) {
		var of *pulumitest.Resource
		if f == nil {
			added := *the(t, r, definitionType, "containers-demo")
			added.Name = "containers-" + name
			of, f = &added, func(c map[string]any) { c["user"] = "0:0" }
			r.Resources = append(r.Resources, of)
		} else {
			of = the(t, r, definitionType, "containers-"+name)
		}
		all, err := definedContainers(of)
		require.NoError(t, err)
		require.Len(t, all, 1)
		f(all[0])
		data, err := json.Marshal(all)
		require.NoError(t, err)
		put(t, of, "containerDefinitions", string(data))
	}
}

// TestEveryContainerControlCanFail breaks a plan with services, one input at a time.
func TestEveryContainerControlCanFail(t *testing.T) {
	eachCanFail(t, plannedRunning(t, "full", twoServices()), containerControls, containerMutations)
}
