package compute

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Dashboard grid, in CloudWatch's units: 24 columns.
const (
	widgetWidth  = 8
	widgetHeight = 6
)

// createDashboard shows what the alarms watch, a graph each, three in a row.
func (b *monitoringBuilder) createDashboard() error {
	var widgets pulumi.Array
	for i, a := range b.alarms() {
		var metrics pulumi.Array
		if a.rate != "" {
			metrics = append(metrics, pulumi.Array{pulumi.Map{"expression": pulumi.String(a.rate), "label": pulumi.String("%")}})
			for _, id := range sortedKeys(a.queries) {
				q := a.queries[id]
				metrics = append(metrics, metricLine(q.namespace, q.metric, q.dimensions,
					pulumi.Map{"id": pulumi.String(id), "stat": pulumi.String(q.statistic), "visible": pulumi.Bool(false)}))
			}
		} else {
			metrics = append(metrics, metricLine(a.namespace, a.metric, a.dimensions, pulumi.Map{"stat": pulumi.String(a.statistic)}))
		}
		widgets = append(widgets, pulumi.Map{
			"type": pulumi.String("metric"),
			"x":    pulumi.Int(i % 3 * widgetWidth), "y": pulumi.Int(i / 3 * widgetHeight),
			"width": pulumi.Int(widgetWidth), "height": pulumi.Int(widgetHeight),
			"properties": pulumi.Map{
				"title": pulumi.String(a.name), "region": pulumi.String(b.args.Region), "period": pulumi.Int(60),
				"metrics": metrics,
				"annotations": pulumi.Map{"horizontal": pulumi.Array{
					pulumi.Map{"label": pulumi.String("alarm"), "value": pulumi.Float64(a.threshold)},
				}},
			},
		})
	}
	body := widgets.ToArrayOutput().ApplyT(func(w []any) (string, error) {
		data, err := json.Marshal(map[string]any{"widgets": w})
		return string(data), err
	}).(pulumi.StringOutput)
	// Dashboards take no auto-naming: the name is the address people keep.
	name := fmt.Sprintf("%s-%s", b.ctx.Project(), b.ctx.Stack())
	dashboard, err := cloudwatch.NewDashboard(b.ctx, b.Name("dashboard"), &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String(name),
		DashboardBody: body,
	}, b.Child())
	if err != nil {
		return err
	}
	b.out.DashboardURL = pulumi.Sprintf("https://%s.console.aws.amazon.com/cloudwatch/home?region=%s#dashboards/dashboard/%s",
		b.args.Region, b.args.Region, dashboard.DashboardName)
	return nil
}

// metricLine is a metric in a dashboard's notation: namespace, name, dimension, value, …, options.
func metricLine(namespace, metric string, dimensions pulumi.StringMap, options pulumi.Map) pulumi.Array {
	line := pulumi.Array{pulumi.String(namespace), pulumi.String(metric)}
	for _, d := range sortedKeys(dimensions) {
		line = append(line, pulumi.String(d), dimensions[d])
	}
	return append(line, options)
}
