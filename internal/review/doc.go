// Package review writes one page about a stack for the people who approve its changes: topology, public resources,
// traffic, access, cost, inventory, and the changes since a git ref.
//
// It computes the page from what the program registers (internal/plan). It needs no AWS account, no Pulumi CLI and no
// network. The same program with the same config produces the same bytes.
//
// It refuses config that the program refuses, with the program's own message, and a ref that it cannot compare with.
package review
