package dir

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"runtime"
	"strings"
)

// ErrScheme says that a destination is no folder.
var ErrScheme = errors.New("want file, https, azblob or s3")

// Parse gives the folder that a destination names: file:///path, or a plain path, on Windows also C:\path, \\server\share
// and file://server/share. Another scheme is ErrScheme. The text is never quoted whole, since a URL may hold a secret.
func Parse(to string) (string, error) { return parse(to, runtime.GOOS == "windows") }

func parse(to string, windows bool) (string, error) {
	if to == "" {
		return "", errors.New("no destination given")
	}
	if strings.ContainsRune(to, 0) {
		return "", errors.New("the destination holds a zero byte")
	}
	scheme, found := schemeOf(to)
	if !found {
		return to, nil
	}
	if scheme != "file" {
		return "", fmt.Errorf("destination of scheme %q: %w", scheme, ErrScheme)
	}
	u, err := url.Parse(to)
	if err != nil {
		return "", fmt.Errorf("destination of scheme %q: not a URL: %w", scheme, errors.Unwrap(err))
	}
	if err := checkFile(u); err != nil {
		return "", err
	}
	return filePath(u, windows)
}

func checkFile(u *url.URL) error {
	switch {
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil:
		return errors.New("a file URL has neither user, query nor fragment; write ? and # as %3F and %23")
	case u.Opaque != "" || !strings.HasPrefix(u.Path, "/"):
		return errors.New("a file URL has an absolute path: file:///path")
	case strings.ContainsRune(u.Path, 0):
		return errors.New("the destination holds a zero byte")
	}
	return nil
}

// filePath is the path that a file URL names.
func filePath(u *url.URL, windows bool) (string, error) {
	host := u.Host
	if strings.EqualFold(host, "localhost") {
		host = ""
	}
	if !windows {
		if host != "" {
			return "", fmt.Errorf("file URL of the host %q: mount the share and give its path", host)
		}
		return u.Path, nil
	}
	if host != "" {
		return `\\` + host + strings.ReplaceAll(u.Path, "/", `\`), nil
	}
	p := strings.TrimPrefix(u.Path, "/")
	if len(p) < 2 || p[1] != ':' {
		return "", errors.New("a file URL names a drive: file:///C:/path")
	}
	return strings.ReplaceAll(p, "/", `\`), nil
}

// schemeOf finds a URL's scheme. One letter is a drive; "name:" without slashes is a scheme only where it is file.
func schemeOf(to string) (string, bool) {
	before, after, found := strings.Cut(to, ":")
	if !found || len(before) < 2 {
		return "", false
	}
	for i, c := range strings.ToLower(before) {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", c)) {
			return "", false
		}
	}
	scheme := strings.ToLower(before)
	return scheme, strings.HasPrefix(after, "//") || scheme == "file"
}

// toURL makes the URL of an absolute path, which has slashes.
func toURL(p string) string {
	u := url.URL{Scheme: "file"}
	switch {
	case strings.HasPrefix(p, "//"):
		host, rest, _ := strings.Cut(p[2:], "/")
		u.Host, u.Path = host, "/"+rest
	case strings.HasPrefix(p, "/"):
		u.Path = path.Clean(p)
	default:
		u.Path = "/" + p
	}
	return u.String()
}
