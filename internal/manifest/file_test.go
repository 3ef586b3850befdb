package manifest

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// randomText draws from what breaks encoders: controls, quotes, every length of UTF-8.
func randomText(r *rand.Rand) string {
	const odd = "\x00\x01\b\f\n\r\t\x1a\x1f \"\\/<>&~\x7f\u0080\u00e6\u07ff\u0800\u2028\u2029\ud7ff\ue000\ufeff\ufffd\uffff\U00010000\U0001f680\U0010ffff"
	all := []rune(odd)
	var b strings.Builder
	for range r.IntN(12) {
		if r.IntN(2) == 0 {
			b.WriteByte(byte('a' + r.IntN(26)))
		} else {
			b.WriteRune(all[r.IntN(len(all))])
		}
	}
	return b.String()
}

func randomFile(r *rand.Rand) File {
	text := func() string {
		if r.IntN(3) == 0 {
			return ""
		}
		return randomText(r)
	}
	number := func() int64 { return (r.Int64N(maxInt) >> r.IntN(53)) * int64(r.IntN(3)-1) }
	digest := func() (d Digest) {
		if r.IntN(2) == 0 {
			d = sum(randomText(r))
		}
		return d
	}
	f := File{
		Area: Areas[r.IntN(len(Areas))], ID: number(), Path: text(), Disk: text(), Root: int(number()), Size: number(),
		Owner: text(), Title: text(), State: states[r.IntN(len(states))], Reason: text(), Also: text(), Raw: r.IntN(2) == 0,
		SHA256: digest(), Chunk: digest(), Offset: number(), Same: text(),
	}
	if r.IntN(2) == 0 {
		f.MTime = At(time.Unix(r.Int64N(1<<36)-1<<35, r.Int64N(1e9)))
	}
	for range r.IntN(3) {
		f.Candidates = append(f.Candidates, randomText(r))
	}
	if r.IntN(9) == 0 {
		f.Area, f.State = Area(randomText(r)), State(randomText(r))
	}
	return f
}

// TestFileForms: a file record written by hand means what encoding/json would have written, and is read back by both.
func TestFileForms(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3_000 {
		want := randomFile(r)
		raw, err := want.AppendJSON(nil)
		if err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		if !isASCII(raw) || bytes.ContainsAny(raw, "\r\n") {
			t.Fatalf("not a line of ASCII: %q", raw)
		}
		var quick, slow File
		if !parseFile(raw, &quick) {
			t.Fatalf("not read the fast way: %s", raw)
		}
		if err := json.Unmarshal(raw, &slow); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if !reflect.DeepEqual(want, slow) {
			t.Fatalf("%s: %s", raw, cmp.Diff(want, slow))
		}
		if !reflect.DeepEqual(want, quick) {
			t.Fatalf("%s: fast way: %s", raw, cmp.Diff(want, quick))
		}
		other, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var a, b map[string]any
		if json.Unmarshal(raw, &a) != nil || json.Unmarshal(other, &b) != nil {
			t.Fatal("no JSON")
		}
		delete(a, "kind")
		if !reflect.DeepEqual(b, a) {
			t.Fatalf("%s: %s", raw, cmp.Diff(b, a))
		}
	}
}

func TestDecodeForeignFile(t *testing.T) {
	want := File{Area: Document, ID: 3, Path: "å", State: Present, MTime: At(time.Date(2002, 9, 1, 10, 0, 0, 0, time.UTC))}
	for _, raw := range []string{
		`{"kind":"file","area":"document","id":3,"path":"å","mtime":"2002-09-01T10:00:00Z","state":"present"}`,
		`{"kind":"file","area":"document","id":3,"path":"\u00E5","mtime":"2002-09-01T12:00:00+02:00","state":"present"}`,
		`{ "kind": "file", "state": "present", "area": "document", "path": "å", "id": 3, "mtime": "2002-09-01T10:00:00.000Z", "new": {"path":"x"}}`,
		`{"kind":"file","area":"document","id":3,"path":"\u00e5","mtime":"2002-09-01T10:00:00Z","state":"present","raw":false,"title":null,"new":[1]}`,
		`{"kind":"file","area":"document","id":3,"path":"x","path":"\u00e5","mtime":"2002-09-01T10:00:00Z","state":"present","candidates":null}`,
	} {
		got, err := Line{Kind: KindFile, Raw: []byte(raw)}.File()
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", raw, err, diff)
		}
	}
	for path, want := range map[string]string{
		`\ud83d\ude80`: "\U0001f680", `\ud83d\ue000`: "\ufffd\ue000", `\ud83d`: "\ufffd", `\ud83dx`: "\ufffdx", `\ude80\ud83d`: "\ufffd\ufffd",
		`\ud83d\n`: "\ufffd\n", `\ud83d\ud83d\ude80`: "\ufffd\U0001f680", `\/\b`: "/\b",
	} {
		f, err := Line{Raw: []byte(`{"kind":"file","path":"` + path + `"}`)}.File()
		if err != nil || f.Path != want {
			t.Errorf("%s: %q, want %q, %v", path, f.Path, want, err)
		}
	}
	for _, raw := range []string{
		`{"kind":"file","id":99999999999999999999}`, `{"kind":"file","id":-9223372036854775809}`, `{"kind":"file","id":-}`,
		`{"kind":"file","id":"x"}`, `{"kind":"file","id":1.5}`, `{"kind":"file","sha256":"00"}`, `{"kind":"file","path":"` + "\n" + `"}`,
		`{"kind":"file","mtime":"yesterday"}`, `{"kind":"file"`, `{"kind":"file"}}`, `{"kind":"file","raw":"true"}`, `{"kind":"file","id":01}`,
		`{"kind":"file","candidates":["a"}`, `{"kind":"file","candidates":["a",]}`, `{"kind":"file","path":"\x"}`, `{"kind":"file","path":"\u12"}`,
		`{"kind":"file","path":"` + sum("").String()[:3] + `\`, `{"kind":"file","id":}`, `{"kind":"file",}`, `{"kind":"file","sha256":"` + strings.ToUpper(sum("x").String()) + `"}`,
	} {
		if f, err := (Line{Kind: KindFile, Raw: []byte(raw), Number: 9}).File(); StatusOf(err) != BadInput || !strings.HasPrefix(err.Error(), "line 9: decoding the file record: ") {
			t.Errorf("%s: %+v, %v", raw, f, err)
		}
	}
}

// FuzzDecodeFile: whatever the fast way accepts, encoding/json accepts with the same result.
func FuzzDecodeFile(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		file := randomFile(r)
		raw, err := file.AppendJSON(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var quick, slow File
		if !parseFile(raw, &quick) {
			return
		}
		if err := json.Unmarshal(raw, &slow); err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if diff := cmp.Diff(slow, quick); diff != "" {
			t.Fatalf("%q: %s", raw, diff)
		}
	})
}

func TestASCII(t *testing.T) {
	for n := range 40 {
		b := bytes.Repeat([]byte{'~'}, n)
		if !isASCII(b) {
			t.Errorf("%d: not ASCII", n)
		}
		for i := range b {
			for _, c := range []byte{0x7f, 0x80, 0xff} {
				b[i] = c
				if isASCII(b) {
					t.Errorf("%#x at %d of %d overlooked", c, i, n)
				}
			}
			b[i] = '~'
		}
	}
	for c := range 0x7f {
		if !isASCII(bytes.Repeat([]byte{byte(c)}, 9)) {
			t.Errorf("%#x is ASCII", c)
		}
	}
}

func TestAppendString(t *testing.T) {
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if r > 0x3000 && r%97 != 0 || !utf8.ValidRune(r) {
			continue
		}
		want := "a" + string(r) + "b"
		raw, err := appendString(nil, want)
		if err != nil || !isASCII(raw) {
			t.Fatalf("%U: %q, %v", r, raw, err)
		}
		var slow string
		if err := json.Unmarshal(raw, &slow); err != nil || slow != want {
			t.Fatalf("%U: %s read as %q, %v", r, raw, slow, err)
		}
		var scratch []byte
		if quick, rest, ok := cutString(raw[1:], &scratch); !ok || string(quick) != want || len(rest) != 0 {
			t.Fatalf("%U: %s read the fast way as %q", r, raw, quick)
		}
		if got := appendASCII(nil, []byte(want)); r >= 0x7f && string(got) != string(raw[1:len(raw)-1]) {
			t.Fatalf("%U: %s and %s", r, got, raw)
		}
	}
}
