// Package config is the one place that reads stack config: typed, defaulted and checked, every
// problem reported at once with its key, value, reason and fix.
package config

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/compute"
	"cinema-database/iam/deployer"
	"cinema-database/internal/problem"
	"cinema-database/monitoring"
	"cinema-database/network"
	"cinema-database/storage"
)

// Config is the stack's config. Its keys, defaults and meaning are the table in README.md.
type Config struct {
	Network  network.Settings
	Bastion  compute.BastionSettings
	Database compute.DatabaseSettings
	API      compute.APISettings
	Domain   compute.DomainSettings
	Backups  storage.BackupSettings
	// Monitoring is nil where config has no alarms.
	Monitoring *monitoring.Settings
	// Deployer is nil where nobody deploys from GitHub.
	Deployer     *deployer.Settings
	Functions    compute.FunctionSettings
	Architecture compute.Architecture
	Replica      storage.ReplicaSettings
	// Protect guards what cannot be made again (data volume, buckets with data, key, backups), and the load balancer.
	Protect bool
	// LogRetentionDays of every log group and access log.
	LogRetentionDays int
	// Tags go on everything that takes them.
	Tags map[string]string
}

// Load reads and checks the stack's config. An unknown key of the project's namespace is a problem
// too: a typo must not pass for a default.
func Load(ctx *pulumi.Context) (*Config, error) {
	problems := problem.In(ctx.Project() + ":")
	r := reader{ctx: ctx, problems: problems}

	c := &Config{}
	r.enum("architecture", (*string)(&c.Architecture), string(compute.ARM64), string(compute.ARM64), string(compute.AMD64))
	r.boolean("protect", &c.Protect, true)
	r.integer("logRetentionDays", &c.LogRetentionDays, 30)
	r.object("tags", &c.Tags)

	c.Network = network.Settings{LogRetentionDays: c.LogRetentionDays}
	r.text("vpcCidr", &c.Network.CIDR, "10.0.0.0/16")
	r.object("availabilityZones", &c.Network.AvailabilityZones)
	r.text("natGateways", (*string)(&c.Network.NatGateways), string(network.NatSingle))

	bastion := struct {
		CIDRs        []string `json:"cidrs"`
		InstanceType string   `json:"instanceType"`
	}{InstanceType: smallest[c.Architecture] + ".nano"}
	r.object("bastion", &bastion)
	c.Network.OperatorCIDRs = bastion.CIDRs
	c.Bastion = compute.BastionSettings{InstanceType: bastion.InstanceType, Architecture: c.Architecture}

	database := struct {
		InstanceType string `json:"instanceType"`
		VolumeSize   int    `json:"volumeSize"`
		Version      string `json:"version"`
		SHA256       string `json:"sha256"`
		RestoreFrom  string `json:"restoreFrom"`
	}{InstanceType: smallest[c.Architecture] + ".medium", VolumeSize: 20, Version: mongoVersion}
	r.object("database", &database)
	c.Database = compute.DatabaseSettings{
		InstanceType: database.InstanceType, Architecture: c.Architecture,
		VolumeSize: database.VolumeSize, Version: database.Version, SHA256: database.SHA256, RestoreFrom: database.RestoreFrom,
	}

	api := struct {
		InstanceType string `json:"instanceType"`
		MinSize      int    `json:"minSize"`
		MaxSize      int    `json:"maxSize"`
	}{smallest[c.Architecture] + ".micro", 3, 6}
	r.object("api", &api)
	c.API = compute.APISettings{
		InstanceType: api.InstanceType, Architecture: c.Architecture, MinSize: api.MinSize, MaxSize: api.MaxSize,
	}

	r.object("domain", &c.Domain)
	r.object("alarms", &c.Monitoring)
	r.object("deployer", &c.Deployer)
	c.Deployer = c.Deployer.WithDefaults()

	c.Backups = storage.BackupSettings{RetentionDays: 35}
	r.object("backups", &c.Backups)

	thumbnailer := struct {
		Concurrency int `json:"concurrency"`
	}{10}
	r.object("thumbnailer", &thumbnailer)
	c.Functions = compute.FunctionSettings{
		Architecture: c.Architecture, ThumbnailerConcurrency: thumbnailer.Concurrency, LogRetentionDays: c.LogRetentionDays,
	}

	r.text("replicaRegion", &c.Replica.Region, "")
	c.Replica.Provider = r.provider()

	r.refuseUnknown()
	checkTags(problems, c.Tags)
	c.Network.Check(problems)
	c.Bastion.Check(problems)
	c.Database.Check(problems)
	c.API.Check(problems)
	c.Domain.Check(problems)
	c.Backups.Check(problems)
	region, _ := ctx.GetConfig("aws:region")
	c.Replica.Check(problems, region)
	c.Monitoring.Check(problems)
	c.Deployer.Check(problems)
	c.Functions.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

// mongoVersion is the default: 8.0.21 closes CVE-2026-6914.
const mongoVersion = "8.0.21"

// smallest is the burstable family of each architecture, the default for every host.
var smallest = map[compute.Architecture]string{compute.ARM64: "t4g", compute.AMD64: "t3"}
