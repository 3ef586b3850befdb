package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/cli/clitest"
)

// work is a manifest with what a board looks at: addresses and removals of other persons, findings and waivers.
const work = `{"kind":"manifest","format":"omt/1","id":"0192f0c1-0000-7000-8000-000000000001","tool":"omt-scan 0.1.0","created":"2026-11-22T04:00:00Z","migration":"test","phase":"full"}
{"kind":"installation","owner":"Kalles","serial":"1801830017","version":"8.5","engine":"sqlite","database":"sqlite:/x","prefix":"crm7","areas":[],"roots":{}}
{"kind":"migrator","login":"KK","name":"Karl","email":"k@example.com","phone":"","language":"no","verified":"database","admin":"guessed"}
{"kind":"plan","name":"SalesPREM","title":"Sales Premium","onsite":"ten-sales","seats":2,"unlimited":false,"source":"tenant"}
{"kind":"user","id":7,"login":"GKS","person":17,"name":"Gunn","company":"","group":"","role":"","position":"","admin":true,"confidential":false,"emails":["gks@example.com"],"onsite":"ten-sales","later":[1]}
{"kind":"user","id":8,"login":"HUH","person":18,"name":"Hans","company":"","group":"","role":"","position":"","admin":false,"confidential":false,"emails":["huh@example.com","gks@example.com"],"onsite":"ten-sales"}
{"kind":"user","id":9,"login":"KK","person":19,"name":"Karl","company":"","group":"","role":"","position":"","admin":false,"confidential":false,"emails":["k@example.com"],"onsite":""}
{"kind":"address","person":40,"rank":1,"email":"GKS@example.com"}
{"kind":"address","person":41,"rank":1,"email":"other@example.com"}
{"kind":"address","person":42,"rank":2,"email":"huh@example.com"}
{"kind":"check","rule":"shared-person","plugin":"crm 0.1.0","tool":"omt-scan 0.1.0","status":"done","findings":1}
{"kind":"finding","rule":"shared-person","severity":"warning","subjects":["user:7","user:8"],"message":"two users, one person","waived":""}
`

// page is what a browser does with a board.
type page struct {
	t    *testing.T
	c    *http.Client
	root string
	done chan int
	p    *clitest.Process
	stop context.CancelFunc
}

// openBoard runs the command with --board and opens its address.
func openBoard(t *testing.T, stdin string, args ...string) *page {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	return reopen(t, stdin, args...)
}

func reopen(t *testing.T, stdin string, args ...string) *page {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	g := &page{t: t, c: &http.Client{Jar: jar}, done: make(chan int, 1), p: clitest.New(t, "omt-assign", append(args, "--board", "--no-open")...)}
	g.p.Stdin, g.p.Vars["OMT_PLUGINS"], g.p.Vars["USER"] = stdin, plugins.Dir(t), "karl"
	ctx, stop := context.WithCancel(context.Background())
	g.stop = stop
	t.Cleanup(stop)
	go func() { g.done <- g.p.Run(ctx, command) }()
	const before = "omt-assign: the board is at "
	for late := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, rest, found := strings.Cut(g.p.Stderr.String(), before); found && strings.Contains(rest, "\n") {
			address, _, _ := strings.Cut(rest, "\n")
			g.root = address[:strings.Index(address, "/?")]
			r, err := g.c.Get(address)
			if err != nil {
				t.Fatal(err)
			}
			r.Body.Close()
			return g.notInTheLog(address)
		}
		if time.Now().After(late) || len(g.done) > 0 {
			t.Fatalf("no address in %q", g.p.Stderr.String())
		}
	}
}

// notInTheLog: the token lets anybody in who reads it first.
func (g *page) notInTheLog(address string) *page {
	g.t.Helper()
	_, token, _ := strings.Cut(address, "token=")
	logs, err := filepath.Glob(filepath.Join(g.p.Env.TempDir, "SoMigration", "*"))
	if err != nil || len(logs) == 0 || len(token) < 20 {
		g.t.Fatalf("logs %v, %v; token %q", logs, err, token)
	}
	for _, name := range logs {
		if b, err := os.ReadFile(name); err != nil || bytes.Contains(b, []byte(token)) || !bytes.Contains(b, []byte("the board is at")) {
			g.t.Errorf("the log, %v: %s", err, b)
		}
	}
	return g
}

// ask sends a question and returns the answer.
func (g *page) ask(path, body string) string {
	g.t.Helper()
	method := "POST"
	if body == "" {
		method = "GET"
	}
	q, err := http.NewRequest(method, g.root+"/api/"+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	q.Header.Set("Origin", g.root)
	r, err := g.c.Do(q)
	if err != nil {
		g.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != 200 {
		g.t.Fatalf("%s: %s %s %v", path, r.Status, b, err)
	}
	return string(b)
}

// edit makes a step on the state as it is.
func (g *page) edit(edit string) {
	g.t.Helper()
	g.ask("edit", `{"revision":`+g.revision()+`,"edit":`+edit+`}`)
}

func (g *page) revision() string {
	g.t.Helper()
	var v struct{ Revision json.Number }
	if err := json.Unmarshal([]byte(g.ask("state", "")), &v); err != nil {
		g.t.Fatal(err)
	}
	return v.Revision.String()
}

// ok says OK and returns the exit status.
func (g *page) ok() int {
	g.t.Helper()
	if a := g.ask("ok", `{"revision":`+g.revision()+`}`); a != `{"blocks":null}` {
		g.t.Fatalf("blocks: %s", a)
	}
	return g.wait()
}

func (g *page) wait() int {
	g.t.Helper()
	select {
	case s := <-g.done:
		return s
	case <-time.After(time.Minute):
		g.t.Fatal("the command does not end")
		return -1
	}
}

// input writes the manifest into a folder of the test's own.
func input(t *testing.T) (text, file string) {
	t.Helper()
	b, err := clitest.Sealed("omt-scan 0.1.0", work)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "scan.jsonl")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return string(b), file
}

// steps are what somebody does on the board, and flags what is the same.
var (
	steps = []string{
		`{"label":"a","changes":[{"id":7,"plan":"SalesPREM","username":"gks@example.com","welcome":"true"},{"id":8,"plan":"SalesPREM"}]}`,
		`{"label":"b","changes":[{"id":8,"username":"huh@example.com","welcome":"false","confidential":"true"},{"id":9,"plan":"-","admin":"true"}]}`,
		`{"label":"c","summaryTo":"boss@example.com","removeFromPersons":true}`,
	}
	flags = []string{"--set", "GKS:plan=SalesPREM,username=gks@example.com,welcome=true", "--set", "HUH:plan=SalesPREM,username=huh@example.com,welcome=false,confidential=true",
		"--set", "KK:plan=-,admin=true", "--summary-to", "boss@example.com", "--remove-from-persons"}
)

// TestBoardIsTheSameAsFlags: from a file and from a pipe the board writes what --set with the same choices writes, but for
// how it was reviewed.
func TestBoardIsTheSameAsFlags(t *testing.T) {
	text, file := input(t)
	p := clitest.New(t, "omt-assign", append([]string{"--in", file}, flags...)...)
	p.Vars["OMT_PLUGINS"], p.Vars["USER"] = plugins.Dir(t), "karl"
	if s := p.Run(context.Background(), command); s != 0 {
		t.Fatalf("status %d: %s", s, p.Stderr.String())
	}
	want := strings.ReplaceAll(p.Stdout.String(), `"how":"set"`, `"how":"board"`)
	want = strings.ReplaceAll(want, `"how":"flag"`, `"how":"board"`)
	for name, args := range map[string][]string{"file": {"--in", file}, "stream": nil} {
		t.Run(name, func(t *testing.T) {
			stdin := ""
			if args == nil {
				stdin = text
			}
			g := openBoard(t, stdin, args...)
			if got := g.ask("removals", ""); !strings.Contains(got, `"personsTotal":0`) {
				t.Errorf("removals before a name is chosen: %s", got)
			}
			for _, s := range steps {
				g.edit(s)
			}
			if got := g.ask("removals", ""); !strings.Contains(got, `"usersTotal":1`) || !strings.Contains(got, `"personsTotal":2,"personsRemoved":2`) ||
				!strings.Contains(got, `{"owner":7,"person":40,"email":"GKS@example.com","removed":true}`) {
				t.Errorf("removals: %s", got)
			}
			if s := g.ok(); s != 0 {
				t.Fatalf("status %d: %s", s, g.p.Stderr.String())
			}
			if d := cmp.Diff(withoutEnd(want), withoutEnd(g.p.Stdout.String())); d != "" {
				t.Error(d)
			}
			for _, dir := range []string{g.p.Env.TempDir, filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "omt")} {
				left, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
				if err != nil || len(left) > 0 {
					t.Errorf("left: %v, %v", left, err)
				}
			}
		})
	}
}

// withoutEnd leaves out the digest, which is of other bytes.
func withoutEnd(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[:len(lines)-1]
}

// TestBoardRoundTrip: what the board wrote, exported and given back changes no user, and --users before the board is what
// it begins with.
func TestBoardRoundTrip(t *testing.T) {
	_, file := input(t)
	dir := t.TempDir()
	out, table, again := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "users.csv"), filepath.Join(dir, "b.jsonl")
	g := openBoard(t, "", "--in", file, "--out", out)
	for _, s := range steps {
		g.edit(s)
	}
	if s := g.ok(); s != 0 {
		t.Fatalf("status %d: %s", s, g.p.Stderr.String())
	}
	for _, args := range [][]string{{"export", "--in", out, "--out", table}, {"--in", out, "--users", table, "--out", again}} {
		p := clitest.New(t, "omt-assign", args...)
		p.Vars["OMT_PLUGINS"] = plugins.Dir(t)
		if s := p.Run(context.Background(), command); s != 0 {
			t.Fatalf("%v: status %d: %s", args, s, p.Stderr.String())
		}
	}
	if d := cmp.Diff(userLines(t, out), userLines(t, again)); d != "" {
		t.Error(d)
	}
	g = openBoard(t, "", "--in", file, "--users", table, "--out", again)
	if s := g.ok(); s != 0 {
		t.Fatalf("status %d: %s", s, g.p.Stderr.String())
	}
	if d := cmp.Diff(userLines(t, out), userLines(t, again)); d != "" {
		t.Error(d)
	}
}

func userLines(t *testing.T, file string) (list []string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		if bytes.HasPrefix(line, []byte(`{"kind":"user"`)) {
			list = append(list, string(line))
		}
	}
	return list
}

// TestBoardEndsWithout: Cancel and an interrupt end with 130, an old output does not stay, and the work is offered again.
func TestBoardEndsWithout(t *testing.T) {
	_, file := input(t)
	out := filepath.Join(t.TempDir(), "out.jsonl")
	args := []string{"--in", file, "--out", out}
	g := openBoard(t, "", args...)
	if err := os.WriteFile(out, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.edit(steps[0])
	g.stop()
	if s := g.wait(); s != 130 {
		t.Errorf("interrupted: status %d: %s", s, g.p.Stderr.String())
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("an output stands: %v", err)
	}
	g = reopen(t, "", args...)
	if !strings.Contains(g.p.Stderr.String(), "offers to go on with earlier work") || !strings.Contains(g.ask("state", ""), `"offer":{"at":"2026-01-02T03:04:05Z","steps":1}`) {
		t.Errorf("told %q", g.p.Stderr.String())
	}
	g.ask("draft", `{"take":true}`)
	if !strings.Contains(g.ask("state", ""), `"username":"gks@example.com"`) {
		t.Error("the work is not there")
	}
	g.ask("cancel", `{"keep":false}`)
	if s := g.wait(); s != 130 || !strings.Contains(g.p.Stderr.String(), "omt-assign: cancelled on the board; nothing was written\n") {
		t.Errorf("cancelled: status %d: %s", s, g.p.Stderr.String())
	}
	g = reopen(t, "", args...)
	if strings.Contains(g.ask("state", ""), `"offer"`) {
		t.Error("offered after it was forgotten")
	}
}

// TestBoardRunsTheRules: what they find about names typed on the board is there before anything is written, and what they
// found before about other names is not.
func TestBoardRunsTheRules(t *testing.T) {
	_, file := input(t)
	g := openBoard(t, "", "--in", file)
	found := func(text, not string) {
		t.Helper()
		for late := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			state := g.ask("state", "")
			if !strings.Contains(state, `"checking":true`) {
				if !strings.Contains(state, text) || strings.Contains(state, not) {
					t.Errorf("no %s, or %s, in %s", text, not, state)
				}
				return
			}
			if time.Now().After(late) {
				t.Fatal("still checking")
			}
		}
	}
	found("which one is the user name has to be looked at: HUH (Hans)", "two users, one person") // which the input says
	g.edit(`{"label":"a","changes":[{"id":7,"plan":"SalesPREM","username":"gks@other.example"}]}`)
	found(`"subject":"domain:other.example"`, "domain:example.com")
	g.edit(`{"label":"b","changes":[{"id":7,"username":"gks@example.com"}]}`)
	found(`"subject":"domain:example.com"`, "domain:other.example")
}

// TestBoardWithRemarks: errors that are not about users do not hinder OK; the command says that they stand.
func TestBoardWithRemarks(t *testing.T) {
	text, _ := input(t)
	lines := strings.Split(text, "\n")
	in, err := clitest.Sealed("omt-scan 0.1.0", strings.Join(lines[:len(lines)-2], "\n")+"\n"+
		`{"kind":"finding","rule":"file-unreadable","severity":"error","subjects":["file:document:3"],"message":"locked","waived":""}`+"\n")
	if err != nil {
		t.Fatal(err)
	}
	g := openBoard(t, string(in))
	for _, s := range steps {
		g.edit(s)
	}
	if s := g.ok(); s != 3 || !strings.Contains(g.p.Stderr.String(), "file-unreadable") {
		t.Errorf("status %d: %s", s, g.p.Stderr.String())
	}
}
