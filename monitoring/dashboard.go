package monitoring

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// The sizes of widgets. The dashboard has dashboardWidth columns.
const (
	dashboardWidth = 24
	widgetWidth    = 8
	widgetHeight   = 6
)

// createDashboard registers the dashboard: a graph for each alarm, three in a row, and those with a
// heading in a row of their own. It names the alarms and nothing that they
// measure, so that its body is known in every preview, and changes with the list of alarms only: a preview prints all of
// a body that changes.
func (b *builder) createDashboard() error {
	widgets := []any{}
	alarms, rows := b.alarms(), map[string]int{}
	for _, a := range alarms {
		rows[a.row]++
	}
	row := ""
	for _, a := range alarms {
		width := widgetWidth
		if a.row != "" {
			width = dashboardWidth / rows[a.row]
		}
		if a.row != row {
			row = a.row
			widgets = append(widgets, map[string]any{
				"type": "text", "width": dashboardWidth, "height": 1, "properties": map[string]any{"markdown": "## " + row},
			})
		}
		region, _, _ := b.place(a.global)
		widgets = append(widgets, map[string]any{
			"type": "metric", "width": width, "height": widgetHeight,
			"properties": map[string]any{
				"title": a.name, "region": region,
				"annotations": map[string]any{"alarms": []string{b.Env.In(region).ARN("cloudwatch", "alarm:"+b.physicalName(a))}},
			},
		})
	}
	body, err := json.Marshal(map[string]any{"widgets": widgets})
	if err != nil {
		return fmt.Errorf("dashboard: %w", err)
	}
	dashboard, err := cloudwatch.NewDashboard(b.Ctx, b.Name("dashboard"), &cloudwatch.DashboardArgs{
		// The type requires a name. This one has the form of every physical name.
		DashboardName: pulumi.String(component.PhysicalName(b.Env, "aws:cloudwatch/dashboard:Dashboard", b.Name("dashboard"))),
		DashboardBody: pulumi.String(body),
	}, b.Child())
	if err != nil {
		return err
	}
	b.out.DashboardURL = pulumi.Sprintf("https://%s.console.aws.amazon.com/cloudwatch/home?region=%s#dashboards/dashboard/%s",
		b.Env.Region, b.Env.Region, dashboard.DashboardName)
	return nil
}
