package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
)

// source is the input of a run.
type source struct {
	reader *manifest.Reader
	edit   *manifest.Edit                   // the record to write where the input was edited and that was accepted
	again  func() (*manifest.Reader, error) // reads it anew; nil for a stream that was not copied
	close  func()                           // removes the copy
}

// trusted returns the source of the run. A file has been read to its end, so it is known whether it was edited. A stream
// is copied to a temporary file first where it must be known, since the record stands near the beginning, and where it is
// read twice. Without --accept-edits an edited input is an error anyway.
func trusted(in *cli.Input, j *cli.Job, by string, twice bool) (s source, err error) {
	edit := func(was manifest.Digest) *manifest.Edit {
		return &manifest.Edit{By: by, At: manifest.At(j.Env().Now()), Tool: j.Tool, Was: was}
	}
	s = source{reader: in.Reader, again: in.Again, close: func() {}}
	switch {
	case in.Summary != nil:
		if in.Summary.Edited {
			s.edit = edit(in.Summary.End.SHA256)
		}
		return s, nil
	case !j.AcceptEdits && !twice:
		return s, nil
	}
	f, err := os.CreateTemp(j.Temp, "omt-assign-*.jsonl")
	if err != nil {
		return source{}, fmt.Errorf("copying the input: %w", err)
	}
	done := func() {
		f.Close()
		os.Remove(f.Name())
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	w := manifest.NewWriter(f, j.Tool)
	if err := manifest.Copy(w, in.Reader, nil); err != nil {
		return source{}, err
	}
	_, err = w.End()
	size, serr := f.Seek(0, io.SeekEnd)
	if err != nil || serr != nil {
		return source{}, fmt.Errorf("copying the input: %w", errors.Join(err, serr))
	}
	s = source{close: done, again: func() (*manifest.Reader, error) {
		return manifest.NewReader(io.NewSectionReader(f, 0, size), manifest.ReadOptions{}), nil
	}}
	if was, edited := in.Edited(); edited {
		s.edit = edit(was)
	}
	s.reader, err = s.again()
	return s, err
}
