package pack

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// intake is what pack knows of its input before it begins: all of it has been read to its end.
type intake struct {
	header       manifest.Header
	installation manifest.Installation
	said         manifest.Results
	waivers      []manifest.Waiver
	end          manifest.End
	tables       []string // names of the tables that the input lists
	forecast     map[manifest.Area]forecast
	past         bool            // a table or a file was read: what stands before them is over
	later        bool            // there are records of unknown kinds behind that
	was          manifest.Digest // the digest that an edited input had
	edited       bool            // the input was edited by hand, and that was accepted
}

// forecast is what scan expected of an area.
type forecast struct {
	Files int64 // of rows and files
	Bytes int64 // of files that are there
	Rows  int64 // of tables
}

// contextReader stops reading when the run is asked to stop.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// store copies a manifest that comes as a stream into the spool, so that it is known to its end before anything begins
// and can then be read once more. again opens the copy.
func store(ctx context.Context, name string, r *manifest.Reader) (again func() (*manifest.Reader, error), closeAll func(), err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("storing the input in the spool: %w", err)
	}
	fail := func(err error) (func() (*manifest.Reader, error), func(), error) {
		f.Close()
		return nil, nil, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for {
		line, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fail(err)
		}
		w.Write(line.Raw) //nolint:errcheck // Flush tells
		if err := w.WriteByte('\n'); err != nil {
			return fail(fmt.Errorf("storing the input in the spool: %w", err))
		}
	}
	end, err := json.Marshal(r.End())
	if err != nil {
		return fail(err)
	}
	fmt.Fprintf(w, "{\"kind\":%q,%s\n", manifest.KindEnd, end[1:])
	if err := w.Flush(); err != nil {
		return fail(fmt.Errorf("storing the input in the spool: %w", err))
	}
	return func() (*manifest.Reader, error) {
		// An edit that was accepted has been noted; the copy is read as it is.
		return manifest.NewReader(io.NewSectionReader(f, 0, 1<<62), manifest.ReadOptions{AcceptEdits: true}), nil
	}, func() { f.Close() }, nil
}

// readInput reads the whole input once. An input that is cut short, edited or from a failed stage is an error of status
// BadInput (or the upstream's own), and so nothing is done on it.
func readInput(ctx context.Context, r *manifest.Reader) (*intake, error) {
	in := &intake{forecast: map[manifest.Area]forecast{}}
	for {
		line, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if err := in.take(line); err != nil {
			return nil, manifest.Errorf(manifest.BadInput, "reading a %s record: %w", line.Kind, err)
		}
	}
	in.end = r.End()
	return in, nil
}

func (in *intake) take(l manifest.Line) error {
	rank := manifest.Rank(l.Kind)
	in.past = in.past || rank >= manifest.Rank(manifest.KindTable)
	in.later = in.later || in.past && rank < 0
	switch l.Kind {
	case manifest.KindManifest:
		return l.Decode(&in.header)
	case manifest.KindInstallation:
		return l.Decode(&in.installation)
	case manifest.KindCheck:
		return keep(l, &in.said.Checks)
	case manifest.KindFinding:
		return keep(l, &in.said.Findings)
	case manifest.KindWaiver:
		return keep(l, &in.waivers)
	case manifest.KindTable:
		var t struct{ Name string }
		if err := l.Decode(&t); err != nil {
			return err
		}
		in.tables = append(in.tables, t.Name)
		f := in.forecast[manifest.Database]
		f.Rows += number(l.Raw, `"rows":`)
		in.forecast[manifest.Database] = f
	case manifest.KindFile:
		area := manifest.Area(word(l.Raw, `"area":"`))
		f := in.forecast[area]
		f.Files++
		f.Bytes += number(l.Raw, `"size":`)
		in.forecast[area] = f
	}
	return nil
}

func keep[T any](l manifest.Line, list *[]T) error {
	var rec T
	if err := l.Decode(&rec); err != nil {
		return err
	}
	*list = append(*list, rec)
	return nil
}

// number and word take a field out of a line without decoding it. They serve progress bars alone, so a line that some
// other program wrote with other spacing counts as nothing.
func number(line []byte, key string) int64 {
	i := bytes.Index(line, []byte(key))
	if i < 0 {
		return 0
	}
	line = line[i+len(key):]
	n := 0
	for n < len(line) && line[n] >= '0' && line[n] <= '9' {
		n++
	}
	v, _ := strconv.ParseInt(string(line[:n]), 10, 64)
	return v
}

func word(line []byte, key string) string {
	i := bytes.Index(line, []byte(key))
	if i < 0 {
		return ""
	}
	line = line[i+len(key):]
	if n := bytes.IndexByte(line, '"'); n >= 0 {
		return string(line[:n])
	}
	return ""
}

// writtenBy tells which program wrote a manifest: "omt-assign" of "omt-assign 0.1.0".
func writtenBy(end manifest.End) string {
	name, _, _ := strings.Cut(end.Tool, " ")
	return name
}
