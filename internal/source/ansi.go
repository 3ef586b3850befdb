package source

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// TextColumns counts the stored text columns of one form and collation.
type TextColumns struct {
	ANSI      bool   // char, varchar, text: kept in the collation's code page; else nchar, nvarchar, ntext: Unicode
	Collation string // "" where the engine has none
	CodePage  int    // of an ANSI collation; 0: not known
	Columns   int
	Tables    int
}

// TextForms counts the text columns of tables by form and collation, those of ANSI first, sorted by collation.
func TextForms(tables []Table) []TextColumns {
	type form struct {
		ansi      bool
		collation string
	}
	count := map[form]*TextColumns{}
	for _, t := range tables {
		here := map[form]bool{}
		for _, c := range t.Stored() {
			f := form{ansi: c.Type.ANSI(), collation: c.Collation}
			if !f.ansi && (!c.Type.UTF16() || c.Type.SQL == Variant) {
				continue
			}
			n := count[f]
			if n == nil {
				n = &TextColumns{ANSI: f.ansi, Collation: f.collation}
				if f.ansi {
					n.CodePage = CodePage(f.collation)
				}
				count[f] = n
			}
			n.Columns++
			if !here[f] {
				here[f] = true
				n.Tables++
			}
		}
	}
	out := make([]TextColumns, 0, len(count))
	for _, n := range count {
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b TextColumns) int {
		if a.ANSI != b.ANSI {
			if a.ANSI {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Collation, b.Collation)
	})
	return out
}

// ANSI reports whether the server keeps values of the type in a code page, so that they hold its characters alone.
func (t Type) ANSI() bool {
	return t.Kind == Text && (t.SQL == "text" || strings.HasPrefix(t.SQL, "char(") || strings.HasPrefix(t.SQL, "varchar("))
}

// codePages are the code pages of SQL Server's collations by how their names begin.
var codePages = [...]struct {
	page  int
	names string
}{
	{1250, "Albanian Bosnian_Latin Croatian Czech Hungarian Polish Romanian Serbian_Latin Slovak Slovenian"},
	{1251, "Bosnian_Cyrillic Cyrillic Kazakh Macedonian Serbian_Cyrillic Tatar Ukrainian"},
	{1252, "Breton Corsican Danish Finnish_Swedish French Frisian German Icelandic Latin1_General Modern_Spanish Norwegian Romansh " +
		"Sami_Norway Sami_Sweden_Finland Traditional_Spanish Upper_Sorbian Welsh"},
	{1253, "Greek"},
	{1254, "Azeri_Latin Turkish Uzbek_Latin"},
	{1255, "Hebrew"},
	{1256, "Arabic Persian Urdu"},
	{1257, "Estonian Latvian Lithuanian"},
	{1258, "Vietnamese"},
	{874, "Thai"},
	{932, "Japanese"},
	{936, "Chinese_PRC Chinese_Simplified"},
	{949, "Korean"},
	{950, "Chinese_Hong_Kong Chinese_Taiwan Chinese_Traditional"},
}

// CodePage is the code page in which SQL Server keeps texts of a collation: UTF-8's 65001 where its name ends so, the
// number that the name of an older one tells (CP1 is 1252), else by its language; 0 where that is not known.
func CodePage(collation string) int {
	low := strings.ToLower(collation)
	if strings.HasSuffix(low, "_utf8") {
		return 65001
	}
	if rest, ok := strings.CutPrefix(low, "sql_"); ok {
		_, number, _ := strings.Cut(rest, "_cp")
		number, _, _ = strings.Cut(number, "_")
		n, err := strconv.Atoi(number)
		if n == 1 {
			n = 1252
		}
		if err != nil {
			return 0
		}
		return n
	}
	for _, c := range codePages {
		for name := range strings.FieldsSeq(c.names) {
			if strings.HasPrefix(low, strings.ToLower(name)+"_") {
				return c.page
			}
		}
	}
	return 0
}

// textFacts tells which forms of text the database has.
func (v *View) textFacts() []Fact {
	var facts []Fact
	for _, n := range TextForms(v.tables) {
		form := "unicode"
		if n.ANSI {
			form = "ansi"
		}
		f := Fact{Name: "text-columns", ID: form, Data: map[string]any{"form": form, "columns": int64(n.Columns), "tables": int64(n.Tables)}}
		if n.Collation != "" {
			f.ID += "/" + n.Collation
			f.Data["collation"] = n.Collation
		}
		if n.CodePage != 0 {
			f.Data["codepage"] = int64(n.CodePage)
		}
		facts = append(facts, f)
	}
	return facts
}
