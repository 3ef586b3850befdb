package archive

import (
	"testing"
	"time"
)

func TestPaths(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	tests := []struct{ registered, primary, also string }{
		{"2002-09-01T10:00:00Z", "2002.2", ""},
		{"2002-01-15T00:00:00Z", "2002.1", ""},
		{"2002-07-15T00:00:00Z", "2002.1", ""},
		{"2002-12-15T00:00:00Z", "2002.2", ""},
		// The boundary of July and August.
		{"2002-07-31T09:59:59Z", "2002.1", ""},
		{"2002-07-31T10:00:00Z", "2002.1", "2002.2"},
		{"2002-07-31T23:59:59Z", "2002.1", "2002.2"},
		{"2002-08-01T00:00:00Z", "2002.2", "2002.1"},
		{"2002-08-01T13:59:59.999Z", "2002.2", "2002.1"},
		{"2002-08-01T14:00:00Z", "2002.2", ""},
		// New Year.
		{"2002-12-31T09:59:59Z", "2002.2", ""},
		{"2002-12-31T10:00:00Z", "2002.2", "2003.1"},
		{"2003-01-01T00:00:00Z", "2003.1", "2002.2"},
		{"2003-01-01T13:59:59Z", "2003.1", "2002.2"},
		{"2003-01-01T14:00:00Z", "2003.1", ""},
		// Other turns of a month are none of a period.
		{"2002-03-01T00:00:00Z", "2002.1", ""},
		{"2002-10-01T00:00:00Z", "2002.2", ""},
		// The zone of the value does not matter, the instant does.
		{"2002-08-01T01:00:00+02:00", "2002.1", "2002.2"},
		// "Not set" has a period like any date.
		{"1760-01-01T00:00:00Z", "1760.1", "1759.2"},
	}
	for _, tt := range tests {
		primary, also := Paths("bob", at(tt.registered), "my file.txt")
		wantAlso := ""
		if tt.also != "" {
			wantAlso = "bob/" + tt.also + "/my file.txt"
		}
		if primary != "bob/"+tt.primary+"/my file.txt" || also != wantAlso {
			t.Errorf("registered %s: got %q and %q, want period %q and %q", tt.registered, primary, also, tt.primary, tt.also)
		}
	}
}

func TestPathsThatLeaveTheirFolder(t *testing.T) {
	when := time.Date(2002, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, bad := range []string{
		"", ".", "..", "...", ".. ", " ", ". .", "a/b", `a\b`, `..\..\x`, "/etc/passwd", `\\server\share`, "C:x", `c:\x`, "z:", "a\x00b",
		"\xff",
	} {
		if p, also := Paths("bob", when, bad); p != "" || also != "" {
			t.Errorf("name %q: got %q and %q, want none", bad, p, also)
		}
		if p, _ := Paths(bad, when, "x"); p != "" {
			t.Errorf("owner %q: got %q, want none", bad, p)
		}
	}
	for _, good := range []string{"a", "..a", "a..", "xy:z", "1:2", ".hidden", "a b", "brød.doc", "文書.docx", "O'Neil.txt", "100%.xls"} {
		if p, _ := Paths("bob", when, good); p != "bob/2002.1/"+good {
			t.Errorf("name %q: got %q", good, p)
		}
	}
}

func TestOutside(t *testing.T) {
	tests := map[string]bool{
		"std.dotx":       false,
		`US\std.dotx`:    false,
		"US/std.dotx":    false,
		"a/b/c d.docx":   false,
		"":               true,
		"/std.dotx":      true,
		`\std.dotx`:      true,
		`\\srv\x`:        true,
		`US\..\x`:        true,
		"US/.. /x":       true,
		"US//x":          true,
		"x/":             true,
		`C:\std.dotx`:    true,
		"C:std.dotx":     true,
		"US/c:x":         true,
		"./x":            true,
		"http://x/y?id=": true,
	}
	for in, want := range tests {
		if got := Outside(in); got != want {
			t.Errorf("Outside(%q) = %t, want %t", in, got, want)
		}
	}
}
