package preflight

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNotesHaveAWSsOwnWords(t *testing.T) {
	const call = "rpc error: code = Unknown desc = invocation of aws:servicequotas/getServiceQuota:getServiceQuota returned an error: " +
		"getting Default Service Quota for (ec2/L-1216C47A): operation error Service Quotas: GetAWSDefaultServiceQuota, https response error "
	for text, want := range map[string]string{
		call + "StatusCode: 400, RequestID: 1, api error AccessDeniedException: not authorized to perform: servicequotas:GetAWSDefaultServiceQuota\n": "AccessDeniedException: not authorized to perform: servicequotas:GetAWSDefaultServiceQuota",
		call + `StatusCode: 0, RequestID: , request send failed, Post "https://servicequotas.us-east-1.amazonaws.com/": dial tcp: no such host`:       `Post "https://servicequotas.us-east-1.amazonaws.com/": dial tcp: no such host`,
	} {
		assert.Equal(t, want, short(errors.New(text)))
	}
}
