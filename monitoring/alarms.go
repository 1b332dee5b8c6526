package monitoring

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/internal/component"
)

// alarm is a row of the table of alarms. Exactly one of metric and rate is set.
type alarm struct {
	name string
	// description says what is wrong and what to check or do first.
	description string
	namespace   string
	metric      string
	dimensions  pulumi.StringMap
	// statistic is Average, Sum, Maximum, or a percentile like p99.
	statistic string
	// rate is a metric expression over queries.
	rate      string
	queries   map[string]alarmMetric
	threshold float64
	// below alarms on values under the threshold; by default, on those over it.
	below bool
	// minutes that the value must be beyond the threshold.
	minutes int
	// every is the time between two data points in minutes, 1 if not set.
	every int
	// missing is the treatment of missing data, "notBreaching" if not set.
	missing string
	// actions in addition to the topic.
	actions []string
	// global means that the metric is in the global region.
	global bool
	// rollout means that a release causes the alarm rather than anything else: a rollout that fires it goes back.
	rollout bool
	// service is the one in containers whose deployment the alarm takes back, empty for none.
	service string
	// row is the heading of the alarm's row on the dashboard; empty for one of the first rows.
	row string
}

type alarmMetric struct {
	namespace, metric, statistic string
	dimensions                   pulumi.StringMap
}

func (b *builder) alarms() []alarm {
	balancer := pulumi.StringMap{"LoadBalancer": b.args.LoadBalancer}
	targets := pulumi.StringMap{"LoadBalancer": b.args.LoadBalancer, "TargetGroup": b.args.TargetGroup}
	group := pulumi.StringMap{"AutoScalingGroupName": b.args.GroupName}
	stack := pulumi.StringMap{contract.StackDimension: pulumi.String(b.Env.Stack)}
	const elb, sqs, function = "AWS/ApplicationELB", "AWS/SQS", "AWS/Lambda"
	all := []alarm{
		{
			name: "api-5xx", description: "More than 5 % of requests fail: check the API's logs, then the database host",
			rate: "100 * (FILL(target, 0) + FILL(balancer, 0)) / FILL(requests, 1)",
			queries: map[string]alarmMetric{
				"target":   {elb, "HTTPCode_Target_5XX_Count", "Sum", balancer},
				"balancer": {elb, "HTTPCode_ELB_5XX_Count", "Sum", balancer},
				"requests": {elb, "RequestCount", "Sum", balancer},
			},
			threshold: 5, minutes: 5, rollout: true,
		},
		{
			name: "api-unhealthy", description: "An API instance fails its health check: check its system log, then the latest release",
			namespace: elb, metric: "UnHealthyHostCount", dimensions: targets, statistic: "Maximum", threshold: 0, minutes: 5,
			rollout: true,
		},
		{
			name: "api-latency", description: "One request in a hundred takes over a second: check the API's CPU, then the database's",
			namespace: elb, metric: "TargetResponseTime", dimensions: balancer, statistic: "p99", threshold: 1, minutes: 10,
		},
		{
			name: "api-cpu", description: "The API's instances stay busy although the group can grow: raise maxSize in cinema:api",
			namespace: ec2, metric: "CPUUtilization", dimensions: group, statistic: "Average", threshold: 85, minutes: 15,
		},
		{
			name: "database-space", description: "The data volume is over 80 % full: raise volumeSize in cinema:database",
			namespace: contract.MetricNamespace, metric: contract.DataVolumeUsedPercent, dimensions: stack,
			statistic: "Maximum", threshold: 80, minutes: 15, missing: "missing",
		},
		{
			name: "thumbnailer-errors", description: "The thumbnailer fails: check the function's log",
			namespace: function, metric: "Errors", dimensions: pulumi.StringMap{"FunctionName": b.args.ThumbnailerName},
			statistic: "Sum", threshold: 0, minutes: 1, // the three attempts are spread over several minutes
		},
		{
			name: "thumbnailer-failures", description: "Some images have no thumbnail: the messages in the failure queue name them",
			namespace: sqs, metric: "ApproximateNumberOfMessagesVisible", dimensions: pulumi.StringMap{"QueueName": b.args.FailuresName},
			statistic: "Maximum", threshold: 0, minutes: 5,
		},
	}
	if burstable(b.args.APIInstanceType) {
		all = append(all, creditsAlarm("api-credits", "The api's", "raise maxSize in cinema:api, or use a larger instance type", group))
	}
	all = append(all, b.hostAlarms()...)
	if len(b.args.NatGatewayIDs) > 0 {
		// Without a NAT gateway the API reaches no CloudWatch, so this metric never arrives.
		all = append(all, alarm{
			name: "database-unreachable", description: "No API instance reaches the database: check the database host's journal, then its volume",
			namespace: contract.MetricNamespace, metric: contract.DatabaseReachable, dimensions: stack,
			statistic: "Maximum", threshold: 1, below: true, minutes: 5, missing: "breaching",
		}, b.natAlarm())
	}
	if b.args.DistributionID != nil {
		distribution := pulumi.StringMap{"DistributionId": b.args.DistributionID, "Region": pulumi.String("Global")}
		all = append(all, alarm{
			name: "edge-5xx", description: "More than 5 % of requests to the distribution fail: check the alarms of the API, then the distribution's access logs",
			namespace: "AWS/CloudFront", metric: "5xxErrorRate", dimensions: distribution, statistic: "Average", threshold: 5, minutes: 5, global: true,
		}, alarm{
			name: "edge-latency", description: "CloudFront waits over two seconds for one request in a hundred: check the API's latency, then the VPC origin",
			namespace: "AWS/CloudFront", metric: "OriginLatency", dimensions: distribution, statistic: "p99", threshold: 2000, minutes: 10, global: true,
		})
	}
	return append(append(all, b.serviceAlarms()...), b.replicaSetAlarms(stack)...)
}

// ec2 is the namespace of the instances' metrics.
const ec2 = "AWS/EC2"

// hostAlarms are those of each database host, the first member's first. Its names have no zone, so that a stack keeps its
// alarms when it gets more members.
func (b *builder) hostAlarms() []alarm {
	first := b.args.DatabaseZone
	zones := []string{first}
	for _, zone := range slices.Sorted(maps.Keys(b.args.DatabaseInstanceIDs)) {
		if zone != first {
			zones = append(zones, zone)
		}
	}
	var all []alarm
	for _, zone := range zones {
		suffix, host := "", "the database host"
		if zone != first {
			suffix = "-" + zone
		}
		if len(zones) > 1 {
			host += " in " + zone
		}
		id := pulumi.StringMap{"InstanceId": b.args.DatabaseInstanceIDs[zone]}
		all = append(all, alarm{
			name: "database-cpu" + suffix, description: upper(host) + " is busy: check for slow queries, then use a larger instance type",
			namespace: ec2, metric: "CPUUtilization", dimensions: id, statistic: "Average", threshold: 85, minutes: 15,
			every: 5, // basic monitoring (EC2 user guide, "Manage detailed monitoring")
		}, alarm{
			name: "database-system" + suffix, description: "The hardware of " + host + " failed: EC2 moves the host to other hardware",
			namespace: ec2, metric: "StatusCheckFailed_System", dimensions: id, statistic: "Maximum", threshold: 0, minutes: 2,
			actions: []string{fmt.Sprintf("arn:%s:automate:%s:ec2:recover", b.Env.Partition, b.Env.Region)},
		}, alarm{
			name: "database-instance" + suffix, description: upper(host) + " does not respond: EC2 reboots it; check its system log",
			namespace: ec2, metric: "StatusCheckFailed_Instance", dimensions: id, statistic: "Maximum", threshold: 0, minutes: 3,
			actions: []string{fmt.Sprintf("arn:%s:automate:%s:ec2:reboot", b.Env.Partition, b.Env.Region)},
		})
		if burstable(b.args.DatabaseInstanceType) {
			all = append(all, creditsAlarm("database-credits"+suffix, upper(host)+"'s", "use a larger instance type", id))
		}
	}
	return all
}

// upper returns a sentence that begins with a capital letter.
func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

func creditsAlarm(name, whose, remedy string, dimensions pulumi.StringMap) alarm {
	return alarm{
		name: name, description: whose + " CPU credits have been used up for an hour: " + remedy,
		namespace: ec2, metric: "CPUCreditBalance", dimensions: dimensions, statistic: "Minimum",
		// A host starts without credits, and the smallest type earns six an hour (EC2 user guide, "Earn CPU credits").
		threshold: 1, below: true, minutes: 60, every: 5,
	}
}

// replicaSetAlarms are those of a replica set of several members. The API publishes their metrics; if it reaches no member,
// they have no data, and database-unreachable fires.
func (b *builder) replicaSetAlarms(stack pulumi.StringMap) []alarm {
	members := len(b.args.DatabaseInstanceIDs)
	if members < 2 {
		return nil
	}
	of := func(name, metric, description string) alarm {
		return alarm{
			name: name, description: description, namespace: contract.MetricNamespace, metric: metric, dimensions: stack,
			statistic: "Maximum", missing: "missing", row: "Replica set",
		}
	}
	// An election takes some seconds, so one minute without a primary is not a fault yet.
	primary := of("database-primary", contract.DatabasePrimary,
		"The replica set has had no primary for three minutes: most of the members must run and reach each other; `release status` shows each one")
	primary.threshold, primary.below, primary.minutes = 1, true, 3
	// A host that a deployment replaces is back within this time.
	down := of("database-members", contract.DatabaseHealthyMembers,
		fmt.Sprintf("Fewer than %d members of the replica set are healthy: `release status` shows which one; check its host's journal, and replace the host and its volume if it is lost", members))
	down.threshold, down.below, down.minutes = float64(members), true, 15
	lag := of("database-lag", contract.ReplicationLagSeconds,
		"A secondary is over a minute behind the primary: check the CPU and the volume of its host, then the rate of writes")
	lag.threshold, lag.minutes = 60, 5
	window := of("database-oplog", contract.OplogWindowHours,
		"A member that is away for a day can no longer catch up from the oplog: find what writes so much, or raise the oplog's size on each member (replSetResizeOplog)")
	window.statistic, window.threshold, window.below, window.minutes, window.every = "Minimum", 24, true, 60, 5
	return []alarm{primary, down, lag, window}
}

// burstable reports whether instances of a type earn CPU credits.
func burstable(instanceType string) bool { return strings.HasPrefix(instanceType, "t") }

// natAlarm is one for all NAT gateways, so that a change of their number changes one alarm and no dashboard.
func (b *builder) natAlarm() alarm {
	a := alarm{
		name: "nat", description: "A NAT gateway runs out of ports: check for many connections to one destination",
		queries: map[string]alarmMetric{}, threshold: 0, minutes: 5,
	}
	var terms []string
	for _, zone := range slices.Sorted(maps.Keys(b.args.NatGatewayIDs)) {
		id := strings.ReplaceAll(zone, "-", "_")
		a.queries[id] = alarmMetric{"AWS/NATGateway", "ErrorPortAllocation", "Sum", pulumi.StringMap{"NatGatewayId": b.args.NatGatewayIDs[zone]}}
		terms = append(terms, "FILL("+id+", 0)")
	}
	a.rate = strings.Join(terms, " + ")
	return a
}

// physicalName is the alarm's name on AWS.
func (b *builder) physicalName(a alarm) string {
	return component.PhysicalName(b.Env, "aws:cloudwatch/metricAlarm:MetricAlarm", b.Name(a.name))
}

// createAlarms registers the alarms of the table. They notify the topic when they start and when they end.
func (b *builder) createAlarms() error {
	for _, a := range b.alarms() {
		name := b.Name(a.name)
		_, topicARN, opts := b.place(a.global)
		actions := pulumi.Array{topicARN}
		for _, action := range a.actions {
			actions = append(actions, pulumi.String(action))
		}
		every := max(a.every, 1)
		args := &cloudwatch.MetricAlarmArgs{
			AlarmDescription:   pulumi.String(a.description),
			ComparisonOperator: pulumi.String("GreaterThanThreshold"),
			Threshold:          pulumi.Float64(a.threshold),
			EvaluationPeriods:  pulumi.Int(a.minutes / every),
			TreatMissingData:   pulumi.String("notBreaching"),
			AlarmActions:       actions,
			OkActions:          pulumi.Array{topicARN},
			Tags:               b.Tags(name),
		}
		if a.below {
			args.ComparisonOperator = pulumi.String("LessThanThreshold")
		}
		if a.missing != "" {
			args.TreatMissingData = pulumi.String(a.missing)
		}
		if a.rate != "" {
			queries := cloudwatch.MetricAlarmMetricQueryArray{cloudwatch.MetricAlarmMetricQueryArgs{
				Id: pulumi.String("rate"), Expression: pulumi.String(a.rate), Label: pulumi.String(a.name), ReturnData: pulumi.Bool(true),
			}}
			for _, id := range slices.Sorted(maps.Keys(a.queries)) {
				q := a.queries[id]
				queries = append(queries, cloudwatch.MetricAlarmMetricQueryArgs{
					Id: pulumi.String(id),
					Metric: cloudwatch.MetricAlarmMetricQueryMetricArgs{
						Namespace: pulumi.String(q.namespace), MetricName: pulumi.String(q.metric), Dimensions: q.dimensions,
						Stat: pulumi.String(q.statistic), Period: pulumi.Int(60 * every),
					},
				})
			}
			args.MetricQueries = queries
		} else {
			args.Namespace, args.MetricName, args.Dimensions = pulumi.String(a.namespace), pulumi.String(a.metric), a.dimensions
			args.Period = pulumi.Int(60 * every)
			if a.statistic[0] == 'p' {
				args.ExtendedStatistic = pulumi.String(a.statistic)
			} else {
				args.Statistic = pulumi.String(a.statistic)
			}
		}
		registered, err := cloudwatch.NewMetricAlarm(b.Ctx, name, args, opts)
		if err != nil {
			return err
		}
		if a.rollout {
			b.out.RolloutAlarms = append(b.out.RolloutAlarms, registered.Name)
		}
		if a.service != "" {
			if b.out.ServiceAlarms == nil {
				b.out.ServiceAlarms = map[string]pulumi.StringArray{}
			}
			b.out.ServiceAlarms[a.service] = append(b.out.ServiceAlarms[a.service], registered.Name)
		}
	}
	return nil
}
