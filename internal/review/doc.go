// Package review writes one page about a stack for the people who approve its changes: topology, public resources,
// traffic, access, cost, inventory, and what an update does: by the engine's plan, by comparison with a git ref, or both.
//
// It computes the page from what the program registers (internal/plan). It needs no AWS account, no Pulumi CLI and no
// network; a comparison with a ref needs the Go toolchain. The same program with the same config produces the same bytes.
//
// steps.go and diff.go find the steps of an update, effects.go says what they do to users and operators, and page.go,
// markdown.go and the drawing (topology.go, layout.go, route.go, svg.go) show it.
//
// It refuses config that the program refuses, with the program's own message, and a ref that it cannot compare with.
package review
