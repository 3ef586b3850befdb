package install

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/openomt/omt/internal/manifest"
)

// depth is how many levels below a folder are searched, and batch how many names are held at once.
const (
	depth = 3
	batch = 512
)

// file is a configuration file that was found.
type file struct {
	kind   Kind
	path   string
	config Config
}

// names are the kinds of files by their names in lower case.
var names = map[string]Kind{
	"omt.json": JSON, "superoffice.ini": INI, "superoffice.config": Net, "web.config": Net, "config": Service,
}

// order is the precedence of kinds where several say the same.
var order = [...]Kind{JSON, Net, INI, Service}

// Load reads the configuration of an installation: of the file that is named, of what lies beside it, and of what is
// found below dir; the package comment says how they are joined. Either may be empty; both empty give a Config that says
// nothing. Errors have status Usage.
func Load(dir, name string) (Config, error) {
	var c Config
	var chosen file
	if name != "" {
		var err error
		if chosen, err = readChosen(name); err != nil {
			return Config{}, err
		}
		c.Fill(chosen.config)
		if chosen.kind == JSON {
			return c, nil
		}
	}
	var found []file
	var err error
	switch {
	case dir != "":
		found, err = search(dir)
	case name != "":
		found, err = beside(chosen)
	}
	if err == nil {
		found, err = choose(found, chosen)
	}
	if err != nil {
		return Config{}, err
	}
	if dir != "" && name == "" && len(found) == 0 {
		return Config{}, manifest.Errorf(manifest.Usage, "nothing of an installation was found in %q", dir).
			WithHint("it holds no omt.json, and down to three levels below no SuperOffice.ini, SuperOffice.config, web.config or config of Customer Service; " +
				"name one with --config FILE, or give --db and --root")
	}
	for _, f := range found {
		c.Fill(f.config)
	}
	c.resolve(systemRegistry())
	return c, nil
}

// Find reads the configuration of the installation in dir.
func Find(dir string) (Config, error) { return Load(dir, "") }

// readChosen reads the file that a person named; its content says what kind it is.
func readChosen(name string) (file, error) {
	full, err := filepath.Abs(name)
	if err != nil {
		return file{}, manifest.Errorf(manifest.Usage, "reading %q: %w", name, err)
	}
	raw, err := readFile(full)
	if err != nil {
		return file{}, manifest.Errorf(manifest.Usage, "%w", err)
	}
	kind, err := sniff(raw)
	if err != nil {
		return file{}, manifest.Errorf(manifest.Usage, "reading %q: %w", full, err)
	}
	c, err := parse(kind, raw, full)
	return file{kind, full, c}, err
}

var errNoKind = errors.New("it is no configuration file that is understood: neither omt.json nor SuperOffice.ini, SuperOffice.config, web.config or config of Customer Service")

// sniff tells the kind of a file by its content.
func sniff(raw []byte) (Kind, error) {
	text, _, err := decode(raw)
	if err != nil {
		return "", err
	}
	text = bytes.TrimSpace(text)
	switch {
	case bytes.HasPrefix(text, []byte("{")):
		return JSON, nil
	case bytes.HasPrefix(text, []byte("<")):
		return Net, nil
	}
	if keys, _ := parseService(string(text)); isService(keys) {
		return Service, nil
	}
	if len(parseINI(string(text))) > 0 {
		return INI, nil
	}
	return "", errNoKind
}

func parse(kind Kind, raw []byte, path string) (Config, error) {
	folder := filepath.Dir(path)
	if kind == Net {
		return readNet(raw, path, folder)
	}
	text, _, err := decode(raw)
	if err != nil {
		return Config{}, manifest.Errorf(manifest.Usage, "reading %q: %w", path, err)
	}
	switch kind {
	case JSON:
		return readJSON(text, path, folder)
	case INI:
		return readINI(text, path, folder)
	default:
		return readService(text, path, folder)
	}
}

// search looks for files in dir and below. omt.json in dir itself ends it.
func search(dir string) ([]file, error) {
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, manifest.Errorf(manifest.Usage, "looking into %q: %w", dir, err)
	}
	own, err := candidates(full, func(n string, _ Kind) bool { return n == string(JSON) })
	if err != nil {
		return nil, manifest.Errorf(manifest.Usage, "looking into %q: %w", dir, reason(err))
	}
	if len(own.files) > 0 {
		return readAll(own.files)
	}
	var paths []string
	if err := descend(full, depth, &paths); err != nil {
		return nil, manifest.Errorf(manifest.Usage, "looking into %q: %w", dir, reason(err))
	}
	return readAll(paths)
}

// period is a folder of the archive, in which no configuration lies and very many files may.
var period = regexp.MustCompile(`^[0-9]{4}\.[12]$`)

// descend collects the candidates in dir and levels below it. A folder below the first that cannot be read is passed
// over: it may be a user's own.
func descend(dir string, levels int, paths *[]string) error {
	c, err := candidates(dir, func(_ string, k Kind) bool { return k != JSON })
	if err != nil {
		return err
	}
	*paths = append(*paths, c.files...)
	if levels == 0 {
		return nil
	}
	for _, sub := range c.folders {
		if err := descend(sub, levels-1, paths); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

type listing struct{ files, folders []string }

// candidates lists the files in dir whose names are those of configuration files and that want takes, and its folders.
func candidates(dir string, want func(name string, k Kind) bool) (listing, error) {
	var l listing
	d, err := os.Open(dir)
	if err != nil {
		return l, err
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(batch)
		for _, e := range entries {
			name := strings.ToLower(e.Name())
			kind, known := names[name]
			switch {
			case e.IsDir() && !period.MatchString(name):
				l.folders = append(l.folders, filepath.Join(dir, e.Name()))
			case known && e.Type().IsRegular() && want(name, kind):
				l.files = append(l.files, filepath.Join(dir, e.Name()))
			}
		}
		if errors.Is(err, io.EOF) {
			slices.Sort(l.files)
			slices.Sort(l.folders)
			return l, nil
		}
		if err != nil {
			return l, err
		}
	}
}

// readAll reads the files that are ours.
func readAll(paths []string) ([]file, error) {
	var list []file
	for _, p := range paths {
		kind := names[strings.ToLower(filepath.Base(p))]
		raw, err := readFile(p)
		if err != nil {
			return nil, manifest.Errorf(manifest.Usage, "%w", err)
		}
		if !ours(kind, p, raw) {
			continue
		}
		c, err := parse(kind, raw, p)
		if err != nil {
			return nil, err
		}
		list = append(list, file{kind, p, c})
	}
	return list, nil
}

// ours tells files with names that other programs use too.
func ours(kind Kind, path string, raw []byte) bool {
	text, _, err := decode(raw)
	switch {
	case kind == Service:
		keys, _ := parseService(string(text))
		return err == nil && isService(keys)
	case strings.EqualFold(filepath.Base(path), "web.config"):
		return err == nil && bytes.Contains(bytes.ToLower(text), []byte("<superoffice"))
	}
	return true
}

// beside returns SuperOffice.ini and SuperOffice.config in the folder of the chosen file.
func beside(chosen file) ([]file, error) {
	l, err := candidates(filepath.Dir(chosen.path), func(n string, k Kind) bool { return n != "web.config" && (k == INI || k == Net) })
	if err != nil {
		return nil, manifest.Errorf(manifest.Usage, "looking beside %q: %w", chosen.path, reason(err))
	}
	return readAll(l.files)
}

// choose leaves one file of each kind, in the order of precedence. The kind that a person chose a file of is settled; of
// the others, a file in the same folder is meant where there is one.
func choose(found []file, chosen file) ([]file, error) {
	var list []file
	for _, kind := range order {
		var same, near []file
		for _, f := range found {
			if f.kind != kind || kind == chosen.kind {
				continue
			}
			same = append(same, f)
			if chosen.path != "" && filepath.Dir(f.path) == filepath.Dir(chosen.path) {
				near = append(near, f)
			}
		}
		if len(same) > 1 && len(near) == 1 {
			same = near
		}
		if len(same) > 1 {
			return nil, several(kind, same)
		}
		list = append(list, same...)
	}
	return list, nil
}

func several(kind Kind, list []file) error {
	paths := make([]string, len(list))
	for i, f := range list {
		paths[i] = f.path
	}
	return manifest.Errorf(manifest.Usage, "%s", fmt.Sprintf("several files of the kind %s were found: %s", kind, quoteAll(paths))).
		WithHint("choose one with --config FILE")
}
