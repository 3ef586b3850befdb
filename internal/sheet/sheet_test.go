package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

var columns = []string{"id", "login", "plan"}

// render shows what was read: rows as "number:id|login|plan".
func render(t *Table) []string {
	var out []string
	for _, r := range t.Rows {
		out = append(out, fmt.Sprintf("%d:%s|%s|%s", r.At.N, r.Cell("id"), r.Cell("login"), r.Cell("plan")))
	}
	return out
}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string
		sep      rune
	}{
		{"comma", "id,login,plan\n1,GKS,A\n", []string{"2:1|GKS|A"}, ','},
		{"semicolon", "id;login;plan\n1;GKS;A,B\n", []string{"2:1|GKS|A,B"}, ';'},
		{"tab", "id\tlogin\tplan\n1\tGKS\tA;B,C\n", []string{"2:1|GKS|A;B,C"}, '\t'},
		{"unknown columns hold other separators", "a;b;c;d,login,plan\nx,GKS,A\n", []string{"2:|GKS|A"}, ','},
		{"one column", "login\nGKS\nHUH\n", []string{"2:|GKS|", "3:|HUH|"}, ';'},
		{"crlf", "id;login\r\n1;GKS\r\n2;HUH", []string{"2:1|GKS|", "3:2|HUH|"}, ';'},
		{"cr alone", "id;login\r1;GKS\r2;HUH\r", []string{"2:1|GKS|", "3:2|HUH|"}, ';'},
		{"any order, others ignored", "Title;PLAN; L O G I N \nx;A;GKS\n", []string{"2:|GKS|A"}, ';'},
		{"space around cells", "id; login\n 1 ;\u00a0GKS \n", []string{"2:1|GKS|"}, ';'},
		{"blank rows count", "\n;;\nid;login\n\n1;GKS\n;\n   \n2;HUH\n", []string{"5:1|GKS|", "8:2|HUH|"}, ';'},
		{"line end in a cell", "id;login;plan\n1;\"G\r\nK\";\"A\n\nB\"\n2;HUH\n", []string{"2:1|G\nK|A\n\nB", "3:2|HUH|"}, ';'},
		{"line end in the header", "id;\"log\nin\"\n1;GKS\n", []string{"2:1|GKS|"}, ';'},
		{"quotes", "id;login\n1;\"a \"\"b\"\"; c\"\n", []string{`2:1|a "b"; c|`}, ';'},
		{"short and long rows", "id;login;plan\n1\n2;HUH;A;;\n", []string{"2:1||", "3:2|HUH|A"}, ';'},
		{"excel names the separator", "sep=,\r\nid;x,login\r\n1,GKS\r\n", []string{"2:|GKS|"}, ','},
		{"excel names the separator, quoted", "\"SEP=;\"\nid;login\n1;GKS\n", []string{"2:1|GKS|"}, ';'},
		{"sep is no column", "sep;login\n1;GKS\n", []string{"2:|GKS|"}, ';'},
		{"byte order mark", "\ufeffid;login\n1;GKS\n", []string{"2:1|GKS|"}, ';'},
		{"byte order mark before sep", "\ufeffsep=;\nid;login\n1;GKS\n", []string{"2:1|GKS|"}, ';'},
		{"header alone", "id;login\n", nil, ';'},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Read(strings.NewReader(tt.in), Options{File: "users.csv", Columns: columns})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, render(got)); d != "" {
				t.Error(d)
			}
			if got.Separator != tt.sep {
				t.Errorf("separator %q, want %q", got.Separator, tt.sep)
			}
		})
	}
}

func TestHas(t *testing.T) {
	got, err := Read(strings.NewReader("login;other\nGKS;x\n"), Options{Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Has("login") || got.Has("plan") || got.Has("other") {
		t.Errorf("has login %v, plan %v, other %v", got.Has("login"), got.Has("plan"), got.Has("other"))
	}
}

func TestReadErrors(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
	}{
		{"empty", "", "users.csv: it is empty; want a header with the columns id, login, plan"},
		{"blank", "\n;;\n", "users.csv: it is empty; want a header with the columns id, login, plan"},
		{"no known column", "\na;b\n1;2\n", `users.csv: row 2: no column of the header is known: "a", "b"; want id, login, plan`},
		{"required", "id;plan\n", `users.csv: row 1: the header has no column "login"`},
		{"twice", "login;plan;Login\n", "users.csv: row 1, column login: it stands twice in the header"},
		{"cells beyond the header", "login;plan\nGKS;A;x\nHUH;A\nBB;B;;y\n",
			"users.csv: row 2: it has 3 cells, the header 2; put quotes around a cell that holds a separator (';')\n" +
				"users.csv: row 4: it has 4 cells, the header 2; put quotes around a cell that holds a separator (';')"},
		{"bare quote", "login;plan\nG\"K;A\nHUH;A\n\"a\nb\"x;A\n\"a\nb\";1;2\n",
			"users.csv: row 2: a quote inside a cell that does not begin with one; write \"a \"\"b\"\" c\" for a \"b\" c\n" +
				"users.csv: row 4: a quoted cell does not end before the separator or the end of the row; double the quotes inside it\n" +
				"users.csv: row 5: it has 3 cells, the header 2; put quotes around a cell that holds a separator (';')"},
		{"open quote", "login;plan\n\"GK;A\nHUH;A\n",
			"users.csv: row 2: a quoted cell does not end before the separator or the end of the row; double the quotes inside it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(tt.in), Options{File: "users.csv", Columns: columns, Required: []string{"login"}})
			if err == nil {
				t.Fatal("no error")
			}
			if d := cmp.Diff(tt.want, err.Error()); d != "" {
				t.Error(d)
			}
		})
	}
}

// encode makes the bytes of text in an encoding of Windows.
func encode(t *testing.T, name, text string) []byte {
	t.Helper()
	var b []byte
	var err error
	switch name {
	case "windows-1252":
		b, err = charmap.Windows1252.NewEncoder().Bytes([]byte(text))
	case "windows-1250":
		b, err = charmap.Windows1250.NewEncoder().Bytes([]byte(text))
	case "ibm850":
		b, err = charmap.CodePage850.NewEncoder().Bytes([]byte(text))
	case "utf-16le":
		b, err = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text))
	case "utf-16be":
		b, err = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text))
	case "utf-16le without mark":
		b, err = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().Bytes([]byte(text))
	default:
		b = []byte(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode(t *testing.T) {
	const danish, polish = "login\r\nBJØRN Ærø\r\n", "login\r\nŁódź\r\n"
	for _, tt := range []struct {
		name, encoding, told, in, used string
	}{
		{"utf-8", "", "", danish, "utf-8"},
		{"utf-8 with mark", "", "", "\ufeff" + danish, "utf-8"},
		{"the mark wins over the name", "", "windows-1252", "\ufeff" + danish, "utf-8"},
		{"utf-8 told", "", "UTF8", danish, "utf-8"},
		{"utf-16le", "utf-16le", "", danish, "utf-16le"},
		{"utf-16be", "utf-16be", "", danish, "utf-16be"},
		{"utf-16le told", "utf-16le without mark", "utf-16le", danish, "utf-16le"},
		{"ansi", "windows-1252", "", danish, "windows-1252"},
		{"ansi told", "windows-1250", "windows-1250", polish, "windows-1250"},
		{"dos", "ibm850", "IBM850", danish, "ibm850"},
		{"ascii", "", "", "login\r\nGKS\r\n", "utf-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, used, err := Decode(bytes.NewReader(encode(t, tt.encoding, tt.in)), tt.told)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimPrefix(tt.in, "\ufeff"); text != want || used != tt.used {
				t.Errorf("got %q as %s, want %q as %s", text, used, want, tt.used)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, tt := range []struct {
		name, encoding, told, in, want string
	}{
		{"unknown name", "", "latin-klingon", "x", `encoding "latin-klingon" is not known; use a name such as`},
		{"told utf-8 and is not", "windows-1252", "utf-8", "login\nBJØRN",
			"byte 0xd8 in line 2 is not UTF-8; save it as UTF-8 or name"},
		{"mark of utf-8 and is not", "", "", "\ufefflogin\n\nBJ\xd8RN", "byte 0xd8 in line 3 is not UTF-8"},
		{"utf-16 without mark", "utf-16le without mark", "", "login\nGKS\n",
			"byte 0 in line 1: looks like UTF-16 without byte order mark"},
		{"through a console", "", "", "∩╗┐login\n", "a console has re-encoded it on its way into the file"},
		{"through a console, utf-16", "utf-16le", "", "´╗┐login\n", "a console has re-encoded it on its way into the file"},
		{"too large", "", "", strings.Repeat("x", MaxBytes+1), "larger than 32 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Decode(bytes.NewReader(encode(t, tt.encoding, tt.in)), tt.told)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestReadNamesTheFileWhereItCannotBeDecoded(t *testing.T) {
	_, err := Read(strings.NewReader("a\x00"), Options{File: "users.csv", Columns: columns})
	if err == nil || !strings.HasPrefix(err.Error(), "users.csv: byte 0 in line 1") {
		t.Errorf("got %v", err)
	}
}

func TestProblemsAreCapped(t *testing.T) {
	var p, q Problems
	for i := range 60 {
		p.Add(Place{File: "f", Unit: "row", N: i + 1}, "bad")
	}
	q.Add(Place{File: "g"}, "worse")
	q.AddError(p.Err())
	if q.Len() != 61 {
		t.Errorf("%d problems, want 61", q.Len())
	}
	lines := strings.Split(q.Error(), "\n")
	if len(lines) != 51 || lines[0] != "g: worse" || lines[1] != "f: row 1: bad" || lines[49] != "f: row 49: bad" || lines[50] != "and 11 more" {
		t.Errorf("got %d lines: %q … %q", len(lines), lines[0], lines[len(lines)-2:])
	}
	var none Problems
	none.AddError(nil)
	if none.Err() != nil {
		t.Error("no problem is an error")
	}
}

func TestPlace(t *testing.T) {
	for want, p := range map[string]Place{
		"users.csv":                       {File: "users.csv"},
		"users.csv: row 7":                {File: "users.csv", Unit: "row", N: 7},
		"users.csv: row 7, column plan":   Place{File: "users.csv", Unit: "row", N: 7}.In("plan"),
		"--set GKS:plan=X: plan":          Place{File: "--set GKS:plan=X"}.In("plan"),
		"plans.json: item 2, column plan": Place{File: "plans.json", Unit: "item", N: 2}.In("plan"),
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestGuess: where nothing tells, the first of semicolon, comma and tab.
func TestGuess(t *testing.T) {
	for in, want := range map[string]rune{
		"login": ';', "id;login,plan": ';', "id,login;plan": ';', "id\tlogin": '\t', "a;b,c,login": ',', "\"id,login\";plan": ';', "\"broken": ';',
		"a,b;login": ';',
	} {
		if got := guess(in, columns); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestProblemsUnwrap(t *testing.T) {
	cause := fmt.Errorf("cause")
	var p Problems
	p.Add(Place{File: "f"}, "reading: %w", cause)
	p.AddError(fmt.Errorf("alone"))
	if err := p.Err(); !errors.Is(err, cause) || len(p.Unwrap()) != 2 || err.Error() != "f: reading: cause\nalone" {
		t.Errorf("%v", err)
	}
}

// TestHeaderIsShown: as much of it as helps.
func TestHeaderIsShown(t *testing.T) {
	_, err := Read(strings.NewReader("a;b;c;d;e;f;g;"+strings.Repeat("x", 50)+";i;j\n"), Options{File: "users.csv", Columns: columns})
	want := `users.csv: row 1: no column of the header is known: "a", "b", "c", "d", "e", "f", "g", "` + strings.Repeat("x",
		40) + `…", …; want id, login, plan`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestBool(t *testing.T) {
	for in, want := range map[string][2]bool{
		"true": {true, true}, "FALSE": {false, true}, "False": {false, true}, "SANN": {true, true}, "usann": {false, true},
		"WAHR": {true, true}, "epätosi": {false, true}, "1": {true, true}, "0": {false, true},
		"": {}, "x": {}, "yes please": {}, "?": {},
	} {
		if v, ok := Bool(in); v != want[0] || ok != want[1] {
			t.Errorf("%q: got %v %v, want %v", in, v, ok, want)
		}
	}
}

func TestWrite(t *testing.T) {
	var b bytes.Buffer
	err := Write(&b, ';', []string{"id", "login"},
		[][]string{{"1", "=1+2"}, {"2", "a;b"}, {"3", `say "x"`}, {"4", "a\r\nb\rc"}, {"5", " y "}, {"-", "a,b"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "\ufeffid;login\r\n1;=1+2\r\n2;\"a;b\"\r\n3;\"say \"\"x\"\"\"\r\n4;\"a\nb\nc\"\r\n5;\" y \"\r\n-;a,b\r\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	if err := Write(&b, '|', nil, nil); err == nil {
		t.Error("separator | was taken")
	}
}

func TestSeparator(t *testing.T) {
	for in, want := range map[string]rune{";": ';', "Semicolon": ';', ",": ',', "comma": ',', "tab": '\t', "\t": '\t'} {
		if got, err := Separator(in); got != want || err != nil {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
	if _, err := Separator("|"); err == nil || err.Error() != `separator "|": want semicolon, comma or tab` {
		t.Errorf("got %v", err)
	}
}

// TestRoundTrip: what is written is read back, cell by cell, under every separator.
func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("aZ0 ;,\t\"'\n\r=+-@?øæ漢😀\u2028\\.")
	cell := func() string {
		r := make([]rune, rnd.IntN(8))
		for i := range r {
			r[i] = alphabet[rnd.IntN(len(alphabet))]
		}
		return string(r)
	}
	for range 500 {
		sep := separators[rnd.IntN(len(separators))]
		var rows [][]string
		for range rnd.IntN(6) {
			rows = append(rows, []string{cell(), cell(), cell()})
		}
		var b bytes.Buffer
		if err := Write(&b, sep, columns, rows); err != nil {
			t.Fatal(err)
		}
		got, err := Read(bytes.NewReader(b.Bytes()), Options{Columns: columns})
		if err != nil {
			t.Fatalf("%q: %v", b.String(), err)
		}
		rows = slices.DeleteFunc(rows, blank)
		if len(got.Rows) != len(rows) {
			t.Fatalf("%q: %d rows, want %d", b.String(), len(got.Rows), len(rows))
		}
		for i, r := range got.Rows {
			for j, c := range columns {
				want := strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(rows[i][j]))
				if r.Cell(c) != want {
					t.Fatalf("%q: row %d column %s: got %q, want %q", b.String(), i, c, r.Cell(c), want)
				}
			}
		}
	}
}

// FuzzRead: no input makes the reader panic; rows stand in order under a known separator, and what was read is read
// again the same after writing.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"id;login;plan\n1;GKS;A\n", "\ufeffsep=,\r\nid,login\r\n\"1\n\",x", "\xff\xfei\x00d\x00\n\x00",
		"id\r1\r2", "login\nBJ\xd8RN", "\"", "id;id"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := Read(bytes.NewReader(in), Options{File: "f", Columns: columns})
		if err != nil {
			if got != nil || err.Error() == "" {
				t.Fatalf("table %v with error %v", got, err)
			}
			return
		}
		var rows [][]string
		last := 1
		for _, r := range got.Rows {
			if r.At.N <= last {
				t.Fatalf("row %d after row %d", r.At.N, last)
			}
			last = r.At.N
			rows = append(rows, []string{r.Cell("id"), r.Cell("login"), r.Cell("plan")})
		}
		rows = slices.DeleteFunc(rows, blank)
		var b bytes.Buffer
		if err := Write(&b, got.Separator, columns, rows); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&b, Options{Columns: columns})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range again.Rows {
			for j, c := range columns {
				want := strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(rows[i][j]))
				if r.Cell(c) != want {
					t.Fatalf("row %d column %s: %q, want %q", i, c, r.Cell(c), want)
				}
			}
		}
	})
}
