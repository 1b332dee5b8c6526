package edge

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
)

const (
	// requestsPerAddress in rateWindow seconds: ten a second. A visit takes some dozens; an office shares an address.
	requestsPerAddress = 3000
	rateWindow         = 300
	// firewallLogs begins the name of every log group that AWS WAF writes to (AWS WAF developer guide, "Sending web ACL
	// traffic logs to a CloudWatch Logs log group").
	firewallLogs = "aws-waf-logs-"
)

// FirewallLogGroup returns the name of the firewall's log group: firewallLogs, then the physical name.
func FirewallLogGroup(physicalName string) string { return firewallLogs + physicalName }

// managedRules are groups of rules that AWS manages, with their priorities (AWS WAF developer guide, "AWS Managed Rules rule
// groups list").
var managedRules = []struct {
	name, group string
	priority    int
}{
	{"reputation", "AWSManagedRulesAmazonIpReputationList", 10},
	{"common", "AWSManagedRulesCommonRuleSet", 30},
	{"bad-inputs", "AWSManagedRulesKnownBadInputsRuleSet", 40},
}

const ratePriority = 20

// createFirewall registers the web ACL and its log.
func (b *builder) createFirewall() error {
	if b.args.WAF == FirewallOff {
		return nil
	}
	blocks := b.args.WAF == FirewallBlock
	override := wafv2.WebAclRuleOverrideActionArgs{Count: wafv2.WebAclRuleOverrideActionCountArgs{}}
	action := wafv2.WebAclRuleActionArgs{Count: wafv2.WebAclRuleActionCountArgs{}}
	if blocks {
		override = wafv2.WebAclRuleOverrideActionArgs{None: wafv2.WebAclRuleOverrideActionNoneArgs{}}
		action = wafv2.WebAclRuleActionArgs{Block: wafv2.WebAclRuleActionBlockArgs{}}
	}
	rules := wafv2.WebAclRuleArray{wafv2.WebAclRuleArgs{
		Name: pulumi.String("rate"), Priority: pulumi.Int(ratePriority), Action: action,
		Statement: wafv2.WebAclRuleStatementArgs{RateBasedStatement: wafv2.WebAclRuleStatementRateBasedStatementArgs{
			Limit: pulumi.Int(requestsPerAddress), EvaluationWindowSec: pulumi.Int(rateWindow), AggregateKeyType: pulumi.String("IP"),
		}},
		VisibilityConfig: visibility("rate"),
	}}
	for _, m := range managedRules {
		statement := wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs{VendorName: pulumi.String("AWS"), Name: pulumi.String(m.group)}
		if m.name == "common" {
			statement.ScopeDownStatement = notUploads()
		}
		rules = append(rules, wafv2.WebAclRuleArgs{
			Name: pulumi.String(m.name), Priority: pulumi.Int(m.priority), OverrideAction: override,
			Statement:        wafv2.WebAclRuleStatementArgs{ManagedRuleGroupStatement: statement},
			VisibilityConfig: visibility(m.name),
		})
	}
	name := b.Name("firewall")
	firewall, err := wafv2.NewWebAcl(b.Ctx, name, &wafv2.WebAclArgs{
		Description:   pulumi.String("Requests to the distribution"),
		Scope:         pulumi.String("CLOUDFRONT"),
		DefaultAction: wafv2.WebAclDefaultActionArgs{Allow: wafv2.WebAclDefaultActionAllowArgs{}},
		Rules:         rules,
		VisibilityConfig: wafv2.WebAclVisibilityConfigArgs{
			CloudwatchMetricsEnabled: pulumi.Bool(true), SampledRequestsEnabled: pulumi.Bool(true), MetricName: pulumi.String("firewall"),
		},
		Tags: b.Tags(name),
	}, b.global())
	if err != nil {
		return err
	}
	b.firewall = firewall
	return b.logFirewall()
}

// notUploads excludes the path of uploads: the common rules refuse bodies over 8 KB, and find patterns in images (AWS WAF
// developer guide, "Core rule set (CRS) managed rule group").
func notUploads() wafv2.WebAclRuleStatementManagedRuleGroupStatementScopeDownStatementArgs {
	return wafv2.WebAclRuleStatementManagedRuleGroupStatementScopeDownStatementArgs{
		NotStatement: wafv2.WebAclRuleStatementManagedRuleGroupStatementScopeDownStatementNotStatementArgs{
			Statements: wafv2.WebAclRuleStatementArray{wafv2.WebAclRuleStatementArgs{
				ByteMatchStatement: wafv2.WebAclRuleStatementByteMatchStatementArgs{
					SearchString: pulumi.String(contract.UploadPath), PositionalConstraint: pulumi.String("EXACTLY"),
					FieldToMatch: wafv2.WebAclRuleStatementByteMatchStatementFieldToMatchArgs{
						UriPath: wafv2.WebAclRuleStatementByteMatchStatementFieldToMatchUriPathArgs{},
					},
					TextTransformations: wafv2.WebAclRuleStatementByteMatchStatementTextTransformationArray{
						wafv2.WebAclRuleStatementByteMatchStatementTextTransformationArgs{Priority: pulumi.Int(0), Type: pulumi.String("NONE")},
					},
				},
			}},
		},
	}
}

// visibility is a rule's metrics and samples.
func visibility(rule string) wafv2.WebAclRuleVisibilityConfigArgs {
	return wafv2.WebAclRuleVisibilityConfigArgs{
		CloudwatchMetricsEnabled: pulumi.Bool(true), SampledRequestsEnabled: pulumi.Bool(true), MetricName: pulumi.String(rule),
	}
}

// logFirewall registers the log of the requests that a rule has matched, without the members' tokens.
func (b *builder) logFirewall() error {
	name := b.Name("firewall")
	group, err := cloudwatch.NewLogGroup(b.Ctx, name, &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(FirewallLogGroup(b.Env.PhysicalName(name, logGroupLimit-len(firewallLogs)))),
		RetentionInDays: pulumi.Int(b.args.LogRetentionDays),
		Tags:            b.Tags(name),
	}, b.global())
	if err != nil {
		return err
	}
	matched := wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionArray{}
	for _, action := range []string{"BLOCK", "COUNT"} {
		matched = append(matched, wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionArgs{
			ActionCondition: wafv2.WebAclLoggingConfigurationLoggingFilterFilterConditionActionConditionArgs{Action: pulumi.String(action)},
		})
	}
	_, err = wafv2.NewWebAclLoggingConfiguration(b.Ctx, name, &wafv2.WebAclLoggingConfigurationArgs{
		ResourceArn:           b.firewall.Arn,
		LogDestinationConfigs: pulumi.StringArray{group.Arn},
		LoggingFilter: wafv2.WebAclLoggingConfigurationLoggingFilterArgs{
			DefaultBehavior: pulumi.String("DROP"),
			Filters: wafv2.WebAclLoggingConfigurationLoggingFilterFilterArray{wafv2.WebAclLoggingConfigurationLoggingFilterFilterArgs{
				Behavior: pulumi.String("KEEP"), Requirement: pulumi.String("MEETS_ANY"), Conditions: matched,
			}},
		},
		RedactedFields: wafv2.WebAclLoggingConfigurationRedactedFieldArray{wafv2.WebAclLoggingConfigurationRedactedFieldArgs{
			SingleHeader: wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs{Name: pulumi.String("authorization")},
		}},
	}, b.global())
	return err
}

// logGroupLimit is the longest name of a log group in characters (CloudWatch Logs API reference, CreateLogGroup).
const logGroupLimit = 512
