package push

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/openomt/omt/internal/manifest"
)

// readStream reads an input that comes as a stream: its lines are copied into the spool, to be read once more, and its
// chunks are sent meanwhile. Until the end was seen to be good nothing else is done with it.
func (r *run) readStream(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	copied, err := newCopy(filepath.Join(r.temp, "push-in.jsonl.zst"))
	if err != nil {
		return err
	}
	defer copied.close()
	r.again = func() (*manifest.Reader, func(), error) { return copied.again(r.in.edited) }
	queue := newQueue(ctx)
	sending := r.sender.start(ctx, queue, cancel)
	judged := false
	err = abandonable(ctx, r.o.In.Next, func(next func() (manifest.Line, error)) error {
		copying := func() (manifest.Line, error) {
			l, err := next()
			if err == nil {
				err = copied.add(l.Raw)
			}
			return l, err
		}
		return r.in.read(copying, r.o.AcceptEdits, func(it *item) error {
			if !judged {
				if err := r.judge(ctx); err != nil {
					return err
				}
				judged = true
			}
			if r.late != nil || r.verdict.FilesOnly {
				return nil // not all of its chunks are wanted, and which is known at the end
			}
			return r.sender.offer(ctx, queue, it)
		})
	})
	if err != nil {
		cancel(err)
	}
	r.sender.closeQueue(queue)
	if serr := sending(); err == nil {
		err = serr
	}
	if err != nil {
		return err
	}
	r.in.finish(r.o.In)
	if err := copied.finish(r.in.end); err != nil {
		return err
	}
	if r.in.pushed() || !judged {
		return r.judge(ctx)
	}
	return r.late
}

// abandonable calls work in a goroutine of its own and returns what it returns, or the cause once ctx has ended, so that
// a failure to send is told at once and not when the stage before writes its next line. read may block for ever; work
// must end soon after ctx everywhere else, and reads with next alone. Where work is abandoned it is waiting in read, and
// does nothing more but return: its goroutine ends when the reader is closed.
func abandonable(ctx context.Context, read func() (manifest.Line, error), work func(next func() (manifest.Line, error)) error) error {
	var working sync.Mutex // held by work, but for the time in which it reads
	abandoned := false
	next := func() (manifest.Line, error) {
		working.Unlock()
		l, err := read()
		working.Lock()
		if abandoned || ctx.Err() != nil {
			return manifest.Line{}, context.Cause(ctx)
		}
		return l, err
	}
	done := make(chan error, 1)
	go func() {
		working.Lock()
		defer working.Unlock()
		if !abandoned {
			done <- work(next)
		}
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	working.Lock()
	defer working.Unlock()
	abandoned = true
	return context.Cause(ctx)
}

// lineCopy is the input's lines in a file of the spool.
type lineCopy struct {
	name string
	f    *os.File
	zstd *zstd.Encoder
	buf  *bufio.Writer
}

func newCopy(name string) (*lineCopy, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("copying the input into the spool: %w", err)
	}
	z, err := zstd.NewWriter(f, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("copying the input into the spool: %w", err)
	}
	return &lineCopy{name: name, f: f, zstd: z, buf: bufio.NewWriterSize(z, 256<<10)}, nil
}

// end closes what was written by other means than add and finish.
func (c *lineCopy) end() error {
	err := c.buf.Flush()
	if err == nil {
		err = c.zstd.Close()
	}
	if err == nil {
		err = c.f.Close()
	}
	if err != nil {
		return fmt.Errorf("writing a manifest into the spool: %w", err)
	}
	return nil
}

func (c *lineCopy) add(raw []byte) error {
	_, err := c.buf.Write(raw)
	if err == nil {
		err = c.buf.WriteByte('\n')
	}
	if err != nil {
		return fmt.Errorf("copying the input into the spool: %w", err)
	}
	return nil
}

// finish writes the end record, as it was: an edit that was accepted is seen again.
func (c *lineCopy) finish(end manifest.End) error {
	data, err := json.Marshal(end)
	if err == nil {
		err = c.add(fmt.Appendf(nil, `{"kind":%q,%s`, manifest.KindEnd, data[1:]))
	}
	if err == nil {
		err = c.buf.Flush()
	}
	if err == nil {
		err = c.zstd.Close()
	}
	if err == nil {
		err = c.f.Close()
	}
	if err != nil {
		return fmt.Errorf("copying the input into the spool: %w", err)
	}
	return nil
}

func (c *lineCopy) close() {
	_ = c.zstd.Close()
	c.f.Close()
}

// again reads the copy from its start. An edited one is accepted when the input was.
func (c *lineCopy) again(edited bool) (*manifest.Reader, func(), error) {
	f, err := os.Open(c.name)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the input's copy: %w", err)
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("reading the input's copy: %w", err)
	}
	return manifest.NewReader(z, manifest.ReadOptions{AcceptEdits: edited}), func() { z.Close(); f.Close() }, nil
}
