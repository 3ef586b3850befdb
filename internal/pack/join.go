package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/openomt/omt/internal/manifest"
)

// forecastJoin walks the file records of the input beside those that are packed, both in manifest order, area by area,
// and counts the rows and files that came and went between the stages.
type forecastJoin struct {
	again      func() (*manifest.Reader, error)
	lines      *manifest.Reader // nil before the first area
	area       manifest.Area    // at hand
	of         manifest.Area    // of the input's next record; empty at its end
	mine, next []byte           // keys of the record at hand and of the input's next one
	rows       int64            // records of rows, that is with an id
	came, went int64
}

// begin turns to an area, which comes after those before it.
func (j *forecastJoin) begin(area manifest.Area) error {
	j.area, j.rows, j.came, j.went = area, 0, 0, 0
	if j.lines == nil {
		lines, err := j.again()
		if err != nil {
			return err
		}
		j.lines = lines
		if err := j.advance(); err != nil {
			return err
		}
	}
	for j.of != "" && j.of.Rank() < area.Rank() {
		if err := j.advance(); err != nil {
			return err
		}
	}
	return nil
}

// more reports whether the input has another record of the area.
func (j *forecastJoin) more() bool { return j.of != "" && j.of == j.area }

// advance reads on to the next file record of the input.
func (j *forecastJoin) advance() error {
	for {
		l, err := j.lines.Next()
		if errors.Is(err, io.EOF) {
			j.of = ""
			return nil
		}
		if err != nil {
			return err
		}
		if l.Kind != manifest.KindFile {
			continue
		}
		f, err := l.File()
		if err != nil {
			return err
		}
		j.of, j.next = f.Area, manifest.FileKey(j.next[:0], f.Path, f.ID)
		return nil
	}
}

// add takes the next record that is packed.
func (j *forecastJoin) add(f manifest.File) error {
	if f.ID != 0 {
		j.rows++
	}
	j.mine = manifest.FileKey(j.mine[:0], f.Path, f.ID)
	for j.more() {
		switch bytes.Compare(j.next, j.mine) {
		case 0:
			return j.advance()
		case 1:
			j.came++
			return nil
		}
		j.went++
		if err := j.advance(); err != nil {
			return err
		}
	}
	j.came++
	return nil
}

// finish counts what the input has left, and holds the rows of documents against those of the view: each must have a
// record, or a document would be lost without a word.
func (j *forecastJoin) finish(ctx context.Context, r *run) error {
	for j.more() {
		j.went++
		if err := j.advance(); err != nil {
			return err
		}
	}
	if j.came+j.went > 0 {
		r.o.Notice("%s: %d rows or files came since the scan, %d went", j.area, j.came, j.went)
	}
	if j.area != manifest.Document {
		return nil
	}
	n, err := r.src.Reader.Count(ctx, "document")
	if err != nil {
		return err
	}
	if n != j.rows && r.src.Reader.Consistent() {
		return fmt.Errorf("the table of documents has %d rows in the snapshot, and %d of them have a record", n, j.rows)
	}
	return nil
}
