package preflight

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// executable reports whether a file of the plugin folder is a plugin.
func executable(info fs.FileInfo) bool { return strings.EqualFold(path.Ext(info.Name()), ".exe") }

// worldWritable is not told from the mode here.
func worldWritable(fs.FileInfo) bool { return false }

// contain gives a plugin a process group of its own: Ctrl+C is the host's business.
func contain(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

// job holds the plugins and what they start. The system ends them all when its last handle is closed, which happens when
// the host ends, however it ends. The host itself stays outside: other programs that it starts, a browser above all, live
// on.
type job struct {
	once   sync.Once
	handle windows.Handle
	err    error
}

func newJob() (windows.Handle, error) {
	handle, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, fmt.Errorf("making a job object: %w", err)
	}
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	_, err = windows.SetInformationJobObject(handle, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err != nil {
		_ = windows.CloseHandle(handle)
		return 0, fmt.Errorf("setting up a job object: %w", err)
	}
	return handle, nil
}

// close ends what is in the job.
func (j *job) close() {
	if j.handle != 0 {
		_ = windows.CloseHandle(j.handle)
		j.handle = 0
	}
}

// adopt ties a process that was started to the host's life.
func (j *job) adopt(p *os.Process) error {
	j.once.Do(func() { j.handle, j.err = newJob() })
	if j.err != nil {
		return j.err
	}
	handle, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(p.Pid))
	if err != nil {
		return fmt.Errorf("opening the plugin's process: %w", err)
	}
	defer windows.CloseHandle(handle)
	if err := windows.AssignProcessToJobObject(j.handle, handle); err != nil {
		return fmt.Errorf("putting the plugin into a job object: %w", err)
	}
	return nil
}

// end ends a process. What it started ends with the job.
func end(p *os.Process) { _ = p.Kill() }

// socketBase is where go-plugin makes a folder that is not used here: plugins listen on a port.
func socketBase() string { return os.TempDir() }
