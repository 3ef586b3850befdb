package dbmodel

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/unicode"
)

var must = []string{"associate", "person", "document", "company"}

// model is a layout that may be the real one or not.
const model = `{"ModelVersion":"1.0","Unicode":true,"Tables":[
	{"Name":"company","Number":1,"Fields":[{"Name":"company_id","Type":"PK"},{"Name":"serialNo","Table":"contact"}]},
	{"Name":"Associate","Fields":[]},{"Name":"person"},{"Name":" document "},{"Name":"Y_Lost"},{"Name":"y_lost"},{"Name":""},{"Name":null},{"Name":7}],
	"Steps":[{"Name":"Upgrade"}]}`

var wantNames = []string{"Associate", "company", "document", "person", "Y_Lost"}

func packed(t testing.TB, how string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch how {
	case "plain":
		return b
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zlib":
		w = zlib.NewWriter(&out)
	case "deflate":
		w, err = flate.NewWriter(&out, 9)
	case "zip":
		z := zip.NewWriter(&out)
		if _, err := z.Create("folder/"); err != nil {
			t.Fatal(err)
		}
		f, err := z.Create("model.json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func encoded(t testing.TB, how, s string) []byte {
	t.Helper()
	encode := func(e unicode.Endianness, bom unicode.BOMPolicy) []byte {
		b, err := unicode.UTF16(e, bom).NewEncoder().Bytes([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	switch how {
	case "UTF-8 with mark":
		return append([]byte{0xEF, 0xBB, 0xBF}, s...)
	case "UTF-16 low byte first":
		return encode(unicode.LittleEndian, unicode.IgnoreBOM)
	case "UTF-16 low byte first, with mark":
		return encode(unicode.LittleEndian, unicode.UseBOM)
	case "UTF-16 high byte first":
		return encode(unicode.BigEndian, unicode.IgnoreBOM)
	case "UTF-16 high byte first, with mark":
		return encode(unicode.BigEndian, unicode.UseBOM)
	}
	return []byte(s)
}

// Every form in every encoding behind every prefix gives the same names.
func TestForms(t *testing.T) {
	prefixes := map[string]func(n int) []byte{
		"":  func(int) []byte { return nil },
		"4": func(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) },
		"8": func(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) },
		"2": func(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) },
		"{": func(int) []byte { return []byte("{\x00\x00\x00") }, // a length that looks like JSON's first character
	}
	for _, how := range []string{"plain", "gzip", "zlib", "deflate", "zip"} {
		for _, enc := range []string{"UTF-8", "UTF-8 with mark", "UTF-16 low byte first", "UTF-16 low byte first, with mark",
			"UTF-16 high byte first", "UTF-16 high byte first, with mark"} {
			for name, prefix := range prefixes {
				b := packed(t, how, encoded(t, enc, model))
				names, said, err := Tables(bytes.NewReader(append(prefix(len(b)), b...)), must...)
				if err != nil || !slices.Equal(names, wantNames) {
					t.Errorf("%s, %s, prefix %q: %q, %v", how, enc, name, names, err)
				}
				if !strings.HasPrefix(said, how) || !strings.Contains(said, enc[:5]) || !strings.HasSuffix(said, ", Tables[].Name") {
					t.Errorf("%s, %s, prefix %q: it says %q", how, enc, name, said)
				}
			}
		}
	}
}

// Layouts that are found, and the path that is told.
func TestLayouts(t *testing.T) {
	four := func(form string) string {
		var parts []string
		for _, n := range must {
			parts = append(parts, fmt.Sprintf(form, n))
		}
		return strings.Join(parts, ",")
	}
	for _, c := range []struct{ name, json, path string }{
		{"an array of objects", `{"tables":[` + four(`{"tableName":%q}`) + `]}`, "tables[].tableName"},
		{"texts", `{"DatabaseTables":[` + four(`%q`) + `]}`, "DatabaseTables[]"},
		{"by name", `{"Tables":{` + four(`%q:{"Fields":[]}`) + `}}`, "Tables{}"},
		{"by number", `{"Tables":{` + four(`"1":{"Name":%q}`) + `}}`, "Tables{}.Name"},
		{"as .NET writes lists", `{"$id":"1","Tables":{"$type":"List","$values":[` + four(`{"$id":"2","Name":%q}`) + `]}}`, "Tables[].Name"},
		{"deep", `{"a":{"b":[{"PhysicalTables":[` + four(`{"Name":%q}`) + `]}]}}`, "a.b[].PhysicalTables[].Name"},
		{"at the root", `[` + four(`{"TableName":%q}`) + `]`, "[].TableName"},
		{"behind a prefix", `{"Tables":[` + four(`{"Name":"crm7.%s"}`) + `]}`, "Tables[].Name"},
		{"in brackets", `{"Tables":[` + four(`{"Name":"[crm7].[%s]"}`) + `]}`, "Tables[].Name"},
		{"the nearest to the root", `{"Steps":[{"Tables":[` + four(`{"Name":%q}`) + `,{"Name":"dropped"}]}],"Tables":[` + four(`{"Name":%q}`) + `]}`, "Tables[].Name"},
		{"the longest", `{"Tables":[` + four(`{"Alias":1,"ShortName":%q}`) + `,` + four(`{"Name":%q}`) + `,{"Name":"more"}]}`, "Tables[].Name"},
		{"numbers that no float holds", `{"n":1e999,"Tables":[` + four(`{"Name":%q}`) + `]}`, "Tables[].Name"},
		{"keys in other letter case", `{"TABLES":[` + four(`{"NAME":%q}`) + `]}`, "TABLES[].NAME"},
	} {
		names, how, err := Tables(strings.NewReader(c.json), must...)
		if err != nil || !strings.HasSuffix(how, ", "+c.path) {
			t.Errorf("%s: %q by %q, %v; want path %q", c.name, names, how, err, c.path)
		}
		if c.name == "the nearest to the root" && slices.Contains(names, "dropped") {
			t.Errorf("%s: %q", c.name, names)
		}
	}
}

// What is not taken for a list of tables, and what is said then.
func TestRefuses(t *testing.T) {
	gz := packed(t, "gzip", []byte(model))
	damaged := slices.Clone(gz)
	damaged[len(damaged)-6] ^= 1 // of the checksum
	deep := strings.Repeat(`{"Tables":[`, 150)
	many := strings.Repeat(`"x",`, 1<<17)
	var names strings.Builder
	for i := range 100_002 {
		fmt.Fprintf(&names, `"t%d",`, i)
	}
	for _, c := range []struct {
		name string
		blob []byte
		say  string
	}{
		{"nothing", nil, "it is empty"},
		{"one byte", []byte("{"), "none of the forms that were tried: plain, gzip, zlib, zip and raw deflate"},
		{"a text", []byte("sample"), "none of the forms"},
		{"a JSON text", []byte(`"associate person document company"`), "none of the forms"},
		{"a number", []byte(`12`), "none of the forms"},
		{"noise", []byte("\x8f\x91\x00\x12\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe"), "none of the forms"},
		{"cut short", gz[:len(gz)/2], "it begins as JSON (gzip, UTF-8) and breaks off: unexpected EOF"},
		{"a wrong checksum", damaged, "breaks off: gzip: invalid checksum"},
		{"something behind", []byte(model + ` {}`), "something stands behind its end"},
		{"no tables", []byte(`{"Rows":[{"Name":"associate"},{"Name":"person"},{"Name":"document"},{"Name":"company"}]}`),
			"it is JSON (plain, UTF-8), and no list in it that is called like tables names associate, person, document, company"},
		{"one lacks", []byte(strings.Replace(model, `"person"`, `"people"`, 1)), "no list in it"},
		{"fields alone", []byte(`{"Tables":[{"Fields":[{"Name":"associate"},{"Name":"person"},{"Name":"document"},{"Name":"company"}]}]}`), "no list in it"},
		{"like a prefix", []byte(`{"Tables":["xassociate","person","document","company"]}`), "no list in it"},
		{"names that are none", []byte(`{"Tables":["associate","person","document","` + strings.Repeat("ø", 129) + `","com\u0007pany"]}`), "no list in it"},
		{"nested too deep", []byte(deep), "deeper than 200 levels"},
		{"too many names", []byte(`{"Tables":[` + names.String() + `"z"]}`), "more than 100,000 names"},
		{"a long value", packed(t, "deflate", []byte(`{"x":"`+strings.Repeat("x", 3<<20)+`"}`)), "a value of more than 1 MiB"},
		{"many values", []byte(`{"x":[` + many + `"y"]}`), "no list in it"},
		{"too large", bytes.Repeat([]byte{' '}, maxBlob+1), "it is larger than 32 MiB"},
	} {
		got, how, err := Tables(bytes.NewReader(c.blob), must...)
		if err == nil || !strings.Contains(err.Error(), c.say) || got != nil || how != "" {
			t.Errorf("%s: %q, %q, %v; want %q", c.name, got, how, err, c.say)
		}
	}
	broken := errors.New("the wire is cut")
	if _, _, err := Tables(iotest.ErrReader(broken), must...); !errors.Is(err, broken) {
		t.Errorf("a reader that breaks: %v", err)
	}
}

// bomb is deflated JSON of n times a piece.
func bomb(t *testing.T, head, piece string, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, head); err != nil {
		t.Fatal(err)
	}
	block := bytes.Repeat([]byte(piece), 1<<20/len(piece))
	for range n {
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A few bytes that unpack to very much end soon, and take little memory.
func TestBombs(t *testing.T) {
	for _, c := range []struct {
		name string
		blob []byte
		say  string
	}{
		{"brackets", bomb(t, "[", "[", 40), "deeper than 200 levels"},
		{"one text", bomb(t, `["`, "x", 40), "a value of more than 1 MiB"},
		{"white space", bomb(t, "[", " ", 40), "a value of more than 1 MiB"},
		{"many texts", bomb(t, "[", `"`+strings.Repeat("x", 1<<15)+`",`, 300), "more than 256 MiB of JSON"},
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		_, _, err := Tables(bytes.NewReader(c.blob), must...)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v, want %q", c.name, err, c.say)
		}
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 24<<20 {
			t.Errorf("%s: the heap grew by %d MiB", c.name, grown>>20)
		}
	}
}

// FuzzTables holds that no bytes make it fail otherwise than by an error, and that names are names.
func FuzzTables(f *testing.F) {
	for _, how := range []string{"plain", "gzip", "zlib", "deflate", "zip"} {
		f.Add(packed(f, how, []byte(model)))
	}
	f.Add(encoded(f, "UTF-16 low byte first", model))
	f.Add([]byte(`{"Tables":{"$values":["a",{"x":[]}],"b":{}}}`))
	f.Fuzz(func(t *testing.T, blob []byte) {
		names, how, err := Tables(bytes.NewReader(blob))
		if (err == nil) != (how != "") {
			t.Fatalf("%q, %v", how, err)
		}
		for i, n := range names {
			if !isIdentifier(n) || i > 0 && strings.EqualFold(n, names[i-1]) {
				t.Fatalf("names %q", names)
			}
		}
	})
}
