package compute

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// WarnOfDowntime warns if another instance type is about to stop the database hosts that run: a preview shows it as an
// update only.
func (s DatabaseSettings) WarnOfDowntime(ctx *pulumi.Context, live []LiveMember) error {
	i := slices.IndexFunc(live, func(m LiveMember) bool { return m.InstanceType != s.InstanceType })
	if i < 0 {
		return nil
	}
	effect := "which stops the database host for minutes: the API answers 503 meanwhile"
	if len(live) > 1 {
		effect = "which stops the database hosts one after another: writes wait for an election when the primary hands over"
	}
	return ctx.Log.Warn(fmt.Sprintf("%s:database.instanceType: %s becomes %s, %s", ctx.Project(), live[i].InstanceType, s.InstanceType, effect), nil)
}
