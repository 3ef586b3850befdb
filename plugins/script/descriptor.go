package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/openomt/omt/plugins/sdk"
)

// descriptor is a .rule.json file.
type descriptor struct {
	ID       string            `json:"id"`
	Title    string            `json:"title"`
	Help     string            `json:"help"`
	Severity string            `json:"severity"`
	Final    string            `json:"final"`
	Reads    []string          `json:"reads"`
	Facts    []string          `json:"facts"`
	Queries  []descriptorQuery `json:"queries"`
	Run      []string          `json:"run"`
	Timeout  pause             `json:"timeout"`
}

type descriptorQuery struct {
	Name    string `json:"name"`
	SQL     string `json:"sql"`
	MaxRows int    `json:"maxRows"`
	Timeout pause  `json:"timeout"`
}

// pause is a time: "45s", or a number of seconds.
type pause time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (p *pause) UnmarshalJSON(b []byte) error {
	s := string(b)
	_ = json.Unmarshal(b, &s) // a number stays as it is written
	d, err := readTimeout(s)
	if err != nil {
		return fmt.Errorf("timeout: %w", err)
	}
	*p = pause(d)
	return nil
}

// jsonRule makes a rule of the text of a .rule.json file in the folder dir. id is what the file's name says.
func jsonRule(dir, id, text string) (sdk.Rule, error) {
	var d descriptor
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return sdk.Rule{}, jsonError(text, dec.InputOffset(), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return sdk.Rule{}, errors.New("something stands behind the object")
	}
	severity := sdk.Warning
	if d.Severity != "" {
		if err := readSeverity(&severity, d.Severity); err != nil {
			return sdk.Rule{}, fmt.Errorf("severity: %w", err)
		}
	}
	if d.ID == "" {
		d.ID = id
	}
	if d.Help == "" {
		d.Help = d.Title
	}
	if err := checkRun(dir, d.Run); err != nil {
		return sdk.Rule{}, fmt.Errorf("run: %w", err)
	}
	r := sdk.Rule{ID: d.ID, Title: d.Title, Help: d.Help, Severity: severity, Final: d.Final, Reads: d.Reads, Facts: d.Facts}
	for _, q := range d.Queries {
		r.Queries = append(r.Queries, sdk.Query{Name: q.Name, SQL: q.SQL, MaxRows: q.MaxRows, Timeout: time.Duration(q.Timeout)})
	}
	p := program{dir: dir, run: d.Run, timeout: time.Duration(d.Timeout)}
	r.Check = p.check
	return r, nil
}

// jsonError says where in the text the error is.
func jsonError(text string, at int64, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
	}
	at = min(max(at, 0), int64(len(text)))
	return fmt.Errorf("line %d: %s", strings.Count(text[:at], "\n")+1, strings.TrimPrefix(err.Error(), "json: "))
}

// scripts are the ends of names that are taken for those of scripts.
var scripts = []string{".ps1", ".psm1", ".py", ".sh", ".cmd", ".bat", ".js", ".mjs", ".cjs", ".rb", ".pl", ".php", ".vbs", ".exe"}

// switches are options of Windows programs; they look like paths.
var switches = regexp.MustCompile(`^/[A-Za-z]{1,8}$`)

var driveLetter = regexp.MustCompile(`^[A-Za-z]:`)

// checkRun looks at a command. What it runs must be what the lock file holds, or an interpreter of the machine's: no argument
// may lead out of the folder.
func checkRun(dir string, run []string) error {
	if len(run) == 0 || run[0] == "" {
		return errors.New(`it names no program: ["pwsh", "-NoProfile", "-File", "check.ps1"]`)
	}
	if !isAbs(run[0]) && strings.ContainsAny(run[0], `/\`) {
		if err := inFolder(dir, run[0]); err != nil {
			return err
		}
	}
	for i, arg := range run {
		switch {
		case strings.Contains(arg, "\x00"):
			return fmt.Errorf("%q holds a NUL", arg)
		case slices.Contains(strings.FieldsFunc(arg, func(r rune) bool { return r == '/' || r == '\\' || r == '=' }), ".."):
			return fmt.Errorf("%q leads out of the folder", arg)
		case i > 0 && isAbs(arg) && !switches.MatchString(arg):
			return fmt.Errorf("%q leads out of the folder: files stand in the folder of rules, where they are locked", arg)
		case i > 0 && !isAbs(arg) && slices.Contains(scripts, strings.ToLower(filepath.Ext(arg))) && !strings.HasPrefix(arg, "-"):
			if err := inFolder(dir, arg); err != nil {
				return err
			}
		}
	}
	return nil
}

// isAbs reports a path that is absolute on any system.
func isAbs(path string) bool {
	return strings.HasPrefix(path, "/") || strings.HasPrefix(path, `\`) || driveLetter.MatchString(path)
}

// inFolder wants a file of the folder, and no link to somewhere else.
func inFolder(dir, name string) error {
	if strings.Contains(name, "..") || isAbs(name) {
		return fmt.Errorf("%q leads out of the folder", name)
	}
	at, regular := dir, false
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '/' || r == '\\' }) {
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("there is no %q in the folder", name)
		case err != nil:
			return fmt.Errorf("%q: %w", name, err)
		case info.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%q is a link: put the file itself into the folder", name)
		}
		regular = info.Mode().IsRegular()
	}
	if !regular {
		return fmt.Errorf("%q is no file", name)
	}
	return nil
}
