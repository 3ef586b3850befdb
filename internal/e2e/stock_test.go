package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/compare"
)

// stock runs a program of the system, which must end well, and gives its standard output.
func (s *site) stock(in []byte, name string, args ...string) []byte {
	s.t.Helper()
	x := exec.Command(name, args...)
	x.Dir, x.Stdin = s.dir, bytes.NewReader(in)
	var said bytes.Buffer
	x.Stderr = &said
	out, err := x.Output()
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said.String())
	}
	return out
}

// committed reads the manifest of the one committed revision at a destination with zstd alone.
func (s *site) committed(dest string) []byte {
	s.t.Helper()
	list, err := filepath.Glob(filepath.Join(dest, "migrations", "*", "*", "commit.json"))
	if err != nil || len(list) != 1 {
		s.t.Fatalf("%d revisions are committed at %s: %v", len(list), dest, err)
	}
	return s.stock(nil, "zstd", "-q", "-dc", filepath.Join(filepath.Dir(list[0]), "manifest.jsonl.zst"))
}

func TestCommittedManifestIsTheOutput(t *testing.T) {
	t.Parallel()
	needs(t, "zstd")
	b := base(t)
	stored := b.committed(b.path("dest"))
	same(t, "the stored manifest", normal(t, b.read("done.jsonl")), normal(t, stored))
	if id, want := records(t, stored, "manifest")[0]["id"], records(t, b.read("done.jsonl"), "manifest")[0]["id"]; id != want {
		t.Errorf("the id is %v, want %v", id, want)
	}
}

// What stock tar makes of the chunks in manifest order is what the archive holds, and unpack makes no more of it.
func TestStockTar(t *testing.T) {
	t.Parallel()
	needs(t, "tar", "zstd")
	b, w := base(t), newSite(t)
	done := w.committed(b.path("dest"))
	if err := os.Mkdir(w.path("tar"), 0o755); err != nil {
		t.Fatal(err)
	}
	var names []string
	links := 0
	for _, c := range records(t, done, "chunk") {
		if c["type"] != "tar.zst" {
			continue
		}
		if c["role"] == "links" {
			links++
		}
		file := chunkFile(b.path("dest"), fmt.Sprintf("%s.%s", c["sha256"], c["type"]))
		w.stock(nil, "tar", "--zstd", "-xf", file, "-C", "tar")
		out := w.stock(nil, "tar", "--quoting-style=literal", "--zstd", "-tf", file)
		names = append(names, strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")...)
	}
	if links == 0 {
		t.Error("the sample has no copies: this proves nothing about links")
	}
	sameFolders(t, b, w.path("tar"))
	w.listed(b, names)
}

// sameFolders compares what tar restored with what unpack made. Names that are not Unicode stay escaped in the tar.
func sameFolders(t *testing.T, b world, restored string) {
	t.Helper()
	want, got := tree(t, b.path("out")), tree(t, restored)
	escaped := 0
	for _, f := range records(t, b.read("done.jsonl"), "file") {
		if f["raw"] != true || f["chunk"] == nil {
			continue
		}
		name := fmt.Sprintf("%s/%s", f["area"], f["path"])
		disk := unescape(name)
		if content, there := got[name]; there && want[disk] == content {
			escaped++
			delete(got, name)
			delete(want, disk)
		}
	}
	if escaped == 0 {
		t.Error("no name of the sample is not Unicode: this proves nothing about such")
	}
	for name, content := range want {
		if there, ok := got[name]; !ok || there != content {
			t.Errorf("tar restored %q: %v, the same: %v", name, ok, there == content)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("tar restored %q, which unpack does not know", name)
	}
}

func unescape(s string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		var c byte
		if s[i] == '%' {
			if _, err := fmt.Sscanf(s[i+1:i+3], "%02X", &c); err == nil {
				b = append(b, c)
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// listed compares omt-pack list --names with what tar lists, and lets tar take the names.
func (s *site) listed(b world, names []string) {
	s.t.Helper()
	list := s.want(0, "omt-pack", "list", "--from", b.path("dest"), "--names").out
	got := strings.Split(strings.TrimSuffix(string(list), "\n"), "\n")
	slices.Sort(got)
	if len(slices.Compact(slices.Clone(got))) != len(got) {
		s.t.Error("a name is listed twice")
	}
	slices.Sort(names)
	same(s.t, "the names", names, got)
	for _, c := range records(s.t, b.read("done.jsonl"), "chunk") {
		if c["area"] != "attachment" {
			continue
		}
		of := slices.DeleteFunc(slices.Clone(got), func(n string) bool { return !strings.HasPrefix(n, "attachment/") })
		s.write([]byte(strings.Join(of, "\n")+"\n"), "names")
		s.stock(nil, "tar", "--zstd", "-tf", chunkFile(b.path("dest"), fmt.Sprintf("%s.%s", c["sha256"], c["type"])), "-T", "names")
		return
	}
	s.t.Error("the sample has no attachments")
}

// The unpacked files are those of the installation, byte for byte and time for time.
func TestUnpackedIsTheInstallation(t *testing.T) {
	t.Parallel()
	b := base(t)
	f, err := compare.FilesOf(b.path("done.jsonl"), b.path("out"))
	if err != nil {
		t.Fatal(err)
	}
	if f.Same < 120 || f.Not < 10 {
		t.Errorf("compared %+v, fewer than the sample has", f)
	}
	rows, err := compare.Databases(context.Background(), b.path("inst", "crm.sqlite"), b.path("out.sqlite"), removed(t, b))
	if err != nil {
		t.Fatal(err)
	}
	if rows.Tables < 40 || rows.Rows < 800 || rows.Gone != 2 {
		t.Errorf("compared %+v, fewer than the sample has", rows)
	}
}

// removed gives the SQL condition of the e-mail rows that the migration removes.
func removed(t testing.TB, b world) map[string]string {
	t.Helper()
	var parts []string
	for _, r := range records(t, b.read("done.jsonl"), "removal") {
		parts = append(parts, fmt.Sprintf(`("person_id" = %v AND lower(trim("email_address")) = lower('%v'))`, r["person"], r["email"]))
	}
	if len(parts) == 0 {
		t.Fatal("the sample removes no address: this proves nothing about removals")
	}
	return map[string]string{"crm7_email": strings.Join(parts, " OR ")}
}

// A program that shares no line with this project reads the manifest and agrees with it.
func TestPython(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	b := base(t)
	script, err := filepath.Abs("testdata/check.py")
	if err != nil {
		t.Fatal(err)
	}
	out := b.stock(nil, "python3", script, "done.jsonl", "dest", "out")
	var got struct {
		Files, Bytes, Chunks, Rows int64
		Counts                     map[string]int64
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	if got.Files < 120 || got.Rows < 800 || got.Chunks < 40 || got.Counts["user"] < 8 {
		t.Errorf("it counted %s", out)
	}
	// It must be able to disagree.
	w := newSite(t)
	copyTree(t, b.path("out"), w.path("out"))
	for _, f := range records(t, b.read("done.jsonl"), "file") {
		if f["chunk"] != nil && f["raw"] == nil && f["size"] != json.Number("0") {
			name := filepath.Join("out", fmt.Sprint(f["area"]), fmt.Sprint(f["path"]))
			content := w.read(name)
			content[0] ^= 1
			w.write(content, name)
			break
		}
	}
	if err := exec.Command("python3", script, b.path("done.jsonl"), b.path("dest"), w.path("out")).Run(); err == nil {
		t.Error("it does not see that a file has other bytes")
	}
}
