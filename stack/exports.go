package stack

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/connect"
	"cinema-database/network"
)

// export sets the stack's outputs.
func (s *stack) export() error {
	region := s.env.Region
	digests := pulumi.StringMap{}
	for _, artifact := range s.found.artifacts {
		digests[artifact.Name] = pulumi.String(artifact.Digest)
	}
	for name, value := range map[string]pulumi.Input{
		"readme":            pulumi.String(s.dependencies.Readme),
		"region":            pulumi.String(region),
		"apiUrl":            s.edge.APIURL,
		"imagesBucket":      s.buckets.ImagesBucket,
		"artifactsBucket":   s.buckets.ArtifactsBucket,
		"logsBucket":        s.buckets.LogsBucket,
		"siteBucket":        s.buckets.SiteBucket,
		"bastionId":         s.bastion.InstanceID,
		"databaseId":        s.database.InstanceID,
		"databaseIds":       s.database.InstanceIDs,
		"reach":             s.reach(),
		"apiGroup":          s.api.GroupName,
		"apiLogs":           s.api.LogGroup,
		"databaseVolume":    s.database.VolumeID,
		"thumbnailFailures": s.thumbnailer.FailuresURL,
		"natGateways":       pulumi.Int(len(s.network.NatAddresses)),
		"natAddresses":      s.network.NatAddresses,
		"releases":          digests,
		"userDataBytes":     pulumi.IntMap{"api": s.api.UserDataBytes, "database": s.database.UserDataBytes},
	} {
		s.ctx.Export(name, value)
	}
	if s.cfg.Edge.On() {
		s.ctx.Export("url", s.edge.URL)
		s.ctx.Export("distribution", s.edge.DistributionID)
	}
	if s.domain != nil {
		s.ctx.Export("nameServers", s.domain.NameServers)
	}
	if s.deployer != nil {
		s.ctx.Export("previewRole", s.deployer.PreviewRoleARN)
		s.ctx.Export("deployRole", s.deployer.DeployRoleARN)
	}
	s.exportServices()
	if s.backup != nil {
		s.ctx.Export("backupVault", s.backup.VaultName)
	}
	if s.replica != nil {
		s.ctx.Export("replicaBucket", s.replica.Bucket)
	}
	if s.monitoring != nil {
		s.ctx.Export("alarmTopic", s.monitoring.TopicARN)
		s.ctx.Export("dashboard", s.monitoring.DashboardURL)
	}
	return nil
}

// reach are the commands that open a shell on each host.
func (s *stack) reach() pulumi.StringMapOutput {
	return pulumi.All(s.bastion.InstanceID, s.database.InstanceIDs, s.api.GroupName).ApplyT(func(ids []any) map[string]string {
		hosts := connect.Hosts{
			Region: s.env.Region, Bastion: string(ids[0].(pulumi.ID)), Databases: map[string]string{}, Group: ids[2].(string),
			First: s.memberZones()[0], NoNAT: s.cfg.Network.NatGateways == network.NatNone,
		}
		for zone, id := range ids[1].(map[string]pulumi.ID) {
			hosts.Databases[zone] = string(id)
		}
		return hosts.Commands()
	}).(pulumi.StringMapOutput)
}
