package awssim

var operationKinds = map[string]kind{
	"aws:cloudwatch/logGroup:LogGroup": {
		id: same("name"), arn: "logs:{region}:{account}:log-group:{name}", tagged: true, name: autoName{property: "name", max: 512},
		outputs: func(d *draft) {
			d.set("logGroupClass", "STANDARD")
			d.set("retentionInDays", num(0))
			d.set("skipDestroy", false)
		},
		replace: []string{"logGroupClass", "name", "namePrefix"}, unique: pick("name"),
	},
	"aws:cloudwatch/logMetricFilter:LogMetricFilter": {
		id: same("name"), name: autoName{property: "name", max: 512}, replace: []string{"logGroupName", "name"},
		unique: pick("logGroupName", "name"),
	},
	"aws:cloudwatch/logResourcePolicy:LogResourcePolicy": {
		id: same("policyName"), replace: []string{"policyName"}, unique: pick("policyName"),
	},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {
		id: same("name"), arn: "cloudwatch:{region}:{account}:alarm:{name}", tagged: true, name: autoName{property: "name", max: 255},
		outputs: func(d *draft) {
			d.set("actionsEnabled", true)
			d.set("treatMissingData", "missing")
		},
		replace: []string{"name"}, unique: pick("name"),
	},
	"aws:cloudwatch/dashboard:Dashboard": {
		id:      same("dashboardName"),
		outputs: func(d *draft) { d.set("dashboardArn", d.expand("cloudwatch::{account}:dashboard/"+d.id)) },
		replace: []string{"dashboardName"}, unique: pick("dashboardName"),
	},
	"aws:budgets/budget:Budget": {
		id: func(d *draft) string { return AccountID + ":" + d.text("name") }, tagged: true, name: autoName{property: "name", max: 100},
		outputs: func(d *draft) {
			d.set("accountId", AccountID)
			d.set("arn", d.expand("budgets::{account}:budget/{name}"))
			d.set("timePeriodStart", "2025-01-01_00:00")
			d.set("timePeriodEnd", "2087-06-15_00:00")
		},
		replace: []string{"accountId", "name", "namePrefix"}, unique: pick("name"),
	},
	"aws:ssm/parameter:Parameter": {
		id: same("name"), tagged: true, name: autoName{property: "name", max: 2048},
		outputs: func(d *draft) {
			name := d.text("name")
			if name != "" && name[0] == '/' {
				name = name[1:]
			}
			d.set("arn", d.expand("ssm:{region}:{account}:parameter/"+name))
			d.set("dataType", "text")
			d.set("tier", "Standard")
			d.set("version", num(1))
		},
		replace: []string{"dataType", "name"}, moving: []string{"version"}, unique: pick("name"),
	},
	"aws:ssm/document:Document": {
		id: same("name"), tagged: true, name: autoName{property: "name", max: 128},
		outputs: func(d *draft) {
			d.set("arn", d.expand("ssm:{region}:{account}:document/{name}"))
			d.set("createdDate", stamp)
			d.set("defaultVersion", "1")
			d.set("documentVersion", "1")
			d.set("latestVersion", "1")
			d.set("documentFormat", "JSON")
			d.set("hash", d.hash("content", 64))
			d.set("hashType", "Sha256")
			d.set("owner", AccountID)
			d.set("schemaVersion", "1.0")
			d.set("status", "Active")
			d.set("description", "")
			d.set("platformTypes", strs("Linux"))
		},
		replace: []string{"name"},
		moving:  []string{"defaultVersion", "documentVersion", "hash", "latestVersion"}, unique: pick("name"),
	},
	"aws:guardduty/detector:Detector": {
		id: func(d *draft) string { return d.hash("id", 32) }, arn: "guardduty:{region}:{account}:detector/{id}", tagged: true,
	},
}
