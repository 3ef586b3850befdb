package install

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

var (
	netFile = netConfig("", add("DatabaseMajor", "MSSQL", "Server", "sql1", "Database", "crm", "TablePrefix", "crm8", "ConnectionString", placeholders),
		add("DBUser", "crm7", "DBPassword", password), add("ArchivePath", `C:\SO_ARC`))
	serviceFile = "dbHost=sql1\r\ndbPassword=" + password + "\r\ndbType=mssql\r\n"
	otherWeb    = "<configuration><system.web/></configuration>"
)

func TestFindAWholeInstallation(t *testing.T) {
	dir := tree(t, map[string]string{
		"SuperOffice Windows/superoffice.INI":       plainINI,
		"SuperOffice Windows/SUPEROFFICE.CONFIG":    netFile,
		"Customer Service/config":                   serviceFile,
		"Customer Service/www/config":               "[core]\n",
		"Web/Scripts/web.config":                    otherWeb,
		"Web/damaged/web.config":                    "<configuration",
		"repo/.git/config":                          "[core]\nbare=false\n",
		"a/b/c/d/SuperOffice.ini":                   plainINI,
		"SO_ARC/bob/2002.2/SuperOffice.ini":         plainINI,
		"deep/omt.json":                             "{}",
		"Customer Service/SuperOffice.config/dummy": "",
	})
	c, err := Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[manifest.Area][]string{
		manifest.Document: {`C:\SO_ARC`}, manifest.Service: {filepath.Join(dir, "Customer Service")},
	}
	if d := cmp.Diff(want, c.Roots); d != "" {
		t.Error(d)
	}
	if c.DB != "sqlserver://sql1?database=crm" || c.Prefix != "crm8" {
		t.Errorf("db %q, prefix %q", c.DB, c.Prefix)
	}
	if user, pass := c.Credentials.Reveal(); user != "crm7" || pass != password {
		t.Errorf("credentials %q %q", user, pass)
	}
	if from := c.From("db"); filepath.Base(from) != "SUPEROFFICE.CONFIG" {
		t.Errorf("the database comes from %q", from)
	}
	if notes := strings.Join(c.Notes, "\n"); !strings.Contains(notes, "superoffice.INI") || !strings.Contains(notes, `Eldre år`) {
		t.Errorf("nothing is said of the ini file's other folders: %q", notes)
	}
}

func TestFindTakesTheConfigFileAlone(t *testing.T) {
	dir := tree(t, map[string]string{
		"OMT.json":        `{"db":"sqlite:crm.sqlite","roots":{"document":["arc"]}}`,
		"SuperOffice.ini": plainINI, "a/SuperOffice.ini": plainINI,
	})
	c, err := Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.DB != "sqlite:"+filepath.Join(dir, "crm.sqlite") || c.Roots[manifest.Document][0] != filepath.Join(dir, "arc") || c.Prefix != "" {
		t.Errorf("%+v", c)
	}
}

func TestSeveralFilesOfAKind(t *testing.T) {
	dir := tree(t, map[string]string{
		"old/SuperOffice.ini": plainINI, "new/SuperOffice.ini": strings.Replace(plainINI, "crm5", "crm9", 1),
		"old/SuperOffice.config": netFile, "Net/web.config": netFile,
		"cs1/config": serviceFile, "cs2/config": serviceFile,
	})
	_, err := Find(dir)
	wantUsage(t, err, "SuperOffice.config or web.config", filepath.Join("old", "SuperOffice.config"), filepath.Join("Net", "web.config"), "--config FILE")
	_, err = Load(dir, filepath.Join(dir, "Net", "web.config"))
	wantUsage(t, err, filepath.Join("old", "SuperOffice.ini"), filepath.Join("new", "SuperOffice.ini"))
	if err := os.RemoveAll(filepath.Join(dir, "cs2")); err != nil {
		t.Fatal(err)
	}
	// What lies beside the chosen file is meant; what is one of its kind is taken too.
	_, err = Load(dir, filepath.Join(dir, "new", "SuperOffice.ini"))
	wantUsage(t, err, "web.config") // two of those, and neither beside it
	c, err := Load(dir, filepath.Join(dir, "old", "SuperOffice.config"))
	if err != nil {
		t.Fatal(err)
	}
	if c.dsn.File != filepath.Join(dir, "old", "SuperOffice.ini") || c.From("roots.service") != filepath.Join(dir, "cs1", "config") {
		t.Errorf("ini %q, service %q", c.dsn.File, c.From("roots.service"))
	}
}

func TestLoadOneFile(t *testing.T) {
	dir := tree(t, map[string]string{
		"a/SuperOffice.ini": plainINI, "a/SuperOffice.config": netConfig("", "", "", ""),
		"b/my.cfg": plainINI, "c/service.txt": serviceFile, "d/settings": `{"prefix":"crm7"}`, "e/net.xml": netFile, "e/web.config": otherWeb,
		"f/readme": "hello", "g/web.config": netFile, "h/SuperOffice.config": netFile, "h/SuperOffice.ini": plainINI,
	})
	for name, want := range map[string]Config{
		"a/SuperOffice.config": {Prefix: "crm5", Roots: map[manifest.Area][]string{manifest.Document: {`\\srv\so_arc\`, `D:\Eldre år`}}},
		"b/my.cfg":             {Prefix: "crm5", Roots: map[manifest.Area][]string{manifest.Document: {`\\srv\so_arc\`, `D:\Eldre år`}}},
		"c/service.txt":        {Roots: map[manifest.Area][]string{manifest.Service: {filepath.Join(dir, "c")}}},
		"d/settings":           {Prefix: "crm7"},
		"e/net.xml":            {DB: "sqlserver://sql1?database=crm", Prefix: "crm8", Roots: map[manifest.Area][]string{manifest.Document: {`C:\SO_ARC`}}},
		"h/SuperOffice.ini":    {DB: "sqlserver://sql1?database=crm", Prefix: "crm5", Roots: map[manifest.Area][]string{manifest.Document: {`\\srv\so_arc\`, `D:\Eldre år`}}},
	} {
		c, err := Load("", filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := Config{DB: c.DB, Prefix: c.Prefix, Roots: c.Roots}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(Config{}), cmp.Comparer(func(a, b Secret) bool { return a.IsZero() == b.IsZero() })); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	_, err := Load("", filepath.Join(dir, "f/readme"))
	wantUsage(t, err, "readme", "no configuration file that is understood")
	_, err = Load("", filepath.Join(dir, "e/web.config"))
	wantUsage(t, err, "there is no element SuperOffice")
}

func TestWhatIsNotThere(t *testing.T) {
	dir := tree(t, map[string]string{"a/b": ""})
	for name, want := range map[string]string{"no": "no such file", "a": "it is a folder"} {
		_, err := Load("", filepath.Join(dir, name))
		wantUsage(t, err, filepath.Join(dir, name), want)
	}
	_, err := Find(filepath.Join(dir, "no"))
	wantUsage(t, err, "no such file", "looking into")
	_, err = Find(filepath.Join(dir, "a", "b"))
	wantUsage(t, err, "looking into")
	_, err = Find(dir)
	wantUsage(t, err, "nothing of an installation was found", "--config", "--db", "--root")
	c, err := Load("", "")
	if err != nil {
		t.Fatal(err)
	}
	wantUsage(t, c.NoDatabase(), "no database is named", "--install", "--config", "--db")
}

func TestAFolderOfSomebodyElseIsPassedOver(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("the mode of a folder does not keep this user out")
	}
	dir := tree(t, map[string]string{"a/SuperOffice.ini": plainINI, "b/x": ""})
	if err := os.Chmod(filepath.Join(dir, "b"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(dir, "b"), 0o700)
	c, err := Find(dir)
	if err != nil || c.Prefix != "crm5" {
		t.Errorf("prefix %q, %v", c.Prefix, err)
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	other := tree(t, map[string]string{"SuperOffice.ini": plainINI})
	dir := tree(t, map[string]string{"x": ""})
	if err := os.Symlink(other, filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(filepath.Join(other, "SuperOffice.ini"), filepath.Join(dir, "SuperOffice.ini")); err != nil {
		t.Fatal(err)
	}
	_, err := Find(dir)
	wantUsage(t, err, "nothing of an installation was found")
}

func TestNoDatabase(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"odbc":               {map[string]string{"SuperOffice.ini": plainINI}, []string{"SuperOffice.ini", `"SuperOffice8"`, "registry of Windows", "--db", "--prefix"}},
		"service's data set": {map[string]string{"config": "dbDatabase=SODSN\n"}, []string{"config", `"SODSN"`, "--db"}},
		"oracle of service":  {map[string]string{"config": "dbType=oracle\ndbDatabase=SODSN\n"}, []string{"Oracle", "cannot be read"}},
		"oracle beats odbc":  {map[string]string{"SuperOffice.ini": plainINI, "SuperOffice.config": netConfig("", add("DatabaseMajor", "Oracle"), "", "")}, []string{"Oracle"}},
		"config file":        {map[string]string{"omt.json": `{"prefix":"crm7"}`}, []string{"omt.json", "names no database", "--db"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := Find(tree(t, c.files))
			if err != nil {
				t.Fatal(err)
			}
			wantUsage(t, cfg.NoDatabase(), c.want...)
		})
	}
}
