package manifest

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

func tarChunk(name string, a Area, role string) Chunk {
	return Chunk{SHA256: sum(name), Type: ChunkTar, Area: a, Role: role}
}

func part(name, table string) Chunk {
	return Chunk{SHA256: sum(name), Type: ChunkParquet, Area: Database, Table: table}
}

func at(a Area, path string, id int64) File { return File{Area: a, Path: path, ID: id, State: Present} }

func inChunk(f File, name string) File {
	f.Chunk = sum(name)
	return f
}

func TestOrder(t *testing.T) {
	doc := func(path string, id int64) File { return at(Document, path, id) }
	for _, c := range []struct {
		name string
		recs []Record
		want string // of the last record; "" for none
	}{
		{"ranks", []Record{User{}, Plan{}}, "record 3 (plan) must not stand behind record 2 (user)"},
		{"edit behind installation", []Record{Installation{}, Edit{}}, "record 3 (edit) must not stand behind record 2 (installation)"},
		{"user behind table", []Record{Table{}, User{}}, "record 3 (user) must not stand behind record 2 (table)"},
		{"waiver before finding", []Record{Waiver{}, Finding{}}, "record 3 (finding) must not stand behind record 2 (waiver)"},
		{"receipt before file", []Record{Receipt{}, doc("a", 1)}, "record 3 (file) must not stand behind record 2 (receipt)"},
		{"receipt before chunk", []Record{Receipt{}, tarChunk("a", Document, "")}, "record 3 (chunk) must not stand behind record 2 (receipt)"},
		{"parts", []Record{Table{Name: "a"}, part("1", "a"), part("2", "a"), Table{Name: "b"}, part("3", "b")}, ""},
		{"part of another table", []Record{Table{Name: "a"}, part("1", "b"), Table{Name: "b"}}, "record 4 (table) must not stand behind record 3 (chunk)"},
		{"table behind files", []Record{doc("a", 1), Table{}}, "record 3 (table) must not stand behind record 2 (file)"},
		{"part behind files", []Record{doc("a", 1), part("1", "a")}, `record 3 (chunk of area "database") must not stand behind record 2, of area "document"`},
		{"part of an odd area behind files", []Record{doc("a", 1), Chunk{SHA256: sum("1"), Type: ChunkParquet, Area: Document, Table: "t"}}, `record 3 (part of table "t") must not stand behind files`},
		{
			"earlier chunks in any order",
			[]Record{Table{Name: "a"}, part("1", "a"), tarChunk("2", Attachment, RoleLinks), part("3", "old"), tarChunk("4", Template, ""), inChunk(doc("a", 1), "2")},
			"",
		},
		{"areas", []Record{at(Template, "z", 1), at(Document, "a", 1), at(Service, "a", 0), at(Attachment, "a", 1), at("mail", "a", 1)}, ""},
		{"area twice", []Record{at(Template, "z", 1), doc("a", 1), at(Template, "zz", 1)}, `record 4 (file of area "template") must not stand behind record 3, of area "document"`},
		{"known behind unknown area", []Record{at("mail", "z", 1), doc("a", 1)}, `record 3 (file of area "document") must not stand behind record 2, of area "mail"`},
		{"chunk of an earlier area", []Record{doc("a", 1), tarChunk("1", Template, "")}, `record 3 (chunk of area "template") must not stand behind record 2, of area "document"`},
		{"chunk opens an area", []Record{doc("a", 1), tarChunk("1", Service, ""), doc("b", 1)}, `record 4 (file of area "document") must not stand behind record 3, of area "service"`},
		{"links", []Record{doc("a", 1), tarChunk("1", Document, RoleLinks), tarChunk("2", Document, RoleLinks), at(Service, "a", 0)}, ""},
		{"file behind links", []Record{doc("a", 1), tarChunk("1", Document, RoleLinks), tarChunk("3", Document, RoleLinks), doc("b", 1)}, `record 5 (file) must not stand behind record 3, a chunk of links of area "document"`},
		{"content behind links", []Record{doc("a", 1), tarChunk("1", Document, RoleLinks), tarChunk("2", Document, RoleContent)}, `record 4 (chunk) must not stand behind record 3, a chunk of links of area "document"`},
		{"paths", []Record{doc("a", 2), doc("a", 3), doc("a", 3), doc("a/b", 1), doc("ab", 1), doc("b", -5), doc("é", 1), doc("", 1), doc("", 2)}, ""},
		{"path", []Record{doc("b", 1), doc("a", 2)}, `record 3 (file "a", id 2) must not stand behind record 2 (file "b", id 1)`},
		{"path by bytes", []Record{doc("é", 1), doc("z", 2)}, `record 3 (file "z", id 2) must not stand behind record 2 (file "é", id 1)`},
		{"escaped path", []Record{doc("a\"", 1), doc("a!", 2)}, `record 3 (file "a!", id 2) must not stand behind record 2 (file "a\"", id 1)`},
		{"id", []Record{doc("a", 2), doc("a", 1)}, `record 3 (file "a", id 1) must not stand behind record 2 (file "a", id 2)`},
		{"without path", []Record{doc("", 2), doc("z", 1)}, `record 3 (file "z", id 1) must not stand behind record 2 (file "", id 2)`},
		{"id without path", []Record{doc("", 2), doc("", 1)}, `record 3 (file "", id 1) must not stand behind record 2 (file "", id 2)`},
		{"chunk", []Record{tarChunk("1", Document, ""), inChunk(doc("a", 1), "1"), tarChunk("2", Document, ""), inChunk(doc("b", 1), "1"), inChunk(doc("c", 1), "2")}, ""},
		{"no such chunk", []Record{tarChunk("1", Document, ""), inChunk(doc("a", 1), "2")}, fmt.Sprintf(`record 3 (file "a") refers to chunk %q, which has no record before it`, sum("2"))},
	} {
		t.Run(c.name, func(t *testing.T) {
			var direct bytes.Buffer
			w := begun(t, &direct)
			var err error
			for i, rec := range c.recs {
				if err = w.Write(rec); err != nil && i < len(c.recs)-1 {
					t.Fatalf("record %d: %v", i+2, err)
				}
			}
			kind := c.recs[len(c.recs)-1].RecordKind()
			checkOrderError(t, err, "writing "+string(kind)+" record: ", c.want)

			// The same lines in the form of another program go the slow way.
			w = begun(t, io.Discard)
			err = nil
			for i, rec := range c.recs {
				if err = w.WriteRaw(foreign(t, rec)); err != nil && i < len(c.recs)-1 {
					t.Fatalf("raw record %d: %v", i+2, err)
				}
			}
			checkOrderError(t, err, "line 0: copying "+string(kind)+" record: ", c.want)
			if c.want != "" && StatusOf(err) != BadInput {
				t.Errorf("status %d for a line of the input", StatusOf(err))
			}
		})
	}
}

func checkOrderError(t *testing.T, err error, prefix, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && (err == nil || err.Error() != prefix+want):
		t.Errorf("got %v\nwant %s%s", err, prefix, want)
	}
}

// foreign gives a record's line with white space, as other programs write it.
func foreign(t *testing.T, rec Record) Line {
	t.Helper()
	raw, err := NewWriter(io.Discard, "").encode(nil, rec)
	if err != nil {
		t.Fatal(err)
	}
	s := strings.Replace(string(raw), `{"kind":"`, `{ "kind": "`, 1)
	return Line{Kind: rec.RecordKind(), Raw: []byte(s)}
}

func TestFirstRecord(t *testing.T) {
	err := NewWriter(io.Discard, "t").Write(Plan{})
	checkOrderError(t, err, "", `writing plan record: the first record must be of kind "manifest"`)
}

func TestUnknownKindsStandAnywhere(t *testing.T) {
	w := begun(t, io.Discard)
	for _, rec := range []Record{Plan{}, bare{}, at(Document, "a", 1), bare{}, at(Document, "b", 1), Waiver{}, bare{}} {
		if err := w.Write(rec); err != nil {
			t.Error(err)
		}
	}
}

func TestDamagedRecordsAreRefused(t *testing.T) {
	for _, raw := range []string{
		`{"kind":"table","name":1}`,
		`{"kind":"chunk","sha256":1}`,
		`{"kind":"chunk","sha256":"00"}`,
		`{"kind":"chunk","sha256":"` + strings.Repeat("X", 64) + `"}`,
		`{"kind":"file","area":"document","id":"x"}`,
		`{"kind":"file","area":"document","root":0,"chunk":"00"}`,
	} {
		kind, _ := quickKind([]byte(raw))
		w := begun(t, io.Discard)
		if err := w.WriteRaw(Line{Kind: Kind(kind), Raw: []byte(raw)}); StatusOf(err) != BadInput {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// TestFileHead: the fast way sees what encoding/json sees, and the lines we write take it.
func TestFileHead(t *testing.T) {
	digest := sum("x").String()
	for _, c := range []struct {
		raw   string
		quick bool
	}{
		{`{"kind":"file","area":"document","id":12,"path":"a/b","root":0,"chunk":"` + digest + `"}`, true},
		{`{"kind":"file","area":"document","id":-12,"root":0}`, true},
		{`{"kind":"file","area":"service","path":"a\"\\\u00e6\ud83d\ude80\n","root":0,"title":"\",\"chunk\":\""}`, true},
		{`{"kind":"file","area":"service","root":0}`, true},
		{`{"kind":"file","area":"service","path":"id","root":0}`, true},
		{`{"kind":"file","area":"service","root":0,"path":"late"}`, false},
		{`{"kind":"file","area":"service","path":"a","root":0,"id":9}`, false},
		{`{"kind":"file","area":"service","root":0,"title":"path"}`, false},
		{`{"kind":"file","area":"serv\u0069ce","path":"a"}`, false},
		{`{"kind":"file","area":"service","id":1e1,"path":"a"}`, false},
		{`{"kind":"file","area":"service","id":0.0}`, false},
		{`{"kind":"file","area":"service","path":"\ud83d"}`, false},
		{`{"kind":"file","area":"service","root":0,"subchunk":"7"}`, false},
		{`{"kind":"file","area":"service","root":0,"chunk":"\u0030"}`, false},
		{`{"path":"a","kind":"file","area":"service"}`, false},
	} {
		var scratch []byte
		quick, ok := quickFileHead([]byte(c.raw), &scratch)
		if ok != c.quick {
			t.Errorf("%s: quick %v", c.raw, ok)
		}
		if strings.Contains(c.raw, "1e1") || strings.Contains(c.raw, "0.0") {
			continue // no integers for encoding/json either
		}
		got, err := scanFileHead([]byte(c.raw), &scratch)
		slow, err2 := scanFileHead([]byte(" "+c.raw), &scratch)
		if err != nil || err2 != nil {
			t.Fatalf("%s: %v %v", c.raw, err, err2)
		}
		if !sameHead(got, slow) || ok && !sameHead(quick, slow) {
			t.Errorf("%s: %+v, want %+v", c.raw, got, slow)
		}
	}
}

func sameHead(a, b fileHead) bool {
	return a.id == b.id && bytes.Equal(a.area, b.area) && bytes.Equal(a.path, b.path) && bytes.Equal(a.chunk, b.chunk)
}

// TestRank: ranks ascend with the order of the sample, which is that of the specification.
func TestRank(t *testing.T) {
	var ranks []int
	for _, rec := range sampleRecords() {
		if k := rec.RecordKind(); k != KindTable && k != KindChunk {
			ranks = append(ranks, Rank(k))
		}
	}
	if !slices.IsSorted(ranks) || ranks[0] != 0 {
		t.Error(ranks)
	}
	if Rank("mailbox") != -1 || Rank("") != -1 || Rank(KindEnd) <= Rank(KindWaiver) || Rank(KindTable) >= Rank(KindChunk) {
		t.Error("ranks of unknown kinds, end, table or chunk")
	}
}
