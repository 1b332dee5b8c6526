// Package connect opens a shell on the stack's hosts with the AWS CLI, and has the command lines for that.
package connect

import (
	"strings"

	"cinema-database/app/contract"
	"cinema-database/iam"
)

// direct returns the arguments of `aws` for a shell on a host that has Session Manager.
func direct(region, instance string) []string {
	return []string{"ssm", "start-session", "--region", region, "--target", instance}
}

// throughBastion returns the arguments of `aws` for a shell on another host. The bastion sends it a key that is valid for a
// minute, with its own role.
func throughBastion(region, bastion, instance string) []string {
	return append(direct(region, bastion), "--document-name", "AWS-StartInteractiveCommand", "--parameters",
		"command=aws ec2-instance-connect ssh --connection-type direct --os-user "+iam.LoginUser+" --instance-id "+instance+" --region "+region)
}

// line renders a command line for a shell. It has no double quotes, which JSON would escape in the stack's outputs.
func line(args []string) string {
	words := []string{"aws"}
	for _, a := range args {
		if strings.Contains(a, " ") {
			a = "'" + a + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// Hosts are where a stack's hosts are.
type Hosts struct {
	Region string
	// Bastion is an instance id, Group is the name of the API's Auto Scaling group.
	Bastion, Group string
	// Databases are the instance ids of the database hosts by zone, and First is the zone of the first member.
	Databases map[string]string
	First     string
	// NoNAT means that the API instances do not reach Session Manager.
	NoNAT bool
}

// BastionCommand is the command line for a shell on the bastion.
func (h Hosts) BastionCommand() string { return line(direct(h.Region, h.Bastion)) }

// databases are the instance ids of the database hosts by their names here: "database" is the first member's, and where there
// are several, the others have their zone too.
func (h Hosts) databases() map[string]string {
	all := map[string]string{}
	for zone, id := range h.Databases {
		if zone == h.First {
			all[database] = id
		} else {
			all[contract.DatabaseRole(zone)] = id
		}
	}
	return all
}

// Commands are the command lines for a shell on each host, by the host's name.
func (h Hosts) Commands() map[string]string {
	all := map[string]string{bastion: h.BastionCommand(), api: h.APICommand()}
	for name, id := range h.databases() {
		all[name] = line(throughBastion(h.Region, h.Bastion, id))
	}
	return all
}

// APICommand is the command line for a shell on one of the API instances that are in service when it runs.
func (h Hosts) APICommand() string {
	const instance = "INSTANCE"
	lookup := line([]string{"autoscaling", "describe-auto-scaling-groups", "--region", h.Region, "--auto-scaling-group-names", h.Group,
		"--output", "text", "--query"}) + " 'AutoScalingGroups[0].Instances[?LifecycleState==`InService`]|[0].InstanceId'"
	if h.NoNAT {
		return strings.Replace(line(throughBastion(h.Region, h.Bastion, instance)), instance, "'$("+lookup+")'", 1)
	}
	return strings.Replace(line(direct(h.Region, instance)), instance, "$("+lookup+")", 1)
}
