package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/progress"
)

// Input is the manifest that a stage reads.
type Input struct {
	*manifest.Reader
	Name    string            // the file's path, or "standard input"
	Summary *manifest.Summary // of a file, which was read to its end already; nil for a stream

	file   *os.File // nil for a stream, which cannot be read twice
	size   int64
	opts   manifest.ReadOptions
	cancel context.CancelFunc
}

// File reports whether the input is a file: it was read to its end and found good, and can be read again.
func (in *Input) File() bool { return in.file != nil }

// Again returns a reader that begins at the start. It works on the very file that was checked, whatever has happened to
// its name, and until the stage ends; it may be used beside the others.
func (in *Input) Again() (*manifest.Reader, error) {
	if in.file == nil {
		return nil, fmt.Errorf("reading %s a second time: it is a stream", in.Name)
	}
	return manifest.NewReader(io.NewSectionReader(in.file, 0, in.size), in.opts), nil
}

// close closes the file, before --out takes its place: Windows renames nothing onto an open file.
func (in *Input) close() {
	in.cancel()
	if in.file != nil {
		in.file.Close()
	}
}

// OpenInput opens what --in names for a command that does not run a Stage. The caller calls close when done.
func (j *Job) OpenInput(ctx context.Context) (in *Input, done func(), err error) {
	in, err = j.openInput(ctx)
	if err != nil {
		return nil, nil, err
	}
	return in, in.close, nil
}

func (j *Job) openInput(ctx context.Context) (*Input, error) {
	opts := manifest.ReadOptions{AcceptEdits: j.AcceptEdits}
	if standard(j.In) {
		if j.In == "" && j.env.IsTerminal(j.env.Stdin) {
			return nil, usagef("standard input is a terminal, and there is no --in").
				WithHint("give --in FILE, or pipe the output of the stage before into this one")
		}
		return streamInput(ctx, j.env.Stdin, "standard input", nil, opts), nil
	}
	f, err := os.Open(j.In)
	if err != nil {
		return nil, j.missing(err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("it is a folder")
	}
	if err != nil {
		f.Close()
		return nil, usagef("--in %q: %w", j.In, reason(err))
	}
	if !info.Mode().IsRegular() {
		return streamInput(ctx, f, fmt.Sprintf("%q", j.In), f, opts), nil
	}
	in := &Input{Name: j.In, file: f, size: info.Size(), opts: opts, cancel: func() {}}
	if err := in.verify(ctx, j.Progress); err != nil {
		f.Close()
		return nil, fmt.Errorf("reading %q: %w", j.In, err)
	}
	in.Reader, err = in.Again()
	return in, err
}

// missing words an --in that cannot be opened. A failed run that wrote over its own input has renamed it.
func (j *Job) missing(err error) error {
	e := usagef("--in %q: %w", j.In, reason(err))
	if !errors.Is(err, fs.ErrNotExist) {
		return e
	}
	if _, serr := os.Stat(j.In + ".old"); serr == nil {
		return e.WithHint("%q is there: the last run that should have written %q did not finish", j.In+".old", j.In)
	}
	return e
}

// verify reads the file once to its end.
func (in *Input) verify(ctx context.Context, p progress.Reporter) error {
	meter := p.Meter("checking input", in.size, progress.Bytes)
	defer meter.Done()
	r := &meteredReader{ctx: ctx, r: io.NewSectionReader(in.file, 0, in.size), meter: meter}
	summary, err := manifest.Verify(r, in.opts)
	in.Summary = &summary
	return err
}

// drain reads to the end record and gives what is wrong with the rest.
func drain(r *manifest.Reader) error {
	for {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// meteredReader counts what is read, and stops when ctx does.
type meteredReader struct {
	ctx   context.Context
	r     io.Reader
	meter progress.Meter
}

func (m *meteredReader) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.meter.Add(int64(n))
	return n, err
}

// streamInput reads r, which may block for as long as the stage before takes, so that an interrupt ends the waiting.
func streamInput(ctx context.Context, r io.Reader, name string, closer io.Closer, opts manifest.ReadOptions) *Input {
	ctx, cancel := context.WithCancel(ctx)
	p := newPump(ctx, r)
	return &Input{
		Reader: manifest.NewReader(p, opts), Name: name, opts: opts,
		cancel: func() {
			cancel()
			if closer != nil {
				closer.Close()
			}
		},
	}
}

// pump reads ahead in a goroutine of its own. That goroutine ends with the stream or with ctx; where a read blocks for
// ever it stays until the process ends, since there is no way to take a read of standard input back.
type pump struct {
	ctx    context.Context
	filled chan block
	free   chan []byte
	now    block
	used   int
}

type block struct {
	data []byte
	err  error
}

// pumpBlock and pumpBlocks bound the memory of a pump.
const (
	pumpBlock  = 256 << 10
	pumpBlocks = 3
)

func newPump(ctx context.Context, r io.Reader) *pump {
	p := &pump{ctx: ctx, filled: make(chan block, pumpBlocks), free: make(chan []byte, pumpBlocks)}
	for range pumpBlocks {
		p.free <- make([]byte, pumpBlock)
	}
	go p.fill(r)
	return p
}

func (p *pump) fill(r io.Reader) {
	for {
		var buf []byte
		select {
		case buf = <-p.free:
		case <-p.ctx.Done():
			return
		}
		n, err := r.Read(buf)
		select {
		case p.filled <- block{buf[:n], err}:
		case <-p.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// Read returns what was read ahead, and the context's error once it is done.
func (p *pump) Read(b []byte) (int, error) {
	for p.used == len(p.now.data) {
		if p.now.err != nil {
			return 0, p.now.err
		}
		if cap(p.now.data) > 0 {
			p.free <- p.now.data[:cap(p.now.data)]
			p.now.data, p.used = nil, 0
		}
		select {
		case p.now = <-p.filled:
			p.used = 0
		case <-p.ctx.Done():
			return 0, p.ctx.Err()
		}
	}
	n := copy(b, p.now.data[p.used:])
	p.used += n
	return n, nil
}
