package archive

import "strings"

// limit is the length from which Windows asks for the long form of a path; folders have less room than files.
const limit = 240

// longPath gives the form of an absolute path that Windows takes at any length: \\?\D:\… and \\?\UNC\server\share\….
// In that form Windows does not clean a path, so it is cleaned here. Short paths, relative ones, those in that form
// already, and all on other systems stay as they are. goos is runtime.GOOS.
func longPath(goos, p string) string {
	if goos != "windows" || len(p) < limit || strings.HasPrefix(p, `\\?\`) || strings.HasPrefix(p, `\\.\`) {
		return p
	}
	w := strings.ReplaceAll(p, "/", `\`)
	switch {
	case strings.HasPrefix(w, `\\`):
		return `\\?\UNC\` + clean(w[2:], 2)
	case drive(w) && len(w) > 2 && w[2] == '\\':
		return `\\?\` + clean(w, 1)
	}
	return p
}

// clean resolves "." and ".." and double separators in a path whose first keep elements are its volume.
func clean(p string, keep int) string {
	var out []string
	for e := range strings.SplitSeq(p, `\`) {
		switch e {
		case "", ".":
		case "..":
			if len(out) > keep {
				out = out[:len(out)-1]
			}
		default:
			out = append(out, e)
		}
	}
	s := strings.Join(out, `\`)
	if len(out) == keep {
		s += `\`
	}
	return s
}
