package planfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"

	"github.com/openomt/omt/internal/manifest"
)

func plan(name, title, onsite string, seats int, unlimited bool) manifest.Plan {
	return manifest.Plan{Name: name, Title: title, Onsite: onsite, Seats: seats, Unlimited: unlimited, Source: "tenant"}
}

const elements = `<?xml version="1.0" encoding="utf-8"?>
<Licenses xmlns="urn:x" xmlns:l="urn:l">
  <CompanyName>Kalles</CompanyName>
  <ModuleLicenses>
    <ModuleLicense>
      <OwnerName>SUPEROFFICE</OwnerName><LicenseType>1</LicenseType><ModuleName>server</ModuleName>
      <NumberOfLicenses>1</NumberOfLicenses><ExtraFlags>2</ExtraFlags>
    </ModuleLicense>
    <ModuleLicense>
      <LicenseType>4</LicenseType><ModuleName>user</ModuleName><NumberOfLicenses>9</NumberOfLicenses>
      <IsHidden>true</IsHidden><ExtraFlags>1</ExtraFlags>
    </ModuleLicense>
    <l:ModuleLicense>
      <l:LicenseType> 4 </l:LicenseType>
      <l:ModuleName>SalesPREM</l:ModuleName>
      <l:ModuleDescription><![CDATA[Sales & Co]]></l:ModuleDescription>
      <l:Limits><l:NumberOfLicenses>20</l:NumberOfLicenses><l:Unrestricted>false</l:Unrestricted></l:Limits>
      <l:IsHidden>False</l:IsHidden><l:ExtraFlags>1</l:ExtraFlags><l:ExtraInfo>set=user,web</l:ExtraInfo>
    </l:ModuleLicense>
  </ModuleLicenses>
</Licenses>`

const attributes = `<license><modulelicense LicenseType="User" ModuleName="A" ModuleDescription="Title æ" NumberOfLicenses=""
 Unrestricted="1" IsHidden="0" ExtraFlags="1"/><modulelicense LicenseType="4" ModuleName="B" NumberOfLicenses="3" ExtraFlags="1"/></license>`

func TestRead(t *testing.T) {
	utf16, err := unicode.UTF16(unicode.LittleEndian,
		unicode.UseBOM).NewEncoder().String(`<?xml version="1.0" encoding="utf-16"?>` + attributes)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, in, encoding string
		want               []manifest.Plan
	}{
		{"csv", "Seats;Unlimited;Name;On site;Title;remark\n20;;SalesPREM;ten-sales;Sales Premium;x\n;TRUE; Free ;;;\n", "",
			[]manifest.Plan{plan("SalesPREM", "Sales Premium", "ten-sales", 20, false), plan("Free", "", "", 0, true)}},
		{"csv with commas and code page", "name,seats\nK\xf8bt,5\n", "", []manifest.Plan{plan("Købt", "", "", 5, false)}},
		{"csv told", "name,seats\n\xa3\xf3d\x9f,5\n", "windows-1250", []manifest.Plan{plan("Łódź", "", "", 5, false)}},
		{"json",
			"\ufeff [{\"name\":\"A\",\"Title\":\"T\",\"onsite\":\"a\",\"seats\":3,\"other\":{\"x\":[]}},\n{\"NAME\":\" B \",\"seats\":\"4\",\"unlimited\":false},{\"name\":\"C\",\"unlimited\":true,\"seats\":null}]\n",
			"",
			[]manifest.Plan{plan("A", "T", "a", 3, false), plan("B", "", "", 4, false), plan("C", "", "", 0, true)}},
		{"xml elements", elements, "", []manifest.Plan{plan("SalesPREM", "Sales & Co", "", 20, false)}},
		{"xml attributes", attributes, "", []manifest.Plan{plan("A", "Title æ", "", 0, true), plan("B", "", "", 3, false)}},
		{"xml utf-16", utf16, "", []manifest.Plan{plan("A", "Title æ", "", 0, true), plan("B", "", "", 3, false)}},
		{"xml ansi", strings.Replace(`<?xml version="1.0" encoding="windows-1252"?>`+attributes, "æ", "\xe6", 1), "",
			[]manifest.Plan{plan("A", "Title æ", "", 0, true), plan("B", "", "", 3, false)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Read(strings.NewReader(tt.in), "plans", tt.encoding)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
	}{
		{"empty", "", "plans: it is empty; want a header with the columns name, title, onsite, seats, unlimited"},
		{"no rows", "name;seats\n", "plans: it names no plan"},
		{"empty array", "[]", "plans: it names no plan"},
		{"no name column", "title;seats\nA;1\n", `plans: row 1: the header has no column "name"`},
		{"all at once", "name;seats;unlimited\n;1;\nA;-1;\nB;x;\nC;;\nD;;maybe\nE;1.5;true\n-;1;\n?;1;\nF;99999999;\n",
			"plans: row 2, column name: the plan has no name\n" +
				"plans: row 3, column seats: \"-1\": want a whole number from 0 to 10000000\n" +
				"plans: row 4, column seats: \"x\": want a whole number from 0 to 10000000\n" +
				"plans: row 5, column seats: it is empty; give a number, or true as unlimited\n" +
				"plans: row 6, column unlimited: \"maybe\": want true or false\n" +
				"plans: row 7, column seats: \"1.5\": want a whole number from 0 to 10000000\n" +
				"plans: row 8, column name: \"-\" cannot be a plan's name: it means no plan\n" +
				"plans: row 9, column name: \"?\" cannot be a plan's name: it means undecided\n" +
				"plans: row 10, column seats: \"99999999\": want a whole number from 0 to 10000000"},
		{"twice", "name;seats;onsite\nA;1;x\nB;1;X\na;2;\n",
			"plans: row 3: plan \"B\" has the on-site name \"X\" of plan \"A\" (row 2); leave one of them empty\n" +
				"plans: row 4: plan \"a\" stands already in row 2"},
		{"json object", `{"name":"A"}`, `plans: want an array of objects: [{"name":"…","seats":10}, …]`},
		{"json all at once",
			`[1,{"seats":1},{"name":["A"],"seats":{},"x":[]},{"name":"B","seats":1.5},{"name":"C","seats":1},{"name":"c","seats":1}]`,
			"plans: item 1: want an object with the keys name, title, onsite, seats, unlimited\n" +
				"plans: item 2, column name: the plan has no name\n" +
				"plans: item 3, column name: want a single value\n" +
				"plans: item 3, column seats: want a single value\n" +
				"plans: item 4, column seats: \"1.5\": want a whole number from 0 to 10000000\n" +
				"plans: item 6: plan \"c\" stands already in item 5"},
		{"json syntax", "[\n{\"name\":\"A\",\n\"seats\":1,}]",
			"plans: item 1: line 3: invalid character '}' looking for beginning of object key string"},
		{"json cut", "[\n{\"name\":\"A\",\"seats\":1},\n{\"name\"",
			"plans: item 2: line 3: the array does not end; the file is cut short"},
		{"json cut between", "[{\"name\":\"A\",\"seats\":1}", "plans: line 1: the array does not end; the file is cut short"},
		{"json more", `[{"name":"A","seats":1}] []`, "plans: something stands after the array"},
		{"xml without items", "<x/>", "plans: no ModuleLicense in it: it is no licence file"},
		{"xml without plans",
			"<x><ModuleLicense LicenseType='1' ExtraFlags='1'/><ModuleLicense LicenseType='4' ExtraFlags='0'/><ModuleLicense LicenseType='4' ExtraFlags='1' IsHidden='true'/></x>",
			"plans: none of its 3 ModuleLicense items is a user plan (LicenseType 4, ExtraFlags 1, not IsHidden)"},
		{"xml all at once",
			"<x>\n<ModuleLicense LicenseType='4' ExtraFlags='1' IsHidden='so' ModuleName='A' NumberOfLicenses='1'/>\n" +
				"<ModuleLicense LicenseType='4' ExtraFlags='1' ModuleName='B' NumberOfLicenses='many'/>\n<ModuleLicense LicenseType='4' ExtraFlags='1' ModuleName='C'/></x>",
			"plans: line 2, column IsHidden: \"so\": want true or false\n" +
				"plans: line 3, column NumberOfLicenses: \"many\": want a whole number from 0 to 10000000\n" +
				"plans: line 4, column NumberOfLicenses: it is empty; give a number, or true as Unrestricted"},
		{"xml syntax", "<x>\n<ModuleLicense>\n</x>", "plans: line 3: element <ModuleLicense> closed by </x>"},
		{"xml cut", "<x>\n<ModuleLicense/>\n", "plans: line 3: unexpected EOF"},
		{"encoding", "name;seats\nA\x00;1",
			"plans: byte 0 in line 2: looks like UTF-16 without byte order mark; try --encoding utf-16le"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Read(strings.NewReader(tt.in), "plans", "")
			if err == nil {
				t.Fatalf("no error: %v", got)
			}
			if d := cmp.Diff(tt.want, err.Error()); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestReadErrorsAreCapped: a file full of mistakes gives fifty of them and a number.
func TestReadErrorsAreCapped(t *testing.T) {
	_, err := Read(strings.NewReader("name;seats\n"+strings.Repeat(";1\n", 200)), "plans.csv", "")
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 51 || lines[0] != "plans.csv: row 2, column name: the plan has no name" || lines[50] != "and 150 more" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

// TestFormIsToldByContent: the name of the file says nothing.
func TestFormIsToldByContent(t *testing.T) {
	for _, in := range []string{"name,seats\nA,1\n", "\n\n [ {\"name\":\"A\",\"seats\":1} ] ",
		"\ufeff\n<x><ModuleLicense LicenseType='4' ExtraFlags='1' ModuleName='A' NumberOfLicenses='1'/></x>"} {
		got, err := Read(strings.NewReader(in), "plans.txt", "")
		if d := cmp.Diff([]manifest.Plan{plan("A", "", "", 1, false)}, got); d != "" || err != nil {
			t.Errorf("%q: %v %s", in, err, d)
		}
	}
}

// broken fails in the middle of a file.
type broken struct{ r *strings.Reader }

func (b broken) Read(p []byte) (int, error) {
	if b.r.Len() == 0 {
		return 0, errors.New("the share has gone")
	}
	return b.r.Read(p)
}

func TestReadReportsAFailingDisk(t *testing.T) {
	_, err := Read(broken{strings.NewReader("name;seats\nA;1\n")}, "plans.csv", "")
	if err == nil || err.Error() != "plans.csv: the share has gone" {
		t.Errorf("%v", err)
	}
	if _, err := Read(strings.NewReader("name;seats\nA;1\n"), "plans.csv",
		"klingon"); err == nil || !strings.Contains(err.Error(), `encoding "klingon" is not known`) {
		t.Errorf("%v", err)
	}
}

// FuzzRead: whatever the file, plans come back usable or an error does.
func FuzzRead(f *testing.F) {
	for _, s := range []string{elements, attributes, `[{"name":"A","seats":1}]`, "name;seats\nA;1\n", "<", "[", "[{",
		"<a><ModuleLicense><b/><b>4", "{}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		plans, err := Read(strings.NewReader(string(in)), "f", "")
		if (err == nil) != (len(plans) > 0) {
			t.Fatalf("%d plans, error %v", len(plans), err)
		}
		seen := map[string]bool{}
		for _, p := range plans {
			key := strings.ToLower(p.Name)
			if p.Name == "" || p.Name == "-" || p.Name == "?" || p.Seats < 0 || seen[key] || p.Source != "tenant" {
				t.Fatalf("plan %+v", p)
			}
			seen[key] = true
		}
	})
}
