package install

import (
	"errors"
	"strings"
	"testing"
)

// fakeRegistry is a registry of keys with values; a key that is nil cannot be read.
type fakeRegistry map[string]map[string]string

func (r fakeRegistry) values(key string) (map[string]string, bool, error) {
	for k, v := range r {
		if strings.EqualFold(k, key) {
			if v == nil {
				return nil, false, errors.New("access is denied")
			}
			return v, true, nil
		}
	}
	return nil, false, nil
}

const (
	root32   = `HKLM\SOFTWARE\WOW6432Node\ODBC\ODBC.INI\`
	root64   = `HKLM\SOFTWARE\ODBC\ODBC.INI\`
	rootUser = `HKCU\SOFTWARE\ODBC\ODBC.INI\`
	list     = `ODBC Data Sources`
	alias32  = `HKLM\SOFTWARE\WOW6432Node\Microsoft\MSSQLServer\Client\ConnectTo`
)

func TestDataSource(t *testing.T) {
	type values = map[string]string
	sqlsrv := values{"Driver": `C:\WINDOWS\system32\SQLSRV32.dll`, "Server": "sql1", "Database": "crm", "LastUser": "sa", "Description": "SuperOffice"}
	with := func(more values) values {
		out := values{}
		for k, v := range sqlsrv {
			out[k] = v
		}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	for name, c := range map[string]struct {
		reg         fakeRegistry
		want        string
		integrated  bool
		err, engine string
	}{
		"32-bit":             {reg: fakeRegistry{root32 + "so8": sqlsrv, root32 + list: {"SO8": "SQL Server"}}, want: "sqlserver://sql1?database=crm"},
		"32-bit before 64":   {reg: fakeRegistry{root64 + "SO8": with(values{"Server": "wrong"}), root32 + "SO8": sqlsrv}, want: "sqlserver://sql1?database=crm"},
		"64-bit":             {reg: fakeRegistry{root64 + "SO8": sqlsrv, rootUser + "SO8": with(values{"Server": "wrong"})}, want: "sqlserver://sql1?database=crm"},
		"the user's":         {reg: fakeRegistry{rootUser + "SO8": sqlsrv}, want: "sqlserver://sql1?database=crm"},
		"trusted":            {reg: fakeRegistry{root32 + "SO8": with(values{"Trusted_Connection": "Yes"})}, want: "sqlserver://sql1?database=crm", integrated: true},
		"encrypted":          {reg: fakeRegistry{root32 + "SO8": with(values{"Encrypt": "Yes", "TrustServerCertificate": "Yes", "Server": `tcp:sql1\CRM`})}, want: "sqlserver://sql1/CRM?TrustServerCertificate=true&database=crm&encrypt=true"},
		"what we ignore":     {reg: fakeRegistry{root32 + "SO8": with(values{"SomethingNew": "1", "AutoTranslate": "No"})}, want: "sqlserver://sql1?database=crm"},
		"a client's alias":   {reg: fakeRegistry{root32 + "SO8": with(values{"Server": "SOSQL"}), alias32: {"sosql": "DBMSSOCN,sql7,1444"}}, want: "sqlserver://sql7:1444?database=crm"},
		"an alias by pipe":   {reg: fakeRegistry{root32 + "SO8": sqlsrv, alias32: {"sql1": `DBNMPNTW,\\sql1\pipe\sql\query`}}, err: "another network than TCP/IP"},
		"another alias":      {reg: fakeRegistry{root32 + "SO8": sqlsrv, alias32: {"sql2": "DBMSSOCN,sql7"}}, want: "sqlserver://sql1?database=crm"},
		"nowhere":            {reg: fakeRegistry{root32 + "SO7": sqlsrv}, err: `"SO8" is not in the registry: neither among the system's (32-bit, then 64-bit) nor the user's`},
		"denied":             {reg: fakeRegistry{root32 + "SO8": nil}, err: "access is denied"},
		"list denied":        {reg: fakeRegistry{root32 + "SO8": sqlsrv, root32 + list: nil}, err: "access is denied"},
		"no database":        {reg: fakeRegistry{root32 + "SO8": {"Driver": "sqlncli11.dll", "Server": "sql1"}}, err: `server "sql1" and database "", and both are needed`},
		"no driver":          {reg: fakeRegistry{root32 + "SO8": {"Server": "sql1", "Database": "crm"}}, err: "names no driver"},
		"oracle by file":     {reg: fakeRegistry{root32 + "SO8": {"Driver": `C:\oracle\bin\SQORA32.DLL`, "ServerName": "TNS", "UserID": "crm7"}}, engine: "Oracle"},
		"oracle by name":     {reg: fakeRegistry{root32 + "SO8": {"Driver": `C:\o.dll`}, root32 + list: {"SO8": "Oracle in OraClient11g_home1"}}, engine: "Oracle"},
		"sybase":             {reg: fakeRegistry{root32 + "SO8": {"Driver": `C:\sa\dbodbc12.dll`}, root32 + list: {"SO8": "SQL Anywhere 12"}}, engine: "Sybase"},
		"file beats name":    {reg: fakeRegistry{root32 + "SO8": {"Driver": `C:\o\SQORA32.DLL`}, root32 + list: {"SO8": "SQL Server"}}, engine: "Oracle"},
		"something else":     {reg: fakeRegistry{root32 + "SO8": with(values{"Driver": "x.dll"}), root32 + list: {"SO8": "Paradox"}}, err: `driver "Paradox" is none of SQL Server's`},
		"not taken":          {reg: fakeRegistry{root32 + "SO8": with(values{"AttachDBFileName": `c:\x.mdf`})}, err: `key "AttachDBFileName" is not taken`},
		"no registry":        {err: "Windows alone"},
		"native client":      {reg: fakeRegistry{root64 + "SO8": with(values{"Driver": `C:\Windows\system32\sqlncli11.dll`})}, want: "sqlserver://sql1?database=crm"},
		"a newer driver":     {reg: fakeRegistry{root64 + "SO8": with(values{"Driver": `C:\Windows\system32\msodbcsql17.dll`}), root64 + list: {"SO8": "ODBC Driver 17 for SQL Server"}}, want: "sqlserver://sql1?database=crm"},
		"a server on a pipe": {reg: fakeRegistry{root32 + "SO8": with(values{"Network": "DBNMPNTW"})}, err: "another network"},
	} {
		t.Run(name, func(t *testing.T) {
			var reg registry
			if c.reg != nil {
				reg = c.reg
			}
			p, err := dataSource(reg, "SO8")
			var not *problem
			switch {
			case c.engine != "":
				if !errors.As(err, &not) || not.engine != c.engine {
					t.Errorf("%v, want engine %q", err, c.engine)
				}
				return
			case c.err != "":
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v, want %q", err, c.err)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			u, err := serverURL(p.server, p.database, p.options)
			if err != nil || u != c.want || p.integrated != c.integrated || p.user != "" {
				t.Errorf("%q, integrated %v, %v", u, p.integrated, err)
			}
		})
	}
}

// A data source completes what a connection string leaves out, and no more.
func TestSplitDSN(t *testing.T) {
	reg := fakeRegistry{root32 + "SO8": {"Driver": "sqlsrv32.dll", "Server": "sql1", "Database": "crm", "Encrypt": "Yes", "Trusted_Connection": "Yes"}}
	for in, want := range map[string][3]string{
		"ODBC:SO8":                          {"sqlserver://sql1?database=crm&encrypt=true"},
		"odbc: so8 ":                        {"sqlserver://sql1?database=crm&encrypt=true"},
		"DSN=SO8;UID=u;PWD={p;w}":           {"sqlserver://sql1?database=crm&encrypt=true", "u", "p;w"},
		"DSN=SO8;Database=other;Encrypt=no": {"sqlserver://sql1?database=other&encrypt=false"},
	} {
		got, secret, err := splitURL(in, "/x", reg)
		user, pass := secret.Reveal()
		if err != nil || [3]string{got, user, pass} != want {
			t.Errorf("%q: %q %q %q, %v", in, got, user, pass, err)
		}
	}
	_, _, err := splitURL("DSN=SO9", "/x", reg)
	wantUsage(t, err, `"SO9" is not in the registry`)
	_, _, err = splitURL("ODBC:SO9", "/x", fakeRegistry{root32 + "SO9": {"Driver": "sqora32.dll"}})
	wantUsage(t, err, "a database of Oracle cannot be read")
}

// What the files of a Windows client leave to the registry is found there.
func TestResolve(t *testing.T) {
	source := map[string]string{"Driver": "sqlsrv32.dll", "Server": "sql1", "Database": "crm"}
	stripped := netConfig("", add("DatabaseMajor", "MSSQL", "Server", "", "Database", "", "ConnectionString", placeholders),
		add("DBUser", "crm7", "DBPassword", password), "")
	for name, c := range map[string]struct {
		files    map[string]string
		reg      fakeRegistry
		db, user string
		says     []string
	}{
		"ini alone": {files: map[string]string{"SuperOffice.ini": plainINI}, reg: fakeRegistry{root32 + "SuperOffice8": source}, db: "sqlserver://sql1?database=crm"},
		"ini and a stripped config": {files: map[string]string{"SuperOffice.ini": plainINI, "SuperOffice.config": stripped},
			reg: fakeRegistry{root32 + "SuperOffice8": source}, db: "sqlserver://sql1?database=crm", user: "crm7"},
		"a config that names its own": {files: map[string]string{"SuperOffice.ini": plainINI, "SuperOffice.config": netFile},
			reg: fakeRegistry{root32 + "SuperOffice8": {"Driver": "sqlsrv32.dll", "Server": "other", "Database": "x"}}, db: "sqlserver://sql1?database=crm", user: "crm7"},
		"service":                 {files: map[string]string{"config": serviceFile + "dbDatabase=SO8\r\ndbUsername=cs\r\n"}, reg: fakeRegistry{root32 + "SO8": source}, db: "sqlserver://sql1?database=crm", user: "cs"},
		"trusted":                 {files: map[string]string{"config": serviceFile + "dbDatabase=SO8\r\ndbUsername=cs\r\n"}, reg: fakeRegistry{root32 + "SO8": {"Driver": "sqlsrv32.dll", "Server": "sql1", "Database": "crm", "Trusted_Connection": "Yes"}}, db: "sqlserver://sql1?database=crm"},
		"oracle by driver":        {files: map[string]string{"SuperOffice.ini": plainINI}, reg: fakeRegistry{root32 + "SuperOffice8": {"Driver": "SQORA32.DLL"}}, says: []string{"SuperOffice.ini", "Oracle", "cannot be read"}},
		"oracle by config":        {files: map[string]string{"SuperOffice.ini": plainINI, "SuperOffice.config": netConfig("", add("DatabaseMajor", "Oracle"), "", "")}, reg: fakeRegistry{root32 + "SuperOffice8": source}, says: []string{"SuperOffice.config", "Oracle"}},
		"not in the registry":     {files: map[string]string{"SuperOffice.ini": plainINI}, reg: fakeRegistry{}, says: []string{"SuperOffice.ini", `"SuperOffice8" is not in the registry`, "--db"}},
		"a server we do not read": {files: map[string]string{"SuperOffice.ini": plainINI}, reg: fakeRegistry{root32 + "SuperOffice8": {"Driver": "sqlsrv32.dll", "Server": `np:\\x\pipe`, "Database": "crm"}}, says: []string{"SuperOffice.ini", "named pipe"}},
		"no registry":             {files: map[string]string{"SuperOffice.ini": plainINI}, says: []string{"registry of Windows alone"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := Find(tree(t, c.files))
			if err != nil {
				t.Fatal(err)
			}
			if c.reg != nil {
				cfg.resolve(c.reg)
			}
			user, pass := cfg.Credentials.Reveal()
			if cfg.DB != c.db || user != c.user || c.user != "" && pass != password {
				t.Errorf("db %q, login %q %q", cfg.DB, user, pass)
			}
			if c.says != nil {
				wantUsage(t, cfg.NoDatabase(), c.says...)
			}
			if strings.Contains(strings.Join(cfg.Notes, "\n"), password) {
				t.Errorf("a note shows the password: %q", cfg.Notes)
			}
			if c.db != "" && cfg.From("db") == "" {
				t.Error("nobody is said to have named the database")
			}
		})
	}
}
