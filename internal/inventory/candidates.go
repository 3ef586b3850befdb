package inventory

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
)

const (
	maxCandidates = 3
	maxSameName   = 4096 // unclaimed files of one name that are looked at
)

// nameKey gives the key under which a missing row and a file elsewhere meet: the folded name.
func nameKey(path string, raw bool) string {
	name := base(path)
	if raw {
		name = guessName(name)
	}
	return archive.Fold(name)
}

// matchNames gives missing rows their candidates and counts what tells whose a folder is.
func (d *documents) matchNames(ctx context.Context) error {
	var current []byte
	var p pool
	err := each(ctx, d.names, func(key []byte, tag byte, f manifest.File) error {
		if !bytes.Equal(key, current) {
			p, current = pool{}, append(current[:0], key...)
		}
		if tag == tagFile {
			p.add(f)
			return nil
		}
		p.index()
		f.Candidates = p.candidates(&f)
		d.stats.miss(&f, p.folders(&f))
		return d.out.add(f)
	})
	if err != nil {
		return err
	}
	return d.names.Close()
}

// pool holds the files of one name that no row took.
type pool struct {
	files []pooled
	rest  map[string][]int // by folded path without the folder at the top
	top   map[string][]int // by that folder
}

type pooled struct{ path, top, rest string }

func (p *pool) add(f manifest.File) {
	if len(p.files) == maxSameName {
		return
	}
	top, rest, _ := strings.Cut(foldPath(f.Disk, f.Raw), "/")
	p.files = append(p.files, pooled{f.Disk, top, rest})
}

// index is called once all files are there.
func (p *pool) index() {
	if p.rest != nil {
		return
	}
	slices.SortStableFunc(p.files, func(a, b pooled) int { return strings.Compare(a.path, b.path) })
	p.rest, p.top = map[string][]int{}, map[string][]int{}
	for n, f := range p.files {
		p.rest[f.rest] = append(p.rest[f.rest], n)
		p.top[f.top] = append(p.top[f.top], n)
	}
}

// rests gives the folded paths of a row below its user's folder.
func rests(row *manifest.File) (top string, rest []string) {
	top, first, _ := strings.Cut(archive.Fold(row.Path), "/")
	rest = []string{first}
	if row.Also != "" {
		_, second, _ := strings.Cut(archive.Fold(row.Also), "/")
		rest = append(rest, second)
	}
	return top, rest
}

// candidates gives the paths of up to three files: those of the same period in another folder, then those of another
// period in the user's folder, then any.
func (p *pool) candidates(row *manifest.File) []string {
	var out []string
	take := func(n int) {
		if len(out) < maxCandidates && !slices.Contains(out, p.files[n].path) {
			out = append(out, p.files[n].path)
		}
	}
	top, rest := rests(row)
	for _, r := range rest {
		for _, n := range p.rest[r] {
			take(n)
		}
	}
	for _, n := range p.top[top] {
		take(n)
	}
	for n := 0; n < len(p.files) && len(out) < maxCandidates; n++ {
		take(n)
	}
	return out
}

// folders gives the folders at the top that hold the row's file at its place: the row would find it there if its user's
// folder were called so.
func (p *pool) folders(row *manifest.File) []string {
	var out []string
	_, rest := rests(row)
	for _, r := range rest {
		for _, n := range p.rest[r] {
			if top := p.files[n].top; !slices.Contains(out, top) {
				out = append(out, top)
			}
		}
	}
	return out
}
