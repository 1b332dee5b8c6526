package deployer

import (
	"regexp"
	"strings"

	"cinema-database/internal/problem"
)

// Settings name the repository that deploys, as stack config gives it. Nil: only operators deploy, by hand.
type Settings struct {
	// GitHub repository, owner/name as GitHub spells it; with the two ids, owner@id/name@id, where the repository's tokens
	// hold them (every repository created or renamed since 2026-07-15).
	GitHub string `json:"github"`
	// Branch that is deployed; "main" where empty.
	Branch string `json:"branch"`
	// Environment of the repository that the deploying job runs in; "production" where empty.
	Environment string `json:"environment"`
	// Provider is the ARN of the account's OIDC provider for GitHub, where it has one already: an account holds one for each
	// URL. Empty: the stack creates it.
	Provider string `json:"provider"`
	// StateBucket holds Pulumi's state, where the state is in S3 (pulumi login s3://bucket). Empty: it is elsewhere.
	StateBucket string `json:"stateBucket"`
}

var (
	// githubRepository: an owner is letters, digits and single dashes inside, 39 characters at most; a
	// repository's name letters, digits, dot, dash and underscore, 100 at most (GitHub's sign-up and API).
	githubRepository = regexp.MustCompile(`^([A-Za-z0-9](?:-?[A-Za-z0-9]){0,38})(@[0-9]+)?/([A-Za-z0-9._-]{1,100})(@[0-9]+)?$`)
	// gitBranch is what git check-ref-format accepts, without IAM's wildcards.
	gitBranch = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/+-]{0,243}$`)
	// githubEnvironment leaves out what GitHub escapes in the token's subject, and IAM's wildcards.
	githubEnvironment = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9 ._/-]{0,254}$`)
	githubProvider    = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:oidc-provider/token\.actions\.githubusercontent\.com$`)
	bucketName        = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
)

// On reports whether GitHub deploys the stack.
func (s *Settings) On() bool { return s != nil }

// WithDefaults fills in what config leaves out.
func (s *Settings) WithDefaults() *Settings {
	if s == nil {
		return nil
	}
	full := *s
	if full.Branch == "" {
		full.Branch = "main"
	}
	if full.Environment == "" {
		full.Environment = "production"
	}
	return &full
}

// Check adds a problem for each setting that GitHub, IAM or S3 would not accept.
func (s *Settings) Check(l *problem.List) {
	if s == nil {
		return
	}
	switch m := githubRepository.FindStringSubmatch(s.GitHub); {
	case m == nil || m[3] == "." || m[3] == ".." || strings.HasSuffix(m[3], ".git"):
		l.Add("deployer.github", s.GitHub, "is not a GitHub repository", "write it as owner/name, or owner@id/name@id")
	case (m[2] == "") != (m[4] == ""):
		l.Add("deployer.github", s.GitHub, "has one id of two", "give the owner's and the repository's, as owner@id/name@id")
	}
	if !gitBranch.MatchString(s.Branch) || strings.Contains(s.Branch, "..") || strings.Contains(s.Branch, "//") ||
		strings.HasSuffix(s.Branch, "/") || strings.HasSuffix(s.Branch, ".lock") || strings.HasPrefix(s.Branch, "refs/") {
		l.Add("deployer.branch", s.Branch, "is not the name of one branch", "write it like main, without refs/heads/ and without wildcards")
	}
	if !githubEnvironment.MatchString(s.Environment) {
		l.Add("deployer.environment", s.Environment, "is not an environment's name that a token can be matched by", "write it like production")
	}
	if s.Provider != "" && !githubProvider.MatchString(s.Provider) {
		l.Add("deployer.provider", s.Provider, "is not the ARN of GitHub's OIDC provider",
			"write it like arn:aws:iam::123456789012:oidc-provider/"+githubHost+", or leave it out")
	}
	if s.StateBucket != "" && !bucketName.MatchString(s.StateBucket) {
		l.Add("deployer.stateBucket", s.StateBucket, "is not a bucket's name", "write the name alone, without s3:// and path")
	}
}

// repository is owner/name, without ids.
func (s *Settings) repository() string {
	m := githubRepository.FindStringSubmatch(s.GitHub)
	return m[1] + "/" + m[3]
}

// repositoryID is the repository's immutable id; "" where config gives none.
func (s *Settings) repositoryID() string {
	return strings.TrimPrefix(githubRepository.FindStringSubmatch(s.GitHub)[4], "@")
}
