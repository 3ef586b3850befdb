package install

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/source"
)

const (
	database   = manifest.Database
	template   = manifest.Template
	document   = manifest.Document
	service    = manifest.Service
	attachment = manifest.Attachment
)

type dirs = map[manifest.Area][]string

func TestFolders(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the paths of this table are of Unix")
	}
	arc := tree(t, map[string]string{"TEMPLATE/x": "", "template.txt": ""})
	cs := source.ServiceConfig{HasRow: true, TextPath: `D:\CS\text`, TemplatePath: `D:\CS\tmpl\`, AttachmentPath: `d:/cs/att`}
	maps := []string{`D:\CS=/mnt/cs`, `C:\=/mnt/c`}
	for name, c := range map[string]struct {
		config Config
		site   Site
		only   []manifest.Area
		areas  []manifest.Area
		roots  map[string][]string
		fails  []string
	}{
		"documents alone": {
			config: Config{Roots: dirs{document: {arc, "/b/"}}}, areas: []manifest.Area{database, template, document},
			roots: map[string][]string{"document": {arc, "/b"}, "template": {filepath.Join(arc, "TEMPLATE")}},
		},
		"a template folder that is not there": {
			config: Config{Roots: dirs{document: {"/no/arc"}}}, areas: []manifest.Area{database, template, document},
			roots: map[string][]string{"document": {"/no/arc"}, "template": {"/no/arc/Template"}},
		},
		"mapped": {
			config: Config{Map: maps, Roots: dirs{document: {`C:\SO_ARC\`}, template: {`c:\so_arc\T`}}}, areas: []manifest.Area{database, template, document},
			roots: map[string][]string{"document": {"/mnt/c/SO_ARC"}, "template": {"/mnt/c/so_arc/T"}},
		},
		"service from the database": {
			config: Config{Map: maps, Roots: dirs{document: {"/a"}, template: {"/t"}, service: {"/cs"}}}, site: Site{Service: cs},
			areas: []manifest.Area{database, template, document, service, attachment},
			roots: map[string][]string{"document": {"/a"}, "template": {"/t"}, "service": {"/cs", "/mnt/cs/tmpl", "/mnt/cs/text"}, "attachment": {"/mnt/cs/att"}},
		},
		"text without template": {
			config: Config{Roots: dirs{document: {"/a"}, template: {"/t"}, service: {"/cs"}}}, site: Site{Service: source.ServiceConfig{HasRow: true, TextPath: "/text", TemplatePath: " "}},
			areas: []manifest.Area{database, template, document, service},
			roots: map[string][]string{"document": {"/a"}, "template": {"/t"}, "service": {"/cs", "", "/text"}},
		},
		"folders that were given win": {
			config: Config{Roots: dirs{document: {"/a"}, template: {"/t"}, service: {"/cs", "/1", "/2"}, attachment: {"/3"}}}, site: Site{Service: cs, Attachments: true},
			areas: []manifest.Area{database, template, document, service, attachment},
			roots: map[string][]string{"document": {"/a"}, "template": {"/t"}, "service": {"/cs", "/1", "/2"}, "attachment": {"/3"}},
		},
		"locations in the order of their ids": {
			config: Config{Map: maps, Roots: dirs{document: {"/a"}, template: {"/t"}}},
			site:   Site{Service: source.ServiceConfig{HasRow: true, AttachmentPath: "/old"}, Locations: []source.Location{{ID: 7, Path: "/seven"}, {ID: 2, Path: `D:\CS\two`}}},
			areas:  []manifest.Area{database, template, document, attachment},
			roots:  map[string][]string{"document": {"/a"}, "template": {"/t"}, "attachment": {"/mnt/cs/two", "/seven"}},
		},
		"an empty row is no service": {
			config: Config{Roots: dirs{document: {"/a"}, template: {"/t"}}}, site: Site{Service: source.ServiceConfig{HasRow: true}},
			areas: []manifest.Area{database, template, document}, roots: map[string][]string{"document": {"/a"}, "template": {"/t"}},
		},
		"said not to exist": {
			config: Config{Roots: dirs{document: {"/a"}, template: {}, service: {}, attachment: nil}}, site: Site{Service: cs, Attachments: true, Locations: []source.Location{{ID: 1, Path: `X:\`}}},
			areas: []manifest.Area{database, document}, roots: map[string][]string{"document": {"/a"}},
		},
		"not needed, so not looked at": {
			config: Config{Roots: dirs{document: {`X:\arc`}, service: {"/cs"}}}, only: []manifest.Area{database},
			site:  Site{Service: source.ServiceConfig{HasRow: true, TextPath: `X:\text`}, Locations: []source.Location{{ID: 1, Path: `X:\att`}}},
			areas: []manifest.Area{database, template, document, service, attachment},
			roots: map[string][]string{"document": {`X:\arc`}, "template": {`X:\arc\Template`}, "service": {"/cs", "", `X:\text`}, "attachment": {`X:\att`}},
		},
		"nothing needed": {only: []manifest.Area{database}, site: Site{Service: cs, Attachments: true}, config: Config{Map: maps},
			areas: []manifest.Area{database, attachment}, roots: map[string][]string{"attachment": {"/mnt/cs/att"}}},
		"no archive":          {config: Config{Roots: dirs{template: {"/t"}}}, fails: []string{"document archive is not known", "--root document=DIR"}},
		"no archive, said so": {config: Config{Roots: dirs{document: {}}}, fails: []string{"templates is not known", "--root template=DIR"}},
		"another machine's archive": {
			config: Config{Roots: dirs{document: {`C:\SO_ARC`}}, Sources: []Source{{"roots.document", "/so/SuperOffice.ini"}}},
			fails:  []string{`"/so/SuperOffice.ini" names the folder "C:\\SO_ARC" of area document`, "no path of this machine", "--map", "--root document=DIR"},
		},
		"another machine's text folder": {
			config: Config{Roots: dirs{document: {"/a"}, service: {"/cs"}}}, site: Site{Service: cs},
			fails: []string{"Service's table config", `"D:\\CS\\tmpl\\"`, "--root service=DIR"},
		},
		"another machine's attachments": {
			config: Config{Roots: dirs{document: {"/a"}}}, site: Site{Locations: []source.Location{{ID: 1, Path: `\\srv\att`}}},
			fails: []string{"attachment_location", `"\\\\srv\\att"`, "--root attachment=DIR"},
		},
		"attachments of an old version": {
			config: Config{Roots: dirs{document: {"/a"}}}, site: Site{Service: source.ServiceConfig{AttachmentPath: `X:\att`}}, fails: []string{`"X:\\att"`},
		},
		"no base":        {config: Config{Roots: dirs{document: {"/a"}}}, site: Site{Service: cs}, fails: []string{"base folder is not known", "--root service=DIR", "--root service="}},
		"no attachments": {config: Config{Roots: dirs{document: {"/a"}}}, site: Site{Attachments: true}, fails: []string{"their folder is not known", "--root attachment=DIR"}},
		"too few locations": {
			config: Config{Roots: dirs{document: {"/a"}, attachment: {"/b"}}}, site: Site{Locations: []source.Location{{ID: 1, Path: `D:\1`}, {ID: 2, Path: `D:\2`}}},
			fails: []string{`2 folders of attachments ("D:\\1", "D:\\2"), and 1 were given`},
		},
		"too many folders of service": {config: Config{Roots: dirs{document: {"/a"}, service: {"/1", "/2", "/3", "/4"}}}, fails: []string{"4 folders of area service"}},
		"a wrong mapping":             {config: Config{Map: []string{"x"}}, fails: []string{"FROM=TO"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.config.Folders(c.site, c.only)
			if len(c.fails) > 0 {
				wantUsage(t, err, c.fails...)
				return
			}
			if err != nil {
				t.Fatal(err, manifest.HintOf(err))
			}
			if d := cmp.Diff(Folders{Areas: c.areas, Roots: c.roots}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestGivenFoldersAreNotMapped holds that a mapping is for what files and the database say.
func TestGivenFoldersAreNotMapped(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the paths are of Unix")
	}
	var c Config
	c.Give(document, []string{"/mnt/arc"}, "--root")
	c.Give(service, nil, "--root")
	c.Fill(Config{DB: "sqlite:/x", Map: []string{"/mnt=/srv"}, Roots: dirs{document: {"/no"}, template: {"/mnt/t"}, service: {"/no"}}})
	got, err := c.Folders(Site{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string][]string{"document": {"/mnt/arc"}, "template": {"/srv/t"}}, got.Roots); d != "" {
		t.Error(d)
	}
	if len(c.Notes) > 0 {
		t.Errorf("a flag that overrides a file is noted: %q", c.Notes)
	}
	var outer Config
	outer.Fill(c)
	if got, err = outer.Folders(Site{}, nil); err != nil || got.Roots["document"][0] != "/mnt/arc" {
		t.Errorf("after filling once more: %v %v", got, err)
	}
}

func TestFillKeepsCredentialsWithTheirDatabase(t *testing.T) {
	file := Config{DB: "sqlserver://old?database=crm", Credentials: NewSecret("u", password)}
	c := Config{DB: "sqlserver://new?database=crm"}
	c.Say("db", "--db")
	c.Fill(file)
	if c.DB != "sqlserver://new?database=crm" || !c.Credentials.IsZero() {
		t.Error("the credentials of one server are given to another")
	}
	var d Config
	d.Fill(file)
	if d.Credentials.IsZero() {
		t.Error("the credentials are lost")
	}
}
