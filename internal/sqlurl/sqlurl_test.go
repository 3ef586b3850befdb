package sqlurl

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for in, want := range map[string]string{
		"sqlserver://host?database=crm&Encrypt=true&TRUSTSERVERCERTIFICATE=1&krb5-realm=X": "",
		"sqlserver://host?database=crm&user+id=u&password=p&pwd=x&uid=y":                   "",
		"sqlserver://host?database=crm&TrustServerCertficate=true":                         `parameter "TrustServerCertficate" is not known`,
		"sqlserver://host?database=crm&Log=63":                                             `parameter "log" is not taken`,
		"sqlserver://host?database=crm&database=x":                                         `parameter "database" is given twice`,
		"sqlserver://host?database=crm&Database=x":                                         `parameter "database" is given twice`,
		"sqlserver://host?password=a&secret=b":                                             "it has a parameter that is not known",
		"sqlserver://host?secret=b&PWD=a":                                                  "it has a parameter that is not known",
		"sqlserver://sa:12?secret=b@host":                                                  "it has a parameter that is not known",
		"sqlserver://sa:12/secret@host?secret=x":                                           "it has a parameter that is not known",
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		err = Check(u, u.Query())
		if got := ""; err != nil {
			got = err.Error()
			if !strings.HasPrefix(got, want) || want == "" || strings.Contains(got, "secret") {
				t.Errorf("%s: %q, want %q", in, got, want)
			}
		} else if want != "" {
			t.Errorf("%s is taken, want %q", in, want)
		}
	}
}

func TestClean(t *testing.T) {
	u, err := url.Parse("sqlserver://sa:secret@host:1433/X?app+name=a&encrypt=true&password=secret&DATABASE=a%26b&fedauth=x&user+id=u&workstation+id=w")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Clean(u, u.Query()), "sqlserver://host:1433/X?database=a%26b&encrypt=true&fedauth=x"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestRename(t *testing.T) {
	q := url.Values{"UID": {"u"}, "PWD": {"p"}, "password": {"q"}}
	Rename(q, "uid", "user id")
	Rename(q, "pwd", "password")
	Rename(q, "user", "user id")
	if q.Encode() != "password=q&user+id=u" {
		t.Errorf("%s", q.Encode())
	}
}

// What is recorded holds nothing secret by its name.
func TestKept(t *testing.T) {
	for _, name := range Kept() {
		for _, part := range []string{"password", "pwd", "user", "uid", "assertion", "systemtoken"} {
			if strings.Contains(strings.ToLower(name), part) {
				t.Errorf("%q is recorded", name)
			}
		}
	}
	if !slices.Contains(Kept(), "TrustServerCertificate") {
		t.Errorf("%q", Kept())
	}
}
