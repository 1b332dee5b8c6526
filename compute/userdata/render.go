package userdata

import (
	"embed"
	"fmt"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"cinema-database/internal/problem"
)

//go:embed scripts units
var parts embed.FS

// assignment sets a variable: in a script's head, or in an environment file.
type assignment struct{ name, value string }

// builder joins the parts of a script. err is the first error.
type builder struct {
	text strings.Builder
	err  error
}

// head writes the first lines: a title, the shell's options, and the values.
func (b *builder) head(title string, values ...assignment) {
	fmt.Fprintf(&b.text, "#!/bin/bash\n# %s\nset -euo pipefail\n", title)
	for _, v := range values {
		quoted, err := syntax.Quote(v.value, syntax.LangBash)
		if err != nil && b.err == nil {
			b.err = fmt.Errorf("userdata: %s: %w", v.name, err)
		}
		fmt.Fprintf(&b.text, "readonly %s=%s\n", v.name, quoted)
	}
}

// setup adds what every script starts with: functions, and the hand-over from user data to cinema-setup.service.
func (b *builder) setup() {
	b.script("common.sh")
	b.function("setup_unit", putFile("0644", "/etc/systemd/system/cinema-setup.service", "cinema-setup.service"))
	b.script("handover.sh")
}

// comment is a line of a bash file that holds only a comment.
var comment = regexp.MustCompile(`(?m)^ *# .*\n`)

// script adds an embedded bash file without its comments, which would be a fifth of the user data.
func (b *builder) script(name string) {
	b.text.WriteString(comment.ReplaceAllString(read("scripts/"+name), ""))
}

// function adds a bash function.
func (b *builder) function(name, body string) { fmt.Fprintf(&b.text, "%s() {\n%s}\n", name, body) }

// putFile returns the command that writes an embedded file to path on the instance.
func putFile(mode, path, name string) string { return putText(mode, path, read("units/"+name)) }

func putText(mode, path, text string) string {
	return fmt.Sprintf("put %s %s <<'END'\n%sEND\n", mode, path, text)
}

func read(path string) string {
	data, err := parts.ReadFile(path)
	if err != nil {
		panic(err) // the file is part of this package
	}
	return string(data)
}

// environment returns a systemd environment file. Each value is in double quotes, with the four characters escaped that
// systemd.exec(5) lists.
func environment(values ...assignment) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", `$`, `\$`)
	var text strings.Builder
	for _, v := range values {
		fmt.Fprintf(&text, "%s=\"%s\"\n", v.name, escape.Replace(v.value))
	}
	return text.String()
}

func problems(script string) *problem.List { return problem.In("userdata: " + script + ".") }
