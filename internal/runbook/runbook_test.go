package runbook

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		check(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	check(t, err)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: %s\n(go test -update writes it anew)", name, diff)
	}
}

func written(t *testing.T, write func(b *bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	check(t, write(&b))
	return b.Bytes()
}

func gather(t *testing.T, o Options) *Runbook {
	t.Helper()
	o.Tool, o.Now, o.Spool = "omt-push 0.1.0", at(600), "spool"
	r, err := Gather(t.Context(), o)
	check(t, err)
	return r
}

// forms writes a runbook in both forms and compares them; of the page its style says nothing.
func forms(t *testing.T, name string, r *Runbook) {
	t.Helper()
	html := written(t, func(b *bytes.Buffer) error { return r.WriteHTML(b) })
	head, rest, _ := bytes.Cut(html, []byte("<style>"))
	_, rest, ok := bytes.Cut(rest, []byte("</style>"))
	if !ok || len(html)-len(head)-len(rest) < 1000 {
		t.Fatal("the page has no style")
	}
	golden(t, name+".html", append(head, rest...))
	text := written(t, func(b *bytes.Buffer) error { return r.WriteMarkdown(b) })
	golden(t, name+".md", text)
	for _, out := range [][]byte{html, text} {
		if i := bytes.IndexFunc(out, func(r rune) bool { return r != '\n' && r != '\ufffd' && unseen(r) }); i >= 0 {
			t.Errorf("%s has the character %q", name, out[i:i+4])
		}
	}
	if bytes.Contains(html, []byte("<script")) || bytes.Contains(text, []byte(" <script")) {
		t.Errorf("%s runs what the company is called", name)
	}
}

// accepted is a tenant whose live migration, in the place of a test, was accepted.
func accepted(t *testing.T) *site {
	s := tested(t)
	c := s.commit(pushed("live"), 300)
	s.prove(c, 310, 60, nil)
	_, _, err := s.ten.Accept(t.Context(), "omt-push 0.1.0", moment(400), false)
	check(t, err)
	return s
}

// tested is a tenant that holds a test migration, proved in an hour.
func tested(t *testing.T) *site {
	s := newSite(t)
	c := s.commit(pushed("test"), 130)
	s.prove(c, 135, 60, nil)
	return s
}

func TestGolden(t *testing.T) {
	start := time.Date(2026, 11, 27, 20, 0, 0, 0, time.FixedZone("CET", 3600))
	forms(t, "empty", gather(t, Options{In: reader(t, scanned("test")), Tenant: newSite(t).ten, To: "@tenant.url"}))
	forms(t, "tested", gather(t, Options{Tenant: tested(t).ten, To: "file:///srv/tenant", Install: `C:\Program Files\SuperOffice\`, Start: start}))
	forms(t, "accepted", gather(t, Options{Tenant: accepted(t).ten, To: "@tenant.url", Start: start}))
}

func (r *Runbook) step(title string) Step {
	for _, s := range r.Steps {
		if strings.HasPrefix(s.Title, title) {
			return s
		}
	}
	return Step{}
}

func (r *Runbook) fact(name string) string {
	for _, f := range r.Sizes {
		if f.Name == name {
			return f.Text
		}
	}
	return ""
}

// Nothing is told that was not measured; what was is told with its measure.
func TestTimes(t *testing.T) {
	r := gather(t, Options{In: reader(t, scanned("test"))})
	for _, f := range []string{"Sending", "Proving", "Packing", "Compressed"} {
		if !strings.HasPrefix(r.fact(f), "unknown") {
			t.Errorf("%s: %s", f, r.fact(f))
		}
	}
	for _, s := range r.Steps {
		if strings.Contains(s.Takes, "minute") || s.Done != "" {
			t.Errorf("step %d takes %q, done %q", s.Number, s.Takes, s.Done)
		}
	}
	if got := r.step("Proof").When; got != "T + step 5 + step 6" {
		t.Errorf("the proof is at %q", got)
	}
	// 24 GB in 9 minutes: 6 GB of tables take 3 (2:15), 54 GB of files 21 (20:15).
	for name, r := range map[string]*Runbook{
		"by the tenant":  gather(t, Options{Tenant: tested(t).ten}),
		"by a manifest":  gather(t, Options{In: reader(t, pushed("test"))}),
		"of a new scan":  gather(t, Options{In: reader(t, scanned("live")), Tenant: tested(t).ten}),
		"of another one": gather(t, Options{In: reader(t, pushed("live")), Tenant: newSite(t).ten}),
	} {
		if got := r.fact("Sending"); got != "44 MB/s: 24 GB in 9 minutes, by the receipts of 2026-11-20 18:30 UTC" {
			t.Errorf("%s: sending %s", name, got)
		}
		if got := r.step("Cut-over").Takes; !strings.HasPrefix(got, "3 minutes for all tables (6.0 GB)") || !strings.HasSuffix(got, "at most 23 minutes if everything were sent anew") {
			t.Errorf("%s: cut-over takes %q", name, got)
		}
		if got := r.step("Proof").When; got != "T + 0:03 + step 5 + changed files" {
			t.Errorf("%s: the proof is at %q", name, got)
		}
	}
	start := time.Date(2026, 11, 27, 23, 58, 0, 0, time.UTC)
	r = gather(t, Options{Tenant: tested(t).ten, Start: start})
	for title, want := range map[string]string{
		"Order":       "T − 28 d (Fri 2026-10-30), suggested",
		"Freeze":      "T + 0:00 (Fri 2026-11-27 23:58)",
		"Cut-over":    "T + step 5 (Fri 2026-11-27 23:58 and what step 5 takes)",
		"Proof":       "T + 0:03 + step 5 + changed files (Sat 2026-11-28 00:01 and what step 5 and changed files take)",
		"Accept":      "T + 1:03 + step 5 + changed files (Sat 2026-11-28 01:01 and what step 5 and changed files take)",
		"Tell the us": "T − 7 d (Fri 2026-11-20), suggested; again one day and one hour before",
	} {
		if got := r.step(title).When; got != want {
			t.Errorf("%s: %q, want %q", title, got, want)
		}
	}
}

// A proof that was bad, broken off, of other depth or of a database measures nothing; a bad one makes nothing done.
func TestProofs(t *testing.T) {
	for name, edit := range map[string]func(*tenant.Proof){
		"bad": func(p *tenant.Proof) { p.Problems = 1 }, "broken off": func(p *tenant.Proof) { p.Runs = 2 }, "hash": func(p *tenant.Proof) { p.Depth = "hash" },
		"database": func(p *tenant.Proof) { p.Database = &tenant.ProvedDatabase{} }, "of another": func(p *tenant.Proof) { p.End = digest("x") },
	} {
		s := newSite(t)
		s.prove(s.commit(pushed("test"), 130), 135, 60, edit)
		r := gather(t, Options{Tenant: s.ten})
		proved := !strings.Contains(r.step("Test").Done, "nothing proves it")
		if !strings.HasPrefix(r.fact("Proving"), "unknown") || proved != (name != "bad" && name != "of another") {
			t.Errorf("%s: %s, %s", name, r.fact("Proving"), r.step("Test").Done)
		}
	}
}

// Where steps speak of others they mean those.
func TestRefs(t *testing.T) {
	r := gather(t, Options{In: reader(t, scanned("test"))})
	for ref, title := range map[string]string{refScan: "Scan again", refPack: "Freeze and pack", refPush: "Cut-over", refProve: "Proof", refLater: "Follow-up"} {
		if got := "step " + strconv.Itoa(r.step(title).Number); got != ref {
			t.Errorf("%q is %s, and is called %s", title, got, ref)
		}
	}
}

// What the tenant holds says which steps are behind.
func TestDone(t *testing.T) {
	waits := tested(t)
	waits.commit(pushed("live"), 300)
	closed := accepted(t)
	_, _, err := closed.ten.Accept(t.Context(), "omt-push 0.1.0", moment(500), true)
	check(t, err)
	for name, c := range map[string]struct {
		s     *site
		done  string
		state string
	}{
		"empty":    {newSite(t), "", "holds no migration"},
		"tested":   {tested(t), "0 1", "holds a test migration, committed on 2026-11-20 20:10 UTC"},
		"waits":    {waits, "0 1 2 3 4 5 6", "holds a live migration, revision 1, committed on 2026-11-20 23:00 UTC: it waits"},
		"accepted": {accepted(t), "0 1 2 3 4 5 6 7 8", "was accepted on 2026-11-21 00:40 UTC: users work there"},
		"closed":   {closed, "0 1 2 3 4 5 6 7 8 10", "accepted and closed on 2026-11-21 02:20 UTC"},
	} {
		r := gather(t, Options{In: reader(t, scanned("test")), Tenant: c.s.ten})
		var done []string
		for i, s := range r.Steps {
			if s.Number != i {
				t.Errorf("step %d has the number %d", i, s.Number)
			}
			if s.Done != "" {
				done = append(done, string(rune('0'+i%10)))
				if i == 10 {
					done[len(done)-1] = "10"
				}
			}
		}
		if got := strings.Join(done, " "); got != c.done || !strings.Contains(r.State, c.state) {
			t.Errorf("%s: done %q, want %q; %s", name, got, c.done, r.State)
		}
	}
	other := scanned("test")
	i := other[1].(manifest.Installation)
	i.Serial = "2"
	other[1] = i
	if r := gather(t, Options{In: reader(t, other), Tenant: tested(t).ten}); !strings.Contains(r.State, "takes nothing of another") || !strings.HasPrefix(r.fact("Compressed"), "unknown") {
		t.Errorf("another serial number: %s; %s", r.State, r.fact("Compressed"))
	}
}

// A destination without a migration gives no runbook by itself, nor does a part that goes ahead.
func TestRefused(t *testing.T) {
	seed := scanned("test")
	h := seed[0].(manifest.Header)
	h.Phase = "preseed"
	seed[0] = h
	for name, o := range map[string]Options{"empty": {Tenant: newSite(t).ten}, "a part": {In: reader(t, seed)}} {
		if _, err := Gather(t.Context(), o); manifest.StatusOf(err) != manifest.Refused || manifest.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// words are such as shells take apart, with what PowerShell reads.
var words = map[string]string{
	"":                   "''",
	"plain/a.b-c_d=1":    "plain/a.b-c_d=1",
	"@tenant.url":        "'@tenant.url'",
	"bob@example.com":    "bob@example.com",
	"a b":                "'a b'",
	"it's":               "'it''s'",
	"\u2018x\u2019":      "'\u2018\u2018x\u2019\u2019'",
	"$HOME $(id) `id` !": "'$HOME $(id) `id` !'",
	`D:\so arc\`:         `'D:\so arc\\'`,
	`D:\spool\`:          `'D:\spool\'`,
	"a,b;c|d&e>f":        "'a,b;c|d&e>f'",
	"a\nb$x`\"'\\":       "\"a$([char]0x000a)b`$x```\"'\\\"",
	"\u202egpj\x1b":      `"$([char]0x202e)gpj$([char]0x001b)"`,
	"\U000e0041":         `"$([char]::ConvertFromUtf32(0xe0041))"`,
	"#x ~ * ? [a] {b}":   "'#x ~ * ? [a] {b}'",
	"漢字 bøb":             "'漢字 bøb'",
}

// What is written for bash is read back by bash; what is written for PowerShell is what its documents ask for.
func TestShells(t *testing.T) {
	bash, _ := exec.LookPath("bash")
	for w, want := range words {
		c := Command{"printf", `%s\0`, w, "\xff"}
		if got := (Command{w}).PowerShell(); got != want {
			t.Errorf("%q for PowerShell: %s, want %s", w, got, want)
		}
		line := c.Bash()
		if strings.ContainsFunc(line, unseen) {
			t.Errorf("%q for bash: %q", w, line)
		}
		if bash == "" {
			continue
		}
		cmd := exec.Command(bash, "-c", line)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		if out, err := cmd.Output(); err != nil || string(out) != w+"\x00\xff\x00" {
			t.Errorf("%q: bash reads %s as %q (%v)", w, line, out, err)
		}
	}
}
