package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var testHeader = Header{Format: Format, ID: "1", Tool: "omt-scan 0.1.0", Created: when, Migration: "test", Phase: "full"}

// begun is a Writer with its first record.
func begun(t *testing.T, out io.Writer) *Writer {
	t.Helper()
	w := NewWriter(out, "t 1")
	if err := w.Write(testHeader); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestEnd(t *testing.T) {
	var out bytes.Buffer
	w := begun(t, &out)
	if err := w.Write(Fact{Name: "a"}); err != nil {
		t.Fatal(err)
	}
	end, err := w.End()
	if err != nil {
		t.Fatal(err)
	}
	_, r, err := readAll(&out, ReadOptions{})
	if err != nil || r.End().SHA256 != end.SHA256 || end.SHA256.IsZero() || end.Counts["fact"] != 1 || end.Tool != "t 1" {
		t.Errorf("wrote %v, read %v, %v", end, r.End(), err)
	}
	if err := w.Write(Fact{Name: "b"}); !errors.Is(err, errClosed) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := w.End(); !errors.Is(err, errClosed) {
		t.Errorf("second end: %v", err)
	}
	if err := w.Abort(Failed, "x"); !errors.Is(err, errClosed) {
		t.Errorf("abort after end: %v", err)
	}
	if err := w.Flush(); err != nil {
		t.Errorf("flush after end: %v", err)
	}
}

func TestAbort(t *testing.T) {
	var out bytes.Buffer
	w := begun(t, &out)
	if err := w.Abort(Interrupted, "interrupted at \"å\"\n"); err != nil {
		t.Fatal(err)
	}
	if want := `{"kind":"abort","tool":"t 1","status":130,"message":"interrupted at \"\u00e5\"\n"}`; linesOf(out.Bytes())[1] != want {
		t.Errorf("%s", out.String())
	}
	_, _, err := readAll(&out, ReadOptions{})
	if StatusOf(err) != Interrupted {
		t.Error(err)
	}

	out.Reset()
	if err := NewWriter(&out, "t 1").Abort(Refused, "no"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readAll(&out, ReadOptions{}); StatusOf(err) != Refused {
		t.Errorf("abort as the only record: %v", err)
	}
}

func TestEndNeedsRecords(t *testing.T) {
	if _, err := NewWriter(io.Discard, "t").End(); err == nil {
		t.Error("an empty manifest got an end")
	}
}

// TestFlush: what was written can be read before the end, whole lines only.
func TestFlush(t *testing.T) {
	var out bytes.Buffer
	w := begun(t, &out)
	if out.Len() != 0 {
		t.Fatal("not buffered")
	}
	if err := w.Flush(); err != nil || bytes.Count(out.Bytes(), []byte("\n")) != 1 {
		t.Fatalf("flushed %q, %v", out.Bytes(), err)
	}
	before := out.Len()
	for range 3 * writeBlock / 60 {
		if err := w.Write(Fact{Name: "a", ID: "1234567890"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := out.Len() - before; n < 2*writeBlock || out.Bytes()[out.Len()-1] != '\n' {
		t.Errorf("%d bytes arrived of what is three blocks", n)
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readAll(&out, ReadOptions{}); err != nil {
		t.Error(err)
	}
}

// failing fails once n bytes were written.
type failing struct {
	n   int
	err error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, f.err
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	broken := errors.New("broken")
	w := NewWriter(&failing{n: 100_000, err: broken}, "t")
	if err := w.Write(testHeader); err != nil {
		t.Fatal(err)
	}
	var err error
	for i := 0; err == nil && i < 100_000; i++ {
		err = w.Write(Fact{Name: "a"})
	}
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if err := w.Abort(Failed, "x"); !errors.Is(err, broken) {
		t.Errorf("abort on a broken stream: %v", err)
	}
	if _, err := w.End(); !errors.Is(err, broken) {
		t.Errorf("end on a broken stream: %v", err)
	}
	if err := w.Flush(); !errors.Is(err, broken) {
		t.Errorf("flush of a broken stream: %v", err)
	}
	w = NewWriter(&failing{err: broken}, "t")
	if err := w.Write(testHeader); err != nil {
		t.Fatal(err)
	}
	if _, err := w.End(); !errors.Is(err, broken) {
		t.Errorf("end: %v", err)
	}
}

// odd is a record that is no object.
type odd int

func (odd) RecordKind() Kind { return "odd" }

// bare is a record without fields.
type bare struct{}

func (bare) RecordKind() Kind { return "bare" }

type broken struct{ C chan int }

func (broken) RecordKind() Kind { return "broken" }

func TestWriteRefuses(t *testing.T) {
	bad := "a\xffb"
	for _, c := range []struct {
		name string
		rec  Record
		want string
	}{
		{"end", End{}, "writing end record: only End and Abort do"},
		{"abort", Abort{}, "writing abort record: only End and Abort do"},
		{"string", User{Login: bad}, `writing user record: "a\xffb" is not valid UTF-8`},
		{"list", User{Emails: []string{"a", bad}}, `writing user record: "a\xffb" is not valid UTF-8`},
		{"pointer", User{Plan: &bad}, `writing user record: "a\xffb" is not valid UTF-8`},
		{"map", Fact{Data: map[string]any{"x": []any{map[string]any{"y": bad}}}}, `writing fact record: "a\xffb" is not valid UTF-8`},
		{"map key", Fact{Data: map[string]any{bad: 1}}, `writing fact record: "a\xffb" is not valid UTF-8`},
		{"nested", Table{Columns: []Column{{Name: bad}}}, `writing table record: "a\xffb" is not valid UTF-8`},
		{"file", File{Area: Document, Path: bad}, `writing file record: "a\xffb" is not valid UTF-8`},
		{"file's candidates", &File{Area: Document, Candidates: []string{bad}}, `writing file record: "a\xffb" is not valid UTF-8`},
		{"large integer", File{Area: Document, Size: 1 << 53}, `writing file record: "size":9007199254740992 is not below 2^53`},
		{"large id", File{Area: Document, ID: -1 << 53}, `writing file record: "id":-9007199254740992 is not below 2^53`},
		{"late year", File{Area: Document, MTime: At(when.AddDate(8000, 0, 0))}, `writing file record: the year 10026 cannot be written as RFC 3339`},
		{"number", odd(1), `writing odd record: manifest.odd is no JSON object`},
		{"channel", broken{}, `writing broken record: json: unsupported type: chan int`},
		{"too long", Fact{Name: strings.Repeat("x", MaxLine)}, `writing fact record: its line has 16777259 bytes, more than the 16777216 that are read`},
		{"second header", testHeader, `writing manifest record: record 2 is a second one of kind "manifest"`},
		{"format", Header{Format: "omt/2"}, `writing manifest record: format "omt/2" is not "omt/1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			w := begun(t, &out)
			err := w.Write(c.rec)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if _, err := w.End(); err != nil {
				t.Fatal(err)
			}
			if raws, _, err := readAll(&out, ReadOptions{}); err != nil || len(raws) != 1 {
				t.Errorf("left %q, %v", raws, err)
			}
		})
	}
	if err := NewWriter(io.Discard, "t").Write(Header{Created: At(when.AddDate(8000, 0, 0))}); err == nil {
		t.Error("a year beyond 9999 was written")
	}
}

func TestWriteForms(t *testing.T) {
	for _, c := range []struct {
		rec  Record
		want string
	}{
		{bare{}, `{"kind":"bare"}`},
		{Fact{Name: "\ufffd \\ufffd"}, `{"kind":"fact","name":"\ufffd \\ufffd","id":"","data":{}}`},
		{Fact{Data: map[string]any{"r": json.RawMessage(`"\ufffd"`), "n": nil}}, `{"kind":"fact","name":"","id":"","data":{"n":null,"r":"\ufffd"}}`},
		{&User{Login: "x", Emails: []string{"<&>"}}, `"emails":["<&>"]`},
		{Installation{}, `"areas":[],"roots":{}`},
		{Table{}, `"columns":[],"key":[]`},
		{Finding{}, `"subjects":[]`},
	} {
		var out bytes.Buffer
		w := begun(t, &out)
		if err := w.Write(c.rec); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if got := linesOf(out.Bytes())[1]; !strings.Contains(got, c.want) {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// TestFormatIsFilledIn: a header without a format gets ours.
func TestFormatIsFilledIn(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, "t")
	if err := w.Write(Header{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	if _, r, err := readAll(&out, ReadOptions{}); err != nil || r.Header().Format != Format {
		t.Error(err)
	}
}

func TestWriteRaw(t *testing.T) {
	var out bytes.Buffer
	w := begun(t, &out)
	for _, raw := range []string{
		`{"kind":"x", "odd" : 1e0 }`,
		"{\"kind\":\"x\",\"å\":\"文\U0001f680\x7f\"}",
	} {
		if err := w.WriteRaw(Line{Kind: "x", Raw: []byte(raw)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteRaw(Line{Kind: KindEnd, Raw: []byte(`{"kind":"end"}`)}); err == nil {
		t.Error("an end record was copied")
	}
	err := w.WriteRaw(Line{Kind: KindManifest, Raw: []byte(`{"kind":"manifest"}`), Number: 7})
	if StatusOf(err) != BadInput || !strings.HasPrefix(err.Error(), "line 7: copying manifest record: ") {
		t.Error(err)
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	want := []string{`{"kind":"x", "odd" : 1e0 }`, `{"kind":"x","\u00e5":"\u6587\ud83d\ude80\u007f"}`}
	if raws, _, err := readAll(&out, ReadOptions{}); err != nil || raws[1] != want[0] || raws[2] != want[1] {
		t.Errorf("%q, %v", raws, err)
	}
}

// TestNoAllocations: records that are not touched cost no memory.
func TestNoAllocations(t *testing.T) {
	in := benchManifest(t, 5000)
	r := NewReader(bytes.NewReader(in), ReadOptions{})
	w := NewWriter(io.Discard, "t")
	pass := func() {
		l, err := r.Next()
		if err == nil {
			err = w.WriteRaw(l)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	pass()
	pass()
	if n := testing.AllocsPerRun(4000, pass); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
}

func TestWriterObserve(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b, "omt-scan 0.1.0")
	type seen struct{ line, kind, typ string }
	var got []seen
	stop := errors.New("enough")
	w.Observe(func(l Line, rec Record) error {
		got = append(got, seen{string(l.Raw), string(l.Kind), fmt.Sprintf("%T", rec)})
		if l.Kind == KindFact {
			return stop
		}
		return nil
	})
	if err := w.Write(Header{ID: "x", Migration: "test", Phase: "full"}); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteRaw(Line{Kind: KindUser, Raw: []byte(`{"kind":"user","id":7,"login":"ø"}`)}); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(Migrator{}); err == nil { // out of order: not written, not seen
		t.Error("a migrator behind a user is written")
	}
	if err := w.Write(Fact{Name: "a"}); !errors.Is(err, stop) {
		t.Errorf("the observer's error became %v", err)
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	want := []seen{{lines[0], "manifest", "manifest.Header"}, {lines[1], "user", "<nil>"}, {lines[2], "fact", "manifest.Fact"}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(seen{})); d != "" {
		t.Error(d)
	}
}
