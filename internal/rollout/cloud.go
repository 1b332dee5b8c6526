package rollout

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"cinema-database/internal/awsaccess"
)

// AutoScaling is the part of EC2 Auto Scaling that a rollout needs.
type AutoScaling interface {
	DescribeAutoScalingGroups(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error)
	DescribeScalingActivities(context.Context, *autoscaling.DescribeScalingActivitiesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeScalingActivitiesOutput, error)
	DescribeInstanceRefreshes(context.Context, *autoscaling.DescribeInstanceRefreshesInput, ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error)
	StartInstanceRefresh(context.Context, *autoscaling.StartInstanceRefreshInput, ...func(*autoscaling.Options)) (*autoscaling.StartInstanceRefreshOutput, error)
	CancelInstanceRefresh(context.Context, *autoscaling.CancelInstanceRefreshInput, ...func(*autoscaling.Options)) (*autoscaling.CancelInstanceRefreshOutput, error)
	RollbackInstanceRefresh(context.Context, *autoscaling.RollbackInstanceRefreshInput, ...func(*autoscaling.Options)) (*autoscaling.RollbackInstanceRefreshOutput, error)
}

// ECS is the part of Elastic Container Service that a rollout needs.
type ECS interface {
	DescribeServices(context.Context, *ecs.DescribeServicesInput, ...func(*ecs.Options)) (*ecs.DescribeServicesOutput, error)
	UpdateService(context.Context, *ecs.UpdateServiceInput, ...func(*ecs.Options)) (*ecs.UpdateServiceOutput, error)
	ListTasks(context.Context, *ecs.ListTasksInput, ...func(*ecs.Options)) (*ecs.ListTasksOutput, error)
	DescribeTasks(context.Context, *ecs.DescribeTasksInput, ...func(*ecs.Options)) (*ecs.DescribeTasksOutput, error)
}

// Objects reads objects.
type Objects interface {
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Clock tells the time and lets it pass. Sleep ends early, with an error, when the context ends.
type Clock interface {
	Now() time.Time
	Sleep(context.Context, time.Duration) error
}

// Cloud is everything outside the program that a rollout needs.
type Cloud struct {
	AutoScaling AutoScaling
	ECS         ECS
	Objects     Objects
	// Get requests a URL and returns the answer's status code and the first KiB of its body.
	Get   func(ctx context.Context, url string) (code int, body string, err error)
	Clock Clock
}

// Opener opens the cloud of the stack's AWS provider, whose settings and region it gets.
type Opener func(ctx context.Context, settings awsaccess.Settings, region string) (Cloud, error)

// AWS is the Opener for AWS itself.
func AWS(ctx context.Context, settings awsaccess.Settings, region string) (Cloud, error) {
	account, err := awsaccess.Open(ctx, settings, region)
	if err != nil {
		return Cloud{}, err
	}
	return Cloud{AutoScaling: account.AutoScaling(), ECS: account.ECS(), Objects: account.S3(), Get: get, Clock: SystemClock{}}, nil
}

// get does not reuse connections: a new one sees changes of DNS names and certificates.
func get(ctx context.Context, url string) (int, string, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1024))
	if err != nil {
		return 0, "", fmt.Errorf("body: %w", err)
	}
	return answer.StatusCode, string(body), nil
}

// SystemClock is the machine's clock.
type SystemClock struct{}

// Now returns the time.
func (SystemClock) Now() time.Time { return time.Now() }

// Sleep waits for d.
func (SystemClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// SimulatedClock is a clock that only its own Sleep moves: waits take no time.
type SimulatedClock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the clock's time.
func (c *SimulatedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep moves the clock.
func (c *SimulatedClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}
