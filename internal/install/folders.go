package install

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/archive"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// Site is what the database says of folders.
type Site struct {
	Service     source.ServiceConfig
	Locations   []source.Location
	Attachments bool // there are rows of attachments
}

// Folders are the areas of an installation with their folders, absolute paths as this machine names them. Of service
// they are base, template, text, the last ones left out where they are not known, "" where one in between is not.
type Folders struct {
	Areas []manifest.Area
	Roots map[string][]string
}

// templateFolder is where templates lie below the first archive folder unless something else is named.
const templateFolder = "Template"

// placing is Folders in the making.
type placing struct {
	c    Config
	site Site
	maps []archive.Mapping
	only []manifest.Area
	out  Folders
}

// Folders joins what files and flags say with what the database says. Folders of attachments come from the flags or
// omt.json, else from the rows of attachment_location in the order of their ids, else from attachment_path of Service's
// config table; template and text folders of Service likewise. Nothing is looked up on disk but the letter case of the
// template folder. A folder that is needed and not known, or that is a path of another machine, is an error that names
// the flag to give; only, where it is not empty, are the areas whose folders are needed.
func (c Config) Folders(site Site, only []manifest.Area) (Folders, error) {
	p := placing{c: c, site: site, only: only, out: Folders{Areas: []manifest.Area{manifest.Database}, Roots: map[string][]string{}}}
	for _, m := range c.Map {
		mapping, err := archive.ParseMapping(m)
		if err != nil {
			return Folders{}, manifest.Errorf(manifest.Usage, "%w", err)
		}
		p.maps = append(p.maps, mapping)
	}
	for _, step := range []func() error{p.documents, p.service, p.attachments} {
		if err := step(); err != nil {
			return Folders{}, err
		}
	}
	slices.SortFunc(p.out.Areas, func(a, b manifest.Area) int { return a.Rank() - b.Rank() })
	return p.out, nil
}

// needed reports whether the folders of an area will be looked into.
func (p *placing) needed(a manifest.Area) bool { return len(p.only) == 0 || slices.Contains(p.only, a) }

func (p *placing) add(a manifest.Area, dirs []string) {
	p.out.Areas = append(p.out.Areas, a)
	p.out.Roots[string(a)] = dirs
}

// said returns the folders of an area that were named. none tells that the area was said not to exist.
func (p *placing) said(a manifest.Area) (dirs []string, none bool, err error) {
	named, ok := p.c.Roots[a]
	if !ok {
		return nil, false, nil
	}
	for _, d := range named {
		if !p.c.local[a] {
			if d, err = p.here(a, d, fmt.Sprintf("%q", p.c.From(rootName(a)))); err != nil {
				return nil, false, err
			}
		}
		dirs = append(dirs, d)
	}
	return dirs, len(named) == 0, nil
}

// here makes a path of this machine out of one that a file or the database names.
func (p *placing) here(a manifest.Area, dir, who string) (string, error) {
	mapped := archive.Rewrite(dir, p.maps)
	if filepath.IsAbs(mapped) {
		return filepath.Clean(mapped), nil
	}
	if !p.needed(a) {
		return mapped, nil
	}
	return "", manifest.Errorf(manifest.Usage, "%s names the folder %q of area %s, which is no path of this machine", who, mapped, a).
		WithHint(`give --map 'FROM=TO', where FROM is how the path begins there and TO what that folder is called here, or --root %s=DIR`, a)
}

func (p *placing) documents() error {
	docs, none, err := p.said(manifest.Document)
	if err != nil {
		return err
	}
	if len(docs) == 0 && !none && p.needed(manifest.Document) {
		return manifest.Errorf(manifest.Usage, "the folder of the document archive is not known").WithHint("give --root document=DIR")
	}
	if len(docs) > 0 {
		p.add(manifest.Document, docs)
	}
	templates, none, err := p.said(manifest.Template)
	switch {
	case err != nil || none:
		return err
	case len(templates) == 0 && len(docs) > 0:
		templates = []string{below(docs[0], inFolder(docs[0], templateFolder))}
	case len(templates) == 0 && p.needed(manifest.Template):
		return manifest.Errorf(manifest.Usage, "the folder of the templates is not known").WithHint("give --root template=DIR")
	}
	if len(templates) > 0 {
		p.add(manifest.Template, templates)
	}
	return nil
}

// inFolder returns name in the letter case that it has in dir, or as it is where dir has no such folder.
func inFolder(dir, name string) string {
	entries, _ := os.ReadDir(dir) // a folder that cannot be read is found out, and told, when the area is read
	found := name
	for _, e := range entries {
		if e.Name() == name {
			return name
		}
		if strings.EqualFold(e.Name(), name) && e.IsDir() {
			found = e.Name()
		}
	}
	return found
}

const configTable = "Service's table config"

func (p *placing) service() error {
	dirs, none, err := p.said(manifest.Service)
	if err != nil || none {
		return err
	}
	s := p.site.Service
	if len(dirs) == 0 {
		if firstOf(s.TemplatePath, s.TextPath) != "" && p.needed(manifest.Service) {
			return manifest.Errorf(manifest.Usage, "the database has Customer Service, and its base folder is not known").
				WithHint("give --root service=DIR, the folder in which the file config lies, or --root service= to leave it out")
		}
		return nil
	}
	for i, path := range []string{s.TemplatePath, s.TextPath} {
		if len(dirs) > 1+i {
			continue
		}
		if path = strings.TrimSpace(path); path != "" {
			if path, err = p.here(manifest.Service, path, configTable); err != nil {
				return err
			}
		}
		dirs = append(dirs, path)
	}
	for len(dirs) > 1 && dirs[len(dirs)-1] == "" {
		dirs = dirs[:len(dirs)-1]
	}
	if len(dirs) > 3 {
		return manifest.Errorf(manifest.Usage, "%d folders of area service: want base, template and text", len(dirs)).
			WithHint("give --root service=DIR once for each, in that order")
	}
	p.add(manifest.Service, dirs)
	return nil
}

func (p *placing) attachments() error {
	dirs, none, err := p.said(manifest.Attachment)
	if err != nil || none {
		return err
	}
	locations := slices.Clone(p.site.Locations)
	slices.SortFunc(locations, func(a, b source.Location) int { return cmp.Compare(a.ID, b.ID) })
	if len(dirs) == 0 {
		if dirs, err = p.located(locations); err != nil {
			return err
		}
	}
	switch needed := p.needed(manifest.Attachment); {
	case needed && len(dirs) > 0 && len(locations) > 0 && len(dirs) != len(locations):
		return manifest.Errorf(manifest.Usage, "the database names %d folders of attachments (%s), and %d were given",
			len(locations), quoteAll(paths(locations)), len(dirs)).
			WithHint("give --root attachment=DIR once for each, in that order")
	case needed && len(dirs) == 0 && p.site.Attachments:
		return manifest.Errorf(manifest.Usage, "the database has attachments of Customer Service, and their folder is not known").
			WithHint("give --root attachment=DIR, or --root attachment= to leave them out")
	}
	if len(dirs) > 0 {
		p.add(manifest.Attachment, dirs)
	}
	return nil
}

// located gives the folders of attachments that the database names: its locations, without any the one of older versions.
func (p *placing) located(locations []source.Location) (dirs []string, err error) {
	who := "attachment_location"
	if old := strings.TrimSpace(p.site.Service.AttachmentPath); len(locations) == 0 && old != "" {
		locations, who = []source.Location{{Path: old}}, configTable
	}
	for _, l := range locations {
		dir, err := p.here(manifest.Attachment, l.Path, who)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

func paths(locations []source.Location) []string {
	list := make([]string, len(locations))
	for i, l := range locations {
		list[i] = l.Path
	}
	return list
}
