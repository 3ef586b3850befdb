package install

import (
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// absolute makes p, as a file in folder names it, absolute; a relative folder is from the working directory. A path that
// Windows or Unix calls absolute stays as it is on the other: only a mapping can make it one of this machine.
func absolute(folder, p string) string {
	p = strings.TrimSpace(p)
	if p == "" || filepath.IsAbs(p) || rooted(p) {
		return p
	}
	if runtime.GOOS != "windows" {
		p = strings.ReplaceAll(p, `\`, "/")
	}
	p = filepath.Join(folder, p)
	if full, err := filepath.Abs(p); err == nil { // else the working directory is gone, and what is opened will say so
		return full
	}
	return p
}

// rooted reports whether p names a drive or a share, or begins at a root.
func rooted(p string) bool {
	return strings.HasPrefix(p, `\`) || strings.HasPrefix(p, "/") || drive(p)
}

func drive(p string) bool {
	return len(p) >= 2 && p[1] == ':' && (p[0]|0x20 >= 'a' && p[0]|0x20 <= 'z')
}

// below joins the name of a sub-folder to a folder, with the separator that the folder uses.
func below(folder, name string) string {
	if strings.HasPrefix(folder, `\`) || drive(folder) {
		return strings.TrimRight(folder, `/\`) + `\` + name
	}
	if runtime.GOOS == "windows" {
		return filepath.Join(folder, name)
	}
	return path.Join(folder, name)
}
