package push

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/manifest/manifesttest"
	"github.com/openomt/omt/internal/tenant"
)

// modes are the two ways in which the input comes.
var modes = map[string]func(Options, []byte) Options{
	"file":   func(o Options, _ []byte) Options { return o },
	"stream": stream,
}

func TestPush(t *testing.T) {
	var outputs [][]byte
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			p := small()
			at := newPlace(t, p)
			data := p.bytes(t)
			out, err := run1(t.Context(), mode(at.options(t, data), data))
			wantError(t, err, manifest.Remarks, "committed as revision 1; 2 documents are missing (2 missing)")
			c := at.wantPushed(t, p)
			at.wantManifest(t, bytes.NewReader(out), p)
			outputs = append(outputs, out)
			if c.Missing != 2 || c.Chunks != 3 || c.Bytes != 3003 || c.Counts["file"] != 4 || c.Company != "Kalles Æ" || c.Mode != "initial" {
				t.Errorf("commit is %+v", c)
			}
			if left := at.spoolFiles(t); len(left) > 0 {
				t.Errorf("left in the spool: %q", left)
			}
			if got := at.notices.text(); !strings.Contains(got, `missing: document 90000 "carl/00000.txt", title "Offer": missing`) || strings.Count(got, "\n") != 1 {
				t.Errorf("people were told: %s", got)
			}
			if entries, err := os.ReadDir(filepath.Join(at.spool, "tmp", "push")); err != nil || len(entries) > 0 {
				t.Errorf("left in tmp: %v, error %v", entries, err)
			}
			wantAgain(t, at, p, out, mode)
		})
	}
	if len(outputs) == 2 && !bytes.Equal(outputs[0], outputs[1]) {
		t.Error("a file and a stream give different manifests")
	}
}

// wantAgain pushes the same again, and then what push wrote: nothing changes, and it ends as the first time.
func wantAgain(t *testing.T, at place, p packed, out []byte, mode func(Options, []byte) Options) {
	t.Helper()
	before := destinationtest.Listed(t, at.destination(t), "")
	for i, data := range [][]byte{p.bytes(t), out} {
		faulty := destinationtest.NewFaulty(t, at.destination(t))
		o := at.options(t, data)
		o.To = faulty
		again, err := run1(t.Context(), mode(o, data))
		wantError(t, err, manifest.Remarks, "2 documents are missing")
		if !bytes.Equal(again, out) {
			t.Errorf("push %d writes something else", i)
		}
		if n := faulty.Calls(destinationtest.OpChange); n != 0 {
			t.Errorf("push %d made %d changes", i, n)
		}
	}
	if after := destinationtest.Listed(t, at.destination(t), ""); len(after) != len(before) {
		t.Errorf("there are %v, there were %v", after, before)
	}
}

func TestNothingMissing(t *testing.T) {
	p := small()
	p.missing = 0
	at := newPlace(t, p)
	o := at.options(t, p.bytes(t))
	o.Keep = true
	if _, err := run1(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	at.wantPushed(t, p)
	if left := at.spoolFiles(t); len(left) != 3 {
		t.Errorf("left in the spool: %q", left)
	}
	if !strings.Contains(at.logged.text(), "3.0 kB in 3 chunks sent, 0 B in 0 chunks were there") {
		t.Errorf("people were told: %s", at.logged.text())
	}
}

// Every state of a file counts as it should.
func TestMissing(t *testing.T) {
	chunk := manifest.Digest{1}
	var m missing
	for _, f := range []struct {
		f    manifest.File
		want bool
	}{
		{manifest.File{State: manifest.Present, Chunk: chunk}, false},
		{manifest.File{State: manifest.Stored, Chunk: chunk}, false},
		{manifest.File{State: manifest.Present}, true},
		{manifest.File{State: manifest.Missing}, true},
		{manifest.File{State: manifest.BlankName}, true},
		{manifest.File{State: manifest.Elsewhere}, true},
		{manifest.File{State: manifest.Unreadable}, true},
		{manifest.File{State: manifest.NoAppointment}, true},
		{manifest.File{State: manifest.NoAppointment, Chunk: chunk}, false},
		{manifest.File{State: manifest.NoAssociate, Reason: "author"}, true},
		{manifest.File{State: manifest.NoRow}, false},
		{manifest.File{State: manifest.NoRow, Chunk: chunk}, false},
		{manifest.File{State: manifest.Shadowed}, false},
		{manifest.File{State: manifest.Left, Reason: "age"}, false},
		{manifest.File{State: "of a later version"}, true},
		// What looks like a field inside a text is none.
		{manifest.File{State: manifest.Missing, Title: `"state":"present","chunk":"x"`}, true},
	} {
		f.f.Area, f.f.Path = manifest.Document, "x"
		raw, err := f.f.AppendJSON(nil)
		check(t, err)
		before := m.total
		check(t, m.take(manifest.Line{Kind: manifest.KindFile, Raw: raw}))
		spaced := bytes.ReplaceAll(raw, []byte(`":`), []byte(`": `)) // as a person writes it
		check(t, m.take(manifest.Line{Kind: manifest.KindFile, Raw: spaced}))
		if got := m.total - before; got != map[bool]int64{true: 2}[f.want] {
			t.Errorf("%s counts %d times, want missing %v", raw, got, f.want)
		}
	}
	if len(m.first) != 10 || m.other {
		t.Errorf("%d are held, other is %v", len(m.first), m.other)
	}
	if got := m.byState(); !strings.HasPrefix(got, "2 blank-name, 2 elsewhere, 4 missing, 2 no-appointment") {
		t.Errorf("by state: %s", got)
	}
	for want, f := range map[string]manifest.File{
		`template "a": unreadable (locked)`: {Area: manifest.Template, Path: "a", State: manifest.Unreadable, Reason: "locked"},
		`document 5: blank-name`:            {Area: manifest.Document, ID: 5, State: manifest.BlankName},
	} {
		if got := describe(f); got != want {
			t.Errorf("described as %s, want %s", got, want)
		}
	}
}

func TestManyMissing(t *testing.T) {
	p := small()
	p.missing = 25
	p.more = nil
	at := newPlace(t, p)
	_, err := at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "25 documents are missing")
	if got := at.notices.text(); strings.Count(got, "missing: document") != 10 || !strings.Contains(got, "and 15 more") {
		t.Errorf("people were told: %s", got)
	}
}

// A rule that must have been run and has no check: the push is refused, people are told, and with the check it goes.
func TestRequiredRules(t *testing.T) {
	for _, required := range [][]string{{"plan-seats"}, {"plan-seats", "travel", "version"}} {
		for mode, how := range modes {
			t.Run(fmt.Sprint(mode, len(required)), func(t *testing.T) {
				p := small()
				at := newPlace(t, p)
				data := p.bytes(t)
				o := how(at.options(t, data), data)
				o.Required = required
				_, err := run1(t.Context(), o)
				if len(required) == 1 {
					if s := manifest.StatusOf(err); s != manifest.OK && s != manifest.Remarks {
						t.Fatal(err)
					}
					return
				}
				wantError(t, err, manifest.Refused, "blocked by rules that were never run: travel, version")
				at.wantNothingCommitted(t)
				if got := at.notices.text(); !strings.Contains(got, "2 rules were never run over this manifest, which blocks like an error: travel, version") {
					t.Errorf("people were told: %s", got)
				}
			})
		}
	}
}

func TestRefused(t *testing.T) {
	finding := manifest.Finding{Rule: "duplicate-email", Severity: manifest.SeverityError, Subjects: []string{"user:7", "user:8"}, Message: "m"}
	done := manifest.Check{Rule: "duplicate-email", Plugin: "crm", Tool: "omt-assign 0.1.0", Status: manifest.CheckDone, Findings: 1}
	half := done
	half.Status = "crashed"
	waived, waiver := finding, manifest.Waiver{Rule: "duplicate-email", Subject: "user:7", Reason: "r"}
	waived.Waived = "r"
	for name, c := range map[string]struct {
		change func(*packed)
		status manifest.Status
		want   string
	}{
		"written by scan":   {func(p *packed) { p.tool = "omt-scan 0.1.0" }, 5, `written by "omt-scan 0.1.0": omt-push takes what omt-pack wrote`},
		"written by assign": {func(p *packed) { p.tool = "omt-assign 0.1.0" }, 5, "omt-push takes what omt-pack wrote"},
		"written by push":   {func(p *packed) { p.tool = "omt-push 0.1.0" }, 5, "pushing again for missing documents is not part of this build"},
		"an error stands":   {func(p *packed) { p.more = []manifest.Record{done, finding} }, 5, "blocked by duplicate-email (1: user:7, user:8)"},
		"a check not done":  {func(p *packed) { p.more = []manifest.Record{half} }, 5, "blocked by duplicate-email (not completed: crashed)"},
		"a check taken out": {func(p *packed) { p.more = []manifest.Record{waived, waiver} }, 5, "blocked by rules that were never run: duplicate-email"},
		"migration":         {func(p *packed) { p.migration = "half" }, 4, `migration "half"`},
		"recovery":          {func(p *packed) { p.mode = "recovery" }, 5, `of mode "recovery"`},
		"phase":             {func(p *packed) { p.phase = "half" }, 4, `phase "half"`},
		"id":                {func(p *packed) { p.id = "../../x" }, 4, `id "../../x"`},
	} {
		for mode, how := range modes {
			t.Run(name+" "+mode, func(t *testing.T) {
				p := small()
				c.change(&p)
				at := newPlace(t, p)
				data := p.bytes(t)
				_, err := run1(t.Context(), how(at.options(t, data), data))
				wantError(t, err, c.status, c.want)
				at.wantNothingCommitted(t)
				if left := at.spoolFiles(t); len(left) != 3 {
					t.Errorf("left in the spool: %q", left)
				}
				if sent := destinationtest.Listed(t, at.destination(t), ""); mode == "file" && len(sent) > 0 {
					t.Errorf("sent although it was refused: %v", sent)
				}
			})
		}
	}
}

func TestWaivedAndPreseed(t *testing.T) {
	finding := manifest.Finding{Rule: "satellite", Severity: manifest.SeverityError, Subjects: []string{"x:1"}, Message: "m"}
	waiver := manifest.Waiver{Rule: "satellite", Reason: "gone", By: "KK", Covers: 1}
	p := small()
	p.more = []manifest.Record{manifest.Check{Rule: "satellite", Status: manifest.CheckDone, Findings: 1}, finding, waiver}
	at := newPlace(t, p)
	_, err := at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "revision 1")
	at.wantPushed(t, p)

	p = small()
	p.more, p.phase = []manifest.Record{finding}, "preseed"
	at = newPlace(t, p)
	_, err = at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "revision 1")
	at.wantPushed(t, p)
	if s, err := tenant.Open(at.destination(t)).State(t.Context()); err != nil || s.Migration != nil {
		t.Errorf("a preseed made the state %+v, error %v", s, err)
	}
}

func TestOtherTenant(t *testing.T) {
	p := small()
	at := newPlace(t, p)
	_, err := at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "revision 1")
	before := destinationtest.Listed(t, at.destination(t), "")
	company, other := small(), small()
	company.company, company.seed = "Others", 1
	other.id, other.seed = idB, 1
	for want, p := range map[string]packed{`of company "Kalles Æ"`: company, "holds migration " + idA: other} {
		p.fill(t, at.spool)
		for mode, how := range modes {
			data := p.bytes(t)
			_, err := run1(t.Context(), how(at.options(t, data), data))
			wantError(t, err, manifest.Refused, want)
			if after := destinationtest.Listed(t, at.destination(t), ""); len(after) != len(before) {
				t.Errorf("%s: sent although it was refused: %v", mode, after)
			}
		}
	}
}

func TestPackedAgain(t *testing.T) {
	p := small()
	at := newPlace(t, p)
	_, err := at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "revision 1")
	found := small()
	found.missing, found.chunks = 1, 4
	found.fill(t, at.spool)
	faulty := destinationtest.NewFaulty(t, at.destination(t))
	o := at.options(t, found.bytes(t))
	o.To = faulty
	_, err = run1(t.Context(), o)
	wantError(t, err, manifest.Remarks, "committed as revision 2; 1 document is missing")
	if c := at.wantPushed(t, found); c.Revision != 2 {
		t.Errorf("revision %d", c.Revision)
	}
	if n := faulty.Calls(destinationtest.OpUpload); n != 2 { // the new chunk and the manifest
		t.Errorf("%d uploads, want 2", n)
	}
	_, err = at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "committed as revision 1")
	if !strings.Contains(at.notices.text(), "a later revision of the migration has replaced it") {
		t.Errorf("people were told: %s", at.notices.text())
	}
}

// A manifest cut anywhere is refused, and nothing is committed.
func TestCut(t *testing.T) {
	p := small()
	at := newPlace(t, p)
	data := p.bytes(t)
	for cut := 0; cut < len(data)-1; cut += 97 {
		_, err := run1(t.Context(), stream(at.options(t, nil), data[:cut]))
		if manifest.StatusOf(err) != manifest.BadInput {
			t.Fatalf("cut at %d: error is %v", cut, err)
		}
	}
	at.wantNothingCommitted(t)
	aborted := append(bytes.Clone(data[:bytes.LastIndex(data[:len(data)-1], []byte("\n"))+1]),
		`{"kind":"abort","tool":"omt-pack 0.1.0","status":5,"message":"blocked"}`...)
	_, err := run1(t.Context(), stream(at.options(t, nil), aborted))
	wantError(t, err, manifest.Refused, "blocked")
	at.wantNothingCommitted(t)
}

func TestPowerShell(t *testing.T) {
	p := small()
	data := p.bytes(t)
	var want []byte
	for _, filter := range manifesttest.PowerShell {
		var b bytes.Buffer
		check(t, filter.Apply(&b, bytes.NewReader(data)))
		for name, mode := range modes {
			at := newPlace(t, p)
			out, err := run1(t.Context(), mode(at.options(t, b.Bytes()), b.Bytes()))
			wantError(t, err, manifest.Remarks, "revision 1")
			at.wantPushed(t, p)
			if want == nil {
				want = out
			}
			if !bytes.Equal(out, want) {
				t.Errorf("%s, %s: the output differs", filter.Name, name)
			}
		}
	}
}

func TestEdited(t *testing.T) {
	p := small()
	data := bytes.ReplaceAll(p.bytes(t), []byte(`"title":"Offer"`), []byte(`"title":"Øffer"`))
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			at := newPlace(t, p)
			_, err := run1(t.Context(), mode(at.options(t, data), data))
			wantError(t, err, manifest.BadInput, "edited")
			at.wantNothingCommitted(t)

			o := at.options(t, data)
			o.AcceptEdits = true
			o.In = manifest.NewReader(bytes.NewReader(data), manifest.ReadOptions{AcceptEdits: true})
			o.Again = func() (*manifest.Reader, error) {
				return manifest.NewReader(bytes.NewReader(data), manifest.ReadOptions{AcceptEdits: true}), nil
			}
			out, err := run1(t.Context(), mode(o, data))
			wantError(t, err, manifest.Remarks, "revision 1")
			want := `{"kind":"edit","by":"karl","at":"2026-01-02T03:04:05Z","tool":"omt-push 0.1.0","was":"`
			if bytes.Count(out, []byte(want)) != 1 || !bytes.Contains(out, []byte(`\u00d8ffer`)) {
				t.Errorf("the output has no edit record, or not the edit: %s", out)
			}
			// Edited differently, it is another input although its end record is the same.
			other := bytes.ReplaceAll(data, []byte("Øffer"), []byte("Other"))
			p.fill(t, at.spool)
			o = at.options(t, other)
			o.AcceptEdits = true
			o.In = manifest.NewReader(bytes.NewReader(other), manifest.ReadOptions{AcceptEdits: true})
			o.Again = func() (*manifest.Reader, error) {
				return manifest.NewReader(bytes.NewReader(other), manifest.ReadOptions{AcceptEdits: true}), nil
			}
			_, err = run1(t.Context(), mode(o, other))
			wantError(t, err, manifest.Remarks, "revision 2")
			// So it is to the manifest before the edit.
			at = newPlace(t, p)
			original := p.bytes(t)
			_, err = run1(t.Context(), mode(at.options(t, original), original))
			wantError(t, err, manifest.Remarks, "revision 1")
			p.fill(t, at.spool)
			o.Spool, o.To = at.spool, at.destination(t)
			o.In = manifest.NewReader(bytes.NewReader(other), manifest.ReadOptions{AcceptEdits: true})
			_, err = run1(t.Context(), mode(o, other))
			wantError(t, err, manifest.Remarks, "revision 2")
		})
	}
}

func TestHeaderKeepsFields(t *testing.T) {
	p := small()
	p.missing = 0
	for in, want := range map[string]string{
		`"phase":"full"}`:                            `"phase":"full","mode":"initial"}`,
		`"phase":"full","later":{"x":[1]}}`:          `"phase":"full","later":{"x":[1]},"mode":"initial"}`,
		`"phase":"full","mode":"initial","later":1}`: `"phase":"full","mode":"initial","later":1}`,
		`"phase":"full","mode":"","later":1}`:        `"mode":"initial","phase":"full"}`,
		`"phase":"full" } `:                          `"phase":"full" ,"mode":"initial"}`,
	} {
		at := newPlace(t, p)
		data := reseal(t, bytes.Replace(p.bytes(t), []byte(`"phase":"full"}`), []byte(in), 1))
		out, err := at.push(t, data)
		check(t, err)
		first, _, _ := bytes.Cut(out, []byte("\n"))
		if !bytes.HasSuffix(first, []byte(want)) || !json.Valid(first) {
			t.Errorf("%s became %s, want %s", in, first, want)
		}
	}
}

// reseal gives a manifest that was changed the end record it should have.
func reseal(t testing.TB, data []byte) []byte {
	t.Helper()
	lines := bytes.SplitAfter(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	body := bytes.Join(lines[:len(lines)-1], nil)
	var e manifest.End
	check(t, json.Unmarshal(lines[len(lines)-1], &e))
	e.SHA256 = sha256.Sum256(body)
	end, err := json.Marshal(e)
	check(t, err)
	return fmt.Appendf(body, "{\"kind\":\"end\",%s\n", end[1:])
}

func TestNoChunks(t *testing.T) {
	p := small()
	p.chunks, p.missing = 0, 0
	for name, mode := range modes {
		at := newPlace(t, p)
		data := p.bytes(t)
		if _, err := run1(t.Context(), mode(at.options(t, data), data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		at.wantPushed(t, p)
	}
	data := p.bytes(t)
	from := bytes.Index(data, []byte(`{"kind":"installation"`))
	to := from + bytes.IndexByte(data[from:], '\n') + 1
	without := reseal(t, bytes.Replace(append(bytes.Clone(data[:from]), data[to:]...), []byte(`"installation":1,`), nil, 1))
	for _, mode := range modes {
		at := newPlace(t, p)
		_, err := run1(t.Context(), mode(at.options(t, without), without))
		wantError(t, err, manifest.BadInput, "no installation record")
	}
}

func TestOptions(t *testing.T) {
	for _, n := range []int{-1, 0, MaxWorkers + 1} {
		if err := (Options{Workers: n}).Validate(); err == nil {
			t.Errorf("%d workers pass", n)
		}
	}
	check(t, Options{Workers: 1}.Validate())
	_, err := run1(t.Context(), Options{})
	wantError(t, err, manifest.Usage, "no spool folder")
}
