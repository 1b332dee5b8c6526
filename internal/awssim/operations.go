package awssim

var operationKinds = map[string]kind{
	"aws:cloudwatch/logGroup:LogGroup": {
		id: same("name"), arn: "logs:{region}:{account}:log-group:{name}", tagged: true, name: naming{property: "name", limit: 512},
		outputs: func(d *draft) {
			d.set("logGroupClass", "STANDARD")
			d.set("retentionInDays", num(0))
			d.set("skipDestroy", false)
		},
		replace: []string{"logGroupClass", "name", "namePrefix"}, unique: pick("name"),
	},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		id: same("name"), arn: "cloudwatch:{region}:{account}:alarm:{name}", tagged: true, name: naming{property: "name", limit: 255},
		outputs: func(d *draft) {
			d.set("actionsEnabled", true)
			d.set("treatMissingData", "missing")
		},
		replace: []string{"name"}, unique: pick("name"),
	},
	"aws:cloudwatch/dashboard:Dashboard": {
		id: same("dashboardName"), name: naming{property: "dashboardName", limit: 255},
		outputs: func(d *draft) { d.set("dashboardArn", d.expand("cloudwatch::{account}:dashboard/"+d.id)) },
		replace: []string{"dashboardName"}, unique: pick("dashboardName"),
	},
	"aws:cloudwatch/eventRule:EventRule": {
		id: same("name"), arn: "events:{region}:{account}:rule/{name}", tagged: true, name: naming{property: "name", limit: 64},
		outputs: func(d *draft) {
			d.set("eventBusName", "default")
			d.set("state", "ENABLED")
			d.set("isEnabled", true)
			d.set("forceDestroy", false)
		},
		replace: []string{"eventBusName", "name", "namePrefix"}, unique: pick("name"),
		keep: func(a *Account, r Resource) error {
			for _, t := range a.ofType("aws:cloudwatch/eventTarget:EventTarget") {
				if text(t.State, "rule") == r.ID {
					return refusal("ValidationException", "Rule can't be deleted since it has targets.")
				}
			}
			return nil
		},
	},
	"aws:cloudwatch/eventTarget:EventTarget": {
		id: joined("-", "rule", "targetId"), name: naming{property: "targetId", limit: 64},
		outputs: func(d *draft) {
			d.set("eventBusName", "default")
			d.set("forceDestroy", false)
		},
		replace: []string{"eventBusName", "rule", "targetId"}, unique: pick("rule", "targetId"),
		needs: []need{{"rule", []string{"aws:cloudwatch/eventRule:EventRule"}}, {"arn", []string{"aws:sns/topic:Topic"}}},
	},
	"aws:budgets/budget:Budget": {
		id: func(d *draft) string { return AccountID + ":" + d.text("name") }, tagged: true, name: naming{property: "name", limit: 100},
		outputs: func(d *draft) {
			d.set("accountId", AccountID)
			d.set("arn", d.expand("budgets::{account}:budget/{name}"))
			d.set("timePeriodStart", "2025-01-01_00:00")
			d.set("timePeriodEnd", "2087-06-15_00:00")
		},
		replace: []string{"accountId", "name", "namePrefix"}, unique: pick("name"),
	},
}
