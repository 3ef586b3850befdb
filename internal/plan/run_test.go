package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

// run runs Run over a manifest and returns what it wrote. begin hears of the writer first.
func run(t testing.TB, in []byte, o RunOptions, begin ...func(*manifest.Writer)) ([]byte, Summary, error) {
	t.Helper()
	if o.Tool == "" {
		o.Tool = "omt-assign 0.1.0"
	}
	if o.Now.IsZero() {
		o.Now = now
	}
	var b bytes.Buffer
	w := manifest.NewWriter(&b, o.Tool)
	for _, f := range begin {
		f(w)
	}
	s, err := Run(context.Background(), o, manifest.NewReader(bytes.NewReader(in), manifest.ReadOptions{}), w)
	if err != nil {
		return b.Bytes(), s, err
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), s, nil
}

// kinds is a manifest with each run of lines of a kind as "kind×n".
func kinds(t testing.TB, m []byte) string {
	t.Helper()
	var out []string
	last, n := "", 0
	flush := func() {
		if n > 0 {
			out = append(out, fmt.Sprintf("%s×%d", last, n))
		}
	}
	for l := range bytes.Lines(m) {
		var rec struct{ Kind string }
		if err := json.Unmarshal(l, &rec); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		if rec.Kind != last {
			flush()
			last, n = rec.Kind, 0
		}
		n++
	}
	flush()
	return strings.Join(out, " ")
}

// of returns the lines of a kind.
func of(m []byte, kind string) string {
	var b strings.Builder
	for l := range strings.Lines(string(m)) {
		if strings.HasPrefix(l, `{"kind":"`+kind+`"`) {
			b.WriteString(l)
		}
	}
	return b.String()
}

// digest makes a digest of one byte.
func digest(b byte) (d manifest.Digest) {
	d[0] = b
	return d
}

// packed are records such as omt-pack leaves them behind users and reviews, the addresses included.
func packed() []manifest.Record {
	return []manifest.Record{
		manifest.Address{Person: 55, Rank: 1, Email: "a@x.no"},
		manifest.Address{Person: 56, Rank: 1, Email: "other@x.no"},
		manifest.Removal{Person: 1, Email: "old@x.no", User: 1},
		manifest.Fact{Name: "traveller", ID: "3", Data: map[string]any{"travel_id": 7}},
		manifest.Table{Name: "associate", Rows: 3, Columns: []manifest.Column{{Name: "associate_id", Type: "int"}},
			Key: []string{"associate_id"}},
		manifest.Chunk{SHA256: digest(1), Type: manifest.ChunkParquet, Area: manifest.Database, Table: "associate", First: "1",
			Last: "3", Rows: 3, Bytes: 10, Raw: 20, Items: 3},
		manifest.Chunk{SHA256: digest(2), Type: manifest.ChunkTar, Area: manifest.Document, Role: manifest.RoleContent, Bytes: 10,
			Raw: 20, Items: 1},
		manifest.File{Area: manifest.Document, ID: 1, Path: "bob/2002.2/æ.txt", Size: 3, State: manifest.Present,
			SHA256: digest(9), Chunk: digest(2), Offset: 512},
		manifest.Receipt{Chunk: digest(2), Bytes: 10, Sent: true, At: manifest.At(now)},
		manifest.Check{Rule: "satellite", Plugin: "crm 0.1.0", Tool: "omt-scan 0.1.0", Status: "done", Findings: 2},
		manifest.Check{Rule: "missing-email", Plugin: "crm 0.1.0", Tool: "omt-scan 0.1.0", Status: "done", Findings: 1},
		manifest.Finding{Rule: "satellite", Severity: manifest.SeverityError, Subjects: []string{"satellite:1"}, Message: "Ærø"},
		manifest.Finding{Rule: "missing-email", Severity: manifest.SeverityError, Subjects: []string{"user:1"}, Message: "stale"},
		manifest.Finding{Rule: "satellite", Severity: manifest.SeverityError, Subjects: []string{"satellite:2"}, Message: "two"},
		manifest.Waiver{Rule: "satellite", Subject: "satellite:2", Reason: "gone", By: "OLD", At: manifest.At(now), Covers: 1},
	}
}

// whole is a manifest with everything.
func whole(t testing.TB) []byte {
	head := []manifest.Record{
		manifest.Edit{By: "karl", At: manifest.At(now), Tool: "omt-assign 0.1.0", Was: digest(7)},
		manifest.Installation{Owner: "Kalles", Serial: "1", Version: "8.5", Engine: "sqlite", Database: "sqlite:/x", Prefix: "crm7"},
		manifest.Migrator{Login: "KK", Name: "Karl", Admin: "guessed"},
		manifest.Plan{Name: "PlanA", Onsite: "ten-a", Seats: 2, Source: "tenant"},
		user(1, "AA/ten-a a@x.no", admin), user(2, "BB/ten-a b@x.no a@x.no"), user(3, "CC/old c@x.no"),
		manifest.Review{Item: "plans", By: "OLD", At: manifest.At(now), How: "board"},
	}
	return build(t, append(head, packed()...)...)
}

// insert puts lines of a later version behind the first line of a kind, and gives the manifest a new end.
func insert(t testing.TB, m []byte, after, line string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := manifest.NewWriter(&b, "omt-scan 0.1.0")
	r := manifest.NewReader(bytes.NewReader(m), manifest.ReadOptions{})
	done := false
	if err := manifest.Copy(w, r, func(l manifest.Line) (bool, error) {
		if done || string(l.Kind) != after {
			return false, nil
		}
		done = true
		if err := w.WriteRaw(l); err != nil {
			return false, err
		}
		return true, w.WriteRaw(manifest.Line{Kind: "later", Raw: []byte(line)})
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	if !done {
		t.Fatalf("no %s record", after)
	}
	return b.Bytes()
}

func TestRun(t *testing.T) {
	in := whole(t)
	out, s, err := run(t, in,
		RunOptions{Choices: Choices{Auto: true, Set: []Choice{set(t, "CC:plan=-")}, Waivers: []Waiver{waived("satellite", "satellite:1", "sold", "")}}})
	if err != nil {
		t.Fatal(err)
	}
	want := "manifest×1 edit×1 installation×1 migrator×1 plan×1 user×3 review×3 address×2 removal×1 fact×1 table×1 chunk×2 file×1 receipt×1 check×3 finding×5 waiver×2 end×1"
	if d := cmp.Diff(want, kinds(t, out)); d != "" {
		t.Error(d)
	}
	for _, kind := range []string{"manifest", "edit", "installation", "migrator", "plan", "address", "fact", "table", "chunk",
		"file", "receipt"} {
		if d := cmp.Diff(of(in, kind), of(out, kind)); d != "" {
			t.Errorf("%s: %s", kind, d)
		}
	}
	for _, line := range []string{
		`{"kind":"user","id":1,"login":"AA","person":101,"name":"Name of AA","company":"","group":"","role":"","position":"","admin":true,"confidential":false,"emails":["a@x.no"],"onsite":"ten-a","plan":"PlanA","username":"a@x.no","welcome":false}`,
		`{"kind":"user","id":3,"login":"CC","person":103,"name":"Name of CC","company":"","group":"","role":"","position":"","admin":false,"confidential":false,"emails":["c@x.no"],"onsite":"old","plan":"","welcome":false}`,
		`{"kind":"review","item":"notifications","by":"KK","at":"2026-11-22T10:00:00Z","how":"auto","summary":""}`,
		`{"kind":"removal","person":102,"email":"a@x.no","user":1}`,
		`{"kind":"check","rule":"satellite","plugin":"crm 0.1.0","tool":"omt-scan 0.1.0","status":"done","findings":2}`,
		`{"kind":"check","rule":"missing-email","plugin":"crm 0.1.0","tool":"omt-scan 0.1.0","status":"done","findings":1}`,
		`{"kind":"check","rule":"username-address","plugin":"omt","tool":"omt-assign 0.1.0","status":"done","findings":2}`,
		`{"kind":"finding","rule":"satellite","severity":"error","subjects":["satellite:1"],"message":"\u00c6r\u00f8","waived":"sold"}`,
		`{"kind":"finding","rule":"satellite","severity":"error","subjects":["satellite:2"],"message":"two","waived":"gone"}`,
		`{"kind":"finding","rule":"username-address","severity":"info","subjects":["user:1","person:55"],"message":"AA (Name of AA): user name 'a@x.no' is also an address of persons who are no users (ids 55); it stays there (--remove-from-persons removes it)","waived":""}`,
		`{"kind":"waiver","rule":"satellite","subject":"satellite:2","reason":"gone","by":"OLD","at":"2026-11-22T10:00:00Z","covers":1}`,
		`{"kind":"waiver","rule":"satellite","subject":"satellite:1","reason":"sold","by":"KK","at":"2026-11-22T10:00:00Z","covers":1}`,
	} {
		if !strings.Contains(string(out), line+"\n") {
			t.Errorf("not in the output: %s", line)
		}
	}
	if strings.Contains(string(out), "old@x.no") {
		t.Error("a removal of an earlier run stands")
	}
	if !strings.Contains(string(out), "stale") {
		t.Error("a finding of a rule that was not run is gone")
	}
	if len(s.Blocks) != 1 || len(s.Undecided) != 0 || !strings.Contains(s.Err().Error(), "1 error stands") {
		t.Errorf("summary %+v", s)
	}
}

// TestRunWritesNothingWhereAChoiceCannotBe: not even the first record.
func TestRunWritesNothingWhereAChoiceCannotBe(t *testing.T) {
	out, _, err := run(t, whole(t), RunOptions{Choices: Choices{Set: []Choice{set(t, "ZZ:plan=PlanA"), set(t, "AA:plan=X")}}})
	if manifest.StatusOf(err) != manifest.Usage || len(out) != 0 {
		t.Errorf("%v, %d bytes written", err, len(out))
	}
	if strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("want both problems: %v", err)
	}
}

func TestRunIsIdempotent(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for i := range 60 {
		records := []manifest.Record{manifest.Migrator{Login: "KK"}}
		for _, p := range tenant() {
			records = append(records, p)
		}
		for _, u := range random(rnd) {
			records = append(records, u)
		}
		records = append(records, manifest.Review{Item: "plans", By: "OLD", At: manifest.At(now), How: "board"})
		in := insert(t, build(t, append(records, packed()...)...), "user", `{"kind":"later","x":"é"}`)
		for _, kind := range []string{"review", "removal", "receipt", "check", "finding", "waiver"} {
			if rnd.IntN(2) == 0 {
				in = insert(t, in, kind, fmt.Sprintf(`{"kind":"later","behind":%q}`, kind))
			}
		}
		o := RunOptions{Choices: Choices{Auto: i%2 == 0}}
		if i%3 == 0 {
			o.RemoveFromPersons = ptr(true)
		}
		first, s1, err := run(t, in, o)
		if err != nil {
			t.Fatal(err)
		}
		second, s2, err := run(t, first, RunOptions{Choices: Choices{Now: now.Add(time.Hour)}})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(first), string(second)); d != "" {
			t.Fatal(d)
		}
		if len(s1.Blocks) != len(s2.Blocks) || (s1.Err() == nil) != (s2.Err() == nil) {
			t.Fatalf("blocking %v, then %v", s1.Blocks, s2.Blocks)
		}
	}
}

// TestRunKeepsWhatItDoesNotKnow: fields and kinds of a later version survive, changed records included.
func TestRunKeepsWhatItDoesNotKnow(t *testing.T) {
	in := insert(t, whole(t), "review", `{"kind":"later","a":[1,2]}`)
	for was, is := range map[string]string{
		`"login":"AA",`:                 `"login":"AA","phone":{"n":"+47 <1>"},`,
		`"subjects":["satellite:1"],`:   `"subjects":["satellite:1"],"help":"h",`,
		`"item":"plans",`:               `"item":"plans","more":1,`,
		`"subject":"satellite:2",`:      `"subject":"satellite:2","ticket":9,`,
		`"plugin":"crm 0.1.0","tool":"`: `"plugin":"crm 0.1.0","took":5,"tool":"`,
	} {
		if !bytes.Contains(in, []byte(was)) {
			t.Fatalf("%s is not in the input", was)
		}
		in = bytes.Replace(in, []byte(was), []byte(is), 1)
	}
	in = reend(t, in)
	out, _, err := run(t, in,
		RunOptions{Choices: Choices{Set: []Choice{set(t, "AA:plan=?,username=a@x.no"), set(t, "BB:plan=?"), set(t, "CC:welcome=?")},
			Waivers: []Waiver{waived("satellite", "satellite:1", "sold", "")}, Auto: false}})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{"kind":"later","a":[1,2]}`, `"login":"AA","phone":{"n":"+47 <1>"},`,
		`"onsite":"ten-a","username":"a@x.no"}`,
		`"help":"h","message":"\u00c6r\u00f8","waived":"sold"}`, `"ticket":9,`, `"took":5,`} {
		if !strings.Contains(string(out), text) {
			t.Errorf("not in the output: %s", text)
		}
	}
	if strings.Contains(string(out), `"more":1`) {
		t.Error("a review that no longer holds stands")
	}
	out, _, err = run(t, in, RunOptions{})
	if err != nil || !strings.Contains(string(out), `"item":"plans","more":1,`) {
		t.Errorf("the untouched review is not as it was: %v", err)
	}
}

// reend gives an edited manifest an end that matches.
func reend(t testing.TB, m []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := manifest.NewWriter(&b, "omt-scan 0.1.0")
	if err := manifest.Copy(w, manifest.NewReader(bytes.NewReader(m), manifest.ReadOptions{AcceptEdits: true}), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := w.End(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRunWritesTheEdit(t *testing.T) {
	edit := manifest.Edit{By: "karl", At: manifest.At(now), Tool: "omt-assign 0.1.0", Was: digest(5)}
	for name, in := range map[string][]byte{"behind another": whole(t), "first": build(t, manifest.Installation{Owner: "K"}),
		"alone": build(t)} {
		out, _, err := run(t, in, RunOptions{Edit: &edit})
		if err != nil {
			t.Fatal(name, err)
		}
		edits := of(out, "edit")
		if !strings.HasSuffix(edits,
			`"was":"0500000000000000000000000000000000000000000000000000000000000000"}`+"\n") || strings.Count(edits,
			"\n") != 1+strings.Count(of(in, "edit"), "\n") {
			t.Errorf("%s: %s", name, edits)
		}
	}
}

func TestRunReportsABadInput(t *testing.T) {
	in := whole(t)
	for n := 1; n < len(in)-1; n += 1 + n%37 {
		out, _, err := run(t, in[:n], RunOptions{Choices: Choices{Auto: true}})
		if manifest.StatusOf(err) != manifest.BadInput {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if strings.Contains(string(out), `"kind":"end"`) {
			t.Fatalf("cut at %d: the output has an end", n)
		}
	}
	_, _, err := run(t, reend(t, bytes.Replace(in, []byte(`"login":"AA"`), []byte(`"login":["AA"]`), 1)), RunOptions{})
	if manifest.StatusOf(err) != manifest.BadInput || !strings.Contains(err.Error(), "decoding the user record") {
		t.Errorf("a user that cannot be decoded: %v", err)
	}
}

func TestRunStopsWhenInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var b bytes.Buffer
	_, err := Run(ctx, RunOptions{}, manifest.NewReader(bytes.NewReader(whole(t)), manifest.ReadOptions{}),
		manifest.NewWriter(&b, "x"))
	if !errors.Is(err, context.Canceled) || b.Len() > 0 {
		t.Errorf("%v, %d bytes", err, b.Len())
	}
}

// TestRunSortsRemovals: those from cards of users and of other persons stand in one order, by user.
func TestRunSortsRemovals(t *testing.T) {
	in := build(t, user(1, "AA", has("Free", "a@x.no")), user(2, "BB c@x.no", has("Free", "b@x.no")),
		user(3, "CC", has("Free", "c@x.no")), user(4, "DD a@x.no"),
		manifest.Address{Person: 50, Email: "b@x.no"}, manifest.Address{Person: 51, Email: "c@x.no"}, manifest.Address{Person: 52,
			Email: "a@x.no"})
	out, _, err := run(t, in, RunOptions{Choices: Choices{RemoveFromPersons: ptr(true)}})
	if err != nil {
		t.Fatal(err)
	}
	want := lines(`{"kind":"removal","person":52,"email":"a@x.no","user":1}`,
		`{"kind":"removal","person":104,"email":"a@x.no","user":1}`, `{"kind":"removal","person":50,"email":"b@x.no","user":2}`,
		`{"kind":"removal","person":51,"email":"c@x.no","user":3}`, `{"kind":"removal","person":102,"email":"c@x.no","user":3}`)
	if d := cmp.Diff(want, of(out, "removal")); d != "" {
		t.Error(d)
	}
}

// TestRunBlocks: what other rules found blocks too, and a check that did not run to its end.
func TestRunBlocks(t *testing.T) {
	in := build(t, user(1, "AA", admin, has("", "")), manifest.Check{Rule: "x", Plugin: "p", Status: "failed"},
		manifest.Check{Rule: "satellite", Status: "done"},
		manifest.Finding{Rule: "satellite", Severity: manifest.SeverityError, Message: "m", Waived: "edited in"},
		manifest.Finding{Rule: "travel", Severity: manifest.SeverityWarning, Message: "w"})
	out, s, err := run(t, in, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"satellite: m", "x (p) was not completed, which blocks like an error: failed",
		"travel was never run over this manifest, which blocks like an error"}, s.Remarks()); d != "" {
		t.Error(d)
	}
	if err := s.Err(); manifest.StatusOf(err) != manifest.Remarks || !strings.Contains(err.Error(), "1 error stands, 2 rules did not run to their end") {
		t.Errorf("%v", s.Err())
	}
	if strings.Contains(string(out), "edited in") {
		t.Error("a finding is waived without a waiver")
	}
}
