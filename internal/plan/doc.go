// Package plan records a Pulumi program's registrations: every resource with its inputs and options, the stack's
// outputs, and the log. It needs no account, engine or CLI.
//
// Record acts as the engine: it serves the resource monitor that pulumi.RunErr calls, answers with awssim's model of
// AWS, and records every registration as it arrives. pulumi.WithMocks would be shorter, but has neither the outputs
// that components and the stack register, nor unknown values, nor log messages.
//
// A recording is not compared with a state: internal/sandbox shows updates, replacements and partial failures.
package plan
