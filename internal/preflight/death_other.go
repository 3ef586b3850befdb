//go:build !linux && !windows

package preflight

import "syscall"

// dieWithParent does nothing: plugins here watch their connection to the host, as the SDK does.
func dieWithParent(*syscall.SysProcAttr) {}
