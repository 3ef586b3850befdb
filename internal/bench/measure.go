//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// cost is what one run of a command took.
type cost struct {
	wall, cpu time.Duration
	system    time.Duration // what the kernel took of cpu
	peak      int64         // MiB, of the largest process
}

// series are the runs of one command.
type series struct {
	name   string
	make   func() *exec.Cmd
	runs   []cost
	stored int64
}

func (b *bench) series(name string, make func() *exec.Cmd) *series {
	return &series{name: name, make: make}
}

func (s *series) once(b *bench, fresh string) error {
	if err := b.fresh(fresh); err != nil {
		return err
	}
	syscall.Sync() // what the run before wrote is not this one's to wait for
	c, err := measure(s.make(), 0)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, c)
	for _, dir := range []string{"out/spool/chunks", "repo/data"} {
		if strings.HasPrefix(s.name, "omt-pack") == strings.HasPrefix(dir, "out") {
			s.stored = size(b.path(dir))
		}
	}
	fmt.Fprintf(os.Stderr, "bench: %-20s %6.2f s wall, %6.2f s processor, %4d MiB\n", s.name, c.wall.Seconds(), c.cpu.Seconds(), c.peak)
	return nil
}

func (s *series) median() cost {
	if len(s.runs) == 0 {
		return cost{}
	}
	mid := func(get func(cost) int64) int64 {
		var v []int64
		for _, r := range s.runs {
			v = append(v, get(r))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	return cost{
		wall: time.Duration(mid(func(c cost) int64 { return int64(c.wall) })),
		cpu:  time.Duration(mid(func(c cost) int64 { return int64(c.cpu) })),
		peak: mid(func(c cost) int64 { return c.peak }),
	}
}

// measure runs a command whose exit status must be one of ok.
func measure(c *exec.Cmd, ok ...int) (cost, error) {
	var said strings.Builder
	c.Stderr = &said
	began := time.Now()
	err := c.Run()
	wall := time.Since(began)
	if c.ProcessState == nil {
		return cost{}, err
	}
	if !slices.Contains(ok, c.ProcessState.ExitCode()) {
		return cost{}, fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, said.String())
	}
	out := cost{wall: wall, cpu: c.ProcessState.UserTime() + c.ProcessState.SystemTime(), system: c.ProcessState.SystemTime()}
	if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		out.peak = u.Maxrss / 1024
	}
	return out, nil
}

func size(dir string) (n int64) { return sizeSince(dir, time.Time{}) }

// sizeSince adds up the files below a folder that were written after at.
func sizeSince(dir string, at time.Time) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // a folder that is not there has no bytes
		}
		if st, err := d.Info(); err == nil && st.ModTime().After(at) {
			n += st.Size()
		}
		return nil
	})
	return n
}
