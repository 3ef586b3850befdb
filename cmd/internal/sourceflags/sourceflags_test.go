package sourceflags

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/cli"
	"github.com/openomt/omt/internal/cli/clitest"
	"github.com/openomt/omt/internal/install"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/scan/scantest"
	"github.com/openomt/omt/internal/source"
	"github.com/openomt/omt/internal/source/sqlite"
)

// in runs act inside a command that has the flags, with args and variables.
func in(t *testing.T, args []string, change func(p *clitest.Process), act func(ctx context.Context, f *Flags, j *cli.Job) error) error {
	t.Helper()
	p := clitest.New(t, "omt-test", args...)
	if change != nil {
		change(p)
	}
	var err error
	p.Run(context.Background(), func(*cli.Env) *cli.Command {
		f := New()
		return &cli.Command{Usage: "test", Flags: f.Flags(), Action: func(ctx context.Context, j *cli.Job) error {
			err = act(ctx, f, j)
			return nil
		}}
	})
	if err == nil && p.Stderr.String() != "" {
		t.Fatalf("the command failed: %s", p.Stderr.String())
	}
	return err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	file := write(t, "omt.json", `{"db":"sqlserver://u:pass@sql1?database=crm","prefix":"crm7","roots":{"document":["/a"],"template":["/t"],"service":["/cs"]},
		"map":["X:\\=/x"],"login":"KK"}`)
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args       []string
		db, prefix string
		roots      map[manifest.Area][]string
		maps       []string
		user       string
		login      string
	}{
		"file alone": {nil, "sqlserver://sql1?database=crm", "crm7",
			map[manifest.Area][]string{"document": {"/a"}, "template": {"/t"}, "service": {"/cs"}}, []string{`X:\=/x`}, "u", "KK"},
		"flags over it": {[]string{"--db", "sqlite:x.sqlite", "--prefix", "crm5", "--root", "document=b", "--root", "Document=/c", "--root", "service=", "--map", `Y:\=y`},
			"sqlite:" + filepath.Join(here, "x.sqlite"), "crm5",
			map[manifest.Area][]string{"document": {filepath.Join(here, "b"), "/c"}, "template": {"/t"}, "service": {}}, []string{`Y:\=` + filepath.Join(here, "y"), `X:\=/x`}, "", "KK"},
		"another server": {[]string{"--db", "sqlserver://sql2?database=crm"}, "sqlserver://sql2?database=crm", "crm7",
			map[manifest.Area][]string{"document": {"/a"}, "template": {"/t"}, "service": {"/cs"}}, []string{`X:\=/x`}, "", "KK"},
		"the same server": {[]string{"--db", "sqlserver://sql1?database=crm", "--root", "attachment=/1", "--root", "attachment=", "--root", "attachment=/2"}, "sqlserver://sql1?database=crm", "crm7",
			map[manifest.Area][]string{"document": {"/a"}, "template": {"/t"}, "service": {"/cs"}, "attachment": {"/2"}}, []string{`X:\=/x`}, "u", "KK"},
		"the same server, reached another way": {[]string{"--db", "sqlserver://SQL1?database=crm&TrustServerCertificate=true"}, "sqlserver://SQL1?TrustServerCertificate=true&database=crm", "crm7",
			map[manifest.Area][]string{"document": {"/a"}, "template": {"/t"}, "service": {"/cs"}}, []string{`X:\=/x`}, "u", "KK"},
		"a connection string": {[]string{"--db", `Data Source=tcp:sql1,1444;Initial Catalog=crm;UID=v;PWD="a;b";Encrypt=True;Pooling=false`}, "sqlserver://sql1:1444?database=crm&encrypt=true", "crm7",
			map[manifest.Area][]string{"document": {"/a"}, "template": {"/t"}, "service": {"/cs"}}, []string{`X:\=/x`}, "v", "KK"},
		"another login": {[]string{"--db", "sqlserver://v@sql1?database=crm"}, "sqlserver://sql1?database=crm", "crm7",
			map[manifest.Area][]string{"document": {"/a"}, "template": {"/t"}, "service": {"/cs"}}, []string{`X:\=/x`}, "v", "KK"},
	} {
		t.Run(name, func(t *testing.T) {
			err := in(t, append([]string{"--config", file}, c.args...), nil, func(_ context.Context, f *Flags, _ *cli.Job) error {
				got, err := f.Load()
				if err != nil {
					return err
				}
				user, password := got.Credentials.Reveal()
				if user != c.user || (password == "pass") != (c.user == "u") {
					t.Errorf("credentials %q %q, want %q", user, password, c.user)
				}
				if got.DB != c.db || got.Prefix != c.prefix || got.Login != c.login {
					t.Errorf("db %q, prefix %q, login %q", got.DB, got.Prefix, got.Login)
				}
				if d := cmp.Diff(c.roots, got.Roots); d != "" {
					t.Error(d)
				}
				if d := cmp.Diff(c.maps, got.Map); d != "" {
					t.Error(d)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestAreas(t *testing.T) {
	got, err := Areas([]string{"document", "DATABASE", "document"})
	if d := cmp.Diff([]manifest.Area{manifest.Document, manifest.Database}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if _, err := Areas([]string{"mail"}); manifest.StatusOf(err) != manifest.Usage || !strings.Contains(manifest.HintOf(err), "database, template, document, service, attachment") {
		t.Errorf("%v", err)
	}
}

// TestOpen opens an installation as omt-scan does, then again from the record of that, as omt-pack does.
func TestOpen(t *testing.T) {
	site := scantest.New(filepath.Join(t.TempDir(), "site"))
	if err := site.Write(context.Background()); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(site.Dir, name) }
	var first manifest.Installation
	err := in(t, []string{"--install", site.Dir, "--folder", "GKS=GSC"}, nil, func(ctx context.Context, f *Flags, j *cli.Job) error {
		c, err := f.Load()
		if err != nil {
			return err
		}
		s, err := f.OpenConfig(ctx, j, c, nil)
		if err != nil {
			return err
		}
		first = s.Installation
		if id, err := s.View.Identity(ctx); err != nil || id.Serial != "1801830017" {
			t.Errorf("%v %v", id, err)
		}
		return s.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	file, err := sqlite.Open(site.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	print, err := file.Fingerprint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := manifest.Installation{
		Engine: "sqlite", Database: site.URL(), Prefix: "crm7", Fingerprint: print, Areas: manifest.Areas[:],
		Roots: map[string][]string{"document": {at("so_arc")}, "template": {at("so_arc/TEMPLATE")}, "service": {at("cs"), "", at("cs_text")}, "attachment": {at("att")}},
		Map:   []string{`D:\CS=` + site.Dir}, Folders: []string{"GKS=GSC"},
	}
	if d := cmp.Diff(want, first); d != "" {
		t.Error(d)
	}
	want.Owner, want.Serial, want.Version = "Kalles", "1", "8.5"

	for name, c := range map[string]struct {
		args   []string
		record func(i *manifest.Installation)
		want   func(i *manifest.Installation)
		fails  string
	}{
		"the same": {},
		"other roots": {args: []string{"--root", "document=" + at("cs"), "--root", "template=" + at("att")}, want: func(i *manifest.Installation) {
			i.Roots["document"], i.Roots["template"] = []string{at("cs")}, []string{at("att")}
		}},
		"joined": {args: []string{"--map", "E:\\=/e", "--folder", "KK=KLO"}, want: func(i *manifest.Installation) {
			i.Map, i.Folders = []string{`E:\=/e`, `D:\CS=` + site.Dir}, []string{"KK=KLO", "GKS=GSC"}
		}},
		"a pre-seed": {record: func(i *manifest.Installation) {
			i.Areas = []manifest.Area{manifest.Attachment}
			i.Roots["document"] = []string{`X:\elsewhere`}
		}, want: func(i *manifest.Installation) {
			i.Areas = []manifest.Area{manifest.Attachment}
			i.Roots["document"] = []string{`X:\elsewhere`}
		}},
		"an area that was not there": {record: func(i *manifest.Installation) {
			i.Areas = []manifest.Area{manifest.Database, manifest.Template, manifest.Document}
			delete(i.Roots, "service")
			delete(i.Roots, "attachment")
		}, want: func(i *manifest.Installation) {
			i.Areas = []manifest.Area{manifest.Database, manifest.Template, manifest.Document}
			delete(i.Roots, "service")
			delete(i.Roots, "attachment")
		}},
		"an area that a flag adds": {args: []string{"--root", "attachment=" + at("att")}, record: func(i *manifest.Installation) {
			i.Areas = []manifest.Area{manifest.Database, manifest.Template, manifest.Document, manifest.Service}
			delete(i.Roots, "attachment")
		}},
		"an area that a flag takes away": {args: []string{"--root", "attachment="}, want: func(i *manifest.Installation) {
			i.Areas = i.Areas[:4]
			delete(i.Roots, "attachment")
		}},
		"a folder of attachments more": {record: func(i *manifest.Installation) { i.Roots["attachment"] = append(i.Roots["attachment"], "/more") },
			fails: "the database names 1 folders of attachments"},
		"another file":            {args: []string{"--config", at("omt.json")}},
		"another prefix":          {args: []string{"--prefix", "crm9"}, fails: `under prefix "crm9"`},
		"a database that is gone": {record: func(i *manifest.Installation) { i.Database = "sqlite:" + at("gone.sqlite") }, fails: "gone.sqlite"},
	} {
		t.Run(name, func(t *testing.T) {
			record, want := copied(want), copied(want)
			record.Fingerprint = "of the database that was scanned"
			if c.record != nil {
				c.record(&record)
			}
			if c.want != nil {
				c.want(&want)
			}
			err := in(t, c.args, nil, func(ctx context.Context, f *Flags, j *cli.Job) error {
				s, err := f.Open(ctx, j, record)
				if err != nil {
					return err
				}
				if d := cmp.Diff(want, s.Installation); d != "" {
					t.Error(d)
				}
				return s.Close()
			})
			switch {
			case c.fails == "" && err != nil:
				t.Fatal(err)
			case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails) || manifest.StatusOf(err) != manifest.Usage):
				t.Errorf("%v, want %q", err, c.fails)
			}
		})
	}
}

func copied(i manifest.Installation) manifest.Installation {
	i.Areas = append([]manifest.Area{}, i.Areas...)
	roots := map[string][]string{}
	for a, dirs := range i.Roots {
		roots[a] = append([]string{}, dirs...)
	}
	i.Roots = roots
	return i
}

func TestLoginAndPassword(t *testing.T) {
	const db = "sqlserver://sql1/CRM?database=crm"
	for name, c := range map[string]struct {
		secret          install.Secret
		variable        string
		answers         []string
		url, password   string
		prompts, hidden int
		fails           string
	}{
		"windows' own":                     {url: db},
		"both from the file":               {secret: install.NewSecret("u", "from-file"), url: "sqlserver://u@sql1/CRM?database=crm", password: "from-file"},
		"the variable counts first":        {secret: install.NewSecret("u", "from-file"), variable: "from-var", url: "sqlserver://u@sql1/CRM?database=crm", password: "from-var"},
		"asked for":                        {secret: install.NewSecret("u v", ""), answers: []string{"typed"}, url: "sqlserver://u%20v@sql1/CRM?database=crm", password: "typed", prompts: 1},
		"nobody to ask":                    {secret: install.NewSecret("u", ""), fails: "there is no console to ask on"},
		"the variable without a login":     {variable: "from-var", url: db, password: "from-var"},
		"the person does not want to tell": {secret: install.NewSecret("u", ""), answers: []string{}, fails: "the password of u was asked for and not given", prompts: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var console *clitest.Console
			if c.answers != nil {
				console = &clitest.Console{Answers: c.answers}
			}
			err := in(t, nil, func(p *clitest.Process) {
				p.Console = console
				p.Vars["OMT_DB_PASSWORD"] = c.variable
			}, func(ctx context.Context, _ *Flags, j *cli.Job) error {
				u, password, err := login(ctx, j, db, c.secret)
				if err != nil {
					return err
				}
				if u != c.url || password != c.password {
					t.Errorf("%q %q, want %q %q", u, password, c.url, c.password)
				}
				if password != "" && strings.Contains(j.Env().Redact("it is "+password), password) {
					t.Error("the password is not hidden from what is printed")
				}
				return nil
			})
			if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%v, want %q", err, c.fails)
			}
			if c.fails == "there is no console to ask on" && (manifest.StatusOf(err) != manifest.Usage || !strings.Contains(manifest.HintOf(err), "OMT_DB_PASSWORD")) {
				t.Errorf("status %d, hint %q", manifest.StatusOf(err), manifest.HintOf(err))
			}
			if console != nil && (len(console.Prompts) != c.prompts || !console.Hidden[0] || !strings.Contains(console.Prompts[0], db)) {
				t.Errorf("prompts %q, hidden %v", console.Prompts, console.Hidden)
			}
		})
	}
}

// Logins that have no password are not asked for one, though nobody is there to be asked.
func TestLoginsWithoutPassword(t *testing.T) {
	for _, params := range []string{"&authenticator=krb5", "&fedauth=ActiveDirectoryManagedIdentity", "&fedauth=ActiveDirectoryInteractive&applicationclientid=x",
		"&fedauth=ActiveDirectoryServicePrincipal&clientcertpath=/c.pem"} {
		db := "sqlserver://sql1?database=crm" + params
		err := in(t, nil, nil, func(ctx context.Context, _ *Flags, j *cli.Job) error {
			u, password, err := login(ctx, j, db, install.NewSecret("id@tenant", ""))
			if want := strings.Replace(db, "//", "//id%40tenant@", 1); err == nil && (u != want || password != "") {
				t.Errorf("%q %q, want %q", u, password, want)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", params, err)
		}
	}
	err := in(t, nil, nil, func(ctx context.Context, _ *Flags, j *cli.Job) error {
		_, _, err := login(ctx, j, "sqlserver://sql1?database=crm&fedauth=ActiveDirectoryServicePrincipal", install.NewSecret("id", ""))
		return err
	})
	if manifest.StatusOf(err) != manifest.Usage || !strings.Contains(manifest.HintOf(err), "OMT_DB_PASSWORD") {
		t.Errorf("a secret that nobody gives: %v", err)
	}
}

// Databases of other kinds are refused wherever --db can name them.
func TestForeignDatabases(t *testing.T) {
	for arg, want := range map[string]string{
		"oracle://scott:tiger@tns":                              "a database of Oracle cannot be read",
		"Driver={Oracle in OraClient12Home1};DBQ=tns;UID=scott": "a database of Oracle cannot be read",
		"Provider=SAOLEDB.12;Data Source=x":                     "a database of Sybase cannot be read",
		"db2://x":                                               "a database of DB2 cannot be read",
		"Server=sql1;Database=crm;Speed=9":                      `key "Speed" is not known`,
		"sqlserver://sql1?database=crm&Speed=9":                 `parameter "Speed" is not known`,
		"ODBC:SO8":                                              `the ODBC data source "SO8" is n`,
	} {
		err := in(t, []string{"--db", arg}, nil, func(_ context.Context, f *Flags, _ *cli.Job) error {
			_, err := f.Load()
			return err
		})
		if manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), "--db: ") || !strings.Contains(err.Error(), want) || manifest.HintOf(err) == "" {
			t.Errorf("%s: %v (%s)", arg, err, manifest.HintOf(err))
		}
	}
}

func TestOpenLoader(t *testing.T) {
	dir := t.TempDir()
	err := in(t, nil, nil, func(ctx context.Context, _ *Flags, j *cli.Job) error {
		l, err := OpenLoader(ctx, j, "sqlite:"+filepath.Join(dir, "new.sqlite"))
		if err != nil {
			return err
		}
		defer l.Close()
		if want := "sqlite:" + filepath.Join(dir, "new.sqlite"); l.URL() != want {
			t.Errorf("%q, want %q", l.URL(), want)
		}
		table := source.Table{Name: "t", Columns: []source.Column{{Name: "id", Type: source.ParseType("int")}}, Key: []string{"id"}}
		if err := l.Begin(ctx, "x", "crm7", []source.Table{table}); err != nil {
			return err
		}
		server, err := OpenLoader(ctx, j, "sqlserver://u:pass@sql1?database=crm")
		if err != nil {
			return err
		}
		defer server.Close()
		if server.URL() != "sqlserver://sql1?database=crm" {
			t.Errorf("%q", server.URL())
		}
		if byCode, err := OpenLoader(ctx, j, "sqlserver://sql1?database=crm&fedauth=ActiveDirectoryDeviceCode"); err != nil {
			t.Errorf("a login that shows a code: %v", err)
		} else {
			byCode.Close()
		}
		_, err = OpenLoader(ctx, j, "oracle://u:pass@x")
		return err
	})
	if manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), "--db: a database of Oracle cannot be read") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "new.sqlite")); err != nil {
		t.Error(err)
	}
}

// A database to be compared is opened to be read: nothing is made, and the login stays out of its name.
func TestOpenDatabase(t *testing.T) {
	site := scantest.New(filepath.Join(t.TempDir(), "site"))
	if err := site.Write(context.Background()); err != nil {
		t.Fatal(err)
	}
	err := in(t, nil, func(p *clitest.Process) { p.Vars["OMT_DB_PASSWORD"] = "from-var" }, func(ctx context.Context, _ *Flags, j *cli.Job) error {
		d, err := OpenDatabase(ctx, j, site.URL())
		if err != nil {
			return err
		}
		defer d.Close()
		if prefixes, err := d.Prefixes(ctx); err != nil || len(prefixes) != 1 || d.URL() != site.URL() {
			t.Errorf("%v, %v at %q", prefixes, err, d.URL())
		}
		server, err := OpenDatabase(ctx, j, "sqlserver://u@sql1?database=crm")
		if err != nil {
			return err
		}
		defer server.Close()
		if server.URL() != "sqlserver://sql1?database=crm" {
			t.Errorf("%q", server.URL())
		}
		if _, err := OpenDatabase(ctx, j, "oracle://u@x"); manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), "--db: ") {
			t.Errorf("%v", err)
		}
		_, err = OpenDatabase(ctx, j, "sqlite:"+filepath.Join(site.Dir, "gone.sqlite"))
		return err
	})
	if manifest.StatusOf(err) != manifest.Usage || !strings.Contains(err.Error(), "gone.sqlite") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(site.Dir, "gone.sqlite")); err == nil {
		t.Error("it was made")
	}
}

func TestNoDatabase(t *testing.T) {
	err := in(t, nil, nil, func(ctx context.Context, f *Flags, j *cli.Job) error {
		c, err := f.Load()
		if err != nil {
			return err
		}
		_, err = f.OpenConfig(ctx, j, c, nil)
		return err
	})
	var e *manifest.Error
	if !errors.As(err, &e) || e.Status != manifest.Usage || !strings.Contains(e.Hint, "--install DIR") {
		t.Errorf("%v", err)
	}
}
