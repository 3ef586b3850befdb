package freeze

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/openomt/omt/internal/install"
)

// wide writes a text in UTF-16.
func wide(text string, big, mark bool) string {
	var b strings.Builder
	if mark {
		text = "\ufeff" + text
	}
	for _, u := range utf16.Encode([]rune(text)) {
		if big {
			b.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.String()
}

const crlf = "# Customer Service\r\ndbHost = sql01\r\ndbPassword = p#ss\r\n#frozen\r\n"

// forms are files as they are found, and as they are when they are frozen.
var forms = map[string]struct{ before, after string }{
	"of Windows":                   {crlf, crlf + "frozen\r\n"},
	"of Unix":                      {"dbHost = x\n", "dbHost = x\nfrozen\n"},
	"of an old Mac":                {"dbHost = x\rdbType = mssql\r", "dbHost = x\rdbType = mssql\rfrozen\r"},
	"without final newline":        {"dbHost = x\r\ndbType = mssql", "dbHost = x\r\ndbType = mssql\r\nfrozen"},
	"one line without end":         {"dbHost = x", "dbHost = x\r\nfrozen"},
	"line ends of two kinds":       {"a = b\r\nc = d\n", "a = b\r\nc = d\nfrozen\n"},
	"empty":                        {"", "frozen\r\n"},
	"blank lines at the end":       {"a = b\n\n\n", "a = b\n\n\nfrozen\n"},
	"blanks at the end":            {"a = b\n  ", "a = b\n  \nfrozen"},
	"ANSI":                         {"name = Bj\xf8rn \x80\r\n", "name = Bj\xf8rn \x80\r\nfrozen\r\n"},
	"UTF-8":                        {"name = Bjørn €\r\n", "name = Bjørn €\r\nfrozen\r\n"},
	"UTF-8 with a mark":            {"\ufeffname = Bjørn\r\n", "\ufeffname = Bjørn\r\nfrozen\r\n"},
	"a mark alone":                 {"\ufeff", "\ufefffrozen\r\n"},
	"UTF-16":                       {wide("name = Bjørn\r\n", false, true), wide("name = Bjørn\r\nfrozen\r\n", false, true)},
	"UTF-16, big end first":        {wide("name = 日本\n", true, true), wide("name = 日本\nfrozen\n", true, true)},
	"UTF-16 without a mark":        {wide("name = Bjørn\r\n", false, false), wide("name = Bjørn\r\nfrozen\r\n", false, false)},
	"UTF-16, big, without a mark":  {wide("name = x\n", true, false), wide("name = x\nfrozen\n", true, false)},
	"UTF-16 without final newline": {wide("a = b\r\nc = d", false, true), wide("a = b\r\nc = d\r\nfrozen", false, true)},
	"UTF-16, a mark alone":         {wide("", false, true), wide("frozen\r\n", false, true)},
	"a comment says it":            {"# frozen\r\n#frozen\r\nfrozen = 1\r\nunfrozen\r\n", "# frozen\r\n#frozen\r\nfrozen = 1\r\nunfrozen\r\nfrozen\r\n"},
}

func TestForms(t *testing.T) {
	for name, c := range forms {
		t.Run(name, func(t *testing.T) {
			e, err := Plan([]byte(c.before))
			if err != nil || e.Already {
				t.Fatalf("%+v, %v", e, err)
			}
			after := e.Apply([]byte(c.before))
			if string(after) != c.after {
				t.Errorf("%q, want %q", after, c.after)
			}
			if again, err := Plan(after); err != nil || !again.Already || again.Line != e.Line {
				t.Errorf("it is not seen to be frozen in line %d: %+v, %v", e.Line, again, err)
			}
			if back, err := e.Undo(after); err != nil || string(back) != c.before {
				t.Errorf("undone it is %q, %v", back, err)
			}
		})
	}
}

func TestAlreadyFrozen(t *testing.T) {
	for text, line := range map[string]int{
		"frozen": 1, "a = b\r\nfrozen\r\nc = d": 2, "a = b\n\tFROZEN  \n": 2, "a\rfrozen\r": 2, "\ufefffrozen\n": 1,
		wide("x = y\r\nFrozen\r\n", false, true): 2, wide("frozen", true, true): 1, wide("a\nfrozen\n", false, false): 2,
	} {
		if e, err := Plan([]byte(text)); err != nil || !e.Already || e.Line != line || e.Inserted != "" {
			t.Errorf("%q: %+v, %v", text, e, err)
		}
	}
}

func TestNotText(t *testing.T) {
	for text, want := range map[string]string{
		"a\x00\x00b":                   "bytes 0",
		"MZ\x90\x00\x03\x00\x00\x00":   "bytes 0",
		"\xff\xfea":                    "inside a character",
		"\xff\xfea\x00\x00\x00b\x00":   "bytes 0",
		wide("a\r\n", true, true) + "": "",
		"a\x00b":                       "inside a character",
	} {
		_, err := Plan([]byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestUndoElsewhere(t *testing.T) {
	e, _ := Plan([]byte("a = b\n"))
	for _, raw := range []string{"", "a = b\n", "a = b\nFrozen\n", "xa = b\nfrozen\n"} {
		if out, err := e.Undo([]byte(raw)); err == nil {
			t.Errorf("%q became %q", raw, out)
		}
	}
}

// The reader of configurations sees what the editor writes.
func TestReadersAgree(t *testing.T) {
	for name, c := range forms {
		e, err := Plan([]byte(c.before))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for state, raw := range map[string][]byte{"before": []byte("dbType=mssql\n"), "after": e.Apply([]byte(c.before))} {
			frozen, ok := installed(t, dir, raw)
			if ok && frozen != (state == "after") {
				t.Errorf("%s, %s: the reader says frozen %v", name, state, frozen)
			}
		}
	}
}

// installed writes a config and reads it as omt-scan does; ok is false where it is not taken for one.
func installed(t *testing.T, dir string, raw []byte) (frozen, ok bool) {
	t.Helper()
	name := filepath.Join(dir, "config")
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := install.Load("", name)
	if err != nil {
		return false, false
	}
	for _, n := range c.Notes {
		frozen = frozen || strings.Contains(n, "is frozen")
	}
	return frozen, true
}

func FuzzPlan(f *testing.F) {
	for _, c := range forms {
		f.Add([]byte(c.before))
		f.Add([]byte(c.after))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := Plan(raw)
		if err != nil || e.Already {
			return
		}
		after := e.Apply(raw)
		if !bytes.HasPrefix(after, raw) {
			t.Fatalf("%q became %q: what was there did not stay", raw, after)
		}
		if again, err := Plan(after); err != nil || !again.Already {
			t.Fatalf("%q became %q, which is not frozen: %+v, %v", raw, after, again, err)
		}
		back, err := e.Undo(after)
		if err != nil || !bytes.Equal(back, raw) {
			t.Fatalf("%q came back as %q, %v", raw, back, err)
		}
	})
}
