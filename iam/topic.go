package iam

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// AlarmTopicPolicy lets the account's alarms and budgets publish to the topic, and EventBridge on behalf of the rules only.
func AlarmTopicPolicy(topicARN pulumi.StringInput, account string, rules []string) pulumi.StringOutput {
	statements := []Statement{{
		Sid: "AlarmsAndBudgets", Effect: Allow,
		Principals: Principals{"Service": Strings("cloudwatch.amazonaws.com", "budgets.amazonaws.com")},
		Actions:    []string{"sns:Publish"},
		Resources:  []pulumi.StringInput{topicARN},
		Conditions: Conditions{"StringEquals": {"aws:SourceAccount": Strings(account)}},
	}}
	if len(rules) > 0 {
		statements = append(statements, Statement{
			Sid: "Events", Effect: Allow,
			Principals: Principals{"Service": Strings("events.amazonaws.com")},
			Actions:    []string{"sns:Publish"},
			Resources:  []pulumi.StringInput{topicARN},
			Conditions: Conditions{"ArnEquals": {"aws:SourceArn": Strings(rules...)}},
		})
	}
	return Document(statements...)
}
