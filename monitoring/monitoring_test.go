package monitoring

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

func monitoring(t *testing.T, settings Settings) *pulumitest.Recording {
	t.Helper()
	return pulumitest.Run(t, func(ctx *pulumi.Context) error {
		_, err := New(ctx, "monitoring", &Args{
			Environment: pulumitest.Environment(), Settings: &settings,
			LoadBalancer: pulumi.String("app/lb/1"), TargetGroup: pulumi.String("targetgroup/t/1"), GroupName: pulumi.String("group"),
			DatabaseInstanceID: pulumi.String("i-0123"), ThumbnailerName: pulumi.String("thumbnailer"), FailuresName: pulumi.String("failures"),
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
	require.Len(t, alarms, 10)
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

func TestMonitoringRefuses(t *testing.T) {
	r := monitoring(t, Settings{Email: "ops", MonthlyBudget: -1})
	pulumitest.Refused(t, r, `monitoring: alarms.email: "ops" is not an e-mail address; write it like ops@example.com`,
		`monitoring: alarms.monthlyBudget: -1 is not an amount`)
}
