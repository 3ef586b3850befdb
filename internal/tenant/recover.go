package tenant

import (
	"errors"
	"fmt"

	"github.com/openomt/omt/internal/manifest"
)

// Recover is what a push may do at a tenant that holds a migration already.
type Recover string

// The choices of a push. A person chooses one of the first three; Again is that of a push whose input is what a push of
// the same migration wrote, which adds files and nothing else without being told to.
const (
	RecoverNone      Recover = ""
	RecoverMissing   Recover = "missing"   // add files that are missing at the tenant, or have changed
	RecoverOverwrite Recover = "overwrite" // take the place of a test migration
	RecoverAgain     Recover = "again"     // look again for what was not found
)

// The modes of a migration.
const (
	ModeInitial  = "initial"  // the tenant held nothing, or this same migration
	ModeRecovery = "recovery" // the tenant held a migration with another id
)

// Migrations of two kinds, as manifests name them.
const (
	testMigration = "test"
	liveMigration = "live"
)

// Verdict is how a manifest may come to a tenant; see Claim.Under.
type Verdict struct {
	Mode string // ModeInitial or ModeRecovery
	// Current is the tenant's migration, or nil. One whose commit passed the gate counts; its manifest can be read.
	Current *Commit
	// FilesOnly says that Current's manifest is the base: files are taken from the input that are missing there or have
	// changed, and the result is the next revision of Current's id (Claim.Base). Otherwise the input is committed as it is.
	FilesOnly bool
	// State is the number of the state record that was judged.
	State int64
}

// Under is the claim of a push that goes on under a verdict, for what was chosen: what is overtaken until it commits is
// told by it. Base is the caller's to set.
func (c Claim) Under(v Verdict, r Recover) Claim {
	c.Recover, c.Judged, c.Over = r, v.State, ""
	if v.Current != nil && v.Current.ID != c.ID && c.Phase == Full && !v.FilesOnly {
		c.Over = v.Current.ID
	}
	return c
}

// refusal is an error that another choice would avoid.
type refusal struct {
	error
	choices []Recover
}

func (r *refusal) Unwrap() error { return r.error }

// Choices says which values of --recover would let pass what an error of Judge refused, for the line to type. None when
// there is none.
func Choices(err error) []Recover {
	var r *refusal
	if errors.As(err, &r) {
		return r.choices
	}
	return nil
}

// choice refuses what one of the choices would let pass, and says what to type.
func choice(why error, choices ...Recover) error {
	hint := ""
	for i, c := range choices {
		if i > 0 {
			hint += "; or "
		}
		hint += fmt.Sprintf("add --recover %s to the same command to %s", c, map[Recover]string{
			RecoverMissing:   "add missing and changed files to it and nothing else",
			RecoverOverwrite: "put the new migration in its place",
		}[c])
	}
	return manifest.Errorf(manifest.Refused, "%w", &refusal{why, choices}).WithHint("%s", hint)
}

func refuse(hint, format string, args ...any) error {
	return manifest.Errorf(manifest.Refused, format, args...).WithHint("%s", hint)
}

// meet is the rule of what may come to a tenant that holds the migration now. url names the tenant.
func meet(url string, s State, now Commit, c Claim) (filesOnly bool, err error) {
	holds := fmt.Sprintf("the tenant at %s holds migration %s (%s), committed %s", url, now.ID, now.Migration, now.At.UTC().Format("2006-01-02 15:04 MST"))
	running := s.resting() == Running
	other := now.ID != c.ID
	switch {
	case s.Closed:
		return false, refuse("it was accepted with --close; ask whoever runs the tenant", "%s: it is closed, for missing files too", holds)
	case c.Migration == testMigration && now.Migration == liveMigration:
		return false, refuse("to look again for missing documents give omt-push --in the manifest that it wrote last; for another test migration choose another destination",
			"%s: a test migration never comes after a live one", holds)
	case c.Recover == RecoverAgain && other:
		return false, choice(fmt.Errorf("%s; the manifest was written by omt-push for migration %s", holds, c.ID), open(running, now, c)...)
	case c.Migration == liveMigration && now.Migration == testMigration:
		if c.Recover == RecoverOverwrite {
			return false, nil
		}
		return false, choice(fmt.Errorf("%s, which a live one replaces as a whole", holds), RecoverOverwrite)
	}
	return meetSameKind(holds, running, now, c)
}

// meetSameKind is meet for a migration of the same kind as that which the tenant holds, as holds says.
func meetSameKind(holds string, running bool, now Commit, c Claim) (filesOnly bool, err error) {
	other := now.ID != c.ID
	switch c.Recover {
	case RecoverAgain:
		return true, nil
	case RecoverMissing:
		return other || running, nil
	case RecoverOverwrite:
		if now.Migration == liveMigration && (other || running) {
			return false, choice(fmt.Errorf("%s: only a test migration is overwritten", holds), RecoverMissing)
		}
		return false, nil
	}
	switch {
	case running:
		return false, choice(fmt.Errorf("%s, and was accepted: its database is closed", holds), RecoverMissing)
	case other:
		return false, choice(errors.New(holds), open(running, now, c)...)
	}
	return false, nil
}

// open lists what may be chosen for a migration with another id.
func open(running bool, now Commit, c Claim) []Recover {
	switch {
	case now.Migration == liveMigration || running:
		return []Recover{RecoverMissing}
	case c.Migration == liveMigration:
		return []Recover{RecoverOverwrite}
	}
	return []Recover{RecoverMissing, RecoverOverwrite}
}
