package manifest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// Cursor is an ordered stream of pairs. The slices are valid until the next call. After the last pair it returns io.EOF.
type Cursor interface {
	Next() (key, value []byte, err error)
}

func dirOf(name string) string { return filepath.Dir(name) }

// merge returns the pairs of several runs in order.
func (p *spill) merge(ctx context.Context, runs []run) (Cursor, error) {
	c := &mergeCursor{ctx: ctx, heap: make([]*runReader, 0, len(runs))}
	for _, r := range runs {
		section := io.NewSectionReader(p.file, r.from, r.to-r.from)
		rr := &runReader{in: section, r: bufio.NewReaderSize(section, int(min(runBuffer, r.to-r.from)))}
		switch err := rr.next(); {
		case errors.Is(err, io.EOF):
			continue
		case err != nil:
			return nil, err
		}
		c.heap = append(c.heap, rr)
	}
	for i := len(c.heap)/2 - 1; i >= 0; i-- {
		c.down(i)
	}
	return c, nil
}

// mergeCursor keeps the runs in a heap by their current pair. The pair handed out stays in its run until the next call.
type mergeCursor struct {
	ctx   context.Context
	heap  []*runReader
	out   bool // the top's pair was handed out
	count int
	err   error
}

func (c *mergeCursor) Next() (key, value []byte, err error) {
	if c.err == nil && c.count%checkEvery == 0 && c.ctx.Err() != nil {
		c.err = context.Cause(c.ctx)
	}
	if c.err == nil && c.out {
		c.advance()
	}
	if c.err != nil {
		return nil, nil, c.err
	}
	if len(c.heap) == 0 {
		c.err = io.EOF
		return nil, nil, io.EOF
	}
	c.count++
	c.out = true
	return c.heap[0].key, c.heap[0].value, nil
}

// advance replaces the top by its run's next pair.
func (c *mergeCursor) advance() {
	c.out = false
	err := c.heap[0].next()
	if errors.Is(err, io.EOF) {
		last := len(c.heap) - 1
		c.heap[0] = c.heap[last]
		c.heap = c.heap[:last]
	} else if err != nil {
		c.err = err
		return
	}
	c.down(0)
}

func (c *mergeCursor) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(c.heap) {
			return
		}
		if child+1 < len(c.heap) && c.heap[child+1].compare(c.heap[child]) < 0 {
			child++
		}
		if c.heap[i].compare(c.heap[child]) <= 0 {
			return
		}
		c.heap[i], c.heap[child] = c.heap[child], c.heap[i]
		i = child
	}
}

// runReader reads one run.
type runReader struct {
	in         *io.SectionReader
	r          *bufio.Reader
	head       uint64
	key, value []byte
	buf        []byte
}

func (r *runReader) compare(o *runReader) int {
	if c := cmp.Compare(r.head, o.head); c != 0 {
		return c
	}
	return cmp.Or(bytes.Compare(r.key, o.key), bytes.Compare(r.value, o.value))
}

func (r *runReader) next() error {
	k, err := binary.ReadUvarint(r.r)
	if errors.Is(err, io.EOF) {
		if at, err := r.in.Seek(0, io.SeekCurrent); err == nil && at == r.in.Size() {
			return io.EOF
		}
	}
	var v uint64
	if err == nil {
		v, err = binary.ReadUvarint(r.r)
	}
	if err == nil && (k > 1<<30 || v > 1<<30) {
		err = errors.New("it was damaged")
	}
	if err == nil {
		n := int(k + v)
		if cap(r.buf) < n {
			r.buf = make([]byte, n, n+n/2)
		}
		r.buf = r.buf[:n]
		_, err = io.ReadFull(r.r, r.buf)
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("reading a temporary file: %w", err)
	}
	r.key, r.value = r.buf[:k:k], r.buf[k:]
	r.head = head(r.key)
	return nil
}

// MergeJoin walks two cursors in step. For each key it calls fn once with all values of the left and all of the right
// side under that key (either may be empty, not both). The slices are valid during the call. Groups are held in memory.
// A cursor whose keys descend is an error; so is any error of a cursor or of fn.
func MergeJoin(left, right Cursor, fn func(key []byte, left, right [][]byte) error) error {
	l, r := &groups{name: "left", in: left}, &groups{name: "right", in: right}
	if err := errors.Join(l.next(), r.next()); err != nil {
		return err
	}
	for l.more || r.more {
		var key []byte
		var lv, rv [][]byte
		order := 0
		switch {
		case !r.more:
			order = -1
		case !l.more:
			order = 1
		default:
			order = bytes.Compare(l.key, r.key)
		}
		if order <= 0 {
			key, lv = l.key, l.values
		}
		if order >= 0 {
			key, rv = r.key, r.values
		}
		if err := fn(key, lv, rv); err != nil {
			return err
		}
		if lv != nil {
			if err := l.next(); err != nil {
				return err
			}
		}
		if rv != nil {
			if err := r.next(); err != nil {
				return err
			}
		}
	}
	return nil
}

// groups collects the values of one key after the other.
type groups struct {
	name   string
	in     Cursor
	more   bool // key and values are set
	key    []byte
	values [][]byte
	arena  []byte // what values point into

	ahead    bool // a pair of the group after was read
	aheadKey []byte
	aheadVal []byte
	done     bool
}

func (g *groups) next() error {
	g.more, g.values, g.arena = false, g.values[:0], g.arena[:0]
	if !g.ahead {
		if err := g.read(); err != nil || !g.ahead {
			return err
		}
	}
	g.key = append(g.key[:0], g.aheadKey...)
	for g.ahead && bytes.Equal(g.aheadKey, g.key) {
		from := len(g.arena)
		g.arena = append(g.arena, g.aheadVal...) // an earlier array stays alive for the values that point into it
		g.values = append(g.values, g.arena[from:len(g.arena):len(g.arena)])
		if err := g.read(); err != nil {
			return err
		}
	}
	if g.ahead && bytes.Compare(g.aheadKey, g.key) < 0 {
		return fmt.Errorf("joining: the %s side is not sorted: key %q follows %q", g.name, g.aheadKey, g.key)
	}
	g.more = true
	return nil
}

// read takes the next pair of the cursor.
func (g *groups) read() error {
	g.ahead = false
	if g.done {
		return nil
	}
	key, value, err := g.in.Next()
	if errors.Is(err, io.EOF) {
		g.done = true
		return nil
	}
	if err != nil {
		return err
	}
	g.ahead, g.aheadKey, g.aheadVal = true, key, value
	return nil
}
