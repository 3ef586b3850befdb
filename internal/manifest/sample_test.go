package manifest

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"os"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func ptr[T any](v T) *T { return &v }

func sum(s string) Digest { return sha256.Sum256([]byte(s)) }

var when = At(time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC))

// unknown is a record of a later version.
const unknown = `{"kind":"mailbox","id":1,"deep":{"kind":"end"}}`

// sampleRecords has every kind but the last, with every field, in order.
func sampleRecords() []Record {
	links := Chunk{SHA256: sum("links"), Type: ChunkTar, Area: Document, Role: RoleLinks, Bytes: 90, Raw: 1536, Items: 1}
	return []Record{
		Header{Format, "01936f1c-0000-7000-8000-000000000000", "omt-scan 0.1.0", when, "test", "initial", "full", when},
		Edit{"karl", when, "omt-assign 0.1.0", sum("before")},
		Installation{
			"Kalles <AS>", "1801830017", "8.5.7458", "mssql", "sqlserver://host:1433?database=crm", "crm7", "5f2c…", Areas[:],
			map[string][]string{"document": {"/srv/so_arc", `\\old\arc`}, "service": {"/cs", "/cs/template", "/text"}},
			[]string{`D:\CS=/cs`}, []string{"BOB=bo"},
		},
		Migrator{"KK", "Karl Kløpp", "karl@example.com", "93466018", "no", "database", "guessed"},
		Freeze{What: "service-config", Path: `C:\cs\config`, Inserted: "frozen\r\n", Offset: 812, BeforeSHA256: sum("a"), AfterSHA256: sum("b")},
		Plan{"SalesPREM", "Sales Premium", "ten-sales", 20, false, "tenant"},
		User{
			7, "GKS", 12, "Gunn K. Schpaa", "8docklock", "Sales", "User level 0", "Boss", true, true,
			[]string{"gks@example.com", "g@example.com"}, "ten-sales", ptr("SalesPREM"), "gks@example.com", ptr(false),
		},
		User{ID: 8, Login: "BO", Plan: ptr("")},
		User{ID: 9, Login: "CA"},
		Review{"plans", "KK", when, "board", nil},
		Review{"notifications", "KK", when, "flag", ptr("")},
		Address{12, 1, "gks@example.com"},
		Removal{12, "gks@example.com", 7},
		Fact{"traveller", "3", map[string]any{"travel_id": 7.0, "name": "Ærø"}},
		Table{
			"associate", 123,
			[]Column{
				{"associate_id", "int", false, "", true, "", ""},
				{"name", "nvarchar(239)", true, "Danish_Norwegian_CI_AS", false, "", "('')"},
				{"upper_name", "nvarchar(239)", true, "", false, "upper([name])", ""},
			},
			[]string{"associate_id"}, []Index{{Name: "ix", On: "[name],[associate_id] DESC", Unique: true}},
		},
		Chunk{
			SHA256: sum("part"), Type: ChunkParquet, Area: Database, Bytes: 4000, Raw: 9000, Items: 123,
			Table: "associate", First: "1", Last: "123", Rows: 123, Content: ptr(sum("rows")), Schema: ptr(sum("schema")),
		},
		Table{Name: "noKey"},
		Chunk{SHA256: sum("old"), Type: ChunkTar, Area: Document, Role: RoleContent, Bytes: 1, Raw: 1, Items: 1},
		Chunk{SHA256: sum("templates"), Type: ChunkTar, Area: Template, Role: RoleContent, Bytes: 2, Raw: 2, Items: 2},
		File{Area: Template, ID: 1, Path: "offer.dotx", Size: 5, State: Present, SHA256: sum("t"), Chunk: sum("templates")},
		Chunk{SHA256: sum("documents"), Type: ChunkTar, Area: Document, Role: RoleContent, Bytes: 3, Raw: 3, Items: 3},
		File{
			Area: Document, ID: 123, Path: "bob/2002.2/myfile æ.txt", Disk: "BOB/2002.2/MYFILE Æ.TXT", Root: 1, Size: 1234,
			MTime: At(time.Date(2002, 9, 1, 10, 0, 0, 123456700, time.UTC)), Owner: "bob", Title: "Offer \"1\" \u2028 <&> 文 🚀",
			State: NoAssociate, Reason: "author", Also: "bob/2002.1/myfile æ.txt", Candidates: []string{"bo/2002.2/a", "å"},
			SHA256: sum("c"), Chunk: sum("documents"), Offset: 1048576, Same: "al/2001.1/other.txt",
		},
		File{Area: Document, Path: "bob/2003.1/%FFa%25", State: NoRow, Raw: true, Size: 3},
		File{Area: Document, ID: 4, State: BlankName},
		links,
		Receipt{sum("documents"), 3, true, when},
		Check{"duplicate-email", "crm 0.1.0", "omt-assign 0.1.0", CheckDone, "", 1},
		Finding{"duplicate-email", SeverityError, []string{"user:7", "user:8"}, "user GKS and BO share g@example.com", "reason", false},
		Finding{Rule: "version", Severity: SeverityInfo, Message: "8.5"},
		Waiver{"duplicate-email", "user:7", "known", "KK", "2026-12-31", when, 1},
	}
}

// sample writes the sample with a record of unknown kind among the others.
func sample(tb testing.TB) []byte {
	tb.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, "omt-push 0.1.0")
	for i, rec := range sampleRecords() {
		if err := w.Write(rec); err != nil {
			tb.Fatal(err)
		}
		if i == 5 {
			if err := w.WriteRaw(Line{Kind: "mailbox", Raw: []byte(unknown)}); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if _, err := w.End(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// golden compares with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from %s:\n%s", file, got)
	}
}
