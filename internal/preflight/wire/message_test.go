package wire

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/openomt/omt/internal/manifest"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

func ptr[T any](v T) *T { return &v }

// records are one record of every kind that is sent, with all fields, and the message it makes.
func records() []struct {
	rec  manifest.Record
	line string
	want *pb.Record
} {
	at := manifest.At(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC))
	const when = "2026-11-22T04:00:00Z"
	return []struct {
		rec  manifest.Record
		line string
		want *pb.Record
	}{
		{manifest.Header{Format: "omt/1", ID: "i", Tool: "t", Created: at, Migration: "test", Mode: "initial", Phase: "preseed", Before: at},
			`{"kind":"manifest","format":"omt/1","id":"i","tool":"t","created":"` + when + `","migration":"test","mode":"initial","phase":"preseed","before":"` + when + `"}`,
			&pb.Record{Kind: &pb.Record_Manifest{Manifest: &pb.Header{Format: "omt/1", Id: "i", Tool: "t", Created: when, Migration: "test", Mode: "initial", Phase: "preseed", Before: when}}}},
		{manifest.Installation{Owner: "o", Serial: "s", Version: "v", Engine: "mssql", Database: "d", Prefix: "p", Fingerprint: "f",
			Areas: []manifest.Area{manifest.Database}, Roots: map[string][]string{"document": {"/a", "/b"}}, Map: []string{"x=y"}},
			`{"kind":"installation","owner":"o","serial":"s","version":"v","engine":"mssql","database":"d","prefix":"p","fingerprint":"f","areas":["database"],"roots":{"document":["/a","/b"]},"map":["x=y"]}`,
			&pb.Record{Kind: &pb.Record_Installation{Installation: &pb.Installation{Owner: "o", Serial: "s", Version: "v", Engine: "mssql", Database: "d", Prefix: "p",
				Fingerprint: "f", Areas: []string{"database"}, Roots: map[string]*pb.Folders{"document": {Paths: []string{"/a", "/b"}}}}}}},
		{manifest.Migrator{Login: "l", Name: "n", Email: "e", Phone: "p", Language: "en", Verified: "database", Admin: "guessed"},
			`{"kind":"migrator","login":"l","name":"n","email":"e","phone":"p","language":"en","verified":"database","admin":"guessed"}`,
			&pb.Record{Kind: &pb.Record_Migrator{Migrator: &pb.Migrator{Login: "l", Name: "n", Email: "e", Phone: "p", Language: "en", Verified: "database", Admin: "guessed"}}}},
		{manifest.Plan{Name: "n", Title: "t", Onsite: "o", Seats: 20, Unlimited: true, Source: "tenant"},
			`{"kind":"plan","name":"n","title":"t","onsite":"o","seats":20,"unlimited":true,"source":"tenant"}`,
			&pb.Record{Kind: &pb.Record_Plan{Plan: &pb.Plan{Name: "n", Title: "t", Onsite: "o", Seats: 20, Unlimited: true, Source: "tenant"}}}},
		{manifest.User{ID: 7, Login: "l", Person: 8, Name: "n", Company: "c", Group: "g", Role: "r", Position: "p", Admin: true, Confidential: true,
			Emails: []string{"a", "b"}, Onsite: "o", Plan: ptr(""), Username: "u", Welcome: ptr(false)},
			`{"kind":"user","id":7,"login":"l","person":8,"name":"n","company":"c","group":"g","role":"r","position":"p","admin":true,"confidential":true,"emails":["a","b"],"onsite":"o","plan":"","username":"u","welcome":false}`,
			&pb.Record{Kind: &pb.Record_User{User: &pb.User{Id: 7, Login: "l", Person: 8, Name: "n", Company: "c", Group: "g", Role: "r", Position: "p", Admin: true,
				Confidential: true, Emails: []string{"a", "b"}, Onsite: "o", Plan: ptr(""), Username: "u", Welcome: ptr(false)}}}},
		{manifest.User{ID: 7}, `{"kind":"user","id":7}`, &pb.Record{Kind: &pb.Record_User{User: &pb.User{Id: 7}}}},
		{manifest.Review{Item: "notifications", By: "b", At: at, How: "set", Summary: ptr("")},
			`{"kind":"review","item":"notifications","by":"b","at":"` + when + `","how":"set","summary":""}`,
			&pb.Record{Kind: &pb.Record_Review{Review: &pb.Review{Item: "notifications", By: "b", At: when, How: "set", Summary: ptr("")}}}},
		{manifest.Address{Person: 1, Rank: 2, Email: "e"}, `{"kind":"address","person":1,"rank":2,"email":"e"}`,
			&pb.Record{Kind: &pb.Record_Address{Address: &pb.Address{Person: 1, Rank: 2, Email: "e"}}}},
		{manifest.Removal{Person: 1, Email: "e", User: 3}, `{"kind":"removal","person":1,"email":"e","user":3}`,
			&pb.Record{Kind: &pb.Record_Removal{Removal: &pb.Removal{Person: 1, Email: "e", User: 3}}}},
		{manifest.Fact{Name: "n", ID: "3", Data: map[string]any{"a": 1}}, `{"kind":"fact","name":"n","id":"3","data":{"a":1}}`,
			&pb.Record{Kind: &pb.Record_Fact{Fact: &pb.Fact{Name: "n", Id: "3", Data: `{"a":1}`}}}},
		{manifest.Fact{Name: "n", ID: "3"}, `{"kind":"fact","name":"n","id":"3","data":null}`,
			&pb.Record{Kind: &pb.Record_Fact{Fact: &pb.Fact{Name: "n", Id: "3", Data: `{}`}}}},
		{manifest.Table{Name: "t", Rows: 5, Key: []string{"id"}, Columns: []manifest.Column{{Name: "c", Type: "int", Null: true, Collation: "co", Identity: true, Computed: "x", Default: "d"}},
			Indexes: []manifest.Index{{Name: "i"}}},
			`{"kind":"table","name":"t","rows":5,"columns":[{"name":"c","type":"int","null":true,"collation":"co","identity":true,"computed":"x","default":"d"}],"key":["id"],"indexes":[{"name":"i"}]}`,
			&pb.Record{Kind: &pb.Record_Table{Table: &pb.Table{Name: "t", Rows: 5, Key: []string{"id"},
				Columns: []*pb.Column{{Name: "c", Type: "int", Null: true, Collation: "co", Identity: true, Computed: "x", Default: "d"}}}}}},
		{manifest.Chunk{SHA256: manifest.Digest{1}, Type: "parquet", Area: manifest.Database, Role: "content", Bytes: 1, Raw: 2, Items: 3, Table: "t", First: "f", Last: "l", Rows: 4},
			`{"kind":"chunk","sha256":"01` + zeros(62) + `","type":"parquet","area":"database","role":"content","bytes":1,"raw":2,"items":3,"table":"t","first":"f","last":"l","rows":4}`,
			&pb.Record{Kind: &pb.Record_Chunk{Chunk: &pb.Chunk{Sha256: "01" + zeros(62), Type: "parquet", Area: "database", Role: "content", Bytes: 1, Raw: 2, Items: 3, Table: "t", First: "f", Last: "l", Rows: 4}}}},
		{manifest.Receipt{Chunk: manifest.Digest{1}, Bytes: 1, Sent: true, At: at},
			`{"kind":"receipt","chunk":"01` + zeros(62) + `","bytes":1,"sent":true,"at":"` + when + `"}`,
			&pb.Record{Kind: &pb.Record_Receipt{Receipt: &pb.Receipt{Chunk: "01" + zeros(62), Bytes: 1, Sent: true, At: when}}}},
		{manifest.File{Area: manifest.Document, Path: "a", State: manifest.Missing, Candidates: []string{"b", "c"}},
			`{"kind":"file","area":"document","path":"a","root":0,"size":0,"state":"missing","candidates":["b","c"]}`,
			&pb.Record{Kind: &pb.Record_File{File: &pb.File{Area: "document", Path: "a", State: "missing", Candidates: []string{"b", "c"}}}}},
	}
}

// A record gives the same message whether it comes as a record or as a line.
func TestMessages(t *testing.T) {
	kinds := map[manifest.Kind]bool{}
	for _, tt := range records() {
		kind := tt.rec.RecordKind()
		kinds[kind] = true
		t.Run(string(kind), func(t *testing.T) {
			if !Sent(kind) {
				t.Error("it is not sent")
			}
			for from, l := range map[string]manifest.Line{"record": {Kind: kind}, "line": {Kind: kind, Raw: []byte(tt.line)}} {
				rec := tt.rec
				if from == "line" {
					rec = nil
				}
				b, sent, err := new(Encoder).Append(nil, l, rec)
				if err != nil || !sent {
					t.Fatal(from, sent, err)
				}
				var got pb.Record
				if err := proto.Unmarshal(b, &got); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tt.want, &got, protocmp.Transform()); d != "" {
					t.Errorf("from the %s: %s", from, d)
				}
			}
		})
	}
	if n := (&pb.Record{}).ProtoReflect().Descriptor().Fields().Len(); len(kinds) != n {
		t.Errorf("%d kinds are tried, the contract has %d", len(kinds), n)
	}
}

func TestKindsThatAreNotSent(t *testing.T) {
	for _, rec := range []manifest.Record{manifest.Waiver{}, manifest.Check{}, manifest.Finding{}, manifest.Edit{}, manifest.Freeze{}} {
		for _, r := range []manifest.Record{rec, nil} {
			l := manifest.Line{Kind: rec.RecordKind(), Raw: []byte(`{"kind":"x"}`)}
			if b, sent, err := new(Encoder).Append(nil, l, r); sent || err != nil || len(b) > 0 || Sent(l.Kind) {
				t.Errorf("%s: %q %t %v", l.Kind, b, sent, err)
			}
		}
	}
}

func TestLinesThatCannotBeDecoded(t *testing.T) {
	for kind, line := range map[manifest.Kind]string{"user": `{"kind":"user","id":"x"}`, "file": `{"kind":"file","size":"x"}`, "fact": `{"kind":"fact","name":1}`,
		"review": `{"kind":"review","at":"yesterday"}`} {
		_, sent, err := new(Encoder).Append(nil, manifest.Line{Kind: kind, Raw: []byte(line)}, nil)
		if sent || manifest.StatusOf(err) != manifest.BadInput {
			t.Errorf("%s: %t %v", kind, sent, err)
		}
	}
}

func TestFindings(t *testing.T) {
	got, ok := Finding(&pb.Finding{Rule: "r", Severity: pb.Severity_SEVERITY_INFO, Subjects: []string{"user:7", "", " \n", "file:a\tb"}, Message: "m", Final: true})
	want := manifest.Finding{Rule: "r", Severity: manifest.SeverityInfo, Subjects: []string{"user:7", "file:a b"}, Message: "m", Final: true}
	if d := cmp.Diff(want, got); d != "" || !ok {
		t.Error(ok, d)
	}
	for s, want := range map[pb.Severity]manifest.Severity{0: "", 1: "error", 2: "warning", 3: "info"} {
		if got, ok := Severity(s); got != want || !ok {
			t.Errorf("severity %d: %q %t", s, got, ok)
		}
	}
	if _, ok := Finding(&pb.Finding{Severity: 4}); ok {
		t.Error("a severity that is not known")
	}
}

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", " a\nb\tc\r\n": "a b c", "\x1b[31mred": "[31mred", "a\u202eb\u2066c\u2028d": "abcd", "bad\xff": "bad",
		strings.Repeat("å", 9): "ååååååååå", strings.Repeat("å", 11): "åååååååååå",
	} {
		if got := Line(in, 10); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
