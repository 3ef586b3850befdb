package chunk

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Link is one file of a chain: the part as it was written first, or what changes it.
type Link struct {
	File io.ReaderAt
	manifest.Chunk
}

// KeyTable is the table whose rows are the keys of t: that of chunks which say what rows are gone.
func KeyTable(t manifest.Table) (manifest.Table, error) {
	key, err := KeyOf(source.FromRecord(t))
	if err == nil && key.Empty() {
		err = fmt.Errorf("table %q: it has no key, so a part of it has no deltas", t.Name)
	}
	if err != nil {
		return manifest.Table{}, err
	}
	keys := manifest.Table{Name: t.Name, Key: t.Key}
	for _, col := range key.cols {
		for _, c := range t.Columns {
			if c.Name == col.Name {
				keys.Columns = append(keys.Columns, c)
			}
		}
	}
	return keys, nil
}

// ChainReader reads the rows of a part that deltas have changed: those of the part's first chunk, with what each following
// one says put in their place, in the order of their keys. It reads all files beside each other and holds a page of every
// column of each, which is why chains are short (MaxChain).
type ChainReader struct {
	table   manifest.Table
	key     Key
	links   []*linkReader
	content *content
	first   string
	last    source.Row
	want    *manifest.After
	err     error
}

// MaxChain is how many files change a part, at most; after that it is written anew.
const MaxChain = 16

type linkReader struct {
	*PartReader
	record manifest.Chunk
	of     Key
	gone   bool       // its rows are keys
	row    source.Row // nil behind the last
	at     []byte     // its key, where there is another file to compare with
}

// NewChainReader opens a part of t that is made of links: its chunk first, then deltas in the order of their records.
func (p *Pool) NewChainReader(t manifest.Table, links []Link) (*ChainReader, error) {
	st := source.FromRecord(t)
	key, err := KeyOf(st)
	if err != nil {
		return nil, err
	}
	r := &ChainReader{table: t, key: key, content: newContent(st.Stored())}
	if err := checkChain(links, key); err != nil {
		return nil, fmt.Errorf("table %q: %w", t.Name, err)
	}
	r.want = links[len(links)-1].After
	for _, l := range links {
		if err := r.open(p, l); err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

// checkChain refuses records that do not belong together.
func checkChain(links []Link, key Key) error {
	if len(links) == 0 || links[0].Op != "" || links[0].After != nil {
		return errors.New("a part does not begin with its own chunk")
	}
	base := links[0]
	if len(links) > MaxChain+1 {
		return fmt.Errorf("part %s: %d chunks change it, more than %d", base.SHA256, len(links)-1, MaxChain)
	}
	if len(links) > 1 && key.Empty() {
		return fmt.Errorf("part %s: the table has no key, and so no deltas", base.SHA256)
	}
	for i, l := range links[1:] {
		switch {
		case l.Op != manifest.OpDelta && l.Op != manifest.OpDelete:
			return fmt.Errorf("chunk %s: what it does to a part (%q) is not known to this build", l.SHA256, l.Op)
		case l.Of == nil || *l.Of != base.SHA256:
			return fmt.Errorf("chunk %s: it does not change part %s, which it follows", l.SHA256, base.SHA256)
		case i == len(links)-2 && l.After == nil:
			return fmt.Errorf("chunk %s: it is the last to change part %s, and does not say what is there afterwards", l.SHA256, base.SHA256)
		}
	}
	return nil
}

func (r *ChainReader) open(p *Pool, l Link) error {
	t := r.table
	gone := l.Op == manifest.OpDelete
	if gone {
		var err error
		if t, err = KeyTable(t); err != nil {
			return err
		}
	}
	rows, err := p.NewPartReader(l.File, l.Bytes, t)
	if err != nil {
		return fmt.Errorf("chunk %s: %w", l.SHA256, err)
	}
	k := &linkReader{PartReader: rows, record: l.Chunk, gone: gone}
	if r.want != nil {
		k.of = rows.schema.key // alone it is compared with nothing
	}
	r.links = append(r.links, k)
	return k.next()
}

// next reads the next row of a file. Behind the last one it holds what it read against the record.
func (k *linkReader) next() error {
	row, err := k.Read()
	if errors.Is(err, io.EOF) {
		k.row, k.at = nil, nil
		part, err := k.Part()
		if err == nil {
			err = part.Check(k.record)
		}
		if err != nil {
			err = fmt.Errorf("chunk %s: %w", k.record.SHA256, err)
		}
		return err
	}
	if err != nil {
		return fmt.Errorf("chunk %s: %w", k.record.SHA256, err)
	}
	at, err := k.of.Append(nil, row)
	if err != nil {
		return fmt.Errorf("chunk %s: %w", k.record.SHA256, err)
	}
	if k.at != nil && !k.of.Empty() && bytes.Compare(k.at, at) >= 0 {
		return fmt.Errorf("chunk %s: %w", k.record.SHA256, damaged("the keys of its rows do not rise"))
	}
	k.row, k.at = row, at
	return nil
}

// Rows returns how many rows the part has.
func (r *ChainReader) Rows() int64 {
	if r.want != nil {
		return r.want.Rows
	}
	return r.links[0].Rows()
}

// Read returns the next row, which is the caller's. After the last one it returns io.EOF, once the rows have turned out to
// be those that the records promise; they are to be used for good only after that.
func (r *ChainReader) Read() (source.Row, error) {
	if r.err != nil {
		return nil, r.err
	}
	row, err := r.read()
	if err == nil && row == nil {
		if err = r.check(); err == nil {
			err = io.EOF
		}
	}
	if err != nil {
		r.err = err
		return nil, err
	}
	return row, nil
}

func (r *ChainReader) read() (source.Row, error) {
	if len(r.links) == 1 {
		return r.only()
	}
	for {
		newest := r.newest()
		if newest == nil {
			return nil, nil
		}
		row, gone, key := newest.row, newest.gone, newest.at
		var older *linkReader
		for _, k := range r.links {
			if k == newest || k.at == nil || !bytes.Equal(k.at, key) {
				continue
			}
			older = k
			if err := k.next(); err != nil {
				return nil, err
			}
		}
		if err := newest.next(); err != nil {
			return nil, err
		}
		if !gone {
			return row, r.take(row)
		}
		if older == nil || older.gone {
			return nil, fmt.Errorf("chunk %s: it removes a row that is not there, %s", newest.record.SHA256, newest.of.Text(row))
		}
	}
}

// only reads a part that nothing changes, whose rows need no comparing.
func (r *ChainReader) only() (source.Row, error) {
	k := r.links[0]
	row := k.row
	if row == nil {
		return nil, nil
	}
	if err := k.next(); err != nil {
		return nil, err
	}
	return row, nil
}

// newest is the file that has the last word on the lowest key, nil when all have ended.
func (r *ChainReader) newest() (newest *linkReader) {
	for _, k := range r.links {
		if k.at != nil && (newest == nil || bytes.Compare(k.at, newest.at) <= 0) {
			newest = k
		}
	}
	return newest
}

func (r *ChainReader) take(row source.Row) error {
	if _, err := r.content.add(row); err != nil {
		return err
	}
	if r.content.rows == 1 {
		r.first = r.key.Text(row)
	}
	r.last = row
	if r.content.large() { // what is kept of it would stay while others are read
		r.last = withoutLarge(row)
	}
	return nil
}

// check holds the rows of a changed part against what its last delta says of them.
func (r *ChainReader) check() error {
	if r.want == nil {
		return nil // its own record was compared with it
	}
	got := manifest.After{Rows: r.content.rows, Raw: r.content.raw, First: r.first, Content: r.content.sum()}
	if r.last != nil {
		got.Last = r.key.Text(r.last)
	}
	if got != *r.want {
		base := r.links[0].record.SHA256
		return damaged("part %s: changed as its records say it has %d rows, %q to %q, with the content %s; want %d, %q to %q, %s", base,
			got.Rows, got.First, got.Last, got.Content, r.want.Rows, r.want.First, r.want.Last, r.want.Content)
	}
	return nil
}

// Close gives the buffers back to the pool. It does not close the files.
func (r *ChainReader) Close() {
	for _, k := range r.links {
		k.Close()
	}
	r.links = nil
	if r.err == nil {
		r.err = errors.New("part is closed")
	}
}
