package pack

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/openomt/omt/internal/manifest"
)

// plan is the file records of a run in manifest order, all areas of it one after another, on disk: which chunks of earlier
// runs are referred to, and whether a copy's original is stored, is known only once all of them were seen.
//
//	add     takes them; one with a chunk is stored already
//	settle  then says of each stored copy whether it stays one
//	list    gives an area's records to packer.pack, areas in their order
//
// Between settle and the first area's chunks, the chunks of earlier runs that are referred to (earlier.needed) are to be
// written. Memory is that of one zstd stream.
type plan struct {
	p      *packer
	temp   string
	file   *planFile
	copies int64 // stored ones

	// lost says what becomes of a stored copy that cannot stay one, since no original of its content is stored: the record
	// to pack, or one with a chunk, which is passed on as it is and gets no link.
	lost func(f manifest.File) (manifest.File, error)

	lines *planLines
	next  manifest.File
	more  bool
}

func (p *packer) newPlan() (*plan, error) {
	l := &plan{p: p, temp: p.temp, lost: func(f manifest.File) (manifest.File, error) { return toPack(f), nil }}
	var err error
	l.file, err = newPlanFile(l.temp)
	return l, err
}

// close removes the plan from disk.
func (l *plan) close() {
	if l.lines != nil {
		l.lines.close()
	}
	l.file.close()
}

// add takes the next record.
func (l *plan) add(f manifest.File) error {
	if isStored(f) {
		if isCopy(f) {
			l.copies++
		} else if err := l.p.know(f); err != nil {
			return err
		}
	}
	return l.file.add(&f)
}

// settle ends what add began.
func (l *plan) settle(ctx context.Context) error {
	if err := l.file.finish(); err != nil {
		return err
	}
	if l.copies == 0 {
		return l.begin(ctx)
	}
	lines, err := l.file.open()
	if err != nil {
		return err
	}
	defer lines.close()
	out, err := newPlanFile(l.temp)
	if err != nil {
		return err
	}
	if err := l.rewrite(ctx, lines, out); err != nil {
		out.close()
		return err
	}
	l.file.close()
	l.file = out
	return l.begin(ctx)
}

// rewrite copies the records, each stored copy as it has to be.
func (l *plan) rewrite(ctx context.Context, lines *planLines, out *planFile) error {
	for {
		raw, err := lines.read(ctx)
		if errors.Is(err, io.EOF) {
			return out.finish()
		}
		if err != nil {
			return err
		}
		// Inside a string the quotes would be escaped.
		if !bytes.Contains(raw, []byte(`"same":"`)) {
			if err := out.raw(raw); err != nil {
				return err
			}
			continue
		}
		f, err := manifest.Line{Kind: manifest.KindFile, Raw: raw}.File()
		if err != nil {
			return err
		}
		if err := l.settled(&f); err != nil {
			return err
		}
		if err := out.add(&f); err != nil {
			return err
		}
	}
}

func (l *plan) settled(f *manifest.File) error {
	if !isCopy(*f) {
		return nil
	}
	stays, err := l.p.stays(f)
	if err != nil || stays {
		return err
	}
	if *f, err = l.lost(*f); err != nil || !isStored(*f) {
		return err
	}
	l.p.earlier.number(f.Chunk)
	if l.p.loose == nil {
		l.p.loose = map[string]bool{}
	}
	l.p.loose[entryName(*f)] = true
	return nil
}

func (l *plan) begin(ctx context.Context) error {
	var err error
	if l.lines, err = l.file.open(); err != nil {
		return err
	}
	return l.advance(ctx)
}

func (l *plan) advance(ctx context.Context) error {
	raw, err := l.lines.read(ctx)
	if errors.Is(err, io.EOF) {
		l.more = false
		return nil
	}
	if err == nil {
		l.next, err = manifest.Line{Kind: manifest.KindFile, Raw: raw}.File()
	}
	l.more = err == nil
	return err
}

// list hands the records of an area to emit. Areas are asked for in their order; those that are not are left out.
func (l *plan) list(ctx context.Context, area manifest.Area, emit func(manifest.File) error) error {
	for l.more {
		if l.next.Area == area {
			if err := emit(l.next); err != nil {
				return err
			}
		} else if n := l.next.Area.Rank(); n < 0 || n > area.Rank() {
			return nil // of an area that follows, or of one of later versions, which stand last
		}
		if err := l.advance(ctx); err != nil {
			return err
		}
	}
	return nil
}

// planFile is records on disk, one a line.
type planFile struct {
	f    *os.File
	zstd *zstd.Encoder
	w    *bufio.Writer
	line []byte
}

// planWindow bounds the memory of a plan's streams.
const planWindow = 1 << 20

func newPlanFile(dir string) (*planFile, error) {
	f, err := os.CreateTemp(dir, "plan-*")
	if err != nil {
		return nil, fmt.Errorf("creating the list of files in the spool: %w", err)
	}
	z, err := zstd.NewWriter(f, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(planWindow))
	if err != nil {
		remove(f)
		return nil, fmt.Errorf("creating the list of files in the spool: %w", err)
	}
	return &planFile{f: f, zstd: z, w: bufio.NewWriterSize(z, 64<<10)}, nil
}

func (p *planFile) add(f *manifest.File) (err error) {
	if p.line, err = f.AppendJSON(p.line[:0]); err != nil {
		return fmt.Errorf("writing the list of files: %w", err)
	}
	return p.raw(p.line)
}

func (p *planFile) raw(line []byte) error {
	p.w.Write(line) //nolint:errcheck // the next write tells
	if err := p.w.WriteByte('\n'); err != nil {
		return fmt.Errorf("writing the list of files: %w", err)
	}
	return nil
}

func (p *planFile) finish() error {
	if err := errors.Join(p.w.Flush(), p.zstd.Close()); err != nil {
		return fmt.Errorf("writing the list of files: %w", err)
	}
	return nil
}

func (p *planFile) close() {
	p.zstd.Close() //nolint:errcheck // it is removed
	remove(p.f)
}

// open reads the records from their start. There is one reader at a time.
func (p *planFile) open() (*planLines, error) {
	if _, err := p.f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading the list of files: %w", err)
	}
	z, err := zstd.NewReader(p.f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(planWindow))
	if err != nil {
		return nil, fmt.Errorf("reading the list of files: %w", err)
	}
	return &planLines{zstd: z, r: bufio.NewReaderSize(z, 64<<10)}, nil
}

type planLines struct {
	zstd *zstd.Decoder
	r    *bufio.Reader
	long []byte // a line that is longer than the buffer
}

// read returns the next line, which is good until the one after.
func (p *planLines) read(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.long = p.long[:0]
	for {
		part, err := p.r.ReadSlice('\n')
		if err == nil && len(p.long) == 0 {
			return part[:len(part)-1], nil
		}
		p.long = append(p.long, part...)
		switch {
		case err == nil:
			return p.long[:len(p.long)-1], nil
		case errors.Is(err, io.EOF) && len(p.long) > 0:
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

func (p *planLines) close() { p.zstd.Close() }
