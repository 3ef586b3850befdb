package install

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

const plainINI = "; client of Blåbær\r\n[SuperOffice]\r\nDatapath=ODBC:SuperOffice8\r\narchivepath=\\\\srv\\so_arc\\\r\n" +
	"archivepath2 = \"D:\\Eldre år\"\r\narchivepath3=\r\nARCHIVEPATH=X:\\second\r\nGlobalPrefix = crm5 \r\nLocal_ArchivePath=C:\\local\r\n\r\n" +
	"[Error]\r\nEnableDebug=1\r\n"

func TestReadINI(t *testing.T) {
	docs := []string{`\\srv\so_arc\`, `D:\Eldre år`}
	for name, c := range map[string]struct {
		text   string
		prefix string
		roots  map[manifest.Area][]string
		dsn    string
	}{
		"plain":        {plainINI, "crm5", map[manifest.Area][]string{manifest.Document: docs}, "SuperOffice8"},
		"ansi":         {ansi(plainINI), "crm5", map[manifest.Area][]string{manifest.Document: docs}, "SuperOffice8"},
		"utf-8 marked": {"\ufeff" + plainINI, "crm5", map[manifest.Area][]string{manifest.Document: docs}, "SuperOffice8"},
		"utf-16 le":    {utf16le(plainINI), "crm5", map[manifest.Area][]string{manifest.Document: docs}, "SuperOffice8"},
		"utf-16 be":    {utf16be(plainINI), "crm5", map[manifest.Area][]string{manifest.Document: docs}, "SuperOffice8"},
		"plugin's archive paths come first": {
			"[superoffice]\narchivepath=C:\\a\ntemplatepath=C:\\t\n[DOCPLUGIN_SOARC]\nArchivePath=C:\\b\nArchivePath1=c:\\B\\\nArchivePath2=C:\\c\n", "",
			map[manifest.Area][]string{manifest.Document: {`C:\b`, `C:\c`}, manifest.Template: {`C:\t`}}, "",
		},
		"relative paths are from the folder": {
			"[SuperOffice]\narchivepath=SO_ARC\\arc\n", "",
			map[manifest.Area][]string{manifest.Document: {"/so/SO_ARC/arc"}}, "",
		},
		"a data path that is no ODBC":  {"[SuperOffice]\nDatapath=C:\\db\n", "", nil, ""},
		"lines before a section":       {"archivepath=C:\\no\n[SuperOffice]\nnonsense\n=\n", "", nil, ""},
		"a section that is not closed": {"[SuperOffice\nGlobalPrefix='crm8'\n", "crm8", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text, _, err := decode([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := readINI(text, "/so/SuperOffice.ini", "/so")
			if err != nil {
				t.Fatal(err)
			}
			if got.Prefix != c.prefix {
				t.Errorf("prefix %q, want %q", got.Prefix, c.prefix)
			}
			if d := cmp.Diff(c.roots, got.Roots); d != "" {
				t.Errorf("roots: %s", d)
			}
			if got.dsn.Name != c.dsn {
				t.Errorf("data source %q, want %q", got.dsn.Name, c.dsn)
			}
		})
	}
}

func TestDamagedINI(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no section":          {"[Error]\nEnableDebug=1\n", "there is no section [SuperOffice]"},
		"empty":               {"", "it is no configuration file that is understood"},
		"bare utf-16":         {utf16le(plainINI)[2:], "looks like UTF-16 without byte order mark"},
		"cut utf-16":          {utf16le(plainINI)[:41], "ends inside a UTF-16 character"},
		"a zero inside":       {"[SuperOffice]\n\x00", "looks like UTF-16"},
		"a zero in utf-16":    {utf16le("[SuperOffice]\x00"), "holds a character 0"},
		"larger than allowed": {"[SuperOffice]\n" + string(make([]byte, MaxBytes)), "larger than 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, map[string]string{"SuperOffice.ini": c.text})
			_, err := Load("", dir+"/SuperOffice.ini")
			wantUsage(t, err, "SuperOffice.ini", c.want)
		})
	}
}

func TestReadService(t *testing.T) {
	const text = "# Customer Service\r\ndbHost = sql1\r\ndbUsername = crm7\r\ndbPassword = " + password +
		"\r\ndbDatabase = SODSN\r\ndbType = mssql\r\nnsPass=" + password + "\r\n#frozen\r\n"
	for name, c := range map[string]struct {
		text   string
		frozen bool
		engine string
	}{
		"plain":     {text, false, ""},
		"utf-16":    {utf16le(text), false, ""},
		"ansi":      {ansi(text + "# blåbær\r\n"), false, ""},
		"frozen":    {text + "  Frozen \r\n", true, ""},
		"oracle":    {"dbType = Oracle\n", false, "Oracle"},
		"lone CR":   {"dbType=mssql\rfrozen\r", true, ""},
		"no values": {"dbHost=\nfrozen=1\n", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dec, _, err := decode([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := readService(dec, "/cs/config", "/cs")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(map[manifest.Area][]string{manifest.Service: {"/cs"}}, got.Roots); d != "" {
				t.Error(d)
			}
			if frozen := len(got.Notes) > 0; frozen != c.frozen {
				t.Errorf("frozen %v, want %v", frozen, c.frozen)
			}
			if got.engine.Name != c.engine {
				t.Errorf("engine %q, want %q", got.engine.Name, c.engine)
			}
			if !got.Credentials.IsZero() || got.DB != "" {
				t.Error("Service's config names a database, which it cannot")
			}
		})
	}
	if _, err := readService([]byte("[core]\nbare = false\n"), "/.git/config", "/.git"); err == nil {
		t.Error("another program's config was taken")
	}
}
