package dbhost

import (
	"context"
	"strings"
	"time"

	"cinema-database/app/contract"
)

// Agent runs until ctx ends. Every contract.ReportSeconds it makes one step of membership, if the local mongod is primary,
// and publishes this member's report. Errors are in the report and in the log; the next turn tries again.
func (h *Host) Agent(ctx context.Context) error {
	if err := h.Validate(); err != nil {
		return err
	}
	last := ""
	for ctx.Err() == nil {
		turn, cancel := context.WithTimeout(ctx, turnTimeout)
		report, err := h.Turn(turn)
		cancel()
		if err != nil && ctx.Err() == nil && err.Error() != last {
			h.Log.WarnContext(ctx, "the report is not published", "error", err)
			last = err.Error()
		} else if report.Error != last && ctx.Err() == nil {
			h.Log.InfoContext(ctx, "membership", "state", report.State, "error", report.Error)
			last = report.Error
		}
		if h.Wait(ctx, contract.ReportSeconds*time.Second) != nil {
			break
		}
	}
	return nil
}

// turnTimeout limits one turn of the agent.
const turnTimeout = 45 * time.Second

// Turn is one turn of the agent.
func (h *Host) Turn(ctx context.Context) (contract.Report, error) {
	report := contract.Report{Zone: h.Zone, Host: h.Name, Members: []contract.MemberState{}}
	s, err := h.read()
	if err == nil {
		var done string
		if done, err = s.advance(ctx); err == nil {
			report.Error = done
		}
		if observed := s.observe(ctx, &report); err == nil {
			err = observed
		}
	}
	if err != nil {
		report.Error = oneLine(err.Error())
	}
	report.Time = h.Now().UTC().Format(time.RFC3339Nano)
	_, err = h.put(ctx, contract.ReportKey(h.Zone), report, false)
	return report, err
}

// observe fills the report with what the local mongod says.
func (s *session) observe(ctx context.Context, report *contract.Report) error {
	local, err := s.localHello(ctx)
	if err != nil {
		return err
	}
	report.Primary = hostName(local.Primary)
	admin, err := s.Dial(ctx, "", s.ca, s.login())
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	_, states, err := readSet(ctx, admin)
	if err != nil {
		return err
	}
	report.Members = append(report.Members, states...)
	for _, m := range states {
		if m.Host == s.Name {
			report.State = m.State
		}
	}
	return nil
}

const maxError = 500

// oneLine cuts a message to one line of maxError bytes at most.
func oneLine(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	return strings.ToValidUTF8(message[:min(len(message), maxError)], "")
}
