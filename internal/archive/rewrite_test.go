package archive

import (
	"strings"
	"testing"
)

func TestRewrite(t *testing.T) {
	tests := []struct {
		maps       string
		path, want string
	}{
		{`D:\CS=/mnt/cs`, `D:\CS\att`, "/mnt/cs/att"},
		{`D:\CS=/mnt/cs`, `d:\cs\Att\0001`, "/mnt/cs/Att/0001"},
		{`D:\CS=/mnt/cs`, `D:/CS/att`, "/mnt/cs/att"},
		{`D:/CS=/mnt/cs`, `D:\CS\att\`, "/mnt/cs/att"},
		{`D:\CS\=/mnt/cs/`, `D:\CS\att`, "/mnt/cs/att"},
		{`D:\CS=/mnt/cs`, `D:\CS`, "/mnt/cs"},
		{`D:\CS=/mnt/cs`, `D:\CSX\att`, `D:\CSX\att`},
		{`D:\CS=/mnt/cs`, `E:\CS\att`, `E:\CS\att`},
		{`D:=/mnt/d`, `D:\CS\att`, "/mnt/d/CS/att"},
		{`D:\=/mnt/d`, `D:\CS\att`, "/mnt/d/CS/att"},
		{`D:\CS=\\srv\cs`, `D:\CS\att\x`, `\\srv\cs\att\x`},
		{`\\srv\so_arc=/srv/so_arc`, `\\SRV\SO_ARC\bob`, "/srv/so_arc/bob"},
		{`\\srv\so_arc=E:\arc`, `\\srv\so_arc`, `E:\arc`},
		{`\\srv\so_arc=/x`, `\\srv2\so_arc`, `\\srv2\so_arc`},
		{`\\srv\so=/x`, `\srv\so\y`, `\srv\so\y`},
		{`/data/cs=/mnt/cs`, "/data/cs/a b/ø", "/mnt/cs/a b/ø"},
		{`/data/cs=/mnt/cs`, "/data/CS/a", "/data/CS/a"},
		{`/data/cs=/mnt/cs`, "/data/cs2", "/data/cs2"},
		{`/data=D:\x`, "/data/cs/a", `D:\x\cs\a`},
		{`/=/mnt`, "/data/cs", "/mnt/data/cs"},
		{`/=/mnt`, `D:\x`, `D:\x`},
		{`/a=/`, "/a/b", "/b"},
		{`rel=/abs`, "rel/x", "/abs/x"},
		{`rel=/abs`, "/rel/x", "/rel/x"},
		{`D:\CS=/mnt/cs`, "", ""},
		// The longest FROM first, whatever the order; once and not again.
		{`D:\CS=/a|D:\CS\att=/b`, `D:\CS\att\1`, "/b/1"},
		{`D:\CS\att=/b|D:\CS=/a`, `D:\CS\att\1`, "/b/1"},
		{`D:\CS\att=/b|D:\CS=/a`, `D:\CS\text`, "/a/text"},
		{`D:\CS=/a|/a=/b`, `D:\CS\x`, "/a/x"},
		{`D:\CS=/first|d:\cs=/second`, `D:\CS\x`, "/first/x"},
	}
	for _, tt := range tests {
		var maps []Mapping
		for s := range strings.SplitSeq(tt.maps, "|") {
			m, err := ParseMapping(s)
			if err != nil {
				t.Fatal(err)
			}
			maps = append(maps, m)
		}
		if got := Rewrite(tt.path, maps); got != tt.want {
			t.Errorf("%s: %q gives %q, want %q", tt.maps, tt.path, got, tt.want)
		}
	}
}

func TestParseMapping(t *testing.T) {
	m, err := ParseMapping(` D:\CS = /mnt/a=b `)
	if err != nil || m.From != `D:\CS` || m.To != "/mnt/a=b" {
		t.Errorf("got %+v and %v", m, err)
	}
	for _, s := range []string{"", "=", "a", "a=", "=b", " = "} {
		_, err := ParseMapping(s)
		if err == nil || !strings.Contains(err.Error(), "want FROM=TO") {
			t.Errorf("ParseMapping(%q): got %v, want an error that says FROM=TO", s, err)
		}
	}
}

func TestLongPath(t *testing.T) {
	deep := strings.Repeat(`\folder with a name`, 20)
	slash := strings.ReplaceAll(deep, `\`, "/")
	tests := []struct{ goos, in, want string }{
		{"windows", `D:\so_arc`, `D:\so_arc`},
		{"windows", `D:\so_arc` + deep, `\\?\D:\so_arc` + deep},
		{"windows", "D:/so_arc" + slash, `\\?\D:\so_arc` + deep},
		{"windows", `D:\x\..\so_arc\.` + deep + `\`, `\\?\D:\so_arc` + deep},
		{"windows", `D:\..\..` + deep, `\\?\D:` + deep},
		{"windows", `\\srv\share` + deep, `\\?\UNC\srv\share` + deep},
		{"windows", `//srv/share` + slash, `\\?\UNC\srv\share` + deep},
		{"windows", `\\srv\share\..\..\a` + deep, `\\?\UNC\srv\share\a` + deep},
		{"windows", `\\?\D:\so_arc` + deep, `\\?\D:\so_arc` + deep},
		{"windows", `\\?\UNC\srv\share` + deep, `\\?\UNC\srv\share` + deep},
		{"windows", `\\.\pipe` + deep, `\\.\pipe` + deep},
		{"windows", `so_arc` + deep, `so_arc` + deep},
		{"windows", `D:so_arc` + deep, `D:so_arc` + deep},
		{"windows", `D:\` + strings.Repeat(`x\..\`, 60), `\\?\D:\`},
		{"linux", "/srv/so_arc" + slash, "/srv/so_arc" + slash},
		{"linux", `D:\so_arc` + deep, `D:\so_arc` + deep},
	}
	for _, tt := range tests {
		if got := longPath(tt.goos, tt.in); got != tt.want {
			t.Errorf("longPath(%q, %.30q…) = %q, want %q", tt.goos, tt.in, got, tt.want)
		}
	}
}

func TestBelow(t *testing.T) {
	tests := []struct {
		path, folder, rest string
		ok                 bool
	}{
		{"/srv/arc/Template", "/srv/arc", "Template", true},
		{"/srv/arc/a/b", "/srv/arc/", "a/b", true},
		{"/srv/arc", "/srv/arc", "", true},
		{"/srv/arc2", "/srv/arc", "", false},
		{"/srv", "/srv/arc", "", false},
		{"/srv/ARC/x", "/srv/arc", "", false},
		{`D:\ARC\Template\US`, `d:\arc`, "Template/US", true},
		{`\\srv\arc\x`, `\\SRV\arc`, "x", true},
		{`D:\arc`, "/srv/arc", "", false},
	}
	for _, tt := range tests {
		if rest, ok := Below(tt.path, tt.folder); rest != tt.rest || ok != tt.ok {
			t.Errorf("Below(%q, %q) = %q, %t, want %q, %t", tt.path, tt.folder, rest, ok, tt.rest, tt.ok)
		}
	}
}
