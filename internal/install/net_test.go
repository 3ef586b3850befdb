package install

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

// netConfig is SuperOffice.config with the given keys of Data/Database and Documents.
func netConfig(head, database, explicit, documents string) string {
	return head + `<configuration>
  <configSections><sectionGroup name="SuperOffice"><section name="Documents"/></sectionGroup></configSections>
  <appSettings><add key="ArchivePath" value="C:\wrong"/></appSettings>
  <SuperOffice>
    <Data>
      <Database>` + database + `</Database>
      <Explicit>` + explicit + `</Explicit>
      <Session><add key="TablePrefix" value="wrong"/></Session>
    </Data>
    <Documents>` + documents + `<!-- <add key="ArchivePath" value="C:\old"/> --></Documents>
    <Security><Cryptography><add key="SymmetricSecret" value="` + strings.ReplaceAll(password, "&", "&amp;") + `"/></Cryptography></Security>
  </SuperOffice>
</configuration>`
}

func add(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		r := strings.NewReplacer("&", "&amp;", `"`, "&quot;")
		fmt.Fprintf(&b, `<add key="%s" value="%s" />`, pairs[i], r.Replace(pairs[i+1]))
	}
	return b.String()
}

const placeholders = "Server=[@Server];Database=[@Database];User ID=[@User];Password=[@Password]"

func TestReadNetDatabase(t *testing.T) {
	for name, c := range map[string]struct {
		database       []string
		explicit       []string
		db             string
		user, password string
		note           string
	}{
		"placeholders": {
			[]string{"DatabaseMajor", "MSSQL", "Server", `SQL1\CRM`, "Database", "so crm", "ConnectionString", placeholders},
			[]string{"DBUser", "crm7", "DBPassword", password},
			"sqlserver://SQL1/CRM?database=so+crm", "crm7", password, "",
		},
		"a password that needs quotes": {
			[]string{"Server", "sql1", "Database", "crm", "ConnectionString", placeholders},
			[]string{"DBUser", "crm7", "DBPassword", `a;b"c'd=e `},
			"sqlserver://sql1?database=crm", "crm7", `a;b"c'd=e`, "",
		},
		"all in the connection string": {
			[]string{"ConnectionString", `Data Source=tcp:sql1,1444 ; Initial Catalog="crm""x";uid=u;PWD='p;q';Encrypt=yes;TrustServerCertificate=True;`},
			nil, "sqlserver://sql1:1444?TrustServerCertificate=true&database=crm%22x&encrypt=true", "u", "p;q", "",
		},
		"integrated": {
			[]string{"Server", ".", "Database", "crm", "ConnectionString", "Server=[@Server];Database=[@Database];Integrated Security=SSPI"},
			[]string{"DBUser", "crm7", "DBPassword", password},
			"sqlserver://localhost?database=crm", "", "", "",
		},
		"no connection string": {
			[]string{"Server", `(local)\SQLEXPRESS`, "Database", "crm"}, []string{"DBUser", "crm7", "DBPassword", password},
			"sqlserver://localhost/SQLEXPRESS?database=crm", "crm7", password, "",
		},
		"stripped": {[]string{"DatabaseMajor", "MSSQL", "Server", "", "Database", "", "ConnectionString", placeholders}, nil, "", "", "", ""},
		"half":     {[]string{"Server", "sql1"}, nil, "", "", "", `server "sql1", database ""`},
		"pipe":     {[]string{"Server", `np:\\sql1\pipe\sql\query`, "Database", "crm"}, nil, "", "", "", "named pipe"},
		"damaged": {
			[]string{"Server", "sql1", "Database", "crm", "ConnectionString", `Server="sql1` + password}, []string{"DBUser", "crm7"},
			"sqlserver://sql1?database=crm", "crm7", "", "the connection string is damaged",
		},
		"removed again": {[]string{"Server", "sql1", "Database", "crm", "ConnectionString", ""}, nil, "sqlserver://sql1?database=crm", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readNet([]byte(netConfig("", add(c.database...), add(c.explicit...), "")), "/so/SuperOffice.config", "/so")
			if err != nil {
				t.Fatal(err)
			}
			if got.DB != c.db {
				t.Errorf("db %q, want %q", got.DB, c.db)
			}
			user, pass := got.Credentials.Reveal()
			if user != c.user || strings.TrimSpace(pass) != c.password {
				t.Errorf("credentials %q %q, want %q %q", user, pass, c.user, c.password)
			}
			notes := strings.Join(got.Notes, "\n")
			if !strings.Contains(notes, c.note) || c.note == "" && notes != "" || strings.Contains(notes, password) {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
}

func TestReadNetFoldersAndEncodings(t *testing.T) {
	body := netConfig("%s", add("TablePrefix", "crm8"), "",
		add("ArchivePath", `C:\SO_ARC\`, "ArchivePath2", `\\nas\Eldre år`, "ArchivePath10", `D:\ti`, "TemplatePath", ""))
	want := map[manifest.Area][]string{manifest.Document: {`C:\SO_ARC\`, `\\nas\Eldre år`, `D:\ti`}}
	xml := func(label string) string {
		return strings.Replace(body, "%s", `<?xml version="1.0" encoding="`+label+`"?>`+"\r\n", 1)
	}
	for name, text := range map[string]string{
		"no declaration":            strings.Replace(body, "%s", "", 1),
		"no declaration, ansi":      ansi(strings.Replace(body, "%s", "", 1)),
		"utf-8":                     xml("utf-8"),
		"UTF8 marked":               "\ufeff" + xml("UTF-8"),
		"declared utf-8, is ansi":   ansi(xml("utf-8")),
		"windows-1252":              ansi(xml("windows-1252")),
		"iso-8859-1":                ansi(xml("ISO-8859-1")),
		"utf-16 le":                 utf16le(xml("utf-16")),
		"utf-16 be":                 utf16be(xml("UTF-16")),
		"utf-8 mark beats its name": "\ufeff" + xml("windows-1252"),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readNet([]byte(text), "/so/web.config", "/so")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got.Roots); d != "" {
				t.Error(d)
			}
			if got.Prefix != "crm8" {
				t.Errorf("prefix %q", got.Prefix)
			}
		})
	}
}

func TestReadNetSections(t *testing.T) {
	text := `<configuration><superoffice><DATA><database configSource="db.config"><Add Key="tableprefix" Value=" a "/>
		<remove key="TablePrefix"/><add key="Server" value="x"/><clear/><add key="tablePrefix" value="b"/></database></DATA>
		<Documents><Deeper><add key="ArchivePath" value="C:\no"/></Deeper></Documents></superoffice></configuration>`
	got, err := readNet([]byte(text), "/so/web.config", "/so")
	if err != nil {
		t.Fatal(err)
	}
	if got.Prefix != "b" || len(got.Roots) != 0 || got.DB != "" {
		t.Errorf("prefix %q, roots %v, db %q", got.Prefix, got.Roots, got.DB)
	}
	if !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, `"db.config"`) }) {
		t.Errorf("notes %q do not name the other file", got.Notes)
	}
}

func TestDamagedNet(t *testing.T) {
	secret := `<add key="DBPassword" value="` + password + `"/>` // the bare & is what is wrong
	for name, c := range map[string]struct{ text, want string }{
		"cut":              {netConfig("", "", "", "")[:200], "the XML is damaged at line"},
		"a bare ampersand": {netConfig("", "", secret, ""), "the XML is damaged at line 7"},
		"tags that cross":  {"<configuration><SuperOffice></configuration>", "the XML is damaged at line 1"},
		"no element":       {"<configuration><appSettings/></configuration>", "there is no element SuperOffice"},
		"unknown encoding": {`<?xml version="1.0" encoding="klingon"?><configuration/>`, "the XML is damaged at line 1"},
		"bare utf-16":      {utf16le(netConfig("", "", "", ""))[2:], "looks like UTF-16"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readNet([]byte(c.text), "/so/SuperOffice.config", "/so")
			wantUsage(t, err, c.want)
			dir := tree(t, map[string]string{"SuperOffice.config": c.text})
			_, err = Find(dir)
			wantUsage(t, err, c.want, dir)
		})
	}
}

func TestEnginesThatCannotBeRead(t *testing.T) {
	for major, want := range map[string]string{
		"Oracle": "Oracle", "ORACLE": "Oracle", "Sybase": "Sybase", "DB2": "DB2", "Paradox": `engine "Paradox"`,
	} {
		text := netConfig("", add("DatabaseMajor", major, "Server", "tns", "TablePrefix", "crm7"), add("DBPassword", password), "")
		dir := tree(t, map[string]string{"SuperOffice.config": text})
		c, err := Find(dir)
		if err != nil {
			t.Fatal(err)
		}
		if c.DB != "" || !c.Credentials.IsZero() {
			t.Errorf("%s: db %q", major, c.DB)
		}
		wantUsage(t, c.NoDatabase(), want, "cannot be read", "--db", "SuperOffice.config")
	}
}

func FuzzReadNet(f *testing.F) {
	f.Add([]byte(netConfig("", add("Server", "a", "Database", "b", "ConnectionString", placeholders), "", add("ArchivePath", "C:\\x"))))
	f.Add([]byte(utf16le("<configuration/>")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := readNet(raw, "/f", "/")
		if err == nil && c.DB != "" && !strings.HasPrefix(c.DB, "sqlserver://") {
			t.Errorf("db %q", c.DB)
		}
	})
}

// What a connection string leaves open, or says that is not used, is named.
func TestNetSaysWhatIsNotUsed(t *testing.T) {
	for name, c := range map[string]struct {
		database []string
		explicit []string
		db       string
		note     []string // in Notes, one each
		why      []string // in NoDatabase
	}{
		"no login": {
			database: []string{"Server", "sql1", "Database", "crm", "ConnectionString", placeholders},
			db:       "sqlserver://sql1?database=crm", note: []string{"leaves [@User] and [@Password] open"},
		},
		"no server": {
			database: []string{"Database", "crm", "ConnectionString", placeholders}, explicit: []string{"DBUser", "u", "DBPassword", password},
			why: []string{"SuperOffice.config", "leaves [@Server] open", "--db"},
		},
		"nothing at all": {database: []string{"ConnectionString", placeholders}, why: []string{"[@Server] and [@Database] and [@User] and [@Password]"}},
		"a placeholder of another product": {
			database: []string{"Server", "sql1", "Database", "crm", "ConnectionString", "Server=[@Server];Database=[@Database];User ID=[@Login];Password=[@Password]"},
			explicit: []string{"DBUser", "u", "DBPassword", password}, db: "sqlserver://sql1?database=crm", note: []string{"leaves [@Login] open"},
		},
		"an unknown key": {
			database: []string{"ConnectionString", "Server=sql1;Database=crm;Integrated Security=SSPI;Turbo=on;Speed=9"},
			db:       "sqlserver://sql1?database=crm", note: []string{`keys "Turbo", "Speed" are not known; it is not used`},
		},
		"a password that is not quoted": {
			database: []string{"ConnectionString", "Server=sql1;Database=crm;User ID=u;Password=Tr0ub4dor&;3=x"},
			db:       "sqlserver://sql1?database=crm", note: []string{"what follows the password is no key"},
		},
		"a partner that is an instance": {
			database: []string{"ConnectionString", `Server=sql1;Database=crm;Integrated Security=SSPI;Failover Partner=sql2\CRM`},
			db:       "sqlserver://sql1?database=crm", note: []string{"the failover partner is not used"},
		},
		"a file to attach": {
			database: []string{"Server", "sql1", "Database", "crm", "ConnectionString", `Server=[@Server];Database=[@Database];AttachDbFilename=c:\x.mdf`},
			why:      []string{"SuperOffice.config", `"AttachDbFilename" is not taken`},
		},
		"oracle by provider":  {database: []string{"Server", "tns", "Database", "x", "ConnectionString", "Provider=OraOLEDB.Oracle;Data Source=[@Server]"}, why: []string{"SuperOffice.config", "Oracle", "cannot be read"}},
		"oracle by its major": {database: []string{"DatabaseMajor", "Oracle11"}, why: []string{"Oracle", "cannot be read"}},
		"a data source":       {database: []string{"ConnectionString", "DSN=SO8;UID=u;PWD=" + password}, why: []string{`"SO8"`, "registry of Windows alone"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readNet([]byte(netConfig("", add(c.database...), add(c.explicit...), "")), "/so/SuperOffice.config", "/so")
			if err != nil {
				t.Fatal(err)
			}
			if got.DB != c.db {
				t.Errorf("db %q, want %q", got.DB, c.db)
			}
			notes := strings.Join(got.Notes, "\n")
			for _, n := range c.note {
				if !strings.Contains(notes, n) {
					t.Errorf("notes %q lack %q", notes, n)
				}
			}
			if c.note == nil && notes != "" || strings.Contains(notes, "Tr0ub4dor") {
				t.Errorf("notes %q", notes)
			}
			if c.why != nil {
				wantUsage(t, got.NoDatabase(), c.why...)
			}
		})
	}
}
