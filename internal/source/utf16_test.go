package source

import (
	"encoding/binary"
	"slices"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

func units(u ...uint16) []byte {
	var b []byte
	for _, x := range u {
		b = binary.LittleEndian.AppendUint16(b, x)
	}
	return b
}

func TestUTF16(t *testing.T) {
	for _, c := range []struct {
		name    string
		units   []uint16
		text    string
		unicode string
	}{
		{"empty", nil, "", ""},
		{"ascii", utf16.Encode([]rune("plain text, longer than eight")), "plain text, longer than eight", "plain text, longer than eight"},
		{"two bytes at the end", utf16.Encode([]rune("12345678ø")), "12345678ø", "12345678ø"},
		{"NUL", []uint16{0, 'a'}, "\x00a", "\x00a"},
		{"three bytes", utf16.Encode([]rune("日本")), "日本", "日本"},
		{"a pair", utf16.Encode([]rune("😀")), "😀", "😀"},
		{"U+FFFD itself", []uint16{0xFFFD}, "\uFFFD", "\uFFFD"},
		{"first half at the end", []uint16{'a', 0xD83D}, "a\xED\xA0\xBD", "a\uFFFD"},
		{"second half at the front", []uint16{0xDE00, 'b'}, "\xED\xB8\x80b", "\uFFFDb"},
		{"halves the wrong way round", []uint16{0xDE00, 0xD83D}, "\xED\xB8\x80\xED\xA0\xBD", "\uFFFD\uFFFD"},
		{"a half before a pair", []uint16{0xD83D, 0xD83D, 0xDE00}, "\xED\xA0\xBD😀", "\uFFFD😀"},
		{"the last units", []uint16{0xD800, 0xE000, 0xDFFF, 0xFFFF}, "\xED\xA0\x80\uE000\xED\xBF\xBF\uFFFF", "\uFFFD\uE000\uFFFD\uFFFF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := units(c.units...)
			got, ok := DecodeUTF16(b)
			if got != c.text || !ok {
				t.Errorf("DecodeUTF16 = %q, %v; want %q", got, ok, c.text)
			}
			if !ValidText(got) {
				t.Errorf("%q is not valid", got)
			}
			if back := AppendUTF16(nil, got); !slices.Equal(back, b) {
				t.Errorf("AppendUTF16 = % x, want % x", back, b)
			}
			if u := Unicode(got); u != c.unicode {
				t.Errorf("Unicode = %q, want %q", u, c.unicode)
			}
		})
	}
	if s, ok := DecodeUTF16([]byte{'a', 0, 'b'}); ok {
		t.Errorf("an odd number of bytes gave %q", s)
	}
}

func TestValidTextRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"a byte":                        "\xFF",
		"a continuation":                "a\x80",
		"a cut rune":                    "\xC3",
		"a cut surrogate":               "\xED\xA0",
		"a pair in two times three":     "\xED\xA0\xBD\xED\xB8\x80",
		"the same behind a half":        "\xED\xA0\xBD\xED\xA0\xBD\xED\xB8\x80",
		"an overlong form":              "\xC0\x80",
		"beyond the last":               "\xF4\x90\x80\x80",
		"a half, then a byte of nobody": "\xED\xA0\xBD\xFE",
	} {
		if ValidText(s) {
			t.Errorf("%s: %q is valid", name, s)
		}
	}
}

// What is valid has one form, and is Unicode where it is UTF-8.
func FuzzText(f *testing.F) {
	f.Add("a\xED\xA0\xBDb", []byte{0x3D, 0xD8, 0x00, 0xDE, 0x3D, 0xD8})
	f.Add("\xED\xA0\xBD\xED\xB8\x80", []byte{0, 0xDC, 0, 0xD8})
	f.Fuzz(func(t *testing.T, s string, b []byte) {
		if ValidText(s) {
			if got, ok := DecodeUTF16(AppendUTF16(nil, s)); got != s || !ok {
				t.Errorf("%q came back as %q", s, got)
			}
			if u := Unicode(s); !utf8.ValidString(u) || utf8.ValidString(s) && u != s {
				t.Errorf("Unicode(%q) = %q", s, u)
			}
		}
		if text, ok := DecodeUTF16(b); ok {
			if !ValidText(text) || !slices.Equal(AppendUTF16(nil, text), b) {
				t.Errorf("% x became %q, and % x again", b, text, AppendUTF16(nil, text))
			}
		}
	})
}
