package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/sheet"
)

func TestParseSet(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Choice
	}{
		{"GKS:plan=A", Choice{Login: "GKS", Plan: "A"}},
		{" G K S : plan = A , username = g@x.no ", Choice{Login: "G K S", Plan: "A", Username: "g@x.no"}},
		{"GKS:PLAN=-,Welcome=?,confidential=false,admin=TRUE",
			Choice{Login: "GKS", Plan: "-", Welcome: "?", Confidential: "false", Admin: "TRUE"}},
		{"GKS:plan='Sales, Premium',welcome=true", Choice{Login: "GKS", Plan: "Sales, Premium", Welcome: "true"}},
		{`GKS:plan="a ""b"", c"`, Choice{Login: "GKS", Plan: `a "b", c`}},
		{"GKS:plan='it''s'", Choice{Login: "GKS", Plan: "it's"}},
		{"GKS:username=o'brien@x.no", Choice{Login: "GKS", Username: "o'brien@x.no"}},
		{"GKS:plan=a=b:c", Choice{Login: "GKS", Plan: "a=b:c"}},
	} {
		got, err := ParseSet(tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		tt.want.At = sheet.Place{File: "--set " + tt.in}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%q: %s", tt.in, d)
		}
	}
}

func TestParseSetErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "want LOGIN:plan=…,username=…",
		"GKS":                      "want LOGIN:plan=…,username=…",
		":plan=A":                  "want LOGIN:plan=…,username=…",
		"GKS:":                     `"": want NAME=VALUE; put a value that holds a comma into quotes`,
		"GKS:plan":                 `"plan": want NAME=VALUE; put a value that holds a comma into quotes`,
		"GKS:plan=Sales, Premium":  `" Premium": want NAME=VALUE; put a value that holds a comma into quotes`,
		"GKS:plan=A,":              `"": want NAME=VALUE; put a value that holds a comma into quotes`,
		"GKS:name=A":               `"name" is not one of plan, username, confidential, welcome, admin`,
		"GKS:plan=A,plan=B":        "plan is given twice",
		"GKS:plan=":                "plan is empty, which changes nothing; use - for none or ? for undecided",
		"GKS:plan='A":              "plan: the quote ' is not closed",
		"GKS:plan='A'B,username=x": `plan: "B,username=x" stands after the closing quote; want a comma`,
		"GKS:plan='A''":            "plan: the quote ' is not closed",
	} {
		if _, err := ParseSet(in); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

func TestParseMapping(t *testing.T) {
	for in, want := range map[string]Mapping{"a=b": {"a", "b"}, " a = b=c ": {"a", "b=c"}, "=b": {"", "b"}, "a=-": {"a", "-"}} {
		if got, err := ParseMapping(in); got != want || err != nil {
			t.Errorf("%q: got %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "a", "a=", "="} {
		if _, err := ParseMapping(in); err == nil || !strings.HasPrefix(err.Error(), "want OLD=NEW") {
			t.Errorf("%q: got %v", in, err)
		}
	}
}

func TestParseWaiver(t *testing.T) {
	for in, want := range map[string]manifest.Waiver{
		"satellite=gone in May":                {Rule: "satellite", Reason: "gone in May"},
		"document-missing:folder:bob = a=b ":   {Rule: "document-missing", Subject: "folder:bob", Reason: "a=b"},
		" missing-email : user:7 = on purpose": {Rule: "missing-email", Subject: "user:7", Reason: "on purpose"},
		"a=b:c=d":                              {Rule: "a", Reason: "b:c=d"},
		"a:user:*=all of them":                 {Rule: "a", Subject: "user:*", Reason: "all of them"},
		"a:file:document:1*=r":                 {Rule: "a", Subject: "file:document:1*", Reason: "r"},
		"a: 'file:service:x=1.txt' = r=s":      {Rule: "a", Subject: "file:service:x=1.txt", Reason: "r=s"},
		`a:"it's=so"=r`:                        {Rule: "a", Subject: "it's=so", Reason: "r"},
		"a:'o''brien'=r":                       {Rule: "a", Subject: "o'brien", Reason: "r"},
	} {
		got, err := ParseWaiver(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
		}
		if d := cmp.Diff(want, got.Waiver); d != "" {
			t.Errorf("%q: %s", in, d)
		}
	}
	for in, want := range map[string]string{
		"satellite":      "a waiver needs a reason",
		"satellite= ":    "a waiver needs a reason",
		"=x":             "want RULE=REASON",
		"satellite:=x":   "want RULE=REASON",
		":user:7=reason": "want RULE=REASON",
		"a:user:7":       "a waiver needs a reason",
		"a:'user:7'":     "a waiver needs a reason",
		"a:'x=r":         "the quote ' is not closed",
		"a:'x'y=r":       `"y=r" stands behind the quoted subject`,
		"a:' '=r":        "want RULE=REASON",
		"":               "want RULE=REASON",
	} {
		if _, err := ParseWaiver(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", in, err, want)
		}
	}
}

// FuzzParseSet: what was parsed and is written out with every value quoted is parsed to the same.
func FuzzParseSet(f *testing.F) {
	for _, s := range []string{"GKS:plan=A", "GKS:plan='A,''B',username=x@y", `a:plan="""",welcome=?`, "a:b=c", ":", "a:plan='"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		c, err := ParseSet(in)
		if err != nil {
			return
		}
		var parts []string
		for _, column := range []string{colPlan, colUsername, colAdmin, colConfidential, colWelcome} {
			if v := *c.cell(column); v != "" {
				parts = append(parts, column+"='"+strings.ReplaceAll(v, "'", "''")+"'")
			}
		}
		again, err := ParseSet(c.Login + ":" + strings.Join(parts, ","))
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		if d := cmp.Diff(c, again, cmpopts.IgnoreFields(Choice{}, "At")); d != "" {
			t.Fatalf("%q: %s", in, d)
		}
	})
}
