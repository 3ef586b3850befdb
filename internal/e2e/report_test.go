package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination/destinationtest/relay"
	"github.com/openomt/omt/internal/destination/destinationtest/servers"
)

// told is the JSON form of a report, as far as it is looked at here.
type told struct {
	Answer, Proved string
	Good           bool
	Areas          []struct {
		Area                                 string
		Found, Stored, Missing, Left, Tables int64
		MissingBy                            []struct{ State, Reason, Text string } `json:"missing_by"`
		LeftBy                               []struct{ State, Reason, Text string } `json:"left_by"`
		Noted                                []struct{ State, Reason, Text string }
	}
	Missing     int64
	MissingList []map[string]any `json:"missing_list"`
	Users       struct {
		Total int
		With  int `json:"with_plan"`
	}
	Proofs []map[string]any
	Sums   []map[string]any
}

// The report of the installation with every odd case says what somebody counts who reads the manifest by other means, and
// every state has words of its own.
func TestReport(t *testing.T) {
	t.Parallel()
	b, w := base(t), newSite(t)
	copyTree(t, b.path("dest"), w.path("dest"))
	w.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content") // beside those of the installation that all tests share
	w.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "hash", "--sample", "10%")
	w.want(0, "omt-push", "report", "--to", "dest", "--out", "report.json")
	var r told
	if err := json.Unmarshal(w.read("report.json"), &r); err != nil {
		t.Fatal(err)
	}
	// Counted by other means: a file is at the tenant when it has a chunk, left out in three states, else missing.
	want := map[string]map[string]int64{}
	var missing []string
	for _, f := range records(t, b.read("done.jsonl"), "file") {
		area := fmt.Sprint(f["area"])
		if want[area] == nil {
			want[area] = map[string]int64{}
		}
		want[area]["found"]++
		switch state := fmt.Sprint(f["state"]); {
		case f["chunk"] != nil:
			want[area]["stored"]++
		case state == "no-row" || state == "shadowed" || state == "left":
			want[area]["left"]++
		default:
			want[area]["missing"]++
			missing = append(missing, fmt.Sprintf("%v %v %v", area, f["id"], f["path"]))
		}
	}
	rows := int64(0)
	for _, x := range records(t, b.read("done.jsonl"), "table") {
		n, err := x["rows"].(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		rows += n
	}
	for _, a := range r.Areas {
		got := map[string]int64{"found": a.Found, "stored": a.Stored, "missing": a.Missing, "left": a.Left}
		if a.Area == "database" {
			want[a.Area] = map[string]int64{"found": rows, "stored": rows}
		}
		for _, k := range []string{"found", "stored", "missing", "left"} {
			if got[k] != want[a.Area][k] {
				t.Errorf("%s, %s: the report says %d, the manifest %d", a.Area, k, got[k], want[a.Area][k])
			}
		}
		for _, x := range append(append(a.MissingBy, a.LeftBy...), a.Noted...) {
			if strings.HasSuffix(x.Text, "("+x.Reason+")") && !strings.HasPrefix(x.Reason, "provider") || strings.HasPrefix(x.Text, x.State) {
				t.Errorf("%s, %s %q has no words of its own: %q", a.Area, x.State, x.Reason, x.Text)
			}
		}
	}
	if len(r.Areas) != 5 || r.Missing != int64(len(missing)) || len(r.MissingList) != len(missing) || len(r.Sums) < 12 {
		t.Errorf("%d areas, %d and %d missing of %d, %d sums", len(r.Areas), r.Missing, len(r.MissingList), len(missing), len(r.Sums))
	}
	for i, m := range r.MissingList {
		path := m["path"]
		if path == "" {
			path = nil
		}
		if got := fmt.Sprintf("%v %v %v", m["area"], m["id"], path); got != missing[i] {
			t.Errorf("missing %d is %s, want %s", i, got, missing[i])
		}
	}
	if len(r.Proofs) < 3 || !r.Good || !strings.Contains(r.Proved, "every byte was read back") || r.Users.Total != len(records(t, b.read("done.jsonl"), "user")) {
		t.Errorf("%d proofs, %v %q, %d users", len(r.Proofs), r.Good, r.Proved, r.Users.Total)
	}
	w.want(0, "omt-push", "report", "--to", "dest", "--out", "report.html")
	if page := w.read("report.html"); !bytes.Contains(page, []byte(r.Answer)) || bytes.Contains(page, []byte("<script")) {
		t.Errorf("the page does not say %q", r.Answer)
	}
	w.want(0, "omt-push", "report", "--to", "dest", "--missing", "--separator", "comma", "--out", "missing.csv")
	list, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(w.read("missing.csv"), []byte("\ufeff")))).ReadAll()
	if err != nil || len(list) != len(missing)+1 {
		t.Errorf("%d lines of a list of %d: %v", len(list), len(missing), err)
	}
	// What a push of the same says is the same number.
	said := w.want(0, "omt-push", "status", "--to", "dest", "--json").out
	if !bytes.Contains(said, fmt.Appendf(nil, `"missing": %d`, len(missing))) {
		t.Errorf("status does not say that %d are missing", len(missing))
	}
}

// A proof that found damage stands in the report, until a better one is made.
func TestReportOfDamage(t *testing.T) {
	t.Parallel()
	b, w := base(t), newSite(t)
	copyTree(t, b.path("dest"), w.path("dest"))
	where, undo := world{w}.flip(random(t), chunkFile(w.path("dest"), chunksIn(t, w.path("dest"))[0]))
	w.want(1, "omt-pack", "verify", "--from", "dest", "--depth", "content")
	report := func(want string) {
		t.Helper()
		w.want(0, "omt-push", "report", "--to", "dest", "--out", "report.html")
		if !strings.Contains(string(w.read("report.html")), want) {
			t.Errorf("%s: the report does not say %q", where, want)
		}
	}
	report("1 chunk or table is missing or different")
	undo()
	w.want(0, "omt-pack", "verify", "--from", "dest", "--depth", "content")
	report("nothing is missing and nothing differs")
}

// A credential that may only read proves; that the result is not kept is told, and changes nothing else.
func TestProofWithReadingAlone(t *testing.T) {
	t.Parallel()
	a := servers.StartAzurite(t)
	b, w := base(t), newSite(t)
	name := a.Container(t)
	url := a.SAS(t, name, "rcwl", time.Hour)
	world{w}.use(cloud{to: url, secrets: []string{a.Key}, store: objectsOf(t, url)})
	copyTree(t, b.path("spool"), w.path("spool"))
	w.write(b.read("packed.jsonl"), "packed.jsonl")
	w.want(3, toCloud(pushStep, "--to")...)
	w.write([]byte(a.SAS(t, name, "rl", time.Hour)+"\n"), "reading.url")
	r := w.want(0, "omt-pack", "verify", "--from", "@reading.url", "--depth", "hash")
	if want := "omt-pack: the result is not kept beside the migration, since the credential may only read; omt-push report does not show it\n"; r.err != want {
		t.Errorf("it says %q, want %q", r.err, want)
	}
	w.want(0, "omt-push", "report", "--to", "@reading.url", "--out", "report.html")
	if !strings.Contains(string(w.read("report.html")), "Nothing was proved yet.") {
		t.Error("a proof that is not kept stands in the report")
	}
	if r := w.want(0, "omt-pack", "verify", "--from", "@tenant.url", "--depth", "hash"); r.err != "" {
		t.Errorf("it says %q", r.err)
	}
	w.want(0, "omt-push", "report", "--to", "@reading.url", "--out", "report.html")
	if !strings.Contains(string(w.read("report.html")), "every byte was read back") {
		t.Error("a proof that is kept does not stand in the report")
	}
}

// A proof that is killed -9 over the network is gone on with where it was.
func TestProofKilled(t *testing.T) {
	t.Parallel()
	g := servers.StartVersityGW(t)
	b, w := base(t), newSite(t)
	bucket := g.Bucket(t)
	env := []string{"AWS_ACCESS_KEY_ID=" + g.Access, "AWS_SECRET_ACCESS_KEY=" + g.Secret}
	copyTree(t, b.path("spool"), w.path("spool"))
	w.write(b.read("packed.jsonl"), "packed.jsonl")
	world{w}.use(cloud{to: g.URL(bucket, "kalles"), env: env, secrets: []string{g.Secret}, store: folder(t, filepath.Join(g.Dir, bucket))})
	w.want(3, toCloud(pushStep, "--to")...)
	chunks := len(chunksIn(t, b.path("dest")))

	// Half of the requests are answered, the next one hangs, and the process is killed.
	line := relay.New(t, g.Host, relay.Fault{Method: http.MethodGet, Has: "/chunks/", Call: chunks / 2, Stall: time.Hour})
	w.write([]byte(strings.Replace(g.URL(bucket, "kalles"), g.Host, line.URL, 1)+"\n"), "tenant.url")
	x := w.command("omt-pack", "verify", "--from", "@tenant.url", "--depth", "content")
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(2 * time.Minute); line.Count("GET", "/chunks/") < chunks/2; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			x.Process.Kill()
			t.Fatalf("%d of %d chunks were asked for", line.Count("GET", "/chunks/"), chunks)
		}
	}
	x.Process.Kill()
	x.Wait()
	seen := line.Count("GET", "/chunks/")

	w.want(0, "omt-pack", "verify", "--from", "@tenant.url", "--depth", "content")
	if again := line.Count("GET", "/chunks/") - seen; again > chunks-seen+4 || again == 0 {
		t.Errorf("of %d chunks %d were asked for before the kill and %d after it", chunks, seen, again)
	}
	var r told
	w.want(0, "omt-push", "report", "--to", "@tenant.url", "--out", "report.json")
	if err := json.Unmarshal(w.read("report.json"), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Proofs) != 1 || r.Proofs[0]["runs"] != 2.0 || !r.Good {
		t.Errorf("%v", r.Proofs)
	}
}
