package compute

import (
	"fmt"
	"net/mail"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/budgets"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/problem"
)

// MonitoringSettings is who hears of trouble, as stack config gives it. Nil: no alarms, no dashboard.
type MonitoringSettings struct {
	// Email gets a message for each alarm, once it has confirmed the subscription. Empty: nobody.
	Email string `json:"email"`
	// MonthlyBudget in US dollars for what the stack's Project and Stack tags cost; zero for none.
	MonthlyBudget int `json:"monthlyBudget"`
}

// Check adds what is wrong with s to l.
func (s *MonitoringSettings) Check(l *problem.List) {
	if s == nil {
		return
	}
	if a, err := mail.ParseAddress(s.Email); s.Email != "" && (err != nil || a.Address != s.Email) {
		l.Add("alarms.email", s.Email, "is not an e-mail address", "write it like ops@example.com")
	}
	if s.MonthlyBudget < 0 {
		l.Add("alarms.monthlyBudget", s.MonthlyBudget, "is not an amount in US dollars", "use a whole number, or 0 for none")
	}
}

// MonitoringArgs are what NewMonitoring watches.
type MonitoringArgs struct {
	MonitoringSettings
	Region, AccountID, Partition string

	// LoadBalancer and TargetGroup as CloudWatch names them: the ARNs' suffixes.
	LoadBalancer, TargetGroup pulumi.StringInput
	// GroupName is the API's Auto Scaling group's.
	GroupName pulumi.StringInput
	// DatabaseInstanceID is the database host's.
	DatabaseInstanceID pulumi.StringInput
	// ThumbnailerName is the function's, FailuresName its failure queue's.
	ThumbnailerName, FailuresName pulumi.StringInput
	// NatGatewayIDs by zone.
	NatGatewayIDs map[string]pulumi.IDOutput

	Tags map[string]string
}

// Monitoring is the alarms, whom they tell, and the dashboard.
type Monitoring struct {
	pulumi.ResourceState

	TopicARN     pulumi.StringOutput
	DashboardURL pulumi.StringOutput
}

type monitoringBuilder struct {
	*component.Scope
	ctx   *pulumi.Context
	args  *MonitoringArgs
	out   *Monitoring
	topic *sns.Topic
}

// NewMonitoring registers the alarms, their topic, the dashboard and the budget.
func NewMonitoring(ctx *pulumi.Context, name string, args *MonitoringArgs, opts ...pulumi.ResourceOption) (*Monitoring, error) {
	problems := problem.In("compute: ")
	args.MonitoringSettings.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	m := &Monitoring{}
	err := component.New(ctx, "cinema:compute:Monitoring", name, m, args.Tags, func(s *component.Scope) error {
		b := &monitoringBuilder{Scope: s, ctx: ctx, args: args, out: m}
		for _, step := range []func() error{b.createTopic, b.createAlarms, b.createDashboard, b.createBudget} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	}, opts...)
	return m, err
}

func (b *monitoringBuilder) createTopic() error {
	name := b.Name("alarms")
	var err error
	if b.topic, err = sns.NewTopic(b.ctx, name, &sns.TopicArgs{Tags: b.Tags(name)}, b.Child()); err != nil {
		return err
	}
	policy, err := sns.NewTopicPolicy(b.ctx, name, &sns.TopicPolicyArgs{
		Arn:    b.topic.Arn,
		Policy: iam.AlarmTopicPolicy(b.topic.Arn, b.args.AccountID),
	}, b.Child())
	if err != nil {
		return err
	}
	b.out.TopicARN = component.After(b.topic.Arn, policy)
	if b.args.Email == "" {
		return b.ctx.Log.Warn("alarms tell nobody: set email in cinema:alarms", &pulumi.LogArgs{Resource: b.topic})
	}
	_, err = sns.NewTopicSubscription(b.ctx, b.Name("email"), &sns.TopicSubscriptionArgs{
		Topic:    b.topic.Arn,
		Protocol: pulumi.String("email"),
		Endpoint: pulumi.String(b.args.Email),
	}, b.Child())
	return err
}

// createBudget warns when the month's cost is forecast to pass the budget, and when it has passed.
func (b *monitoringBuilder) createBudget() error {
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
	_, err := budgets.NewBudget(b.ctx, name, &budgets.BudgetArgs{
		BudgetType:  pulumi.String("COST"),
		TimeUnit:    pulumi.String("MONTHLY"),
		LimitAmount: pulumi.String(fmt.Sprintf("%d.0", b.args.MonthlyBudget)),
		LimitUnit:   pulumi.String("USD"),
		CostFilters: budgets.BudgetCostFilterArray{budgets.BudgetCostFilterArgs{
			// user:<key>$<value>; the tag must be activated for cost allocation.
			Name:   pulumi.String("TagKeyValue"),
			Values: pulumi.StringArray{pulumi.Sprintf("user:Stack$%s", b.ctx.Stack())},
		}},
		Notifications: budgets.BudgetNotificationArray{notify("FORECASTED", 100), notify("ACTUAL", 100)},
		Tags:          b.Tags(name),
	}, b.Child())
	return err
}
