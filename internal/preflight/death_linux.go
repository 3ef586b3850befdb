package preflight

import "syscall"

// dieWithParent has the kernel end a plugin when the thread that started it is no more: a host that is killed leaves no
// plugin, in whatever language it is written.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
