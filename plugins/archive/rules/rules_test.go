package rules

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/plugins/sdk"
	"github.com/openomt/omt/plugins/sdk/ruletest"
)

// document is a row of BOB's: 7 has the path BOB/2011.1/7.docx.
func document(id int64, state string, changes ...func(*sdk.File)) *sdk.File {
	f := &sdk.File{Area: "document", ID: id, Path: fmt.Sprintf("BOB/2011.1/%d.docx", id), Owner: "BOB", Title: fmt.Sprintf("Offer %d", id), State: state}
	for _, c := range changes {
		c(f)
	}
	return f
}

func reason(s string) func(*sdk.File) { return func(f *sdk.File) { f.Reason = s } }
func owner(s string) func(*sdk.File)  { return func(f *sdk.File) { f.Owner = s } }
func path(s string) func(*sdk.File)   { return func(f *sdk.File) { f.Path = s } }
func size(n int64) func(*sdk.File)    { return func(f *sdk.File) { f.Size = n } }
func found(s ...string) func(*sdk.File) {
	return func(f *sdk.File) { f.Candidates = s }
}

// documents are n rows from id on.
func documents(n, id int64, state string, changes ...func(*sdk.File)) (list []sdk.Record) {
	for i := range n {
		list = append(list, document(id+i, state, changes...))
	}
	return list
}

// given are records for a table: single ones and lists.
func given(parts ...any) (list []sdk.Record) {
	for _, p := range parts {
		if many, ok := p.([]sdk.Record); ok {
			list = append(list, many...)
			continue
		}
		list = append(list, p.(sdk.Record))
	}
	return list
}

// line is a case of a rule: records, and the findings as told writes them.
type line struct {
	name    string
	records []sdk.Record
	want    []string
}

func told(findings []sdk.Finding) (list []string) {
	for _, f := range findings {
		if f.Final {
			list = append(list, "a finding that nothing waives")
		}
		list = append(list, fmt.Sprintf("%s %s %s", f.Severity, f.Subjects, f.Message))
	}
	return list
}

func run(t *testing.T, rule sdk.Rule, lines []line) {
	t.Helper()
	for _, tt := range lines {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, told(ruletest.Run(t, rule, tt.records...))); d != "" {
				t.Error(d)
			}
		})
	}
}

// No rule finds anything in an empty manifest, in files that are there, and in rows that were not looked for.
func TestNothing(t *testing.T) {
	for _, rule := range Plugin("1").Rules {
		run(t, rule, []line{
			{rule.ID + ", nothing", nil, nil},
			{rule.ID + ", present", given(documents(3, 1, "present"), documents(3, 11, "stored"), document(20, "unreadable"), document(21, "left", reason("age"))), nil},
			{rule.ID + ", not looked for", given(documents(3, 1, "left", reason("area")), document(5, "left", reason("area"), path("")),
				document(6, "blank-name", func(f *sdk.File) { f.Area = "template" }), document(7, "missing", func(f *sdk.File) { f.Area = "attachment" }),
				document(8, "no-appointment", func(f *sdk.File) { f.Area = "service" })), nil},
		})
	}
}

func TestDocumentName(t *testing.T) {
	blank := func(f *sdk.File) { f.Path, f.State = "", "blank-name" }
	run(t, documentName, []line{
		{"two", given(document(7, "", blank), document(8, "", blank, owner(""), func(f *sdk.File) { f.Title = " never\nsaved " }), document(9, "present"), document(0, "", blank)),
			[]string{`warning [file:document:7] document 7 "Offer 7" of BOB: its row has no file name, so that no content moves`,
				`warning [file:document:8] document 8 "never saved": its row has no file name, so that no content moves`}},
	})
}

func TestDocumentAppointment(t *testing.T) {
	run(t, documentAppointment, []line{
		{"with and without file", given(document(7, "no-appointment"), document(8, "missing", reason("no-appointment")), document(9, "missing"), document(10, "missing", reason("no-associate"))),
			[]string{`warning [file:document:7] document 7 "Offer 7" of BOB: no activity belongs to it; its file moves, and the document may not be found`,
				`warning [file:document:8] document 8 "Offer 8" of BOB: no activity belongs to it, and its file is missing`}},
	})
}

func TestDocumentAssociate(t *testing.T) {
	run(t, documentAssociate, []line{
		{"author, appointment, missing", given(document(7, "no-associate", reason("author"), owner(""), path("")), document(8, "no-associate"), document(9, "missing", reason("no-associate")), document(10, "missing", reason("no-appointment"))),
			[]string{`warning [file:document:7] document 7 "Offer 7": its author is no associate, so that its folder is not known and no content moves`,
				`warning [file:document:8] document 8 "Offer 8" of BOB: its activity belongs to nobody; its file moves`,
				`warning [file:document:9] document 9 "Offer 9" of BOB: its activity belongs to nobody, and its file is missing`}},
	})
}

// Up to 20 documents are named; with more of them they are counted by author first.
func TestManyDocuments(t *testing.T) {
	if n := len(ruletest.Run(t, documentName, documents(20, 1, "blank-name")...)); n != 20 {
		t.Errorf("20 documents gave %d findings", n)
	}
	var many []sdk.Record
	for i := range int64(12) {
		many = append(many, documents(i+1, 100*i+1, "blank-name", owner(fmt.Sprintf("U%02d", i)))...)
	}
	many = append(many, documents(7, 9000, "blank-name", owner(""))...)
	got := told(ruletest.Run(t, documentName, many...))
	want := `warning [] 85 documents have no file name, so that no content moves: U11 12, U10 11, U09 10, U08 9, U07 8, (no author) 7, U06 7, U05 6, U04 5, U03 4, and 6 of 3 more authors; ` +
		`the file records with state "blank-name" name them all`
	if len(got) != 21 || got[0] != want || !strings.Contains(got[1], "[file:document:1]") {
		t.Errorf("%d findings, the first\n%s\nwant\n%s", len(got), got[0], want)
	}
}

func TestFileSize(t *testing.T) {
	run(t, fileSize, []line{
		{"over the limit, where it moves", given(document(7, "present", size(94_400_001)), document(8, "present", size(94_400_000)), document(9, "no-associate", size(2_000_000_000)),
			document(0, "no-row", path("a"), size(95_000_000)), document(0, "shadowed", path("b"), size(95_000_000)),
			&sdk.File{Area: "service", Path: "text/dump.bin", Size: 94_460_000, State: "present"}, document(10, "left", reason("age"), size(99_000_000))),
			[]string{`warning [file:document:7] document 7 "Offer 7" of BOB has 94.4 MB ("BOB/2011.1/7.docx")`, `warning [file:document:9] document 9 "Offer 9" of BOB has 2000.0 MB ("BOB/2011.1/9.docx")`,
				`warning [file:service:text/dump.bin] service "text/dump.bin" has 94.5 MB ("text/dump.bin")`, `warning [file:document:10] document 10 "Offer 10" of BOB has 99.0 MB ("BOB/2011.1/10.docx")`}},
	})
	got := told(ruletest.Run(t, fileSize, documents(30, 1, "present", size(100e6))...))
	if want := "warning [] 30 files are larger than 94.4 MB, together 3000.0 MB; the first 20 are named"; len(got) != 21 || got[20] != want {
		t.Errorf("%d findings, the last %s", len(got), got[len(got)-1])
	}
}

func TestPathLength(t *testing.T) {
	long := func(n int, part string) string { return "BOB/2011.1/" + strings.Repeat(part, n) }
	of := func(id int64, path, name int, text string) string {
		return fmt.Sprintf(`warning [file:document:%[1]d] document %[1]d "Offer %[1]d" of BOB: its path has %[2]d characters, its name %[3]d (%[4]q)`, id, path, name, text)
	}
	run(t, pathLength, []line{
		{"path", given(document(7, "present", path(long(245, "a"))), document(8, "present", path(long(246, "b")))), []string{of(8, 257, 246, long(246, "b"))}},
		{"a name alone", given(&sdk.File{Area: "document", ID: 7, Owner: "BOB", Title: "Offer 7", Path: strings.Repeat("c", 256), State: "present"},
			document(8, "present", path(strings.Repeat("c", 255)))), []string{of(7, 256, 256, strings.Repeat("c", 256))}},
		{"characters, not bytes", given(document(7, "present", path(long(245, "å"))), document(8, "present", path(long(122, "🚀"))), document(9, "present", path(long(123, "🚀")))),
			[]string{of(9, 257, 246, long(123, "🚀"))}},
		{"what does not move", given(document(0, "no-row", path(long(300, "a"))), document(0, "shadowed", path(long(300, "a")))), nil},
	})
	got := told(ruletest.Run(t, pathLength, documents(21, 1, "present", path(long(300, "a")))...))
	if want := "warning [] 21 paths are longer than Windows takes (256 characters, a name 255); the first 20 are named"; len(got) != 21 || got[20] != want {
		t.Errorf("%d findings, the last %s", len(got), got[len(got)-1])
	}
}
