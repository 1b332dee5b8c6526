package review

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"cinema-database/internal/plan"
)

// Operations of a step.
const (
	opCreate  = "create"
	opUpdate  = "update"
	opReplace = "replace"
	opDelete  = "delete"
)

// step is what an update does to one resource: by the engine's plan, or by the comparison of two recordings.
type step struct {
	Op, Name, Type string
	// Replaces lists the inputs that AWS cannot change in place.
	Replaces []string
	Edits    []edit
	// Protected and Retained are the options of the resource that exists.
	Protected, Retained bool

	was, is resource.PropertyMap // inputs, nil where there is no resource
	state   resource.PropertyMap // of the resource that exists
}

// Note states the effect of protection or retention.
func (s step) Note() string {
	switch gone := s.Op == opDelete || s.Op == opReplace; {
	case gone && s.Protected:
		return "protected: Pulumi refuses the update until the protection is off"
	case gone && s.Retained:
		return "stays on AWS, unmanaged"
	}
	return ""
}

// Reason states why a step is not a mere change in place.
func (s step) Reason() string {
	switch {
	case s.Op == opReplace && s.Type == definitionType:
		return "a new revision, which its gate brings to the tasks"
	case s.Op == opReplace && len(s.Replaces) > 0:
		return strings.Join(s.Replaces, ", ") + " cannot change in place"
	case s.Op == opReplace:
		return "with a resource that it follows"
	}
	return ""
}

// harms are the prefixes of type tokens by the harm that a change of them can do, worst first.
var harms = [][]string{
	{"aws:ebs/", "aws:s3/", "aws:kms/", "aws:backup/", "aws:ecr/", attachmentType},
	{"aws:iam/", "aws:sns/topicPolicy", "aws:sqs/queuePolicy", "aws:lambda/permission"},
	{"aws:lb/", "aws:cloudfront/", "aws:route53/", "aws:acm/", "aws:wafv2/", "aws:vpc/"},
	{"aws:ec2/instance:", "aws:ec2/launchTemplate:", "aws:autoscaling/", "aws:lambda/", "aws:sqs/", "aws:ecs/", "aws:appautoscaling/", gateType},
	{"aws:ec2/"},
	{"aws:cloudwatch/", "aws:sns/", "aws:budgets/"},
}

// byHarm orders steps: what is replaced or goes, then data, access, network, compute and monitoring.
func byHarm(a, b step) int {
	rank := func(s step) int {
		area := slices.IndexFunc(harms, func(prefixes []string) bool {
			return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s.Type, p) })
		})
		if area < 0 {
			area = len(harms)
		}
		return slices.Index([]string{opDelete, opReplace, opUpdate, opCreate}, s.Op)/2*100 + area
	}
	return cmp.Or(rank(a)-rank(b), strings.Compare(a.Name, b.Name), strings.Compare(a.Type, b.Type))
}

// enginePlan is what `pulumi preview --json` writes. With --show-sames it also has the resources that do not change.
type enginePlan struct {
	Steps []struct {
		Op             string              `json:"op"`
		URN            resource.URN        `json:"urn"`
		OldState       *apitype.ResourceV3 `json:"oldState"`
		NewState       *apitype.ResourceV3 `json:"newState"`
		ReplaceReasons []string            `json:"replaceReasons"`
	} `json:"steps"`
	Diagnostics []struct {
		Message  string `json:"message"`
		Severity string `json:"severity"`
	} `json:"diagnostics"`
}

// readPlan reads the output of `pulumi preview --json`.
func readPlan(file string) (*enginePlan, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("review: --plan: %w", err)
	}
	var p enginePlan
	err = json.Unmarshal(data, &p)
	if err == nil && len(p.Steps)+len(p.Diagnostics) == 0 {
		err = errors.New("it has neither steps nor messages")
	}
	if err != nil {
		return nil, fmt.Errorf("review: --plan %s: %w; write the file with `pulumi preview --json --show-sames`, and nothing but its standard output", file, err)
	}
	return &p, nil
}

// problems lists the errors of the preview.
func (p *enginePlan) problems() (all []string) {
	for _, d := range p.Diagnostics {
		if d.Severity == "error" {
			all = append(all, strings.TrimSpace(d.Message))
		}
	}
	return all
}

// changes reads the plan's steps. now has what the program registers.
func (p *enginePlan) changes(now *view) (*changes, error) {
	c := &changes{Planned: true, Problems: p.problems()}
	deployed, complete, err := p.deployed()
	if err != nil {
		return nil, err
	}
	for _, s := range p.Steps {
		if s.URN.Type() == resource.RootStackType {
			continue // a preview does not know its outputs
		}
		op := map[string]string{
			"create": opCreate, "import": opCreate, "update": opUpdate, "replace": opReplace, "create-replacement": opReplace,
			"import-replacement": opReplace, "delete": opDelete,
		}[s.Op]
		if op == "" || strings.HasPrefix(string(s.URN.Type()), providerPrefix) {
			continue
		}
		if state := cmp.Or(s.NewState, s.OldState); state == nil || !state.Custom {
			continue
		}
		out := step{Op: op, Name: s.URN.Name(), Type: string(s.URN.Type()), Replaces: slices.Sorted(slices.Values(s.ReplaceReasons))}
		if s.OldState != nil {
			out.Protected, out.Retained = s.OldState.Protect, s.OldState.RetainOnDelete
		}
		inputs := func(r *apitype.ResourceV3) map[string]any { return r.Inputs }
		var problems [3]error
		out.was, problems[0] = properties(s.OldState, inputs)
		out.is, problems[1] = properties(s.NewState, inputs)
		out.state, problems[2] = properties(s.OldState, func(r *apitype.ResourceV3) map[string]any { return r.Outputs })
		if err := errors.Join(problems[:]...); err != nil {
			return nil, fmt.Errorf("review: --plan: %s: %w", out.Name, err)
		}
		if op == opUpdate || op == opReplace {
			var ignored []string
			if s.NewState != nil {
				ignored = s.NewState.IgnoreChanges
			}
			out.Edits = edits(flat(deployed, nil, out.was, ignored), flat(deployed, nil, out.is, ignored))
		}
		c.Steps = append(c.Steps, out)
	}
	slices.SortStableFunc(c.Steps, byHarm)
	if complete {
		changed := map[string]bool{}
		for _, s := range c.Steps {
			changed[s.Name] = true
		}
		// Other policies are the same, but for ids that the review and the account do not share.
		c.compared(deployed, now, func(g grant) bool { return changed[g.Source] })
	}
	return c, nil
}

// deployed is what the stack has before the update, as far as the plan has it: complete means all of it, as with --show-sames.
func (p *enginePlan) deployed() (v *view, complete bool, err error) {
	r, seen := &plan.Recording{}, map[resource.URN]bool{}
	for _, s := range p.Steps {
		complete = complete || s.Op == "same" && s.URN.Type() != resource.RootStackType
		if s.OldState == nil || seen[s.URN] || s.URN.Type() == resource.RootStackType {
			continue
		}
		seen[s.URN] = true
		was := &plan.Resource{
			URN: string(s.URN), Type: string(s.URN.Type()), Name: s.URN.Name(), ID: string(s.OldState.ID), Custom: s.OldState.Custom,
			Parent: string(s.OldState.Parent), Protect: s.OldState.Protect, RetainOnDelete: s.OldState.RetainOnDelete,
		}
		var problems [2]error
		was.Inputs, problems[0] = plan.Properties(s.OldState.Inputs)
		was.State, problems[1] = plan.Properties(s.OldState.Outputs)
		if err := errors.Join(problems[:]...); err != nil {
			return nil, false, fmt.Errorf("review: --plan: %s: %w", was.Name, err)
		}
		r.Resources = append(r.Resources, was)
	}
	slices.SortFunc(r.Resources, func(a, b *plan.Resource) int { return strings.Compare(a.Type+" "+a.URN, b.Type+" "+b.URN) })
	v = newView(r)
	for _, rule := range v.ByType(ruleType) {
		for _, list := range list(rule.Inputs, "prefixListIds") {
			if v.prefixList(list) == list { // no endpoint's: the account's id of CloudFront's
				v.cloudFrontList = list
			}
		}
	}
	return v, complete, nil
}

func properties(r *apitype.ResourceV3, of func(*apitype.ResourceV3) map[string]any) (resource.PropertyMap, error) {
	if r == nil {
		return nil, nil
	}
	return plan.Properties(of(r))
}
