package compute

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// WarnOfDowntime warns if another instance type is about to stop the database host: a preview shows it as an update only.
// It compares with the host that runs. Where the caller may not look it up, there is no warning.
func (s DatabaseSettings) WarnOfDowntime(ctx *pulumi.Context) error {
	hosts, err := ec2.GetInstances(ctx, &ec2.GetInstancesArgs{
		InstanceTags: map[string]string{
			"Project": ctx.Project(), "Stack": ctx.Stack(), "Name": fmt.Sprintf("%s-%s-database-host", ctx.Project(), ctx.Stack()),
		},
		InstanceStateNames: []string{"pending", "running"},
	})
	if err != nil || len(hosts.Ids) == 0 {
		return ignored(ctx, err)
	}
	host, err := ec2.LookupInstance(ctx, &ec2.LookupInstanceArgs{InstanceId: &hosts.Ids[0]})
	if err != nil || host.InstanceType == s.InstanceType {
		return ignored(ctx, err)
	}
	return ctx.Log.Warn(fmt.Sprintf("%s:database.instanceType: %s becomes %s, which stops the database host for minutes: the API answers 503 meanwhile",
		ctx.Project(), host.InstanceType, s.InstanceType), nil)
}

// ignored reports at the debug level that a look-up failed.
func ignored(ctx *pulumi.Context, err error) error {
	if err == nil {
		return nil
	}
	return ctx.Log.Debug(fmt.Sprintf("the database host's instance type was not compared: %v", err), nil)
}
