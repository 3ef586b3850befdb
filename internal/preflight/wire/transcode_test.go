package wire

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/openomt/omt/internal/manifest"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

func full() manifest.File {
	return manifest.File{Area: manifest.Document, ID: 123, Path: "bob/2002.2/my file.txt", Disk: "BOB/x", Root: 2, Size: 1 << 40,
		MTime: manifest.At(time.Date(2002, 9, 1, 10, 0, 0, 120_000_000, time.UTC)), Owner: "bob", Title: `a "title" \ ÆØÅ 😀`,
		State: manifest.Missing, Reason: "outside", Also: "a/b", Raw: true, SHA256: manifest.Digest{1}, Chunk: manifest.Digest{31: 2},
		Offset: 77, Same: "c"}
}

// both encodes a line on both ways; quick is nil where it is left to the slow one.
func both(t *testing.T, raw []byte) (quick *pb.File, slow *pb.Record, err error) {
	t.Helper()
	l := manifest.Line{Kind: manifest.KindFile, Raw: raw}
	if b, ok := appendFile(nil, raw); ok {
		quick = &pb.File{}
		if err := proto.Unmarshal(b, quick); err != nil {
			t.Fatalf("%s: the quick way made no message: %v", raw, err)
		}
	}
	slow, err = new(Encoder).Record(l, nil)
	return quick, slow, err
}

func TestFileIsCopiedAsItIsDecoded(t *testing.T) {
	tests := []struct {
		name  string
		line  string
		quick bool
	}{
		{"smallest", `{"kind":"file","area":"document","root":0,"size":0,"state":"present"}`, true},
		{"zeros are left out", `{"kind":"file","id":0,"path":"","offset":0}`, true},
		{"escapes", `{"kind":"file","path":"\u00e6\ud83d\ude00\"\\\/\n"}`, true},
		{"fraction", `{"kind":"file","mtime":"2002-09-01T10:00:00.120000001Z"}`, true},
		{"last day", `{"kind":"file","mtime":"2002-12-28T23:59:59Z"}`, true},
		{"31st", `{"kind":"file","mtime":"2002-01-31T00:00:00Z"}`, false},
		{"trailing zero", `{"kind":"file","mtime":"2002-09-01T10:00:00.10Z"}`, false},
		{"offset", `{"kind":"file","mtime":"2002-09-01T10:00:00+02:00"}`, false},
		{"year one", `{"kind":"file","mtime":"0001-01-01T00:00:00Z"}`, false},
		{"no digest", `{"kind":"file","sha256":"0000000000000000000000000000000000000000000000000000000000000000"}`, false},
		{"order", `{"kind":"file","size":1,"area":"document"}`, false},
		{"twice", `{"kind":"file","path":"a","path":""}`, false},
		{"unknown", `{"kind":"file","area":"document","colour":"red"}`, false},
		{"candidates", `{"kind":"file","path":"a","candidates":["b","c"],"raw":true}`, false},
		{"space", `{"kind":"file", "path":"a"}`, false},
		{"unicode", `{"kind":"file","path":"æ"}`, false},
		{"negative", `{"kind":"file","size":-1}`, false},
		{"not raw", `{"kind":"file","raw":false}`, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			quick, slow, err := both(t, []byte(tt.line))
			if err != nil {
				t.Fatal(err)
			}
			if (quick != nil) != tt.quick {
				t.Fatalf("quick is %t", quick != nil)
			}
			if d := cmp.Diff(slow.GetFile(), quick, protocmp.Transform()); quick != nil && d != "" {
				t.Error(d)
			}
		})
	}
}

func TestFileLineGivesWhatTheRecordGives(t *testing.T) {
	f := full()
	line, err := f.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	l := manifest.Line{Kind: manifest.KindFile, Raw: line}
	var e Encoder
	b, sent, err := e.Append([]byte("before"), l, f)
	if err != nil || !sent {
		t.Fatal(sent, err)
	}
	var got pb.Record
	if err := proto.Unmarshal(b[len("before"):], &got); err != nil {
		t.Fatal(err)
	}
	want := &pb.File{Area: "document", Id: 123, Path: "bob/2002.2/my file.txt", Disk: "BOB/x", Root: 2, Size: 1 << 40,
		Mtime: "2002-09-01T10:00:00.12Z", Owner: "bob", Title: `a "title" \ ÆØÅ 😀`, State: "missing", Reason: "outside",
		Also: "a/b", Raw: true, Sha256: "01" + zeros(62), Chunk: zeros(62) + "02", Offset: 77, Same: "c"}
	if d := cmp.Diff(want, got.GetFile(), protocmp.Transform()); d != "" {
		t.Error(d)
	}
	for _, rec := range []manifest.Record{f, &f} {
		slow, err := new(Encoder).Record(manifest.Line{Kind: manifest.KindFile}, rec)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, slow.GetFile(), protocmp.Transform()); d != "" {
			t.Errorf("from %T: %s", rec, d)
		}
	}
}

func zeros(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0'
	}
	return string(b)
}

// The quick way means what the slow one does, for every line.
func FuzzFile(f *testing.F) {
	x := full()
	line, err := x.AppendJSON(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(line)
	f.Add([]byte(`{"kind":"file","mtime":"2002-09-01T10:00:00.12Z","raw":true}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		quick, slow, err := both(t, raw)
		if quick == nil {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if !json.Valid(raw) {
			t.Fatalf("no JSON: %s", raw)
		}
		if d := cmp.Diff(slow.GetFile(), quick, protocmp.Transform()); d != "" {
			t.Errorf("%s\n%s", raw, d)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	f := full()
	f.Title, f.Chunk = "an ordinary title", manifest.Digest{2}
	line, err := f.AppendJSON(nil)
	if err != nil {
		b.Fatal(err)
	}
	l := manifest.Line{Kind: manifest.KindFile, Raw: line}
	var e Encoder
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		if buf, _, err = e.Append(buf[:0], l, nil); err != nil {
			b.Fatal(err)
		}
	}
}
