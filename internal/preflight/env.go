package preflight

import (
	"slices"
	"strings"
)

// handed reports whether a plugin is given a variable. None of them holds a
// secret of ours. Variables that have programs load code from elsewhere (NODE_PATH, PYTHONPATH, LD_LIBRARY_PATH) are not
// among them: the lock file would promise too much.
func handed(name string) bool {
	name = strings.ToUpper(name)
	switch name {
	case "PATH", "HOME", "USERPROFILE", "TEMP", "TMP", "TMPDIR", "LANG", "LANGUAGE", "TZ",
		"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PROGRAMFILES", "PROGRAMFILES(X86)", "PROGRAMW6432",
		"PROGRAMDATA", "APPDATA", "LOCALAPPDATA", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE":
		return true
	}
	return strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "OMT_PLUGIN_")
}

// environment is what a plugin is given of environ.
func environment(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, ok := strings.Cut(v, "=")
		return !ok || !handed(name)
	})
}
