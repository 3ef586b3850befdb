package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/manifest"
)

// trusted returns the reader of the input, and the record to write where it was edited and that was accepted. A file has
// been read to its end, so it is known; a stream must be copied to a temporary file first, since the record stands near
// the beginning. Without --accept-edits an edited input is an error anyway and nothing is copied. done removes the copy.
func trusted(in *cli.Input, j *cli.Job, by string) (r *manifest.Reader, e *manifest.Edit, done func(), err error) {
	edit := func(was manifest.Digest) *manifest.Edit {
		return &manifest.Edit{By: by, At: manifest.At(j.Env().Now()), Tool: j.Tool, Was: was}
	}
	done = func() {}
	switch {
	case in.Summary != nil:
		if in.Summary.Edited {
			e = edit(in.Summary.End.SHA256)
		}
		return in.Reader, e, done, nil
	case !j.AcceptEdits:
		return in.Reader, nil, done, nil
	}
	f, err := os.CreateTemp(j.Temp, "omt-assign-*.jsonl")
	if err != nil {
		return nil, nil, nil, fmt.Errorf("copying the input: %w", err)
	}
	done = func() {
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
		return nil, nil, nil, err
	}
	_, err = w.End()
	if _, serr := f.Seek(0, 0); err != nil || serr != nil {
		return nil, nil, nil, fmt.Errorf("copying the input: %w", errors.Join(err, serr))
	}
	if was, edited := in.Edited(); edited {
		e = edit(was)
	}
	return manifest.NewReader(f, manifest.ReadOptions{}), e, done, nil
}
