package archive

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestFold(t *testing.T) {
	same := [][]string{
		{"bob/2002.2/MyFile.TXT", "BOB/2002.2/myfile.txt", "bob. /2002.2/myfile.txt...", "Bob/2002.2 /MYFILE.txt . ."},
		{"brød.doc", "BRØD.DOC"},
		{"Åse.doc", norm.NFD.String("Åse.doc"), "åse.doc", norm.NFD.String("åse.doc"), "\u212Bse.doc"},
		{"ΣΑΣ", "σασ"},
		{"文書.docx", "文書.DOCX"},
		{"😀.txt", "😀.TXT"},
		{"ЖУК.txt", "жук.TXT. "},
		{"한글", norm.NFD.String("한글")},
		{"ǆ", "Ǆ"},
	}
	for _, names := range same {
		for _, n := range names[1:] {
			if Fold(n) != Fold(names[0]) {
				t.Errorf("Fold(%q) = %q, Fold(%q) = %q, want the same", n, Fold(n), names[0], Fold(names[0]))
			}
		}
	}
	differ := []string{
		"Straße", "Strasse", "ı", "i", "İ", "ſ", "s", "ς", "σ", "µ", "μ", "a b", "ab", "a/b", "a.b", ".a", " a", "ﬁ", "fi",
		"a%FF", "a\xff", "a\xfe",
	}
	seen := map[string]string{}
	for _, n := range differ {
		if other, ok := seen[Fold(n)]; ok {
			t.Errorf("Fold(%q) = Fold(%q) = %q, want them different", n, other, Fold(n))
		}
		seen[Fold(n)] = n
	}
}

// Every rune that has another form, alone and with marks behind it, folds to the same key in each form of itself.
func TestFoldOfEveryRune(t *testing.T) {
	marks := []string{"", "\u0301", "\u0345", "\u0308\u0301", "\u09be\u3099"}
	for r := rune(1); r <= unicode.MaxRune; r++ {
		changes := unicode.ToLower(r) != r || unicode.ToUpper(r) != r || !norm.NFD.IsNormalString(string(r))
		if !changes && !unicode.IsMark(r) || unicode.Is(unicode.Hangul, r) && r%61 != 0 {
			continue
		}
		for _, m := range marks {
			checkFold(t, string(r)+m)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

func checkFold(t *testing.T, s string) {
	t.Helper()
	f := Fold(s)
	if again := Fold(f); again != f {
		t.Errorf("folding %q gives %q, folding that gives %q", s, f, again)
	}
	if !utf8.ValidString(s) {
		return
	}
	for what, v := range map[string]string{"composed": norm.NFC.String(s), "decomposed": norm.NFD.String(s)} {
		if g := Fold(v); g != f {
			t.Errorf("folding %q gives %q, folding it %s gives %q", s, f, what, g)
		}
	}
	if g := Fold(s + ". ."); g != f {
		t.Errorf("folding %q with dots behind gives %q, want %q", s, g, f)
	}
	if a, b := strings.Count(f, "/"), strings.Count(s, "/"); a != b {
		t.Errorf("folding %q gives %q, which has %d separators instead of %d", s, f, a, b)
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", "bob/2002.2/x.TXT", "Åse /x.", "\xff/ı", "a\u0345\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkFold(t, s) })
}

func BenchmarkFold(b *testing.B) {
	for name, s := range map[string]string{"ascii": "BOB/2002.2/Offer to Super Company (2).DOCX", "other": "BØB/2002.2/Tilbud til Åse (2).DOCX"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				Fold(s)
			}
		})
	}
}
