package iam

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/app/contract"
	"cinema-database/internal/component"
)

// keyWindowDays is how long a deleted key can be restored, KMS's maximum (ScheduleKeyDeletion).
const keyWindowDays = 30

// newCredentialsKey encrypts the credentials object and the cluster's secrets. Its policy alone decides who may use it, and
// through S3 only: the database hosts write the credentials, the API and services with that permission read them, and the
// hosts alone read and write the secrets. The account administers the key but does not decrypt.
func newCredentialsKey(s *component.Scope, args *Args, writer, reader pulumi.StringInput) (*kms.Key, error) {
	of := func(key string) Conditions {
		return Conditions{"StringEquals": {
			"kms:ViaService": Strings(s.Env.Endpoint("s3")),
			// S3 gives the object's ARN as context where the bucket has no bucket key.
			"kms:EncryptionContext:aws:s3:arn": {object(args.ArtifactsARN, key)},
		}}
	}
	account := Principals{"AWS": Strings("arn:" + s.Env.Partition + ":iam::" + s.Env.Account + ":root")}
	statements := []Statement{
		{
			Sid: "Administer", Effect: Allow,
			Principals: account,
			Actions: []string{
				"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
				"kms:EnableKey", "kms:EnableKeyRotation", "kms:DisableKeyRotation", "kms:GetKeyPolicy",
				"kms:GetKeyRotationStatus", "kms:ListAliases", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags",
				"kms:PutKeyPolicy", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
				"kms:UpdateAlias", "kms:UpdateKeyDescription",
			},
			Resources: Strings("*"), // in a key's policy: this key
		},
		{
			Sid: "DatabaseHostWrites", Effect: Allow, Principals: Principals{"AWS": {writer}},
			Actions: []string{"kms:GenerateDataKey"}, Resources: Strings("*"), Conditions: of(contract.CredentialsKey),
		},
		{
			Sid: "DatabaseHostsShareSecrets", Effect: Allow, Principals: Principals{"AWS": {writer}},
			Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: Strings("*"), Conditions: of(contract.SecretsKey),
		},
		{
			Sid: "APIReads", Effect: Allow, Principals: Principals{"AWS": {reader}},
			Actions: []string{"kms:Decrypt"}, Resources: Strings("*"), Conditions: of(contract.CredentialsKey),
		},
	}
	if len(args.DatabaseServices) > 0 {
		// The roles are made after the key, and KMS refuses a principal that does not exist. So the principal is the account: the
		// role's own policy must allow it too (KMS developer guide, "Default key policy").
		conditions := of(contract.CredentialsKey)
		conditions["ArnEquals"] = map[string][]pulumi.StringInput{"aws:PrincipalArn": taskRoleARNs(s.Env, args.DatabaseServices)}
		statements = append(statements, Statement{
			Sid: "ServicesRead", Effect: Allow, Principals: account,
			Actions: []string{"kms:Decrypt"}, Resources: Strings("*"), Conditions: conditions,
		})
	}
	name := s.Name("credentials")
	key, err := kms.NewKey(s.Ctx, name, &kms.KeyArgs{
		Description:          pulumi.String("Encrypts the credentials object that the database host writes and the API reads"),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(keyWindowDays),
		Policy:               Document(statements...),
		Tags:                 s.Tags(name),
		// Without the key, the credentials object cannot be read again.
	}, s.Child(pulumi.Protect(s.Env.Protect), pulumi.RetainOnDelete(s.Env.Protect)))
	if err != nil {
		return nil, err
	}
	_, err = kms.NewAlias(s.Ctx, name, &kms.AliasArgs{
		TargetKeyId: key.KeyId,
	}, s.Child())
	return key, err
}
