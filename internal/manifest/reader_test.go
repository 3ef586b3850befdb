package manifest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// readAll passes a manifest through and returns it.
func readAll(in []byte, o ReadOptions) (raws []string, r *Reader, err error) {
	r = NewReader(bytes.NewReader(in), o)
	for {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return raws, r, nil
		}
		if err != nil {
			return raws, r, err
		}
		raws = append(raws, string(l.Raw))
	}
}

func TestSmoke(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, "omt-scan 0.1.0")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.Write(Header{Format: Format, ID: "x", Tool: "omt-scan 0.1.0"}))
	must(w.Write(User{ID: 7, Name: "Åse <b> \u2028😀\x7f"}))
	var d Digest = sha256.Sum256(nil)
	must(w.Write(Chunk{SHA256: d, Type: ChunkTar, Area: Document}))
	must(w.Write(File{Area: Document, ID: 3, Path: "bob/å", State: Present, Chunk: d}))
	_, err := w.End()
	must(err)
	fmt.Println(out.String())
	raws, _, err := readAll(out.Bytes(), ReadOptions{})
	must(err)
	if len(raws) != 4 {
		t.Fatal(raws)
	}
	for i := range out.Len() - 1 {
		if _, _, err := readAll(out.Bytes()[:i], ReadOptions{AcceptEdits: true}); StatusOf(err) != BadInput {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	edited := strings.Replace(out.String(), "bob", "bib", 1)
	_, _, err = readAll([]byte(edited), ReadOptions{})
	t.Log(err, HintOf(err))
	if StatusOf(err) != BadInput {
		t.Fatal(err)
	}
}
