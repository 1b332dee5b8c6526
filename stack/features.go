package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/compute"
	"cinema-database/edge"
	"cinema-database/iam/deployer"
	"cinema-database/monitoring"
	"cinema-database/storage"
)

// The optional parts. Each has a settings block in config whose On method decides.

// allowDeployments makes the roles that deploy from GitHub. It comes before every other role: none may do more than the
// deployer's boundary.
func (s *stack) allowDeployments() (err error) {
	const name = "deployer"
	if !s.cfg.Deployer.On() {
		return deployer.CheckRemoved(s.ctx, s.env, name)
	}
	args := &deployer.Args{
		Environment: s.env,
		Settings:    s.cfg.Deployer,
		RecordNames: append(s.cfg.Domain.RecordNames(s.serviceRoutes()...), compute.MemberHosts),
	}
	if s.cfg.Services.On() {
		args.Containers = &deployer.Containers{}
		args.Containers.Parameters, args.Containers.Secrets = s.cfg.Services.SecretNames()
	}
	s.deployer, err = deployer.New(s.ctx, name, args)
	if err != nil {
		return err
	}
	return s.deployer.Bound(s.ctx)
}

// createDomain makes the hosted zone and the certificates of the host names, and, where the stack is elsewhere, the provider
// of the region that CloudFront takes certificates from.
func (s *stack) createDomain() (err error) {
	s.global = &edge.Global{}
	if s.cfg.Edge.On() {
		if s.global, err = edge.NewGlobal(s.ctx, "global", s.env, s.cfg.Provider); err != nil {
			return err
		}
	}
	if !s.cfg.Domain.On() {
		return nil
	}
	s.domain, err = edge.NewDomain(s.ctx, "domain", &edge.DomainArgs{
		Environment:    s.env,
		DomainSettings: s.cfg.Domain,
		HostedZoneID:   s.found.hostedZoneID,
		Edge:           s.cfg.Edge.On(),
		Global:         s.global.Provider,
		Services:       s.serviceRoutes(),
	})
	return err
}

// edgeLogsFrom is the region from which the distribution's access logs come, empty without the edge.
func (s *stack) edgeLogsFrom() string {
	if s.cfg.Edge.On() {
		return edge.GlobalRegion
	}
	return ""
}

func (s *stack) createBackup() (err error) {
	if !s.cfg.Backups.On() {
		return nil
	}
	s.backup, err = storage.NewBackup(s.ctx, "backup", &storage.BackupArgs{
		Environment:    s.env,
		BackupSettings: s.cfg.Backups,
		VolumeARN:      s.database.VolumeARN,
		Replica:        s.replica,
	})
	return err
}

func (s *stack) createReplica() (err error) {
	if !s.cfg.Replica.On() {
		return nil
	}
	s.replica, err = storage.NewReplica(s.ctx, "replica", &storage.ReplicaArgs{
		Environment:     s.env,
		ReplicaSettings: s.cfg.Replica,
		ImagesBucket:    s.buckets.ImagesBucket,
		ImagesARN:       s.buckets.ImagesARN,
	})
	return err
}

func (s *stack) createMonitoring() (err error) {
	if !s.cfg.Monitoring.On() {
		return nil
	}
	args := &monitoring.Args{
		Environment:          s.env,
		Settings:             s.cfg.Monitoring,
		LoadBalancer:         s.api.LoadBalancer,
		TargetGroup:          s.api.TargetGroup,
		GroupName:            s.api.GroupName,
		DatabaseInstanceIDs:  map[string]pulumi.IDOutput{},
		DatabaseZone:         s.network.Zones[0],
		ThumbnailerName:      s.thumbnailer.FunctionName,
		FailuresName:         s.thumbnailer.FailuresName,
		NatGatewayIDs:        s.network.NatGatewayIDs,
		APIInstanceType:      s.cfg.API.InstanceType,
		DatabaseInstanceType: s.cfg.Database.InstanceType,
		BackupsCopied:        s.replica != nil,
	}
	for zone, id := range s.database.InstanceIDs {
		args.DatabaseInstanceIDs[zone] = id.ToIDOutput()
	}
	if s.containers != nil {
		args.ServiceTargets = map[string]pulumi.StringOutput{}
		for name := range s.startedServices() {
			args.ServiceTargets[name] = s.containers.TargetGroups[name]
		}
	}
	if s.backup != nil {
		args.VaultName = s.backup.VaultName
	}
	if s.cfg.Domain.On() {
		args.CertificateARN = s.domain.CertificateARN
	}
	if s.cfg.Edge.On() {
		args.DistributionID = s.edge.DistributionID
		args.Global = s.global.Provider
		if s.cfg.Domain.On() && s.global.Provider != nil {
			args.EdgeCertificateARN = s.domain.EdgeCertificateARN
		}
	}
	s.monitoring, err = monitoring.New(s.ctx, "monitoring", args)
	return err
}
