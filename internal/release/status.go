package release

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"cinema-database/internal/cli"
	"cinema-database/internal/rollout"
)

// status prints the state of the database, and follows the group's latest instance refresh and the deployments of the
// services until they end. If the release is not on every instance, it prints the instances and returns the reason. It also
// returns what keeps the database's members and the services from being healthy.
func (s *session) status(ctx context.Context) error {
	fault, err := s.database(ctx)
	if err != nil {
		return err
	}
	deadline := s.Clock.Now().Add(s.Wait)
	refresh, err := s.Follow(ctx, s.outputs.Group, "", deadline)
	if errors.Is(err, rollout.ErrTimeout) {
		err = fmt.Errorf("the rollout has not ended within %v (%s) and continues: run this command again, or `%s release rollback --stack %s`",
			s.Wait, rollout.Describe(refresh), cli.GoRun(), s.stack)
	}
	// After a timeout the instances are worth showing, but not after an interrupt.
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(fault, s.conclude(ctx, refresh, err), s.services(ctx, deadline))
}

// isRelease returns an error if the group's launch template starts another release than the stack's outputs name.
func (s *session) isRelease(ctx context.Context, group types.AutoScalingGroup) error {
	if group.LaunchTemplate == nil {
		return fmt.Errorf("group %s has no launch template", s.outputs.Group)
	}
	versions, err := s.versions(ctx, aws.ToString(group.LaunchTemplate.LaunchTemplateId))
	if err != nil {
		return err
	}
	for release, numbers := range versions {
		for _, n := range numbers {
			if strconv.FormatInt(n, 10) == rollout.TemplateVersion(group) && !strings.HasPrefix(s.outputs.Releases["cinema"], release) {
				return fmt.Errorf("the group runs release %s, but the release of stack %s is %.12s: an update is in progress or was interrupted, or somebody rolled back by hand; `pulumi up --stack %s` corrects it",
					release, s.stack, s.outputs.Releases["cinema"], s.stack)
			}
		}
	}
	return nil
}

// conclude compares the instances with the group's launch template.
func (s *session) conclude(ctx context.Context, refresh *types.InstanceRefresh, err error) error {
	group, groupErr := s.FindGroup(ctx, s.outputs.Group)
	if groupErr != nil {
		return errors.Join(err, groupErr)
	}
	wanted := rollout.TemplateVersion(group)
	behind := 0
	for _, i := range group.Instances {
		if !rollout.Ready(i, wanted) {
			behind++
		}
	}
	switch {
	case err != nil:
	case refresh != nil && refresh.Status != types.InstanceRefreshStatusSuccessful:
		err = fmt.Errorf("the rollout ended as %s", rollout.Describe(refresh))
	case behind > 0:
		err = fmt.Errorf("%d of %d instances are not healthy on template version %s", behind, len(group.Instances), wanted)
	case len(group.Instances) == 0:
		err = fmt.Errorf("group %s has no instances", s.outputs.Group)
	default:
		err = s.isRelease(ctx, group)
	}
	if err != nil {
		rollout.PrintInstances(s.out, group, wanted)
		return err
	}
	if refresh == nil {
		fmt.Fprintln(s.out, "no rollout yet: these are the group's first instances")
	}
	fmt.Fprintf(s.out, "release %.12s is on all %d instances of %s (template version %s)\n",
		s.outputs.Releases["cinema"], len(group.Instances), s.outputs.Group, wanted)
	return nil
}
