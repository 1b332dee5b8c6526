package awsaccess

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asked records the requests to an emulator, as "action access-key".
type asked struct {
	mu       sync.Mutex
	requests []string
}

func (a *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = r.ParseForm()
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(credential, "/")
	action := r.Form.Get("Action")
	a.requests = append(a.requests, strings.Join(strings.Fields(action+" "+r.Form.Get("RoleArn")+" "+key), " "))
	if action == "AssumeRole" {
		fmt.Fprint(w, `<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><Arn>arn</Arn><AssumedRoleId>id</AssumedRoleId></AssumedRoleUser>
			<Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
			</AssumeRoleResult></AssumeRoleResponse>`)
		return
	}
	fmt.Fprint(w, `<R><DescribeAutoScalingGroupsResult/></R>`)
}

// The account is the one of the provider's settings, not of the environment.
func TestTheProvidersSettingsDecide(t *testing.T) {
	profiles := filepath.Join(t.TempDir(), "credentials")
	require.NoError(t, os.WriteFile(profiles, []byte("[ops]\naws_access_key_id = OPS\naws_secret_access_key = s\n"), 0o600))
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "ENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_ENDPOINT_URL": "",
	} {
		t.Setenv(name, value)
	}
	role := `{"roleArn": "arn:aws:iam::123456789012:role/deploy", "sessionName": "test", "duration": "1h"}`
	for name, c := range map[string]struct {
		settings Settings
		want     []string
	}{
		"environment": {Settings{}, []string{"DescribeAutoScalingGroups ENVIRONMENT"}},
		"keys":        {Settings{"accessKey": "KEY", "secretKey": "s"}, []string{"DescribeAutoScalingGroups KEY"}},
		"profile":     {Settings{"profile": "ops", "sharedCredentialsFiles": `["` + filepath.ToSlash(profiles) + `"]`}, []string{"DescribeAutoScalingGroups OPS"}},
		"role": {Settings{"assumeRole": role, "accessKey": "KEY", "secretKey": "s"},
			[]string{"AssumeRole arn:aws:iam::123456789012:role/deploy KEY", "DescribeAutoScalingGroups ROLE"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := &asked{}
			server := httptest.NewServer(a)
			defer server.Close()
			c.settings["endpoints"] = fmt.Sprintf(`[{"autoscaling": %q, "sts": %[1]q}]`, server.URL)
			c.settings["defaultTags"] = `{"tags": {}}` // concerns only resources
			account, err := Open(t.Context(), c.settings, "eu-west-1")
			require.NoError(t, err)
			_, err = account.AutoScaling().DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{})
			require.NoError(t, err)
			assert.Equal(t, c.want, slices.Compact(a.requests), "the library may assume a role more than once")
		})
	}
}

func TestEveryBadSettingIsNamed(t *testing.T) {
	_, err := Open(t.Context(), Settings{"endpoints": "{", "assumeRole": `{"duration": "soon"}`, "maxRetries": "many"}, "eu-west-1")
	for _, want := range []string{"aws:endpoints: ", "aws:assumeRole: ", `aws:maxRetries: strconv.Atoi: parsing "many"`} {
		require.ErrorContains(t, err, want)
	}
}
