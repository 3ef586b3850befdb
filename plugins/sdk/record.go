package sdk

import "time"

// Record is one record of a manifest: a pointer to one of the types below. Their fields are those of the manifest, in JSON
// too; internal/manifest has the specification.
type Record interface {
	// Kind is the record's kind, as a rule's Reads names it.
	Kind() string
}

// The kinds of records that a rule can read. Facts are asked for by name, with Rule.Facts.
const (
	KindHeader       = "manifest"
	KindInstallation = "installation"
	KindMigrator     = "migrator"
	KindPlan         = "plan"
	KindUser         = "user"
	KindReview       = "review"
	KindAddress      = "address"
	KindRemoval      = "removal"
	KindFact         = "fact"
	KindTable        = "table"
	KindChunk        = "chunk"
	KindFile         = "file"
	KindReceipt      = "receipt"
)

// Header opens a manifest.
type Header struct {
	Format    string    `json:"format"`
	ID        string    `json:"id"`
	Tool      string    `json:"tool"`
	Created   time.Time `json:"created"`
	Migration string    `json:"migration"`       // "test" or "live"
	Mode      string    `json:"mode,omitempty"`  // "initial" or "recovery"; empty: not known yet
	Phase     string    `json:"phase"`           // "full" or "preseed"
	Before    time.Time `json:"before,omitzero"` // of a preseed: files changed after it are left
}

// Installation says what was scanned and where it lies.
type Installation struct {
	Owner       string              `json:"owner"`
	Serial      string              `json:"serial"`
	Version     string              `json:"version"`
	Engine      string              `json:"engine"`   // "mssql" or "sqlite"
	Database    string              `json:"database"` // URL without user info
	Prefix      string              `json:"prefix"`
	Fingerprint string              `json:"fingerprint,omitempty"`
	Areas       []string            `json:"areas"`
	Roots       map[string][]string `json:"roots"`
}

// Migrator is who runs the migration.
type Migrator struct {
	Login    string `json:"login"`
	Name     string `json:"name"`
	Email    string `json:"email"`
	Phone    string `json:"phone"`
	Language string `json:"language"`
	Verified string `json:"verified"`
	Admin    string `json:"admin"` // "confirmed" or "guessed": whether the administrator right was named or guessed
}

// Plan is a user plan that can be given to users.
type Plan struct {
	Name      string `json:"name"`
	Title     string `json:"title"`
	Onsite    string `json:"onsite"` // its name on site, empty where that is not known
	Seats     int64  `json:"seats"`
	Unlimited bool   `json:"unlimited"`
	Source    string `json:"source"` // "tenant", or "licence" (the local licence, a hint)
}

// User is an internal associate who is not retired.
type User struct {
	ID           int64    `json:"id"`
	Login        string   `json:"login"`
	Person       int64    `json:"person,omitempty"`
	Name         string   `json:"name"`
	Company      string   `json:"company"`
	Group        string   `json:"group"`
	Role         string   `json:"role"`
	Position     string   `json:"position"`
	Admin        bool     `json:"admin"`
	Confidential bool     `json:"confidential"`
	Emails       []string `json:"emails"`             // by rank, first-rank first
	Onsite       string   `json:"onsite"`             // plan held on site
	Plan         *string  `json:"plan,omitempty"`     // nil: undecided; "": none
	Username     string   `json:"username,omitempty"` // e-mail address to log in with
	Welcome      *bool    `json:"welcome,omitempty"`  // nil: undecided
}

// Review says that plans, user names or notifications were settled.
type Review struct {
	Item    string    `json:"item"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	How     string    `json:"how"`
	Summary *string   `json:"summary,omitempty"`
}

// Address is an e-mail address of a person who is no user.
type Address struct {
	Person int64  `json:"person"`
	Rank   int64  `json:"rank"`
	Email  string `json:"email"`
}

// Removal asks the tenant's side to take an address off a person's card.
type Removal struct {
	Person int64  `json:"person"`
	Email  string `json:"email"`
	User   int64  `json:"user"`
}

// Fact is a row of the database, or something else that was found: what the host collects for rules (package
// internal/source lists the names), or a row of a rule's own query.
type Fact struct {
	Name string         `json:"name"`
	ID   string         `json:"id"`
	Data map[string]any `json:"data"` // string, bool, int64, float64; a NULL has no key
}

// Column is a column of a table.
type Column struct {
	Name      string `json:"name"`
	Type      string `json:"type"` // as SQL Server writes it
	Null      bool   `json:"null"`
	Collation string `json:"collation,omitempty"`
	Identity  bool   `json:"identity,omitempty"`
	Computed  string `json:"computed,omitempty"`
	Default   string `json:"default,omitempty"`
}

// Table is a table with its rows counted.
type Table struct {
	Name    string   `json:"name"` // without the prefix
	Rows    int64    `json:"rows"`
	Columns []Column `json:"columns"`
	Key     []string `json:"key"`
}

// File is a file, or a row that should have one.
type File struct {
	Area       string    `json:"area"` // "template", "document", "service", "attachment"
	ID         int64     `json:"id,omitempty"`
	Path       string    `json:"path,omitempty"`
	Disk       string    `json:"disk,omitempty"`
	Root       int64     `json:"root"`
	Size       int64     `json:"size"` // bytes
	MTime      time.Time `json:"mtime,omitzero"`
	Owner      string    `json:"owner,omitempty"`
	Title      string    `json:"title,omitempty"`
	State      string    `json:"state"` // "present", "missing", …
	Reason     string    `json:"reason,omitempty"`
	Also       string    `json:"also,omitempty"`
	Candidates []string  `json:"candidates,omitempty"`
	Raw        bool      `json:"raw,omitempty"`
	SHA256     string    `json:"sha256,omitempty"`
	Chunk      string    `json:"chunk,omitempty"`
	Offset     int64     `json:"offset,omitempty"`
	Same       string    `json:"same,omitempty"`
}

// Chunk is an object at the destination.
type Chunk struct {
	SHA256 string `json:"sha256"`
	Type   string `json:"type"`
	Area   string `json:"area"`
	Role   string `json:"role,omitempty"`
	Bytes  int64  `json:"bytes"`
	Raw    int64  `json:"raw"`
	Items  int64  `json:"items"`
	Table  string `json:"table,omitempty"`
	First  string `json:"first,omitempty"`
	Last   string `json:"last,omitempty"`
	Rows   int64  `json:"rows,omitempty"`
}

// Receipt says that a chunk is at the destination.
type Receipt struct {
	Chunk string    `json:"chunk"`
	Bytes int64     `json:"bytes"`
	Sent  bool      `json:"sent"`
	At    time.Time `json:"at"`
}

// Kind implements Record.
func (*Header) Kind() string { return KindHeader }

// Kind implements Record.
func (*Installation) Kind() string { return KindInstallation }

// Kind implements Record.
func (*Migrator) Kind() string { return KindMigrator }

// Kind implements Record.
func (*Plan) Kind() string { return KindPlan }

// Kind implements Record.
func (*User) Kind() string { return KindUser }

// Kind implements Record.
func (*Review) Kind() string { return KindReview }

// Kind implements Record.
func (*Address) Kind() string { return KindAddress }

// Kind implements Record.
func (*Removal) Kind() string { return KindRemoval }

// Kind implements Record.
func (*Fact) Kind() string { return KindFact }

// Kind implements Record.
func (*Table) Kind() string { return KindTable }

// Kind implements Record.
func (*File) Kind() string { return KindFile }

// Kind implements Record.
func (*Chunk) Kind() string { return KindChunk }

// Kind implements Record.
func (*Receipt) Kind() string { return KindReceipt }
