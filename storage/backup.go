package storage

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/environment"
	"cinema-database/internal/problem"
)

// maxBackupDays is AWS Backup's limit, a hundred years (BackupPlan, DeleteAfterDays).
const maxBackupDays = 36500

const (
	// dailySchedule is 03:00 UTC, in AWS's cron fields: minute hour day month weekday year.
	dailySchedule = "cron(0 3 * * ? *)"
	// hourlySchedule is half past each hour, so that it does not meet the daily backup.
	hourlySchedule = "cron(30 * * * ? *)"
	// hourlyRetentionDays of the hourly backups; AWS Backup counts in days.
	hourlyRetentionDays = 2
	// backupStartMinutes and backupCompleteMinutes limit a run; AWS requires at least 60 for the first.
	backupStartMinutes    = 60
	backupCompleteMinutes = 240
)

// tagsOnce sets the tags of vaults and plans only at creation: the emulator of the end-to-end runs does not store them,
// and every update would set them again.
var tagsOnce = pulumi.IgnoreChanges([]string{"tags", "tagsAll"})

// BackupSettings are the settings of the data volume's backups from stack config.
type BackupSettings struct {
	// RetentionDays of a daily backup, 0 for no backups.
	RetentionDays int `json:"retentionDays"`
	// Hourly adds a backup each hour, which is kept for two days.
	Hourly bool `json:"hourly"`
	// ForceDestroy allows a destroy to delete the recovery points. Without it, AWS refuses to delete a vault that holds
	// any, so that deleting a stack's last backups is a separate decision.
	ForceDestroy bool `json:"forceDestroy"`
}

// On reports whether there are backups.
func (s BackupSettings) On() bool { return s.RetentionDays != 0 }

// Check adds a problem for a retention that AWS Backup does not accept.
func (s BackupSettings) Check(l *problem.List) {
	if s.RetentionDays < 0 || s.RetentionDays > maxBackupDays {
		l.Add("backups.retentionDays", s.RetentionDays, "is not a retention in days that AWS Backup accepts",
			fmt.Sprintf("use 1 to %d, or 0 for no backups", maxBackupDays))
	}
}

// BackupArgs are the settings and the volume to back up.
type BackupArgs struct {
	environment.Environment
	BackupSettings
	// VolumeARN is the data volume's.
	VolumeARN pulumi.StringInput
	// Replica has the region that the daily backups are copied to; nil for no copies.
	Replica *Replica
}

// Backup makes snapshots of the data volume.
type Backup struct {
	pulumi.ResourceState

	// VaultName holds the recovery points.
	VaultName pulumi.StringOutput
}

// NewBackup registers the vault, the plan, and the selection of the data volume.
func NewBackup(ctx *pulumi.Context, name string, args *BackupArgs, opts ...pulumi.ResourceOption) (*Backup, error) {
	problems := problem.In("storage: ")
	args.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	b := &Backup{}
	opts = append(opts, pulumi.Aliases([]pulumi.Alias{{Type: pulumi.String("cinema:compute:Backup")}}))
	err := component.New(ctx, args.Environment, "cinema:storage:Backup", name, b, func(s *component.Scope) error {
		vault, err := newVault(s, s.Name("vault"), args.ForceDestroy)
		if err != nil {
			return err
		}
		rule := func(name, schedule string, days int) backup.PlanRuleArgs {
			return backup.PlanRuleArgs{
				RuleName:          pulumi.String(name),
				TargetVaultName:   vault.Name,
				Schedule:          pulumi.String(schedule),
				StartWindow:       pulumi.Int(backupStartMinutes),
				CompletionWindow:  pulumi.Int(backupCompleteMinutes),
				Lifecycle:         backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(days)},
				RecoveryPointTags: s.Tags(s.Name(name)),
			}
		}
		daily := rule("daily", dailySchedule, args.RetentionDays)
		if args.Replica != nil {
			copies, err := newVault(s, s.Name("copies"), args.ForceDestroy, pulumi.Provider(args.Replica.Provider))
			if err != nil {
				return err
			}
			daily.CopyActions = backup.PlanRuleCopyActionArray{backup.PlanRuleCopyActionArgs{
				DestinationVaultArn: copies.Arn,
				Lifecycle:           backup.PlanRuleCopyActionLifecycleArgs{DeleteAfter: pulumi.Int(args.RetentionDays)},
			}}
		}
		rules := backup.PlanRuleArray{daily}
		if args.Hourly {
			rules = append(rules, rule("hourly", hourlySchedule, hourlyRetentionDays))
		}
		plan, err := backup.NewPlan(s.Ctx, s.Name("daily"), &backup.PlanArgs{
			Rules: rules,
			Tags:  s.Tags(s.Name("daily")),
		}, s.Child(tagsOnce))
		if err != nil {
			return err
		}
		role, err := iam.NewBackupRole(s)
		if err != nil {
			return err
		}
		if _, err := backup.NewSelection(s.Ctx, s.Name("data-volume"), &backup.SelectionArgs{
			PlanId:     plan.ID(),
			IamRoleArn: role,
			Resources:  pulumi.StringArray{args.VolumeARN},
		}, s.Child()); err != nil {
			return err
		}
		b.VaultName = vault.Name
		return nil
	}, opts...)
	return b, err
}

// newVault registers a vault. Recovery points are the last copy of the data.
func newVault(s *component.Scope, name string, forceDestroy bool, opts ...pulumi.ResourceOption) (*backup.Vault, error) {
	opts = append(opts, pulumi.Protect(s.Env.Protect), pulumi.RetainOnDelete(s.Env.Protect), tagsOnce)
	return backup.NewVault(s.Ctx, name, &backup.VaultArgs{ForceDestroy: pulumi.Bool(forceDestroy), Tags: s.Tags(name)}, s.Child(opts...))
}
