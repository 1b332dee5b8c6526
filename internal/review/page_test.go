package review

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/chromium"
	"cinema-database/internal/testutil/pulumitest"
	"cinema-database/internal/testutil/reviewpage"
	"cinema-database/stack"
)

// planned runs the whole program on a stack's config file, with some keys changed.
func planned(t *testing.T, name string, change map[string]string) *pulumitest.Recording {
	t.Helper()
	r := pulumitest.Run(t, stack.Program(stack.Dependencies{FindBinary: placeholder, Readme: "readme"}), pulumitest.Stack("cinema", name),
		pulumitest.Config(pulumitest.StackConfig(t, "Pulumi."+name+".yaml")), pulumitest.Config(change), pulumitest.Fail("aws:ecr/getImage:getImage"))
	require.NoError(t, r.Err)
	return r
}

func topologyOf(t *testing.T, name string, change map[string]string) *topology {
	t.Helper()
	return newView(planned(t, name, change)).topology()
}

// Each member is in its zone. The arrows from and to several members are the replica set's.
func TestDrawingOfMembers(t *testing.T) {
	t.Chdir("../..")
	const set, host = "compute Database database", "ec2 Instance database-host-us-east-1a"
	for _, c := range []struct {
		members string
		holder  string
		spans   []string
		hosts   []string
	}{
		{"1", host, nil, []string{"database-host-us-east-1a", "", "", ""}},
		{"3", set, []string{"MongoDB replica set database, 3 members, 27017 between them"},
			[]string{"database-host-us-east-1a", "database-host-us-east-1b", "database-host-us-east-1c", ""}},
	} {
		all := topologyOf(t, "full", map[string]string{"cinema:database": `{"members":` + c.members + `}`})
		row := all.Tiers[2]
		require.Equal(t, "database", row.Name)
		var spans, hosts []string
		for _, s := range row.Spans {
			spans = append(spans, strings.Join(append([]string{s.Title + " " + s.Name}, s.Notes...), ", "))
		}
		for _, s := range row.Subnets {
			name := ""
			for _, n := range s.Nodes {
				if n.Title == "MongoDB host" {
					name += n.Name
				}
			}
			hosts = append(hosts, name)
		}
		assert.Equal(t, c.spans, spans)
		assert.Equal(t, c.hosts, hosts)
		var arrows []string
		for _, f := range all.Flows {
			assert.NotEqual(t, f.From, f.To)
			if (f.From == c.holder || f.To == c.holder || strings.HasPrefix(f.To, "ec2 Instance database-host")) && f.Kind != "attached" {
				arrows = append(arrows, f.From+" → "+f.To+": "+f.Label)
			}
		}
		assert.Equal(t, []string{
			"ec2 Instance bastion-host → " + c.holder + ": 22", "autoscaling Group api-group → " + c.holder + ": 27017",
			c.holder + " → ec2 VpcEndpoint network-s3-database: 443",
		}, arrows)
	}
}

func TestDrawingShowsTheWaysOut(t *testing.T) {
	t.Chdir("../..")
	arrows := map[string]string{}
	all := topologyOf(t, "full", nil)
	for _, f := range all.Flows {
		arrows[f.Kind+": "+f.From+" → "+f.To] = f.Label
	}
	for _, want := range []struct{ arrow, label string }{
		{"egress: ec2 NatGateway network-nat-us-east-1b → ec2 InternetGateway network-internet", ""},
		{"egress: ec2 Instance bastion-host → ec2 InternetGateway network-internet", "443"},
		{"egress: ec2 InternetGateway network-internet → internet", ""},
		{"copy: s3 Bucket storage-images → s3 Bucket replica-images", "copies"},
		{"copy: ebs Volume database-data-us-east-1a → backup Vault backup-vault", "daily, hourly"},
		{"copy: backup Vault backup-vault → backup Vault backup-copies", "copies"},
	} {
		label, ok := arrows[want.arrow]
		assert.True(t, ok, want.arrow)
		assert.Equal(t, want.label, label, want.arrow)
	}
	names := map[string][]string{}
	for _, g := range all.Groups {
		for _, n := range g.Nodes {
			names[g.Name] = append(names[g.Name], strings.Join(append([]string{n.Title, n.Name}, n.Notes...), ", "))
		}
	}
	assert.Equal(t, []string{"Bucket, replica-images", "Backup vault, backup-copies"}, names["Region us-west-2"])
	assert.Subset(t, names["Operations"], []string{
		"Backup vault, backup-vault, daily, kept 7 days, hourly, kept 2 days",
		"Notifications, monitoring-alarms, of 28 alarms and 4 event rules, by email",
		"Logs, network-flow-logs, kept 14 days",
	})

	for _, g := range topologyOf(t, "dev", nil).Groups {
		for _, n := range g.Nodes {
			assert.Equal(t, "Logs", n.Title, n.Name)
		}
	}
}

// TestArrowsOfTheStacks covers the drawings of the stacks, which are more crowded than a test's.
func TestArrowsOfTheStacks(t *testing.T) {
	t.Chdir("../..")
	for _, name := range []string{"dev", "prod", "full"} {
		top := topologyOf(t, name, nil)
		for _, d := range []*drawing{top.wide(), top.narrow()} {
			assert.Empty(t, crossings(d), "%s %s", name, d.Class)
			assert.Len(t, d.Arrows, len(top.Flows), "%s %s", name, d.Class)
		}
	}
}

// TestChangeInABrowser checks the drawing of changes, with what they remove.
func TestChangeInABrowser(t *testing.T) {
	browser, stop := chromium.Start(t)
	t.Cleanup(stop)
	t.Chdir("../..")
	for _, c := range []struct {
		name, stack   string
		before, after map[string]string
		marks         []string // the classes of the legend
	}{
		{"fewer gateways, another size and no replica", "full", nil, map[string]string{
			"cinema:natGateways": "single", "cinema:database": `{"instanceType":"m7g.large"}`, "cinema:replicaRegion": ""},
			[]string{"mark-changed", "mark-removed"}},
		{"a fourth zone and more gateways", "prod",
			map[string]string{"cinema:availabilityZones": `["us-east-1a","us-east-1b","us-east-1c"]`, "cinema:natGateways": "single"},
			map[string]string{"cinema:availabilityZones": `["us-east-1a","us-east-1b","us-east-1c","us-east-1d"]`, "cinema:natGateways": "perAz"},
			[]string{"mark-new", "mark-changed"}},
		{"without the edge", "full", nil, map[string]string{"cinema:edge": "none"}, []string{"mark-new", "mark-changed", "mark-removed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, after := planned(t, c.stack, c.before), planned(t, c.stack, c.after)
			p := newPage("cinema", c.stack, after, after)
			p.Changes, p.drawn = changesOf(before, after), newView(after).topology()
			p.Changes.judge(newView(after))
			p.drawn.mark(p.Changes.marks(), newView(before).topology())
			var classes []string
			for _, e := range p.Legend() {
				if strings.HasPrefix(e.Class, "mark-") {
					classes = append(classes, e.Class)
				}
			}
			require.Equal(t, c.marks, classes)
			data, err := p.html()
			require.NoError(t, err)
			reviewpage.Open(t, browser, string(data)).Check(c.name, func(where, drawn, _ string) {
				for mark, names := range p.drawn.marked() {
					for _, name := range names {
						assert.Contains(t, drawn, name, "%s: %s", where, mark)
					}
				}
				for _, d := range []*drawing{p.drawn.wide(), p.drawn.narrow()} {
					assert.Empty(t, crossings(d), where)
				}
			})
		})
	}
}

// services are two further services: demo at a path, preview at a host name.
func services(change map[string]string) map[string]string {
	config := map[string]string{
		"cinema:domain": `{"zone":"cinema.example.com","createZone":true,"hosts":[{"name":"films.cinema.example.com","service":"api"}]}`,
		"cinema:services": `{"demo": {"image": "v1", "path": "/demo/*"}, "preview": {"image": "v1", "host": "preview.cinema.example.com",
			"secrets": {"TOKEN": "ssm:/cinema/token"}, "permissions": {"database": true, "read": ["images/orig/"]}}}`,
	}
	maps.Copy(config, change)
	return config
}

var servicesOf = map[string]map[string]string{
	"on Fargate":       nil,
	"on hosts":         {"cinema:containers": `{"capacity":"ec2"}`},
	"without NAT":      {"cinema:natGateways": "none", "cinema:containers": `{"capacity":"ec2"}`},
	"without the edge": {"cinema:edge": "none"},
}

func TestArrowsOfServices(t *testing.T) {
	t.Chdir("../..")
	for name, change := range servicesOf {
		for _, stack := range []string{"dev", "full"} {
			top := topologyOf(t, stack, services(change))
			for _, d := range []*drawing{top.wide(), top.narrow()} {
				assert.Empty(t, crossings(d), "%s %s %s", stack, name, d.Class)
				assert.Len(t, d.Arrows, len(top.Flows), "%s %s %s", stack, name, d.Class)
			}
		}
	}
}

func TestServicesInABrowser(t *testing.T) {
	browser, stop := chromium.Start(t)
	t.Cleanup(stop)
	t.Chdir("../..")
	for name, change := range servicesOf {
		t.Run(name, func(t *testing.T) {
			r := planned(t, "full", services(change))
			data, err := newPage("cinema", "full", r, r).html()
			require.NoError(t, err)
			reviewpage.Open(t, browser, string(data)).Check("services "+name, func(where, drawn, _ string) {
				for _, res := range r.Resources {
					switch res.Type {
					case ecsServiceType, repositoryType, distributionType, endpointType, scalingType:
						assert.Contains(t, drawn, res.Name, where)
					}
				}
			})
		})
	}
}
