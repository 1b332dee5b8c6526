package iam

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cinema-database/internal/component"
)

// keyWindowDays before a key that is destroyed is gone: the most that KMS takes (ScheduleKeyDeletion).
const keyWindowDays = 30

// newCredentialsKey encrypts the credentials object. Its policy is the whole of who may use it: the
// database host writes, the API reads, both through S3 and for that object only; the account administers
// but does not decrypt.
func newCredentialsKey(ctx *pulumi.Context, s *component.Scope, args *Args, writer, reader pulumi.StringInput) (*kms.Key, error) {
	ofTheObject := Conditions{"StringEquals": {
		"kms:ViaService": Strings(args.Endpoint("s3")),
		// S3 gives the object's ARN as context where the bucket has no bucket key.
		"kms:EncryptionContext:aws:s3:arn": {pulumi.Sprintf("%s/%s", args.ArtifactsARN, args.CredentialsKey)},
	}}
	name := s.Name("credentials")
	key, err := kms.NewKey(ctx, name, &kms.KeyArgs{
		Description:          pulumi.String("Encrypts the credentials object that the database host writes and the API reads"),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(keyWindowDays),
		Policy: Document(
			Statement{
				Sid: "Administer", Effect: Allow,
				Principals: Principals{"AWS": Strings("arn:" + args.Partition + ":iam::" + args.Account + ":root")},
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
				Actions: []string{"kms:GenerateDataKey"}, Resources: Strings("*"), Conditions: ofTheObject,
			},
			Statement{
				Sid: "APIReads", Effect: Allow, Principals: Principals{"AWS": {reader}},
				Actions: []string{"kms:Decrypt"}, Resources: Strings("*"), Conditions: ofTheObject,
			},
		),
		Tags: s.Tags(name),
		// Without the key, the credentials object cannot be read again.
	}, s.Child(pulumi.Protect(args.Protect), pulumi.RetainOnDelete(args.Protect)))
	if err != nil {
		return nil, err
	}
	_, err = kms.NewAlias(ctx, name, &kms.AliasArgs{
		Name:        pulumi.Sprintf("alias/%s-%s-credentials", ctx.Project(), ctx.Stack()),
		TargetKeyId: key.KeyId,
	}, s.Child())
	return key, err
}
