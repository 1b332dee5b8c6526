package stack

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/containers"
	"cinema-database/edge"
	"cinema-database/internal/component"
	"cinema-database/network"
)

// createContainers makes the cluster of the further services, and everything of theirs that exists before they start.
func (s *stack) createContainers() (err error) {
	if !s.cfg.Services.On() {
		return nil
	}
	args := &containers.Args{
		Environment:       s.env,
		Settings:          s.cfg.Containers,
		Services:          s.cfg.Services,
		SecretARNs:        s.found.services.SecretARNs,
		VPCID:             s.network.VPCID,
		PrivateSubnetIDs:  s.network.PrivateSubnetIDs,
		ListenerARN:       s.api.ServiceListenerARN,
		Internal:          s.api.Internal,
		ArtifactsARN:      s.buckets.ArtifactsARN,
		ImagesARN:         s.buckets.ImagesARN,
		ImagesBucket:      s.buckets.ImagesBucket,
		CredentialsURI:    s.credentialsURI(),
		CredentialsKeyARN: s.roles.CredentialsKeyARN,
		LogRetentionDays:  s.cfg.LogRetentionDays,
	}
	if s.containerHosts() {
		args.HostsSecurityGroupID = s.network.SecurityGroupIDs[network.ContainerHosts]
	}
	s.containers, err = containers.New(s.ctx, "containers", args)
	return err
}

// containerHosts reports whether the tasks run on instances.
func (s *stack) containerHosts() bool {
	return s.cfg.Services.On() && s.cfg.Containers.Capacity == containers.EC2
}

// startServices starts the services that have an image, and waits until each runs it. It comes after the alarms, which take
// a bad deployment back.
func (s *stack) startServices() (err error) {
	if !s.cfg.Services.On() {
		return nil
	}
	args := &containers.StartArgs{
		Environment:      s.env,
		Rollouts:         s.rollouts,
		Settings:         s.cfg.Containers,
		Services:         s.startedServices(),
		Containers:       s.containers,
		SubnetIDs:        s.network.EgressSubnetIDs(),
		SecurityGroupIDs: map[string]pulumi.StringInput{},
		Alarms:           map[string]pulumi.StringArray{},
	}
	for _, name := range s.cfg.Services.Names() {
		args.SecurityGroupIDs[name] = s.network.SecurityGroupIDs[network.Service(name)].ToStringOutput()
		if s.monitoring != nil {
			args.Alarms[name] = s.monitoring.ServiceAlarms[name]
		}
	}
	s.services, err = containers.Start(s.ctx, "services", args)
	return err
}

// startedServices are those that have an image.
func (s *stack) startedServices() containers.Services {
	started := maps.Clone(s.cfg.Services)
	maps.DeleteFunc(started, func(name string, _ containers.Service) bool { return slices.Contains(s.found.services.Pending, name) })
	return started
}

// serviceTraffic is what each service connects to.
func (s *stack) serviceTraffic() (traffic []network.ServiceTraffic) {
	for _, name := range s.cfg.Services.Names() {
		service := s.cfg.Services[name]
		traffic = append(traffic, network.ServiceTraffic{
			Name: name, Port: service.Port, Database: service.Permissions.Database, Public: !service.OwnRepository(),
		})
	}
	return traffic
}

// serviceRoutes are the ways from the front door to each service.
func (s *stack) serviceRoutes() (routes []edge.ServiceRoute) {
	for _, name := range s.cfg.Services.Names() {
		routes = append(routes, edge.ServiceRoute{Name: name, Host: s.cfg.Services[name].Host, Path: s.cfg.Services[name].Path})
	}
	return routes
}

// exportServices sets the outputs by which the commands find the services.
func (s *stack) exportServices() {
	if !s.cfg.Services.On() {
		return
	}
	repositories, services := pulumi.StringMap{}, pulumi.StringMapMap{}
	for _, name := range s.cfg.Services.Names() {
		service := s.cfg.Services[name]
		repositories[name] = pulumi.String(containers.RepositoryURL(s.env, name))
		services[name] = pulumi.StringMap{
			"service":    pulumi.String(component.PhysicalName(s.env, "aws:ecs/service:Service", "services-"+name)),
			"image":      pulumi.String(service.Reference(s.env, name)),
			"url":        s.edge.ServiceURLs[name],
			"repository": repositories[name],
		}
	}
	s.ctx.Export("cluster", s.containers.ClusterName)
	s.ctx.Export("repositories", repositories)
	s.ctx.Export("services", services)
	if s.deployer != nil {
		s.ctx.Export("pushRole", s.deployer.PushRoleARN)
	}
}
