package config

import (
	"slices"
	"strings"

	"cinema-database/app/contract"
)

// Types of keys, as the descriptions in Pulumi.yaml name them.
const (
	text    = "string"
	boolean = "boolean"
	integer = "integer"
	array   = "array"
	object  = "object"
)

// key is one key of the stack's config. The table in README.md, the schema in Pulumi.yaml and the defaults of Load come
// from Keys; run this package's test with -update after a change.
type key struct {
	// Name is without the project's namespace. A field of an object follows a dot, and * stands for any name of a map.
	Name string
	Type string
	// Default of Load, and of Pulumi.yaml. Types of instances are those of arm64.
	Default any
	// Shown is README's text for a default that does not explain itself.
	Shown string
	// Meaning in Markdown, with units and limits.
	Meaning string
}

// Keys are all keys, in README's order.
var keys = []key{
	{"vpcCidr", text, "10.0.0.0/16", "", "the VPC's network, private, `/16` to `/23`"},
	{"availabilityZones", array, []string{}, "first three of the region", "two to four zones by name that offer the instance types, each in the slot of its place: append to add one; `\"\"` keeps a slot free; a deployed zone keeps its slot"},
	{"natGateways", text, "single", "", "`none` (the private tier reaches S3 only), `single`, or `perAz`; each about 33 USD a month and 0.045 USD/GB in us-east-1; see [cost](docs/cost.md)"},
	{"bastion.cidrs", array, []string{}, "", "networks that may open SSH to the bastion; without any, operators use Session Manager"},
	{"bastion.instanceType", text, "t4g.nano", "", "instance type of the bastion"},
	{"architecture", text, "arm64", "", "`arm64` or `amd64`, for instances and functions; the default instance types follow it"},
	{"ami", text, "", "newest of Amazon Linux 2023", "image of the hosts; see [patching](docs/operations.md#patching)"},
	{"api.instanceType", text, "t4g.micro", "", "instance type of the API"},
	{"api.minSize", integer, 3, "", "lower bound of the Auto Scaling group"},
	{"api.maxSize", integer, 6, "", "upper bound of the Auto Scaling group"},
	{"api.allowedOrigins", array, []string{}, "", "other origins whose pages may call the API, like `https://films.example.com`; behind the edge the client needs none"},
	{"database.instanceType", text, "t4g.medium", "", "instance type of the database hosts"},
	{"database.members", integer, 1, "", "members of the replica set, one in each of the first zones: `1`, or `3`, which survive the loss of a host or a zone"},
	{"database.volumeSize", integer, 20, "", "data volume of each member, GiB"},
	// 8.0.37 closes CVE-2026-118383, a use after free before authentication.
	{"database.version", text, "8.0.38", "", "MongoDB server, of the 8.0 line, from 8.0.17"},
	{"database.sha256", text, "", "the publisher's", "digest of the server package, to pin it"},
	{"database.restoreFrom", text, "", "", "snapshot to create the first member's data volume from; see [restore](docs/operations.md#restore)"},
	{"release.wait", text, "45m", "", "how long `pulumi up` waits for a rollout, and on a new stack for the first answer; `0` starts it and does not wait"},
	{"release.checkpoints", array, []int{34}, "", "percentages of the instances after which a rollout pauses for `release.bake`"},
	{"release.bake", text, "5m", "", "how long the alarms are watched at each checkpoint and after the last instance"},
	{"release.readiness", boolean, true, "", "request `" + contract.ReadyPath + "` through the front door after a rollout; `false` where it cannot be reached"},
	{"thumbnailer.concurrency", integer, -1, "", "thumbnails made at the same time; `-1` uses the account's unreserved concurrency, the only choice in a new account"},
	{"services", object, map[string]any{}, "", "further services in containers, by name: a lower-case word of up to 16 letters, digits and hyphens; see [services](docs/operations.md#services)"},
	{"services.*.image", text, "", "", "a tag or a digest (`sha256:…`) in the service's own repository, or a whole reference of any registry"},
	{"services.*.port", integer, 8080, "", "port that the container listens on"},
	{"services.*.host", text, "", "", "host name of the service's own in the hosted zone of `domain.zone`; a service has a host or a path"},
	{"services.*.path", text, "", "", "pattern of the paths that go to the service, like `/demo/*`"},
	{"services.*.healthPath", text, contract.HealthPath, "", "path that answers 200 while the container is healthy"},
	{"services.*.cpu", integer, 256, "", "CPU of each task, in 1/1024 of a core; with `fargate` one of its sizes"},
	{"services.*.memory", integer, 512, "", "memory of each task, MiB; with `fargate` one of its sizes for the CPU"},
	{"services.*.count", object, map[string]any{"min": 2, "max": 4}, "`{min: 2, max: 4}`", "bounds of the number of tasks"},
	{"services.*.environment", object, map[string]string{}, "", "environment variables; none may be a secret"},
	{"services.*.secrets", object, map[string]string{}, "", "environment variables whose values are elsewhere: `ssm:/NAME` is a parameter, `secretsmanager:NAME` a secret"},
	{"services.*.permissions", object, map[string]any{}, "", "`database: true` to reach the database and read its credentials; `read`: list of prefixes in the images bucket, like `images/" + contract.OriginalsPrefix + "`"},
	{"containers.capacity", text, "fargate", "", "what the tasks run on: `fargate`, or `ec2` for instances of an Auto Scaling group"},
	{"containers.instanceType", text, "t4g.small", "", "instance type of the capacity `ec2`"},
	{"containers.maxSize", integer, 4, "", "most instances of the capacity `ec2`"},
	{"edge.mode", text, "cloudfront", "", "`cloudfront`: one distribution serves client and API over HTTPS, and nothing in the VPC is open to the internet; `none`: the load balancer is public and something else serves the client. `cinema:edge: none` is short for it; see [the edge](docs/operations.md#the-edge)"},
	{"edge.waf", text, "off", "", "AWS WAF on the distribution: `off`, `count` (log what would be blocked) or `block`"},
	{"domain.zone", text, "", "", "Route 53 hosted zone of the host names; without a domain the stack has the name that AWS assigns"},
	{"domain.createZone", boolean, false, "", "make the hosted zone part of the stack"},
	{"domain.hosts", array, []string{}, "", "list of `name` and `service` (`api`): names of the distribution and rules of the load balancer, all on one certificate"},
	{"alarms.email", text, "", "", "address for notifications; the key `alarms` itself turns alarms and dashboard on"},
	{"alarms.monthlyBudget", integer, 0, "", "US dollars a month to warn at; `0` for none"},
	{"backups.retentionDays", integer, 35, "", "daily snapshots of the data volume; `0` for none"},
	{"backups.hourly", boolean, false, "", "also a snapshot each hour, kept for two days"},
	{"backups.forceDestroy", boolean, false, "", "let `pulumi destroy` delete the backups too"},
	{"replicaRegion", text, "", "", "region that new images and the daily backups are copied to"},
	{"deployer", object, nil, "", "GitHub repository that may preview and deploy; see [deploying from GitHub](docs/operations.md#deploying-from-github)"},
	{"protect", boolean, true, "", "protect everything that cannot be recreated (data volume, buckets with data, key, backups), and the load balancer"},
	{"logRetentionDays", integer, 30, "", "every log group and access log"},
	{"tags", object, map[string]string{}, "", "map of tags for every resource except S3 objects, which take ten, and the deployer, which only an administrator may change"},
}

// switches are the objects that turn a feature on by being there, even when empty. Pulumi requires every key of its
// schema that has no default, and any default would turn the feature on: so the schema leaves these out.
var switches = []string{"alarms", "deployer"}

// topLevel returns the names of the keys at the top level, in the table's order.
func topLevel() (names []string) {
	for _, k := range keys {
		name, _, _ := strings.Cut(k.Name, ".")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// fields returns the keys of an object's fields.
func fields(object string) (of []key) {
	for _, k := range keys {
		if strings.HasPrefix(k.Name, object+".") && !strings.HasPrefix(k.Name, object+".*") {
			of = append(of, k)
		}
	}
	return of
}
