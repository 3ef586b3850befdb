package push

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

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
	r.again = copied.again
	lines := pumpLines(ctx, r.o.In)
	next := func() (manifest.Line, error) {
		select {
		case l := <-lines:
			if l.err != nil {
				return manifest.Line{}, l.err
			}
			return l.line, copied.add(l.line.Raw)
		case <-ctx.Done():
			return manifest.Line{}, context.Cause(ctx)
		}
	}
	queue := newQueue(ctx)
	sending := r.sender.start(ctx, queue, cancel)
	judged := false
	err = r.in.read(next, r.o.AcceptEdits, func(it *item) error {
		if !judged {
			if err := r.judge(ctx); err != nil {
				return err
			}
			judged = true
		}
		return r.sender.offer(ctx, queue, it)
	})
	if err != nil {
		cancel(err)
	}
	queue.close()
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
	if !judged {
		return r.judge(ctx)
	}
	return nil
}

type pumped struct {
	line manifest.Line
	err  error
}

// pumpLines reads lines in a goroutine of its own, so that a failure to send is told at once and not when the stage
// before writes its next line. That goroutine ends with the input or, after ctx has ended, when the line it waits for
// has come or the reader is closed.
func pumpLines(ctx context.Context, in *manifest.Reader) <-chan pumped {
	lines := make(chan pumped, 256)
	go func() {
		for {
			l, err := in.Next()
			l.Raw = bytes.Clone(l.Raw)
			select {
			case lines <- pumped{l, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return lines
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

// again reads the copy from its start.
func (c *lineCopy) again() (*manifest.Reader, func(), error) {
	f, err := os.Open(c.name)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the input's copy: %w", err)
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("reading the input's copy: %w", err)
	}
	return manifest.NewReader(z, manifest.ReadOptions{AcceptEdits: true}), func() { z.Close(); f.Close() }, nil
}
