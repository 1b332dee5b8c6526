package monitoring

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// event is a row of the table of events that notify the topic: what no metric shows.
type event struct {
	name string
	// description says what is wrong and what to check or do first. It is the message's first part.
	description string
	// pattern matches the events (EventBridge user guide, "Event patterns").
	pattern pulumi.Map
	// facts are the JSON paths of what the message says besides.
	facts map[string]string
	// global means that the events are in the global region.
	global bool
}

const (
	eventRuleType = "aws:cloudwatch/eventRule:EventRule"
	refresh       = "EC2 Auto Scaling Instance Refresh "
)

// failedJob are the final states of a job of AWS Backup that leaves no complete recovery point.
var failedJob = pulumi.ToStringArray([]string{"ABORTED", "EXPIRED", "FAILED", "PARTIAL"})

// template is the text of the message: the description, then the facts.
func (e event) template() string {
	text := e.description
	for _, fact := range slices.Sorted(maps.Keys(e.facts)) {
		text += fmt.Sprintf("; %s: <%s>", fact, fact)
	}
	return `"` + text + `"`
}

func (b *builder) events() []event {
	all := []event{{
		name: "rollout", description: "A rollout of the API failed or went back: see `release status`",
		pattern: pulumi.Map{
			"source": pulumi.ToStringArray([]string{"aws.autoscaling"}),
			"detail-type": pulumi.ToStringArray([]string{
				refresh + "Failed", refresh + "Rollback Failed", refresh + "Rollback Started", refresh + "Rollback Succeeded",
			}),
			"detail": pulumi.Map{"AutoScalingGroupName": pulumi.StringArray{b.args.GroupName}},
		},
		facts: map[string]string{"what": "$.detail-type", "group": "$.detail.AutoScalingGroupName"},
	}}
	if b.args.VaultName != nil {
		job := func(name, description, detailType, vault string, value pulumi.StringInput) event {
			return event{
				name: name, description: description,
				pattern: pulumi.Map{
					"source":      pulumi.ToStringArray([]string{"aws.backup"}),
					"detail-type": pulumi.ToStringArray([]string{detailType}),
					"detail":      pulumi.Map{vault: pulumi.StringArray{value}, "state": failedJob},
				},
				facts: map[string]string{"state": "$.detail.state", "why": "$.detail.statusMessage"},
			}
		}
		all = append(all, job("backup", "A backup of the data volume was not made: see the jobs of AWS Backup",
			"Backup Job State Change", "backupVaultName", b.args.VaultName))
		if b.args.BackupsCopied {
			all = append(all, job("backup-copy", "A backup was not copied to the other region: see the copy jobs of AWS Backup",
				"Copy Job State Change", "sourceBackupVaultArn", pulumi.Sprintf("%s%s", b.Env.ARN("backup", "backup-vault:"), b.args.VaultName)))
		}
	}
	if b.args.CertificateARN != nil {
		all = append(all, renewalEvent("certificate", "the certificate", b.args.CertificateARN))
	}
	if b.args.EdgeCertificateARN != nil {
		e := renewalEvent("edge-certificate", "the distribution's certificate", b.args.EdgeCertificateARN)
		e.global = true
		all = append(all, e)
	}
	return all
}

// renewalEvent is about a certificate that ACM cannot renew.
func renewalEvent(name, what string, arn pulumi.StringInput) event {
	return event{
		name: name, description: "ACM did not renew " + what + ": see its status in ACM, then the proof records in the hosted zone",
		pattern: pulumi.Map{
			"source": pulumi.ToStringArray([]string{"aws.acm"}),
			// ACM renews 60 days before the end, and sends the first of these 45 days before it.
			"detail-type": pulumi.ToStringArray([]string{"ACM Certificate Approaching Expiration", "ACM Certificate Expired", "ACM Certificate Renewal Action Required"}),
			"resources":   pulumi.StringArray{arn},
		},
		facts: map[string]string{"what": "$.detail-type", "host": "$.detail.CommonName"},
	}
}

// ruleARNs are the ARNs of the rules in a region, which notify the topic there. They are known before the rules exist.
func (b *builder) ruleARNs(in string) (arns []string) {
	for _, e := range b.events() {
		if region, _, _ := b.place(e.global); region == in {
			arns = append(arns, b.Env.In(region).ARN("events", "rule/"+component.PhysicalName(b.Env, eventRuleType, b.Name("on", e.name))))
		}
	}
	return arns
}

// createEvents registers a rule for each event, which notifies the topic.
func (b *builder) createEvents() error {
	for _, e := range b.events() {
		name := b.Name("on", e.name)
		pattern := e.pattern.ToMapOutput().ApplyT(func(pattern map[string]any) (string, error) {
			text, err := json.Marshal(pattern)
			return string(text), err
		}).(pulumi.StringOutput)
		_, topicARN, opts := b.place(e.global)
		rule, err := cloudwatch.NewEventRule(b.Ctx, name, &cloudwatch.EventRuleArgs{
			Description:  pulumi.String(e.description),
			EventPattern: pattern,
			Tags:         b.Tags(name),
		}, opts)
		if err != nil {
			return err
		}
		if _, err := cloudwatch.NewEventTarget(b.Ctx, name, &cloudwatch.EventTargetArgs{
			Rule: rule.Name,
			Arn:  topicARN,
			InputTransformer: cloudwatch.EventTargetInputTransformerArgs{
				InputPaths: pulumi.ToStringMap(e.facts), InputTemplate: pulumi.String(e.template()),
			},
		}, opts); err != nil {
			return err
		}
	}
	return nil
}
