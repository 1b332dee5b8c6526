package compute

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/compute/userdata"
)

// renderedUserData is a script in the form that EC2 accepts: gzip, then base64. Size is the part of EC2's limit that it
// needs, in bytes.
type renderedUserData struct {
	Base64 pulumi.StringOutput
	Size   pulumi.IntOutput
}

// scriptTag is the tag of what boots user data, which is compressed: a reviewer sees from it whether the script changed or
// its values did.
const scriptTag = "Script"

// scriptDigest returns the first twelve digits of a script's digest, as many as the tag Release has of a binary's.
func scriptDigest(s userdata.Script, err error) (string, error) {
	if err != nil {
		return "", fmt.Errorf("user data: %w", err)
	}
	sum := sha256.Sum256([]byte(s.Text))
	return hex.EncodeToString(sum[:6]), nil
}

// renderUserData renders a script once its values are known. The caller first renders the longest possible script, so
// that a preview refuses one that is too large.
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
