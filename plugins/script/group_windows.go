package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// group is a program with what it starts, held in a job object. The system ends them all when the job's last handle is
// closed, which happens when the plugin ends, however it ends.
type group struct {
	job windows.Handle
	err error
}

// contain gives a program a process group of its own and a job to be put into.
func contain(cmd *exec.Cmd) *group {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return &group{err: fmt.Errorf("making a job object: %w", err)}
	}
	var info windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION
	info.BasicLimitInformation.LimitFlags = windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info))); err != nil {
		_ = windows.CloseHandle(job)
		return &group{err: fmt.Errorf("setting up a job object: %w", err)}
	}
	return &group{job: job}
}

// adopt puts a program that was started into the job.
func (g *group) adopt(p *os.Process) error {
	if g.err != nil {
		return g.err
	}
	h, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(p.Pid))
	if err != nil {
		return fmt.Errorf("opening the program's process: %w", err)
	}
	defer windows.CloseHandle(h) //nolint:errcheck // it was only used
	if err := windows.AssignProcessToJobObject(g.job, h); err != nil {
		return fmt.Errorf("putting the program into a job object: %w", err)
	}
	return nil
}

// end ends the program and all it has started.
func (g *group) end(p *os.Process) error {
	if g.err == nil {
		_ = windows.TerminateJobObject(g.job, 1)
	}
	if err := p.Kill(); err != nil {
		return err
	}
	return nil
}

func (g *group) close() {
	if g.err == nil {
		_ = windows.CloseHandle(g.job)
	}
}

// holdThread has nothing to keep here.
func holdThread() (release func()) { return func() {} }
