package tenant

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

func sampleState() State {
	at := manifest.At(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	c := Commit{
		Format: manifest.Format, ID: "019b7d00-0000-7000-8000-00000000000a", Revision: 1, Phase: Full, Migration: "test", Mode: "initial",
		Company: `Kalle "&" Ærlig`, Serial: "18", Manifest: Stored{manifest.Digest{1}, 10}, End: manifest.Digest{2},
		Input: manifest.Digest{3}, Counts: map[string]int64{"file": 1}, Chunks: 1, Bytes: 2, Missing: 3, Tool: "omt-push 0.1.0", At: at,
	}
	return State{
		Format: manifest.Format, Number: 2, Company: c.Company, Serial: c.Serial, State: OfflineMaintenance, Migration: &c,
		History: []Past{{Number: 2, State: OfflineMaintenance, ID: c.ID, Revision: 1, At: at}}, Tool: c.Tool, At: at,
	}
}

// The form is what others read; a change of it is a change of the format.
func TestGolden(t *testing.T) {
	got, err := seal(sampleState())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"format":"omt/1","number":2,"company":"Kalle \"\u0026\" Ærlig","serial":"18","state":"offlinemaintenance",` +
		`"migration":{"format":"omt/1","id":"019b7d00-0000-7000-8000-00000000000a","revision":1,"phase":"full","migration":"test",` +
		`"mode":"initial","company":"Kalle \"\u0026\" Ærlig","serial":"18",` +
		`"manifest":{"sha256":"0100000000000000000000000000000000000000000000000000000000000000","bytes":10},` +
		`"end":"0200000000000000000000000000000000000000000000000000000000000000",` +
		`"input":"0300000000000000000000000000000000000000000000000000000000000000","counts":{"file":1},"chunks":1,"bytes":2,` +
		`"missing":3,"tool":"omt-push 0.1.0","at":"2026-01-02T03:04:05Z"},` +
		`"history":[{"number":2,"state":"offlinemaintenance","id":"019b7d00-0000-7000-8000-00000000000a","revision":1,` +
		`"at":"2026-01-02T03:04:05Z"}],"tool":"omt-push 0.1.0","at":"2026-01-02T03:04:05Z",` +
		`"sha256":"9b82279e81dbd4c06e75508950830c11b34446bd180f02372b38d6881956208d"}` + "\n"
	if string(got) != want || !json.Valid(got) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var back State
	if err := unseal(got, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleState(), back); diff != "" {
		t.Error(diff)
	}
}

func TestUnseal(t *testing.T) {
	reseal := func(object string) []byte {
		line, err := seal(json.RawMessage(object))
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	var s State
	if err := unseal(reseal(`{"format":"omt/1","number":7,"of a later version":{"x":1}}`), &s); err != nil || s.Number != 7 {
		t.Errorf("an unknown field: %+v, error %v", s, err)
	}
	if err := unseal(reseal(`{"format":"omt/2","number":7}`), &s); err == nil || errors.Is(err, errDamaged) || !strings.Contains(err.Error(), `"omt/2"`) {
		t.Errorf("a later format: error is %v", err)
	}
	for name, data := range map[string][]byte{
		"empty":            nil,
		"no digest":        []byte(`{"format":"omt/1","number":7}` + "\n"),
		"wrong type":       reseal(`{"format":"omt/1","number":"7"}`),
		"a line after it":  append(reseal(`{"format":"omt/1"}`), '\n'),
		"without line end": bytes.TrimSuffix(reseal(`{"format":"omt/1"}`), []byte("\n")),
		"CRLF":             bytes.ReplaceAll(reseal(`{"format":"omt/1"}`), []byte("\n"), []byte("\r\n")),
	} {
		if err := unseal(data, &s); !errors.Is(err, errDamaged) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// Every byte of a record counts.
func TestEveryBit(t *testing.T) {
	line, err := seal(sampleState())
	if err != nil {
		t.Fatal(err)
	}
	var s State
	for i := range 8 * len(line) {
		line[i/8] ^= 1 << (i % 8)
		if err := unseal(line, &s); !errors.Is(err, errDamaged) {
			t.Fatalf("bit %d of byte %d: error is %v", i%8, i/8, err)
		}
		line[i/8] ^= 1 << (i % 8)
		if i%8 == 0 {
			if err := unseal(line[:i/8], &s); !errors.Is(err, errDamaged) {
				t.Fatalf("cut at %d: error is %v", i/8, err)
			}
		}
	}
	if err := unseal(line, &s); err != nil {
		t.Fatal(err)
	}
}

func FuzzUnseal(f *testing.F) {
	line, err := seal(sampleState())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s State
		if unseal(data, &s) == nil && !bytes.Contains(data, []byte(sealKey)) {
			t.Errorf("%q was believed", data)
		}
	})
}

func TestChunkNames(t *testing.T) {
	d, err := manifest.ParseDigest(strings.Repeat("ab12", 16))
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []string{manifest.ChunkTar, manifest.ChunkParquet} {
		name := ChunkName(d, typ)
		if want := "chunks/ab/" + d.String() + "." + typ; name != want {
			t.Errorf("name is %q, want %q", name, want)
		}
		if got, gotType, ok := ParseChunkName(name); !ok || got != d || gotType != typ {
			t.Errorf("%q means %s %q %v", name, got, gotType, ok)
		}
	}
	hex := d.String()
	for _, name := range []string{
		"", "chunks/", "chunks/ab/" + hex, "chunks/ab/" + hex + ".", "chunks/ab/" + hex + ".exe", "chunks/cd/" + hex + ".parquet",
		"chunks/ab/" + strings.ToUpper(hex) + ".parquet", "chunks/ab/x" + hex[1:] + ".parquet", "ab/" + hex + ".parquet",
		"chunks/ab/" + hex + ".tar.zst/x",
	} {
		if _, _, ok := ParseChunkName(name); ok {
			t.Errorf("%q passed for a chunk", name)
		}
	}
	for want, c := range map[string]manifest.Chunk{
		"":           {SHA256: d, Type: manifest.ChunkTar, Bytes: 1},
		"no sha256":  {Type: manifest.ChunkTar, Bytes: 1, Area: manifest.Document},
		`"../../x"`:  {SHA256: d, Type: "../../x", Bytes: 1},
		"bytes 0":    {SHA256: d, Type: manifest.ChunkTar},
		"bytes -100": {SHA256: d, Type: manifest.ChunkTar, Bytes: -100},
	} {
		err := CheckChunk(c)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error is %v, want %q", c, err, want)
		}
	}
}
