package main

import (
	"runtime"
	"syscall"
)

// dieWithParent ends the program with the plugin, however that ends. The system counts the thread as the parent.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// holdThread keeps the thread of the caller alive until the returned function is called.
func holdThread() (release func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
