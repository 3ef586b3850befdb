package inventory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

func decode(b []byte) (manifest.File, error) {
	return manifest.Line{Kind: manifest.KindFile, Raw: b}.File()
}

// headLen is what stands before a record in a sorter: the tag and the root.
const headLen = 3

// keep adds a record to a sorter. Records of one key come by tag, then by root.
func keep(s *manifest.Sorter, key []byte, tag byte, f *manifest.File) error {
	b, err := f.AppendJSON([]byte{tag, byte(f.Root >> 8), byte(f.Root)})
	if err != nil {
		return fmt.Errorf("keeping the record of file %q (id %d): %w", f.DiskPath(), f.ID, err)
	}
	return s.Add(key, b)
}

// each calls fn for every record that keep added, in order. The key is valid during the call.
func each(ctx context.Context, s *manifest.Sorter, fn func(key []byte, tag byte, f manifest.File) error) error {
	c, err := s.Sort(ctx)
	if err != nil {
		return err
	}
	for {
		key, value, err := c.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		f, err := decode(value[headLen:])
		if err != nil {
			return err
		}
		if err := fn(key, value[0], f); err != nil {
			return err
		}
	}
}

// output sorts finished records into the manifest's order.
type output struct {
	*listing
	sorter *manifest.Sorter
	key    []byte
}

func (l *listing) newOutput() *output { return &output{listing: l, sorter: l.newSorter()} }

func (o *output) close() { o.sorter.Close() } //nolint:errcheck // temporary files

// add takes a finished record. Disk is dropped where it equals Path.
func (o *output) add(f manifest.File) error {
	if f.Disk == f.Path {
		f.Disk = ""
	}
	o.key = manifest.FileKey(o.key[:0], f.Path, f.ID)
	return keep(o.sorter, o.key, 0, &f)
}

// flush hands all records to emit and reports those that cannot be read. In areas where a path means one file, two
// files of one path are an error.
func (o *output) flush(ctx context.Context) error {
	once := o.area == manifest.Service || o.area == manifest.Attachment
	last := ""
	err := each(ctx, o.sorter, func(_ []byte, _ byte, f manifest.File) error {
		if once && f.Path != "" && f.Path == last {
			return manifest.Errorf(manifest.Failed, "two files of area %s would be called %q", o.area, f.Path).
				WithHint("rename one of them on disk")
		}
		last = f.Path
		if f.State == manifest.Unreadable {
			o.report.unreadable(&f)
		}
		return o.emit(f)
	})
	if err == nil {
		o.report.end(o.area)
	}
	return err
}

// valid makes text of the database fit for a record.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
