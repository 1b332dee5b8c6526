package cli_test

import (
	"flag"
	"testing"

	"cinema-database/internal/cli"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFlags(t *testing.T) {
	fs := cli.Flags("up")
	stack, config := cli.StackFile(fs), cli.Config(fs)
	require.NoError(t, cli.Parse(fs, []string{"-s", "prod-2", "-c", "a=b=c", "-c=empty=", "--config", "cinema:x=1"}))
	assert.Equal(t, "prod-2", *stack)
	assert.Equal(t, map[string]string{"a": "b=c", "empty": "", "cinema:x": "1"}, config)

	fs = cli.Flags("up")
	stack = cli.StackFile(fs)
	require.NoError(t, cli.Parse(fs, nil))
	assert.Equal(t, "dev", *stack)
}

func TestBadFlags(t *testing.T) {
	for want, args := range map[string][]string{
		`"../etc" for flag -stack: not a stack name`: {"--stack", "../etc"},
		`"eu.prod" for flag -s: has a dot`:           {"-s", "eu.prod"},
		`"" for flag -s: not a stack name`:           {"-s="},
		"flag needs an argument: -stack":             {"--stack"},
		`"=1" for flag -c: not KEY=VALUE`:            {"-c", "=1"},
		`argument "now": not known`:                  {"-c", "a=b", "now"},
		"not defined: -force":                        {"--force"},
	} {
		fs := cli.Flags("up")
		cli.StackFile(fs)
		cli.Config(fs)
		assert.ErrorContains(t, cli.Parse(fs, args), want)
	}
	for _, args := range [][]string{{"-h"}, {"--help"}, {"help"}} {
		assert.ErrorIs(t, cli.Parse(cli.Flags("up"), args), flag.ErrHelp)
	}
}
