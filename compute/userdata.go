package compute

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/compute/userdata"
)

// renderedUserData is a script as EC2 takes it: gzip, then base64. Size counts against EC2's limit, in bytes.
type renderedUserData struct {
	Base64 pulumi.StringOutput
	Size   pulumi.IntOutput
}

// renderUserData renders a script once its values are known. Its caller has rendered the longest script that it can
// become, so that a preview refuses what does not fit.
func renderUserData(values pulumi.StringMap, render func(known map[string]string) (userdata.Script, error)) (renderedUserData, error) {
	script := values.ToStringMapOutput().ApplyT(func(known map[string]string) (userdata.Script, error) {
		script, err := render(known)
		if err != nil {
			return userdata.Script{}, fmt.Errorf("user data: %w", err)
		}
		return script, nil
	})
	return renderedUserData{
		Base64: script.ApplyT(func(v any) string { return v.(userdata.Script).Base64Gzip() }).(pulumi.StringOutput),
		Size:   script.ApplyT(func(v any) int { return v.(userdata.Script).Size() }).(pulumi.IntOutput),
	}, nil
}
