package push

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// Repacking is what a function that looks again, or takes files over, is given.
type Repacking struct {
	Base  func() (*manifest.Reader, error) // the tenant's manifest, from its start
	Input func() (*manifest.Reader, error) // the manifest that files are taken from; nil: they are looked for on disk
	// Fetch opens a chunk, from its start.
	Fetch func(ctx context.Context, c manifest.Chunk) (io.ReadCloser, error)
	Edit  *manifest.Edit // to be written, since Base was edited by hand
	Spool string
}

// Repacked is what such a function did.
type Repacked struct {
	Made  bool // a manifest was written; else there was nothing to take
	Areas map[manifest.Area]Gained
	Lost  []manifest.File // the first that still lack their file, as they are now
}

// Gained counts what was done in an area.
type Gained struct {
	Found   int64 // files that were not stored and are now
	Changed int64 // files that were stored with other content
	Touched int64 // files with another time or size and the same content, or that could not be read
	Gone    int64 // files that are stored and are no longer on disk
	Unknown int64 // files of the input that the tenant's manifest has no record of
}

// judgePushed judges an input that omt-push wrote: it is looked at again, or files are taken from it for another
// migration.
func (r *run) judgePushed(ctx context.Context) error {
	if r.in.phase() == tenant.Preseed {
		return manifest.Errorf(manifest.Refused, "the manifest is of a part that went ahead, and was pushed already: there is nothing to look for again").
			WithHint("run omt-pack again on the manifest that omt-assign wrote, with --only or --older-than as before, and push what it writes")
	}
	if r.o.Repack == nil {
		return manifest.Errorf(manifest.Refused, "the manifest was written by omt-push, and nothing can look again here")
	}
	if r.o.Recover == tenant.RecoverOverwrite {
		return manifest.Errorf(manifest.Refused, "the manifest was written by omt-push: it cannot take the place of a migration").
			WithHint("push what omt-pack wrote, or leave out --recover overwrite to look again for missing documents")
	}
	r.how = tenant.RecoverAgain
	v, err := r.tenant.Judge(ctx, r.claim(), r.how)
	if err != nil && r.o.Recover == tenant.RecoverMissing {
		r.how = tenant.RecoverMissing
		v, err = r.tenant.Judge(ctx, r.claim(), r.how)
	}
	r.verdict = v
	return r.lineToType(err)
}

// lineToType adds the command lines that would be let pass to a refusal.
func (r *run) lineToType(err error) error {
	choices := tenant.Choices(err)
	if len(choices) == 0 || r.o.Line == nil {
		return err
	}
	var hints []string
	for _, c := range choices {
		if c == tenant.RecoverOverwrite && r.in.pushed() {
			continue
		}
		what := "to add missing and changed files to it and nothing else"
		if c == tenant.RecoverOverwrite {
			what = "to put the new migration in its place"
		}
		hints = append(hints, what+": "+r.o.Line(c))
	}
	if len(hints) == 0 {
		hints = []string{"push what omt-pack wrote"}
	}
	return manifest.Errorf(manifest.StatusOf(err), "%w", err).WithHint("%s", strings.Join(hints, "; or "))
}

// recover makes the manifest that adds files to what the tenant holds, and lets the run go on with it. Where there is
// nothing to add it returns the commit that stands.
func (r *run) recover(ctx context.Context) (*tenant.Commit, error) {
	if r.o.Repack == nil {
		return nil, manifest.Errorf(manifest.Refused, "nothing can take files over here")
	}
	taking := !r.in.pushed() || r.verdict.Current.ID != r.in.header.ID
	if !r.in.pushed() {
		if err := r.in.refuse(r.o.Now(), r.o.Notice); err != nil {
			return nil, err
		}
	}
	// A commit that passed the gate is finished before its manifest is read.
	if _, _, err := r.tenant.Committed(ctx, r.in.phase(), r.in.header.ID, r.in.digest); err != nil {
		return nil, err
	}
	v, err := r.tenant.Judge(ctx, r.claim(), r.how)
	if err != nil {
		return nil, r.lineToType(err)
	}
	now := *v.Current
	r.verdict, r.verdict.Mode = v, now.Mode
	var closing closers
	defer closing.close()
	o := Repacking{Fetch: r.fetch, Spool: r.o.Spool}
	var base func() (*manifest.Reader, func(), error)
	if taking {
		o.Input = closing.reader(r.again)
		base, err = r.copyOf(ctx, now)
	} else {
		base, o.Edit, err = r.baseOf(ctx, now)
	}
	if err != nil {
		return nil, err
	}
	o.Base = closing.reader(base)
	made, err := r.repack(ctx, o)
	if err != nil {
		return nil, err
	}
	if made == nil {
		return &now, r.resurvey(ctx, base)
	}
	r.base = now.Revision
	return nil, r.resurvey(ctx, made)
}

// baseOf is the tenant's latest manifest, of which an input that is looked at again may be: the input itself, with a record
// of an edit by hand, or what is at the destination.
func (r *run) baseOf(ctx context.Context, now tenant.Commit) (base func() (*manifest.Reader, func(), error), edit *manifest.Edit, err error) {
	switch {
	case r.in.edited && r.in.was != now.End:
		return nil, nil, manifest.Errorf(manifest.Refused, "the manifest was edited, and the one that it was is not what the tenant at %s holds by now (revision %d)",
			r.o.To.URL(), now.Revision).
			WithHint("edit the manifest of that revision: omt-push --in with the manifest as it was before the edit writes it")
	case r.in.edited:
		return r.again, &manifest.Edit{By: r.o.By, At: manifest.At(r.o.Now()), Tool: r.o.Tool, Was: r.in.was}, nil
	case r.in.digest == now.End:
		return r.again, nil, nil
	}
	r.o.Notice("the tenant holds revision %d of this migration, and the input is not of it: that revision is looked at", now.Revision)
	base, err = r.copyOf(ctx, now)
	return base, nil, err
}

// repack has the manifest made. Without anything to take again is nil.
func (r *run) repack(ctx context.Context, o Repacking) (again func() (*manifest.Reader, func(), error), err error) {
	c, err := newCopy(filepath.Join(r.temp, "again.jsonl.zst"))
	if err != nil {
		return nil, err
	}
	defer c.close()
	out := manifest.NewWriter(c.buf, r.o.Tool)
	g, err := r.o.Repack(ctx, o, out)
	if err != nil {
		return nil, err
	}
	r.gained = &g
	if !g.Made {
		return nil, nil
	}
	if _, err := out.End(); err != nil {
		return nil, err
	}
	return func() (*manifest.Reader, func(), error) { return c.again(false) }, c.end()
}

// resurvey lets the run go on with another manifest than the input.
func (r *run) resurvey(ctx context.Context, again func() (*manifest.Reader, func(), error)) error {
	lines, done, err := again()
	if err != nil {
		return err
	}
	defer done()
	in := &survey{standing: manifest.Standing{Required: r.o.Required}, receipts: true}
	next := func() (manifest.Line, error) {
		if err := ctx.Err(); err != nil {
			return manifest.Line{}, err
		}
		return lines.Next()
	}
	if err := in.read(next, false, nil); err != nil {
		return err
	}
	in.finish(lines)
	in.missing.renew(r.gained.Lost)
	for _, it := range in.chunks {
		if it.stored() {
			r.sender.stat.there(it.bytes)
		} else if err := r.sender.fits(it); err != nil {
			return err
		}
	}
	r.in, r.again = in, again
	return nil
}

// copyOf copies the manifest of a commit into the spool, since it is read more than once.
func (r *run) copyOf(ctx context.Context, now tenant.Commit) (func() (*manifest.Reader, func(), error), error) {
	c, err := newCopy(filepath.Join(r.temp, "base.jsonl.zst"))
	if err != nil {
		return nil, err
	}
	defer c.close()
	end, err := r.tenant.EachLine(ctx, now, func(l manifest.Line) error { return c.add(l.Raw) })
	if err == nil {
		err = c.finish(end)
	}
	if err != nil {
		return nil, fmt.Errorf("reading what the tenant holds: %w", err)
	}
	return func() (*manifest.Reader, func(), error) { return c.again(false) }, nil
}

// fetch opens a chunk in the spool, or else at the destination.
func (r *run) fetch(ctx context.Context, c manifest.Chunk) (io.ReadCloser, error) {
	if err := tenant.CheckChunk(c); err != nil {
		return nil, manifest.Errorf(manifest.BadInput, "%w", err)
	}
	name := r.spool.ChunkPath(c.SHA256, c.Type)
	if st, err := os.Stat(name); err == nil && st.Size() == c.Bytes {
		return os.Open(name)
	}
	rc, err := r.d.Open(ctx, tenant.ChunkName(c.SHA256, c.Type), 0, -1)
	if err != nil {
		return nil, fmt.Errorf("chunk %s is not in the spool %q; reading it at %s: %w", c.SHA256, r.spool.Dir(), r.o.To.URL(), err)
	}
	return rc, nil
}

// closers close what readers of a manifest hold.
type closers struct{ list []func() }

func (c *closers) close() {
	for _, f := range c.list {
		f()
	}
}

func (c *closers) reader(again func() (*manifest.Reader, func(), error)) func() (*manifest.Reader, error) {
	return func() (*manifest.Reader, error) {
		lines, done, err := again()
		if err == nil {
			c.list = append(c.list, done)
		}
		return lines, err
	}
}
