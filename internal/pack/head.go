package pack

import (
	"context"
	"errors"
	"io"

	"github.com/openomt/omt/internal/manifest"
)

// head copies what stands before the tables, with this run's phase and the installation as it was opened, and with it all
// records of kinds that are not known here, wherever they stood.
func (r *run) head(ctx context.Context) error {
	lines, err := r.again()
	if err != nil {
		return err
	}
	edited, past := !r.in.edited, false
	for ctx.Err() == nil {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		past = past || manifest.Rank(l.Kind) >= manifest.Rank(manifest.KindTable)
		if past && !r.in.later {
			return nil
		}
		if past && manifest.Rank(l.Kind) >= 0 {
			continue
		}
		if !edited && manifest.Rank(l.Kind) > manifest.Rank(manifest.KindEdit) {
			edited = true
			e := manifest.Edit{By: r.o.By, At: manifest.At(r.o.Now()), Tool: r.o.Tool, Was: r.in.was}
			if err := r.out.Write(e); err != nil {
				return err
			}
		}
		if err := r.freezes(l.Kind); err != nil {
			return err
		}
		if err := r.headLine(l); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (r *run) headLine(l manifest.Line) error {
	switch l.Kind {
	case manifest.KindManifest:
		return r.out.Write(r.header())
	case manifest.KindInstallation:
		return r.out.Write(r.src.Installation)
	case manifest.KindFreeze:
		if r.live() {
			return nil // the records of this run stand in its place
		}
	}
	return r.out.WriteRaw(l)
}

// leaveArea passes the records of an area that this run does not pack, without chunks of their own.
func (r *run) leaveArea(ctx context.Context, area manifest.Area) error {
	lines, err := r.again()
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case l.Kind == manifest.KindTable && area == manifest.Database:
			err = r.out.WriteRaw(l)
		case l.Kind == manifest.KindFile && area != manifest.Database:
			var f manifest.File
			if f, err = l.File(); err == nil && f.Area == area {
				if packable(f, r.o.Orphans) {
					f.State, f.Reason = manifest.Left, "area"
				}
				f.SHA256, f.Chunk, f.Offset, f.Same = manifest.Digest{}, manifest.Digest{}, 0, ""
				err = r.emit(f)
			}
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
