package stack

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// export sets the stack's outputs.
func (s *stack) export() error {
	region := s.env.Region
	digests := pulumi.StringMap{}
	for _, artifact := range s.found.artifacts {
		digests[artifact.Name] = pulumi.String(artifact.Digest)
	}
	for name, value := range map[string]pulumi.Input{
		"readme":          pulumi.String(s.dependencies.Readme),
		"region":          pulumi.String(region),
		"apiUrl":          s.edge.APIURL,
		"imagesBucket":    s.buckets.ImagesBucket,
		"artifactsBucket": s.buckets.ArtifactsBucket,
		"logsBucket":      s.buckets.LogsBucket,
		"siteBucket":      s.buckets.SiteBucket,
		"bastionId":       s.bastion.InstanceID,
		"reach": pulumi.StringMap{
			"bastion":  pulumi.Sprintf("aws ssm start-session --target %s --region %s", s.bastion.InstanceID, region),
			"database": pulumi.Sprintf("aws ec2-instance-connect ssh --connection-type direct --os-user ec2-user --instance-id %s --region %s   # on the bastion", s.database.InstanceID, region),
			"api":      pulumi.Sprintf("aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names %s --region %s --query 'AutoScalingGroups[].Instances[].InstanceId', then aws ssm start-session --target ID --region %s", s.api.GroupName, region, region),
		},
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
