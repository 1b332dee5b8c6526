// Package plan records what a Pulumi program registers: every resource with its inputs and options, the stack's
// outputs, and what is logged. No account, engine or CLI is needed.
//
// Record stands in for the engine: it serves the resource monitor that pulumi.RunErr talks to, answers with
// awssim's model of AWS, and keeps every registration as it came. pulumi.WithMocks would be shorter, but shows
// neither the outputs that components and the stack register, nor unknown values, nor logged messages.
//
// Nothing is compared with a state here: for updates, replacements and partial failures see internal/sandbox.
package plan
