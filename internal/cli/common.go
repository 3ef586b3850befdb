package cli

import (
	"errors"
	"io/fs"
	"os"
)

// Common are the flags that every command has.
type Common struct {
	In          string // --in; "" and "-" are standard input
	AcceptEdits bool   // --accept-edits
	Out         string // --out; "" and "-" are standard output
	Log         string // --log; "" is a new file in the temporary directory
	Quiet       bool   // --quiet
	Progress    string // --progress: auto, plain or none
	Temp        string // --temp, a folder that exists

	version bool
}

// flags are the common flags of c.
func (o *Common) flags(c *Command) []*Flag {
	o.Progress = "auto"
	var list []*Flag
	if c.Reads {
		list = append(list,
			String("in", "read the manifest from `FILE`; - is standard input", &o.In),
			Bool("accept-edits", "go on although the manifest was edited, and record that", &o.AcceptEdits))
	}
	if c.Writes {
		list = append(list, String("out", "write to `FILE` when it is complete; - is standard output", &o.Out))
	}
	list = append(list,
		String("log", "write the log to `FILE` instead of a new one in SoMigration in the temporary directory", &o.Log),
		Bool("quiet", "print errors alone", &o.Quiet),
		Choice("progress", "show progress as `KIND`: auto (bars on a terminal, lines there in a pipe), plain (lines) or none", &o.Progress, "auto", "plain", "none"),
		String("temp", "keep temporary files in `DIR`", &o.Temp),
		Bool("version", "print the version", &o.version))
	for _, f := range list {
		f.category = commonCategory
	}
	return list
}

// check completes the common flags.
func (o *Common) check(env *Env) error {
	if o.Temp == "" {
		o.Temp = env.TempDir
	}
	info, err := os.Stat(o.Temp)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usagef("--temp %q: no such folder", o.Temp)
	case err != nil:
		return usagef("--temp %q: %w", o.Temp, reason(err))
	case !info.IsDir():
		return usagef("--temp %q: not a folder", o.Temp)
	}
	return nil
}

// standard reports whether a path of --in or --out means the standard stream.
func standard(path string) bool { return path == "" || path == "-" }
