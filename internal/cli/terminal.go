package cli

import "github.com/charmbracelet/lipgloss"

// The Pulumi SDK imports Bubble Tea, whose init asks the terminal for its background color and waits five seconds for a
// terminal that does not answer. It does not ask where the answer is set. Go initializes packages in the order of their import
// paths as far as their imports allow: this one, which must not import the SDK, comes before github.com/charmbracelet/bubbletea.
func init() { lipgloss.SetHasDarkBackground(true) }
