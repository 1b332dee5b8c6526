package stack

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/sandbox"
	"cinema-database/internal/testutil/pulumitest"
)

func TestNewAccountIsRefusedWithEveryQuota(t *testing.T) {
	for name, config := range map[string]map[string]string{
		"dev":                nil,
		"with a reservation": {"cinema:thumbnailer": `{"concurrency": 10}`},
	} {
		t.Run(name, func(t *testing.T) {
			s, out := open(t, sandbox.Options{NewAccount: true, Quick: true, Config: config})
			_, err := s.Preview(t.Context(), false)
			require.Error(t, err)
			_, err = s.Up(t.Context())
			require.Error(t, err)
			assert.Empty(t, s.Account().Resources())
			for _, want := range []string{
				`account: EC2-VPC Elastic IPs: 2 addresses are needed, and the quota is 5, of which 4 are in use outside this stack; ` +
					`release addresses, or set natGateways to none, or request a quota of at least 6: Service Quotas, ec2, L-0263D0A3`,
				"account: VPCs per Region: 1 VPC is needed, and the quota is 5, of which 5 are in use outside this stack; ",
				"account: Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances: 10 vCPUs (t4g.medium, t4g.micro, t4g.nano) are needed, and the quota is 5; ",
			} {
				assert.Contains(t, out.String(), want)
			}
			assert.Equal(t, config != nil, strings.Contains(out.String(),
				"account: Concurrent executions: 11 are reserved, Lambda keeps 100 for other functions, and the quota is 10; set thumbnailer.concurrency to -1"))
		})
	}
}

// A stack that is deployed needs nothing besides what it has.
func TestQuotasDoNotCountTheStackTwice(t *testing.T) {
	s, _ := open(t, sandbox.Options{Quick: true, Config: map[string]string{"cinema:natGateways": "perAz"}}) // four of five addresses
	_, err := s.Up(t.Context())
	require.NoError(t, err)
	_, err = s.Preview(t.Context(), true)
	require.NoError(t, err)
}

func TestInstanceTypesThatTheHostsCannotRunOn(t *testing.T) {
	pulumitest.Refused(t, run(t, "dev", map[string]string{"cinema:database": `{"instanceType": "a1.large"}`}),
		`cinema:database.instanceType: "a1.large" has a processor of ARMv8.0, and Amazon Linux 2023 and MongoDB need ARMv8.2; use a later generation`)
	for _, xen := range []string{"t2.medium", "m4.large", "c4.large"} {
		r := run(t, "dev", map[string]string{"cinema:architecture": "amd64", "cinema:database": `{"instanceType": "` + xen + `"}`})
		pulumitest.Refused(t, r, `account: database.instanceType: "`+xen+`" runs on Xen`)
	}
	// The bastion has no volume to find.
	planned(t, "dev", map[string]string{"cinema:architecture": "amd64", "cinema:bastion": `{"instanceType": "t2.nano"}`})
}

func TestPreflightReportsZonesAndRegionsToo(t *testing.T) {
	r := run(t, "dev", map[string]string{
		"cinema:architecture": "amd64", "cinema:database": `{"instanceType": "m4.large"}`,
		"cinema:availabilityZones": `["us-east-1a", "us-east-1e"]`, "cinema:replicaRegion": "me-south-1",
	})
	pulumitest.Refused(t, r, `account: database.instanceType: "m4.large" runs on Xen`, `availabilityZones[1]: "us-east-1e" does not offer`,
		`account: replicaRegion: "me-south-1" is not an enabled region of this account; enable it`)
}

func TestTheAPICannotGrowBeyondTheQuota(t *testing.T) {
	r := planned(t, "dev", map[string]string{"cinema:api": `{"instanceType": "t4g.xlarge", "maxSize": 30}`})
	assert.Contains(t, r.Logs, pulumitest.Log{Severity: "warning",
		Message: "account: Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances: api.maxSize needs 124 vCPUs, and the quota is 64: the API cannot grow to it"})
}

// A caller that may not look the account up deploys as before.
func TestLookupsThatAreDeniedAreOneNote(t *testing.T) {
	var denied []pulumitest.Option
	for _, token := range []string{
		"aws:servicequotas/getServiceQuota:getServiceQuota", "aws:ec2/getEips:getEips", "aws:ec2/getVpcs:getVpcs", "aws:index/getRegions:getRegions",
		"aws:ec2/getInstanceType:getInstanceType",
	} {
		denied = append(denied, pulumitest.Fail(token))
	}
	var notes []string
	for _, log := range planned(t, "full", nil, denied...).Logs {
		if strings.HasPrefix(log.Message, "not compared with the account: ") {
			assert.Equal(t, "info", log.Severity)
			notes = append(notes, log.Message)
		}
	}
	require.Len(t, notes, 1)
	for _, subject := range []string{"Concurrent executions", "EC2-VPC Elastic IPs", "VPCs per Region", "instance types and vCPUs", "regions"} {
		assert.Contains(t, notes[0], subject+" (")
	}
}

// One type that cannot be looked up does not hide what is known of the others.
func TestOneFailedLookupHidesNoProblem(t *testing.T) {
	r := run(t, "dev", map[string]string{
		"cinema:architecture": "amd64", "cinema:bastion": `{"instanceType": "m5.7xlarge"}`, "cinema:database": `{"instanceType": "m4.large"}`,
	})
	pulumitest.Refused(t, r, `account: database.instanceType: "m4.large" runs on Xen`)
}
