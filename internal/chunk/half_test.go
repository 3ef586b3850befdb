package chunk

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

// halfTable has texts that are no Unicode, few and many, small and large, between others.
func halfTable() (manifest.Table, []source.Row) {
	table := manifest.Table{Name: "half", Columns: []manifest.Column{
		{Name: "id", Type: "int"}, {Name: "few", Type: "nvarchar(max)"}, {Name: "many", Type: "nvarchar(max)", Null: true},
		{Name: "large", Type: "ntext", Null: true}, {Name: "none", Type: "nchar(9)"},
	}}
	var rows []source.Row
	for i := range 300 {
		row := source.Row{int64(i), fmt.Sprint(i), nil, nil, "plain    "}
		if i%90 == 89 {
			row[1] = fmt.Sprint(i, firstHalf)
		}
		if i%7 > 0 {
			row[2] = strings.Repeat(wholePair, i) + secondHalf + string(text(uint64(i), 20*i))
		}
		rows = append(rows, row)
	}
	ascii, wide := strings.Repeat("a", bigValue), strings.Repeat("\u6F22", bigValue/3+1)
	rows[0][3] = ascii[:bigValue/2] + firstHalf // large as UTF-16 alone
	rows[1][3] = wide + firstHalf               // large as UTF-8 alone
	rows[2][3] = firstHalf + ascii              // large as both, and nothing between it and the next
	rows[3][3] = ascii + firstHalf + string(text(1, 3*bigValue))
	rows[4][3] = ascii
	rows[5][3] = firstHalf
	rows[299][3] = secondHalf + ascii
	return table, rows
}

func TestTextsThatAreNoUnicode(t *testing.T) {
	table, rows := halfTable()
	for _, codec := range []Codec{Zstd, Snappy, Gzip} {
		b, rec := writePart(t, table, PartOptions{Codec: codec}, rows)
		got, err := readPart(b, table)
		if d := cmp.Diff(rows, got, sameValues); d != "" || err != nil {
			t.Fatalf("%s: %v (-in +out):\n%.2000s", codec, err, d)
		}
		if err := VerifyPart(bytes.NewReader(b), int64(len(b)), rec, table); err != nil {
			t.Errorf("%s: %v", codec, err)
		}
	}
}

// pagesOf returns how many values the pages of each leaf hold.
func pagesOf(t *testing.T, b []byte, table manifest.Table) map[string][]int {
	t.Helper()
	r, err := NewPartReader(bytes.NewReader(b), int64(len(b)), table)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all := map[string][]int{}
	for range r.footer.groups {
		r.left = 0
		for _, p := range r.leaves {
			p.next, p.values, p.at, p.end, p.room = 0, 0, 0, 0, 0
		}
		if err := r.open(); err != nil {
			t.Fatal(err)
		}
		for _, p := range r.leaves {
			for p.at < p.end {
				if err := p.page(r.dec); err != nil {
					t.Fatal(err)
				}
				all[p.name] = append(all[p.name], p.values)
			}
		}
	}
	return all
}

// A companion has one page in a row group, and where it holds values more, which end where they do.
func TestPagesOfUTF16(t *testing.T) {
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "a", Type: "nvarchar(max)", Null: true}, {Name: "b", Type: "nvarchar(max)"}}}
	var rows []source.Row
	for i := range 5000 {
		row := source.Row{string(text(uint64(i), 300)), string(text(uint64(i), 300))}
		if i == 100 {
			row[1] = firstHalf + strings.Repeat("a", maxPage)
		}
		rows = append(rows, row)
	}
	b, _ := writePart(t, table, PartOptions{}, rows)
	pages := pagesOf(t, b, table)
	if got, want := fmt.Sprint(pages["a$utf16"], pages["b$utf16"]), "[5000] [101 4899]"; got != want || len(pages["a"]) < 5 {
		t.Errorf("pages of %v, want %v; those of the text %v", got, want, pages["a"])
	}
}

// What is not of the form that a writer gives is refused: every text has one place.
func TestUTF16Refused(t *testing.T) {
	table := manifest.Table{Name: "t", Columns: []manifest.Column{{Name: "s", Type: "nvarchar(max)", Null: true}}}
	for _, c := range []struct {
		name, text string
		utf16      string
		null       bool
		want       string
	}{
		{"as it is written", "a\uFFFD", "a\x00\x3D\xD8", false, ""},
		{"Unicode", "a", "a\x00", false, `"s$utf16" does not agree with the text`},
		{"a pair", wholePair, "\x3D\xD8\x00\xDE", false, `"s$utf16" does not agree with the text`},
		{"nothing", "a", "-", false, ""},
		{"an odd number of bytes", "a\uFFFD", "a\x00\x3D\xD8\x00", false, `"s$utf16" does not agree with the text`},
		{"another text", "b\uFFFD", "a\x00\x3D\xD8", false, `"s$utf16" does not agree with the text`},
		{"a half in the text itself", "a" + firstHalf, "a\x00\x3D\xD8", false, `"s$utf16" does not agree with the text`},
		{"a half in the text alone", "a" + firstHalf, "-", false, "its UTF-16 is missing"},
		{"no text in the text", "a\xFF", "-", false, `a text of 2 bytes is not valid UTF-8`},
		{"a value for NULL", "", "\x3D\xD8", true, `"s$utf16" has a value where the text is NULL`},
	} {
		b := forged(t, table, Zstd, func(w *PartWriter) {
			f := &w.fields[0]
			if c.null {
				f.value.null()
			} else {
				f.value.data = append(f.value.data, c.text...)
				f.value.array(len(c.text))
			}
			if c.utf16 != "-" {
				f.utf16.add(0, []byte(c.utf16))
			}
			w.group.rows, w.content.rows = 1, 1
		})
		_, err := readPart(b, table)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// forged writes a part whose columns are filled by hand.
func forged(t testing.TB, table manifest.Table, c Codec, fill func(w *PartWriter)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewPartWriter(&b, table, PartOptions{Codec: c})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(&b, parquetMagic); err != nil {
		t.Fatal(err)
	}
	w.sink.stored = int64(len(parquetMagic))
	fill(w)
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
