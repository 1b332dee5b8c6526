package monitoring

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

const edgeCertificate = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-45b9-4259-b049-d0a53682fa4b"

const certificate = "arn:aws:acm:us-east-1:123456789012:certificate/61f50cd4-45b9-4259-b049-d0a53682fa4b"

// monitoring has the zones of three database hosts, unless others are named.
func monitoring(t *testing.T, settings Settings, zones ...string) *pulumitest.Recording {
	t.Helper()
	if len(zones) == 0 {
		zones = []string{"us-east-1b", "us-east-1a", "us-east-1c"}
	}
	hosts := map[string]pulumi.IDOutput{}
	for _, zone := range zones {
		hosts[zone] = pulumi.ID("i-" + zone).ToIDOutput()
	}
	return pulumitest.Run(t, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "monitoring", &Args{
			Environment: pulumitest.Environment(), Settings: &settings,
			LoadBalancer: pulumi.String("app/lb/1"), TargetGroup: pulumi.String("targetgroup/t/1"), GroupName: pulumi.String("group"),
			DatabaseInstanceIDs: hosts, DatabaseZone: "us-east-1b", ThumbnailerName: pulumi.String("thumbnailer"), FailuresName: pulumi.String("failures"),
			NatGatewayIDs:   map[string]pulumi.IDOutput{"us-east-1a": pulumi.ID("nat-1").ToIDOutput(), "us-east-1b": pulumi.ID("nat-2").ToIDOutput()},
			APIInstanceType: "t4g.small", DatabaseInstanceType: "t4g.large",
			VaultName: pulumi.String("vault"), BackupsCopied: true, CertificateARN: pulumi.String(certificate),
			EdgeCertificateARN: pulumi.String(edgeCertificate), DistributionID: pulumi.String("E0123"),
			ServiceTargets: map[string]pulumi.StringOutput{"demo": pulumi.String("targetgroup/demo/1").ToStringOutput()},
		})
		return err
	})
}

func TestBudgetNotifiesBeforeAndAfterItIsSpent(t *testing.T) {
	r := monitoring(t, Settings{Email: "ops@example.com", MonthlyBudget: 300})
	require.NoError(t, r.Err)
	budgets := r.ByType("aws:budgets/budget:Budget")
	require.Len(t, budgets, 1)
	assert.Equal(t, "300.0", budgets[0].Text("limitAmount"))
	topic := r.ByType("aws:sns/topic:Topic")[0].State["arn"].StringValue()
	for i, kind := range []string{"FORECASTED", "ACTUAL"} {
		n := budgets[0].Input("notifications").ArrayValue()[i].ObjectValue()
		assert.Equal(t, kind, n["notificationType"].StringValue())
		assert.Equal(t, topic, n["subscriberSnsTopicArns"].ArrayValue()[0].StringValue())
	}
	assert.Empty(t, monitoring(t, Settings{}).ByType("aws:budgets/budget:Budget"))
}

// Every alarm notifies the topic when it starts and when it ends, and its description has advice after the colon.
func TestAlarmsNotifyTheTopic(t *testing.T) {
	r := monitoring(t, Settings{Email: "ops@example.com"})
	require.NoError(t, r.Err)
	topic := r.ByType("aws:sns/topic:Topic")[0].State["arn"].StringValue()
	alarms := r.ByType("aws:cloudwatch/metricAlarm:MetricAlarm")
	require.Len(t, alarms, 31)
	for _, a := range alarms {
		assert.Equal(t, topic, a.Text("alarmActions[0]"), a.Name)
		assert.Equal(t, topic, a.Text("okActions[0]"), a.Name)
		assert.Contains(t, a.Text("alarmDescription"), ":", a.Name)
	}
	recover := r.ByName("monitoring-database-system")
	require.NotNil(t, recover)
	assert.Equal(t, "arn:aws:automate:us-east-1:ec2:recover", recover.Text("alarmActions[1]"))
	assert.Equal(t, "ops@example.com", r.ByName("monitoring-email").Text("endpoint"))
}

// The dashboard and the topic's policy name what does not exist yet when they are made.
func TestNamesOfWhatComesLater(t *testing.T) {
	r := monitoring(t, Settings{})
	require.NoError(t, r.Err)
	var alarms, rules []string
	for _, a := range r.ByType("aws:cloudwatch/metricAlarm:MetricAlarm") {
		alarms = append(alarms, a.State["arn"].StringValue())
	}
	for _, rule := range r.ByType(eventRuleType) {
		rules = append(rules, rule.State["arn"].StringValue())
	}
	body := r.ByName("monitoring-dashboard").Text("dashboardBody")
	assert.ElementsMatch(t, alarms, regexp.MustCompile(`arn:[^"]+`).FindAllString(body, -1))
	var policy struct {
		Statement []struct {
			Principal map[string]any
			Condition map[string]map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.ByType("aws:sns/topicPolicy:TopicPolicy")[0].Text("policy")), &policy))
	events := policy.Statement[1]
	assert.Equal(t, "events.amazonaws.com", events.Principal["Service"])
	assert.ElementsMatch(t, rules, events.Condition["ArnEquals"]["aws:SourceArn"])

	rollout := r.ByName("monitoring").Outputs["rolloutAlarms"].ArrayValue()
	require.Len(t, rollout, 2)
	for i, name := range []string{"monitoring-api-5xx", "monitoring-api-unhealthy"} {
		assert.Equal(t, r.ByName(name).Text("name"), rollout[i].StringValue())
	}
}

// TestMoreMembersReplaceNoAlarm: the alarms of one member keep their names, the others have their zone's.
func TestMoreMembersReplaceNoAlarm(t *testing.T) {
	names := func(zones ...string) map[string]string {
		r := monitoring(t, Settings{}, zones...)
		require.NoError(t, r.Err)
		instances := map[string]string{}
		for _, a := range r.ByType("aws:cloudwatch/metricAlarm:MetricAlarm") {
			instances[a.Text("name")] = a.Text("dimensions.InstanceId")
		}
		return instances
	}
	one, three := names("us-east-1b"), names("us-east-1a", "us-east-1b", "us-east-1c")
	require.Len(t, one, 19)
	for name, instance := range one {
		assert.Contains(t, three, name)
		assert.Equal(t, instance, three[name], name)
		delete(three, name)
	}
	count := map[string]int{}
	for _, instance := range three {
		count[instance]++
	}
	assert.Equal(t, map[string]int{"": 4, "i-us-east-1a": 4, "i-us-east-1c": 4}, count)
}

// TestTheReplicaSetHasARow: a heading, then one row of graphs.
func TestTheReplicaSetHasARow(t *testing.T) {
	type widget struct {
		Type          string
		Width, Height int
		Properties    struct{ Title, Markdown string }
	}
	widgets := func(zones ...string) []widget {
		r := monitoring(t, Settings{}, zones...)
		require.NoError(t, r.Err)
		var body struct{ Widgets []widget }
		require.NoError(t, json.Unmarshal([]byte(r.ByName("monitoring-dashboard").Text("dashboardBody")), &body))
		return body.Widgets
	}
	all := widgets()
	row := all[len(all)-5:]
	assert.Equal(t, widget{Type: "text", Width: 24, Height: 1, Properties: row[0].Properties}, row[0])
	assert.Equal(t, "## Replica set", row[0].Properties.Markdown)
	width := 0
	var titles []string
	for _, w := range row[1:] {
		width += w.Width
		titles = append(titles, w.Properties.Title)
	}
	assert.Equal(t, 24, width)
	assert.Equal(t, []string{"database-primary", "database-members", "database-lag", "database-oplog"}, titles)
	for _, w := range widgets("us-east-1b") {
		assert.Equal(t, "metric", w.Type)
	}
}

func TestMonitoringRefuses(t *testing.T) {
	r := monitoring(t, Settings{Email: "ops", MonthlyBudget: -1})
	pulumitest.Refused(t, r, `monitoring: alarms.email: "ops" is not an e-mail address; write it like ops@example.com`,
		`monitoring: alarms.monthlyBudget: -1 is not an amount`)
	pulumitest.Refused(t, monitoring(t, Settings{}, "us-east-1a"), `monitoring: databaseZone: "us-east-1b" has no database host`)
}
