// Package iam holds every role, instance profile and policy document of the stack, as typed
// statements: what a role may do is read here and nowhere else.
//
// It refuses nothing by itself; the stack's tests refuse a `*` action, and a `*` resource where AWS
// takes an ARN.
package iam
