package main

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/scan/scantest"
)

const (
	password  = "Tr0ub4dor&3"
	password2 = "c0rrect;h0rse"
	odd       = `Tr0ub4;"c0rrect'}h0rse{ =%@/?#&`
)

// forms are the passwords as they may be written.
var forms = []string{password, password2, url.QueryEscape(password), url.PathEscape(password), url.QueryEscape(password2), "Tr0ub4", "c0rrect", "h0rse",
	fmt.Sprintf("%x", password)}

// clean fails where a password stands in text.
func clean(t *testing.T, where, text string) {
	t.Helper()
	for _, f := range forms {
		if strings.Contains(text, f) {
			t.Errorf("%s shows a password as %q: %s", where, f, text)
		}
	}
}

// TestSecrets runs the command over configurations that hold passwords, well and damaged, and looks for them in all that
// it writes: standard output, standard error on a terminal, the log, the file of --out.
func TestSecrets(t *testing.T) {
	amp := strings.ReplaceAll(password, "&", "&amp;")
	nowhere := "127.0.0.1:1" // nobody listens there
	net := func(conn, explicit string) string {
		return `<configuration><SuperOffice><Data><Database><add key="DatabaseMajor" value="MSSQL"/><add key="Server" value="127.0.0.1,1"/>
			<add key="Database" value="crm"/><add key="ConnectionString" value="` + conn + `"/></Database><Explicit>` + explicit + `</Explicit></Data>
			<Documents><add key="ArchivePath" value="arc"/><add key="ArchivePassword" value="` + amp + `"/></Documents></SuperOffice></configuration>`
	}
	explicit := `<add key="DBUser" value="u"/><add key="DBPassword" value="` + amp + `"/>`
	escaped := url.QueryEscape(password)
	for name, c := range map[string]struct {
		files  map[string]string
		args   []string
		vars   map[string]string
		status int
	}{
		"connection string": {files: map[string]string{"SuperOffice.config": net("Server=[@Server];Database=[@Database];User ID=u;Password='"+amp+"'", "")}, status: 1},
		"placeholders":      {files: map[string]string{"web.config": net("Server=[@Server];Database=[@Database];User ID=[@User];Password=[@Password]", explicit)}, status: 1},
		"damaged string":    {files: map[string]string{"web.config": net("Server='127.0.0.1,1"+amp, explicit)}, status: 1},
		"damaged XML":       {files: map[string]string{"web.config": net("", strings.Replace(explicit, "&amp;", "&", 1))}, status: 2},
		"cut XML":           {files: map[string]string{"SuperOffice.config": strings.SplitAfter(net("", explicit), "Tr0ub4")[0]}, status: 2},
		"XML of an entity":  {files: map[string]string{"web.config": net("", `<add key="DBPassword" value="&Tr0ub4dor;"/>`)}, status: 2},
		"service":           {files: map[string]string{"config": "dbHost=x\ndbType=mssql\ndbPassword=" + password + "\nnsPass=" + password2 + "\n"}, status: 2},
		"ini":               {files: map[string]string{"SuperOffice.ini": "[SuperOffice]\nDatapath=ODBC:x\nPassword=" + password + "\n"}, status: 2},
		"omt.json":          {files: map[string]string{"omt.json": `{"db":"sqlserver://u:` + escaped + `@` + nowhere + `?database=crm"}`}, status: 1},
		"omt.json, query":   {files: map[string]string{"omt.json": `{"db":"sqlserver://` + nowhere + `?database=crm&user+id=u&password=` + escaped + `"}`}, status: 1},
		"omt.json, damaged": {files: map[string]string{"omt.json": `{"db":"sqlserver://u:` + escaped + `@` + nowhere + `?database=crm"`}, status: 2},
		"omt.json, no URL":  {files: map[string]string{"omt.json": `{"db":"sqlserver://u:` + password + `@host:port"}`}, status: 2},
		"flag":              {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", "sqlserver://u:" + escaped + "@" + nowhere + "?database=crm"}, status: 1},
		"flag, no URL":      {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", "sqlserver://u:" + password + "/@:x"}, status: 2},
		"flag, file":        {files: map[string]string{"omt.json": "{}", "db.url": "sqlserver://u:" + escaped + "@" + nowhere + "?database=crm"}, args: []string{"--db", "@DIR/db.url"}, status: 1},
		"flag, no database": {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", "sqlserver://u:" + escaped + "@" + nowhere}, status: 2},
		"oracle":            {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", "oracle://scott:" + password + "@tns"}, status: 2},
		"variable": {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", "sqlserver://u@" + nowhere + "?database=crm"},
			vars: map[string]string{"OMT_DB_PASSWORD": password2}, status: 1},
		"variable of the flag": {files: map[string]string{"omt.json": "{}"},
			vars: map[string]string{"OMT_SCAN_DB": "sqlserver://u:" + escaped + "@" + nowhere + "?database=crm"}, status: 1},
		"flag, connection string":  {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", "Server=127.0.0.1,1;Database=crm;User ID=u;Password=" + password + ";Encrypt=true"}, status: 1},
		"flag, quoted string":      {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", `Server=127.0.0.1,1;Database=crm;User ID=u;Password="` + strings.ReplaceAll(odd, `"`, `""`) + `"`}, status: 1},
		"flag, string of ODBC":     {files: map[string]string{"omt.json": "{}"}, args: []string{"--db=Driver={SQL Server};Server=127.0.0.1,1;Database=crm;UID=u;PWD={" + strings.ReplaceAll(odd, "}", "}}") + "}"}, status: 1},
		"flag, password in pieces": {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", "Server=127.0.0.1,1;Database=crm;User ID=u;Password=Tr0ub4 dor&3,c0rrect;h0rse=1"}, status: 2},
		"flag, damaged string":     {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", `Server=127.0.0.1,1;Database=crm;User ID=u;Password="Tr0ub4 c0rrect 'h0rse`}, status: 2},
		"flag, unknown parameter":  {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", "sqlserver://u:" + escaped + "@" + nowhere + "?database=crm&Tr0=1"}, status: 2},
		"omt.json, string":         {files: map[string]string{"omt.json": `{"db":"Server=127.0.0.1,1;Database=crm;User ID=u;Password=` + password + `"}`}, status: 1},
		"omt.json, bad string":     {files: map[string]string{"omt.json": `{"db":"Server=127.0.0.1,1;Database=crm;User ID=u;Password=Tr0ub4;c0rrect=h0rse"}`}, status: 2},
		"secret of an application": {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", "sqlserver://id:" + escaped + "@" + nowhere + "?database=crm&fedauth=ActiveDirectoryServicePrincipal"}, status: 1},
		"secret of an application in the variable": {files: map[string]string{"omt.json": "{}"}, args: []string{"--db", "sqlserver://id@" + nowhere + "?database=crm&fedauth=ActiveDirectoryServicePrincipal"},
			vars: map[string]string{"OMT_DB_PASSWORD": password2}, status: 1},
		"variable, no URL": {files: map[string]string{"omt.json": "{}"}, vars: map[string]string{"OMT_SCAN_DB": "sqlserver://u:" + password + "@%"}, status: 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			flags := []string{"--install", dir, "--root", "document=" + dir}
			for _, a := range c.args {
				flags = append(flags, strings.ReplaceAll(a, "DIR", dir))
			}
			for _, toFile := range []bool{false, true} {
				look(t, append(slices.Clone(flags), scantest.Migrator()...), c.vars, toFile, c.status)
				vars := map[string]string{}
				for k, v := range c.vars {
					vars[strings.Replace(k, "OMT_SCAN_", "OMT_SCAN_DETECT_", 1)] = v
				}
				look(t, append([]string{"detect"}, flags...), vars, toFile, -1)
			}
		})
	}
}

// look runs the command, and looks through all that it wrote. A status below zero is not looked at.
func look(t *testing.T, args []string, vars map[string]string, toFile bool, want int) {
	t.Helper()
	p := clitest.New(t, "omt-scan", args...)
	out := filepath.Join(p.Env.TempDir, "out")
	if toFile {
		p.Env.Args = append(p.Env.Args, "--out", out)
	}
	p.StderrTerminal, p.Vars = true, vars
	if status := p.Run(context.Background(), command); want >= 0 && status != want {
		t.Errorf("status %d, want %d: %s", status, want, p.Stderr.String())
	}
	clean(t, "standard output", p.Stdout.String())
	clean(t, "standard error", p.Stderr.String())
	logs := 0
	err := filepath.WalkDir(p.Env.TempDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if filepath.Ext(path) == ".log" {
			logs++
		}
		text, err := os.ReadFile(path)
		clean(t, path, string(text))
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if logs == 0 && want != 2 { // a flag that is wrong is told before there is a log
		t.Error("there is no log to look into")
	}
}
