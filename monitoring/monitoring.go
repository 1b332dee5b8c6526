package monitoring

import (
	"fmt"
	"net/mail"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/budgets"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudfront"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/edge"
	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
)

// Settings are the settings of alarms and budget from stack config. Nil turns alarms, dashboard and budget off.
type Settings struct {
	// Email receives a message for each alarm, once its owner has confirmed the subscription; empty to notify nobody.
	Email string `json:"email"`
	// MonthlyBudget in US dollars, 0 for none. It counts the cost of every resource in the account whose tag Stack is the
	// stack's name.
	MonthlyBudget int `json:"monthlyBudget"`
}

// On reports whether there are alarms and a dashboard.
func (s *Settings) On() bool { return s != nil }

// Check adds a problem for an address or an amount that is not valid.
func (s *Settings) Check(l *problem.List) {
	if !s.On() {
		return
	}
	if a, err := mail.ParseAddress(s.Email); s.Email != "" && (err != nil || a.Address != s.Email) {
		l.Add("alarms.email", s.Email, "is not an e-mail address", "write it like ops@example.com")
	}
	if s.MonthlyBudget < 0 {
		l.Add("alarms.monthlyBudget", s.MonthlyBudget, "is not an amount in US dollars", "use a whole number, or 0 for none")
	}
}

// Args are the settings and the resources to monitor.
type Args struct {
	environment.Environment
	*Settings

	// LoadBalancer and TargetGroup are their names in CloudWatch: the ARNs' suffixes.
	LoadBalancer, TargetGroup pulumi.StringInput
	// GroupName is the API's Auto Scaling group's.
	GroupName pulumi.StringInput
	// DatabaseInstanceIDs are the database hosts', by zone: one for each member of the replica set. DatabaseZone is the first
	// member's, whose alarms have no zone in their names.
	DatabaseInstanceIDs map[string]pulumi.IDOutput
	DatabaseZone        string
	// ThumbnailerName is the function's, FailuresName its failure queue's.
	ThumbnailerName, FailuresName pulumi.StringInput
	// NatGatewayIDs by zone.
	NatGatewayIDs map[string]pulumi.IDOutput
	// APIInstanceType and DatabaseInstanceType are the hosts' EC2 instance types.
	APIInstanceType, DatabaseInstanceType string
	// VaultName is the backups', nil without backups.
	VaultName pulumi.StringInput
	// BackupsCopied means that the backups are copied to another region.
	BackupsCopied bool
	// CertificateARN is the load balancer's, nil without a domain. EdgeCertificateARN is that of the distribution where it has
	// one of its own.
	CertificateARN, EdgeCertificateARN pulumi.StringInput
	// DistributionID is the edge's, nil without it.
	DistributionID pulumi.StringInput
	// ServiceTargets are the target groups of the services that run, by service, as CloudWatch names them.
	ServiceTargets map[string]pulumi.StringOutput
	// Global is the provider of the region in which CloudFront publishes metrics, nil where the default provider is there.
	Global pulumi.ProviderResource
}

// Monitoring is the alarms, their topic, the dashboard and the budget.
type Monitoring struct {
	pulumi.ResourceState

	TopicARN     pulumi.StringOutput
	DashboardURL pulumi.StringOutput
	// RolloutAlarms are the names on AWS of the alarms that take a rollout back.
	RolloutAlarms pulumi.StringArray
	// ServiceAlarms are the names on AWS, by service, of the alarms that take a deployment back; nil without services.
	ServiceAlarms map[string]pulumi.StringArray
}

type builder struct {
	*component.Scope
	args *Args
	out  *Monitoring
	// globalTopicARN is of the topic for what only the global region knows: an alarm notifies topics of its own region.
	globalTopicARN pulumi.StringOutput
}

// place is where an alarm or an event's rule is made, and the topic that it notifies.
func (b *builder) place(global bool) (region string, topicARN pulumi.StringOutput, opts pulumi.ResourceOption) {
	if global && b.args.Global != nil {
		return edge.GlobalRegion, b.globalTopicARN, b.Child(pulumi.Provider(b.args.Global))
	}
	return b.Env.Region, b.out.TopicARN, b.Child()
}

// New registers the alarms, their topic, the dashboard and the budget.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Monitoring, error) {
	problems := problem.In("monitoring: ")
	args.Settings.Check(problems)
	if _, found := args.DatabaseInstanceIDs[args.DatabaseZone]; !found {
		problems.Add("databaseZone", args.DatabaseZone, "has no database host", "name the zone of one in databaseInstanceIDs")
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	m := &Monitoring{}
	opts = append(opts, pulumi.Aliases([]pulumi.Alias{{Type: pulumi.String("cinema:compute:Monitoring")}}))
	err := component.New(ctx, args.Environment, "cinema:monitoring:Monitoring", name, m, func(s *component.Scope) error {
		b := &builder{Scope: s, args: args, out: m}
		for _, step := range []func() error{b.createTopics, b.subscribeMetrics, b.createAlarms, b.createEvents, b.createDashboard, b.createBudget} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	return m, err
}

// createTopics registers the topic, and another one in the global region where the stack is elsewhere.
func (b *builder) createTopics() (err error) {
	if b.args.Email == "" {
		if err := b.Ctx.Log.Warn("alarms notify nobody: set email in cinema:alarms", nil); err != nil {
			return err
		}
	}
	region, _, opts := b.place(false)
	if b.out.TopicARN, err = b.createTopic("", b.ruleARNs(region), opts); err != nil || b.args.Global == nil {
		return err
	}
	region, _, opts = b.place(true)
	b.globalTopicARN, err = b.createTopic("global-", b.ruleARNs(region), opts)
	return err
}

// createTopic registers a topic that the rules may notify, with its subscription. It resolves once they can.
func (b *builder) createTopic(prefix string, rules []string, opts pulumi.ResourceOption) (arn pulumi.StringOutput, err error) {
	name := b.Name(prefix + "alarms")
	topic, err := sns.NewTopic(b.Ctx, name, &sns.TopicArgs{Tags: b.Tags(name)}, opts)
	if err != nil {
		return arn, err
	}
	policy, err := sns.NewTopicPolicy(b.Ctx, name, &sns.TopicPolicyArgs{
		Arn:    topic.Arn,
		Policy: iam.AlarmTopicPolicy(topic.Arn, b.Env.Account, rules),
	}, opts)
	if err != nil {
		return arn, err
	}
	if b.args.Email != "" {
		if _, err := sns.NewTopicSubscription(b.Ctx, b.Name(prefix+"email"), &sns.TopicSubscriptionArgs{
			Topic:    topic.Arn,
			Protocol: pulumi.String("email"),
			Endpoint: pulumi.String(b.args.Email),
		}, opts); err != nil {
			return arn, err
		}
	}
	return component.After(topic.Arn, policy), nil
}

// subscribeMetrics turns on the distribution's metrics that CloudFront publishes for a charge: the latency of its origins.
func (b *builder) subscribeMetrics() error {
	if b.args.DistributionID == nil {
		return nil
	}
	_, err := cloudfront.NewMonitoringSubscription(b.Ctx, b.Name("edge"), &cloudfront.MonitoringSubscriptionArgs{
		DistributionId: b.args.DistributionID,
		MonitoringSubscription: cloudfront.MonitoringSubscriptionMonitoringSubscriptionArgs{
			RealtimeMetricsSubscriptionConfig: cloudfront.MonitoringSubscriptionMonitoringSubscriptionRealtimeMetricsSubscriptionConfigArgs{
				RealtimeMetricsSubscriptionStatus: pulumi.String("Enabled"),
			},
		},
	}, b.Child())
	return err
}

// createBudget registers a budget that notifies the topic when the forecast of the month's cost exceeds it, and when the
// cost itself does.
func (b *builder) createBudget() error {
	if b.args.MonthlyBudget == 0 {
		return nil
	}
	name := b.Name("budget")
	notify := func(kind string, percent float64) budgets.BudgetNotificationArgs {
		return budgets.BudgetNotificationArgs{
			NotificationType: pulumi.String(kind), ComparisonOperator: pulumi.String("GREATER_THAN"),
			Threshold: pulumi.Float64(percent), ThresholdType: pulumi.String("PERCENTAGE"),
			SubscriberSnsTopicArns: pulumi.StringArray{b.out.TopicARN},
		}
	}
	_, err := budgets.NewBudget(b.Ctx, name, &budgets.BudgetArgs{
		BudgetType:  pulumi.String("COST"),
		TimeUnit:    pulumi.String("MONTHLY"),
		LimitAmount: pulumi.String(fmt.Sprintf("%d.0", b.args.MonthlyBudget)),
		LimitUnit:   pulumi.String("USD"),
		CostFilters: budgets.BudgetCostFilterArray{budgets.BudgetCostFilterArgs{
			// The form is user:<key>$<value>. The filter matches once an operator has activated the tag for cost allocation.
			Name:   pulumi.String("TagKeyValue"),
			Values: pulumi.StringArray{pulumi.Sprintf("user:Stack$%s", b.Env.Stack)},
		}},
		Notifications: budgets.BudgetNotificationArray{notify("FORECASTED", 100), notify("ACTUAL", 100)},
		Tags:          b.Tags(name),
	}, b.Child())
	return err
}
