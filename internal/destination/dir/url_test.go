package dir

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const unix, win, refused = "unix", "windows", "!"
	for _, c := range []struct{ system, in, want string }{
		{unix, "/srv/tenants/kalles", "/srv/tenants/kalles"},
		{unix, "out/tenant", "out/tenant"},
		{unix, "a:b", "a:b"},
		{unix, "C:/x", "C:/x"},
		{unix, "file:///srv/a%20b/%C3%A6", "/srv/a b/æ"},
		{unix, "FILE:///srv/x", "/srv/x"},
		{unix, "file:/srv/x", "/srv/x"},
		{unix, "file://localhost/srv/x", "/srv/x"},
		{unix, "file://server/share", refused + "mount the share"},
		{unix, "file:srv", refused + "absolute path"},
		{unix, "file:", refused + "absolute path"},
		{unix, "file:///x?sig=secret", refused + "neither user, query nor fragment"},
		{unix, "file:///x#f", refused + "neither user, query nor fragment"},
		{unix, "file://u:secret@/x", refused + ""},
		{unix, "file:///%zz?sig=secret", refused + "not a URL"},
		{unix, "file:///a%00b", refused + "zero byte"},
		{unix, "a\x00b", refused + "zero byte"},
		{unix, "", refused + "no destination"},
		{unix, "https://x.blob.core.windows.net/c?sig=secret", refused + `scheme "https": want file, https, azblob or s3`},
		{unix, "s3://bucket/prefix", refused + `"s3": want file, https, azblob or s3`},
		{unix, "azblob://x", refused + "want file"},
		{win, `C:\tenants\kalles`, `C:\tenants\kalles`},
		{win, `D:/tenants`, `D:/tenants`},
		{win, `\\server\share\x`, `\\server\share\x`},
		{win, `out\x`, `out\x`},
		{win, "file:///C:/tenants/a%20b", `C:\tenants\a b`},
		{win, "file://server/share/x", `\\server\share\x`},
		{win, "file:///srv/x", refused + "names a drive"},
		{win, "https://host/x", refused + "want file"},
	} {
		got, err := parse(c.in, c.system == win)
		if text, bad := strings.CutPrefix(c.want, refused); bad {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %q gives %q, error %v, want %q", c.system, c.in, got, err, text)
			} else if strings.Contains(err.Error(), "secret") {
				t.Errorf("%q: the error tells the secret: %v", c.in, err)
			}
			if strings.Contains(text, "want file") != errors.Is(err, ErrScheme) {
				t.Errorf("%q: error is %v", c.in, err)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%s: %q gives %q, error %v, want %q", c.system, c.in, got, err, c.want)
		}
	}
}

func TestURLAndBack(t *testing.T) {
	for _, c := range []struct {
		path, url string
		windows   bool
	}{
		{"/srv/a b/æ#1?%2F", "file:///srv/a%20b/%C3%A6%231%3F%252F", false},
		{"/", "file:///", false},
		{`C:\x y\z`, "file:///C:/x%20y/z", true},
		{`\\server\share\x`, "file://server/share/x", true},
	} {
		slashed := c.path
		if c.windows {
			slashed = strings.ReplaceAll(c.path, `\`, "/")
		}
		if got := toURL(slashed); got != c.url {
			t.Errorf("%q has the URL %q, want %q", c.path, got, c.url)
		}
		if back, err := parse(c.url, c.windows); err != nil || back != c.path {
			t.Errorf("%q leads to %q, error %v, want %q", c.url, back, err, c.path)
		}
	}
}
