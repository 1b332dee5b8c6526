// Package awssim simulates the part of AWS that a Pulumi program can see: the ids, ARNs, addresses and
// defaults of resources, the answers to look-ups, the difference between changes in place and replacements,
// and the requests that an account refuses.
//
// Cloud is the model of outputs. It has no state and returns the same answers on every machine. Account keeps
// the resources that exist and applies the rules between them.
//
// A type that the model does not know works too: the resource gets an id and a copy of its inputs as outputs,
// every change to it is an update, and only references to missing EC2 resources are refused.
package awssim
