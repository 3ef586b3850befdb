package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/openomt/omt/internal/manifest"
)

// output is where a run writes: a stream, or a file that takes its name when it is complete.
type output struct {
	w       io.Writer
	path    string   // of the file; empty for a stream
	partial string   // the name while it is written
	file    *os.File // what is to be closed
	mine    os.FileInfo
	written int64
}

// Write writes to the stream or the unfinished file, and counts.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	o.written += int64(n)
	return n, err
}

// stream reports whether what was written cannot be taken back.
func (o *output) stream() bool { return o.path == "" }

func (j *Job) openOutput() (*output, error) {
	if standard(j.Out) {
		return &output{w: j.env.Stdout}, nil
	}
	info, err := os.Stat(j.Out)
	if err == nil && info.IsDir() {
		return nil, usagef("--out %q: it is a folder", j.Out)
	}
	if err == nil && !info.Mode().IsRegular() { // a device or a pipe: nothing may be renamed onto it
		f, err := os.OpenFile(j.Out, os.O_WRONLY, 0)
		if err != nil {
			return nil, usagef("--out %q: %w", j.Out, reason(err))
		}
		return &output{w: &stdout{w: f}, file: f}, nil
	}
	o := &output{path: j.Out, partial: j.Out + ".partial"}
	if err := os.Remove(o.partial); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, usagef("--out %q: removing what an earlier run left: %w", j.Out, reason(err))
	}
	o.file, err = os.OpenFile(o.partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, usagef("--out %q: %w", j.Out, reason(err))
	}
	o.w = o.file
	if o.mine, err = o.file.Stat(); err != nil {
		o.file.Close()
		return nil, fmt.Errorf("writing %q: %w", j.Out, reason(err))
	}
	return o, nil
}

// commit makes the file durable and gives it its name.
func (o *output) commit() error {
	if o.stream() {
		return o.closeStream()
	}
	if err := o.settle(); err != nil {
		o.discard()
		return fmt.Errorf("writing %q: %w", o.path, err)
	}
	if err := syncDir(filepath.Dir(o.path)); err != nil {
		return fmt.Errorf("writing %q: syncing its folder: %w", o.path, err)
	}
	return nil
}

func (o *output) settle() error {
	if err := o.file.Sync(); err != nil {
		return err
	}
	if err := o.file.Close(); err != nil {
		return err
	}
	if !o.ours() {
		return fmt.Errorf("another run writes to the same file: %q is not what this run wrote", o.partial)
	}
	return rename(o.partial, o.path)
}

func (o *output) closeStream() error {
	if o.file == nil {
		return nil
	}
	if err := o.file.Close(); err != nil {
		return fmt.Errorf("writing %q: %w", o.file.Name(), err)
	}
	return nil
}

// discard leaves nothing of the unfinished file.
func (o *output) discard() {
	if o.file == nil {
		return
	}
	o.file.Close()
	if !o.stream() && o.ours() {
		os.Remove(o.partial)
	}
}

// ours reports whether the unfinished file is still the one that this run made.
func (o *output) ours() bool {
	there, err := os.Lstat(o.partial)
	return err == nil && os.SameFile(o.mine, there)
}

// rename renames a file, trying for two seconds while another program holds it.
func rename(from, to string) error {
	for try := 1; ; try++ {
		err := os.Rename(from, to)
		if err == nil || !isBusy(err) || try == 20 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// Output gives a run that writes something else than a manifest the same --out: fn's writer is buffered, and what it
// wrote stands at FILE only when fn returns nil or a remark.
func (j *Job) Output(fn func(w io.Writer) error) error {
	out, err := j.openOutput()
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 64<<10)
	err = guard(func() error { return fn(w) })
	if finished(err) {
		ferr := w.Flush()
		if ferr == nil {
			ferr = out.commit()
		} else {
			out.discard()
		}
		if ferr != nil {
			return ferr
		}
		j.wrote = true
		return err
	}
	if out.stream() {
		_ = w.Flush() // what was printed before the failure helps to find it
	}
	out.discard()
	return err
}

// finished reports whether a run with this error has done its work.
func finished(err error) bool {
	s := manifest.StatusOf(err)
	return err == nil || s == manifest.OK || s == manifest.Remarks
}
