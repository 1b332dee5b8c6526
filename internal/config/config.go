// Package config is the only reader of stack config. It parses, defaults and checks every key, and reports all
// problems at once, each with its key, value, reason and fix.
package config

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/compute"
	"cinema-database/containers"
	"cinema-database/edge"
	"cinema-database/iam/deployer"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
	"cinema-database/internal/rollout"
	"cinema-database/monitoring"
	"cinema-database/network"
	"cinema-database/storage"
)

// Config is the stack's config. Its keys, defaults and meaning are the table in keys.go.
type Config struct {
	Network  network.Settings
	Bastion  compute.BastionSettings
	Database compute.DatabaseSettings
	API      compute.APISettings
	// Services are the further services, on the Containers' capacity.
	Services   containers.Services
	Containers containers.Settings
	Edge       edge.Settings
	Domain     edge.DomainSettings
	Backups    storage.BackupSettings
	// Monitoring is nil where config has no alarms.
	Monitoring *monitoring.Settings
	// Deployer is nil where nobody deploys from GitHub.
	Deployer     *deployer.Settings
	Functions    compute.FunctionSettings
	Release      rollout.Settings
	Architecture compute.Architecture
	Image        compute.ImageSettings
	Replica      storage.ReplicaSettings
	// Protect protects everything that cannot be recreated (data volume, buckets with data, key, backups), and the load balancer.
	Protect bool
	// LogRetentionDays of every log group and access log.
	LogRetentionDays int
	// Provider holds the settings of the AWS provider by name, without the region.
	Provider map[string]string
	// Tags go on every resource that supports tags.
	Tags map[string]string
}

// Load reads and checks the stack's config. An unknown key of the project's namespace is a problem too: a typo must not
// pass for a default. So is a project's or stack's name that no physical name can be made of.
func Load(ctx *pulumi.Context) (*Config, error) {
	problems := problem.In(ctx.Project() + ":")
	r := newReader(ctx, problems)
	r.hideSecrets()
	c := r.config()
	r.refuseUnknown()

	problems.AddError(environment.Environment{Project: ctx.Project(), Stack: ctx.Stack()}.CheckNames())
	checkTags(problems, c.Tags)
	region := checkRegion(ctx, problems)
	c.Network.Check(problems, region)
	c.Bastion.Check(problems)
	c.Database.Check(problems)
	c.Database.CheckZones(problems, c.Network.ZoneCount())
	c.API.Check(problems)
	c.Containers.Check(problems)
	c.Services.Check(problems, containers.Surroundings{
		Capacity: c.Containers.Capacity, Domain: c.Domain, Egress: c.Network.NatGateways != network.NatNone,
	})
	c.Edge.Check(problems)
	c.Domain.Check(problems)
	c.Backups.Check(problems)
	if near, mistyped := mistypedRegion(c.Replica.Region); c.Replica.On() && mistyped {
		problems.AddUnread("replicaRegion", c.Replica.Region, "is not an AWS region", "did you mean "+near+"?")
	}
	c.Replica.Check(problems, region)
	c.Monitoring.Check(problems)
	c.Deployer.Check(problems)
	c.Functions.Check(problems)
	c.Release.Check(problems)
	c.Image.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

func (r *reader) config() *Config {
	c := &Config{}
	r.enum("architecture", (*string)(&c.Architecture), string(compute.ARM64), string(compute.AMD64))
	c.Image.Architecture = c.Architecture
	r.read("ami", &c.Image.ID)
	r.useFamily(burstableFamily[c.Architecture])
	r.read("protect", &c.Protect)
	r.read("logRetentionDays", &c.LogRetentionDays)
	r.read("tags", &c.Tags)

	r.network(c)
	r.database(c)
	r.api(c)
	r.functions(c)
	r.release(c)
	r.read("services", &c.Services)
	r.read("containers", &c.Containers)
	c.Containers.Architecture = c.Architecture
	r.read("edge", &c.Edge)
	r.read("domain", &c.Domain)
	r.read("alarms", &c.Monitoring)
	r.read("deployer", &c.Deployer)
	c.Deployer = c.Deployer.WithDefaults()
	r.read("backups", &c.Backups)
	r.read("replicaRegion", &c.Replica.Region)
	c.Provider = r.provider()
	c.Replica.Provider = c.Provider
	return c
}

// burstableFamily is the family of each architecture's default instance types.
var burstableFamily = map[compute.Architecture]string{compute.ARM64: "t4g", compute.AMD64: "t3"}

// network reads the network and the bastion, whose operators' networks are part of the network.
func (r *reader) network(c *Config) {
	var cidr string
	r.read("vpcCidr", &cidr)
	var bastion struct {
		CIDRs        []string `json:"cidrs"`
		InstanceType string   `json:"instanceType"`
	}
	r.read("bastion", &bastion)
	c.Network = network.Settings{
		CIDR:             network.ParseCIDR(r.problems, cidr),
		OperatorCIDRs:    network.ParseOperatorCIDRs(r.problems, bastion.CIDRs),
		LogRetentionDays: c.LogRetentionDays,
	}
	r.read("availabilityZones", &c.Network.AvailabilityZones)
	r.read("natGateways", &c.Network.NatGateways)
	c.Bastion = compute.BastionSettings{InstanceType: bastion.InstanceType, Architecture: c.Architecture}
}

func (r *reader) database(c *Config) {
	var database struct {
		InstanceType string `json:"instanceType"`
		Members      int    `json:"members"`
		VolumeSize   int    `json:"volumeSize"`
		Version      string `json:"version"`
		SHA256       string `json:"sha256"`
		RestoreFrom  string `json:"restoreFrom"`
	}
	r.read("database", &database)
	c.Database = compute.DatabaseSettings{
		InstanceType: database.InstanceType, Architecture: c.Architecture, Members: database.Members,
		VolumeSize: database.VolumeSize, Version: database.Version, SHA256: database.SHA256, RestoreFrom: database.RestoreFrom,
	}
}

func (r *reader) api(c *Config) {
	var api struct {
		InstanceType   string   `json:"instanceType"`
		MinSize        int      `json:"minSize"`
		MaxSize        int      `json:"maxSize"`
		AllowedOrigins []string `json:"allowedOrigins"`
	}
	r.read("api", &api)
	c.API = compute.APISettings{
		InstanceType: api.InstanceType, Architecture: c.Architecture, AllowedOrigins: api.AllowedOrigins,
		MinSize: api.MinSize, MaxSize: api.MaxSize,
	}
}

func (r *reader) release(c *Config) {
	var release struct {
		Wait        durationText `json:"wait"`
		Checkpoints []int        `json:"checkpoints"`
		Bake        durationText `json:"bake"`
		Readiness   bool         `json:"readiness"`
	}
	r.read("release", &release)
	c.Release = rollout.Settings{
		Wait: r.duration("release.wait", release.Wait), Checkpoints: release.Checkpoints,
		Bake: r.duration("release.bake", release.Bake), Readiness: release.Readiness,
	}
}

func (r *reader) functions(c *Config) {
	var thumbnailer struct {
		Concurrency int `json:"concurrency"`
	}
	r.read("thumbnailer", &thumbnailer)
	c.Functions = compute.FunctionSettings{
		Architecture: c.Architecture, ThumbnailerConcurrency: thumbnailer.Concurrency, LogRetentionDays: c.LogRetentionDays,
	}
}
