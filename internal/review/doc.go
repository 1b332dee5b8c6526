// Package review writes one page about a stack for the people who approve its changes: the topology, the traffic, what
// is public, who may do what to which bucket and key, what there is, what it costs, and what changed since a git ref.
//
// Everything on the page is computed from what the program registers (internal/plan): no account is asked, no engine or
// CLI runs, and nothing is downloaded. The same program with the same config gives the same bytes.
//
// It refuses config that the program refuses, with the program's own words, and a ref that cannot be compared.
package review
