package compute

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/iam"
	"cinema-database/internal/component"
	"cinema-database/internal/place"
	"cinema-database/internal/problem"
)

// maxBackupDays is a hundred years, AWS Backup's own bound (BackupPlan, DeleteAfterDays).
const maxBackupDays = 36500

const (
	// backupSchedule is daily at 03:00 UTC, in AWS's cron fields: minute hour day month weekday year.
	backupSchedule = "cron(0 3 * * ? *)"
	// backupStartMinutes and backupCompleteMinutes bound a run; AWS takes at least 60 for the first.
	backupStartMinutes    = 60
	backupCompleteMinutes = 240
)

// tagsOnce sets the tags of vaults and plans when they are made and lets them be: what answers for AWS
// Backup in end-to-end runs keeps none, and would be told them again each time.
var tagsOnce = pulumi.IgnoreChanges([]string{"tags", "tagsAll"})

// BackupSettings is how the data volume is backed up, as stack config gives it.
type BackupSettings struct {
	// RetentionDays that a daily backup is kept; zero makes none.
	RetentionDays int `json:"retentionDays"`
	// ForceDestroy lets a destroy take the recovery points along. Without it, AWS refuses to delete a vault
	// that holds any: a stack's last backups are lost by a decision of their own only.
	ForceDestroy bool `json:"forceDestroy"`
}

// Check adds what is wrong with s to l.
func (s BackupSettings) Check(l *problem.List) {
	if s.RetentionDays < 0 || s.RetentionDays > maxBackupDays {
		l.Add("backups.retentionDays", s.RetentionDays, "is not a number of days that AWS Backup keeps",
			fmt.Sprintf("use 1 to %d, or 0 for no backups", maxBackupDays))
	}
}

// BackupArgs are what NewBackup needs.
type BackupArgs struct {
	BackupSettings
	place.Place
	// VolumeARN is the data volume's.
	VolumeARN pulumi.StringInput
	// Protect keeps the vault and its recovery points.
	Protect bool
	Tags    map[string]string
}

// Backup is the data volume's daily snapshots.
type Backup struct {
	pulumi.ResourceState

	// VaultName holds the recovery points.
	VaultName pulumi.StringOutput
}

// NewBackup registers the vault, the plan and what it covers.
func NewBackup(ctx *pulumi.Context, name string, args *BackupArgs, opts ...pulumi.ResourceOption) (*Backup, error) {
	problems := problem.In("compute: ")
	args.Check(problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	b := &Backup{}
	err := component.New(ctx, "cinema:compute:Backup", name, b, args.Tags, func(s *component.Scope) error {
		vault, err := backup.NewVault(ctx, s.Name("vault"), &backup.VaultArgs{
			ForceDestroy: pulumi.Bool(args.ForceDestroy),
			Tags:         s.Tags(s.Name("vault")),
			// Recovery points are the way back when everything else is gone.
		}, s.Child(pulumi.Protect(args.Protect), pulumi.RetainOnDelete(args.Protect), tagsOnce))
		if err != nil {
			return err
		}
		plan, err := backup.NewPlan(ctx, s.Name("daily"), &backup.PlanArgs{
			Rules: backup.PlanRuleArray{backup.PlanRuleArgs{
				RuleName:          pulumi.String("daily"),
				TargetVaultName:   vault.Name,
				Schedule:          pulumi.String(backupSchedule),
				StartWindow:       pulumi.Int(backupStartMinutes),
				CompletionWindow:  pulumi.Int(backupCompleteMinutes),
				Lifecycle:         backup.PlanRuleLifecycleArgs{DeleteAfter: pulumi.Int(args.RetentionDays)},
				RecoveryPointTags: s.Tags(s.Name("daily")),
			}},
			Tags: s.Tags(s.Name("daily")),
		}, s.Child(tagsOnce))
		if err != nil {
			return err
		}
		role, err := iam.NewBackupRole(ctx, s, args.Place)
		if err != nil {
			return err
		}
		if _, err := backup.NewSelection(ctx, s.Name("data-volume"), &backup.SelectionArgs{
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
