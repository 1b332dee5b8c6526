package rollout

import (
	"fmt"
	"slices"
	"time"

	"cinema-database/internal/problem"
)

// Limits of EC2 Auto Scaling (API reference, RefreshPreferences).
const (
	maxBake     = 48 * time.Hour
	fullPercent = 100
)

// Settings are the settings of rollouts from stack config.
type Settings struct {
	// Wait limits how long `pulumi up` waits for a rollout; 0 starts the rollout and does not wait.
	Wait time.Duration
	// Checkpoints are percentages of the instances. The rollout pauses after each for Bake, and watches the alarms.
	Checkpoints []int
	// Bake is also the time for which the alarms are watched after the last instance.
	Bake time.Duration
	// Readiness makes `pulumi up` request the API's readiness through the front door after a rollout.
	Readiness bool
}

// Check adds a problem for each invalid value.
func (s Settings) Check(l *problem.List) {
	if s.Wait < 0 {
		l.Add("release.wait", s.Wait, "is negative", "write a duration like 45m, or 0 to start rollouts without waiting for their end")
	}
	if s.Bake < 0 || s.Bake > maxBake {
		l.Add("release.bake", s.Bake, fmt.Sprintf("is not between 0 and %v", maxBake), "write a duration like 5m")
	}
	for i, c := range s.Checkpoints {
		if c < 1 || c >= fullPercent || slices.Contains(s.Checkpoints[:i], c) || i > 0 && c < s.Checkpoints[i-1] {
			l.Add(fmt.Sprintf("release.checkpoints[%d]", i), c, "is not an ascending percentage", "write whole numbers from 1 to 99, each larger than the one before")
		}
	}
}
