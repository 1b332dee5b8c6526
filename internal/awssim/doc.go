// Package awssim simulates the part of AWS that a Pulumi program can see: which id, ARN, address
// and default a resource gets, what the look-ups answer, which changes AWS makes in place and which
// need a replacement, and what an account refuses.
//
// Cloud is the model of outputs; it holds nothing and gives the same answer to the same question on
// every machine. Account adds memory: the resources that exist, and the rules between them.
//
// A type that the model does not know works all the same: it gets an id and an ARN-less echo of its
// inputs, every change to it is an update, and nothing is refused but references to missing ids.
package awssim
