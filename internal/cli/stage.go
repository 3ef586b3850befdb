package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// maxAbort bounds the message of an abort record, in bytes.
const maxAbort = 2000

// Stage runs fn between the input and the output that the flags name, and ends the output as it must end: with an end
// record where fn returns nil or an error of status Remarks, else with an abort record (standard output) or with no
// file at all (--out). in is nil for a command that does not read. fn writes all records but end and abort. Its input
// is read to the end, by fn or after it, so that a manifest cut short never passes for a good one.
func (j *Job) Stage(ctx context.Context, fn func(ctx context.Context, in *Input, out *manifest.Writer) error) error {
	out, err := j.openOutput()
	if err != nil {
		return err
	}
	w := manifest.NewWriter(out, j.Tool)
	var in *Input
	if j.command.Reads {
		in, err = j.openInput(ctx)
	}
	if err == nil {
		err = guard(func() error { return fn(ctx, in, w) })
	}
	if in != nil {
		if finished(err) {
			if derr := drain(in.Reader); derr != nil {
				err = fmt.Errorf("reading %s: %w", in.Name, derr)
			}
		}
		in.close()
	}
	return j.settle(ctx, out, w, err)
}

// settle ends the output of a stage that ended with err.
func (j *Job) settle(ctx context.Context, out *output, w *manifest.Writer, err error) error {
	if finished(err) {
		if _, eerr := w.End(); eerr != nil {
			err = fmt.Errorf("writing the end record: %w", eerr)
		} else if cerr := out.commit(); cerr != nil {
			return cerr
		} else {
			j.wrote = true
			return err
		}
	}
	status := j.env.Status(ctx, err)
	// A command line that is wrong leaves standard output empty; the next stage finds no manifest and says so.
	silent := errors.Is(err, errReaderGone) || status == manifest.Usage && out.written == 0
	if out.stream() && !silent {
		message := oneLine(j.env.message(status, err))
		if len(message) > maxAbort {
			message = message[:maxAbort] + "…"
		}
		message = strings.ToValidUTF8(message, "?") // of a cut character, or of a file name in the error
		if aerr := w.Abort(status, message); aerr != nil {
			j.Log.Error("the abort record could not be written", "reason", aerr)
		}
	}
	out.discard()
	return err
}
