package manifest

import (
	"bytes"
	"cmp"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// compareKeys is the order that FileKey promises.
func compareKeys(p string, i int64, q string, j int64) int {
	if (p == "") != (q == "") {
		return cmp.Compare(len(q), len(p))
	}
	return cmp.Or(strings.Compare(p, q), cmp.Compare(i, j))
}

func TestFileKeyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	path := func() string {
		b := make([]byte, r.IntN(5))
		for i := range b {
			b[i] = []byte{0, 1, 2, '/', 'a', 0xfe, 0xff}[r.IntN(7)]
		}
		return string(b)
	}
	id := func() int64 {
		return []int64{0, 1, -1, 255, 256, math.MaxInt64, math.MinInt64, r.Int64()}[r.IntN(8)]
	}
	for range 200_000 {
		p, i, q, j := path(), id(), path(), id()
		a, b := FileKey(nil, p, i), FileKey(nil, q, j)
		if got, want := bytes.Compare(a, b), compareKeys(p, i, q, j); got != want {
			t.Fatalf("%q %d and %q %d: %d, want %d", p, i, q, j, got, want)
		}
		head := func(p string, i int64) fileHead { return fileHead{path: []byte(p), id: i} }
		if got, want := compareFiles(head(p, i), head(q, j)), compareKeys(p, i, q, j); got != want {
			t.Fatalf("compareFiles: %q %d and %q %d: %d, want %d", p, i, q, j, got, want)
		}
	}
}

func TestFileKeyForm(t *testing.T) {
	got := FileKey([]byte("x"), "a\x00b", 258)
	if want := "x\x01a\x00\xffb\x00\x01\x80\x00\x00\x00\x00\x00\x01\x02"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
	if want := "\x02\x7f\xff\xff\xff\xff\xff\xff\xff"; string(FileKey(nil, "", -1)) != want {
		t.Errorf("%q, want %q", FileKey(nil, "", -1), want)
	}
}

func TestParseFileKeyRefuses(t *testing.T) {
	id := "\x80\x00\x00\x00\x00\x00\x00\x00"
	for _, key := range []string{"", "\x01", "\x03" + id, "\x02a" + id, "\x01" + id, "\x01\x00\x01" + id, "\x01a\x00\x02" + id, "\x01a\x00\x00\x01" + id, "\x01\x00b\x00\x01" + id} {
		if p, i, err := ParseFileKey([]byte(key)); err == nil {
			t.Errorf("%q gave %q, %d", key, p, i)
		}
	}
}

// FuzzFileKey: keys give back what they were made of and keep the promised order; what is no key is refused.
func FuzzFileKey(f *testing.F) {
	f.Add("a/b", int64(1), "a", int64(2))
	f.Add("", int64(-1), "\x00\x01", int64(0))
	f.Fuzz(func(t *testing.T, p string, i int64, q string, j int64) {
		a, b := FileKey(nil, p, i), FileKey(nil, q, j)
		if bytes.Compare(a, b) != compareKeys(p, i, q, j) {
			t.Fatalf("%q %d and %q %d", p, i, q, j)
		}
		if gp, gi, err := ParseFileKey(a); err != nil || gp != p || gi != i {
			t.Fatalf("%q %d became %q %d, %v", p, i, gp, gi, err)
		}
		if gp, gi, err := ParseFileKey([]byte(p)); err == nil && !bytes.Equal(FileKey(nil, gp, gi), []byte(p)) {
			t.Fatalf("%q is a second key of %q %d", p, gp, gi)
		}
	})
}

func TestAddressKey(t *testing.T) {
	if got := AddressKey(" GKS@Example.com\t"); got != "gks@example.com" {
		t.Error(got)
	}
}

func TestEscapeName(t *testing.T) {
	for _, c := range []struct {
		in, want string
		raw      bool
	}{
		{"", "", false},
		{"bob/å 100%.txt", "bob/å 100%.txt", false},
		{"a\xe5b", "a%E5b", true},
		{"\xe5 100%/æ", "%E5 100%25/æ", true},
		{"\xed\xa0\x80", "%ED%A0%80", true}, // half a surrogate pair, as Windows allows it
		{"\xf0\x9f\x9a", "%F0%9F%9A", true}, // a character cut short
		{"\xc0\xaf", "%C0%AF", true},        // an overlong slash
		{"\ufffd", "\ufffd", false},
	} {
		got, raw := EscapeName([]byte(c.in))
		if got != c.want || raw != c.raw {
			t.Errorf("%q: %q %v, want %q %v", c.in, got, raw, c.want, c.raw)
		}
		if back, err := UnescapeName(got); raw && (err != nil || string(back) != c.in) {
			t.Errorf("%q came back as %q, %v", c.in, back, err)
		}
	}
}

func TestUnescapeNameRefuses(t *testing.T) {
	for _, name := range []string{
		"%", "a%F", "%GG", "%e5", "a%2Fb%FF", "%2E%2E/%FF", "%41%FF", "%C3%A5", "plain", "", "%25", "%FF%", "a\xff", "%00%FF",
	} {
		if b, err := UnescapeName(name); err == nil {
			t.Errorf("%q became %q", name, b)
		}
	}
}

// FuzzEscapeName: names survive, two names never become one, and an escape holds nothing but a bad byte or %.
func FuzzEscapeName(f *testing.F) {
	f.Add([]byte("bob/å"))
	f.Add([]byte("a\xff%2F"))
	f.Fuzz(func(t *testing.T, b []byte) {
		name, raw := EscapeName(b)
		if !utf8.ValidString(name) || raw == utf8.Valid(b) {
			t.Fatalf("%q: %q %v", b, name, raw)
		}
		if raw {
			if back, err := UnescapeName(name); err != nil || !bytes.Equal(back, b) {
				t.Fatalf("%q: %q came back as %q, %v", b, name, back, err)
			}
		} else if name != string(b) {
			t.Fatalf("%q: %q", b, name)
		}
		out, err := UnescapeName(string(b))
		if err != nil {
			return
		}
		if again, raw := EscapeName(out); !raw || again != string(b) || strings.Count(string(b), "/") != bytes.Count(out, []byte("/")) {
			t.Fatalf("%q means %q, which is %q", b, out, again)
		}
	})
}
