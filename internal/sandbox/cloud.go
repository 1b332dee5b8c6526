package sandbox

import (
	"context"
	"net/http"

	"cinema-database/internal/awsaccess"
	"cinema-database/internal/rollout"
)

// openCloud opens the simulated account for a rollout.
func (s *Session) openCloud(context.Context, awsaccess.Settings, string) (rollout.Cloud, error) {
	return rollout.Cloud{
		AutoScaling: s.account.AutoScaling(),
		ECS:         s.account.ECS(),
		Objects:     s.account,
		// The load balancer carries no traffic.
		Get:   func(context.Context, string) (int, string, error) { return http.StatusOK, "", nil },
		Clock: &rollout.SimulatedClock{},
	}, nil
}
