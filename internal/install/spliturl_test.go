package install

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// odd is a password with every character that means something in a URL or a connection string.
const odd = `p;"a'}s{s=w %@/?#&\+:rd`

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func TestSplitConnection(t *testing.T) {
	for in, want := range map[string][3]string{
		`Server=sql1\CRM;Database=crm;User ID=u;Password=p`:                                       {"sqlserver://sql1/CRM?database=crm", "u", "p"},
		`Data Source=tcp:sql1,1433;Initial Catalog=so crm;uid=u;pwd=` + quoted(odd):               {"sqlserver://sql1:1433?database=so+crm", "u", odd},
		`server=sql1;database=crm;Integrated Security=SSPI;User ID=ignored`:                       {"sqlserver://sql1?database=crm"},
		`Server=sql1;Database=crm;Trusted_Connection=yes`:                                         {"sqlserver://sql1?database=crm"},
		`Server=sql1;Database=crm;Integrated Security=false;User=u`:                               {"sqlserver://sql1?database=crm", "u", ""},
		`Driver={ODBC Driver 18 for SQL Server};Server=sql1,1444;Database={cr}}m};UID=u;PWD={p;}`: {"sqlserver://sql1:1444?database=cr%7Dm", "u", "p;"},
		`odbc:Driver={SQL Server};Server=sql1;Port=1444;Database=crm;UID=u`:                       {"sqlserver://sql1:1444?database=crm", "u", ""},
		`Provider=SQLNCLI11;Data Source=sql1;Initial Catalog=crm;Use Encryption for Data=true`:    {"sqlserver://sql1?database=crm&encrypt=true"},
		`Server=sql1;Database=crm;Encrypt=False;TrustServerCertificate=Yes`:                       {"sqlserver://sql1?TrustServerCertificate=true&database=crm&encrypt=false"},
		`Server=sql1;Database=crm;Encrypt=Strict;HostNameInCertificate=sql1.example`:              {"sqlserver://sql1?database=crm&encrypt=strict&hostNameInCertificate=sql1.example"},
		`Server=sql1;Database=crm;Server Certificate=ca.cer;tlsmin=1.0`:                           {"sqlserver://sql1?database=crm&serverCertificate=%2Fx%2Fca.cer&tlsmin=1.0"},
		`Server=sql1;Database=crm;Authentication=Active Directory Managed Identity;User ID=id`:    {"sqlserver://sql1?database=crm&fedauth=ActiveDirectoryManagedIdentity", "id", ""},
		`Server=sql1;Database=crm;Authentication=SqlPassword;UID=u`:                               {"sqlserver://sql1?database=crm", "u", ""},
		`Server=ag;Database=crm;ApplicationIntent=readonly;MultiSubnetFailover=Yes`:               {"sqlserver://ag?ApplicationIntent=ReadOnly&MultiSubnetFailover=true&database=crm"},
		`Server=sql1;Database=crm;Failover Partner=tcp:sql2,1444`:                                 {"sqlserver://sql1?database=crm&failoverpartner=sql2&failoverport=1444"},
		`Server=sql1;Database=crm;Pooling=false;Max Pool Size=5;Connect Timeout=30;MARS_Connection=yes;Application Name=SO;Packet Size=8192;Persist Security Info=False;AttachDBFilename=;Network Library=dbmssocn;`: {"sqlserver://sql1?database=crm"},
		` ; Server = sql1 ; Database = crm `: {"sqlserver://sql1?database=crm"},
	} {
		got, secret, err := SplitURL(in, "/x")
		user, pass := secret.Reveal()
		if d := cmp.Diff(want, [3]string{got, user, pass}); d != "" || err != nil {
			t.Errorf("%q: %v %s", in, err, d)
		}
	}
}

func TestSplitConnectionRefuses(t *testing.T) {
	const login = ";User ID=u;Password=" + password
	for in, want := range map[string][]string{
		"Server=sql1" + login:                                                           {"names no database", "OMT_DB_PASSWORD"},
		"Database=crm" + login:                                                          {"names no server"},
		"Server=sql1;Database=crm;TrustServerCert=1":                                    {`key "TrustServerCert" is not known`},
		"Server=sql1;Database=crm;A=1;B=2":                                              {`keys "A", "B" are not known`},
		"Server=sql1;Database=crm;Encrypt=maybe" + login:                                {"value of Encrypt is not one that is taken"},
		"Server=sql1;Database=crm;Authentication=Active Directory Integrated":           {"value of Authentication"},
		"Server=sql1;Database=crm;AttachDBFilename=c:\\x.mdf" + login:                   {`key "AttachDBFilename" is not taken`},
		"Server=sql1;Database=crm;User Instance=true" + login:                           {`key "User Instance" is not taken`},
		"Server=sql1;Database=crm;Column Encryption Setting=Enabled" + login:            {"Column Encryption Setting"},
		"Server=sql1;Database=crm;Network Library=DBNMPNTW" + login:                     {`"Network Library" chooses another network than TCP/IP`},
		`Server=np:\\sql1\pipe\x;Database=crm` + login:                                  {"named pipe"},
		`Server=(localdb)\MSSQLLocalDB;Database=crm` + login:                            {"LocalDB"},
		"Server=sql1;Database=crm" + login + `;"x`:                                      {"damaged"},
		"Driver={Oracle in OraClient12Home1};DBQ=tns" + login:                           {"a database of Oracle cannot be read", "a copy of the database in SQL Server"},
		"Provider=OraOLEDB.Oracle;Data Source=tns" + login:                              {"a database of Oracle"},
		"Provider=MSDAORA.1;Data Source=tns" + login:                                    {"a database of Oracle"},
		"Data Source=(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=h)(PORT=1521)))" + login: {"a database of Oracle"},
		"Driver={SQL Anywhere 12};Server=x;Database=crm" + login:                        {"a database of Sybase"},
		"Driver={Adaptive Server Enterprise};Server=x;Database=crm" + login:             {"a database of Sybase"},
		"Driver={IBM DB2 ODBC DRIVER};Database=crm" + login:                             {"a database of DB2"},
		"Driver={MySQL ODBC 8.0 Unicode Driver};Server=x;Database=crm" + login:          {"a database of MySQL"},
		"Driver={PostgreSQL Unicode};Server=x;Database=crm" + login:                     {"a database of PostgreSQL"},
		`Provider=Microsoft.Jet.OLEDB.4.0;Data Source=c:\x.mdb` + login:                 {"a database of Microsoft Access"},
		"Driver={Paradox};Server=x;Database=crm" + login:                                {`driver "Paradox" is none of SQL Server's`},
		"jdbc:oracle:thin:u/" + password + "@h:1521:x":                                  {"a database of Oracle"},
		"jdbc:sqlserver://h;user=u;password=" + password:                                {"not understood", "sqlserver://"},
		"DSN=crm;UID=u;PWD=" + password:                                                 {`the ODBC data source "crm" is named`, "Windows alone"},
		"ODBC:SuperOffice8":                                                             {`"SuperOffice8"`, "Windows alone"},
	} {
		_, _, err := splitURL(in, "/x", nil)
		t.Run(in[:min(40, len(in))], func(t *testing.T) { wantUsage(t, err, want...) })
	}
}

// What may be the rest of a password is never named.
func TestNoPieceOfAPasswordIsNamed(t *testing.T) {
	for _, in := range []string{
		"Server=sql1;Database=crm;Password=Tr0u;b4dor=x;more=y",
		"Server=sql1;Database=crm;PWD=Tr0u;b4dor=x;more=y;UID=u",
		"Password=Tr0u;b4dor=x;more=y;z=1;Server=sql1;Database=crm",
		"Server=sql1;Database=crm;Password=Tr0u;b4dor",
	} {
		_, _, err := SplitURL(in, "/x")
		if err == nil {
			t.Fatalf("%q is taken", in)
		}
		wantUsage(t, err)
		text := err.Error()
		for _, piece := range []string{"Tr0u", "b4dor", "more"} {
			if strings.Contains(text, piece) {
				t.Errorf("%q: %v names %q", in, err, piece)
			}
		}
		if !strings.Contains(in, ";b4dor;") && strings.Contains(in, "b4dor=") && !strings.Contains(text, "double quotes") {
			t.Errorf("%q: %v does not say how a password is quoted", in, err)
		}
	}
}

func TestSplitURLAsPeopleWriteIt(t *testing.T) {
	for in, want := range map[string][3]string{
		`sqlserver://CORP\karl:p@sql1\CRM?database=crm`:              {"sqlserver://sql1/CRM?database=crm", `CORP\karl`, "p"},
		`sqlserver://CORP\karl@sql1:1444?database=a\b`:               {`sqlserver://sql1:1444?database=a%5Cb`, `CORP\karl`, ""},
		`sqlserver://u@sql1?database=crm&Certificate=ca.pem&tlsmin=`: {"sqlserver://sql1?Certificate=%2Fx%2Fca.pem&database=crm&tlsmin=", "u", ""},
		`sqlserver://u@sql1?database=crm&certificate=/abs/ca.pem`:    {"sqlserver://sql1?certificate=%2Fabs%2Fca.pem&database=crm", "u", ""},
	} {
		got, secret, err := SplitURL(in, "/x")
		user, pass := secret.Reveal()
		if d := cmp.Diff(want, [3]string{got, user, pass}); d != "" || err != nil {
			t.Errorf("%q: %v %s", in, err, d)
		}
	}
}

func TestSameDatabase(t *testing.T) {
	const a = "sqlserver://sql1:1444/CRM?database=crm"
	for b, want := range map[string]bool{
		a: true,
		"sqlserver://SQL1:1444/crm/?TrustServerCertificate=true&Database=CRM": true,
		"sqlserver://sql1:1444/CRM?database=crm2":                             false,
		"sqlserver://sql1/CRM?database=crm":                                   false,
		"sqlserver://sql1:1444/OTHER?database=crm":                            false,
		"sqlserver://sql1:1444/CRM":                                           false,
		"sqlite:/crm.sqlite":                                                  false,
		"sqlserver://%":                                                       false,
	} {
		if got := SameDatabase(a, b); got != want {
			t.Errorf("%q: %v", b, got)
		}
	}
	if SameDatabase("sqlserver://a", "sqlserver://a?x=1") {
		t.Error("two URLs without a database are the same")
	}
}

// FuzzSplitURL holds that a connection string gives a URL that is read again as itself, and no error repeats a password.
func FuzzSplitURL(f *testing.F) {
	f.Add("sql1", "crm", "x")
	f.Add(`sql1\CRM,1444`, `c"r;m`, "{")
	f.Fuzz(func(t *testing.T, server, database, extra string) {
		u, _, err := SplitURL("Password="+quoted(password)+";Server="+quoted(server)+";Database="+quoted(database)+";App="+quoted(extra), "/x")
		if err != nil {
			if strings.Contains(err.Error(), password) && !strings.Contains(server+database+extra, password) {
				t.Errorf("%v shows the password", err)
			}
			return
		}
		again, secret, err := SplitURL(u, "/x")
		if err != nil || again != u || !secret.IsZero() {
			t.Errorf("%q is read as %q, %v", u, again, err)
		}
	})
}
