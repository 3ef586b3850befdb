package board

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/openomt/omt/internal/manifest"
)

// patternWords are what a pattern may hold between braces.
func patternWords() []string { return []string{"first", "last", "f", "l", "login", "local", "email"} }

// expand makes a user name from a pattern such as {first}.{last}@firm.no: the first and the last word of the full name,
// f and l their first letters, the login, email, the first address as it is, and local, what stands before its @. All but
// email are written in small letters, without accents, and without what no address holds. An unknown word is an error; a word that a user
// lacks gives an empty name.
func expand(pattern string, u manifest.User) (string, error) {
	first, last := nameParts(u.Name)
	local, mail := "", ""
	if len(u.Emails) > 0 {
		mail = strings.TrimSpace(u.Emails[0])
		local, _, _ = strings.Cut(mail, "@")
	}
	values := map[string]string{"first": plain(first), "last": plain(last), "f": initial(plain(first)), "l": initial(plain(last)),
		"login": plain(u.Login), "local": plain(local), "email": mail}
	var b strings.Builder
	lacks := false
	for rest := strings.TrimSpace(pattern); rest != ""; {
		text, tail, found := strings.Cut(rest, "{")
		b.WriteString(text)
		if !found {
			break
		}
		word, after, closed := strings.Cut(tail, "}")
		if !closed || !slices.Contains(patternWords(), word) {
			return "", fmt.Errorf("{%s: want one of {%s}", word, strings.Join(patternWords(), "}, {"))
		}
		lacks = lacks || values[word] == ""
		b.WriteString(values[word])
		rest = after
	}
	if lacks {
		return "", nil
	}
	return b.String(), nil
}

// nameParts are the first and the last word of a name; "Schpaa, Gunn K." is read as "Gunn K. Schpaa".
func nameParts(name string) (first, last string) {
	if family, given, found := strings.Cut(name, ","); found {
		name = given + " " + family
	}
	words := strings.Fields(name)
	switch len(words) {
	case 0:
		return "", ""
	case 1:
		return words[0], words[0]
	}
	return words[0], words[len(words)-1]
}

func initial(word string) string {
	for _, r := range word {
		return string(r)
	}
	return ""
}

// foreign are letters that no decomposition brings to ASCII.
func foreign() *strings.Replacer {
	return strings.NewReplacer("ø", "o", "æ", "ae", "œ", "oe", "ß", "ss", "đ", "d", "ð", "d", "þ", "th", "ł", "l", "ħ", "h", "ı", "i")
}

// plain is a word as it stands in an address: in small letters, Latin ones without accents; letters of other scripts stay.
func plain(word string) string {
	word = foreign().Replace(strings.ToLower(word))
	var b strings.Builder
	latin := false
	for _, r := range norm.NFD.String(word) {
		mark := unicode.IsMark(r)
		if !mark {
			latin = unicode.Is(unicode.Latin, r)
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.", r) || mark && !latin && b.Len() > 0 {
			b.WriteRune(r)
		}
	}
	return strings.Trim(norm.NFC.String(b.String()), ".")
}
