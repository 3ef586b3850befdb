package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/openomt/omt/internal/manifest"
)

// forecastJoin walks the file records of an area in the input beside those that are packed, both in manifest order, and
// counts the rows and files that came and went between the stages.
type forecastJoin struct {
	area       manifest.Area
	lines      *manifest.Reader
	mine, next []byte // keys of the record at hand and of the input's next one
	end        bool
	rows       int64 // records of rows, that is with an id
	came, went int64
}

func newForecastJoin(again func() (*manifest.Reader, error), area manifest.Area) (*forecastJoin, error) {
	lines, err := again()
	if err != nil {
		return nil, err
	}
	j := &forecastJoin{area: area, lines: lines}
	return j, j.advance()
}

// advance reads on to the area's next record in the input.
func (j *forecastJoin) advance() error {
	for !j.end {
		l, err := j.lines.Next()
		if errors.Is(err, io.EOF) {
			break
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
		if f.Area == j.area {
			j.next = manifest.FileKey(j.next[:0], f.Path, f.ID)
			return nil
		}
		if f.Area.Rank() > j.area.Rank() {
			break
		}
	}
	j.end = true
	return nil
}

// add takes the next record that is packed.
func (j *forecastJoin) add(f manifest.File) error {
	if f.ID != 0 {
		j.rows++
	}
	j.mine = manifest.FileKey(j.mine[:0], f.Path, f.ID)
	for !j.end {
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
	for !j.end {
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
