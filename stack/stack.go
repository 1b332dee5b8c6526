// Package stack is the whole of Cinema.Database on one page: what there is, in which order, and what each part gets
// from the others. Optional parts are in features.go, outputs in exports.go, and everything that is asked of AWS before
// the first resource in lookups.go.
package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app"
	"cinema-database/app/contract"
	"cinema-database/compute"
	"cinema-database/containers"
	"cinema-database/edge"
	"cinema-database/iam"
	"cinema-database/iam/deployer"
	"cinema-database/internal/config"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
	"cinema-database/internal/rollout"
	"cinema-database/monitoring"
	"cinema-database/network"
	"cinema-database/storage"
)

// Dependencies are what the program does not make itself.
type Dependencies struct {
	// FindBinary returns a binary of the application for an architecture, e.g. app.Find.
	FindBinary func(name, arch string) (*app.Binary, error)
	// Cloud opens the account for what follows AWS's answers, e.g. rollout.AWS.
	Cloud rollout.Opener
	// Readme is the text of the stack's README, Pulumi.README.md.
	Readme string
}

// Program returns the Pulumi program of the stack.
func Program(d Dependencies) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		s := &stack{ctx: ctx, dependencies: d}
		for _, step := range []func() error{
			s.lookup,
			s.allowDeployments,
			s.createBuckets,
			s.createNetwork,
			s.createDomain,
			s.createRoles,
			s.createBastion,
			s.createDatabase,
			s.createAPI,
			s.createContainers,
			s.createThumbnailer,
			s.createEdge,
			s.createReplica,
			s.createBackup,
			s.createMonitoring,
			s.startServices,
			s.rollOut,
			s.publishSite,
			s.export,
		} {
			if err := step(); err != nil {
				return problem.Each(err)
			}
		}
		return nil
	}
}

// stack holds what one step makes and a later one needs.
type stack struct {
	ctx          *pulumi.Context
	dependencies Dependencies
	cfg          *config.Config
	env          environment.Environment
	found        findings
	rollouts     compute.Rollouts

	buckets     *storage.Storage
	network     *network.Network
	roles       *iam.Roles
	bastion     *compute.Bastion
	database    *compute.Database
	api         *compute.API
	thumbnailer *compute.Thumbnailer
	// global is what must be in one region, wherever the stack is.
	global *edge.Global
	edge   *edge.Edge

	// nil where config does not ask for them
	domain     *edge.Domain
	deployer   *deployer.Deployer
	backup     *storage.Backup
	replica    *storage.Replica
	monitoring *monitoring.Monitoring
	containers *containers.Containers
	services   *containers.Started
}

// createBuckets comes before the network, whose S3 endpoints name the buckets in their policies.
func (s *stack) createBuckets() (err error) {
	s.buckets, err = storage.New(s.ctx, "storage", &storage.Args{
		Environment:      s.env,
		LogRetentionDays: s.cfg.LogRetentionDays,
		EdgeLogsFrom:     s.edgeLogsFrom(),
		Artifacts:        s.found.artifacts,
	})
	return err
}

func (s *stack) createNetwork() (err error) {
	s.network, err = network.New(s.ctx, "network", &network.Args{
		Environment:            s.env,
		Settings:               s.cfg.Network,
		Zones:                  s.found.zones,
		Edge:                   s.cfg.Edge.On(),
		HTTPS:                  s.cfg.Domain.On(),
		CloudFrontPrefixListID: s.found.cloudFrontPrefixList,
		ArtifactsBucketARN:     s.buckets.ArtifactsARN,
		ImagesBucketARN:        s.buckets.ImagesARN,
		Services:               s.serviceTraffic(),
		ContainerHosts:         s.containerHosts(),
		Endpoints:              s.cfg.Services.Endpoints(s.cfg.Containers.Capacity, s.cfg.Network.NatGateways == network.NatNone),
	})
	return err
}

func (s *stack) createRoles() (err error) {
	s.roles, err = iam.New(s.ctx, "iam", &iam.Args{
		Environment:  s.env,
		ArtifactsARN: s.buckets.ArtifactsARN,
		ImagesARN:    s.buckets.ImagesARN,

		DatabaseServices: s.cfg.Services.WithDatabase(),
	})
	return err
}

func (s *stack) createBastion() (err error) {
	s.bastion, err = compute.NewBastion(s.ctx, "bastion", &compute.BastionArgs{
		Environment:     s.env,
		BastionSettings: s.cfg.Bastion,
		AMI:             s.found.ami,
		SubnetID:        s.network.PublicSubnetIDs[0],
		SecurityGroupID: s.network.SecurityGroupIDs[network.Bastion],
		InstanceProfile: s.roles.BastionProfile,
	})
	return err
}

// createDatabase makes the members of the replica set, in the first zones, and the function that brings them the MongoDB
// package: the hosts have no way out.
func (s *stack) createDatabase() error {
	mirror, err := compute.NewMirror(s.ctx, "mirror", &compute.MirrorArgs{
		Environment:      s.env,
		FunctionSettings: s.cfg.Functions,
		Binary:           s.buckets.Artifacts[contract.Mirror],
		ArtifactsBucket:  s.buckets.ArtifactsBucket,
		ArtifactsARN:     s.buckets.ArtifactsARN,
		Version:          s.cfg.Database.Version,
		SHA256:           s.cfg.Database.SHA256,
	})
	if err != nil {
		return err
	}
	placements := make([]compute.Placement, s.cfg.Database.Members)
	for i := range placements {
		placements[i] = compute.Placement{Zone: s.network.Zones[i], SubnetID: s.network.DatabaseSubnetIDs[i]}
	}
	s.database, err = compute.NewDatabase(s.ctx, "database", &compute.DatabaseArgs{
		Environment:       s.env,
		DatabaseSettings:  s.cfg.Database,
		Rollouts:          s.rollouts,
		AMI:               s.found.ami,
		AMIPinned:         s.cfg.Image.Pinned(),
		Placements:        placements,
		Order:             s.found.order,
		Binary:            s.buckets.Artifacts[contract.CinemaDB],
		VPCID:             s.network.VPCID,
		SecurityGroupID:   s.network.SecurityGroupIDs[network.MongoDB],
		InstanceProfile:   s.roles.DatabaseProfile,
		ArtifactsBucket:   s.buckets.ArtifactsBucket,
		CredentialsURI:    s.credentialsURI(),
		CredentialsKeyARN: s.roles.CredentialsKeyARN,
		PackageKey:        mirror.PackageKey,
		PackageDigest:     mirror.PackageDigest,
	})
	return err
}

func (s *stack) createAPI() (err error) {
	args := &compute.APIArgs{
		Environment:                 s.env,
		APISettings:                 s.cfg.API,
		AMI:                         s.found.ami,
		Binary:                      s.buckets.Artifacts[contract.Cinema],
		Internal:                    s.cfg.Edge.On(),
		Hosts:                       s.cfg.Domain.Hosts,
		Services:                    s.cfg.Services.On(),
		VPCID:                       s.network.VPCID,
		PublicSubnetIDs:             s.network.PublicSubnetIDs,
		PrivateSubnetIDs:            s.network.PrivateSubnetIDs,
		LoadBalancerSecurityGroupID: s.network.SecurityGroupIDs[network.LoadBalancer],
		SecurityGroupID:             s.network.SecurityGroupIDs[network.API],
		InstanceProfile:             s.roles.APIProfile,
		Role:                        s.roles.APIRole,
		ArtifactsBucket:             s.buckets.ArtifactsBucket,
		ImagesBucket:                s.buckets.ImagesBucket,
		CredentialsURI:              s.credentialsURI(),
		LogsBucket:                  s.buckets.LogsBucket,
		LogsPrefix:                  storage.LoadBalancerLogs,
		LogRetentionDays:            s.cfg.LogRetentionDays,
	}
	if s.domain != nil {
		args.CertificateARN = s.domain.CertificateARN
	}
	s.api, err = compute.NewAPI(s.ctx, "api", args)
	return err
}

// createEdge makes what users connect to.
func (s *stack) createEdge() (err error) {
	s.edge, err = edge.New(s.ctx, "edge", &edge.Args{
		Environment:      s.env,
		Settings:         s.cfg.Edge,
		DomainSettings:   s.cfg.Domain,
		Domain:           s.domain,
		Global:           s.global.Provider,
		LoadBalancer:     s.api.Origin,
		SiteBucketDomain: s.buckets.SiteDomain,
		LogsBucketARN:    s.buckets.LogsARN,
		LogRetentionDays: s.cfg.LogRetentionDays,
		Services:         s.serviceRoutes(),
	})
	return err
}

func (s *stack) createThumbnailer() (err error) {
	s.thumbnailer, err = compute.NewThumbnailer(s.ctx, "thumbnailer", &compute.ThumbnailerArgs{
		Environment:      s.env,
		FunctionSettings: s.cfg.Functions,
		Binary:           s.buckets.Artifacts[contract.Thumbnailer],
		ArtifactsBucket:  s.buckets.ArtifactsBucket,
		ImagesBucket:     s.buckets.ImagesBucket,
		ImagesARN:        s.buckets.ImagesARN,
	})
	return err
}

// rollOut brings the release to the API's instances and waits until the stack serves. It comes after the database, without
// which the API is not ready, and after the alarms, which take a bad release back.
func (s *stack) rollOut() error {
	args := &compute.ReleaseGateArgs{
		Environment: s.env,
		Rollouts:    s.rollouts,
		API:         s.api,
		Database:    s.database,
		Address:     s.edge.Address,
		Binary:      s.buckets.Artifacts[contract.Cinema],
	}
	if s.monitoring != nil {
		args.Alarms = s.monitoring.RolloutAlarms
	}
	return compute.NewReleaseGate(s.ctx, args)
}

func (s *stack) publishSite() error {
	args := &storage.SiteArgs{
		Environment: s.env,
		Bucket:      s.buckets.SiteBucket,
		BucketARN:   s.buckets.SiteARN,
		APIURL:      s.edge.ClientAPIURL,
	}
	if s.cfg.Edge.On() {
		args.DistributionARN = s.edge.DistributionARN
	}
	_, err := storage.NewSite(s.ctx, "site", args)
	return err
}

// credentialsURI is where the database hosts write the API's credentials.
func (s *stack) credentialsURI() pulumi.StringOutput {
	return pulumi.Sprintf("s3://%s/%s", s.buckets.ArtifactsBucket, contract.CredentialsKey)
}
