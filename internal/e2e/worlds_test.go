package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/compare"
)

// sample makes an installation of its own.
func sample(t *testing.T, more ...string) world {
	t.Helper()
	w := world{newSite(t)}
	w.want(0, append([]string{"omt-scan", "sample", "--dir", "inst", "--documents", "30"}, more...)...)
	return w
}

// auto are the four steps as a pipe, without choices of a person.
func auto() [][]string {
	p := piped()
	p[1] = []string{"omt-assign", "--auto"}
	return p
}

// moved proves and unpacks what was pushed, and compares it with the installation.
func (w world) moved(done []byte) (compare.Files, compare.Rows) {
	w.t.Helper()
	w.write(done, "done.jsonl")
	w.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
	w.want(0, unpackStep...)
	f, err := compare.FilesOf(w.path("done.jsonl"), w.path("out"))
	if err != nil {
		w.t.Error(err)
	}
	r, err := compare.Databases(context.Background(), w.path("inst", "crm.sqlite"), w.path("out.sqlite"), nil)
	if err != nil {
		w.t.Error(err)
	}
	return f, r
}

// A clean installation goes through without a question, a finding or a remark.
func TestClean(t *testing.T) {
	t.Parallel()
	w := sample(t, "--clean")
	results := w.pipe(nil, auto()...)
	w.wantAll(results, 0, 0, 0, 0)
	for _, r := range results {
		if r.err != "" {
			t.Errorf("it said something: %s", r)
		}
	}
	if f, r := w.moved(results[3].out); f.Same < 30 || r.Rows < 200 {
		t.Errorf("compared %+v and %+v: fewer than there are", f, r)
	}
	w.noLitter()
}

// change runs SQL on the installation's database.
func (w world) change(sql string) {
	w.t.Helper()
	needs(w.t.(*testing.T), "sqlite3")
	w.stock([]byte(sql), "sqlite3", "-batch", "-bail", "inst/crm.sqlite")
}

// remodel makes the database model name the tables that there are.
func (w world) remodel() {
	w.t.Helper()
	w.change(`UPDATE crm7_DatabaseModel SET ModelData = CAST((SELECT json_object('Tables', json_group_array(json_object('Name', substr(name, 6))))
		FROM sqlite_master WHERE type = 'table' AND name LIKE 'crm7\_%' ESCAPE '\') AS BLOB);`)
}

// settings changes the configuration file.
func (w world) settings(change func(c map[string]any)) {
	w.t.Helper()
	var c map[string]any
	if err := json.Unmarshal(w.read("inst", "omt.json"), &c); err != nil {
		w.t.Fatal(err)
	}
	change(c)
	b, err := json.Marshal(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(b, "inst", "omt.json")
}

// Texts that end with half a surrogate pair come through all stages as they are.
func TestTextsThatAreNoUnicode(t *testing.T) {
	t.Parallel()
	w := sample(t, "--clean")
	w.change(`UPDATE crm7_document SET our_ref = CAST(x'41EDA0BD' AS TEXT);
		UPDATE crm7_contact SET department = CAST(x'EDB88042' AS TEXT) WHERE contact_id % 2 = 0;`)
	const look = `SELECT hex(our_ref), count(*) FROM crm7_document GROUP BY 1; SELECT hex(department), count(*) FROM crm7_contact GROUP BY 1 ORDER BY 1;`
	want := w.sqlite("inst/crm.sqlite", look)
	if said := strings.Join(want, "\n"); !strings.Contains(said, "41EDA0BD|") || !strings.Contains(said, "EDB88042|") {
		t.Fatalf("the installation has no such texts:\n%s", said)
	}
	list := auto()
	list[2] = append(list[2], "--table-codec", "snappy")
	results := w.pipe(nil, list...)
	w.wantAll(results, 0, 0, 0, 0)
	w.moved(results[3].out)
	same(t, "the texts", want, w.sqlite("out.sqlite", look))
}

func TestNoDocuments(t *testing.T) {
	t.Parallel()
	w := sample(t, "--clean")
	w.change(`DELETE FROM crm7_document; DELETE FROM crm7_VisibleFor;`)
	results := w.pipe(nil, auto()...)
	w.wantAll(results, 0, 0, 0, 0)
	w.moved(results[3].out)
	for _, f := range records(t, results[3].out, "file") {
		if f["area"] == "document" && (f["state"] != "no-row" || f["chunk"] != nil) {
			t.Errorf("a file without row: %v", f)
		}
	}
}

// A database without Customer Service moves without it.
func TestNoService(t *testing.T) {
	t.Parallel()
	w := sample(t, "--clean")
	for _, table := range []string{"config", "ejuser", "attachment", "attachment_location", "ticket_attachment", "mail_in_filter"} {
		w.change(`DROP TABLE crm7_` + table + `; DELETE FROM crm7_sequence WHERE lower(TableName) = '` + table + `';`)
	}
	w.remodel()
	w.settings(func(c map[string]any) { delete(c["roots"].(map[string]any), "service") })
	if err := os.RemoveAll(w.path("inst", "service")); err != nil {
		t.Fatal(err)
	}
	results := w.pipe(nil, auto()...)
	w.wantAll(results, 0, 0, 0, 0)
	w.moved(results[3].out)
	want := []any{"database", "template", "document"}
	if got := records(t, results[3].out, "installation")[0]["areas"].([]any); !slices.Equal(got, want) {
		t.Errorf("the areas are %v, want %v", got, want)
	}
}

// More odd installations, and what scan says of each.
func TestOddInstallations(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(w world)
		more   []string
		status int
		say    []string
	}{
		"another prefix": {nil, []string{"--prefix", "crm5"}, 2, []string{`"crm5"`, "hint: ", "crm7"}},
		"no database":    {func(w world) { os.Remove(w.path("inst", "crm.sqlite")) }, nil, 2, []string{"crm.sqlite"}},
		"not a database": {func(w world) {
			w.write([]byte("this is no database, but it is long enough to be looked at"), "inst", "crm.sqlite")
		},
			nil, 2, []string{"crm.sqlite"}},
		"an archive that is empty": {func(w world) {
			os.RemoveAll(w.path("inst", "so_arc2"))
			os.RemoveAll(w.path("inst", "so_arc"))
			os.MkdirAll(w.path("inst", "so_arc2"), 0o755)
			os.MkdirAll(w.path("inst", "so_arc"), 0o755)
			w.settings(func(c map[string]any) { delete(c["roots"].(map[string]any), "template") })
		}, nil, 1, []string{"so_arc", "hint: "}},
		"an archive that is not there": {func(w world) { os.Rename(w.path("inst", "so_arc2"), w.path("inst", "away")) }, nil, 1,
			[]string{"so_arc2", "hint: "}},
		"a login that is nobody's": {nil, []string{"--login", "NOBODY"}, 5, []string{`"NOBODY"`}},
		"a setting nobody knows":   {func(w world) { w.settings(func(c map[string]any) { c["colour"] = "red" }) }, nil, 2, []string{`colour`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := sample(t, "--clean")
			if c.change != nil {
				c.change(w)
			}
			got := w.want(c.status, append(slices.Clone(scanStep), c.more...)...)
			for _, s := range c.say {
				if !strings.Contains(got.err, s) {
					t.Errorf("it does not say %q: %s", s, got)
				}
			}
			if w.has("scan.jsonl") {
				t.Error("there is a manifest")
			}
			w.noLitter()
		})
	}
}

// An input that is not there or cannot be read is a wrong command line, and nothing is touched.
func TestInputThatIsNotThere(t *testing.T) {
	t.Parallel()
	_, w := fresh(t)
	w.write(nil, "folder", "x")
	for _, step := range [][]string{assignStep, packStep, pushStep} {
		for in, say := range map[string]string{"absent.jsonl": "absent.jsonl", "folder": "folder"} {
			if got := w.run(with(step, "--in", in)...); got.status != 2 || !strings.Contains(got.err, say) {
				t.Errorf("want status 2: %s", got)
			}
		}
	}
	if w.has("spool", "chunks") || w.has("dest") {
		t.Error("something was made")
	}
}

// The same push once more sends nothing, writes the same and ends as the first time; another migration is refused, and
// so is one of another company.
func TestPushOnceMore(t *testing.T) {
	t.Parallel()
	b, w := fresh(t)
	copyTree(t, b.path("dest"), w.path("dest"))
	copyTree(t, b.path("spool"), w.path("spool"))
	w.write(b.read("packed.jsonl"), "packed.jsonl")
	before := tree(t, w.path("dest"))
	w.want(3, pushStep...)
	if !bytes.Equal(w.read("done.jsonl"), b.read("done.jsonl")) {
		t.Error("it wrote something else")
	}
	if d := differing(before, tree(t, w.path("dest"))); d != "" {
		t.Errorf("it changed %s at the destination", d)
	}
	// What it wrote is taken for what it is.
	w.want(3, "omt-push", "--in", "done.jsonl", "--spool", "spool", "--to", "dest", "--out", "again.jsonl")
	if !bytes.Equal(w.read("again.jsonl"), b.read("done.jsonl")) {
		t.Error("pushing what push wrote gives something else")
	}
	results := w.pipe(nil, piped()...)
	w.wantAll(results[3:], 5)
	if !strings.Contains(results[3].err, "holds migration") {
		t.Errorf("it does not say why: %s", results[3])
	}
	if d := differing(before, tree(t, w.path("dest"))); d != "" {
		t.Errorf("the second migration changed %s at the destination", d)
	}
	other := sample(t, "--clean")
	other.change(`UPDATE crm7_company SET ownerContactName = 'Somebody else', dbContactName = 'Somebody else'`)
	p := auto()
	p[3] = with(p[3], "--to", w.path("dest"))
	results = other.pipe(nil, p...)
	w.wantAll(results[3:], 5)
	if !strings.Contains(results[3].err, `"Somebody else"`) {
		t.Errorf("it does not say whose it is: %s", results[3])
	}
	if d := differing(before, tree(t, w.path("dest"))); d != "" {
		t.Errorf("another company changed %s at the destination", d)
	}
}

// The company of the database must be the one that was scanned.
func TestAnotherCompanyBetweenTheStages(t *testing.T) {
	t.Parallel()
	w := sample(t, "--clean")
	w.want(0, scanStep...)
	w.want(0, "omt-assign", "--auto", "--in", "scan.jsonl", "--out", "assigned.jsonl")
	w.change(`UPDATE crm7_company SET serialNo = '4711'`)
	if got := w.want(5, packStep...); !strings.Contains(got.err, `"4711"`) {
		t.Errorf("it does not say why: %s", got)
	}
	if w.has("packed.jsonl") || len(chunksIn(t, w.path("spool"))) > 0 {
		t.Error("something was packed")
	}
}

// What blocks a migration does not stop a part that goes ahead; its chunks need not be sent again.
func TestPreseed(t *testing.T) {
	t.Parallel()
	b, w := fresh(t)
	w.write(b.read("assigned.jsonl"), "assigned.jsonl")
	w.write(b.read("scan.jsonl"), "scan.jsonl")
	w.want(3, without(with(assignStep, "--out", "blocked.jsonl"), "--waivers")...)
	w.want(5, with(packStep, "--in", "blocked.jsonl")...)
	if len(chunksIn(t, w.path("spool"))) > 0 {
		t.Error("what is blocked was packed")
	}
	w.want(0, append(with(packStep, "--in", "blocked.jsonl"), "--only", "document,template")...)
	packed := w.read("packed.jsonl")
	if phase := records(t, packed, "manifest")[0]["phase"]; phase != "preseed" {
		t.Errorf("its phase is %v", phase)
	}
	for _, f := range records(t, packed, "file") {
		if moves := f["area"] == "document" || f["area"] == "template"; !moves && (f["chunk"] != nil || f["state"] == "present") {
			t.Errorf("it packed %v", f)
		}
	}
	if got := w.run(pushStep...); got.status != 0 && got.status != 3 {
		t.Fatalf("push: %s", got)
	}
	if !w.has("dest", "preseeds") || w.has("dest", "migrations") || !strings.Contains(string(w.want(0, "omt-push", "status", "--to", "dest").out), "nothing was committed yet") {
		t.Error("a part that goes ahead became the tenant's migration")
	}
	ahead := chunksIn(t, w.path("dest"))
	if len(ahead) != 5 { // templates, the large document, those before and behind it, the copies
		t.Errorf("%d chunks were sent ahead", len(ahead))
	}
	w.want(5, unpackStep...) // there is no migration yet
	id := fmt.Sprint(records(t, packed, "manifest")[0]["id"])
	if got := w.want(5, append(unpackStep, "--migration", id)...); !strings.Contains(got.err, "holds no tables") {
		t.Errorf("it does not say why: %s", got)
	}
	w.want(0, append(without(unpackStep, "--db"), "--migration", id)...)
	os.RemoveAll(w.path("out"))
	w.want(0, packStep...)
	w.want(3, pushStep...)
	receipts := bytes.Count(w.read("spool", "receipts.jsonl"), []byte("\n"))
	if want := len(chunksIn(t, w.path("dest"))); receipts != want {
		t.Errorf("%d receipts were written for %d chunks: something was sent or asked for twice", receipts, want)
	}
	w.want(0, "omt-pack", "verify", "--from", "dest")
	w.want(0, unpackStep...)
	same(t, "done.jsonl", normal(t, b.read("done.jsonl"), b.dir), normal(t, w.read("done.jsonl"), b.dir))
}

// Records of kinds that nobody here knows go through all stages byte for byte, wherever they stand.
func TestUnknownRecords(t *testing.T) {
	t.Parallel()
	b, w := fresh(t)
	future := []string{`{"kind":"weather","sky":"bl\u00e5",  "wind":[1,{"deg":7}]}`, `{"kind":"mood","of":"KK"}`, `{"kind":"mood"}`}
	var list [][]byte
	for _, l := range lines(b.read("scan.jsonl")) {
		switch {
		case bytes.HasPrefix(l, []byte(`{"kind":"user"`)) && len(future) == 3:
			list = append(list, []byte(future[0]))
			future = append(future, "used")
		case bytes.HasPrefix(l, []byte(`{"kind":"check"`)) && len(future) == 4:
			list = append(list, []byte(future[1]))
			future = append(future, "used")
		case bytes.HasPrefix(l, []byte(`{"kind":"end"`)):
			list = append(list, []byte(future[2]))
			l = resealed(t, list, l)
		}
		list = append(list, l)
	}
	w.write(append(bytes.Join(list, []byte("\n")), '\n'), "scan.jsonl")
	w.want(0, assignStep...)
	w.want(0, packStep...)
	w.want(3, pushStep...)
	for _, name := range []string{"assigned.jsonl", "packed.jsonl", "done.jsonl"} {
		for _, f := range future[:3] {
			if n := bytes.Count(w.read(name), []byte("\n"+f+"\n")); n != 1 {
				t.Errorf("%s has %d × %s", name, n, f)
			}
		}
	}
}

// resealed is an end record for other lines.
func resealed(t testing.TB, list [][]byte, end []byte) []byte {
	t.Helper()
	h, counts := sha256.New(), map[string]int{}
	for _, l := range list {
		h.Write(l)
		h.Write([]byte("\n"))
		counts[fmt.Sprint(record(t, l)["kind"])]++
	}
	m := record(t, end)
	m["sha256"], m["counts"] = fmt.Sprintf("%x", h.Sum(nil)), counts
	delete(m, "kind")
	rest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte(`{"kind":"end",`), rest[1:]...)
}

// Unpack never writes to where the migration came from, nor among what is there already.
func TestUnpackRefuses(t *testing.T) {
	t.Parallel()
	b, w := base(t), newSite(t)
	if err := os.Symlink(b.path("inst"), w.path("inst")); err != nil {
		t.Fatal(err)
	}
	w.write([]byte("mine"), "full", "x")
	was := tree(t, b.path("inst"))
	cases := map[string][]string{
		"the source's database":            {"--db", "sqlite:" + b.path("inst", "crm.sqlite")},
		"the same by another name":         {"--db", "sqlite:inst/crm.sqlite"},
		"the source's archive":             {"--files", b.path("inst", "so_arc")},
		"a new folder in it":               {"--files", b.path("inst", "so_arc", "new")},
		"a folder in it by another name":   {"--files", "inst/so_arc/new/deeper"},
		"a folder that is not empty":       {"--files", "full"},
		"an empty folder and a full one":   {"--db", "sqlite:" + b.path("out.sqlite"), "--files", "empty"},
		"a database and a full folder":     {"--db", "sqlite:new.sqlite", "--files", "full"},
		"a migration that is not there":    {"--files", "empty", "--migration", "01890000-0000-7000-8000-000000000000"},
		"a destination that holds nothing": {"--files", "empty", "--from", "full"},
	}
	for name, more := range cases {
		args := []string{"omt-pack", "unpack"}
		if !slices.Contains(more, "--from") {
			args = append(args, "--from", b.path("dest"))
		}
		if got := w.run(append(args, more...)...); got.status != 5 || got.err == "" {
			t.Errorf("%s: want status 5: %s", name, got)
		}
		for _, made := range []string{"empty", "new.sqlite"} {
			if w.has(made) {
				t.Errorf("%s: %s was made", name, made)
				os.RemoveAll(w.path(made))
			}
		}
	}
	if d := differing(was, tree(t, b.path("inst"))); d != "" {
		t.Errorf("%s was changed in the source", d)
	}
	if string(w.read("full", "x")) != "mine" || len(tree(t, w.path("full"))) != 1 {
		t.Error("the full folder was changed")
	}
	w.noLitter()
}

// seal makes a record of a destination: a JSON object that ends with the digest of what stands before it.
func seal(t *testing.T, m map[string]any) []byte {
	t.Helper()
	delete(m, "sha256")
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	b = b[:len(b)-1]
	return fmt.Appendf(nil, "%s,\"sha256\":\"%x\"}\n", b, sha256.Sum256(b))
}

// forge replaces the committed manifest of a destination by another one, with all digests right.
func (s *site) forge(t *testing.T, dest string, change func(line []byte) []byte) {
	t.Helper()
	var list [][]byte
	for _, l := range lines(s.committed(dest)) {
		if bytes.HasPrefix(l, []byte(`{"kind":"end"`)) {
			l = resealed(t, list, l)
		} else {
			l = change(l)
		}
		list = append(list, l)
	}
	stored := s.stock(append(bytes.Join(list, []byte("\n")), '\n'), "zstd", "-q", "-c")
	commits, _ := filepath.Glob(filepath.Join(dest, "migrations", "*", "*", "commit.json"))
	if err := os.WriteFile(filepath.Join(filepath.Dir(commits[0]), "manifest.jsonl.zst"), stored, 0o644); err != nil {
		t.Fatal(err)
	}
	names := append(commits, filepath.Join(dest, "state", "00000002.json"))
	for i, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := record(t, b)
		c := m
		if i > 0 {
			c = m["migration"].(map[string]any)
		}
		c["manifest"] = map[string]any{"sha256": fmt.Sprintf("%x", sha256.Sum256(stored)), "bytes": len(stored)}
		if err := os.WriteFile(name, seal(t, m), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A destination in the hands of somebody else cannot make unpack write outside its folder.
func TestForgedPaths(t *testing.T) {
	t.Parallel()
	needs(t, "zstd")
	b := base(t)
	victim := ""
	for _, f := range records(t, b.read("done.jsonl"), "file") {
		if f["area"] == "attachment" && f["chunk"] != nil {
			victim = fmt.Sprintf(`"path":%q`, f["path"])
			break
		}
	}
	cases := map[string]string{
		"a path upwards":        `"path":"../../../victim"`,
		"a path upwards inside": `"path":"a/../../../victim"`,
		"an absolute path":      `"path":"/victim"`,
		"a path of dots":        `"path":".."`,
		"no name":               `"path":"a//b"`,
		"hidden in bytes":       `"path":"%2E%2E/%2E%2E/victim","raw":true`,
		"a nul":                 `"path":"a\u0000b"`,
		"another area":          `"path":"x","area":"../.."`,
	}
	for name, path := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSite(t)
			copyTree(t, b.path("dest"), w.path("a", "dest"))
			done := 0
			w.forge(t, w.path("a", "dest"), func(l []byte) []byte {
				if bytes.HasPrefix(l, []byte(`{"kind":"file","area":"attachment"`)) && bytes.Contains(l, []byte(victim)) && done == 0 {
					done++
					return bytes.Replace(l, []byte(victim), []byte(path), 1)
				}
				return l
			})
			if done != 1 {
				t.Fatal("nothing was forged")
			}
			before := len(tree(t, w.dir))
			got := w.run("omt-pack", "unpack", "--from", "a/dest", "--files", "b/c/out")
			if got.status != 1 || got.err == "" {
				t.Errorf("want status 1: %s", got)
			}
			for file := range tree(t, w.dir) {
				if before--; strings.Contains(file, "victim") || strings.HasPrefix(file, "b/") && !strings.HasPrefix(file, "b/c/out/") {
					t.Errorf("it wrote %s", file)
				}
			}
			if got := w.run("omt-pack", "verify", "--from", "a/dest"); got.status != 1 {
				t.Errorf("verify: %s", got)
			}
		})
	}
	// What is forged must be what would have been taken: the same without a change unpacks.
	w := newSite(t)
	copyTree(t, b.path("dest"), w.path("a", "dest"))
	w.forge(t, w.path("a", "dest"), func(l []byte) []byte { return l })
	w.want(0, "omt-pack", "unpack", "--from", "a/dest", "--files", "b/c/out")
}
