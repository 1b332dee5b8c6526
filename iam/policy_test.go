package iam

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"cinema-database/internal/testutil/pulumitest"
)

func TestDocumentAndLiteralRenderTheSame(t *testing.T) {
	statements := []Statement{
		{
			Sid: "Everything", Effect: Deny, Principals: Principals{"Service": Strings("a.amazonaws.com", "b.amazonaws.com"), "AWS": Strings("*")},
			Actions: []string{"s3:GetObject"}, Resources: Strings("arn:aws:s3:::a/*", "arn:aws:s3:::b/*"),
			Conditions: Conditions{"Bool": {"aws:SecureTransport": Strings("false")}},
		},
		{Effect: Allow, Actions: []string{"sts:AssumeRole", "sts:TagSession"}},
	}
	const want = `{"Statement":[` +
		`{"Action":"s3:GetObject","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny",` +
		`"Principal":{"AWS":"*","Service":["a.amazonaws.com","b.amazonaws.com"]},` +
		`"Resource":["arn:aws:s3:::a/*","arn:aws:s3:::b/*"],"Sid":"Everything"},` +
		`{"Action":["sts:AssumeRole","sts:TagSession"],"Effect":"Allow"}],"Version":"2012-10-17"}`
	literal, err := Literal(statements...)
	require.NoError(t, err)
	assert.Equal(t, want, literal)
	r := pulumitest.Run(t, func(ctx *pulumi.Context) error {
		ctx.Export("document", Document(statements...))
		return nil
	})
	require.NoError(t, r.Err)
	assert.Equal(t, want, r.Export("document").StringValue())
}

func TestLiteralRefusesAnUnknownValue(t *testing.T) {
	_, err := Literal(Statement{Effect: Allow, Actions: []string{"s3:GetObject"}, Resources: []pulumi.StringInput{pulumi.String("a").ToStringOutput()}})
	require.EqualError(t, err, "iam: policy document: a value (pulumi.StringOutput) is not known")
}
