package tenant_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/destination"
	"github.com/openomt/omt/internal/destination/destinationtest"
	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// holding gives a tenant that holds migration A of a kind ("" for none), accepted, closed or not.
func holding(t testing.TB, kind string, running, closed bool) destination.Destination {
	t.Helper()
	d, _ := folder(t)
	if kind == "" {
		return d
	}
	p := a()
	p.migration = kind
	_, _, err := p.run(t.Context(), d)
	check(t, err)
	if running {
		_, _, err = tenant.Open(d).Accept(t.Context(), "omt-push 0.1.0", p.time(), closed)
		check(t, err)
	}
	return d
}

// Every combination of what a tenant holds and what comes.
func TestJudge(t *testing.T) {
	const (
		none, missing, overwrite, again = tenant.RecoverNone, tenant.RecoverMissing, tenant.RecoverOverwrite, tenant.RecoverAgain
		whole, files                    = "whole", "files"
	)
	all := []tenant.Recover{none, missing, overwrite, again}
	type verdicts map[tenant.Recover]string // whole, files, or a part of why it is refused
	only := func(why string) verdicts { return verdicts{none: why, missing: why, overwrite: why, again: why} }
	cases := []struct {
		name, holds     string
		running, closed bool
		comes           string
		other, preseed  bool
		want            verdicts
		choices         []tenant.Recover // of what is refused without a flag
	}{
		{name: "empty, test", comes: "test", want: verdicts{none: whole, missing: "holds no migration that files", overwrite: whole, again: "holds no migration; the"}},
		{name: "empty, live", comes: "live", want: verdicts{none: whole, missing: "holds no migration that files", overwrite: whole, again: "holds no migration; the"}},
		{name: "test, same test", holds: "test", comes: "test", want: verdicts{none: whole, missing: whole, overwrite: whole, again: files}},
		{name: "test, other test", holds: "test", comes: "test", other: true,
			want: verdicts{none: "holds migration", missing: files, overwrite: whole, again: "was written by omt-push for"}, choices: []tenant.Recover{missing, overwrite}},
		{name: "test, same as live", holds: "test", comes: "live",
			want: verdicts{none: "a live one replaces", missing: "a live one replaces", overwrite: whole, again: "a live one replaces"}, choices: []tenant.Recover{overwrite}},
		{name: "test, other live", holds: "test", comes: "live", other: true,
			want: verdicts{none: "a live one replaces", missing: "a live one replaces", overwrite: whole, again: "was written by omt-push for"}, choices: []tenant.Recover{overwrite}},
		{name: "live, same live", holds: "live", comes: "live", want: verdicts{none: whole, missing: whole, overwrite: whole, again: files}},
		{name: "live, other live", holds: "live", comes: "live", other: true,
			want: verdicts{none: "holds migration", missing: files, overwrite: "only a test migration", again: "was written by omt-push for"}, choices: []tenant.Recover{missing}},
		{name: "live, same as test", holds: "live", comes: "test", want: only("never comes after a live one")},
		{name: "live, other test", holds: "live", comes: "test", other: true, want: only("never comes after a live one")},
		{name: "running, same live", holds: "live", running: true, comes: "live",
			want: verdicts{none: "its database is closed", missing: files, overwrite: "only a test migration", again: files}, choices: []tenant.Recover{missing}},
		{name: "running, other live", holds: "live", running: true, comes: "live", other: true,
			want: verdicts{none: "its database is closed", missing: files, overwrite: "only a test migration", again: "was written by omt-push for"}, choices: []tenant.Recover{missing}},
		{name: "running, other test", holds: "live", running: true, comes: "test", other: true, want: only("never comes after a live one")},
		{name: "closed, same live", holds: "live", running: true, closed: true, comes: "live", want: only("it is closed, for missing files too")},
		{name: "closed, other live", holds: "live", running: true, closed: true, comes: "live", other: true, want: only("it is closed")},
		{name: "closed, other test", holds: "live", running: true, closed: true, comes: "test", other: true, want: only("it is closed")},
		{name: "empty, preseed", comes: "test", preseed: true, want: verdicts{none: whole, missing: "replaces nothing", overwrite: "replaces nothing", again: whole}},
		{name: "test, preseed", holds: "test", comes: "live", preseed: true, other: true, want: verdicts{none: whole, missing: "replaces nothing", overwrite: "replaces nothing", again: whole}},
		{name: "live, preseed", holds: "live", comes: "test", preseed: true, other: true, want: verdicts{none: whole, missing: "replaces nothing", overwrite: "replaces nothing", again: whole}},
		{name: "running, preseed", holds: "live", running: true, comes: "live", preseed: true, other: true,
			want: verdicts{none: "no migration comes after it", missing: "replaces nothing", overwrite: "replaces nothing", again: "no migration comes after it"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tn := tenant.Open(holding(t, c.holds, c.running, c.closed))
			p := a()
			if c.other {
				p = b()
			}
			p.migration, p.input = c.comes, "something else"
			if c.preseed {
				p.phase = tenant.Preseed
			}
			s, err := tn.State(t.Context())
			check(t, err)
			for _, r := range all {
				v, err := tn.Judge(t.Context(), p.claim(), r)
				if want := c.want[r]; want != whole && want != files {
					wantRefused(t, err, want)
					if r == none && !slices.Equal(tenant.Choices(err), c.choices) {
						t.Errorf("choices are %q, want %q", tenant.Choices(err), c.choices)
					}
					for _, choice := range tenant.Choices(err) {
						if !strings.Contains(manifest.HintOf(err), "--recover "+string(choice)) {
							t.Errorf("the hint %q does not say what to type", manifest.HintOf(err))
						}
						if got := c.want[choice]; got != whole && got != files {
							t.Errorf("--recover %q: %s is proposed, and refused", r, choice)
						}
					}
					// What is refused when it is judged is refused when it would be begun.
					q := p
					q.recover = r
					_, err = tn.Begin(t.Context(), q.claim())
					wantRefused(t, err, want)
					continue
				}
				if err != nil {
					t.Errorf("--recover %q: %v", r, err)
					continue
				}
				mode := tenant.ModeInitial
				if c.holds != "" && c.other && !c.preseed {
					mode = tenant.ModeRecovery
				}
				if v.FilesOnly != (c.want[r] == files) || v.Mode != mode || (v.Current != nil) != (c.holds != "") || v.State != s.Number {
					t.Errorf("--recover %q: verdict is %+v", r, v)
				}
				if v.Current != nil && v.Current.ID != idA {
					t.Errorf("current is %+v", v.Current)
				}
			}
		})
	}
}

// What is committed already is no push, whatever would be refused: the same command ends as the first time.
func TestJudgeAgain(t *testing.T) {
	for _, closed := range []bool{false, true} {
		d := holding(t, "live", true, closed)
		before := destinationtest.Listed(t, d, "")
		p := a()
		p.migration, p.spool = "live", "another spool"
		for _, r := range []tenant.Recover{tenant.RecoverNone, tenant.RecoverMissing, tenant.RecoverOverwrite} {
			p.recover = r
			if c, mine, err := p.run(t.Context(), d); err != nil || mine || c.Revision != 1 {
				t.Errorf("closed %v, --recover %q: %+v, mine %v, error %v", closed, r, c, mine, err)
			}
		}
		if diff := cmp.Diff(before, destinationtest.Listed(t, d, "")); diff != "" {
			t.Errorf("it changed the tenant: %s", diff)
		}
	}
}

func TestJudgeNonsense(t *testing.T) {
	d, _ := folder(t)
	for text, change := range map[string]func(*tenant.Claim){
		`phase "half"`:      func(c *tenant.Claim) { c.Phase = "half" },
		`migration "trial"`: func(c *tenant.Claim) { c.Migration = "trial" },
		`migration ""`:      func(c *tenant.Claim) { c.Migration = "" },
	} {
		c := a().claim()
		change(&c)
		if _, err := tenant.Open(d).Judge(t.Context(), c, ""); manifest.StatusOf(err) != manifest.BadInput || !strings.Contains(err.Error(), text) {
			t.Errorf("error is %v, want %q", err, text)
		}
	}
	if _, err := tenant.Open(d).Judge(t.Context(), a().claim(), "all"); manifest.StatusOf(err) != manifest.Usage {
		t.Errorf("error is %v", err)
	}
}

// The mode of a migration that took another one's place stays with its next revisions.
func TestModeStays(t *testing.T) {
	d := holding(t, "test", false, false)
	p := b()
	p.recover, p.mode = tenant.RecoverOverwrite, tenant.ModeRecovery
	_, _, err := p.run(t.Context(), d)
	check(t, err)
	p.input = "packed again"
	if v, err := tenant.Open(d).Judge(t.Context(), p.claim(), ""); err != nil || v.Mode != tenant.ModeRecovery || v.FilesOnly {
		t.Errorf("verdict is %+v, error %v", v, err)
	}
}

// A revision that adds files is made from the tenant's migration, and from no other one.
func TestBase(t *testing.T) {
	d := holding(t, "live", true, false)
	tn := tenant.Open(d)
	adds := a()
	adds.migration, adds.recover, adds.base, adds.input = "live", tenant.RecoverAgain, 1, "found"
	c, mine, err := adds.run(t.Context(), d)
	check(t, err)
	s := wantTenant(t, d, adds)
	if !mine || c.Revision != 2 || s.State != tenant.Running || s.Closed {
		t.Errorf("committed %+v, state %+v", c, s)
	}
	late := adds
	late.spool, late.input = "another spool", "found elsewhere"
	_, err = tn.Begin(t.Context(), late.claim())
	wantRefused(t, err, "another push has committed revision 2 of this migration to "+tn.URL()+" meanwhile, and this one adds files to revision 1")
	late.base = 2
	_, _, err = late.run(t.Context(), d)
	check(t, err)
	wantTenant(t, d, late)

	none := a()
	none.migration, none.base, none.recover = "live", 3, tenant.RecoverNone
	empty, _ := folder(t)
	_, err = tenant.Open(empty).Begin(t.Context(), none.claim())
	wantRefused(t, err, "is no longer the one at")
	// Of the other id, and of a whole manifest where files alone are taken.
	other := b()
	other.migration, other.base, other.recover = "live", 3, tenant.RecoverMissing
	_, err = tn.Begin(t.Context(), other.claim())
	wantRefused(t, err, "migration "+idB+" is no longer the one at")
	whole := a()
	whole.migration, whole.recover, whole.input = "live", tenant.RecoverMissing, "packed again"
	_, err = tn.Begin(t.Context(), whole.claim())
	wantRefused(t, err, "takes files alone by now")
}
