//go:build !linux

package servers

import "os/exec"

func dies(*exec.Cmd) {}
