//go:build !windows

package cli_test

import "syscall"

const brokenPipe = syscall.EPIPE
