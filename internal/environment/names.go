package environment

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// suffixDigits of a hash end every physical name. They differ between stacks, accounts and regions, so that a policy
// that names them reaches one stack only, and a bucket's name is free.
const suffixDigits = 7

// PhysicalName is the name on AWS of the resource with that logical name:
//
//	<project>-<stack>-<logical name>-<seven hexadecimal digits>
//
// It has at most limit characters, lower-case letters, digits and single hyphens, and starts with a letter or digit. In
// what is too long, project and stack are cut first, then the logical name, which then is part of the hash. further are
// values that force AWS to make another resource: they change the name, so that the new one can exist next to the old.
func (e Environment) PhysicalName(logical string, limit int, further ...string) string {
	identity := append([]string{e.Project, e.Stack, e.Account, e.Region}, further...)
	head, tail := clean(e.Project+"-"+e.Stack), clean(logical)
	room := limit - suffixDigits - len("--")
	if len(tail) > room-1 {
		identity = append(identity, logical)
		tail = tail[:room-1]
	}
	if most := room - len(tail); len(head) > most {
		head = head[:most]
	}
	return join(head, tail, hash(identity))
}

// maxWildcard is how many characters of a logical name the wildcard of PhysicalPattern stands for.
const maxWildcard = 24

// PhysicalPattern matches, in IAM's syntax, the physical names of the resources whose logical names start with prefix,
// and of no resource of another stack. prefix has a name's characters, and at most maxWildcard follow; for those lengths
// limit must leave the logical name whole. How much PhysicalName cuts from project and stack depends on the logical
// name, so where it can cut at all, the pattern has a wildcard for what is cut.
func (e Environment) PhysicalPattern(prefix string, limit int) string {
	head := clean(e.Project + "-" + e.Stack)
	if shortest := max(limit-suffixDigits-len("--")-len(prefix)-maxWildcard, 1); len(head) > shortest {
		head = strings.TrimRight(head[:shortest], "-") + "*"
	}
	return head + "-" + prefix + "*-" + e.Suffix()
}

// Suffix ends the physical name of every resource of the stack that nothing forces to be made again.
func (e Environment) Suffix() string {
	return hash([]string{e.Project, e.Stack, e.Account, e.Region})
}

// reserved are beginnings of names that AWS keeps for itself: load balancers (CreateLoadBalancer), security groups
// (CreateSecurityGroup) and buckets (S3 user guide, "General purpose bucket naming rules").
var reserved = []string{"internal-", "sg-", "sthree-", "amzn-s3-demo-"}

// CheckNames returns why no valid physical names can be made of project and stack, nil where they can.
func (e Environment) CheckNames() error {
	var problems []error
	for _, part := range []struct{ kind, name string }{{"project", e.Project}, {"stack", e.Stack}} {
		if clean(part.name) == "" {
			problems = append(problems, fmt.Errorf("%s name %q: holds no letter and no digit to name resources on AWS by; choose another", part.kind, part.name))
		}
	}
	begin := clean(e.Project) + "-"
	if i := slices.IndexFunc(reserved, func(r string) bool { return strings.HasPrefix(begin, r) }); i >= 0 {
		problems = append(problems, fmt.Errorf("project name %q: AWS reserves names that start with %q; choose another", e.Project, reserved[i]))
	}
	return errors.Join(problems...)
}

// clean keeps lower-case letters and digits, with single hyphens between them.
func clean(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9') })
	return strings.Join(words, "-")
}

func join(parts ...string) string {
	for i, p := range parts {
		parts[i] = strings.Trim(p, "-")
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "-")
}

func hash(parts []string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])[:suffixDigits]
}
