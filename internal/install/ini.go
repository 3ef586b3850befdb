package install

import (
	"fmt"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// ini is an ini file: section and key in lower case.
type ini map[string]map[string]string

// parseINI reads text as Windows does: a line that begins with ; (or #) is a comment, the first of equal keys counts,
// and a value loses the space around it and one pair of quotes. Lines that are neither are passed over.
func parseINI(text string) ini {
	f := ini{}
	section := ""
	for line := range strings.Lines(strings.ReplaceAll(text, "\r", "\n")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == ';' || line[0] == '#' {
			continue
		}
		if line[0] == '[' {
			name, _, _ := strings.Cut(line[1:], "]")
			section = strings.ToLower(strings.TrimSpace(name))
			if f[section] == nil {
				f[section] = map[string]string{}
			}
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if _, double := f[section][key]; !ok || double || f[section] == nil {
			continue
		}
		f[section][key] = unquote(strings.TrimSpace(value))
	}
	return f
}

func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

const (
	iniMain   = "superoffice"
	iniPlugin = "docplugin_soarc" // its archive paths are looked at first
)

// readINI makes a Config of SuperOffice.ini.
func readINI(text []byte, file, folder string) (Config, error) {
	f := parseINI(string(text))
	if f[iniMain] == nil {
		return Config{}, manifest.Errorf(manifest.Usage, "reading %q: there is no section [SuperOffice]", file)
	}
	var c Config
	archives := archivePaths(f[iniPlugin], folder)
	if len(archives) == 0 {
		archives = archivePaths(f[iniMain], folder)
	}
	c.setArchive(archives, firstOf(f[iniPlugin]["templatepath"], f[iniMain]["templatepath"]), file, folder)
	if c.Prefix = f[iniMain]["globalprefix"]; c.Prefix != "" {
		c.said(namePrefix, file)
	}
	data := f[iniMain]["datapath"]
	if kind, dsn, ok := strings.Cut(data, ":"); ok && strings.EqualFold(strings.TrimSpace(kind), "odbc") {
		c.dsn = Source{strings.TrimSpace(dsn), file}
	}
	return c, nil
}

// maxArchives is how many alternatives to the first archive path are looked for.
const maxArchives = 10

// archivePaths returns ArchivePath, ArchivePath1, … of a section, each folder once.
func archivePaths(section map[string]string, folder string) []string {
	var dirs []string
	add := func(p string) {
		p = absolute(folder, p)
		for _, d := range dirs {
			if samePath(d, p) {
				return
			}
		}
		if p != "" {
			dirs = append(dirs, p)
		}
	}
	add(section["archivepath"])
	for i := 1; i <= maxArchives; i++ {
		add(section[fmt.Sprintf("archivepath%d", i)])
	}
	return dirs
}

// setArchive sets the folders of documents and templates as far as they were named.
func (c *Config) setArchive(archives []string, template, file, folder string) {
	if len(archives) > 0 {
		c.setRoot(manifest.Document, archives, file)
	}
	if template = absolute(folder, template); template != "" {
		c.setRoot(manifest.Template, []string{template}, file)
	}
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
