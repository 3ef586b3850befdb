package install

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServerURL(t *testing.T) {
	for in, want := range map[string]string{
		"sql1":                   "sqlserver://sql1?database=crm",
		` sql1 `:                 "sqlserver://sql1?database=crm",
		`sql1.example.com\CRM`:   "sqlserver://sql1.example.com/CRM?database=crm",
		"sql1,1444":              "sqlserver://sql1:1444?database=crm",
		`sql1\CRM,1444`:          "sqlserver://sql1:1444?database=crm",
		"sql1, 1433":             "sqlserver://sql1:1433?database=crm",
		"TCP:sql1,1433":          "sqlserver://sql1:1433?database=crm",
		`lpc:sql1\CRM`:           "sqlserver://sql1/CRM?database=crm",
		"tcp":                    "sqlserver://tcp?database=crm",
		".":                      "sqlserver://localhost?database=crm",
		`.\SQLEXPRESS`:           "sqlserver://localhost/SQLEXPRESS?database=crm",
		"(local)":                "sqlserver://localhost?database=crm",
		"LOCALHOST":              "sqlserver://localhost?database=crm",
		"10.0.0.5,1433":          "sqlserver://10.0.0.5:1433?database=crm",
		"::1":                    "sqlserver://[::1]?database=crm",
		"tcp:[::1],1433":         "sqlserver://[::1]:1433?database=crm",
		"":                       "",
		`\\sql1\pipe\sql\query`:  "",
		`np:sql1`:                "",
		`(localdb)\MSSQLLocalDB`: "",
		"sql1,":                  "",
		"sql1,70000":             "",
		"sql1,0":                 "",
		"sql1/CRM":               "",
		"sql1:1444":              "sqlserver://sql1:1444?database=crm",
		`sql1:x`:                 "",
		"admin:sql1":             "",
		"user@sql1":              "",
		`sql1\a\b`:               "",
		"a b":                    "",
	} {
		got, err := serverURL(in, "crm", nil)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestSplitURL(t *testing.T) {
	for in, want := range map[string][3]string{
		"sqlserver://sql1?database=crm":                                   {"sqlserver://sql1?database=crm"},
		" SQLServer://sql1:1433/?database=crm\n":                          {"sqlserver://sql1:1433/?database=crm"},
		"sqlserver://u:p%40ss@sql1/CRM?database=crm":                      {"sqlserver://sql1/CRM?database=crm", "u", "p@ss"},
		"sqlserver://u@sql1?database=crm":                                 {"sqlserver://sql1?database=crm", "u", ""},
		"sqlserver://sql1?database=crm&User+ID=u&PassWord=p&encrypt=true": {"sqlserver://sql1?database=crm&encrypt=true", "u", "p"},
		"sqlserver://sql1?uid=u&pwd=p":                                    {"sqlserver://sql1", "u", "p"},
		"sqlite:crm.sqlite":                                               {"sqlite:/x/crm.sqlite"},
		"sqlite:./a/../crm.sqlite":                                        {"sqlite:/x/crm.sqlite"},
		"sqlite:/abs/ø.sqlite":                                            {"sqlite:/abs/ø.sqlite"},
		"sqlite:///abs/crm.sqlite":                                        {"sqlite:/abs/crm.sqlite"},
		`SQLITE:C:\crm.sqlite`:                                            {`sqlite:C:\crm.sqlite`},
	} {
		got, secret, err := SplitURL(in, "/x")
		user, pass := secret.Reveal()
		if d := cmp.Diff(want, [3]string{got, user, pass}); d != "" || err != nil {
			t.Errorf("%q: %v %s", in, err, d)
		}
	}
	for _, in := range []string{
		"", "crm", "crm.sqlite", "sqlite:", "sqlite://", "http://sql1/", "sqlserver:sql1", "sqlserver://", "sqlserver://u:" + password + "@",
		"sqlserver://u:" + password + "@sql1:port", "sqlserver://u:%zz" + password + "@sql1", "sqlserver://sql1?password=" + password + "%zz",
		"sqlserver://u:pass#" + password + "@sql1", `C:\crm.sqlite`,
	} {
		_, _, err := SplitURL(in, "/x")
		wantUsage(t, err, "the database's URL is not understood", "sqlserver://HOST")
	}
	for in, want := range map[string]string{
		"oracle://scott:" + password + "@tns": "Oracle", "Sybase:crm": "Sybase", "db2://x": "DB2", "postgres://x": "PostgreSQL",
	} {
		_, _, err := SplitURL(in, "/x")
		wantUsage(t, err, "a database of "+want+" cannot be read")
	}
}

func TestParseConnection(t *testing.T) {
	for in, want := range map[string]map[string]string{
		"":                                {},
		" ; ;":                            {},
		"Server=a;Database = b ":          {"server": "a", "database": "b"},
		"User ID=u;user id=v":             {"userid": "v"},
		"Driver={SQL Server};UID=u;UID=v": {"driver": "SQL Server", "uid": "u"},
		"Trusted_Connection=yes":          {"trustedconnection": "yes"},
		`PWD="a;b""c";UID='d''e' ; X=1`:   {"pwd": `a;b"c`, "uid": "d'e", "x": "1"},
		"PWD={a;b}}c};D=1":                {"pwd": "a;b}c", "d": "1"},
		"PWD=":                            {"pwd": ""},
		"PWD=a=b":                         {"pwd": "a=b"},
	} {
		c, err := parseConnection(in)
		got := map[string]string{}
		for _, p := range c {
			got[p.key] = c.get(p.key)
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%q: %v %s", in, err, d)
		}
	}
	for _, in := range []string{"Server", "=x", `PWD="` + password, `PWD='a'b`, "A=1;nonsense;B=2", "PWD={x"} {
		_, err := parseConnection(in)
		if err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// FuzzConnection holds that a value that was filled in comes out as it was.
func FuzzConnection(f *testing.F) {
	f.Add("crm", `p;"'{}= x`)
	f.Add("", "[@User]")
	f.Fuzz(func(t *testing.T, user, secret string) {
		if strings.ContainsAny(user+secret, "\x00\r\n\t\v\f\u0085\u00a0") || strings.TrimSpace(user) != user || strings.TrimSpace(secret) != secret {
			return
		}
		text, open := fillIn("User ID=[@User];Password=[@Password];Server=[@server]", map[string]string{
			"user": user, "password": secret, "server": "sql1",
		})
		if slices.Contains(open, "User") != (user == "") || slices.Contains(open, "Password") != (secret == "") || slices.Contains(open, "server") {
			t.Errorf("%q %q: open %q", user, secret, open)
		}
		c, err := parseConnection(text)
		if err != nil || c.get("userid") != user || c.get("password") != secret || c.get("server") != "sql1" {
			t.Errorf("%q %q: %v %v", user, secret, c, err)
		}
	})
}
