//go:build !windows

package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// group is a program with what it starts.
type group struct{}

// contain gives a program a process group of its own, which is ended as one.
func contain(cmd *exec.Cmd) *group {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	return &group{}
}

// adopt takes a program that was started; here contain has done it.
func (*group) adopt(*os.Process) error { return nil }

// end ends the program and all it has started.
func (*group) end(p *os.Process) error {
	if err := syscall.Kill(-p.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

func (*group) close() {}
