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
// through S3 only: the database hosts write the credentials and the API reads them, and the hosts alone read and write the
// secrets. The account administers the key but does not decrypt.
func newCredentialsKey(s *component.Scope, args *Args, writer, reader pulumi.StringInput) (*kms.Key, error) {
	of := func(key string) Conditions {
		return Conditions{"StringEquals": {
			"kms:ViaService": Strings(s.Env.Endpoint("s3")),
			// S3 gives the object's ARN as context where the bucket has no bucket key.
			"kms:EncryptionContext:aws:s3:arn": {object(args.ArtifactsARN, key)},
		}}
	}
	name := s.Name("credentials")
	key, err := kms.NewKey(s.Ctx, name, &kms.KeyArgs{
		Description:          pulumi.String("Encrypts the credentials object that the database host writes and the API reads"),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(keyWindowDays),
		Policy: Document(
			Statement{
				Sid: "Administer", Effect: Allow,
				Principals: Principals{"AWS": Strings("arn:" + s.Env.Partition + ":iam::" + s.Env.Account + ":root")},
				Actions: []string{
					"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
					"kms:EnableKey", "kms:EnableKeyRotation", "kms:DisableKeyRotation", "kms:GetKeyPolicy",
					"kms:GetKeyRotationStatus", "kms:ListAliases", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags",
					"kms:PutKeyPolicy", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
					"kms:UpdateAlias", "kms:UpdateKeyDescription",
				},
				Resources: Strings("*"), // in a key's policy: this key
			},
			Statement{
				Sid: "DatabaseHostWrites", Effect: Allow, Principals: Principals{"AWS": {writer}},
				Actions: []string{"kms:GenerateDataKey"}, Resources: Strings("*"), Conditions: of(contract.CredentialsKey),
			},
			Statement{
				Sid: "DatabaseHostsShareSecrets", Effect: Allow, Principals: Principals{"AWS": {writer}},
				Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resources: Strings("*"), Conditions: of(contract.SecretsKey),
			},
			Statement{
				Sid: "APIReads", Effect: Allow, Principals: Principals{"AWS": {reader}},
				Actions: []string{"kms:Decrypt"}, Resources: Strings("*"), Conditions: of(contract.CredentialsKey),
			},
		),
		Tags: s.Tags(name),
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
