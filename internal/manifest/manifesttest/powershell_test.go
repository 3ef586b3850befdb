package manifesttest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/openomt/omt/internal/manifest"
)

// hard are texts that shells change.
var hard = map[string]string{
	"accents":            "æøå Ærlig Ünïcode",
	"cjk":                "文档 ドキュメント",
	"emoji":              "👩‍👩‍👧 🚀",
	"line separator":     "a\u2028b\u2029c\u0085d",
	"nul":                "a\x00b",
	"substitute":         "a\x1ab",
	"delete":             "a\x7fb",
	"line ends":          "a\r\nb\rc\nd",
	"byte order mark":    "\ufeffa",
	"markup":             `<a href="x">&amp;</a>`,
	"backslash":          `\\srv\share\u00e6`,
	"600 kB of one line": strings.Repeat("x", 300_000) + strings.Repeat("å", 150_000),
}

// sample is a manifest of the hard texts up to a length.
func sample(t *testing.T, longest int) []byte {
	t.Helper()
	var out bytes.Buffer
	w := manifest.NewWriter(&out, "omt-scan 0.1.0")
	if err := w.Write(manifest.Header{Format: manifest.Format, ID: "1", Tool: "omt-scan 0.1.0"}); err != nil {
		t.Fatal(err)
	}
	for name, text := range hard {
		if len(text) > longest {
			continue
		}
		if err := w.Write(manifest.Fact{Name: name, ID: "1", Data: map[string]any{"text": text}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// facts reads the texts back.
func facts(r io.Reader) (map[string]string, error) {
	got := map[string]string{}
	mr := manifest.NewReader(r, manifest.ReadOptions{})
	for {
		l, err := mr.Next()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		if l.Kind == manifest.KindFact {
			var f manifest.Fact
			if err := l.Decode(&f); err != nil {
				return got, err
			}
			got[f.Name], _ = f.Data["text"].(string)
		}
	}
}

func TestManifestSurvivesPowerShell(t *testing.T) {
	in := sample(t, 1<<20)
	for _, f := range PowerShell {
		t.Run(f.Name, func(t *testing.T) {
			var out bytes.Buffer
			if err := f.Apply(&out, iotest.HalfReader(bytes.NewReader(in))); err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(out.Bytes(), in) {
				t.Fatal("the filter changed nothing")
			}
			for name, r := range map[string]io.Reader{
				"whole": bytes.NewReader(out.Bytes()), "in small pieces": iotest.HalfReader(bytes.NewReader(out.Bytes())),
			} {
				got, err := facts(r)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for name, want := range hard {
					if got[name] != want {
						t.Errorf("%s: got %.80q, want %.80q", name, got[name], want)
					}
				}
			}
		})
	}
}

// TestPlainUTF8DoesNotSurvive shows that the filters do what they are there for: UTF-8 as it is arrives changed, and
// nothing but the digest notices.
func TestPlainUTF8DoesNotSurvive(t *testing.T) {
	in := bytes.ReplaceAll(sample(t, 1000), []byte(`\u00e6\u00f8\u00e5 \u00c6rlig`), []byte("æøå Ærlig"))
	for _, f := range PowerShell {
		var out bytes.Buffer
		if err := f.Apply(&out, bytes.NewReader(in)); err != nil {
			t.Fatal(err)
		}
		if _, err := facts(&out); manifest.StatusOf(err) != manifest.BadInput || !strings.Contains(err.Error(), "edited") {
			t.Errorf("%s: %v, want an edited manifest", f.Name, err)
		}
	}
}

// TestCutBehindPowerShell cuts what came through; the last line end alone may be lost.
func TestCutBehindPowerShell(t *testing.T) {
	var in bytes.Buffer
	w := manifest.NewWriter(&in, "t")
	if err := w.Write(manifest.Header{Format: manifest.Format, ID: "å"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	for _, f := range PowerShell {
		var out bytes.Buffer
		if err := f.Apply(&out, bytes.NewReader(in.Bytes())); err != nil {
			t.Fatal(err)
		}
		content := bytes.LastIndexByte(out.Bytes(), '}') + 1
		if f.Name == "5.1 redirection" {
			content++ // the other half of }
		}
		for n := range content {
			if _, err := facts(bytes.NewReader(out.Bytes()[:n])); manifest.StatusOf(err) != manifest.BadInput {
				t.Fatalf("%s: cut at %d of %d: %v", f.Name, n, out.Len(), err)
			}
		}
		if _, err := facts(bytes.NewReader(out.Bytes()[:content])); err != nil {
			t.Fatalf("%s: without the last line end: %v", f.Name, err)
		}
	}
}

func TestFilters(t *testing.T) {
	const in = "a\xc3\xa6\rb\n\nc"
	want := []string{
		"a??\r\nb\r\n\r\nc\r\n",
		"a├ª\r\nb\r\n\r\nc\r\n",
		"\xff\xfea\x00\x1c\x25\xaa\x00\r\x00\n\x00b\x00\r\x00\n\x00\r\x00\n\x00c\x00\r\x00\n\x00",
		"\ufeffa├ª\r\nb\r\n\r\nc\r\n",
		"a??\r\nb\r\n\r\nc\r\n",
	}
	for i, f := range PowerShell {
		var out bytes.Buffer
		if err := f.Apply(&out, strings.NewReader(in)); err != nil {
			t.Fatal(err)
		}
		if out.String() != want[i] {
			t.Errorf("%s: %q, want %q", f.Name, out.String(), want[i])
		}
	}
}

func TestFilterErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, f := range PowerShell {
		if err := f.Apply(io.Discard, iotest.ErrReader(broken)); !errors.Is(err, broken) {
			t.Errorf("%s: reading: %v", f.Name, err)
		}
		r, w := io.Pipe()
		r.CloseWithError(broken)
		if err := f.Apply(w, strings.NewReader(strings.Repeat("x\n", 10_000))); !errors.Is(err, broken) {
			t.Errorf("%s: writing: %v", f.Name, err)
		}
	}
}
