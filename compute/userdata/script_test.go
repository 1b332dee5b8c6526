package userdata

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run `go test ./compute/userdata -update` and review the difference")
}

// lint parses a script as bash, and checks it with shellcheck if that is installed.
func lint(t *testing.T, s Script) {
	t.Helper()
	_, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(s.Text), s.name)
	require.NoError(t, err)
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Log("shellcheck is not installed (Debian package shellcheck); its checks are skipped")
		return
	}
	cmd := exec.Command(shellcheck, "--shell=bash", "--enable=quote-safe-variables,avoid-nullary-conditions,deprecate-which", "-")
	cmd.Stdin = strings.NewReader(s.Text)
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

// refuses asserts that a script is refused with each of the messages for wrong parameters, and after each change to valid ones.
func refuses[P any](t *testing.T, script func(P) (Script, error), wrong P, messages []string, valid func() P, changes map[string]func(*P)) {
	t.Helper()
	_, err := script(wrong)
	for _, want := range messages {
		assert.ErrorContains(t, err, want)
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			p := valid()
			change(&p)
			s, err := script(p)
			require.Error(t, err)
			assert.Empty(t, s.Text)
		})
	}
}

// noise is n bytes that do not compress.
func noise(n int) string {
	out := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(out)
	return string(out)
}

func TestBase64GzipIsTheText(t *testing.T) {
	s := Script{Text: "#!/bin/bash\necho héllo\n", name: "x"}
	assert.Equal(t, s.Base64Gzip(), s.Base64Gzip())
	data, err := base64.StdEncoding.DecodeString(s.Base64Gzip())
	require.NoError(t, err)
	assert.Len(t, data, s.Size())
	r, err := gzip.NewReader(bytes.NewReader(data))
	require.NoError(t, err)
	assert.Empty(t, r.Name)
	assert.True(t, r.ModTime.IsZero(), "the header holds a time")
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, s.Text, string(text))
}

func TestCheckRefusesLargeScripts(t *testing.T) {
	require.NoError(t, Script{Text: noise(MaxSize - 100), name: "x"}.Check())
	large := Script{Text: noise(MaxSize), name: "x"}
	require.ErrorContains(t, large.Check(), fmt.Sprintf("%d bytes compressed is more than the 16384 bytes that EC2 accepts", large.Size()))
}

// TestHeadKeepsEveryValue: the shell reads every value back unchanged, and runs no part of it.
func TestHeadKeepsEveryValue(t *testing.T) {
	check := func(value string) error {
		var b builder
		b.head("test", assignment{"value", value})
		if b.err != nil {
			return nil // no shell can hold it, so it is refused
		}
		file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(b.text.String()), "head")
		if err != nil {
			return fmt.Errorf("%w in %q", err, b.text.String())
		}
		if n := len(file.Stmts); n != 2 {
			return fmt.Errorf("%d statements rather than 2: %q", n, b.text.String())
		}
		clause, ok := file.Stmts[1].Cmd.(*syntax.DeclClause)
		if !ok || len(clause.Args) != 1 || clause.Args[0].Value == nil {
			return fmt.Errorf("not one assignment: %q", b.text.String())
		}
		// Without CmdSubst and an environment, an expansion is an error or empty.
		got, err := expand.Literal(&expand.Config{}, clause.Args[0].Value)
		if err != nil || got != value {
			return fmt.Errorf("%q came back as %q (%v)", value, got, err)
		}
		return nil
	}
	for _, value := range []string{"", " ", "'", `"`, `\`, "$(reboot)", "`reboot`", "${HOME}", "a'b\"c", "a\nb", "\t", "*", "~", "!x", "é", "END", "'; reboot; '"} {
		assert.NoError(t, check(value))
	}
	rapid.Check(t, func(t *rapid.T) {
		require.NoError(t, check(rapid.String().Draw(t, "value")))
	})
}

// TestHeadInBash reads difficult values back with bash itself.
func TestHeadInBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash on this machine")
	}
	for _, value := range []string{"a b", "'", `"`, `a\`, "$(echo ran)", "`echo ran`", "${HOME}", "a'b\"c", "a\nb\n", "!x", "é\x01"} {
		var b builder
		b.head("test", assignment{"value", value})
		require.NoError(t, b.err)
		cmd := exec.Command(bash, "-s")
		cmd.Stdin = strings.NewReader(b.text.String() + "printf %s \"$value\"\n")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Equal(t, value, string(out))
	}
}

func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed (Debian package systemd)")
	}
	dir := t.TempDir()
	entries, err := parts.ReadDir("units")
	require.NoError(t, err)
	var units []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext != ".service" && ext != ".timer" {
			continue
		}
		// The programs are not on this machine; /bin/true replaces them.
		text := strings.NewReplacer(
			"/opt/cinema/bin/cinema-db ", "/bin/true ", "/opt/cinema/bin/cinema ", "/bin/true ", "/opt/mongodb/bin/mongod ", "/bin/true ",
			"User=mongod", "User=root", "Group=mongod", "Group=root",
		).Replace(read("units/" + e.Name()))
		path := filepath.Join(dir, e.Name())
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		units = append(units, path)
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "cinema-db-.service.d"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cinema-db-.service.d/sandbox.conf"), []byte(read("units/sandbox.conf")), 0o644))
	out, err := exec.Command(analyze, append([]string{"verify", "--man=no", "--recursive-errors=one"}, units...)...).CombinedOutput()
	assert.NoError(t, err, "%s", out)
	assert.Empty(t, string(out))
	for unit, exposure := range map[string]int{
		"cinema.service": 15, "mongod.service": 40, "cinema-db-init.service": 20, "cinema-db-agent.service": 20, "cinema-db-renew.service": 25,
	} {
		out, err := exec.Command(analyze, "security", "--offline=true", fmt.Sprintf("--threshold=%d", exposure), filepath.Join(dir, unit)).CombinedOutput()
		assert.NoError(t, err, "%s", out)
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		t.Logf("%s: %s", unit, lines[len(lines)-1])
	}
}

// TestLogStaysSmall: a log that has grown beyond its limit is compressed within the hour, and only the newest copies stay.
func TestLogStaysSmall(t *testing.T) {
	logrotate, err := exec.LookPath("logrotate")
	if err != nil {
		t.Skip("logrotate is not installed (Debian package logrotate)")
	}
	dir := t.TempDir()
	log, config := filepath.Join(dir, "api.log"), filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(config, []byte(strings.Replace(read("units/logrotate.conf"), "/var/log/cinema/api.log", log, 1)), 0o600))
	for range 22 {
		require.NoError(t, os.WriteFile(log, nil, 0o600))
		require.NoError(t, os.Truncate(log, 51<<20))
		out, err := exec.Command(logrotate, "--state", filepath.Join(dir, "state"), config).CombinedOutput()
		require.NoError(t, err, "%s", out)
		info, err := os.Stat(log)
		require.NoError(t, err)
		require.Zero(t, info.Size(), "%s", out)
	}
	copies, err := filepath.Glob(log + ".*")
	require.NoError(t, err)
	assert.Len(t, copies, 20)
	assert.Contains(t, copies, log+".1.gz")
}
