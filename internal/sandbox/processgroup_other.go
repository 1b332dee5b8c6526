//go:build !unix

package sandbox

import "os/exec"

func ownProcessGroup(*exec.Cmd) {}
