package compute

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/compute/userdata"
)

// renderedUserData is a script as EC2 takes it: gzip, then base64; and the bytes that count against
// EC2's limit.
type renderedUserData struct {
	Base64 pulumi.StringOutput
	Size   pulumi.IntOutput
}

// renderUserData renders a script whose values are known only once resources exist. The longest script
// that it can become is rendered at once, so that a preview refuses what would not fit.
func renderUserData(longest func() (userdata.Script, error), render func(values []string) (userdata.Script, error),
	values ...pulumi.StringInput,
) (renderedUserData, error) {
	if _, err := longest(); err != nil {
		return renderedUserData{}, fmt.Errorf("user data: %w", err)
	}
	in := make([]any, len(values))
	for i, v := range values {
		in[i] = v
	}
	script := pulumi.All(in...).ApplyT(func(known []any) (userdata.Script, error) {
		texts := make([]string, len(known))
		for i, v := range known {
			texts[i] = fmt.Sprint(v)
		}
		script, err := render(texts)
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
