package preflight

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/openomt/omt/internal/durable"
	"github.com/openomt/omt/internal/manifest"
)

// LockFile is the name of the lock file in a plugin folder.
const LockFile = "plugins.lock"

// LockState says how a file of the plugin folder stands to the lock file.
type LockState string

// The states.
const (
	Locked     LockState = "locked"          // as its entry says
	Unlocked   LockState = "unlocked"        // no entry
	Changed    LockState = "changed"         // not as its entry says
	Absent     LockState = "absent"          // an entry without a file
	NotRegular LockState = "no regular file" // a symbolic link, a pipe, a name that is not Unicode: never followed or run
)

// How a plugin is spoken with.
const (
	tlsAuto = "auto" // certificates that go-plugin makes for every start
	tlsNone = "none" // in the clear, for plugins in languages that cannot do it
)

// entry is what the lock file says of a file.
type entry struct {
	SHA256 string `json:"sha256"`
	TLS    string `json:"tls,omitempty"` // of a plugin
}

// lock is the content of a lock file.
type lock struct {
	Files map[string]entry `json:"files"`
}

const maxLock = 16 << 20

// readLock reads the lock file of a folder; one that is not there is empty.
func readLock(dir string) (lock, error) {
	name := filepath.Join(dir, LockFile)
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return lock{}, nil
	}
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxLock) {
		err = fmt.Errorf("%s is no regular file, or larger than %d bytes", name, maxLock)
	}
	if err != nil {
		return lock{}, err
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return lock{}, err
	}
	var l lock
	if err := json.Unmarshal(b, &l); err != nil {
		return lock{}, fmt.Errorf("%s: %w", name, err)
	}
	for file, e := range l.Files {
		if err := e.valid(file); err != nil {
			return lock{}, fmt.Errorf("%s: %q: %w", name, file, err)
		}
	}
	return l, nil
}

func (e entry) valid(name string) error {
	if b, err := hex.DecodeString(e.SHA256); err != nil || len(b) != 32 || strings.ToLower(e.SHA256) != e.SHA256 {
		return errors.New("sha256 is not 64 lower-case hex digits")
	}
	if e.TLS != "" && e.TLS != tlsAuto && e.TLS != tlsNone {
		return fmt.Errorf("tls is %q; known are %q and %q", e.TLS, tlsAuto, tlsNone)
	}
	if !fs.ValidPath(name) || strings.Contains(name, `\`) {
		return errors.New("the name is not relative to the folder")
	}
	return nil
}

// File is a file of the plugin folder, or an entry of its lock file.
type File struct {
	Name   string // relative to the folder, with /
	State  LockState
	Plugin bool   // it lies where plugins lie and can be run
	TLS    string // "auto" or "none", of a plugin that has an entry
}

// Verify compares a plugin folder with its lock file and returns all files and entries, by name. It starts nothing.
func Verify(dir string) ([]File, error) {
	files, err := list(dir)
	if err != nil {
		return nil, err
	}
	l, err := readLock(dir)
	if err != nil {
		return nil, manifest.Errorf(manifest.Refused, "reading the lock file of the plugins: %w", err).
			WithHint("if you trust what lies in the folder, delete the lock file and write it anew: omt-scan rules --lock")
	}
	return compare(files, l), nil
}

func compare(files []found, l lock) []File {
	var all []File
	seen := map[string]bool{}
	for _, f := range files {
		e, ok := l.Files[f.name]
		seen[f.name] = true
		state := Locked
		switch {
		case !f.regular:
			state = NotRegular
		case !ok:
			state = Unlocked
		case e.SHA256 != f.sum:
			state = Changed
		}
		v := File{Name: f.name, State: state, Plugin: f.launch}
		if ok && f.launch {
			v.TLS = tls(e)
		}
		all = append(all, v)
	}
	for name := range l.Files {
		if !seen[name] {
			all = append(all, File{Name: name, State: Absent})
		}
	}
	slices.SortFunc(all, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func tls(e entry) string {
	if e.TLS == tlsNone {
		return tlsNone
	}
	return tlsAuto
}

// named is how many files an error names.
const named = 10

// Refusal is the error of a folder that does not agree with its lock file, or nil. An entry without a file is none: it
// takes no part. given says whether the folder was named by the user, so that the hint repeats it.
func Refusal(dir string, given bool, files []File) error {
	var bad []string
	links := false
	for _, f := range files {
		if f.State != Locked && f.State != Absent {
			bad = append(bad, fmt.Sprintf("%q is %s", f.Name, f.State))
			links = links || f.State == NotRegular
		}
	}
	if len(bad) == 0 {
		return nil
	}
	text := strings.Join(bad[:min(len(bad), named)], ", ")
	if more := len(bad) - named; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	err := manifest.Errorf(manifest.Refused, "the plugin folder %q does not agree with its %s: %s", dir, LockFile, text)
	if links {
		return err.WithHint("a symbolic link or special file is never followed: put the file itself there, or remove it")
	}
	command := "omt-scan rules --lock"
	if given {
		command += " --plugins " + quoted(dir)
	}
	return err.WithHint("if you trust what lies there: %s", command)
}

// quoted is a path as it is typed, in either shell.
func quoted(p string) string {
	if strings.ContainsAny(p, " '\"$`&()") {
		if !strings.Contains(p, "'") {
			return "'" + p + "'"
		}
		return strconv.Quote(p)
	}
	return p
}

// Change is what Lock did to an entry.
type Change struct {
	Name string
	What string // "added", "changed" or "removed"
}

// Lock writes the lock file of a folder anew, so that it agrees with what lies there, and returns what it changed, by name;
// nothing is written where it agrees already. How a plugin is spoken with stays. Something that is no regular file is
// refused.
func Lock(dir string) ([]Change, error) {
	files, err := list(dir)
	if err != nil {
		return nil, err
	}
	old, err := readLock(dir)
	if err != nil {
		return nil, manifest.Errorf(manifest.Refused, "reading the lock file of the plugins: %w", err).
			WithHint("if you trust what lies in the folder, delete the lock file first")
	}
	var odd []File
	for _, f := range files {
		if !f.regular {
			odd = append(odd, File{Name: f.name, State: NotRegular})
		}
	}
	if err := Refusal(dir, false, odd); err != nil {
		return nil, err
	}
	next, changes := relock(files, old)
	if len(changes) == 0 && (old.Files != nil || len(files) == 0) {
		return nil, nil
	}
	b, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := durable.WriteFile(filepath.Join(dir, LockFile), append(b, '\n'), 0o644); err != nil {
		return nil, fmt.Errorf("writing the lock file of the plugins: %w", err)
	}
	return changes, nil
}

func relock(files []found, old lock) (lock, []Change) {
	next := lock{Files: map[string]entry{}}
	var changes []Change
	for _, f := range files {
		was, ok := old.Files[f.name]
		e := entry{SHA256: f.sum}
		if f.launch {
			e.TLS = tls(was)
		}
		next.Files[f.name] = e
		switch {
		case !ok:
			changes = append(changes, Change{f.name, "added"})
		case was != e:
			changes = append(changes, Change{f.name, "changed"})
		}
	}
	for name := range old.Files {
		if _, ok := next.Files[name]; !ok {
			changes = append(changes, Change{name, "removed"})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return next, changes
}
