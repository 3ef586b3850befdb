package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"
)

// readAll returns the lines of a manifest.
func readAll(r io.Reader, o ReadOptions) (raws []string, mr *Reader, err error) {
	mr = NewReader(r, o)
	for {
		l, err := mr.Next()
		if errors.Is(err, io.EOF) {
			return raws, mr, nil
		}
		if err != nil {
			return raws, mr, err
		}
		raws = append(raws, string(l.Raw))
	}
}

func linesOf(manifest []byte) []string {
	return strings.Split(strings.TrimSuffix(string(manifest), "\n"), "\n")
}

// TestGolden fixes the form of every kind, and that each is read back as it was written.
func TestGolden(t *testing.T) {
	out := sample(t)
	golden(t, "all-kinds.jsonl", out)

	r := NewReader(bytes.NewReader(out), ReadOptions{})
	seen := map[Kind]bool{}
	for _, want := range sampleRecords() {
		l, err := r.Next()
		if err == nil && l.Kind == "mailbox" {
			if string(l.Raw) != unknown {
				t.Errorf("unknown record became %s", l.Raw)
			}
			l, err = r.Next()
		}
		if err != nil {
			t.Fatal(err)
		}
		if l.Kind != want.RecordKind() {
			t.Fatalf("kind %q, want %q", l.Kind, want.RecordKind())
		}
		seen[l.Kind] = true
		got := reflect.New(reflect.TypeOf(want))
		if err := l.Decode(got.Interface()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(withLists(want), got.Elem().Interface()); diff != "" {
			t.Errorf("%s: %s", l.Kind, diff)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if r.End().Tool != "omt-push 0.1.0" || r.Header().Migration != "test" || r.End().Counts["mailbox"] != 1 {
		t.Errorf("end %v, header %v", r.End(), r.Header())
	}
	for i, k := range known {
		if i != placeUnknown && i != placeAbort && i != placeEnd && !seen[k.kind] {
			t.Errorf("the sample has no %q record", k.kind)
		}
	}
}

// TestCutAnywhere cuts the sample at every byte. Only the last line end may be lost.
func TestCutAnywhere(t *testing.T) {
	in := sample(t)
	for n := range len(in) - 1 {
		for _, accept := range []bool{false, true}[:1+max(0, 1-n%16)] {
			_, _, err := readAll(bytes.NewReader(in[:n]), ReadOptions{AcceptEdits: accept})
			if StatusOf(err) != BadInput || HintOf(err) == "" && n > 0 && !strings.Contains(err.Error(), "no manifest") {
				t.Fatalf("cut at %d, accept %v: %v", n, accept, err)
			}
			if n > bytes.IndexByte(in, '\n') && !strings.Contains(err.Error(), "cut short") {
				t.Fatalf("cut at %d, accept %v: %v, want it to be called cut short", n, accept, err)
			}
		}
	}
	if _, _, err := readAll(bytes.NewReader(in[:len(in)-1]), ReadOptions{}); err != nil {
		t.Errorf("without the last line end: %v", err)
	}
}

// TestFlipAnywhere changes single bytes, every third. Whatever still parses is called edited.
func TestFlipAnywhere(t *testing.T) {
	in := sample(t)
	for n := 0; n < len(in)-1; n += 3 {
		bad := bytes.Clone(in)
		bad[n] ^= []byte{0x01, 0x20}[n%2]
		_, r, err := readAll(bytes.NewReader(bad), ReadOptions{})
		if err == nil && !sameManifest(r, in) {
			t.Fatalf("byte %d flipped from %q to %q went unnoticed", n, in[n], bad[n])
		}
		if err != nil && StatusOf(err) != BadInput {
			t.Fatalf("byte %d: %v", n, err)
		}
	}
}

// sameManifest allows for changes that have no meaning: the writer's name in end, and letter case of its keys.
func sameManifest(r *Reader, in []byte) bool {
	_, want, err := readAll(bytes.NewReader(in), ReadOptions{})
	return err == nil && r.End().SHA256 == want.End().SHA256 && cmp.Equal(r.Counts(), want.Counts())
}

func TestEncodings(t *testing.T) {
	in := sample(t)
	want := linesOf(in)
	want = want[:len(want)-1]
	utf16 := func(e unicode.Endianness) string {
		s, err := unicode.UTF16(e, unicode.UseBOM).NewEncoder().String(string(in))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := string(in)
	const bom = "\ufeff"
	for name, text := range map[string]string{
		"as written":         s,
		"byte order mark":    bom + s,
		"crlf":               strings.ReplaceAll(s, "\n", "\r\n"),
		"cr":                 strings.ReplaceAll(s, "\n", "\r"),
		"cr and blank":       strings.ReplaceAll(s, "\n", "\r\r"),
		"mixed":              strings.Replace(strings.Replace(s, "\n", "\r", 1), "\n", "\r\n", 2),
		"blank lines":        "\n \t\r\n" + strings.ReplaceAll(s, "\n", "\n\n  \n") + "\n\n",
		"marks on all lines": bom + strings.ReplaceAll(s, "\n", "\n"+bom),
		"two marks":          bom + bom + s,
		"no last line end":   strings.TrimSuffix(s, "\n"),
		"utf-16le":           utf16(unicode.LittleEndian),
		"utf-16be":           utf16(unicode.BigEndian),
	} {
		t.Run(name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{
				"whole": strings.NewReader(text), "bytes": iotest.OneByteReader(strings.NewReader(text)),
				"with error": iotest.DataErrReader(strings.NewReader(text)),
			} {
				got, _, err := readAll(r, ReadOptions{})
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%s: %s", how, diff)
				}
			}
		})
	}
}

func TestCutUTF16(t *testing.T) {
	in := sample(t)[:400]
	s, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes(in)
	if err != nil {
		t.Fatal(err)
	}
	for n := range s {
		if _, _, err := readAll(bytes.NewReader(s[:n]), ReadOptions{}); StatusOf(err) != BadInput {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

const (
	head1 = `{"kind":"manifest","format":"omt/1","id":"1","tool":"omt-scan 0.1.0"}` + "\n"
	end1  = `{"kind":"end","tool":"omt-scan 0.1.0","counts":{"manifest":1},"sha256":"SUM"}` + "\n"
)

// ended is head1, lines and an end record that fits.
func ended(lines string) string {
	n := strings.Count(lines, "\n")
	counts := `{"manifest":1}`
	if n > 0 {
		counts = fmt.Sprintf(`{"manifest":1,"fact":%d}`, n)
	}
	end := strings.Replace(end1, `{"manifest":1}`, counts, 1)
	return head1 + lines + strings.Replace(end, "SUM", sum(head1+lines).String(), 1)
}

func TestRefused(t *testing.T) {
	fact := `{"kind":"fact","name":"a","id":"1","data":{}}` + "\n"
	good := ended(fact)
	abort := func(status string) string {
		return `{"kind":"abort","tool":"omt-scan 0.1.0","status":` + status + `,"message":"no such root \"x\""}` + "\n"
	}
	for _, c := range []struct {
		name, in, want, hint string
		status               Status
	}{
		{"empty", "", "the input holds no manifest: it is empty or cut short", "run it again", BadInput},
		{"blank", "\r\n\ufeff\n", "the input holds no manifest: it is empty or cut short", "run it again", BadInput},
		{"text", "hello\n", "the input is no manifest: line 1 is not a JSON object", "", BadInput},
		{"array", "[1]\n", "the input is no manifest: line 1 is not a JSON object", "", BadInput},
		{"no kind", `{"a":1}`, `the input is no manifest: line 1 is a record without "kind"`, "", BadInput},
		{"other first", fact + good, `the input is no manifest: line 1 is a "fact" record`, "first record", BadInput},
		{
			"newer", strings.Replace(good, "omt/1", "omt/2", 1),
			`the manifest was written by a newer version: format "omt/2", known is "omt/1"`, "omt-scan 0.1.0", BadInput,
		},
		{"other format", strings.Replace(good, "omt/1", "zip", 1), `the input is no manifest: format "zip", known is "omt/1"`, "", BadInput},
		{"no format", `{"kind":"manifest"}`, `the input is no manifest: format "", known is "omt/1"`, "", BadInput},
		{
			"odd format", `{"kind":"manifest","format":7}` + "\n" + good,
			"the input is no manifest: line 1 is a manifest record that cannot be decoded", "", BadInput,
		},
		{"no end", head1 + fact, "the manifest is cut short: it stops after line 2 without an end record", "run that stage again", BadInput},
		{"garbage", head1 + "warning: x\n" + fact, "line 2 of the manifest is not a JSON object", "wrote into it", BadInput},
		{"half a line", head1 + fact[:20] + "\n" + fact, "line 2 of the manifest is not a JSON object", "wrote into it", BadInput},
		{"half a line after blank ones", head1 + "\r\n\r\n" + fact[:20] + "\n" + fact, "line 4 of the manifest is not a JSON object", "wrote", BadInput},
		{"kind is a number", head1 + `{"kind":1}` + "\n" + fact, "line 2 of the manifest is not a JSON object", "wrote into it", BadInput},
		{"empty kind", head1 + `{"kind":""}` + "\n" + fact, `line 2 of the manifest is a record without "kind"`, "wrote into it", BadInput},
		{"ansi", head1 + "{\"kind\":\"fact\",\"name\":\"\xe6\"}\n" + fact, "line 2 of the manifest is not UTF-8", "wrote into it", BadInput},
		{"behind end", good + fact, "line 4 stands after the end record of line 3", "joined", BadInput},
		{"joined", good + good, "line 4 stands after the end record of line 3", "joined", BadInput},
		{"joined without end", head1 + fact + good, "line 3: a second manifest record: two manifests were joined", "one manifest", BadInput},
		{"edited", strings.Replace(good, `"a"`, `"b"`, 1), "the manifest was edited: its end record does not match the 2 lines before it", "--accept-edits", BadInput},
		{"a line less", head1 + linesOf([]byte(good))[2], "the manifest was edited: its end record does not match the 1 lines before it", "--accept-edits", BadInput},
		{"counts", strings.Replace(good, `"fact":1`, `"fact":1,"user":1`, 1), "the manifest was edited: its end record does not match the 2 lines before it", "--accept-edits", BadInput},
		{"fewer counts", strings.Replace(good, `,"fact":1`, ``, 1), "the manifest was edited: its end record does not match the 2 lines before it", "--accept-edits", BadInput},
		{"bare end", head1 + `{"kind":"end"}`, "the manifest was edited: its end record does not match the 1 lines before it", "--accept-edits", BadInput},
		{"odd end", head1 + `{"kind":"end","counts":[]}` + "\n" + fact, "line 2 of the manifest is an end record that cannot be decoded", "wrote", BadInput},
		{"abort", head1 + abort("1"), `omt-scan 0.1.0 stopped with status 1: no such root "x"`, "run that stage again", BadInput},
		{"abort alone", abort("5"), `omt-scan 0.1.0 stopped with status 5: no such root "x"`, "run that stage again", Refused},
		{"interrupted", head1 + abort("130"), `omt-scan 0.1.0 stopped with status 130: no such root "x"`, "run that stage again", Interrupted},
		{"abort of 3", head1 + abort("3") + good, `omt-scan 0.1.0 stopped with status 3: no such root "x"`, "run that stage again", BadInput},
		{"odd abort", head1 + abort(`"x"`) + fact, "line 2 of the manifest is an abort record that cannot be decoded", "wrote", BadInput},
		{"utf-16le", "{\x00\"\x00k\x00", "the input is UTF-16 little-endian without a byte order mark; a manifest is UTF-8, or UTF-16 with a byte order mark", "save it as UTF-8", BadInput},
		{"utf-16be", "\x00{\x00\"\x00k", "the input is UTF-16 big-endian without a byte order mark; a manifest is UTF-8, or UTF-16 with a byte order mark", "save it as UTF-8", BadInput},
		{"utf-32", "\xff\xfe\x00\x00{\x00\x00\x00", "the input is UTF-32; a manifest is UTF-8, or UTF-16 with a byte order mark", "save it as UTF-8", BadInput},
		{"zstd", "\x28\xb5\x2f\xfd\x04", "the input is compressed with zstd", "zstd -d", BadInput},
		{"gzip", "\x1f\x8b\x08\x00", "the input is compressed with gzip", "gzip -d", BadInput},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := NewReader(strings.NewReader(c.in), ReadOptions{})
			var err error
			for err == nil {
				_, err = r.Next()
			}
			if err.Error() != c.want || StatusOf(err) != c.status || !strings.Contains(HintOf(err), c.hint) {
				t.Errorf("got %q (status %d, hint %q)", err, StatusOf(err), HintOf(err))
			}
			if _, again := r.Next(); !errors.Is(again, err) {
				t.Errorf("then %v", again)
			}
		})
	}
}

func TestAcceptEdits(t *testing.T) {
	fact := `{"kind":"fact","name":"a","id":"1","data":{}}` + "\n"
	good := ended(fact)
	was := sum(head1 + fact)
	for _, c := range []struct {
		name, in string
		was      Digest
		edited   bool
	}{
		{"untouched", good, was, false},
		{"changed", strings.Replace(good, `"a"`, `"b"`, 1), was, true},
		{"taken out", strings.Replace(good, fact, ``, 1), was, true},
		{"put in", strings.Replace(good, fact, fact+`{ "name": "x", "kind": "fact" }`+"\n", 1), was, true},
		{"end without digest", head1 + fact + `{"kind":"end"}`, Digest{}, true},
		{"end with half a digest", head1 + fact + `{"kind":"end","counts":{},"sha256":"00"}`, Digest{}, true},
	} {
		_, r, err := readAll(strings.NewReader(c.in), ReadOptions{AcceptEdits: true})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if was, edited := r.Edited(); was != c.was || edited != c.edited {
			t.Errorf("%s: was %v, edited %v", c.name, was, edited)
		}
	}
	for name, in := range map[string]string{
		"no JSON within":  strings.Replace(good, `"name":"a"`, `"name":a"`, 1),
		"behind the end":  good + fact,
		"two manifests":   head1 + good,
		"without its end": head1 + fact,
	} {
		if _, _, err := readAll(strings.NewReader(in), ReadOptions{AcceptEdits: true}); StatusOf(err) != BadInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestForeignForm reads records as other programs write them.
func TestForeignForm(t *testing.T) {
	in := ended(`{ "kind" : "fact" , "name":"a" }  ` + "\n" + `  {"name":"a","kind":"fact","extra":[{}]}` + "\n" +
		`{"kind":"f\u0061ct"}` + "\n")
	r := NewReader(strings.NewReader(in), ReadOptions{})
	for i := range 4 {
		l, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if want := []Kind{KindManifest, KindFact, KindFact, KindFact}[i]; l.Kind != want || l.Number != int64(i+1) {
			t.Errorf("line %d: kind %q, number %d", i+1, l.Kind, l.Number)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestLongLines(t *testing.T) {
	frame := len(`{"kind":"fact","name":""}`)
	line := func(n int) string { return `{"kind":"fact","name":"` + strings.Repeat("x", n-frame) + `"}` }
	in := strings.ReplaceAll(ended(line(MaxLine)+"\n"+line(70_000)+"\n"), "\n", "\r\n")
	if raws, _, err := readAll(strings.NewReader(in), ReadOptions{}); err != nil || len(raws) != 3 || len(raws[1]) != MaxLine {
		t.Errorf("%d lines, %v", len(raws), err)
	}
	for _, n := range []int{MaxLine + 1, MaxLine + 65<<10} {
		_, _, err := readAll(strings.NewReader(ended(line(n)+"\n")), ReadOptions{})
		if err == nil || err.Error() != "line 2 is longer than 16777216 bytes" || StatusOf(err) != BadInput {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// TestLineNumbers: CRLF ends one line, wherever a read ends.
func TestLineNumbers(t *testing.T) {
	in := strings.ReplaceAll(head1+"\n"+"{}\n{}\n", "\n", "\r\n")
	for name, r := range map[string]io.Reader{"whole": strings.NewReader(in), "bytes": iotest.OneByteReader(strings.NewReader(in))} {
		_, _, err := readAll(r, ReadOptions{})
		if err == nil || err.Error() != `line 3 of the manifest is a record without "kind"` {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadErrors(t *testing.T) {
	broken := errors.New("broken")
	for n := range 3 {
		in := io.MultiReader(strings.NewReader(ended("")[:n*40]), iotest.ErrReader(broken))
		if _, _, err := readAll(in, ReadOptions{}); !errors.Is(err, broken) || StatusOf(err) != Failed {
			t.Errorf("after %d bytes: %v", n*40, err)
		}
	}
	in := io.MultiReader(strings.NewReader(ended("")), iotest.ErrReader(broken))
	if _, _, err := readAll(in, ReadOptions{}); !errors.Is(err, broken) {
		t.Errorf("after end: %v", err)
	}
	if _, _, err := readAll(stuck{}, ReadOptions{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("stuck: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestDecodeNamesTheLine(t *testing.T) {
	r := NewReader(strings.NewReader(ended(`{"kind":"fact","name":7}`+"\n")), ReadOptions{})
	r.Next()
	l, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var wrong *json.UnmarshalTypeError
	err = l.Decode(&Fact{})
	if StatusOf(err) != BadInput || !strings.HasPrefix(err.Error(), "line 2: decoding the fact record: ") || !errors.As(err, &wrong) {
		t.Error(err)
	}
}

// FuzzReader: nothing panics, and whatever is read to a good end is read again the same after a Writer copied it.
func FuzzReader(f *testing.F) {
	in := sample(f)
	f.Add(in)
	f.Add([]byte(ended("")))
	f.Add([]byte(ended(`{"name":"æ","kind":"fact"}` + "\n")))
	f.Add(bytes.ReplaceAll(in, []byte("\n"), []byte("\r\n")))
	f.Add([]byte("\xff\xfe{\x00}\x00"))
	f.Add([]byte(`{"kind":"abort","status":5}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, o := range []ReadOptions{{}, {AcceptEdits: true}} {
			var out bytes.Buffer
			w := NewWriter(&out, "t")
			src := NewReader(bytes.NewReader(in), o)
			if err := Copy(w, src, nil); err != nil {
				if StatusOf(err) == OK {
					t.Fatalf("%v has no status", err)
				}
				continue
			}
			if _, err := w.End(); err != nil {
				t.Fatal(err)
			}
			if !isASCII(bytes.ReplaceAll(out.Bytes(), []byte("\n"), nil)) {
				t.Fatalf("not ASCII: %q", out.Bytes())
			}
			want, _, err := readAll(bytes.NewReader(in), o)
			if err != nil {
				t.Fatal(err)
			}
			got, r, err := readAll(bytes.NewReader(out.Bytes()), ReadOptions{})
			if err != nil || len(got) != len(want) || !cmp.Equal(r.Counts(), src.Counts()) {
				t.Fatalf("%v: %q, want %q", err, got, want)
			}
			for i := range got {
				if !sameJSON(got[i], want[i]) {
					t.Fatalf("%q, want %q", got[i], want[i])
				}
			}
		}
	})
}

// sameJSON compares what two lines mean; lines that are no JSON must be equal.
func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b || !isASCII([]byte(b))
	}
	return cmp.Equal(x, y)
}
