//go:build !windows

package preflight

import (
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// executable reports whether a file of the plugin folder is a plugin.
func executable(info fs.FileInfo) bool { return info.Mode().Perm()&0o111 != 0 }

func worldWritable(info fs.FileInfo) bool { return info.Mode().Perm()&0o002 != 0 }

// contain gives a plugin a process group of its own: the terminal's Ctrl+C is the host's business, and what the plugin
// started ends with it.
func contain(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
}

// end ends a process and what it started.
func end(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
	_ = p.Kill()
}

// job is what ties plugins to the host's life on Windows.
type job struct{}

// adopt ties a process that was started to the host's life; here contain has done it.
func (*job) adopt(*os.Process) error { return nil }

func (*job) close() {}

// longestBase is how long the folder of sockets may be: the name of a socket has some 60 bytes more, and the system takes
// 103 in all (107 on Linux).
const longestBase = 40

// socketBase is where sockets are made.
func socketBase() string {
	if base := os.TempDir(); len(base) <= longestBase {
		return base
	}
	return "/tmp"
}
