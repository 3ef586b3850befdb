package tenant

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/openomt/omt/internal/manifest"
)

// StateName is the name of a tenant's state, in lower case.
type StateName string

// The states that this build writes; see the package comment.
const (
	Unknown            StateName = "unknown"            // no migration was committed yet
	OfflineMaintenance StateName = "offlinemaintenance" // a migration is committed; nobody logs in
	MigrationPending   StateName = "migrationpending"   // a revision is being committed
	Running            StateName = "running"            // a live migration was accepted
)

// Phase says whether a manifest is a migration or a part that goes ahead.
type Phase string

// The phases of a manifest.
const (
	Full    Phase = "full"
	Preseed Phase = "preseed"
)

// folder is where revisions of the phase lie.
func (p Phase) folder() string {
	if p == Preseed {
		return "preseeds/"
	}
	return "migrations/"
}

// Stored names an object by the digest and size of its bytes.
type Stored struct {
	SHA256 manifest.Digest `json:"sha256"`
	Bytes  int64           `json:"bytes"`
}

// Claim is open.json.
type Claim struct {
	Format    string          `json:"format"`
	ID        string          `json:"id"`
	Revision  int             `json:"revision"`
	Phase     Phase           `json:"phase"`
	Migration string          `json:"migration"`
	Company   string          `json:"company"`
	Serial    string          `json:"serial"`
	Input     manifest.Digest `json:"input"`
	Recover   Recover         `json:"recover,omitempty"`
	Over      string          `json:"over,omitempty"` // the id of the migration whose place this one takes
	Base      int             `json:"base,omitempty"` // the revision that this one adds files to; 0: it stands for itself
	Judged    int64           `json:"-"`              // Verdict.State of a judgement before the chunks were confirmed
	Manifest  Stored          `json:"manifest"`
	Spool     string          `json:"spool"`
	Tool      string          `json:"tool"`
	At        manifest.Time   `json:"at"`
}

// Commit is commit.json.
type Commit struct {
	Format    string           `json:"format"`
	ID        string           `json:"id"`
	Revision  int              `json:"revision"`
	Phase     Phase            `json:"phase"`
	Migration string           `json:"migration"`
	Mode      string           `json:"mode"`
	Company   string           `json:"company"`
	Serial    string           `json:"serial"`
	Manifest  Stored           `json:"manifest"`
	End       manifest.Digest  `json:"end"`
	Input     manifest.Digest  `json:"input"`
	Counts    map[string]int64 `json:"counts"`
	Chunks    int64            `json:"chunks"`
	Bytes     int64            `json:"bytes"`
	Missing   int64            `json:"missing"`
	Tool      string           `json:"tool"`
	At        manifest.Time    `json:"at"`
}

// same reports whether two commits are of one revision.
func (c Commit) same(o Commit) bool {
	return c.Phase == o.Phase && c.ID == o.ID && c.Revision == o.Revision
}

// made reports whether a commit was made of the input of a claim, or is that input.
func (c Commit) made(of Claim) bool {
	return c.ID == of.ID && !of.Input.IsZero() && (c.Input == of.Input || c.End == of.Input)
}

// State is a state record. The zero value, whose Number is 0, is that of a tenant to which nothing was committed.
type State struct {
	Format     string        `json:"format"`
	Number     int64         `json:"number"`
	Company    string        `json:"company"`
	Serial     string        `json:"serial"`
	State      StateName     `json:"state"`
	Closed     bool          `json:"closed,omitempty"`
	Migration  *Commit       `json:"migration,omitempty"`
	Pending    *Commit       `json:"pending,omitempty"`
	Seeding    *Commit       `json:"seeding,omitempty"`
	Collecting *Collecting   `json:"collecting,omitempty"`
	History    []Past        `json:"history"`
	Tool       string        `json:"tool"`
	At         manifest.Time `json:"at"`
}

// Collecting says that chunks are being removed while the record that holds it is the highest.
type Collecting struct {
	Run string `json:"run"` // tells it from others
}

// Past is one state that the tenant had.
type Past struct {
	Number   int64         `json:"number"`
	State    StateName     `json:"state"`
	ID       string        `json:"id"`
	Revision int           `json:"revision"`
	Closed   bool          `json:"closed,omitempty"`
	At       manifest.Time `json:"at"`
}

// current is the migration that counts: one that passed the gate will be committed, whoever does it.
func (s State) current() *Commit {
	if s.Pending != nil {
		return s.Pending
	}
	return s.Migration
}

// onItsWay is the commit that passed the gate and may not be finished.
func (s State) onItsWay() *Commit {
	if s.Pending != nil {
		return s.Pending
	}
	return s.Seeding
}

// next is the record that follows s and says the same, but for what is on its way.
func (s State) next(tool string, at manifest.Time) State {
	n := s
	n.Format, n.Number, n.State = manifest.Format, s.Number+1, s.resting()
	n.Pending, n.Seeding, n.Collecting = nil, nil, nil
	n.History = slices.Clone(s.History)
	n.Tool, n.At = tool, at
	return n
}

// enter makes the record one that names a state of the tenant's migration.
func (s *State) enter(name StateName) {
	s.State = name
	s.History = append(s.History, Past{
		Number: s.Number, State: name, ID: s.Migration.ID, Revision: s.Migration.Revision, Closed: s.Closed, At: s.At,
	})
}

// resting is the state that the tenant has when nothing is on its way.
func (s State) resting() StateName {
	if n := len(s.History); n > 0 {
		return s.History[n-1].State
	}
	return Unknown
}

// errDamaged says that a record is not what was written.
var errDamaged = errors.New("its content is damaged")

const (
	sealKey  = `,"sha256":"`
	sealTail = "\"}\n"
	sealSize = len(sealKey) + 2*sha256.Size + len(sealTail)
)

// seal makes the line of a record: v as JSON with its digest as last field. v must be a struct with fields.
func seal(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	body := data[:len(data)-1]
	return fmt.Appendf(nil, "%s%s%x%s", body, sealKey, sha256.Sum256(body), sealTail), nil
}

// unseal is the reverse of seal. Any byte that differs is errDamaged.
func unseal(data []byte, v any) error {
	if len(data) < sealSize {
		return errDamaged
	}
	body := data[:len(data)-sealSize]
	want := fmt.Appendf(nil, "%s%x%s", sealKey, sha256.Sum256(body), sealTail)
	if !bytes.Equal(data[len(body):], want) {
		return errDamaged
	}
	object := append(bytes.Clone(body), '}')
	var f struct {
		Format string `json:"format"`
	}
	if err := json.Unmarshal(object, &f); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if f.Format != manifest.Format {
		return fmt.Errorf("its format is %q, known is %q", f.Format, manifest.Format)
	}
	if err := json.Unmarshal(object, v); err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	return nil
}
