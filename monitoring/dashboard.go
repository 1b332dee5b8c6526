package monitoring

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// The size of a widget. The dashboard has 24 columns.
const (
	widgetWidth  = 8
	widgetHeight = 6
)

// createDashboard registers the dashboard: a graph for each alarm, three in a row.
func (b *builder) createDashboard() error {
	var widgets pulumi.Array
	for i, a := range b.alarms() {
		var metrics pulumi.Array
		if a.rate != "" {
			metrics = append(metrics, pulumi.Array{pulumi.Map{"expression": pulumi.String(a.rate), "label": pulumi.String("%")}})
			for _, id := range slices.Sorted(maps.Keys(a.queries)) {
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
				"title": pulumi.String(a.name), "region": pulumi.String(b.Env.Region), "period": pulumi.Int(60),
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
	dashboard, err := cloudwatch.NewDashboard(b.Ctx, b.Name("dashboard"), &cloudwatch.DashboardArgs{
		// The type requires a name. This one has the form of every physical name.
		DashboardName: pulumi.String(component.PhysicalName(b.Env, "aws:cloudwatch/dashboard:Dashboard", b.Name("dashboard"))),
		DashboardBody: body,
	}, b.Child())
	if err != nil {
		return err
	}
	b.out.DashboardURL = pulumi.Sprintf("https://%s.console.aws.amazon.com/cloudwatch/home?region=%s#dashboards/dashboard/%s",
		b.Env.Region, b.Env.Region, dashboard.DashboardName)
	return nil
}

// metricLine returns a metric in a dashboard's notation: namespace, name, dimension, value, …, options.
func metricLine(namespace, metric string, dimensions pulumi.StringMap, options pulumi.Map) pulumi.Array {
	line := pulumi.Array{pulumi.String(namespace), pulumi.String(metric)}
	for _, d := range slices.Sorted(maps.Keys(dimensions)) {
		line = append(line, pulumi.String(d), dimensions[d])
	}
	return append(line, options)
}
