package email

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, ok := range []string{"gks@example.com", "a@b.no", "Gunn.Schpaa+crm@sub.example.co.uk", "o'brien@x-y.ie", "a_b%c@x.no",
		"1@2.no", "bjørn@bjørnstad.no", "ÆØÅ@x.no", "用户@例え.jp", "a@xn--bjrnstad-64a.no", "a@b.c-d.e1", strings.Repeat("a",
			64) + "@x.no"} {
		if err := Check(ok); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for in, want := range map[string]string{
		"":                                      "it has no @",
		"gks":                                   "it has no @",
		"a@b@c.no":                              "more than one @",
		`"a@b"@c.no`:                            "more than one @",
		"@x.no":                                 "nothing stands before the @",
		"a@":                                    `its domain "" has no dot`,
		"a@localhost":                           `its domain "localhost" has no dot`,
		"a@x..no":                               "has an empty part",
		"a@.x.no":                               "has an empty part",
		"a@x.no.":                               "has an empty part",
		"a@-x.no":                               "begins or ends with -",
		"a@x-.no":                               "begins or ends with -",
		"a@x_y.no":                              "holds a character that no domain has",
		"a@x.no,b":                              "holds a character that no domain has",
		"a@[1.2.3.4]":                           "holds a character that no domain has",
		"a@1.2.3.4":                             "ends with a number",
		" a@x.no":                               "it holds a space",
		"a b@x.no":                              "it holds a space",
		"a@x.no\n":                              "it holds a space",
		"a\u00a0b@x.no":                         "it holds a space",
		"a\u200b@x.no":                          "it holds a character that cannot be seen",
		"a\x00@x.no":                            "it holds a character that cannot be seen",
		"a\xff@x.no":                            "it holds a character that cannot be seen",
		"a..b@x.no":                             `the part before the @, "a..b", is not allowed`,
		".a@x.no":                               "is not allowed",
		"a.@x.no":                               "is not allowed",
		"a(c)@x.no":                             "is not allowed",
		`"ab"@x.no`:                             "is not allowed",
		"Gunn<a@x.no>":                          "holds a character that no domain has",
		"a;b@x.no":                              "is not allowed",
		"mailto:a@x.no":                         "is not allowed",
		strings.Repeat("a", 65) + "@x.no":       "more than 64 bytes",
		"a@" + strings.Repeat("a", 64) + ".no":  "more than 63 bytes",
		"a@" + strings.Repeat("a.", 130) + "no": "more than 254 bytes",
	} {
		if err := Check(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", in, err, want)
		}
	}
}

func TestKey(t *testing.T) {
	for _, pair := range [][2]string{{" GKS@Example.COM\t", "gks@example.com"}, {"BJØRN@x.no", "bjørn@x.no"},
		{"bjo\u0308rn@x.no", "björn@x.no"}} {
		if Key(pair[0]) != Key(pair[1]) {
			t.Errorf("%q and %q differ: %q, %q", pair[0], pair[1], Key(pair[0]), Key(pair[1]))
		}
	}
	if got := Key("BJO\u0308RN@x.no"); got != "bj\u00f6rn@x.no" {
		t.Errorf("got %q, which is not composed", got)
	}
	if Key("a@x.no") == Key("a+b@x.no") {
		t.Error("plus-addressing is another address")
	}
}
