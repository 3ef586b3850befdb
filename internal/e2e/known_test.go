package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/compare"
)

// changing changes files and rows of an installation at random.
type changing struct {
	world
	r      *rand.Rand
	former []file // contents that were there, with their names and times
}

type file struct {
	path    string
	content []byte
	mtime   time.Time
}

func (c *changing) files(dirs ...string) (list []string) {
	for _, dir := range dirs {
		for name := range tree(c.t, c.path("inst", dir)) {
			list = append(list, c.path("inst", dir, name))
		}
	}
	slices.Sort(list)
	return list
}

func (c *changing) put(f file) {
	c.t.Helper()
	if old, err := os.ReadFile(f.path); err == nil {
		info, err := os.Stat(f.path)
		if err != nil {
			c.t.Fatal(err)
		}
		c.former = append(c.former, file{f.path, old, info.ModTime()})
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(f.path, f.content, 0o644); err != nil {
		c.t.Fatal(err)
	}
	if f.mtime.IsZero() {
		return
	}
	if err := os.Chtimes(f.path, f.mtime, f.mtime); err != nil {
		c.t.Fatal(err)
	}
}

func (c *changing) bytes() []byte {
	b := make([]byte, c.r.IntN(20_000))
	for i := range b {
		b[i] = byte(c.r.Uint32())
	}
	return b
}

// step changes a few things: contents of documents, and files of Customer Service that come, go, change, are copied, and
// get back what they were.
func (c *changing) step() {
	c.t.Helper()
	documents := c.files("so_arc/BOB", "so_arc/EE")
	loose := slices.DeleteFunc(c.files("service/www"), func(name string) bool { return strings.Contains(name, "turning") })
	any := func(list []string) string { return list[c.r.IntN(len(list))] }
	read := func(name string) []byte {
		b, err := os.ReadFile(name)
		if err != nil {
			c.t.Fatal(err)
		}
		return b
	}
	for i := range 14 {
		name := c.path("inst", "service", "www", fmt.Sprintf("%c%d", 'a'+c.r.IntN(3), c.r.IntN(4)), fmt.Sprintf("%d.txt", c.r.IntN(4)))
		switch i % 7 {
		case 0:
			c.put(file{path: any(documents), content: c.bytes()})
		case 1, 2:
			c.put(file{path: name, content: c.bytes()})
		case 3:
			c.put(file{path: name, content: read(any(append(loose, documents...)))})
		case 4:
			if len(loose) > 3 {
				os.Remove(any(loose))
				loose = slices.DeleteFunc(loose, func(name string) bool { _, err := os.Stat(name); return err != nil })
			}
		case 5:
			c.put(file{path: name})
		case 6:
			if len(c.former) > 0 {
				c.put(c.former[c.r.IntN(len(c.former))])
			}
		}
	}
	c.turn()
	db, err := sql.Open("sqlite", c.path("inst", "crm.sqlite"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), "UPDATE crm7_contact SET department = ? WHERE contact_id % 3 = ?", fmt.Sprint(c.r.Uint32()), c.r.IntN(3)); err != nil {
		c.t.Fatal(err)
	}
}

// turn makes a file of a folder of its name, and the other way round.
func (c *changing) turn() {
	c.t.Helper()
	name := c.path("inst", "service", "www", "turning")
	next := name
	if info, err := os.Stat(name); err == nil && !info.IsDir() {
		next = filepath.Join(name, "inner", "file.txt")
	}
	if err := os.RemoveAll(name); err != nil {
		c.t.Fatal(err)
	}
	c.put(file{path: next, content: c.bytes()})
}

// said gives, of each file record, what must be the same however it was packed.
func said(t testing.TB, manifest []byte) []string {
	t.Helper()
	var list []string
	for _, f := range records(t, manifest, "file") {
		state := f["state"]
		if state == "stored" {
			state = "present"
		}
		list = append(list, fmt.Sprintf("%v %v %v %v %v %v %v", f["area"], f["path"], f["id"], f["size"], f["mtime"], state, f["sha256"]))
	}
	return list
}

// Several generations of random changes: what is packed with knowledge of former pushes says the same of every file as what
// is packed without, is proved, and unpacks to what the installation holds, by unpack and by a stock tar. Table parts that
// did not change and files that did not are not sent again.
func TestKnownContent(t *testing.T) {
	t.Parallel()
	needs(t, "tar", "zstd")
	w := sample(t, "--clean", "--documents", "60")
	c := &changing{world: w, r: rand.New(rand.NewPCG(seed(t), 3))}
	c.step()
	w.want(0, scanStep...)
	w.want(0, "omt-assign", "--in", "scan.jsonl", "--auto", "--out", "assigned.jsonl")
	w.want(0, packStep...)
	w.want(0, pushStep...)
	done := "done.jsonl"
	for generation, how := range [][]string{{"--known", done}, {"--to", "dest"}, {"--to", "dest", "--rehash"}} {
		c.step()
		if how[0] == "--known" {
			how[1] = done
		}
		out := func(name string) string { return fmt.Sprintf("%s%d", name, generation) }
		packed, plain := out("packed")+".jsonl", out("plain")+".jsonl"
		w.want(0, append(with(with(packStep, "--spool", out("spool")), "--out", packed), how...)...)
		w.want(0, with(with(packStep, "--spool", "plain"), "--out", plain)...)
		same(t, "what is said of files", said(t, w.read(plain)), said(t, w.read(packed)))
		made, all := len(chunksIn(t, w.path(out("spool")))), len(chunkNames(t, w.read(packed)))
		if made == 0 || made > all/2 {
			t.Errorf("%d chunks of %d were made", made, all)
		}
		done = out("done") + ".jsonl"
		w.want(0, with(with(with(pushStep, "--spool", out("spool")), "--in", packed), "--out", done)...)
		w.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content", "--db", "sqlite:inst/crm.sqlite")
		w.want(0, with(without(unpackStep, "--db"), "--files", out("out"))...)
		if f, err := compare.FilesOf(w.path(done), w.path(out("out"))); err != nil || f.Same < 60 {
			t.Errorf("compared %+v: %v", f, err)
		}
		w.untar(done, out("tar"))
		want := tree(t, w.path(out("out")))
		for name, content := range tree(t, w.path(out("tar"))) {
			if want[name] != content {
				t.Errorf("tar makes something else of %q", name)
			}
			delete(want, name)
		}
		for name := range want {
			t.Errorf("tar does not make %q", name)
		}
		if t.Failed() {
			t.Fatalf("generation %d, %v", generation, how)
		}
	}
	w.noLitter()
}

// untar unpacks what a manifest names from one stream of all its chunks with zstd and tar.
func (w world) untar(done, dir string) {
	w.t.Helper()
	list := w.run("omt-pack", "list", "--from", "dest", "--names")
	w.write(list.out, dir+".names")
	args := []string{"-q", "-dc"}
	for _, name := range chunkNames(w.t, w.read(done)) {
		if strings.HasSuffix(name, ".tar.zst") {
			args = append(args, chunkFile("dest", name))
		}
	}
	if err := os.Mkdir(w.path(dir), 0o755); err != nil {
		w.t.Fatal(err)
	}
	w.stock(w.stock(nil, "zstd", args...), "tar", "-x", "--ignore-zeros", "--no-recursion", "-C", dir, "--verbatim-files-from", "-T", dir+".names")
}

// With --to a tenant is asked at once: what mode a migration will have, and whose it is.
func TestAskedEarly(t *testing.T) {
	t.Parallel()
	w := sample(t, "--clean")
	mode := func(manifest string) any { return records(t, w.read(manifest), "manifest")[0]["mode"] }
	scan := append(slices.Clone(scanStep), "--to", "dest")
	w.want(0, scan...)
	if got := mode("scan.jsonl"); got != "initial" {
		t.Errorf("to a tenant that holds nothing the mode is %v", got)
	}
	w.want(0, "omt-assign", "--in", "scan.jsonl", "--auto", "--out", "assigned.jsonl")
	w.want(0, packStep...)
	w.want(0, pushStep...)
	w.want(0, with(scan, "--out", "second.jsonl")...)
	if got := mode("second.jsonl"); got != "recovery" {
		t.Errorf("to a tenant that holds another migration the mode is %v", got)
	}
	w.want(0, append(with(with(packStep, "--out", "again.jsonl"), "--spool", "again"), "--to", "dest")...)
	if got := mode("again.jsonl"); got != "initial" {
		t.Errorf("of the tenant's own migration the mode is %v", got)
	}
	db, err := sql.Open("sqlite", w.path("inst", "crm.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "UPDATE crm7_company SET serialNo = '1'"); err != nil {
		t.Fatal(err)
	}
	r := w.want(5, with(scan, "--out", "other.jsonl")...)
	if !strings.Contains(r.err, `the installation is of "8docklock", "1"`) || w.has("other.jsonl") {
		t.Errorf("the tenant of another serial number: %s", r)
	}
}

// A file that has the size and time that are known is not read: nobody sees that its content is another one. --rehash does.
func TestRehash(t *testing.T) {
	t.Parallel()
	w := sample(t, "--clean")
	w.want(0, scanStep...)
	w.want(0, "omt-assign", "--in", "scan.jsonl", "--auto", "--out", "assigned.jsonl")
	w.want(0, packStep...)
	w.want(0, pushStep...)
	name := w.path("inst", "service", "crontab.txt")
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	w.write([]byte(strings.Repeat("#", int(info.Size()))), "inst", "service", "crontab.txt")
	if err := os.Chtimes(name, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	known := append(with(with(packStep, "--spool", "again"), "--out", "again.jsonl"), "--known", "done.jsonl")
	w.want(0, known...)
	same(t, "what is said of files", said(t, w.read("done.jsonl")), said(t, w.read("again.jsonl")))
	for _, f := range records(t, w.read("again.jsonl"), "file") {
		if f["chunk"] != nil && f["state"] != "stored" {
			t.Errorf("packed anew: %v", f)
		}
	}
	r := w.want(0, append(with(known, "--out", "rehash.jsonl"), "--rehash")...)
	if !strings.Contains(r.err, "although their size and time are the same: 1;") {
		t.Errorf("it says %q", r.err)
	}
	anew := 0
	for _, f := range records(t, w.read("rehash.jsonl"), "file") {
		if f["state"] == "present" {
			anew++
			if f["path"] != "crontab.txt" {
				t.Errorf("packed anew: %v", f)
			}
		}
	}
	if anew != 1 {
		t.Errorf("%d files were packed anew", anew)
	}
}
