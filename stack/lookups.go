package stack

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"cinema-database/app"
	"cinema-database/app/contract"
	"cinema-database/compute"
	"cinema-database/containers"
	"cinema-database/internal/component"
	"cinema-database/internal/config"
	"cinema-database/internal/environment"
	"cinema-database/internal/preflight"
	"cinema-database/internal/rollout"
	"cinema-database/network"
	"cinema-database/storage"
)

// findings are what exists before the stack does.
type findings struct {
	artifacts []storage.Artifact
	zones     []string
	// members are those that run.
	members      []compute.LiveMember
	order        compute.Order
	ami          string
	hostedZoneID string
	// cloudFrontPrefixList is empty without the edge.
	cloudFrontPrefixList string
	services             containers.Found
}

// lookup reads config, prepares the binaries, and asks AWS what the stack builds on, all at the same time: what exists first,
// then each thing that was found. It registers nothing, so whatever it refuses costs nothing.
func (s *stack) lookup() error {
	var err error
	if s.cfg, err = config.Load(s.ctx); err != nil {
		return err
	}
	var group errgroup.Group
	group.Go(func() (err error) { s.found.artifacts, err = s.artifacts(); return err })
	// What these refuse is reported together. The group's own errors come first: where one fails, mostly all do, for the
	// same reason.
	var refusals [4]error
	group.Go(func() (err error) { refusals[0], err = s.lookupZones(); return err })
	group.Go(func() error { refusals[1] = s.preflight(); return nil })
	group.Go(func() error { refusals[2] = s.cfg.Edge.CheckDeployed(s.ctx); return nil })
	group.Go(func() (err error) { refusals[3], err = s.lookupEnvironment(); return err })
	group.Go(func() error { return s.lookupCloudFront() })
	group.Go(func() (err error) { s.found.ami, err = s.cfg.Image.Lookup(s.ctx); return err })
	group.Go(func() (err error) { s.found.hostedZoneID, err = s.cfg.Domain.LookupHostedZone(s.ctx); return err })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := errors.Join(refusals[:]...); err != nil {
		return err
	}
	if err := s.found.services.Say(s.ctx, s.cfg.Services); err != nil {
		return err
	}
	s.rollouts = compute.Rollouts{Settings: s.cfg.Release, Open: s.openCloud()}
	return s.orderMembers()
}

// lookupEnvironment finds the account and the services, whose names on AWS follow from it. It refuses services that cannot run.
func (s *stack) lookupEnvironment() (refusal, err error) {
	if s.env, err = environment.Lookup(s.ctx); err != nil {
		return nil, err
	}
	s.env.Protect, s.env.Tags = s.cfg.Protect, s.cfg.Tags
	s.found.services, refusal = s.cfg.Services.Lookup(s.ctx, s.env, s.cfg.Containers.Capacity)
	return refusal, nil
}

// lookupZones finds the availability zones, and the subnets, the data and the members that are in them. It refuses zones in which
// the stack cannot be.
func (s *stack) lookupZones() (refusal, err error) {
	types := []string{s.cfg.Bastion.InstanceType, s.cfg.Database.InstanceType, s.cfg.API.InstanceType}
	if s.containerHosts() {
		types = append(types, s.cfg.Containers.InstanceType)
	}
	var deployed network.Deployed
	var members network.Members
	var unknown error // why it is not known which members run
	var group errgroup.Group
	group.Go(func() error {
		s.found.zones, refusal = network.LookupZones(s.ctx, s.cfg.Network.AvailabilityZones, s.cfg.Edge.MissingIn, types...)
		return nil
	})
	group.Go(func() error { s.found.members, unknown = compute.LookupMembers(s.ctx); return nil })
	group.Go(func() (err error) { deployed, err = network.LookupDeployed(s.ctx); return err })
	group.Go(func() (err error) { members.Data, members.Unkeyed, err = compute.LookupData(s.ctx); return err })
	if err := group.Wait(); refusal != nil || err != nil {
		return refusal, err
	}
	live := s.found.members
	if unknown != nil {
		// Without the permission to look them up, every member counts as running: their hosts change one at a time.
		for _, zone := range s.memberZones() {
			s.found.members = append(s.found.members, compute.LiveMember{Zone: zone, InstanceType: s.cfg.Database.InstanceType})
		}
		if err := s.ctx.Log.Debug(fmt.Sprintf("the database hosts that run are not known: %v", unknown), nil); err != nil {
			return nil, err
		}
	}
	members.Wanted = s.memberZones()
	return deployed.Check(s.cfg.Network.CIDR, s.found.zones, members), s.cfg.Database.WarnOfDowntime(s.ctx, live)
}

// memberZones are the zones of the members, the first ones.
func (s *stack) memberZones() []string {
	return network.Named(s.found.zones)[:s.cfg.Database.Members]
}

// artifactsBucket is the name of the artifacts bucket, also where the stack is not deployed.
func (s *stack) artifactsBucket() string {
	return component.PhysicalName(s.env, "aws:s3/bucketV2:BucketV2", "storage-artifacts")
}

// orderMembers decides in which order the hosts of the database change, and says it where there are several.
func (s *stack) orderMembers() error {
	primary, unhealthy := "", []string(nil)
	if len(s.found.members) > 1 {
		cloud, err := s.rollouts.Open(s.ctx.Context())
		if err != nil {
			if err := s.ctx.Log.Debug(fmt.Sprintf("the primary is not known: %v", err), nil); err != nil {
				return err
			}
		} else {
			members := compute.Members(s.env.Region, s.memberZones())
			primary, unhealthy = cloud.Primary(s.ctx.Context(), s.artifactsBucket(), members)
		}
	}
	s.found.order = s.cfg.Database.Order(s.memberZones(), s.found.members, primary, unhealthy)
	if text := s.found.order.String(); text != "" {
		return s.ctx.Log.Info("database: "+text, nil)
	}
	return nil
}

func (s *stack) lookupCloudFront() (err error) {
	if s.cfg.Edge.On() {
		s.found.cloudFrontPrefixList, err = network.LookupCloudFront(s.ctx)
	}
	return err
}

// preflight refuses a stack that the account cannot hold.
func (s *stack) preflight() error {
	gateways, err := s.cfg.Network.Gateways()
	if err != nil {
		return err
	}
	needs := preflight.Needs{
		Hosts: []preflight.Hosts{
			{Field: "bastion.instanceType", Type: s.cfg.Bastion.InstanceType, Count: 1, Max: 1},
			{Field: "database.instanceType", Type: s.cfg.Database.InstanceType, Count: s.cfg.Database.Members, Max: s.cfg.Database.Members, NVMe: true},
			{Field: "api.instanceType", Type: s.cfg.API.InstanceType, Count: s.cfg.API.MinSize, Max: s.cfg.API.MaxSize},
		},
		ElasticIPs:          gateways + compute.BastionAddresses,
		ReservedConcurrency: s.cfg.Functions.Reserved(),
	}
	if s.containerHosts() {
		needs.Hosts = append(needs.Hosts, preflight.Hosts{
			Field: "containers.instanceType", Type: s.cfg.Containers.InstanceType, Count: 1, Max: s.cfg.Containers.MaxSize,
		})
	}
	if s.cfg.Replica.On() {
		needs.Regions = map[string]string{"replicaRegion": s.cfg.Replica.Region}
	}
	return preflight.Check(s.ctx, needs)
}

// openCloud returns a function that opens the account once.
func (s *stack) openCloud() func(context.Context) (rollout.Cloud, error) {
	var once sync.Once
	var cloud rollout.Cloud
	var err error
	return func(ctx context.Context) (rollout.Cloud, error) {
		once.Do(func() {
			if s.dependencies.Cloud == nil {
				err = errors.New("the program has no cloud")
				return
			}
			cloud, err = s.dependencies.Cloud(ctx, s.cfg.Provider, s.env.Region)
		})
		return cloud, err
	}
}

// artifacts finds every binary of the release and writes it in the form in which it is uploaded.
func (s *stack) artifacts() ([]storage.Artifact, error) {
	var binaries []*app.Binary
	var problems []error
	for _, b := range contract.Binaries {
		binary, err := s.dependencies.FindBinary(b.Name, string(s.cfg.Architecture))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		binaries = append(binaries, binary)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return storage.PrepareArtifacts(binaries)
}
