package rollout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"cinema-database/app/contract"
)

// readyWithin limits the wait for the API's readiness on a stack that has served before: a target needs some health
// checks, and an instance asks for new credentials every half minute.
const readyWithin = 5 * time.Minute

// AwaitReady requests the API's readiness through its URL until it answers 200. On a new stack it waits as long as for a
// rollout, otherwise readyWithin at most.
func (r Rollout) AwaitReady(ctx context.Context, url string, newStack bool) error {
	if !r.Readiness || r.Wait == 0 {
		return nil
	}
	limit := min(readyWithin, r.Wait)
	if newStack {
		limit = r.Wait
	}
	return r.poll(ctx, limit, func() (done bool, state string, err error) {
		code, body, err := r.Get(ctx, url+contract.ReadyPath)
		switch {
		case err != nil:
			return false, fmt.Sprintf("%s%s: %v", url, contract.ReadyPath, err), nil
		case code == http.StatusOK:
			return true, url + " is ready", nil
		}
		return false, fmt.Sprintf("%s%s answers %d: %s", url, contract.ReadyPath, code, summary(body)), nil
	}, "set release.readiness to false if the API cannot be reached from here")
}

// summary returns what an answer says is not ready: the fields of a problem document (RFC 9457), or the text's first line.
func summary(body string) string {
	var problem struct {
		Detail string
		Errors []struct{ Field, Reason string }
	}
	if json.Unmarshal([]byte(body), &problem) == nil && problem.Detail != "" {
		var parts []string
		for _, e := range problem.Errors {
			parts = append(parts, e.Field+" "+e.Reason)
		}
		return cmp.Or(strings.Join(parts, ", "), problem.Detail)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	return line
}

// HostStatus returns what the host of a role has reported about itself, nil if there is no report yet.
func (c Cloud) HostStatus(ctx context.Context, bucket, role string) (*contract.Status, error) {
	status, _, err := read[contract.Status](ctx, c.Objects, bucket, contract.StatusKey(role))
	return status, err
}

// read reads an object of JSON, nil if it does not exist, and tells how long ago it was written by the clock of S3.
func read[T any](ctx context.Context, objects Objects, bucket, key string) (v *T, age time.Duration, err error) {
	answer, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)})
	var missing *s3types.NoSuchKey
	if errors.As(err, &missing) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("s3://%s/%s: %w", bucket, key, err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if err != nil {
		return nil, 0, fmt.Errorf("s3://%s/%s: %w", bucket, key, err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, 0, fmt.Errorf("s3://%s/%s: %w", bucket, key, err)
	}
	if now, ok := middleware.GetServerTime(answer.ResultMetadata); ok && answer.LastModified != nil {
		age = now.Sub(*answer.LastModified)
	}
	return v, age, nil
}

// AwaitHost waits until an instance reports that it is ready, and fails at once if it reports that it cannot recover.
// bucket is the artifacts bucket.
func (r Rollout) AwaitHost(ctx context.Context, bucket, role, instance string) error {
	if r.Wait == 0 {
		return nil
	}
	return r.poll(ctx, r.Wait, func() (bool, string, error) {
		status, err := r.HostStatus(ctx, bucket, role)
		if err != nil {
			return false, "", err
		}
		state := fmt.Sprintf("%s host %s: ", role, instance)
		switch {
		case status == nil || status.Instance != instance:
			return false, state + "no report yet", nil
		case status.Fatal:
			return false, "", fmt.Errorf("%s%s: %s", state, status.Phase, status.Error)
		}
		return status.Phase == contract.PhaseReady, state + DescribeStatus(status), nil
	}, "its console says more: aws ec2 get-console-output --latest --instance-id "+instance)
}

// DescribeStatus renders a report on one line.
func DescribeStatus(s *contract.Status) string {
	line := s.Phase
	if s.Error != "" {
		line += ": " + s.Error
	}
	return line
}

// poll says each state until a check is done. After the limit it returns the last state and the hint.
func (r Rollout) poll(ctx context.Context, limit time.Duration, check func() (done bool, state string, err error), hint string) error {
	deadline, shown := r.Clock.Now().Add(limit), ""
	for {
		done, state, err := check()
		if err != nil {
			return err
		}
		if state != shown {
			r.Say(state)
			shown = state
		}
		if done {
			return nil
		}
		left := deadline.Sub(r.Clock.Now())
		if left <= 0 {
			return fmt.Errorf("%s; not ready after %v; %s", state, limit, hint)
		}
		if err := r.Clock.Sleep(ctx, min(PollEvery, left)); err != nil {
			return err
		}
	}
}
