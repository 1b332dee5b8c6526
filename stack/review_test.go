package stack

import (
	"bytes"
	"encoding/json"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/review"
	"cinema-database/internal/testutil/chromium"
	"cinema-database/internal/testutil/pulumitest"
	"cinema-database/internal/testutil/reviewpage"
)

// reviewed is the program as main.go makes it: --against compares with a checkout's main.go.
func reviewed(find review.Finder) pulumi.RunFunc {
	readme, err := os.ReadFile("Pulumi.README.md")
	if err != nil {
		panic(err)
	}
	return Program(Dependencies{FindBinary: find, Readme: string(readme)})
}

// page runs the review command and returns its output.
func page(t *testing.T, args ...string) string {
	t.Helper()
	return pageOf(t, reviewed, args...)
}

// pageOf is page for another program.
func pageOf(t *testing.T, program review.Program, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	code := review.Main(t.Context(), append(args, "-o", "-"), program, standIns, &out, &problems)
	require.Equal(t, 0, code, problems.String())
	return out.String()
}

// shown lists the names and values of a plan that its page must show.
func shown(r *pulumitest.Recording) map[string][]string {
	must := map[string][]string{}
	drawn := []string{
		subnetType, instanceType, volumeType, balancerType, scalingType, bucketType, functionType, keyType, vpcType, "aws:sqs/queue:Queue",
		"aws:cloudfront/distribution:Distribution", "aws:wafv2/webAcl:WebAcl",
		"aws:ec2/natGateway:NatGateway", "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/internetGateway:InternetGateway",
	}
	for _, res := range r.Resources {
		if slices.Contains(drawn, res.Type) {
			must["drawn"] = append(must["drawn"], res.Name)
		}
		if res.Type == subnetType {
			must["drawn"] = append(must["drawn"], res.Text("cidrBlock"))
		}
		if res.Protect || res.RetainOnDelete || slices.Contains([]string{ruleType, roleType, rolePolicy, bucketPolicy}, res.Type) {
			must["written"] = append(must["written"], res.Name)
		}
		if res.Type == ruleType {
			must["written"] = append(must["written"], res.Text("description"))
		}
		if res.Custom && !strings.HasPrefix(res.Type, "pulumi:providers:") {
			must["written"] = append(must["written"], res.Type)
		}
	}
	for k := range r.Exports {
		must["written"] = append(must["written"], string(k))
	}
	return must
}

// missing lists the wanted strings that a text does not contain, after a replacement of old and new pairs in each.
func missing(text string, want []string, pairs ...string) []string {
	shorten := strings.NewReplacer(pairs...)
	return slices.DeleteFunc(slices.Clone(want), func(w string) bool { return strings.Contains(text, shorten.Replace(w)) })
}

func TestReviewShowsThePlan(t *testing.T) {
	for _, name := range stacks {
		t.Run(name, func(t *testing.T) {
			r := planned(t, name, nil)
			for _, format := range []string{"html", "md"} {
				text := page(t, "--stack", name, "--format", format)
				if format == "html" {
					text = html.UnescapeString(regexp.MustCompile(`<wbr>`).ReplaceAllString(text, ""))
				}
				for _, list := range shown(r) {
					assert.Empty(t, missing(text, list), "%s: not on the page", format)
				}
				// Reviewers see logical names instead of ids and physical names.
				for _, res := range r.Resources {
					if res.Custom && regexp.MustCompile(`-(0[0-9a-f]{16}|[0-9a-f]{7})$`).MatchString(res.ID) {
						assert.False(t, strings.Contains(text, res.ID), "%s shows %s", format, res.ID)
					}
				}
				assert.False(t, strings.Contains(text, "123456789012"), "%s shows the number of the simulated account", format)
			}
		})
	}
}

// Settings of the edge, other than those of the stacks' own config.
var (
	withoutFirewall = []string{"-c", `cinema:edge={"mode":"cloudfront","waf":"off"}`}
	withoutEdge     = []string{"-c", "cinema:edge=none"}
)

// reading is what a page says.
type reading struct {
	public  []string          // the rows of "What is public" that accept connections, in Markdown
	arrows  map[string]string // the ports of each arrow of the drawing, by "from → to"
	traffic []string          // "from → to: port" of each row of the traffic table
	unknown string            // the costs that are not included
	text    string            // in Markdown
}

func readPage(t *testing.T, program review.Program, args ...string) reading {
	t.Helper()
	r := reading{arrows: map[string]string{}, text: pageOf(t, program, append(args, "--format", "md")...)}
	section := func(heading string) (rows [][]string) {
		_, after, ok := strings.Cut(r.text, "\n## "+heading+"\n")
		require.True(t, ok, heading)
		after, _, _ = strings.Cut(after, "\n## ")
		after, _, _ = strings.Cut(after, "\n### ")
		for line := range strings.Lines(after) {
			if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | "); len(cells) == 5 {
				rows = append(rows, cells)
			}
		}
		return rows
	}
	for _, row := range section("What is public") {
		if strings.Contains(row[0], "`") {
			r.public = append(r.public, strings.TrimSpace(strings.Join(row, " | ")))
		}
	}
	for _, row := range section("Traffic") {
		if port, ok := strings.CutPrefix(row[2], "tcp "); ok {
			r.traffic = append(r.traffic, strings.TrimSpace(row[0])+" → "+row[1]+": "+port)
		}
	}
	for line := range strings.Lines(r.text) {
		if strings.Contains(line, "Not included") {
			r.unknown += line
		}
	}
	drawing := html.UnescapeString(pageOf(t, program, args...))
	drawing = drawing[strings.Index(drawing, `class="topology wide"`):]
	drawing = drawing[:strings.Index(drawing, "</svg>")]
	for _, m := range regexp.MustCompile(`data-from="([^"]*)" data-to="([^"]*)"`).FindAllStringSubmatch(drawing, -1) {
		r.arrows[m[1]+" → "+m[2]] = ""
	}
	for _, m := range regexp.MustCompile(`data-of="([^"]* → [^"]*)">([^<]*)<`).FindAllStringSubmatch(drawing, -1) {
		r.arrows[m[1]] = m[2]
	}
	return r
}

// from lists the arrows that begin at a node of the drawing, with their ports.
func (r reading) from(node string) map[string]string {
	all := map[string]string{}
	for arrow, port := range r.arrows {
		if to, ok := strings.CutPrefix(arrow, node+" → "); ok {
			all[to] = port
		}
	}
	return all
}

func TestReviewShowsWhatIsPublic(t *testing.T) {
	const (
		distribution, balancer, bastion = "cloudfront Distribution edge-distribution", "lb LoadBalancer api-origin-lb", "ec2 Instance bastion-host"
		operators                       = "`bastion-host` | public address of bastion-host | port 22 from 203.0.113.0/24 | SSH of operators from 203.0.113.0/24 |"
		headers                         = "headers Content-Security-Policy, X-Content-Type-Options, X-Frame-Options, Referrer-Policy, Strict-Transport-Security"
	)
	const rules = " (rate, reputation, common, bad-inputs)"
	firewalls := map[string]string{"dev": "no firewall", "prod": "firewall edge-firewall blocks" + rules, "full": "firewall edge-firewall only counts" + rules}
	for _, name := range stacks {
		for mode, args := range map[string][]string{"as configured": nil, "without a firewall": withoutFirewall, "without the edge": withoutEdge} {
			t.Run(name+" "+mode, func(t *testing.T) {
				r := readPage(t, reviewed, append([]string{"--stack", name}, args...)...)
				assert.Empty(t, r.unknown, "costs")
				assert.NotContains(t, r.text, "pulumi:providers:")
				assert.NotRegexp(t, `\bpl-[0-9a-f]{8}`, r.text, "a prefix list without its name")
				domain, outside, public := name == "full", map[string]string{}, []string(nil)
				if mode == "without the edge" {
					access, why, tls := "port 80", "HTTP from clients", "no TLS"
					traffic := []string{"internet → load-balancer: 80"}
					if domain {
						access, why, tls = "port 443, 80", "HTTPS from clients; HTTP from clients", "TLS on port 443 (ELBSecurityPolicy-TLS13-1-2-2021-06)"
						traffic = append(traffic, "internet → load-balancer: 443")
					}
					public = append(public, "`api-lb` | load balancer | "+access+" | "+why+" | "+tls)
					assert.Subset(t, r.traffic, traffic)
					outside["ec2 InternetGateway network-internet"] = ""
					assert.Contains(t, r.text, "; Load balancer `api-lb` (internet-facing, in every zone)")
					assert.Contains(t, regexp.MustCompile(`(?m)^\| \*\*public\*\*.*`).FindString(r.text), "api-lb", "the tier of its subnets")
					assert.NotContains(t, r.text, "CloudFront distribution")
					assert.Empty(t, r.from(distribution))
					for _, to := range r.arrows {
						assert.NotContains(t, to, "s3 Bucket storage-site")
					}
				} else {
					names, tls, port := "the name that CloudFront assigns", "TLS 1.0 or later: CloudFront's own certificate sets no other minimum", "80"
					if domain {
						names, tls, port = "api.cinema.example.com, films.cinema.example.com", "TLS 1.2 or later (TLSv1.2_2021)", "443"
					}
					firewall := firewalls["dev"]
					if mode == "as configured" {
						firewall = firewalls[name]
					}
					if does, ok := strings.CutPrefix(firewall, "firewall edge-firewall "); ok {
						assert.Contains(t, r.text, ", with firewall `edge-firewall`, which "+does+"\n")
						assert.Contains(t, r.text, "\n| edge-firewall: web ACL | 1 web ACL | $5.00 ")
						assert.Contains(t, r.text, "\n| edge-firewall: 4 rules | 4 rules | $1.00 ")
					} else {
						assert.NotContains(t, r.text, "edge-firewall: web ACL")
					}
					public = append(public, "`edge-distribution` | CloudFront distribution | HTTPS (HTTP is redirected) at "+names+
						" | serves /api/* from api-origin-lb, other paths from storage-site | "+tls+"; "+firewall+"; "+headers)
					assert.Contains(t, r.traffic, "cloudfront → load-balancer: "+port)
					outside[distribution] = "443"
					assert.Equal(t, map[string]string{balancer: port, "s3 Bucket storage-site": "443"}, r.from(distribution))
					assert.Contains(t, regexp.MustCompile(`(?m)^\| \*\*private\*\*.*`).FindString(r.text), "Load balancer `api-origin-lb` (internal, in every zone)")
				}
				if domain { // the stack with operators' networks
					public = append(public, operators)
					outside[bastion] = "22"
				}
				assert.Equal(t, public, r.public)
				assert.Equal(t, outside, r.from("internet"))
			})
		}
	}
}

// TestReviewOfAnotherRegion covers the provider of CloudFront's region and another id of its prefix list.
func TestReviewOfAnotherRegion(t *testing.T) {
	r := readPage(t, reviewed, "--stack", "full", "-c", "aws:region=eu-west-1", "-c", "cinema:replicaRegion=eu-central-1",
		"-c", `cinema:availabilityZones=["eu-west-1a","eu-west-1b","eu-west-1c"]`)
	assert.Contains(t, r.traffic, "cloudfront → load-balancer: 443")
	assert.Equal(t, map[string]string{"lb LoadBalancer api-origin-lb": "443", "s3 Bucket storage-site": "443"}, r.from("cloudfront Distribution edge-distribution"))
	assert.Len(t, r.public, 2)
	assert.Empty(t, r.unknown)
	assert.NotContains(t, r.text, "pulumi:providers:")
}

func TestReviewShowsWhoReadsTheSiteAndWritesItsLogs(t *testing.T) {
	text := page(t, "--stack", "dev", "--format", "md")
	assert.Contains(t, text, "| `cloudfront.amazonaws.com` | allow read, list (s3:GetObject s3:ListBucket) | `the bucket itself` `*` | aws:SourceArn is edge-distribution | `site-policy` DistributionRead |")
	assert.Regexp(t, "\\| `delivery\\.logs\\.amazonaws\\.com` \\| allow write \\(s3:PutObject\\) \\| `AWSLogs/\\(account\\)/\\*` \\| aws:SourceArn is like .*:delivery-source:\\*;.* \\| `storage-logs` ", text)
	without := page(t, "--stack", "dev", "-c", "cinema:edge=none", "--format", "md")
	assert.NotContains(t, without, "cloudfront.amazonaws.com")
	assert.NotContains(t, without, "delivery.logs.amazonaws.com")
}

// opened is the program with what opens the load balancer's group, and a bucket, to everyone. bucket is a logical name.
func opened(t *testing.T, stack, bucket string) review.Program {
	r := planned(t, stack, nil)
	id := func(typ, name string) string {
		for _, res := range r.Resources {
			if res.Type == typ && res.Name == name {
				return res.ID
			}
		}
		require.Fail(t, "not planned", name)
		return ""
	}
	group, name := id(groupType, "network-load-balancer"), id(bucketType, bucket)
	return func(find review.Finder) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			if err := reviewed(find)(ctx); err != nil {
				return err
			}
			if _, err := ec2.NewSecurityGroupRule(ctx, "opened", &ec2.SecurityGroupRuleArgs{
				Type: pulumi.String("ingress"), SecurityGroupId: pulumi.String(group), CidrBlocks: pulumi.ToStringArray([]string{"0.0.0.0/0"}),
				Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(80), ToPort: pulumi.Int(80), Description: pulumi.String("a mistake"),
			}); err != nil {
				return err
			}
			_, err := s3.NewBucketPolicy(ctx, "opened", &s3.BucketPolicyArgs{Bucket: pulumi.String(name), Policy: pulumi.String(
				`{"Statement":[{"Sid":"Open","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + name + `/*"}]}`)})
			return err
		}
	}
}

func TestReviewShowsWhatAChangeOpens(t *testing.T) {
	for _, bucket := range []string{"storage-site", "storage-images"} {
		r := readPage(t, opened(t, "dev", bucket), "--stack", "dev")
		require.Len(t, r.public, 3)
		assert.Equal(t, []string{
			"`" + bucket + "` | bucket | everyone may read | statement Open of opened |",
			"`network-load-balancer` | security group | port 80 | a mistake; rule opened | no public load balancer or Elastic IP address in this group",
		}, r.public[1:])
		assert.Equal(t, map[string]string{
			"cloudfront Distribution edge-distribution": "443", "s3 Bucket " + bucket: "443", "lb LoadBalancer api-origin-lb": "80",
		}, r.from("internet"))
	}
}

func TestReviewIsReproducible(t *testing.T) {
	for _, format := range []string{"html", "md"} {
		first := page(t, "--stack", "prod", "--format", format)
		for range 5 {
			require.Equal(t, first, page(t, "--stack", "prod", "--format", format))
		}
	}
}

func TestReviewLoadsNothing(t *testing.T) {
	text := page(t, "--stack", "dev")
	assert.NotRegexp(t, `<script|<iframe|<object|<embed|<img|@import|\burl\((?:["']?)(?:[^#])`, strings.ReplaceAll(text, "url(#", "(#"))
	assert.NotRegexp(t, `<[a-z]+[^>]* style=`, text, "an inline style breaks the page's own policy")
	assert.NotRegexp(t, `<[a-z]+[^>]* on[a-z]+=`, text)
	for _, link := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		assert.Regexp(t, `^(#|https://aws\.amazon\.com/|data:,$)`, link[1])
	}
}

func TestReviewRefusesBadConfigAndBadCommandLines(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-c", "cinema:natGateways=many"}, 1, `cinema:natGateways: "many" is not a NAT mode; use none, single or perAz`},
		{[]string{"-c", "protekt=true"}, 1, "did you mean cinema:protect?"},
		{[]string{"--stack", "nowhere"}, 1, "there is no Pulumi.nowhere.yaml"},
		{[]string{"--against", "no-such-ref"}, 1, `--against "no-such-ref": not a commit of this repository`},
		{[]string{"--format", "pdf"}, 2, `invalid value "pdf" for flag -format: neither html nor md`},
		{[]string{"--against", "-x"}, 2, `not a git ref`},
		{[]string{"--stack"}, 2, "flag needs an argument: -stack"},
		{[]string{"--what"}, 2, "not defined: -what"},
		{[]string{"-c", "x"}, 2, `invalid value "x" for flag -c: not KEY=VALUE`},
	} {
		var out, problems bytes.Buffer
		code := review.Main(t.Context(), append([]string{"-o", "-"}, c.args...), reviewed, standIns, &out, &problems)
		assert.Equal(t, c.code, code, c.args)
		assert.Contains(t, problems.String(), c.want)
		assert.Empty(t, out.String(), c.args)
	}
}

// TestReviewInABrowser checks layout, contrast and drawing in the widths and color schemes of reviewers.
func TestReviewInABrowser(t *testing.T) {
	browser, stop := chromium.Start(t)
	t.Cleanup(stop)

	for _, c := range []struct {
		name, stack string
		args        []string
		program     review.Program // nil for the stack's
	}{
		{"dev", "dev", nil, nil}, {"prod", "prod", nil, nil}, {"full", "full", nil, nil},
		{"full without a firewall", "full", withoutFirewall, nil}, {"prod without the edge", "prod", withoutEdge, nil}, {"full without the edge", "full", withoutEdge, nil},
		{"opened by a change", "full", nil, opened(t, "full", "storage-images")},
		{"four zones with long names, operators and no NAT", "prod", []string{
			"-c", "aws:region=ap-northeast-2", "-c", "cinema:edge=none", "-c", "cinema:natGateways=none", "-c", `cinema:bastion={"cidrs":["203.0.113.0/24"]}`,
			"-c", `cinema:availabilityZones=["ap-northeast-2a","ap-northeast-2b","ap-northeast-2c","ap-northeast-2d"]`,
		}, nil},
		{"two zones, several instances in each", "dev", []string{
			"-c", `cinema:availabilityZones=["us-east-1a","us-east-1b"]`, "-c", `cinema:api={"instanceType":"m7g.2xlarge","minSize":5,"maxSize":12}`,
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			program := c.program
			if program == nil {
				program = reviewed
			}
			config := map[string]string{}
			for i := 1; i < len(c.args); i += 2 {
				k, v, _ := strings.Cut(c.args[i], "=")
				config[k] = v
			}
			r := planned(t, c.stack, config)
			p := reviewpage.Open(t, browser, pageOf(t, program, append([]string{"--stack", c.stack}, c.args...)...))
			p.Check(c.name, func(where, drawn, visible string) {
				assert.Empty(t, missing(drawn, shown(r)["drawn"]), "%s: not in the drawing", where)
				assert.Empty(t, missing(visible, shown(r)["written"]), "%s: not visible", where)
			})
		})
	}
}

// TestReviewAgainstARef compares commits of a temporary repository.
func TestReviewAgainstARef(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program again")
	}
	dir := t.TempDir()
	sh := func(name string, args ...string) string {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %v: %s", name, args, out)
		return string(out)
	}
	// A copy of the files on disk: the test covers uncommitted changes too.
	files, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skip("not in a git repository")
	}
	sh("git", "init", "--quiet")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("before\n"), 0o600))
	sh("git", "add", "-A")
	sh("git", "commit", "--quiet", "-m", "Begin")
	for f := range strings.SplitSeq(strings.Trim(string(files), "\x00"), "\x00") {
		data, err := os.ReadFile(f)
		if err != nil {
			continue // deleted on disk, still in the index
		}
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(f)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, f), data, 0o600))
	}
	sh("git", "add", "-A")
	sh("git", "commit", "--quiet", "-m", "Write the stack")
	t.Chdir(dir)
	text := page(t, "--stack", "dev", "--against", "HEAD", "--format", "md", "-c", "cinema:logRetentionDays=7")
	assert.Contains(t, text, "**Nothing changes.**")

	config, err := os.ReadFile("Pulumi.dev.yaml")
	require.NoError(t, err)
	changed := strings.NewReplacer("natGateways: single", "natGateways: perAz", "10.0.0.0/16", "10.4.0.0/16").Replace(string(config))
	require.NotEqual(t, string(config), changed)
	require.NoError(t, os.WriteFile("Pulumi.dev.yaml", []byte(changed), 0o600))
	text = page(t, "--stack", "dev", "--against", "HEAD", "--format", "md")
	assert.Contains(t, text, "| create | `network-nat-us-east-1b` ec2 NatGateway |")
	assert.Contains(t, text, "| **replace** | `network-vpc` ec2 Vpc (cidrBlock cannot change in place) | `cidrBlock` | 10.0.0.0/16 | 10.4.0.0/16 |")
	assert.Contains(t, text, "| 1 NAT gateway → 3 NAT gateways | $32.85 | $98.55 | +$65.70 |")
	assert.Contains(t, text, "4 created, 3 changed in place, 10 replaced")
	assert.NotContains(t, text, "`api-lb` lb", "unchanged resources are not listed")
	require.NoError(t, os.WriteFile("Pulumi.dev.yaml", config, 0o600))

	// A commit that changes only a binary.
	main, err := os.ReadFile("app/cmd/cinema-db/main.go")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("app/cmd/cinema-db/main.go", append(main, "\nfunc init() { println(`another release`) }\n"...), 0o600))
	sh("git", "commit", "--quiet", "-am", "Release the database host's program")
	text = page(t, "--stack", "dev", "--against", "HEAD~1", "--format", "md")
	assert.Contains(t, text, "**The service is interrupted.**")
	assert.Contains(t, text, "- The database host database-host-us-east-1a is replaced (userDataBase64)")
	assert.Regexp(t, `- Release of cinema-db: [0-9a-f]{12} → [0-9a-f]{12}, 1 commit: [0-9a-f]{7,} Release the database host's program\.`, text)
	assert.NotContains(t, text, "Release of cinema:")
	assert.NotContains(t, sh("git", "worktree", "list"), "cinema-review-", "the worktree is removed")

	var out, problems bytes.Buffer
	assert.Equal(t, 1, review.Main(t.Context(), []string{"--against", "HEAD~2", "-o", "-"}, reviewed, standIns, &out, &problems))
	assert.Contains(t, problems.String(), "(Begin) has no `review` command")
	page(t, "--stack", "dev", "--against", "HEAD") // as HTML too

	var dump struct{ Format int }
	out.Reset()
	require.Equal(t, 0, review.Main(t.Context(), []string{"dump", "--stack", "dev"}, reviewed, standIns, &out, &problems))
	require.NoError(t, json.Unmarshal(out.Bytes(), &dump))
	assert.Equal(t, 1, dump.Format)
}
