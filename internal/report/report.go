package report

import (
	"time"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// Report is what is told of a migration. It is the JSON form but for the list of what is missing, which follows it there.
type Report struct {
	Tool         string            `json:"tool"`
	At           manifest.Time     `json:"at"`
	Destination  string            `json:"destination"`
	Migration    Migration         `json:"migration"`
	Installation Installation      `json:"installation"`
	Migrator     manifest.Migrator `json:"migrator"`

	Answer   string  `json:"answer"`   // in a sentence
	Proved   string  `json:"proved"`   // what the proofs come to, in a sentence
	Good     bool    `json:"good"`     // whether a proof stands, and nothing it looked at was wrong
	Items    Items   `json:"items"`    // what the answer counts
	Totals   Totals  `json:"totals"`   // of all areas
	Areas    []Area  `json:"areas"`    // in their order
	Sums     []Sum   `json:"sums"`     // that were checked; all of them hold
	Missing  int64   `json:"missing"`  // how many did not make it
	LeftOut  []Table `json:"left_out"` // tables whose rows could not be had
	Accounts Users   `json:"users"`

	Removals []Removal          `json:"removals"`
	Findings []manifest.Finding `json:"findings"`
	Waivers  []manifest.Waiver  `json:"waivers"`
	Checks   Checks             `json:"checks"`
	Reviews  []manifest.Review  `json:"reviews"`
	Edits    []manifest.Edit    `json:"edits"`

	Proofs    []tenant.Proof `json:"proofs"`
	Untrusted []string       `json:"untrusted_proofs"` // records of proofs that were changed or are damaged
	Timeline  []Span         `json:"timeline"`
	Revisions []Revision     `json:"revisions"`
	Former    []tenant.Past  `json:"former"` // what the tenant held before, of other migrations
	Limits    []string       `json:"limits"`

	lost *lost // what did not make it
}

// Migration names the revision that the report is about.
type Migration struct {
	ID        string           `json:"id"`
	Revision  int              `json:"revision"`
	Kind      string           `json:"kind"` // "test" or "live"
	Mode      string           `json:"mode"`
	Phase     tenant.Phase     `json:"phase"`
	Created   manifest.Time    `json:"created"`
	Committed manifest.Time    `json:"committed"`
	State     tenant.StateName `json:"state"` // of the tenant, where this is its migration; else empty
	Since     manifest.Time    `json:"since,omitzero"`
	Manifest  manifest.Digest  `json:"manifest"` // digest in its end record
}

// Installation is where it came from.
type Installation struct {
	Company  string `json:"company"`
	Serial   string `json:"serial"`
	Version  string `json:"version"`
	Engine   string `json:"engine"`
	Database string `json:"database"`
}

// Items are the documents of the installation, or where the document archive took no part, all its files.
type Items struct {
	Documents bool  `json:"documents"`
	Found     int64 `json:"found"`
	Stored    int64 `json:"stored"`
	Missing   int64 `json:"missing"`
	Left      int64 `json:"left"`
}

// Totals are those of all areas.
type Totals struct {
	Files       int64 `json:"files"` // at the tenant
	Bytes       int64 `json:"bytes"` // of them
	Tables      int64 `json:"tables"`
	Rows        int64 `json:"rows"`
	Chunks      int64 `json:"chunks"`
	ChunkBytes  int64 `json:"chunk_bytes"` // at the tenant, compressed
	Missing     int64 `json:"missing"`
	Left        int64 `json:"left"`
	CopiesBytes int64 `json:"copies_bytes"` // of files whose bytes stand at the tenant once for several
}

// Area is one line of what was moved. Of the database Found and Stored are rows, else files, and rows without a file.
type Area struct {
	Area      manifest.Area `json:"area"`
	Found     int64         `json:"found"`
	Stored    int64         `json:"stored"`
	Missing   int64         `json:"missing"`
	Left      int64         `json:"left"`
	Bytes     int64         `json:"bytes"`  // of what is stored
	Tables    int64         `json:"tables"` // of the database
	MissingBy []Reason      `json:"missing_by"`
	LeftBy    []Reason      `json:"left_by"`
	Noted     []Reason      `json:"noted"` // stored, with something to be said of them
}

// Reason is how many of an area have a state for the same reason.
type Reason struct {
	State  manifest.State `json:"state"`
	Reason string         `json:"reason,omitempty"`
	Count  int64          `json:"count"`
	Bytes  int64          `json:"bytes"`
	Text   string         `json:"text"`
}

// Sum is two numbers that were counted in different ways and are equal.
type Sum struct {
	What string `json:"what"`
	Is   int64  `json:"is"`
	By   string `json:"by"` // what it is compared with
	Want int64  `json:"want"`
	Not  string `json:"not,omitempty"` // why it is known that they need not be equal
}

// Holds reports whether a sum adds up.
func (s Sum) Holds() bool { return s.Is == s.Want || s.Not != "" }

// Table is a table whose rows did not move, with the reason of the waiver.
type Table struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// Users are those of the installation.
type Users struct {
	Total     int             `json:"total"`
	With      int             `json:"with_plan"`
	Without   int             `json:"without_plan"`
	Undecided int             `json:"undecided"`
	Admins    int             `json:"administrators"` // with a plan
	Welcome   int             `json:"welcome"`        // with a plan, who are to get a welcome letter
	Plans     []Plan          `json:"plans"`
	List      []manifest.User `json:"list"`
	Summary   *string         `json:"summary_to,omitempty"` // address for the user summary; absent: nobody said, "": to nobody
}

// Plan is how many users have one.
type Plan struct {
	manifest.Plan
	Used int `json:"used"`
}

// Removal is an address that the tenant's side takes off a person's card, since it became a user's name.
type Removal struct {
	manifest.Removal
	Login string `json:"login"`
}

// Checks counts the rules that were run.
type Checks struct {
	Done int              `json:"done"`
	Not  []manifest.Check `json:"not_completed"`
}

// Span is something that took time. To is zero for a moment.
type Span struct {
	What string        `json:"what"`
	From manifest.Time `json:"from"`
	To   manifest.Time `json:"to,omitzero"`
	Note string        `json:"note,omitempty"`
}

// Took is how long it took.
func (s Span) Took() time.Duration {
	if s.To.IsZero() {
		return 0
	}
	return s.To.Sub(s.From.Time)
}

// Revision is a committed revision of the migration, and what it added to the one before it.
type Revision struct {
	Number    int           `json:"number"`
	Begun     manifest.Time `json:"begun,omitzero"`
	Committed manifest.Time `json:"committed"`
	Mode      string        `json:"mode"`
	Tool      string        `json:"tool"`
	Files     int64         `json:"files"` // file records
	Missing   int64         `json:"missing"`
	Chunks    int64         `json:"chunks"`
	Bytes     int64         `json:"bytes"`
	Found     int64         `json:"found"`      // fewer missing than before; below zero: more
	Sent      int64         `json:"sent"`       // chunks, as far as receipts of the reported revision tell
	SentBytes int64         `json:"sent_bytes"` // of these
	first     time.Time     // receipt
	last      time.Time
	commit    tenant.Commit
}
