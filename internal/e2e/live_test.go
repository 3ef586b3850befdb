package e2e

import (
	"bytes"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"
)

// everything is an installation, all of it: every file with its bytes, permissions and time, and every row of its
// database. times says whether the times of files and the bytes of the database count too.
func (s *site) everything(times bool) map[string]string {
	s.t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(s.path("inst"), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		if times {
			text += info.ModTime().String()
		}
		if info.Mode().IsRegular() && (times || !strings.HasSuffix(path, ".sqlite")) {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += string(data)
		}
		out[path] = text
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	db, err := sql.Open("sqlite", s.path("inst", "crm.sqlite"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	for _, table := range s.column(db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		cols := strings.Join(s.column(db, `SELECT '"' || name || '"' FROM pragma_table_info('`+table+`')`), " || '|' || quote(")
		rows := s.column(db, `SELECT quote(`+strings.ReplaceAll(cols, " || '|' || quote(", ") || '|' || quote(")+`) FROM "`+table+`"`)
		sort.Strings(rows)
		out["table "+table] = strings.Join(rows, "\n")
	}
	return out
}

func (s *site) column(db *sql.DB, query string) (out []string) {
	s.t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			s.t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// differences names what differs between two looks.
func differences(a, b map[string]string) (out []string) {
	for k := range a {
		if a[k] != b[k] {
			out = append(out, k)
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			out = append(out, k)
		}
	}
	sort.Strings(out)
	return out
}

// A test migration, from the scan to its proof and its unpacking, touches nothing of the installation: not a byte, not a
// time, not a file beside another.
func TestATestTouchesNothing(t *testing.T) {
	s := newSite(t)
	s.want(0, "omt-scan", "sample", "--dir", "inst", "--documents", "5")
	before := s.everything(true)
	s.want(3, scanStep...)
	s.want(0, assignStep...)
	s.want(0, packStep...)
	s.want(3, pushStep...)
	s.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content", "--db", "sqlite:inst/crm.sqlite")
	s.want(0, unpackStep...)
	if d := differences(before, s.everything(true)); len(d) > 0 {
		t.Errorf("a test migration changed %q", d)
	}
	if s.want(0, "omt-pack", "thaw", "--spool", "spool"); s.has("spool", "freeze.jsonl") {
		t.Error("a test migration has a journal of a freeze")
	}
}

// live is a clean installation that was scanned for a live migration and assigned.
func live(t *testing.T, scan ...string) *site {
	s := newSite(t)
	s.want(0, "omt-scan", "sample", "--dir", "inst", "--documents", "5", "--clean")
	if err := os.Mkdir(s.path("dest"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.want(0, append(append([]string{}, scanStep...), append(scan, "--live")...)...)
	s.want(0, assignStep...)
	return s
}

var livePack = []string{"omt-pack", "--in", "assigned.jsonl", "--spool", "spool", "--out", "packed.jsonl", "--to", "dest"}

func livePacked(more ...string) []string { return append(append([]string{}, livePack...), more...) }

// frozen asserts what of the installation is frozen.
func (s *site) frozen(before map[string]string, want ...string) {
	s.t.Helper()
	var got []string
	for _, d := range differences(before, s.everything(false)) {
		got = append(got, filepath.Base(d))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("changed is %q, want %q", got, want)
	}
}

var all = []string{"config", "table crm7_SystemEvent", "table crm7_sequence"}

// A live migration: packed, pushed, proved, and all the way back, by the journal and by the manifest.
func TestLive(t *testing.T) {
	s := live(t)
	before := s.everything(false)
	s.want(0, livePacked("--yes")...)
	s.frozen(before, all...)
	packed := string(s.read("packed.jsonl"))
	for _, must := range []string{`{"kind":"freeze","what":"service-config","path":"`, `{"kind":"freeze","what":"system-event","table":"SystemEvent"`, `"eventkey":"NoLogin"`, `"migration":"live"`} {
		if strings.Count(packed, must) != 1 {
			t.Errorf("the manifest does not have %s once", must)
		}
	}
	if i, j, k := strings.Index(packed, `"kind":"migrator"`), strings.Index(packed, `"kind":"freeze"`), strings.Index(packed, `"kind":"plan"`); i > j || j > k {
		t.Error("the records of the freeze do not stand where they should")
	}
	if strings.Contains(packed+string(s.read("spool", "freeze.jsonl")), "sample-not-a-secret") {
		t.Error("a password of the config is told")
	}
	s.want(0, pushStep...)
	s.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
	s.frozen(before, all...)
	s.want(0, "omt-pack", "thaw", "--spool", "spool")
	s.frozen(before)
	s.want(0, "omt-pack", "thaw", "--spool", "spool")
	s.want(0, "omt-pack", "thaw", "--in", "done.jsonl")
	s.frozen(before)

	s.want(0, livePacked("--yes", "--freeze", "event", "--event-key", "Closed")...)
	s.frozen(before, all[1:]...)
	s.want(0, "omt-pack", "thaw", "--in", "packed.jsonl")
	s.frozen(before)
}

// Everything that can stop a live migration stops it before it is frozen.
func TestLiveRefused(t *testing.T) {
	s := live(t)
	before := s.everything(false)
	refused := func(status int, want, hint string, args ...string) {
		t.Helper()
		r := s.run(args...)
		if r.status != status || !strings.Contains(r.err, want) || !strings.Contains(r.err, hint) {
			t.Errorf("want %d, %q and %q: %s", status, want, hint, r)
		}
		s.frozen(before)
	}
	refused(2, "a live migration needs the destination", "--to URL", append(append([]string{}, packStep...), "--yes")...)
	refused(2, "there is no console to ask on", "--yes", livePack...)
	refused(2, `--freeze: "web" cannot be frozen`, "service and event", livePacked("--freeze", "web")...)
	assigned := s.read("assigned.jsonl")

	// Reviews that nobody has given.
	var lines []string
	for l := range strings.Lines(string(assigned)) {
		if !strings.Contains(l, `"kind":"review","item":"notifications"`) {
			lines = append(lines, l)
		}
	}
	if err := os.WriteFile(s.path("assigned.jsonl"), []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(5, "nobody has settled notifications", "omt-assign", livePacked("--yes", "--accept-edits")...)
	if err := os.WriteFile(s.path("assigned.jsonl"), assigned, 0o600); err != nil {
		t.Fatal(err)
	}

	db, err := sql.Open("sqlite", s.path("inst", "crm.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	change := func(q string) {
		t.Helper()
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
		before = s.everything(false)
	}
	change("UPDATE crm7_associate SET deleted = 1 WHERE name = (SELECT '" + field(string(assigned), `"kind":"migrator","login":"`) + "')")
	refused(5, "is by now retired or no employee", "scan again", livePacked("--yes")...)
	change("UPDATE crm7_associate SET deleted = 0 WHERE name = '" + field(string(assigned), `"kind":"migrator","login":"`) + "'")
	change("ALTER TABLE crm7_SystemEvent RENAME TO crm7_other")
	refused(5, "there is no table SystemEvent", "--freeze service", livePacked("--yes")...)
	change("ALTER TABLE crm7_other RENAME TO crm7_SystemEvent")
	change("INSERT INTO crm7_activeuser SELECT associate_id, '2026-01-01 00:00:00', '10.0.0.7', 1, 'PC-7', '1760-01-01 00:00:00', 0, '1760-01-01 00:00:00', 0, 0 FROM crm7_associate LIMIT 1")
	refused(5, "still logged on when the time was over: ", "--wait-idle", livePacked("--yes", "--wait-idle", "1s")...)
	if r := s.want(0, livePacked("--yes")...); !strings.Contains(r.err, "1 still logged on: ") || !strings.Contains(r.err, " at PC-7") {
		t.Errorf("it is not said who is logged on: %s", r)
	}
	s.frozen(before, all...)
	s.want(2, "omt-pack", "thaw") // the usual spool is not there
	s.want(2, "omt-pack", "thaw", "--spool", "spool", "--in", "packed.jsonl")
	s.frozen(before, all...)
	s.want(0, "omt-pack", "thaw", "--spool", "spool")
	s.frozen(before)
}

// field is the text behind a key.
func field(text, key string) string {
	_, rest, _ := strings.Cut(text, key)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// A pack that fails behind the freeze thaws, and one that succeeds over a failing push stays frozen and says how to thaw.
func TestLiveFails(t *testing.T) {
	s := live(t)
	before := s.everything(false)
	if err := os.MkdirAll(s.path("spool", "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.path("spool", "pack.journal"), 0o700); err != nil { // a folder where the journal should be
		t.Fatal(err)
	}
	r := s.want(1, livePacked("--yes")...)
	if !strings.Contains(r.err, "thawed: 2 undone") || s.has("packed.jsonl") || !s.has("spool", "freeze.jsonl") {
		t.Errorf("%s", r)
	}
	s.frozen(before)
	if err := os.Remove(s.path("spool", "pack.journal")); err != nil {
		t.Fatal(err)
	}
	s.want(0, livePacked("--yes")...)
	s.want(0, livePacked("--yes")...) // frozen already, by the same spool
	s.frozen(before, all...)
	if err := os.WriteFile(s.path("file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r = s.run("omt-push", "--in", "packed.jsonl", "--spool", "spool", "--to", "file/dest", "--out", "done.jsonl")
	if r.status == 0 || r.status == 3 {
		t.Errorf("%s", r)
	}
	if err := os.RemoveAll(s.path("spool", "chunks")); err != nil {
		t.Fatal(err)
	}
	if r = s.run(pushStep...); r.status != 1 && r.status != 5 || !strings.Contains(r.err, `still frozen`) || !strings.Contains(r.err, `omt-pack thaw --spool spool`) {
		t.Errorf("%s", r)
	}
	s.frozen(before, all...)

	config := ""
	for k := range before {
		if filepath.Base(k) == "config" {
			config = k
		}
	}
	data, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, append(data, 'x', 0), 0o644); err != nil {
		t.Fatal(err)
	}
	r = s.want(5, "omt-pack", "thaw", "--spool", "spool")
	if !strings.Contains(r.err, "was changed since it was frozen: then sha256 ") || !strings.Contains(r.err, "now sha256 ") || strings.Contains(r.err, "sample-not-a-secret") {
		t.Errorf("%s", r)
	}
	s.frozen(before, "config")
	if err := os.WriteFile(config, data, 0o644); err != nil {
		t.Fatal(err)
	}
	s.want(0, "omt-pack", "thaw", "--spool", "spool")
	s.frozen(before)
}

// A pack that is interrupted behind the freeze thaws; one that is killed leaves the freeze, and the same command goes on.
func TestLiveInterrupted(t *testing.T) {
	s := live(t)
	before := s.everything(false)
	// The second chunk waits for room, for which nobody makes it: long enough to be stopped there.
	stopped := func(signal os.Signal) (int, string) {
		x := s.command(livePacked("--yes", "--spool-limit", "1KB", "--workers", "1")...)
		var said bytes.Buffer
		x.Stderr = &said
		if err := x.Start(); err != nil {
			t.Fatal(err)
		}
		for !strings.Contains(s.text("spool", "freeze.jsonl"), `"step":"frozen"`) {
			time.Sleep(10 * time.Millisecond)
			if x.ProcessState != nil {
				t.Fatal("it ended")
			}
		}
		s.frozen(before, all...)
		if err := x.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = x.Wait()
		return x.ProcessState.ExitCode(), said.String()
	}
	if status, said := stopped(os.Interrupt); status != 130 || !strings.Contains(said, "thawed: 2 undone") {
		t.Errorf("interrupted: %d %s", status, said)
	}
	s.frozen(before)
	if err := os.Remove(s.path("spool", "freeze.jsonl")); err != nil {
		t.Fatal(err)
	}
	if status, said := stopped(os.Kill); status != -1 {
		t.Errorf("killed: %d %s", status, said)
	}
	s.frozen(before, all...)
	if r := s.want(2, livePack...); !strings.Contains(r.err, `still frozen by an earlier run: omt-pack thaw --spool spool`) { // nobody to ask
		t.Errorf("%s", r)
	}
	s.frozen(before, all...)
	s.want(0, livePacked("--yes")...)
	if n := strings.Count(string(s.read("packed.jsonl")), `"kind":"freeze"`); n != 2 {
		t.Errorf("the manifest has %d records of the freeze", n)
	}
	s.frozen(before, all...)
	s.want(0, "omt-pack", "thaw", "--in", "packed.jsonl")
	s.frozen(before)
	if err := os.Remove(s.path("spool", "freeze.jsonl")); err != nil {
		t.Fatal(err)
	}
	stopped(os.Kill)
	s.want(0, "omt-pack", "thaw", "--spool", "spool")
	s.frozen(before)
}

// text is a file's content, "" where it is not there.
func (s *site) text(elem ...string) string {
	data, _ := os.ReadFile(s.path(elem...))
	return string(data)
}

// A live migration that is killed at any moment, from before its freeze to its commit, is gone back from, or gone on with:
// thaw restores the installation, and the same commands finish what was begun.
func TestLiveKilled(t *testing.T) {
	t.Parallel()
	kills := number(t, "OMT_TEST_KILLS", 6)
	k := &killer{r: random(t), hits: map[string]int{}, left: kills, pace: map[string]float64{}}
	s := live(t)
	before := s.everything(false)
	pack, thaw := livePacked("--yes"), []string{"omt-pack", "thaw", "--spool", "spool"}
	took := func(step []string) time.Duration {
		began := time.Now()
		s.want(0, step...)
		return time.Since(began)
	}
	packing, pushing := took(pack), took(pushStep)
	s.want(0, thaw...)
	ends := map[string]int{}
	for ; k.left > 0 && k.late <= 4*kills; s.frozen(before) {
		for _, name := range []string{"spool", "dest", "packed.jsonl", "done.jsonl"} {
			os.RemoveAll(s.path(name))
		}
		for _, name := range []string{"spool", "dest"} {
			if err := os.Mkdir(s.path(name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		step, what, within := pack, "pack", packing
		if k.r.IntN(3) == 0 {
			s.want(0, pack...)
			step, what, within = pushStep, "push", pushing
		}
		x := s.command(step...)
		if err := x.Start(); err != nil {
			t.Fatal(err)
		}
		k.kill(within, what, []*exec.Cmd{x})
		if x.ProcessState.ExitCode() < 0 {
			ends[fmt.Sprintf("%s killed, changed then: %d", what, len(differences(before, s.everything(false))))]++
		}
		if k.r.IntN(2) == 0 {
			s.want(0, thaw...)
			continue
		}
		if what == "pack" {
			s.want(0, pack...)
		}
		s.frozen(before, all...)
		s.want(0, pushStep...)
		s.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
		s.frozen(before, all...)
		s.want(0, thaw...)
	}
	t.Logf("%v; %d more kills came too late", ends, k.late)
	if k.left > 0 {
		t.Errorf("%d kills of %d are left: this proves too little", k.left, kills)
	}
}
