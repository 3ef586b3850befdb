package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/openomt/omt/internal/manifest"
)

// withoutVariable are the flags that no variable may give, since they say what is written over, deleted or agreed to; or
// what was proved: a good proof of the database of another day, named by a variable that is still set, misleads.
func withoutVariable(command, name string) bool {
	switch name {
	case "in", "out", "yes", "accept-edits", "dir", "files", "help", "version":
		return true
	case "db":
		return command == "unpack" || command == "sample" || command == "verify"
	}
	return false
}

// variableOf names the variable of a flag: path is the program and its subcommands, "omt-pack", "unpack".
func variableOf(path []string, name string) string {
	switch {
	case withoutVariable(path[len(path)-1], name):
		return ""
	case name == "log", name == "plugins":
		return "OMT_" + strings.ToUpper(name)
	}
	parts := append([]string{"OMT", strings.TrimPrefix(path[0], "omt-")}, path[1:]...)
	parts = append(parts, name)
	return strings.ToUpper(strings.ReplaceAll(strings.Join(parts, "_"), "-", "_"))
}

// resolve sets the flag from the command line or, where that is silent, from its variable.
func (f *Flag) resolve(getenv func(string) string) error {
	raw, fromEnv := f.raw, false
	if len(raw) == 0 && f.variable != "" {
		raw, fromEnv = f.fromVariable(getenv(f.variable)), true
	}
	if len(raw) == 0 {
		return nil
	}
	if !f.repeats {
		raw = raw[len(raw)-1:]
	}
	f.given = true
	for _, text := range raw {
		if err := f.take(text, fromEnv); err != nil {
			return err
		}
	}
	return nil
}

func (f *Flag) fromVariable(text string) []string {
	switch {
	case text == "":
		return nil
	case !f.repeats:
		return []string{text}
	}
	var values []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			values = append(values, line)
		}
	}
	return values
}

// take reads one text and sets the flag. Its errors show a value only where it stands on the command line, in sight.
func (f *Flag) take(text string, fromEnv bool) error {
	where := "--" + f.name
	if fromEnv {
		where = "variable " + f.variable
	}
	value, file, err := expand(text)
	if err != nil {
		return manifest.Errorf(manifest.Usage, "%s: %w", where, err)
	}
	if f.secret && !fromEnv && file == "" {
		return manifest.Errorf(manifest.Usage, "%s: a secret on the command line can be read by others", where).
			WithHint("write it into a file and give --%s @FILE, or set the variable %s", f.name, f.variable)
	}
	err = f.set(value)
	switch {
	case err == nil:
		return nil
	case file != "":
		return manifest.Errorf(manifest.Usage, "%s: value in file %q: want %s", where, file, f.want)
	case fromEnv:
		return manifest.Errorf(manifest.Usage, "%s: want %s", where, f.want)
	}
	hint := manifest.HintOf(err)
	e := manifest.Errorf(manifest.Usage, "%s %q: %w", where, value, err)
	if hint != "" {
		return e.WithHint("%s", hint)
	}
	return e
}

// again reads the flag's text anew, for a value in a file that has been renewed. ok is false where the value does not
// come from a file.
func (f *Flag) again(getenv func(string) string) (value string, ok bool, err error) {
	text := ""
	if len(f.raw) > 0 {
		text = f.raw[len(f.raw)-1]
	} else if f.variable != "" {
		text = getenv(f.variable)
	}
	value, file, err := expand(text)
	if err != nil {
		return "", false, fmt.Errorf("reading --%s anew: %w", f.name, err)
	}
	return value, file != "", nil
}

// maxValue is how much of a file is looked at for a value; no SAS is longer.
const maxValue = 64 << 10

// expand returns what text stands for: the first line of a file for @PATH, @x for @@x, else text itself.
func expand(text string) (value, file string, err error) {
	if rest, found := strings.CutPrefix(text, "@@"); found {
		return "@" + rest, "", nil
	}
	file, found := strings.CutPrefix(text, "@")
	if !found {
		return text, "", nil
	}
	if file == "" {
		return "", "", errors.New(`"@" names no file`)
	}
	value, err = firstLine(file)
	return value, file, err
}

// firstLine returns the first line of a file. Windows PowerShell's > writes UTF-16 with a byte order mark.
func firstLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading the value from file %q: %w", path, reason(err))
	}
	defer f.Close()
	decoder := unicode.BOMOverride(transform.Nop)
	text, err := io.ReadAll(transform.NewReader(io.LimitReader(f, maxValue), decoder))
	if err != nil {
		return "", fmt.Errorf("reading the value from file %q: %w", path, reason(err))
	}
	line := string(text)
	if i := strings.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	if line == "" {
		return "", fmt.Errorf("reading the value from file %q: its first line is empty", path)
	}
	return line, nil
}

// reason is the cause of a file error without the path, which the message around it already names.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
