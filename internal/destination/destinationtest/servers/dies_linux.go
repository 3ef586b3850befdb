package servers

import (
	"os/exec"
	"syscall"
)

// dies lets the child end when the test process does, whatever ends it.
func dies(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
