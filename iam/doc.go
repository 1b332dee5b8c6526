// Package iam holds every role, instance profile and policy document of the running stack, as typed statements. Package
// iam/deployer holds those that deploy it; no other package writes a policy.
//
// It validates no statement: the tests of package stack refuse a `*` action, and a `*` resource where AWS takes an ARN.
package iam
