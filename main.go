// Command cinema-database is the Pulumi program of Cinema.Database, and the tools around it.
//
//	pulumi up              the stack, on a real account
//	go run . sandbox up    the same program on a simulated AWS, without an account
//	go run . review        one page for reviewers: topology, traffic, permissions, cost, changes
//	go run . release       follow a release onto the instances, or see how to go back
//	go run . destroy       delete a stack, or see what protects it
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app"
	"cinema-database/app/contract"
	"cinema-database/compute"
	"cinema-database/iam"
	"cinema-database/internal/config"
	"cinema-database/internal/place"
	"cinema-database/internal/release"
	"cinema-database/internal/review"
	"cinema-database/internal/sandbox"
	"cinema-database/internal/teardown"
	"cinema-database/network"
	"cinema-database/storage"
)

func main() {
	if len(os.Args) == 1 {
		pulumi.Run(stack)
		return
	}
	switch command, args := os.Args[1], os.Args[2:]; command {
	case "sandbox":
		os.Exit(sandbox.Main(context.Background(), args, stack, os.Stdout, os.Stderr))
	case "review":
		os.Exit(review.Main(context.Background(), args, stack, &findRelease, os.Stdout, os.Stderr))
	case "destroy":
		os.Exit(teardown.Main(context.Background(), args, os.Stdin, os.Stdout, os.Stderr))
	case "release":
		os.Exit(release.Main(context.Background(), args, os.Stdout, os.Stderr))
	default:
		fmt.Fprintf(os.Stderr, "cinema-database: unknown command %q; run `pulumi up`, or `go run . sandbox|review|release|destroy`\n", command)
		os.Exit(2)
	}
}

// findRelease gives the application's binaries; tests have their own.
var findRelease = app.Find

// stack is the whole of Cinema.Database: the buckets, the network around them, who may do what, and what
// runs.
func stack(ctx *pulumi.Context) error {
	cfg, err := config.Load(ctx)
	if err != nil {
		return err
	}
	releases, err := releases(cfg.Architecture)
	if err != nil {
		return err
	}
	here, err := place.Locate(ctx)
	if err != nil {
		return err
	}
	zones, err := network.LookupZones(ctx, cfg.Network.AvailabilityZones, cfg.Bastion.InstanceType, cfg.Database.InstanceType, cfg.API.InstanceType)
	if err != nil {
		return err
	}
	ami, err := compute.LookupAMI(ctx, cfg.Architecture)
	if err != nil {
		return err
	}
	zone, err := cfg.Domain.LookupZone(ctx)
	if err != nil {
		return err
	}

	if err := allowDeployments(ctx, cfg, here); err != nil {
		return err
	}
	buckets, err := storage.New(ctx, "storage", &storage.Args{
		Account:          here.Account,
		Protect:          cfg.Protect,
		LogRetentionDays: cfg.LogRetentionDays,
		Releases:         releases,
		Tags:             cfg.Tags,
	})
	if err != nil {
		return err
	}
	net, err := network.New(ctx, "network", &network.Args{
		Settings:           cfg.Network,
		Place:              here,
		Zones:              zones,
		HTTPS:              cfg.Domain.On(),
		ArtifactsBucketARN: buckets.ArtifactsARN,
		ImagesBucketARN:    buckets.ImagesARN,
		Tags:               cfg.Tags,
	})
	if err != nil {
		return err
	}
	roles, err := iam.New(ctx, "iam", &iam.Args{
		Place:          here,
		ArtifactsARN:   buckets.ArtifactsARN,
		ImagesARN:      buckets.ImagesARN,
		CredentialsKey: contract.CredentialsKey,
		Protect:        cfg.Protect,
		Tags:           cfg.Tags,
	})
	if err != nil {
		return err
	}
	credentialsURI := pulumi.Sprintf("s3://%s/%s", buckets.ArtifactsBucket, contract.CredentialsKey)
	siteURL := pulumi.Sprintf("http://%s", buckets.SiteEndpoint)

	bastion, err := compute.NewBastion(ctx, "bastion", &compute.BastionArgs{
		BastionSettings: cfg.Bastion,
		AMI:             ami,
		SubnetID:        net.PublicSubnetIDs[0],
		SecurityGroupID: net.SecurityGroupIDs[network.Bastion],
		InstanceProfile: roles.BastionProfile,
		Tags:            cfg.Tags,
	})
	if err != nil {
		return err
	}
	mongodb, err := compute.NewMirror(ctx, "mirror", &compute.MirrorArgs{
		FunctionSettings: cfg.Functions,
		Release:          buckets.Releases["mirror"],
		ArtifactsBucket:  buckets.ArtifactsBucket,
		ArtifactsARN:     buckets.ArtifactsARN,
		Version:          cfg.Database.Version,
		SHA256:           cfg.Database.SHA256,
		Tags:             cfg.Tags,
	})
	if err != nil {
		return err
	}
	database, err := compute.NewDatabase(ctx, "database", &compute.DatabaseArgs{
		DatabaseSettings:  cfg.Database,
		AMI:               ami,
		Region:            here.Region,
		Zone:              net.Zones[0],
		Protect:           cfg.Protect,
		Release:           buckets.Releases["cinema-db"],
		VPCID:             net.VPCID,
		SubnetID:          net.DatabaseSubnetIDs[0],
		SecurityGroupID:   net.SecurityGroupIDs[network.MongoDB],
		InstanceProfile:   roles.DatabaseProfile,
		ArtifactsBucket:   buckets.ArtifactsBucket,
		CredentialsURI:    credentialsURI,
		CredentialsKeyARN: roles.CredentialsKeyARN,
		PackageKey:        mongodb.PackageKey,
		PackageDigest:     mongodb.PackageDigest,
		Tags:              cfg.Tags,
	})
	if err != nil {
		return err
	}
	api, err := compute.NewAPI(ctx, "api", &compute.APIArgs{
		APISettings:                 cfg.API,
		AMI:                         ami,
		Region:                      here.Region,
		Port:                        network.APIPort,
		Release:                     buckets.Releases["cinema"],
		Protect:                     cfg.Protect,
		Domain:                      cfg.Domain,
		ZoneID:                      zone,
		VPCID:                       net.VPCID,
		PublicSubnetIDs:             net.PublicSubnetIDs,
		PrivateSubnetIDs:            net.PrivateSubnetIDs,
		LoadBalancerSecurityGroupID: net.SecurityGroupIDs[network.LoadBalancer],
		SecurityGroupID:             net.SecurityGroupIDs[network.API],
		InstanceProfile:             roles.APIProfile,
		Role:                        roles.APIRole,
		ArtifactsBucket:             buckets.ArtifactsBucket,
		ImagesBucket:                buckets.ImagesBucket,
		CredentialsURI:              credentialsURI,
		AllowedOrigin:               siteURL,
		LogsBucket:                  buckets.LogsBucket,
		LogsPrefix:                  storage.LoadBalancerLogs,
		LogRetentionDays:            cfg.LogRetentionDays,
		Tags:                        cfg.Tags,
	})
	if err != nil {
		return err
	}
	thumbnailer, err := compute.NewThumbnailer(ctx, "thumbnailer", &compute.ThumbnailerArgs{
		FunctionSettings: cfg.Functions,
		Release:          buckets.Releases["thumbnailer"],
		ArtifactsBucket:  buckets.ArtifactsBucket,
		ImagesBucket:     buckets.ImagesBucket,
		ImagesARN:        buckets.ImagesARN,
		AccountID:        here.Account,
		Tags:             cfg.Tags,
	})
	if err != nil {
		return err
	}
	if err := watch(ctx, cfg, here, buckets, net, api, database, thumbnailer); err != nil {
		return err
	}
	if _, err := storage.NewSite(ctx, "site", &storage.SiteArgs{
		Bucket: buckets.SiteBucket,
		APIURL: api.URL,
		Tags:   cfg.Tags,
	}); err != nil {
		return err
	}

	ctx.Export("region", pulumi.String(here.Region))
	ctx.Export("apiUrl", api.URL)
	ctx.Export("nameServers", api.NameServers)
	ctx.Export("siteUrl", siteURL)
	ctx.Export("imagesBucket", buckets.ImagesBucket)
	ctx.Export("artifactsBucket", buckets.ArtifactsBucket)
	ctx.Export("logsBucket", buckets.LogsBucket)
	ctx.Export("siteBucket", buckets.SiteBucket)
	ctx.Export("bastionId", bastion.InstanceID)
	ctx.Export("reach", pulumi.StringMap{
		"bastion":  pulumi.Sprintf("aws ssm start-session --target %s --region %s", bastion.InstanceID, here.Region),
		"database": pulumi.Sprintf("aws ec2-instance-connect ssh --connection-type direct --os-user ec2-user --instance-id %s --region %s   # on the bastion", database.InstanceID, here.Region),
		"api":      pulumi.Sprintf("aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names %s --region %s --query 'AutoScalingGroups[].Instances[].InstanceId', then aws ssm start-session --target ID --region %s", api.GroupName, here.Region, here.Region),
	})
	ctx.Export("apiGroup", api.GroupName)
	ctx.Export("apiLogs", api.LogGroup)
	ctx.Export("databaseVolume", database.VolumeID)
	ctx.Export("thumbnailFailures", thumbnailer.FailuresURL)
	ctx.Export("natGateways", pulumi.Int(len(net.NatAddresses)))
	ctx.Export("natAddresses", net.NatAddresses)
	ctx.Export("releases", digests(releases))
	ctx.Export("userDataBytes", pulumi.IntMap{"api": api.UserDataBytes, "database": database.UserDataBytes})
	return nil
}

// allowDeployments adds who may deploy from GitHub, where config asks for it, before anything that has a
// role: none may do more than the deployer's boundary.
func allowDeployments(ctx *pulumi.Context, cfg *config.Config, here place.Place) error {
	if cfg.Deployer == nil {
		return nil
	}
	deployer, err := iam.NewDeployer(ctx, "deployer", &iam.DeployerArgs{DeployerSettings: cfg.Deployer, Place: here, Tags: cfg.Tags})
	if err != nil {
		return err
	}
	ctx.Export("previewRole", deployer.PreviewRoleARN)
	ctx.Export("deployRole", deployer.DeployRoleARN)
	return deployer.Bound(ctx)
}

// watch adds what a stack is run by for years: backups, copies and
// alarms, where config asks for them.
func watch(ctx *pulumi.Context, cfg *config.Config, here place.Place, buckets *storage.Storage, net *network.Network, api *compute.API,
	database *compute.Database, thumbnailer *compute.Thumbnailer,
) error {
	if cfg.Backups.RetentionDays > 0 {
		backup, err := compute.NewBackup(ctx, "backup", &compute.BackupArgs{
			BackupSettings: cfg.Backups,
			Place:          here,
			VolumeARN:      database.VolumeARN,
			Protect:        cfg.Protect,
			Tags:           cfg.Tags,
		})
		if err != nil {
			return err
		}
		ctx.Export("backupVault", backup.VaultName)
	}
	if cfg.ReplicaRegion != "" {
		replica, err := storage.NewReplica(ctx, "replica", &storage.ReplicaArgs{
			Region:       cfg.ReplicaRegion,
			Provider:     cfg.Provider,
			ImagesBucket: buckets.ImagesBucket,
			ImagesARN:    buckets.ImagesARN,
			Protect:      cfg.Protect,
			Tags:         cfg.Tags,
		})
		if err != nil {
			return err
		}
		ctx.Export("replicaBucket", replica.Bucket)
	}
	if cfg.Monitoring != nil {
		monitoring, err := compute.NewMonitoring(ctx, "monitoring", &compute.MonitoringArgs{
			MonitoringSettings: *cfg.Monitoring,
			Region:             here.Region,
			AccountID:          here.Account,
			Partition:          here.Partition,
			LoadBalancer:       api.LoadBalancer,
			TargetGroup:        api.TargetGroup,
			GroupName:          api.GroupName,
			DatabaseInstanceID: database.InstanceID,
			ThumbnailerName:    thumbnailer.FunctionName,
			FailuresName:       thumbnailer.FailuresName,
			NatGatewayIDs:      net.NatGatewayIDs,
			Tags:               cfg.Tags,
		})
		if err != nil {
			return err
		}
		ctx.Export("alarmTopic", monitoring.TopicARN)
		ctx.Export("dashboard", monitoring.DashboardURL)
	}
	return nil
}

// releases are the four binaries, each in the form in which it runs.
func releases(arch compute.Architecture) ([]storage.Release, error) {
	var all []storage.Release
	var problems []error
	for _, r := range []struct {
		name string
		form storage.Form
	}{
		{"cinema", storage.Binary}, {"cinema-db", storage.Binary},
		{"mirror", storage.LambdaZip}, {"thumbnailer", storage.LambdaZip},
	} {
		release, err := findRelease(r.name, string(arch))
		if err != nil {
			problems = append(problems, err)
			continue
		}
		all = append(all, storage.Release{Binary: release, Form: r.form})
	}
	return all, errors.Join(problems...)
}

func digests(releases []storage.Release) pulumi.StringMap {
	m := pulumi.StringMap{}
	for _, r := range releases {
		m[r.Name] = pulumi.String(r.Digest)
	}
	return m
}
