package chunk

import (
	"bufio"
	"fmt"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Pool keeps encoders, decoders and their buffers between writers and readers, since making them costs more than
// packing a small chunk. It never holds more of them than were in use at one time. The zero value is ready for use, and
// it is safe for concurrent use.
type Pool struct {
	mu       sync.Mutex
	encoders [maxLevel + 1][]*encoder
	decoders []*decoder
}

// minLevel and maxLevel bound Options.Level.
const (
	minLevel = 1
	maxLevel = 3
)

// encoder is the scratch space of one writer: about 7 MiB at levels 1 and 2, 12 MiB at level 3.
type encoder struct {
	level  int
	zstd   *zstd.Encoder
	gzip   *gzip.Writer // nil until it is needed
	snappy snappyTable
	raw    []byte // the frame being filled
	out    []byte // the encoded frame
	probe  []byte // pieces of the frame, to see whether it shrinks
}

// decoder is the scratch space of one reader.
type decoder struct {
	zstd *zstd.Decoder
	gzip *gzip.Reader  // nil until it is needed
	from *bufio.Reader // the same, of compressed bytes
	in   []byte        // the frame as stored
	out  []byte        // the frame decoded, as long as its capacity: the decoder refuses to grow it
}

// encoder hands out scratch space for a level from 1 to 3; 0 stands for 2.
func (p *Pool) encoder(level int) (*encoder, error) {
	if level == 0 {
		level = 2
	}
	if level < minLevel || level > maxLevel {
		return nil, fmt.Errorf("compression level %d: want %d to %d", level, minLevel, maxLevel)
	}
	p.mu.Lock()
	free := p.encoders[level]
	if n := len(free); n > 0 {
		e := free[n-1]
		p.encoders[level] = free[:n-1]
		p.mu.Unlock()
		return e, nil
	}
	p.mu.Unlock()
	z, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel([...]zstd.EncoderLevel{0, zstd.SpeedFastest, zstd.SpeedDefault, zstd.SpeedBetterCompression}[level]),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(window),
		zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("making a zstd encoder: %w", err)
	}
	return &encoder{level: level, zstd: z}, nil
}

func (p *Pool) putEncoder(e *encoder) {
	if e == nil {
		return
	}
	e.raw, e.out = e.raw[:0], e.out[:0]
	p.mu.Lock()
	p.encoders[e.level] = append(p.encoders[e.level], e)
	p.mu.Unlock()
}

func (p *Pool) decoder() (*decoder, error) {
	p.mu.Lock()
	if n := len(p.decoders); n > 0 {
		d := p.decoders[n-1]
		p.decoders = p.decoders[:n-1]
		p.mu.Unlock()
		return d, nil
	}
	p.mu.Unlock()
	z, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecodeAllCapLimit(true),
		zstd.WithDecoderMaxWindow(2*window))
	if err != nil {
		return nil, fmt.Errorf("making a zstd decoder: %w", err)
	}
	return &decoder{zstd: z}, nil
}

func (p *Pool) putDecoder(d *decoder) {
	if d == nil {
		return
	}
	p.mu.Lock()
	p.decoders = append(p.decoders, d)
	p.mu.Unlock()
}
