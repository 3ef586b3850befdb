package push

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// pushed pushes small and returns what was written.
func pushed(t testing.TB, p packed) (place, []byte) {
	t.Helper()
	at := newPlace(t, p)
	out, err := at.push(t, p.bytes(t))
	wantError(t, err, manifest.Remarks, "revision 1")
	at.notices.list = nil
	return at, out
}

// files gives the file records of a manifest by path.
func files(t testing.TB, data []byte) map[string]manifest.File {
	t.Helper()
	list := map[string]manifest.File{}
	lines := manifest.NewReader(bytes.NewReader(data), manifest.ReadOptions{})
	for {
		l, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		check(t, err)
		if l.Kind == manifest.KindFile {
			f, err := l.File()
			check(t, err)
			list[f.Path] = f
		}
	}
}

// What is found becomes the next revision; only that and a manifest are sent, and the latest revision is what counts,
// whichever is given.
func TestLookAgain(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			p := small()
			at, done := pushed(t, p)
			at.put(t, "Carl/00000.TXT", "found")
			at.put(t, "elsewhere/00001.txt", "perhaps")
			faulty := destinationtest.NewFaulty(t, at.destination(t))
			o := at.options(t, done)
			o.To = faulty
			second, err := run1(t.Context(), mode(o, done))
			wantError(t, err, manifest.Remarks, "committed as revision 2; 1 document is still missing (1 missing)")
			if n := faulty.Calls(destinationtest.OpUpload); n != 2 { // a chunk and the manifest
				t.Errorf("%d uploads, want 2", n)
			}
			want := "document: 1 that was missing is found, 2 are stored and no longer on disk\n" +
				`missing: document 90001 "carl/00001.txt", title "Offer": missing; perhaps "elsewhere/00001.txt"`
			if got := at.notices.text(); got != want {
				t.Errorf("people were told:\n%s\nwant:\n%s", got, want)
			}
			was, is := files(t, done), files(t, second)
			for path := range was {
				if same := was[path].State == is[path].State && was[path].Chunk == is[path].Chunk; same != (path != "carl/00000.txt") {
					t.Errorf("%s was %+v and is %+v", path, was[path], is[path])
				}
			}
			c, err := tenant.Open(at.destination(t)).Last(t.Context(), tenant.Full, p.id)
			check(t, err)
			claim, err := tenant.Open(at.destination(t)).ClaimOf(t.Context(), tenant.Revision{Phase: tenant.Full, ID: p.id, Number: 2})
			check(t, err)
			if c.Revision != 2 || c.Mode != tenant.ModeInitial || c.Missing != 1 || c.Chunks != 4 || claim.Base != 1 || claim.Recover != tenant.RecoverAgain {
				t.Errorf("commit is %+v of claim %+v", c, claim)
			}
			if left := at.spoolFiles(t); len(left) > 0 {
				t.Errorf("left in the spool: %q", left)
			}
			// The first manifest, given again, takes nothing back; neither does the second.
			for n, data := range [][]byte{done, second} {
				at.notices.list = nil
				again, err := run1(t.Context(), mode(at.options(t, data), data))
				wantError(t, err, manifest.Remarks, "nothing new was found, and revision 2 stands; 1 document is still missing")
				if !bytes.Equal(again, second) {
					t.Errorf("given %d, something else is written", n)
				}
				if told := strings.Contains(at.notices.text(), "the tenant holds revision 2 of this migration, and the input is not of it"); told != (n == 0) {
					t.Errorf("given %d, people were told: %s", n, at.notices.text())
				}
			}
			at.put(t, "carl/00001.txt", "found too")
			if _, err := run1(t.Context(), mode(at.options(t, done), done)); err != nil {
				t.Errorf("everything is found: %v", err)
			}
		})
	}
}

// From another machine, whose spool knows nothing, chunks keep the receipts that they had: no line is written for each.
func TestLookAgainKeepsReceipts(t *testing.T) {
	at, done := pushed(t, small())
	at.put(t, "carl/00000.txt", "found")
	at.spool = filepath.Join(t.TempDir(), "spool")
	o := at.options(t, done)
	later := o.Now().AddDate(0, 0, 1)
	o.Now = func() time.Time { return later }
	out, err := run1(t.Context(), o)
	wantError(t, err, manifest.Remarks, "revision 2")
	if n := bytes.Count(out, []byte(`"sent":true,"at":"2026-01-02T03:04:05Z"`)); n != 3 {
		t.Errorf("%d receipts are those of the first push, want 3", n)
	}
	journal, err := os.ReadFile(filepath.Join(at.spool, "receipts.jsonl"))
	check(t, err)
	if n := bytes.Count(journal, []byte("\n")); n != 1 {
		t.Errorf("the journal has %d lines, want 1", n)
	}
}

// Looking again that dies at any change to the destination is finished by running it again, as the same revision.
func TestLookAgainDeathAtEveryStep(t *testing.T) {
	p := small()
	begin := func(t *testing.T) (place, []byte) {
		at, done := pushed(t, p)
		at.put(t, "carl/00000.txt", "found")
		return at, done
	}
	at, done := begin(t)
	counter := destinationtest.NewFaulty(t, at.destination(t))
	o := at.options(t, done)
	o.To = counter
	_, err := run1(t.Context(), o)
	wantError(t, err, manifest.Remarks, "revision 2")
	steps := counter.Calls(destinationtest.OpChange)
	if steps < 8 {
		t.Fatalf("looking again has %d steps", steps)
	}
	for step := 1; step <= steps; step++ {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d late=%v", step, late), func(t *testing.T) {
				t.Parallel()
				at, done := begin(t)
				o := at.options(t, done)
				o.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: destinationtest.OpChange, Call: step, Late: late, Die: true})
				_, err := run1(t.Context(), o)
				wantError(t, err, manifest.Failed, "died")
				at.wantSecond(t, done)
			})
		}
	}
}

// wantSecond looks again, after a run that was cut off, and checks that the tenant holds exactly two revisions.
func (at place) wantSecond(t *testing.T, done []byte) {
	t.Helper()
	at.wantRevision(t, done, 2)
}

func (at place) wantRevision(t *testing.T, done []byte, number int) {
	t.Helper()
	out, err := at.push(t, done)
	if err == nil || manifest.StatusOf(err) != manifest.Remarks || !strings.Contains(err.Error(), fmt.Sprintf("revision %d", number)) || !strings.Contains(err.Error(), "1 document is still missing") {
		t.Fatalf("run again: %v", err)
	}
	if f := files(t, out)["carl/00000.txt"]; f.State != manifest.Present || f.Chunk.IsZero() {
		t.Errorf("what was found is %+v", f)
	}
	tn := tenant.Open(at.destination(t))
	s, err := tn.State(t.Context())
	check(t, err)
	if s.Pending != nil || s.Migration.Revision != number || s.Migration.Missing != 1 {
		t.Errorf("state is %+v", s)
	}
	chunks := destinationtest.Listed(t, at.destination(t), "chunks/")
	if int64(len(chunks)) != s.Migration.Chunks {
		t.Errorf("%d chunks are there, %d belong to the migration", len(chunks), s.Migration.Chunks)
	}
	if left := at.spoolFiles(t); len(left) > 0 {
		t.Errorf("left in the spool: %q", left)
	}
}

// Any call of the destination may fail for good: nothing is committed that is not whole, and the next run ends as if
// nothing had been.
func TestLookAgainFailingCalls(t *testing.T) {
	p := small()
	broken := errors.New("broken for good")
	for _, op := range []destinationtest.Op{destinationtest.OpList, destinationtest.OpOpen, destinationtest.OpRead, destinationtest.OpCreate, destinationtest.OpUpload, destinationtest.OpCommit} {
		at, done := pushed(t, p)
		at.put(t, "carl/00000.txt", "found")
		counter := destinationtest.NewFaulty(t, at.destination(t))
		o := at.options(t, done)
		o.To = counter
		_, err := run1(t.Context(), o)
		wantError(t, err, manifest.Remarks, "revision 2")
		if counter.Calls(op) == 0 {
			t.Errorf("looking again makes no call of %s", op)
		}
		for call := 1; call <= counter.Calls(op); call++ {
			t.Run(fmt.Sprintf("%s %d", op, call), func(t *testing.T) {
				t.Parallel()
				at, done := pushed(t, p)
				at.put(t, "carl/00000.txt", "found")
				o := at.options(t, done)
				o.To = destinationtest.NewFaulty(t, at.destination(t), destinationtest.Fault{Op: op, Call: call, Err: broken})
				if out, err := run1(t.Context(), o); !errors.Is(err, broken) && !strings.Contains(fmt.Sprint(err), "broken for good") || out != nil {
					t.Errorf("error is %v", err)
				}
				at.wantSecond(t, done)
			})
		}
	}
}

// Killed at random points and run again, looking again ends whole.
func TestLookAgainKilled(t *testing.T) {
	k := killer{random: rand.New(rand.NewPCG(3, 4)), within: 60 * time.Millisecond}
	for range 12 {
		p := small()
		at, done := pushed(t, p)
		at.put(t, "carl/00000.txt", strings.Repeat("found ", 100_000))
		input := filepath.Join(t.TempDir(), "done.jsonl")
		check(t, os.WriteFile(input, done, 0o600))
		for range 2 {
			cmd, _ := process(t, at, input)
			k.kill(cmd)
		}
		at.wantSecond(t, done)
	}
	if k.killed < 6 {
		t.Errorf("only %d processes were killed before they had ended", k.killed)
	}
}

// Two look again at once, from two spools: both end well, or one is told to run again; nothing is lost.
func TestLookAgainRace(t *testing.T) {
	for range 3 {
		at, done := pushed(t, small())
		at.put(t, "carl/00000.txt", "found")
		results := make(chan error, 2)
		for i := range 2 {
			own := at
			own.spool = filepath.Join(t.TempDir(), fmt.Sprint("spool", i))
			o := own.options(t, done)
			go func() {
				_, err := run1(t.Context(), o)
				results <- err
			}()
		}
		for range 2 {
			err := <-results
			if manifest.StatusOf(err) == manifest.Refused && strings.Contains(manifest.HintOf(err), "run the same command again") {
				continue
			}
			wantError(t, err, manifest.Remarks, "1 document is still missing")
		}
		c, err := tenant.Open(at.destination(t)).LastCommitted(t.Context())
		check(t, err)
		at.wantRevision(t, done, c.Revision)
	}
}

// The same id at a tenant that holds another one, and what else cannot be looked at again.
func TestLookAgainRefused(t *testing.T) {
	p := small()
	at, done := pushed(t, p)
	for name, c := range map[string]struct {
		change func(*packed, *Options)
		want   string
		hint   string
	}{
		"another company": {func(p *packed, _ *Options) { p.company = "Others" }, `of company "Kalles Æ"`, "Unable to resume"},
		"another id":      {func(p *packed, _ *Options) { p.id = idB }, "holds migration " + idA, "omt-push --recover missing"},
		"a pre-seed":      {func(p *packed, _ *Options) { p.phase = "preseed" }, "of a part that went ahead", "run omt-pack again"},
		"overwrite":       {func(_ *packed, o *Options) { o.Recover = tenant.RecoverOverwrite }, "cannot take the place", "leave out --recover overwrite"},
	} {
		for mode, how := range modes {
			t.Run(name+" "+mode, func(t *testing.T) {
				before := destinationtest.Listed(t, at.destination(t), "")
				p := p
				p.tool = "omt-push 0.1.0"
				o := at.options(t, done)
				c.change(&p, &o)
				data := p.bytes(t)
				o.Again = func() (*manifest.Reader, error) {
					return manifest.NewReader(bytes.NewReader(data), manifest.ReadOptions{}), nil
				}
				o.In = manifest.NewReader(bytes.NewReader(data), manifest.ReadOptions{})
				out, err := run1(t.Context(), how(o, data))
				wantError(t, err, manifest.Refused, c.want)
				if !strings.Contains(manifest.HintOf(err), c.hint) || out != nil {
					t.Errorf("hint %q", manifest.HintOf(err))
				}
				if after := destinationtest.Listed(t, at.destination(t), ""); len(after) != len(before) {
					t.Error("something was changed")
				}
			})
		}
	}
}

// An archive that is out of reach is no reason to think that nothing was found.
func TestLookAgainWithoutArchive(t *testing.T) {
	at, done := pushed(t, small())
	check(t, os.RemoveAll(at.archive))
	before := destinationtest.Listed(t, at.destination(t), "")
	out, err := at.push(t, done)
	wantError(t, err, manifest.Failed, "cannot be read")
	if after := destinationtest.Listed(t, at.destination(t), ""); out != nil || len(after) != len(before) {
		t.Error("something was done")
	}
}

// A migration with another id is refused with the lines to type; with overwrite it takes the place of the former one.
func TestRecoverOtherMigration(t *testing.T) {
	p := small()
	at, _ := pushed(t, p)
	other := small()
	other.id, other.seed = idB, 1
	other.fill(t, at.spool)
	_, err := at.push(t, other.bytes(t))
	wantError(t, err, manifest.Refused, "holds migration "+idA)
	want := "to add missing and changed files to it and nothing else: omt-push --recover missing; or to put the new migration in its place: omt-push --recover overwrite"
	if manifest.HintOf(err) != want {
		t.Errorf("hint %q", manifest.HintOf(err))
	}
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			at, _ := pushed(t, p)
			other.fill(t, at.spool)
			data := other.bytes(t)
			o := at.options(t, data)
			o.Recover = tenant.RecoverOverwrite
			out, err := run1(t.Context(), mode(o, data))
			wantError(t, err, manifest.Remarks, "committed as revision 1")
			c, err := tenant.Open(at.destination(t)).LastCommitted(t.Context())
			check(t, err)
			if c.ID != idB || c.Mode != tenant.ModeRecovery || !bytes.Contains(out, []byte(`"mode":"recovery"`)) {
				t.Errorf("commit is %+v", c)
			}
		})
	}
}

// With --recover missing the tenant's manifest is the base, whatever the input's id, and the result its next revision. Of
// a stream no chunk is sent before its end.
func TestRecoverMissing(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			p := small()
			at, done := pushed(t, p)
			other := small()
			other.id, other.seed, other.mode = idB, 1, "recovery"
			other.fill(t, at.spool)
			data := other.bytes(t)
			o := at.options(t, data)
			o.Recover = tenant.RecoverMissing
			var base, input string
			o.Repack = func(_ context.Context, r Repacking, out *manifest.Writer) (Repacked, error) {
				lines, err := r.Input()
				check(t, err)
				_, err = lines.Next()
				check(t, err)
				input = lines.Header().ID
				lines, err = r.Base()
				check(t, err)
				err = manifest.Copy(out, lines, nil)
				base = lines.Header().ID
				return Repacked{Made: true, Areas: map[manifest.Area]Gained{manifest.Document: {Found: 1}}}, err
			}
			out, err := run1(t.Context(), mode(o, data))
			wantError(t, err, manifest.Remarks, "committed as revision 2; 2 documents are still missing")
			if base != idA || input != idB {
				t.Errorf("files were taken from %s for %s", input, base)
			}
			if was, is := bytes.SplitAfter(done, []byte("\n")), bytes.SplitAfter(out, []byte("\n")); len(was) != len(is) || !bytes.Equal(was[0], is[0]) {
				t.Error("the records are others than those of the base")
			}
			c, err := tenant.Open(at.destination(t)).LastCommitted(t.Context())
			check(t, err)
			if c.ID != idA || c.Revision != 2 || c.Mode != tenant.ModeInitial || len(destinationtest.Listed(t, at.destination(t), "chunks/")) != p.chunks {
				t.Errorf("commit is %+v", c)
			}
			if got := at.notices.text(); !strings.Contains(got, "document: 1 that was missing is taken from the input") {
				t.Errorf("people were told: %s", got)
			}
		})
	}
	at := newPlace(t, small())
	o := at.options(t, small().bytes(t))
	o.Recover = tenant.RecoverMissing
	_, err := run1(t.Context(), o)
	wantError(t, err, manifest.Refused, "holds no migration that files could be added to")
}

// A manifest that was edited by hand is a revision of its own, once; the edit of an older one is refused.
func TestLookAgainEdited(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			at, done := pushed(t, small())
			edited := bytes.Replace(done, []byte(`"title":"Offer"`), []byte(`"title":"Tender"`), 1)
			accept := func() ([]byte, error) {
				o := at.options(t, edited)
				o.AcceptEdits = true
				o.Again = func() (*manifest.Reader, error) {
					return manifest.NewReader(bytes.NewReader(edited), manifest.ReadOptions{AcceptEdits: true}), nil
				}
				o.In, _ = o.Again()
				return run1(t.Context(), mode(o, edited))
			}
			out, err := accept()
			wantError(t, err, manifest.Remarks, "committed as revision 2; 2 documents are still missing")
			if bytes.Count(out, []byte(`"title":"Tender"`)) != 1 || bytes.Count(out, []byte(`{"kind":"edit","by":"karl"`)) != 1 {
				t.Errorf("%s", out)
			}
			_, err = accept()
			wantError(t, err, manifest.Refused, "the manifest was edited, and the one that it was is not what the tenant")
		})
	}
}

// At a tenant that was accepted files can still be added: by looking again, and with --recover missing from what was packed
// anew. The migration packed anew is refused as a whole, from a stream at its end, since it might have been omt-push's.
func TestLookAgainAtRunningTenant(t *testing.T) {
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			p := small()
			p.migration = "live"
			at, done := pushed(t, p)
			_, changed, err := tenant.Open(at.destination(t)).Accept(t.Context(), "omt-push 0.1.0", manifest.At(time.Unix(1, 0)), false)
			check(t, err)
			if !changed {
				t.Fatal("it was not accepted")
			}
			newer := p
			newer.seed = 5
			newer.fill(t, at.spool)
			data := newer.bytes(t)
			_, err = run1(t.Context(), mode(at.options(t, data), data))
			wantError(t, err, manifest.Refused, "its database is closed")
			if len(destinationtest.Listed(t, at.destination(t), "chunks/")) != p.chunks {
				t.Error("chunks were sent for nothing")
			}
			at.put(t, "carl/00000.txt", "found")
			out, err := run1(t.Context(), mode(at.options(t, done), done))
			wantError(t, err, manifest.Remarks, "committed as revision 2; 1 document is still missing")
			s, err := tenant.Open(at.destination(t)).State(t.Context())
			check(t, err)
			if s.State != tenant.Running || s.Migration.Revision != 2 {
				t.Errorf("state is %+v", s)
			}
			_, _, err = tenant.Open(at.destination(t)).Accept(t.Context(), "omt-push 0.1.0", manifest.At(time.Unix(2, 0)), true)
			check(t, err)
			at.put(t, "carl/00001.txt", "found")
			_, err = run1(t.Context(), mode(at.options(t, out), out))
			wantError(t, err, manifest.Refused, "it is closed, for missing files too")
		})
	}
}
