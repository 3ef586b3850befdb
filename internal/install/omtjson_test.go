package install

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

const whole = `{
  "db": "sqlserver://crm7:` + "Tr0ub4dor%263" + `@sql1:1433?database=crm",
  "prefix": "crm7",
  "roots": {"document": ["/srv/so_arc", "second", "C:\\SO_ARC", "\\\\nas\\arc"], "template": ["./SO_ARC/../T"], "service": [], "attachment": ["att"]},
  "map": ["D:\\CS=/mnt/cs", "E:\\x=y"],
  "login": "KK", "netserver": "https://crm.example.com/remote",
  "adminRights": ["admin-all"], "adminRoles": ["Blåbær"],
  "migrator": {"name": "Karl Klopp", "email": "karl@example.com", "phone": "93466018", "language": "en"}
}`

func TestReadJSON(t *testing.T) {
	want := Config{
		DB: "sqlserver://sql1:1433?database=crm", Prefix: "crm7",
		Roots: map[manifest.Area][]string{
			manifest.Document:   {"/srv/so_arc", "/so/second", `C:\SO_ARC`, `\\nas\arc`},
			manifest.Template:   {"/so/T"},
			manifest.Service:    {},
			manifest.Attachment: {"/so/att"},
		},
		Map:   []string{`D:\CS=/mnt/cs`, `E:\x=/so/y`},
		Login: "KK", NetServer: "https://crm.example.com/remote",
		AdminRights: []string{"admin-all"}, AdminRoles: []string{"Blåbær"},
		Migrator: Migrator{"Karl Klopp", "karl@example.com", "93466018", "en"},
	}
	for name, text := range map[string]string{"plain": whole, "marked": "\ufeff" + whole, "utf-16": utf16le(whole), "ansi": ansi(whole)} {
		t.Run(name, func(t *testing.T) {
			dec, _, err := decode([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			got, err := readJSON(dec, "/so/omt.json", "/so")
			if err != nil {
				t.Fatal(err)
			}
			if user, pass := got.Credentials.Reveal(); user != "crm7" || pass != password {
				t.Errorf("credentials %q %q", user, pass)
			}
			if got.From("migrator.phone") != "/so/omt.json" || got.From("roots.service") != "/so/omt.json" || got.From("roots.mail") != "" {
				t.Errorf("sources %v", got.Sources)
			}
			got.Credentials, got.Sources = Secret{}, nil
			if d := cmp.Diff(want, got, cmp.AllowUnexported(Config{}, Secret{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestDamagedJSON(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"all unknown keys": {
			`{"DB":"x","prefix":"p","adminRoles ":[],"roots":{"documents":[],"database":[]},"migrator":{"mail":"x"}}`,
			[]string{`unknown key "DB"`, `unknown key "adminRoles "`, `unknown key "roots.documents"`, `unknown key "roots.database"`, `unknown key "migrator.mail"`, "its keys are db, prefix"},
		},
		"wrong types": {
			`{"db":7,"prefix":["x"],"roots":[],"map":"x","login":{},"adminRights":[1],"migrator":"x"}`,
			[]string{`key "db": want a text`, `key "prefix": want a text`, `key "roots": want an object`, `key "map": want a list of texts`, `key "login": want a text`, `key "adminRights": want a list`, `key "migrator": want an object`},
		},
		"a mapping without =": {`{"map":["D:\\CS"]}`, []string{`key "map": mapping "D:\\CS": want FROM=TO`}},
		"a wrong URL":         {`{"db":"sqlserver://u:` + password + `@h:x"}`, []string{`key "db": the database's URL is not understood`}},
		"another engine":      {`{"db":"oracle://u:` + password + `@h"}`, []string{`key "db": a database of Oracle cannot be read`}},
		"cut":                 {"{\n\"db\": \"sqlserver://u:" + password, []string{"the JSON is damaged at line 2"}},
		"no comma":            {"{\"prefix\": \"x\"\n\"login\": \"y\"}", []string{"the JSON is damaged at line 2"}},
		"a list":              {`[]`, []string{"it is no JSON object"}},
		"two objects":         {"{}\n{}", []string{"the JSON is damaged at line 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readJSON([]byte(c.text), "/so/omt.json", "/so")
			wantUsage(t, err, append(c.want, "/so/omt.json")...)
		})
	}
}

func TestEncodeIsReadBack(t *testing.T) {
	dec := []byte(whole)
	c, err := readJSON(dec, "/so/omt.json", "/so")
	if err != nil {
		t.Fatal(err)
	}
	c.Roots[manifest.Document] = append(c.Roots[manifest.Document], "/srv/🙂 <&>")
	delete(c.Roots, manifest.Template)
	text := c.Encode()
	for _, b := range text {
		if b > 0x7e {
			t.Fatalf("byte %#x in %s", b, text)
		}
	}
	again, err := readJSON(text, "/elsewhere/omt.json", "/elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(c.Roots, again.Roots); d != "" {
		t.Error(d)
	}
	if strings.Contains(string(text), password) || strings.Contains(string(text), "crm7:") || !again.Credentials.IsZero() {
		t.Errorf("credentials are written: %s", text)
	}
	if string(again.Encode()) != string(text) {
		t.Error("encoding again gives something else")
	}
	if got := string(Config{}.Encode()); got != "{}\n" {
		t.Errorf("nothing is %q", got)
	}
}

// TestGolden holds the form of the file that is printed for a found installation. OMT_UPDATE=1 writes it anew.
func TestGolden(t *testing.T) {
	dir := tree(t, map[string]string{
		"Client/SuperOffice.ini": ansi(plainINI), "Client/SuperOffice.config": utf16le(netFile), "Customer Service/config": serviceFile,
	})
	c, err := Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	name, err := json.Marshal(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(string(c.Encode()), strings.Trim(string(name), `"`), "DIR")
	golden := filepath.Join("testdata", "omt.json")
	if os.Getenv("OMT_UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(`{"roots":{"document":null},"migrator":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := readJSON(text, "/so/omt.json", "/so")
		if err != nil {
			return
		}
		again, err := readJSON(c.Encode(), "/so/omt.json", "/so")
		if err != nil {
			t.Fatalf("%v: %s", err, c.Encode())
		}
		if again.DB != c.DB || again.Prefix != c.Prefix {
			t.Errorf("%q %q, then %q %q", c.DB, c.Prefix, again.DB, again.Prefix)
		}
	})
}
