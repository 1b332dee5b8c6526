package awssim

import "strings"

var identityKinds = map[string]kind{
	"aws:iam/role:Role": {
		id: same("name"), tagged: true, name: naming{property: "name", limit: 64},
		outputs: func(d *draft) {
			d.set("path", "/")
			d.set("arn", d.expand("iam::{account}:role"+d.text("path")+"{name}"))
			d.set("uniqueId", "AROA"+strings.ToUpper(d.hash("unique", 17)))
			d.set("createDate", stamp)
			d.set("maxSessionDuration", num(3600))
			d.set("forceDetachPolicies", false)
			d.set("managedPolicyArns", strs())
		},
		replace: []string{"name", "namePrefix", "path"},
		unique:  pick("name"),
	},
	"aws:iam/rolePolicy:RolePolicy": {
		id: joined(":", "role", "name"), name: naming{property: "name", limit: 128}, replace: []string{"name", "namePrefix", "role"},
		unique: pick("role", "name"), needs: need1("role", "aws:iam/role:Role"),
	},
	"aws:iam/policy:Policy": {
		id: func(d *draft) string {
			path := d.text("path")
			if path == "" {
				path = "/"
			}
			return d.expand("iam::{account}:policy" + path + "{name}")
		},
		tagged: true, name: naming{property: "name", limit: 128},
		outputs: func(d *draft) {
			d.set("arn", d.id)
			d.set("path", "/")
			d.set("policyId", "ANPA"+strings.ToUpper(d.hash("unique", 17)))
			d.set("attachmentCount", num(0))
		},
		replace: []string{"description", "name", "namePrefix", "path"},
		unique:  pick("name"),
	},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
		id:      func(d *draft) string { return d.text("role") + "-" + number(d.text("policyArn"), 20) },
		replace: []string{"policyArn", "role"}, unique: pick("policyArn", "role"),
		needs: []need{{"role", []string{"aws:iam/role:Role"}}, {"policyArn", []string{"aws:iam/policy:Policy"}}},
	},
	"aws:iam/instanceProfile:InstanceProfile": {
		id: same("name"), tagged: true, name: naming{property: "name", limit: 128},
		outputs: func(d *draft) {
			d.set("path", "/")
			d.set("arn", d.expand("iam::{account}:instance-profile"+d.text("path")+"{name}"))
			d.set("uniqueId", "AIPA"+strings.ToUpper(d.hash("unique", 17)))
			d.set("createDate", stamp)
		},
		replace: []string{"name", "namePrefix", "path"}, unique: pick("name"), needs: need1("role", "aws:iam/role:Role"),
	},
	"aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
		id: func(d *draft) string {
			return d.expand("iam::{account}:oidc-provider/" + strings.TrimPrefix(d.text("url"), "https://"))
		},
		tagged: true,
		outputs: func(d *draft) {
			d.set("arn", d.id)
			d.set("thumbprintLists", strs())
		},
		replace: []string{"url"}, unique: pick("url"),
	},
}
