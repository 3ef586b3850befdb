//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// volume is a place for millions of tiny files: a file system of its own in one sparse file, where the machine lets this
// process mount one, so that a tiny file costs its inode and no block, and that all of them are gone at once. Where it
// does not, a plain folder.
type volume struct {
	dir   string
	image string // empty: a plain folder
	peak  int64  // bytes of the image, at the most
}

// newVolume makes a volume for that many files and folders and that many bytes of larger files.
func (b *bench) newVolume(name string, files int, bytes int64) (*volume, error) {
	v := &volume{dir: b.path(name), image: b.path(name + ".img")}
	if err := v.remove(); err != nil { // of a bench that was killed
		return nil, err
	}
	if err := os.MkdirAll(v.dir, 0o755); err != nil {
		return nil, err
	}
	inodes := files + files/20 + 10_000
	err := os.WriteFile(v.image, nil, 0o644)
	if err == nil {
		err = os.Truncate(v.image, bytes+int64(inodes)*512)
	}
	if err != nil {
		return nil, err
	}
	out, err := exec.Command("mkfs.ext4", "-q", "-F", "-m", "0", "-I", "256", "-N", fmt.Sprint(inodes), "-O", "inline_data",
		"-E", "lazy_itable_init=1,nodiscard", v.image).CombinedOutput()
	if err == nil {
		out, err = v.mount()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: no file system of its own (%v %.200s): working in plain folders\n", err, out)
		os.Remove(v.image)
		v.image = ""
	}
	return v, nil
}

func (v *volume) mount() ([]byte, error) {
	return exec.Command("mount", "-o", "loop,noatime,discard,noinit_itable", v.image, v.dir).CombinedOutput()
}

// fresh makes the kernel forget what it holds of the image, so that a step does not pay for the millions of names that
// the step before has left in its caches.
func (v *volume) fresh() error {
	if v.image == "" {
		return nil
	}
	if out, err := exec.Command("umount", v.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("unmounting %s: %w: %s", v.image, err, out)
	}
	if out, err := v.mount(); err != nil {
		return fmt.Errorf("mounting %s: %w: %s", v.image, err, out)
	}
	return nil
}

// kind says what it is, for the table.
func (v *volume) kind() string {
	if v.image == "" {
		return "plain folders"
	}
	return "a mounted image (ext4, inline data)"
}

// used is how much disk the image takes now.
func (v *volume) used() int64 {
	st, err := os.Stat(v.image)
	if err != nil {
		return 0
	}
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		v.peak = max(v.peak, s.Blocks*512)
	}
	return v.peak
}

// remove takes everything away.
func (v *volume) remove() error {
	if _, err := os.Stat(v.image); err == nil {
		_ = exec.Command("umount", v.dir).Run() // it is not mounted, or the removal below fails
		if err := os.Remove(v.image); err != nil {
			return err
		}
	}
	return os.RemoveAll(v.dir)
}

func (v *volume) path(elem ...string) string {
	return filepath.Join(append([]string{v.dir}, elem...)...)
}
